"""Expiry: which rows of each kind are over, older than a moment, and neither open, disputed nor held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from storage.contacts import Contact, Conversation
from storage.deliveries import Attempt, Delivery
from storage.enums import DeliveryState, InboundState, ReportState, SourceState, TransferState
from storage.exchange import SourceFeedback, SourceReport
from storage.loudspeakers import LoudspeakerCluster, PlayLog, SourceBulletin
from storage.messages import Attachment, InboundEvent, Message
from storage.notices import SourceNotice
from storage.officials import Official, SignInAttempt, SignInSession
from storage.papers import Transfer
from storage.retention import is_held
from storage.tickets import Ticket

COMPLAINT = "khieu-nai"
_GOING = (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.UNKNOWN)
_NOTHING = ("null", "[]", "{}")


@dataclass(frozen=True)
class Over:
    """Whose and what is over: older than `before`; what was not found good counts as disputed since `disputed`."""

    commune_id: int
    before: datetime
    disputed: datetime


def ended_tickets(over: Over, *, sealed: bool) -> sa.Select[tuple[int, datetime]]:
    """Tickets whose words are over."""
    return _ended(over, sa.select(Ticket.id, Ticket.last_in_at)).where(
        Ticket.is_sealed.is_(sealed), Ticket.accuses_leaders.is_(False), Ticket.words_gone_at.is_(None)
    )


def leaders_tickets(over: Over) -> sa.Select[tuple[int, datetime]]:
    """Tickets that accuse the commune's leaders: nobody there opens or ends them, so only their age counts."""
    return sa.select(Ticket.id, Ticket.last_in_at).where(
        Ticket.commune_id == over.commune_id,
        Ticket.accuses_leaders.is_(True),
        Ticket.last_in_at < over.before,
        Ticket.words_gone_at.is_(None),
        ~is_held(),
    )


def ended_files(over: Over) -> sa.Select[tuple[int, datetime]]:
    """Files of ended tickets that are not sealed."""
    query = sa.select(Attachment.id, Message.occurred_at).join(Message, Message.id == Attachment.message_id)
    return _ended(over, query.join(Ticket, Ticket.id == Message.ticket_id)).where(
        Ticket.is_sealed.is_(False),
        sa.or_(Attachment.blob.is_not(None), Attachment.sound_blob.is_not(None), Attachment.url.is_not(None)),
    )


def loose_messages(over: Over, *, sealed: bool) -> sa.Select[tuple[int, datetime]]:
    """What was said outside of tickets, where no ticket of the same talk is open or held."""
    busy = sa.select(Ticket.id).where(
        Ticket.conversation_id == Message.conversation_id, sa.or_(Ticket.is_open.is_(True), is_held())
    )
    return sa.select(Message.id, Message.occurred_at).where(
        Message.commune_id == over.commune_id,
        Message.ticket_id.is_(None),
        Message.words_gone_at.is_(None),
        Message.occurred_at < over.before,
        Message.is_sealed.is_(sealed),
        ~busy.exists(),
    )


def idle_contacts(over: Over) -> sa.Select[tuple[int, datetime]]:
    """Contacts of whom something is known and with whom nothing goes on; not while a sealed report of theirs stands."""
    said = sa.select(Conversation.id).where(
        Conversation.contact_id == Contact.id,
        sa.func.coalesce(Conversation.last_message_at, Conversation.created_at) >= over.before,
    )
    live = sa.select(Ticket.id).where(
        Ticket.contact_id == Contact.id,
        sa.or_(
            Ticket.is_open.is_(True),
            Ticket.last_in_at >= over.before,
            sa.and_(Ticket.is_sealed.is_(True), Ticket.words_gone_at.is_(None)),
            _disputed(over),
            is_held(),
        ),
    )
    known = [column.is_not(None) for column in (Contact.name, Contact.phone, Contact.address)]
    return sa.select(Contact.id, Contact.created_at).where(
        Contact.commune_id == over.commune_id,
        Contact.created_at < over.before,
        sa.or_(*known),
        ~said.exists(),
        ~live.exists(),
    )


def old_events(over: Over) -> sa.Select[tuple[int, datetime]]:
    """What channels sent, once it was taken in; not while a report made of it is open, held or sealed."""
    stays = (
        sa.select(Message.id)
        .outerjoin(Ticket, Ticket.id == Message.ticket_id)
        .where(
            Message.inbound_event_id == InboundEvent.id,
            sa.or_(
                Message.is_sealed.is_(True),
                Ticket.is_sealed.is_(True),
                Ticket.is_open.is_(True),
                sa.and_(Ticket.id.is_not(None), sa.or_(_disputed(over), is_held())),
            ),
        )
    )
    return sa.select(InboundEvent.id, InboundEvent.occurred_at).where(
        InboundEvent.commune_id == over.commune_id,
        InboundEvent.state.in_([InboundState.DONE, InboundState.IGNORED]),
        InboundEvent.done_at < over.before,
        InboundEvent.body != b"{}",
        ~stays.exists(),
    )


def old_exchanges(over: Over) -> sa.Select[tuple[int, datetime]]:
    """What was said between us and channels in attempts of deliveries that are settled."""
    return (
        sa.select(Attempt.id, Attempt.started_at)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .where(
            Attempt.commune_id == over.commune_id,
            Attempt.ended_at < over.before,
            Delivery.state.not_in(_GOING),
            sa.cast(Attempt.exchange, sa.Text).not_in(_NOTHING),
        )
    )


def old_receipts(over: Over) -> sa.Select[tuple[int, datetime]]:
    """What networks said of each piece of a message that is settled."""
    return sa.select(Delivery.id, Delivery.created_at).where(
        Delivery.commune_id == over.commune_id,
        Delivery.created_at < over.before,
        Delivery.state.not_in(_GOING),
        Delivery.part_receipts.is_not(None),
        sa.cast(Delivery.part_receipts, sa.Text).not_in(_NOTHING),
    )


def old_sign_ins(over: Over) -> sa.Select[tuple[int, datetime]]:
    """Tries to sign in with an account of the commune."""
    accounts = sa.select(Official.username).where(Official.commune_id == over.commune_id)
    return sa.select(SignInAttempt.id, SignInAttempt.at).where(
        SignInAttempt.account.in_(accounts), SignInAttempt.at < over.before
    )


def old_sessions(over: Over) -> sa.Select[tuple[int, datetime]]:
    """Browsers in which officials of the commune were signed in."""
    officials = sa.select(Official.id).where(Official.commune_id == over.commune_id)
    return sa.select(SignInSession.id, SignInSession.created_at).where(
        SignInSession.official_id.in_(officials), SignInSession.created_at < over.before
    )


def old_play_logs(over: Over) -> sa.Select[tuple[int, datetime]]:
    """What clusters and boards said of bulletins."""
    return sa.select(PlayLog.id, PlayLog.at).where(PlayLog.commune_id == over.commune_id, PlayLog.at < over.before)


def spoken_bulletins(over: Over) -> sa.Select[tuple[int, datetime]]:
    """What source systems were told to read out, once it holds no more and nothing of it is on its way."""
    going = (SourceState.WAITING, SourceState.SENDING)
    return sa.select(SourceBulletin.id, SourceBulletin.created_at).where(
        SourceBulletin.commune_id == over.commune_id,
        SourceBulletin.valid_until < over.before,
        SourceBulletin.state.not_in(going),
        SourceBulletin.script != "",
    )


def old_notices(over: Over) -> sa.Select[tuple[int, datetime]]:
    """Bulletins from above that came long ago and hold no more."""
    return sa.select(SourceNotice.id, SourceNotice.received_at).where(
        SourceNotice.commune_id == over.commune_id,
        SourceNotice.received_at < over.before,
        sa.or_(SourceNotice.valid_until.is_(None), SourceNotice.valid_until < over.before),
        SourceNotice.raw != "",
    )


def gone_clusters(over: Over) -> sa.Select[tuple[int, datetime]]:
    """Clusters of which nothing is heard any more, with no open report of them."""
    busy = sa.select(Ticket.id).where(Ticket.id == LoudspeakerCluster.ticket_id, Ticket.is_open.is_(True))
    return sa.select(LoudspeakerCluster.id, LoudspeakerCluster.heard_at).where(
        LoudspeakerCluster.commune_id == over.commune_id, LoudspeakerCluster.heard_at < over.before, ~busy.exists()
    )


def told_feedback(over: Over) -> sa.Select[tuple[int, datetime]]:
    """That feedback of the app was settled, and the system knows."""
    return sa.select(SourceFeedback.id, SourceFeedback.created_at).where(
        SourceFeedback.commune_id == over.commune_id,
        SourceFeedback.told_at < over.before,
        SourceFeedback.told.in_(("refused", "answered")),
    )


def old_reports(over: Over) -> sa.Select[tuple[int, datetime]]:
    """Months that were handed in."""
    going = (ReportState.WAITING, ReportState.SENDING)
    return sa.select(SourceReport.id, SourceReport.created_at).where(
        SourceReport.commune_id == over.commune_id,
        SourceReport.created_at < over.before,
        SourceReport.state.not_in(going),
    )


def _ended(over: Over, query: sa.Select[Any]) -> sa.Select[Any]:
    """Of tickets in the query: those over, with nothing about them that is still alive."""
    lead = aliased(Ticket)
    waits = sa.select(lead.id).where(lead.id == Ticket.merged_into_id, sa.or_(lead.is_open.is_(True), is_held(lead)))
    handed = sa.select(Transfer.id).where(
        Transfer.ticket_id == Ticket.id, Transfer.state.in_([state for state in TransferState if state.is_open])
    )
    moments = [
        sa.or_(moment.is_(None), moment < over.before)
        for moment in (Ticket.closed_at, Ticket.answered_at, Ticket.rated_at)
    ]
    return query.where(
        Ticket.commune_id == over.commune_id,
        Ticket.is_open.is_(False),
        Ticket.opened_at < over.before,
        Ticket.last_in_at < over.before,
        *moments,
        sa.not_(_disputed(over)),
        ~is_held(),
        ~waits.exists(),
        ~handed.exists(),
    )


def _disputed(over: Over) -> sa.ColumnElement[bool]:
    """Whether a ticket's result was not accepted, or it was a complaint, in the last year."""
    return sa.or_(
        sa.and_(
            sa.func.coalesce(Ticket.rating, 0) == 1,
            sa.func.coalesce(Ticket.rated_at, Ticket.last_in_at) >= over.disputed,
        ),
        sa.and_(sa.func.coalesce(Ticket.topic, "") == COMPLAINT, Ticket.last_in_at >= over.disputed),
    )
