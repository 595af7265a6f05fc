"""Taking a bulk run back: each report that nobody has touched since, in a transaction of its own."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import NotFound, ticket_for
from bot.queue import INBOX, REPLIES
from bot.rules.lifecycle import NotAllowed
from bot.runtime import Runtime
from bot.usecases import clocks, incidents
from bot.usecases.bulk import why
from bot.usecases.bulk_facts import set_back
from bot.usecases.bulk_page import run_of
from bot.usecases.communes import commune_book
from bot.usecases.desk import Desk
from storage.bulk import BulkItem, BulkRun
from storage.corrections import Correction
from storage.database import advisory_lock
from storage.deliveries import Delivery
from storage.enums import BulkDeed, DeliveryState, EventKind, ItemState, TicketState
from storage.incidents import standing_joining
from storage.messages import Message
from storage.officials import Official
from storage.tickets import Ticket
from storage.undo import UNDONE

REASON = "Cán bộ đã hoàn tác trước khi gửi."


def undo(runtime: Runtime, official: Official, run_id: int) -> None:
    """Take back what was done. NotAllowed when its time is over; each item says what became of it."""
    with runtime.database.transaction() as session:
        run_of(session, official, run_id)
        run = session.get_one(BulkRun, run_id, with_for_update=True, populate_existing=True)
        if run.undone_at is None and (run.until is None or run.until <= runtime.now()):
            raise NotAllowed("left", "Đã hết thời gian hoàn tác. Anh/Chị mở từng phản ánh nếu cần sửa.")
        run.undone_at = run.undone_at or runtime.now()
        done = sa.select(BulkItem.id).where(BulkItem.run_id == run_id, BulkItem.state == ItemState.DONE)
        numbers = list(session.scalars(done.order_by(BulkItem.position.desc())))
    for number in numbers:
        _undo_one(runtime, official, run, number)
    runtime.nudge(REPLIES)
    runtime.nudge(INBOX)


def _undo_one(runtime: Runtime, official: Official, run: BulkRun, item_id: int) -> None:
    with runtime.database.transaction() as session:
        if run.deed is BulkDeed.JOIN:
            advisory_lock(session, f"incidents:{run.commune_id}")
        item = session.get_one(BulkItem, item_id, with_for_update=True)
        if item.state is not ItemState.DONE:
            return
        try:
            if item.version_after is not None:  # the report that led a joining was not changed by itself
                _take_back(
                    Desk(runtime, session, official, _untouched(session, official, item), runtime.now()), run, item
                )
            item.state = ItemState.UNDONE
        except (NotAllowed, NotFound) as refusal:
            item.state, item.why = ItemState.KEPT, why(refusal)


def _untouched(session: Session, official: Official, item: BulkItem) -> Ticket:
    ticket = ticket_for(session, official, item.ticket_id, locked=True)
    if ticket.version != item.version_after:
        raise NotAllowed("touched", "Đã có người xử lý tiếp hoặc người dân vừa nhắn nên giữ nguyên.")
    return ticket


def _take_back(desk: Desk, run: BulkRun, item: BulkItem) -> None:
    owed = _owed(desk.session, item)
    if run.deed is BulkDeed.JOIN:
        _part(desk)
    else:
        _set_back(desk, item)
    _call_off(desk.session, item, owed)


def _owed(session: Session, item: BulkItem) -> list[Delivery]:
    """What was told and has not left; NotAllowed when some of it has."""
    query = sa.select(Delivery).where(Delivery.id.in_(item.made.get("deliveries", ()))).order_by(Delivery.id)
    owed = list(session.scalars(query.with_for_update()))
    if any(one.state is not DeliveryState.WAITING or one.tries for one in owed):
        raise NotAllowed("sent", "Tin báo cho người dân đã gửi nên giữ nguyên; Anh/Chị mở phản ánh để tách ra nếu cần.")
    return owed


def _part(desk: Desk) -> None:
    session, ticket = desk.session, desk.ticket
    lead = session.get(Ticket, ticket.merged_into_id, with_for_update=True) if ticket.merged_into_id else None
    joining = standing_joining(session, ticket.id)
    if lead is None or joining is None or ticket.state is not TicketState.MERGED or not lead.is_open:
        raise NotAllowed("moved_on", "Vụ việc đã được xử lý tiếp nên giữ nguyên.")
    incidents.detach(session, ticket, lead, joining, desk.book, desk.now, official_id=desk.official.id)


def _set_back(desk: Desk, item: BulkItem) -> None:
    session, ticket = desk.session, desk.ticket
    was = ticket.state
    ticket.version += 1
    set_back(ticket, item.before)
    clocks.plan(ticket, clocks.calendar_of(commune_book(session, ticket.commune_id)))
    ticket.compare_at = desk.now
    moved = {"from": was.value, "to": ticket.state.value} if ticket.state is not was else {}
    desk.event(EventKind.UNDONE, {"deed": item.version_after, "what": "bulk", **moved})
    session.execute(sa.delete(Correction).where(Correction.id.in_(item.made.get("corrections", ()))))
    session.execute(
        sa.update(Delivery)
        .where(
            Delivery.id.in_(item.made.get("called_off", ())),
            Delivery.state == DeliveryState.CANCELLED,
        )
        .values(state=DeliveryState.WAITING, code=None, reason=None)
    )


def _call_off(session: Session, item: BulkItem, owed: list[Delivery]) -> None:
    for delivery in owed:
        delivery.state, delivery.code, delivery.reason = DeliveryState.CANCELLED, UNDONE, REASON
        delivery.key = f"undone-bulk:{item.id}:{delivery.id}"
        delivery.text, delivery.template, delivery.choices = "", None, None
    made = sa.select(Message).where(Message.id.in_(item.made.get("messages", ())))
    for message in session.scalars(made):
        message.template, message.text, message.text_folded = UNDONE, "", ""
        message.filled = message.external_id = None
