"""Tickets: what officials do with them, one function per wish; each leaves an event and a new version."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from bot.access import (
    Forbidden,
    audit,
    delivery_for,
    may_direct,
    may_reply,
    may_unseal,
    reads_sealed,
    roles_on,
    ticket_for,
)
from bot.queue import MEDIA, REPLIES
from bot.rules.lifecycle import SHORTEST_REASON, WITH_REPLY, Given, NotAllowed, check
from bot.rules.routing import TRIAGE
from bot.runtime import Runtime
from bot.usecases import deliveries, drafts, undoing
from bot.usecases.accusing import must_not_be_accused, propose
from bot.usecases.answered import tell_joined
from bot.usecases.clocks import calendar_of, plan, set_deadlines
from bot.usecases.corrections import OPEN, SEALED, place_code, record
from bot.usecases.describing import route_of
from bot.usecases.desk import Desk, at_desk
from bot.usecases.incidents import join_one, keep_earliest, let_go
from nlp.topics import TOPICS
from storage.agencies import Agency
from storage.alerts import raise_alert
from storage.communes import Place
from storage.database import advisory_lock
from storage.drafts import DraftKind
from storage.enums import AlertKind, CorrectionKind, Direction, EventKind, TicketState
from storage.incidents import joined_to
from storage.messages import Message
from storage.officials import Official
from storage.tickets import Ticket, TicketEvent

LONGEST_NOTE = 5_000
LONGEST_REASON = 2_000
LEADERSHIP = "lanh-dao"
# Steps that are a question or an answer to the citizen: taken back like a reply.
_UNDONE_AS_SENT = frozenset({TicketState.WAITING_CITIZEN, TicketState.DECLINED})


def receive(runtime: Runtime, official: Official, ticket_id: int, *, version: int) -> bool:
    """Take a new ticket into the book; False when a colleague has done so already."""
    with runtime.database.reading() as session:
        if ticket_for(session, official, ticket_id).state is not TicketState.NEW:
            return False
    change_state(runtime, official, ticket_id, version=version, target=TicketState.RECEIVED, given=Given())
    return True


def change_state(
    runtime: Runtime, official: Official, ticket_id: int, *, version: int, target: TicketState, given: Given
) -> None:
    """Take a step of the lifecycle; the citizen is told what concerns them. Raises NotAllowed, Changed."""
    with at_desk(runtime, official, ticket_id, version) as desk:
        if target in WITH_REPLY:
            raise NotAllowed("by_reply", "Kết quả được gửi bằng mẫu trả lời, không đổi trạng thái riêng.")
        if target is TicketState.FORWARDED:
            raise NotAllowed("by_transfer", "Chuyển cơ quan khác bằng phiếu chuyển, không đổi trạng thái riêng.")
        _must_not_be_spam(desk)
        _take_in_to_ask(desk, target, given)
        check(desk.ticket.state, target, roles_on(official, desk.ticket), given)
        words = " ".join(given.words.split())
        data: dict[str, Any] = {}
        if target is TicketState.ASSIGNED and given.agency_id is not None:
            data["agency"] = _give_to(desk, given.agency_id).name
        if (desk.ticket.state, target) == (TicketState.ASSIGNED, TicketState.RECEIVED):
            data["returned"] = _give_back(desk)
        if desk.ticket.state is TicketState.WAITING_APPROVAL:
            _return_draft(desk)
        if target is TicketState.MERGED:
            join_one(desk, desk.ticket, _target(desk, given.target_code))
        else:
            with undoing.undoable(desk) as chance:
                desk.move(target, data, words or None)
                told = _tell(desk, target, words)
                if told is not None and target in _UNDONE_AS_SENT:
                    chance.keep(told, {"text": words})
    runtime.nudge(REPLIES)


def _take_in_to_ask(desk: Desk, target: TicketState, given: Given) -> None:
    """Who asks about a new report takes it into the book by that."""
    if desk.ticket.state is TicketState.NEW and target is TicketState.WAITING_CITIZEN:
        roles = roles_on(desk.official, desk.ticket)
        check(TicketState.NEW, TicketState.RECEIVED, roles, Given())
        check(TicketState.RECEIVED, target, roles, given)
        desk.move(TicketState.RECEIVED)


def _give_back(desk: Desk) -> int:
    """An agency gives a ticket back, once: the dispatch centre has it again; the second time the leaders decide.

    Gives how often it was given back, this time included.
    """
    before = desk.session.scalars(
        sa.select(TicketEvent.data).where(
            TicketEvent.ticket_id == desk.ticket.id, TicketEvent.kind == EventKind.STATE_CHANGED
        )
    )
    times = 1 + sum(bool(data.get("returned")) for data in before)
    slug = TRIAGE if times == 1 else LEADERSHIP
    desk.ticket.agency_id = desk.book.agencies.get(slug, desk.ticket.agency_id)
    desk.ticket.official_id = None
    if times > 1:
        raise_alert(
            desk.session,
            desk.ticket.commune_id,
            AlertKind.RETURNED,
            f"returned:{desk.ticket.id}:{times}",
            desk.now,
            ticket_id=desk.ticket.id,
            audience="leaders",
            times=times,
        )
    return times


def _tell(desk: Desk, target: TicketState, words: str) -> Message | None:
    """Tell the citizen what concerns them; what concerns the whole incident, everybody who joined it too."""
    told = _told_to_citizen(desk, target, words)
    if told is None:
        return None
    key, variables = told
    text = desk.say(key, **variables)
    message = desk.write(text.words, template=text.key)
    desk.owe(message)
    if target is not TicketState.WAITING_CITIZEN:
        tell_joined(desk, key, variables)
    return message


def _told_to_citizen(desk: Desk, target: TicketState, words: str) -> tuple[str, dict[str, str]] | None:
    book = desk.book
    if target is TicketState.WAITING_CITIZEN:
        return "need_more", {"can": words}
    if target is TicketState.DECLINED:
        return "refused", {"lydo": words, "noitiep": book.reception}
    if target is TicketState.REOPENED:
        return "reopened", {}
    return None


def _target(desk: Desk, code: str) -> Ticket:
    ticket = desk.ticket
    advisory_lock(desk.session, f"incidents:{ticket.commune_id}")
    into = desk.session.scalar(
        sa.select(Ticket)
        .where(
            Ticket.commune_id == ticket.commune_id,
            Ticket.code == code.strip().upper(),
            Ticket.is_sealed == ticket.is_sealed,
        )
        .with_for_update()
    )
    if into is None or into.id == ticket.id or into.merged_into_id is not None:
        raise NotAllowed("no_such_target", "Không có phản ánh mang mã này để ghép vào. Anh/Chị vui lòng xem lại mã.")
    if into.is_spam:
        raise NotAllowed(
            "target_is_spam", "Phản ánh mang mã này đang trong tin rác. Anh/Chị khôi phục phản ánh đó trước rồi ghép."
        )
    if not into.is_open and into.state is not TicketState.ANSWERED:
        raise NotAllowed(
            "target_is_over", "Phản ánh mang mã này đã kết thúc, không còn kết quả nào để chờ. Anh/Chị mở lại rồi ghép."
        )
    return into


def _return_draft(desk: Desk) -> None:
    desk.session.execute(
        sa.update(Message)
        .where(Message.ticket_id == desk.ticket.id, Message.template == "result_draft")
        .values(template="result_returned")
    )


def assign(
    runtime: Runtime,
    official: Official,
    ticket_id: int,
    *,
    version: int,
    agency_id: int,
    official_id: int | None,
    tell_citizen: bool = False,
) -> None:
    """Give the ticket to an agency, or to one of its officials: exactly one owner at any time."""
    with at_desk(runtime, official, ticket_id, version) as desk:
        is_own = official_id == official.id and agency_id == official.agency_id
        if not may_direct(official) and not is_own:
            raise NotAllowed("not_yours", "Tài khoản của Anh/Chị chỉ được nhận việc về mình.")
        _must_not_be_spam(desk)
        agency = _give_to(desk, agency_id)
        person = _colleague(desk, official_id, agency)
        desk.ticket.official_id = person.id if person else None
        desk.ticket.snoozed_until = None  # whoever has it now must see it
        desk.event(EventKind.ASSIGNED, {"agency": agency.name, "official": person.name if person else None})
        if desk.ticket.state is TicketState.RECEIVED and not is_own:
            desk.move(TicketState.ASSIGNED, {"agency": agency.name})
        if tell_citizen:
            who = {
                "donvi": agency.name,
                "nguoi": (person.name if person else None) or agency.contact_name or "",
                "dt": agency.phone or "",
            }
            due = desk.ticket.due_at
            text = desk.say("routed", han=desk.voice.moment(due) if due else "", **who)
            desk.owe(desk.write(text.words, template=text.key))
            tell_joined(desk, "routed", {**who, "han": lambda voice: voice.moment(due) if due else ""})
    runtime.nudge(REPLIES)


def _give_to(desk: Desk, agency_id: int) -> Agency:
    agency = desk.session.scalar(
        sa.select(Agency).where(
            Agency.id == agency_id, Agency.commune_id == desk.ticket.commune_id, Agency.is_active.is_(True)
        )
    )
    if agency is None:
        raise NotAllowed("no_such_agency", "Không có đơn vị này trong danh sách của địa phương.")
    must_not_be_accused(desk.ticket, agency)
    if desk.ticket.agency_id != agency.id:
        desk.ticket.official_id = None
    desk.ticket.agency_id = agency.id
    return agency


def _colleague(desk: Desk, official_id: int | None, agency: Agency) -> Official | None:
    if official_id is None:
        return None
    person = desk.session.scalar(
        sa.select(Official).where(
            Official.id == official_id, Official.commune_id == desk.ticket.commune_id, Official.is_active.is_(True)
        )
    )
    if person is None:
        raise NotAllowed("no_such_official", "Không có cán bộ này ở địa phương.")
    if person.agency_id not in (None, agency.id):
        raise NotAllowed(
            "other_agency", "%(person)s không thuộc %(agency)s. Anh/Chị vui lòng chọn lại.", person=person.name,
            agency=agency.name,
        )  # fmt: skip
    if desk.ticket.is_sealed and not reads_sealed(person, desk.ticket):
        raise NotAllowed("sealed", "Phản ánh đang niêm phong chỉ giao được cho người được giao mật.")
    return person


def set_topic(runtime: Runtime, official: Official, ticket_id: int, *, version: int, topic: str) -> None:
    """Confirm or correct the topic; routing and deadline follow it."""
    known = TOPICS.get(topic)
    if known is None:
        raise NotAllowed("no_such_topic", "Không có lĩnh vực này. Anh/Chị vui lòng chọn trong danh sách.")
    with at_desk(runtime, official, ticket_id, version) as desk:
        must_direct(desk)
        ticket, before = desk.ticket, desk.ticket.topic
        if before != topic or not ticket.topic_is_confirmed:
            record(desk, CorrectionKind.TOPIC, before, topic)
        ticket.topic, ticket.topic_is_confirmed, ticket.is_restricted = topic, True, known.restricted
        if before != topic and not ticket.is_sealed:
            follow_topic(desk)
        ticket.compare_at = desk.now
        desk.event(EventKind.TOPIC_CHANGED, {"from": before, "to": topic})


def follow_topic(desk: Desk) -> None:
    """Routing, while nobody works on it yet and no person chose the agency, and deadline follow the topic."""
    ticket = desk.ticket
    is_free = ticket.official_id is None and ticket.state in {TicketState.NEW, TicketState.RECEIVED}
    if is_free and not _agency_was_chosen(desk):
        ticket.agency_id = route_of(ticket, 1.0, desk.book.table).agency_id
    set_deadline(desk)


def set_deadline(desk: Desk) -> None:
    """The deadlines follow topic and urgency; of an incident, the earliest of those who reported it stays."""
    set_deadlines(desk.ticket, desk.book)
    keep_earliest(desk.ticket, joined_to(desk.session, desk.ticket.id), desk.book)


def _agency_was_chosen(desk: Desk) -> bool:
    """Whether a person gave it to the agency that has it; sealing takes it away, and an agency may give it back."""
    query = (
        sa.select(TicketEvent)
        .where(
            TicketEvent.ticket_id == desk.ticket.id,
            TicketEvent.kind.in_([EventKind.ASSIGNED, EventKind.SEALED, EventKind.STATE_CHANGED]),
        )
        .order_by(TicketEvent.id.desc())
    )
    for event in desk.session.scalars(query):
        if event.kind is EventKind.STATE_CHANGED and event.data.get("from") != TicketState.ASSIGNED.value:
            continue
        return event.kind is EventKind.ASSIGNED
    return False


def set_place(
    runtime: Runtime, official: Official, ticket_id: int, *, version: int, place_id: int | None, words: str
) -> None:
    """Say where it is: a place of the commune's list, words, or both."""
    words = " ".join(words.split())[:300]
    with at_desk(runtime, official, ticket_id, version) as desk:
        must_direct(desk)
        place = None
        if place_id is not None:
            place = desk.session.scalar(
                sa.select(Place).where(Place.id == place_id, Place.commune_id == desk.ticket.commune_id)
            )
            if place is None:
                raise NotAllowed("no_such_place", "Không có địa điểm này trong danh sách của địa phương.")
        if place is None and not words:
            raise NotAllowed("no_place", "Cần chọn địa điểm hoặc ghi bằng lời.")
        before = desk.ticket.place_text
        known = place_code(desk.ticket.place_id, before)
        record(desk, CorrectionKind.PLACE, known, place_code(place_id, words))
        desk.ticket.place_id = place.id if place else None
        desk.ticket.place_text = words or (_in_full(place) if place else None)
        desk.ticket.compare_at = desk.now
        desk.event(EventKind.PLACE_CHANGED, {"from": before, "to": desk.ticket.place_text})


def _in_full(place: Place) -> str:
    return " – ".join(filter(None, (place.name, place.parent)))[:300]


def add_note(runtime: Runtime, official: Official, ticket_id: int, *, version: int, text: str) -> None:
    """Write something for colleagues; the citizen never sees it."""
    text = text.replace("\r\n", "\n").replace("\0", "").strip()
    if not text:
        raise NotAllowed("empty", "Ghi chú đang trống.")
    if len(text) > LONGEST_NOTE:
        raise NotAllowed("too_long", "Ghi chú dài hơn %(most)s ký tự. Anh/Chị vui lòng rút ngắn.", most=LONGEST_NOTE)
    with at_desk(runtime, official, ticket_id, version) as desk:
        desk.event(EventKind.NOTED, words=text)
        drafts.forget(desk.session, official, ticket_id, DraftKind.NOTE)


def unseal(runtime: Runtime, official: Official, ticket_id: int, *, version: int, reason: str) -> None:
    """A leader, or whom they trust with what is sealed, decides that this is no denunciation: the desk sees it now."""
    reason = _reason(reason)
    with at_desk(runtime, official, ticket_id, version) as desk:
        ticket = desk.ticket
        if not may_unseal(official, ticket):
            raise NotAllowed("not_yours", "Chỉ người được giao mật mở được niêm phong một phản ánh đang niêm phong.")
        record(desk, CorrectionKind.SEAL, SEALED, OPEN)
        ticket.is_sealed, ticket.accused_agency_id = False, None
        ticket.proposed_agencies, ticket.accusation_decided_at = "", None
        _mark_messages(desk, is_sealed=False)
        follow_topic(desk)
        ticket.compare_at = desk.now
        desk.event(EventKind.UNSEALED, words=reason)
        audit(desk.session, official, "ticket.unsealed", f"ticket:{ticket_id}", desk.now)
    runtime.nudge(MEDIA)


def seal(runtime: Runtime, official: Official, ticket_id: int, *, version: int, reason: str) -> None:
    """Close a ticket to all but the leader and whom they trust: whoever is unsure seals."""
    reason = _reason(reason)
    with at_desk(runtime, official, ticket_id, version) as desk:
        must_direct(desk)
        ticket = desk.ticket
        if ticket.is_sealed:
            raise NotAllowed("sealed_already", "Phản ánh này đã niêm phong.")
        _must_not_be_spam(desk)
        record(desk, CorrectionKind.SEAL, OPEN, SEALED)
        let_go(desk.session, ticket, desk.book, desk.now, official.id)
        said = sa.select(Message.text).where(Message.ticket_id == ticket.id, Message.direction == Direction.IN)
        texts = list(desk.session.scalars(said))
        ticket.is_sealed, ticket.snoozed_until = True, None
        ticket.agency_id = desk.book.agencies.get("lanh-dao", ticket.agency_id)
        ticket.official_id = None
        plan(ticket, calendar_of(desk.book))
        _mark_messages(desk, is_sealed=True)
        propose(desk.session, ticket, desk.book, texts, desk.now, is_denunciation=False)
        desk.event(EventKind.SEALED, words=reason)
        audit(desk.session, official, "ticket.sealed", f"ticket:{ticket_id}", desk.now)
    runtime.nudge(MEDIA)


def _mark_messages(desk: Desk, *, is_sealed: bool) -> None:
    """One by one: the session locks or opens each, with all that hangs on it."""
    for message in desk.session.scalars(sa.select(Message).where(Message.ticket_id == desk.ticket.id)):
        message.is_sealed = is_sealed
    desk.session.flush()


def resend(runtime: Runtime, official: Official, delivery_id: int, *, pays: bool = False) -> int:
    """A person decides to send a failed or unclear delivery again, for money if they agree; gives the ticket's id."""
    with runtime.database.transaction() as session:
        delivery, ticket = delivery_for(session, official, delivery_id)
        if not may_reply(official, ticket):
            raise Forbidden
        audit(
            session,
            official,
            "delivery.resent_for_money" if pays else "delivery.resent",
            f"delivery:{delivery_id}",
            runtime.now(),
            was=delivery.state.value,
            code=delivery.code,
        )
    deliveries.resend(runtime, official.id, delivery, pays=pays)
    return ticket.id


def must_direct(desk: Desk) -> None:
    """Refuse who does not classify and dispatch."""
    if not may_direct(desk.official):
        raise NotAllowed("not_yours", "Tài khoản của Anh/Chị không được phép thực hiện bước này.")


def _must_not_be_spam(desk: Desk) -> None:
    if desk.ticket.is_spam:
        raise NotAllowed("is_spam", "Phản ánh đang trong tin rác. Anh/Chị khôi phục trước rồi làm tiếp.")


def _reason(words: str) -> str:
    words = " ".join(words.split())
    if not SHORTEST_REASON <= len(words) <= LONGEST_REASON:
        raise NotAllowed(
            "needs_reason", "Cần nêu lý do từ %(least)s đến %(most)s ký tự.", least=SHORTEST_REASON, most=LONGEST_REASON
        )
    return words
