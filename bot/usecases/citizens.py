"""Citizens: who is speaking, whether we may write to them, and what they told the channel about themselves."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.messages import AccountNotice, Following, Interaction, ProfileShared, Reaction, Withdrawal
from bot.rules.dialogue import Question
from bot.usecases.deliveries import PRIORITY_ALARM
from bot.usecases.erased import GONE
from bot.usecases.incidents import let_go as leave_incident
from bot.usecases.parting import part_from_others
from bot.usecases.taking_out import take_out
from bot.usecases.telling import tell
from bot.usecases.words_gone import (
    call_off,
    empty_deliveries,
    empty_drafts,
    empty_files,
    empty_history,
    empty_messages,
    empty_papers,
)
from bot.usecases.work import Citizen, Work
from storage.audit import AuditEntry
from storage.channels import Channel, ChannelToken
from storage.contacts import Contact, Conversation, Urn
from storage.deliveries import Delivery
from storage.editions import forget_items
from storage.enums import (
    Consent,
    DeliveryKind,
    DeliveryState,
    EventKind,
    TicketState,
    TokenState,
)
from storage.groups import Membership
from storage.messages import InboundEvent, Message
from storage.publications import take_down
from storage.retention import is_held
from storage.safety import SafetyAnswer
from storage.subscriptions import Subscription
from storage.tickets import Ticket, TicketEvent

log = structlog.get_logger()


def known_people(session: Session, keys: set[tuple[int, str]]) -> dict[tuple[int, str], Citizen]:
    """The citizens of these channels and addresses whom we have met before, in one question for a whole batch."""
    found: dict[tuple[int, str], Citizen] = {}
    for channel_id in {channel for channel, _ in keys}:
        rows = session.execute(
            sa.select(Urn, Contact, Conversation)
            .join(Contact, Contact.id == Urn.contact_id)
            .join(Conversation, Conversation.urn_id == Urn.id)
            .where(Urn.channel_id == channel_id, Urn.value.in_([value for c, value in keys if c == channel_id]))
        )
        for urn, contact, conversation in rows:
            found[channel_id, urn.value] = Citizen(contact, urn, conversation)
    return found


def citizen(work: Work, value: str) -> Citizen:
    """Find the citizen with this URN on the channel, or write them down for the first time."""
    key = (work.channel.id, value)
    if key not in work.people:
        work.people[key] = _citizen(work, value)
    return work.people[key]


def _citizen(work: Work, value: str) -> Citizen:
    session, channel = work.session, work.channel
    urn = session.scalar(sa.select(Urn).where(Urn.channel_id == channel.id, Urn.value == value))
    if urn is None:
        contact = Contact(commune_id=channel.commune_id, created_at=work.now)
        session.add(contact)
        session.flush()
        urn = Urn(commune_id=channel.commune_id, channel_id=channel.id, contact_id=contact.id, value=value)
        session.add(urn)
        session.flush()
    conversation = session.scalar(sa.select(Conversation).where(Conversation.urn_id == urn.id))
    if conversation is None:
        conversation = Conversation(
            commune_id=channel.commune_id,
            channel_id=channel.id,
            contact_id=urn.contact_id,
            urn_id=urn.id,
            created_at=work.now,
        )
        session.add(conversation)
        session.flush()
    return Citizen(session.get_one(Contact, urn.contact_id), urn, conversation)


def interacted(person: Citizen, at: datetime) -> None:
    """They did something: the reply window opens anew and an unreachable mark is void."""
    urn = person.urn
    urn.last_interaction_at = max(filter(None, (urn.last_interaction_at, at)))
    if urn.unreachable_at is not None and at > urn.unreachable_at:
        urn.unreachable_at = urn.unreachable_code = None


def take_following(work: Work, word: Following) -> str:
    """Begin or end to follow; the later word wins, however they arrive."""
    person = citizen(work, word.urn)
    urn = person.urn
    if word.is_following:
        interacted(person, word.occurred_at)  # also when the word comes late: the reply window did open then
    if word.is_start and not work.is_stale:  # whoever presses the button anew looks for a sign of life
        tell(work, person, f"start:{urn.id}:{work.now:%Y%m%d%H}", "welcome")
    if urn.following_changed_at is not None and urn.following_changed_at >= word.occurred_at:
        return "following:older"
    is_first = urn.following_changed_at is None
    urn.is_following = word.is_following
    urn.following_changed_at = word.occurred_at
    if not word.is_following:
        stop_announcements(work, urn, "unfollowed")
        return "unfollowed"
    if is_first and not word.is_start and not work.is_stale:
        tell(work, person, f"welcome:{urn.id}", "welcome")
    return "followed"


def take_interaction(work: Work, word: Interaction) -> str:
    """They opened the chat: we may write to them."""
    interacted(citizen(work, word.urn), word.occurred_at)
    return f"interaction:{word.what}"


def take_profile(work: Work, word: ProfileShared) -> str:
    """They filled in the channel's contact form."""
    person = citizen(work, word.urn)
    interacted(person, word.occurred_at)
    contact = person.contact
    contact.name = (word.name or contact.name or "")[:120] or None
    contact.phone = (word.phone or contact.phone or "")[:32] or None
    contact.address = (word.address or contact.address or "")[:300] or None
    if word.has_consented and contact.consent != Consent.GIVEN.value:
        contact.consent, contact.consent_at = Consent.GIVEN.value, word.occurred_at
        contact.consent_asked_at = contact.consent_asked_at or word.occurred_at
    if person.conversation.asked == Question.WHO.value and contact.name:
        # One press has answered who they are.
        number = person.conversation.asked_ticket_id
        ticket = work.session.get(Ticket, number) if number is not None else None
        person.conversation.asked = person.conversation.asked_at = person.conversation.asked_data = None
        if ticket is not None:
            tell(work, person, f"identity:{work.row.id}", "identity_noted", ticket=ticket, ten=contact.name)
    return "profile"


def take_reaction(work: Work, word: Reaction) -> str:
    """They put an icon on a message; kept with the event, it asks for nothing."""
    citizen(work, word.urn)
    return "reaction"


def take_withdrawal(work: Work, word: Withdrawal) -> str:
    """They withdrew their data: name, phone, address, words and files go; what was done stays countable."""
    session = work.session
    urn = session.scalar(sa.select(Urn).where(Urn.channel_id == work.channel.id, Urn.value == word.urn))
    if urn is None:
        return "withdrawal:nobody"
    while part_from_others(work, urn, "withdrawal"):
        pass  # what others are linked to this one keep is theirs
    conversation = session.scalar(sa.select(Conversation).where(Conversation.urn_id == urn.id))
    contact = session.get_one(Contact, urn.contact_id)
    contact.name = contact.phone = contact.address = contact.consent = contact.consent_at = None
    session.execute(sa.delete(Subscription).where(Subscription.urn_id == urn.id))
    session.execute(sa.delete(SafetyAnswer).where(SafetyAnswer.urn_id == urn.id))
    session.execute(sa.delete(Membership).where(Membership.urn_id == urn.id))
    contact.erased_at = word.occurred_at  # what was said before it and arrives later is not kept either
    urn.is_following = False
    urn.opted_out_at = urn.opted_out_at or word.occurred_at
    stop_announcements(work, urn, "withdrawn")
    if conversation is not None:
        _erase_words(work, conversation)
    _erase_events(work, word)
    session.add(
        AuditEntry(
            commune_id=urn.commune_id, at=work.now, action="contact.erased", target=f"contact:{contact.id}", data={}
        )
    )
    return "erased"


def take_notice(work: Work, word: AccountNotice) -> str:
    """The channel speaks of our account; a revoked permission stops sending until an operator acts."""
    if word.what == "permission_revoked":
        work.session.execute(
            sa.update(ChannelToken)
            .where(ChannelToken.channel_id == work.channel.id)
            .values(state=TokenState.NEEDS_CONSENT, last_error="permission_revoked")
        )
        work.session.execute(
            sa.update(Channel)
            .where(Channel.id == work.channel.id)
            .values(
                paused_at=work.now, paused_reason="Quản trị viên OA đã thu hồi quyền của ứng dụng. Cần cấp quyền lại."
            )
        )
    if word.is_alarm:
        log.error("channel.alarm", channel=work.channel.slug, what=word.what)
    return f"notice:{word.what}"


def opt(work: Work, person: Citizen, *, out: bool, at: datetime) -> bool:
    """Stop or resume announcements at once; the later wish wins. False when an older wish came late.

    Who stops them stops them on all addresses that are known to be theirs; they come back where they are asked for.
    """
    urn = person.urn
    if urn.opted_changed_at is not None and urn.opted_changed_at >= at:
        return False
    urn.opted_changed_at = at
    urn.opted_out_at = at if out else None
    if out:
        stop_announcements(work, urn, "opted_out")
        _stop_elsewhere(work, urn, at)
    return True


def _stop_elsewhere(work: Work, urn: Urn, at: datetime) -> None:
    is_older = sa.or_(Urn.opted_changed_at.is_(None), Urn.opted_changed_at < at)
    others = sa.select(Urn).where(Urn.contact_id == urn.contact_id, Urn.id != urn.id, is_older).order_by(Urn.id)
    for other in work.session.scalars(others):
        other.opted_changed_at = other.opted_out_at = at
        stop_announcements(work, other, "opted_out")


def stop_announcements(work: Work, urn: Urn, code: str) -> None:
    """Announcements that are still waiting for this citizen are not sent any more.

    A stop word ("opted_out") does not stop emergencies, and whoever says it is told so.
    """
    work.session.execute(
        sa.update(Delivery)
        .where(
            Delivery.urn_id == urn.id,
            Delivery.kind == DeliveryKind.ANNOUNCEMENT,
            Delivery.state == DeliveryState.WAITING,
            *([Delivery.priority > PRIORITY_ALARM] if code == "opted_out" else []),  # emergencies still come
        )
        .values(state=DeliveryState.CANCELLED, code=code, reason="Người dân đã ngừng nhận thông báo.")
    )


def _erase_words(work: Work, conversation: Conversation) -> None:
    session = work.session
    held = session.scalars(sa.select(Ticket.id).where(Ticket.conversation_id == conversation.id, is_held()))
    stays = list(held)  # the law wants it kept for now; it goes when it is released
    theirs = sa.or_(Message.ticket_id.is_(None), Message.ticket_id.not_in(stays))
    ids = list(session.scalars(sa.select(Message.id).where(Message.conversation_id == conversation.id, theirs)))
    sent = sa.or_(
        Delivery.message_id.in_(ids),
        sa.and_(Delivery.conversation_id == conversation.id, Delivery.message_id.is_(None)),
    )
    if not stays:
        sent = sa.or_(sent, Delivery.conversation_id == conversation.id)
    empty_files(work, ids, sent, "erased")
    empty_messages(session, ids, GONE)
    call_off(session, sent, "withdrawn", "Người dân đã rút dữ liệu.")
    empty_deliveries(session, sent, GONE)
    mine = (Ticket.conversation_id == conversation.id, Ticket.id.not_in(stays))
    tickets = list(session.scalars(sa.select(Ticket).where(*mine)))
    empty_history(session, [ticket.id for ticket in tickets], GONE)
    empty_drafts(session, [ticket.id for ticket in tickets])
    empty_papers(work, [ticket.id for ticket in tickets], GONE)
    take_down(session, [ticket.id for ticket in tickets], work.now)
    forget_items(session, [ticket.id for ticket in tickets])
    take_out(session, work.runtime, [ticket.id for ticket in tickets])
    for ticket in tickets:
        ticket.summary, ticket.place_text = GONE, None
        ticket.latitude = ticket.longitude = None
        ticket.version += 1
        leave_incident(session, ticket, work.book, work.now)
        if ticket.is_open or ticket.is_spam:  # spam could be restored
            ticket.state, ticket.is_open, ticket.closed_at = TicketState.WITHDRAWN, False, work.now
        session.add(
            TicketEvent(
                commune_id=ticket.commune_id, ticket_id=ticket.id, kind=EventKind.WITHDRAWN, at=work.now, data={}
            )
        )


def _erase_events(work: Work, word: Withdrawal) -> None:
    # Raw events hold the same words; the rows stay as proof that each was taken in once. What was said since and
    # waits is a new beginning and is heard; what is held stays with the message that was made of it.
    made_of = sa.select(Message.id).join(Ticket, Ticket.id == Message.ticket_id)
    held = made_of.where(Message.inbound_event_id == InboundEvent.id, is_held()).exists()
    work.session.execute(
        sa.update(InboundEvent)
        .where(
            InboundEvent.channel_id == work.channel.id,
            InboundEvent.conversation_key == word.urn,
            InboundEvent.id != work.row.id,
            sa.not_(held),
            sa.or_(InboundEvent.done_at.is_not(None), InboundEvent.occurred_at <= word.occurred_at),
        )
        .values(body=b"{}", sealed=None)
    )
