"""Confirming: what the machine proposes of a report (subject, place, agency) is right, said in one deed."""

from __future__ import annotations

from bot.access import may_direct
from bot.rules.lifecycle import NotAllowed
from bot.rules.routing import TRIAGE
from bot.runtime import Runtime
from bot.usecases.accusing import must_not_be_accused
from bot.usecases.corrections import place_code, record
from bot.usecases.desk import Desk, at_desk
from bot.usecases.tickets import must_direct
from nlp.topics import TOPICS
from storage.enums import CorrectionKind, EventKind, TicketState
from storage.officials import Official
from storage.tickets import Ticket

_EARLY = frozenset({TicketState.NEW, TicketState.RECEIVED})


def may_confirm(official: Official, ticket: Ticket) -> bool:
    """Whether there is a proposal that this official may agree with: nobody has sorted the report yet."""
    return (
        may_direct(official)
        and ticket.topic is not None
        and not (ticket.is_sealed or ticket.is_spam)
        and ticket.state in _EARLY
        and not (ticket.topic_is_confirmed and ticket.state is TicketState.RECEIVED)
    )


def confirm(runtime: Runtime, official: Official, ticket_id: int, *, version: int) -> tuple[str, TicketState]:
    """Agree with subject, place and agency as they are proposed: the report is taken in and its agency has it.

    Without an agency of its own (the machine was unsure of it) the report stays with the desk. Gives the report's code
    and the state it has then. Raises NotAllowed, Changed.
    """
    with at_desk(runtime, official, ticket_id, version) as desk:
        must_direct(desk)
        ticket = desk.ticket
        if ticket.topic is None:
            raise NotAllowed("no_topic", "Chưa có lĩnh vực để xác nhận. Anh/Chị vui lòng chọn lĩnh vực.")
        if not may_confirm(official, ticket):
            raise NotAllowed("sorted_already", "Phản ánh này đã được phân loại. Anh/Chị vui lòng tải lại trang.")
        record(desk, CorrectionKind.TOPIC, ticket.topic, ticket.topic)
        ticket.topic_is_confirmed, ticket.is_restricted = True, TOPICS[ticket.topic].restricted
        desk.event(EventKind.TOPIC_CHANGED, {"from": ticket.topic, "to": ticket.topic})
        place = place_code(ticket.place_id, ticket.place_text)
        if place is not None:
            record(desk, CorrectionKind.PLACE, place, place)
        ticket.compare_at = desk.now
        if ticket.state is TicketState.NEW:
            desk.move(TicketState.RECEIVED)
        _give_to_agency(desk)
        return ticket.code, ticket.state


def _give_to_agency(desk: Desk) -> None:
    agency = desk.agency
    if agency is None or agency.slug == TRIAGE or not agency.is_active:
        return
    must_not_be_accused(desk.ticket, agency)
    desk.event(EventKind.ASSIGNED, {"agency": agency.name, "official": None})
    desk.move(TicketState.ASSIGNED, {"agency": agency.name})
