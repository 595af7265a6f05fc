"""Tickets: what officials do with them, one function per wish; each leaves an event and a new version."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from bot import texts
from bot.access import (
    Forbidden,
    audit,
    delivery_for,
    may_direct,
    may_reply,
    may_reveal,
    may_unseal,
    roles_on,
    ticket_for,
)
from bot.queue import REPLIES
from bot.rules.deadlines import due_at
from bot.rules.lifecycle import SHORTEST_REASON, WITH_REPLY, Given, NotAllowed, check
from bot.rules.routing import route
from bot.runtime import Runtime
from bot.usecases import deliveries
from bot.usecases.corrections import OPEN, SEALED, place_code, record
from bot.usecases.desk import Desk, at_desk
from nlp.topics import TOPICS
from storage.agencies import Agency
from storage.communes import Place
from storage.enums import CorrectionKind, EventKind, Role, TicketState, Urgency
from storage.messages import Message
from storage.officials import Official
from storage.tickets import Ticket, TicketEvent

LONGEST_NOTE = 5_000
LONGEST_REASON = 2_000


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
        _must_not_be_spam(desk)
        check(desk.ticket.state, target, roles_on(official, desk.ticket), given)
        words = " ".join(given.words.split())
        data: dict[str, Any] = {}
        if target is TicketState.ASSIGNED and given.agency_id is not None:
            data["agency"] = _give_to(desk, given.agency_id).name
        if target is TicketState.FORWARDED and given.by_date is not None:
            data |= {"body": given.body.strip()[:200], "by_date": given.by_date.isoformat()}
        if target is TicketState.MERGED:
            data["into"] = _merge(desk, given.target_code).code
        if desk.ticket.state is TicketState.WAITING_APPROVAL:
            _return_draft(desk)
        desk.move(target, data, words or None)
        text = _told_to_citizen(desk, target, given, words)
        if text is not None:
            desk.owe(desk.write(text.words, template=text.key))
    runtime.nudge(REPLIES)


def _told_to_citizen(desk: Desk, target: TicketState, given: Given, words: str) -> texts.Text | None:
    book, ticket = desk.book, desk.ticket
    if target is TicketState.WAITING_CITIZEN:
        return desk.say("need_more", ma=ticket.code, can=words)
    if target is TicketState.DECLINED:
        return desk.say("refused", ma=ticket.code, lydo=words, noitiep=book.reception)
    if target is TicketState.FORWARDED and given.by_date is not None:
        return desk.say(
            "forwarded",
            ma=ticket.code,
            xa=book.name,
            coquan=given.body.strip()[:200],
            ngay=texts.day(desk.now),
            han=f"{given.by_date:%d/%m/%Y}",
        )
    if target is TicketState.MERGED and ticket.merged_into_id:
        into = desk.session.get_one(Ticket, ticket.merged_into_id)
        agency = book.agency_names.get(into.agency_id or 0, book.name)
        return desk.say("merged", ma=ticket.code, ma0=into.code, donvi=agency)
    if target is TicketState.REOPENED:
        return desk.say("reopened", ma=ticket.code, xa=book.name)
    return None


def _merge(desk: Desk, code: str) -> Ticket:
    ticket = desk.ticket
    into = desk.session.scalar(
        sa.select(Ticket).where(
            Ticket.commune_id == ticket.commune_id,
            Ticket.code == code.strip().upper(),
            Ticket.is_sealed == ticket.is_sealed,
        )
    )
    if into is None or into.id == ticket.id or into.merged_into_id is not None:
        raise NotAllowed("no_such_target", "Không có phản ánh mang mã này để ghép vào. Anh/Chị vui lòng xem lại mã.")
    if into.is_spam:
        raise NotAllowed(
            "target_is_spam", "Phản ánh mang mã này đang trong tin rác. Anh/Chị khôi phục phản ánh đó trước rồi ghép."
        )
    ticket.merged_into_id = into.id
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
        desk.event(EventKind.ASSIGNED, {"agency": agency.name, "official": person.name if person else None})
        if desk.ticket.state is TicketState.RECEIVED and not is_own:
            desk.move(TicketState.ASSIGNED, {"agency": agency.name})
        if tell_citizen:
            text = desk.say(
                "routed",
                ma=desk.ticket.code,
                donvi=agency.name,
                nguoi=(person.name if person else None) or agency.contact_name or "",
                dt=agency.phone or "",
                han=desk.voice.moment(desk.ticket.due_at) if desk.ticket.due_at else "",
            )
            desk.owe(desk.write(text.words, template=text.key))
    runtime.nudge(REPLIES)


def _give_to(desk: Desk, agency_id: int) -> Agency:
    agency = desk.session.scalar(
        sa.select(Agency).where(
            Agency.id == agency_id, Agency.commune_id == desk.ticket.commune_id, Agency.is_active.is_(True)
        )
    )
    if agency is None:
        raise NotAllowed("no_such_agency", "Không có đơn vị này trong danh sách của địa phương.")
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
    if desk.ticket.is_sealed and not person.has(Role.LEADER, Role.SEALED_READER):
        raise NotAllowed("sealed", "Phản ánh đang niêm phong chỉ giao được cho lãnh đạo hoặc người được giao mật.")
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
        desk.event(EventKind.TOPIC_CHANGED, {"from": before, "to": topic})


def follow_topic(desk: Desk) -> None:
    """Routing, while nobody works on it yet and no person chose the agency, and deadline follow the topic."""
    ticket, book, topic = desk.ticket, desk.book, TOPICS[desk.ticket.topic or "khac"]
    is_free = ticket.official_id is None and ticket.state in {TicketState.NEW, TicketState.RECEIVED}
    if is_free and not _agency_was_chosen(desk):
        ticket.agency_id = route(topic.slug, 1.0, ticket.place_id, book.rules, book.agencies, topic.agency).agency_id
    set_deadline(desk)


def set_deadline(desk: Desk) -> None:
    """The deadline follows topic and urgency."""
    ticket, book = desk.ticket, desk.book
    sla = {Urgency.EMERGENCY: "S0", Urgency.URGENT: "S1"}.get(ticket.urgency, TOPICS[ticket.topic or "khac"].sla)
    ticket.due_at = due_at(ticket.opened_at, sla, book.hours, book.holidays)


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


def unseal(runtime: Runtime, official: Official, ticket_id: int, *, version: int, reason: str) -> None:
    """A leader, or whom they trust with what is sealed, decides that this is no denunciation: the desk sees it now."""
    reason = _reason(reason)
    with at_desk(runtime, official, ticket_id, version) as desk:
        ticket = desk.ticket
        if not may_unseal(official, ticket):
            raise NotAllowed(
                "not_yours", "Chỉ lãnh đạo hoặc người được giao mật mở được niêm phong một phản ánh đang niêm phong."
            )
        record(desk, CorrectionKind.SEAL, SEALED, OPEN)
        ticket.is_sealed = False
        desk.session.execute(sa.update(Message).where(Message.ticket_id == ticket_id).values(is_sealed=False))
        follow_topic(desk)
        desk.event(EventKind.UNSEALED, words=reason)
        audit(desk.session, official, "ticket.unsealed", f"ticket:{ticket_id}", desk.now)


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
        ticket.is_sealed = True
        ticket.agency_id = desk.book.agencies.get("lanh-dao", ticket.agency_id)
        ticket.official_id = None
        desk.session.execute(sa.update(Message).where(Message.ticket_id == ticket_id).values(is_sealed=True))
        desk.event(EventKind.SEALED, words=reason)
        audit(desk.session, official, "ticket.sealed", f"ticket:{ticket_id}", desk.now)


def resend(runtime: Runtime, official: Official, delivery_id: int) -> int:
    """A person decides to send a failed or unclear delivery again; gives the ticket's id."""
    with runtime.database.transaction() as session:
        delivery, ticket = delivery_for(session, official, delivery_id)
        if not may_reply(official, ticket):
            raise Forbidden
        audit(
            session,
            official,
            "delivery.resent",
            f"delivery:{delivery_id}",
            runtime.now(),
            was=delivery.state.value,
            code=delivery.code,
        )
    deliveries.resend(runtime, official.id, delivery)
    return ticket.id


def reveal(runtime: Runtime, official: Official, ticket_id: int, address: str) -> None:
    """Write down that the official had a citizen's masked numbers shown."""
    with runtime.database.transaction() as session:
        ticket = ticket_for(session, official, ticket_id)
        if not may_reveal(official, ticket):
            raise Forbidden
        audit(session, official, "contact.revealed", f"ticket:{ticket_id}", runtime.now(), address)


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
