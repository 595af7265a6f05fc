"""Neighbours: a report handed to another commune served here becomes a ticket there, and its answer comes back.

The row of the transfer is the promise: what it says and its digest make the same link and the same message each time,
so a crash in between opens nothing twice. Nothing of the one commune's talk is seen by the other.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.web_form import LONGEST_TEXT, visitor_of
from bot.papers.transfer_slip import Slip
from bot.runtime import Runtime
from bot.usecases.counter import counter_page
from bot.usecases.papers import shown_photos, slip_of
from bot.usecases.photos import clean
from bot.usecases.transfer_progress import Line, has_taken_it, keep
from bot.usecases.web_form import MOST_FILES, FormProblem, Page, SentFile, Written, write
from storage.blobs import take_hold
from storage.communes import Commune
from storage.contacts import Conversation, Urn
from storage.deliveries import Delivery
from storage.enums import EventKind, TicketState, TransferLineKind, TransferState
from storage.messages import InboundEvent, Message
from storage.papers import Paper, Transfer
from storage.tickets import Ticket, TicketEvent
from storage.undo import is_not_final

log = structlog.get_logger()

_AT_ONCE = 20
_AWAITED = (TransferState.SENT, TransferState.ACKNOWLEDGED)
_LAST_WORDS = {TicketState.ANSWERED: "result", TicketState.CLOSED: "result", TicketState.DECLINED: "refused"}


def carry(runtime: Runtime) -> int:
    """Open what was handed to communes served here, and bring back what they did; gives how many were moved on."""
    with runtime.database.reading() as session:
        waiting = list(session.execute(_unopened().limit(_AT_ONCE)).tuples())
        moved = list(session.scalars(_moved_there(runtime.now()).limit(_AT_ONCE)))
    return sum(_open_there(runtime, *one) for one in waiting) + sum(_bring_back(runtime, number) for number in moved)


def _unopened() -> sa.Select[tuple[Transfer, Paper, Commune]]:
    return (
        sa.select(Transfer, Paper, Commune)
        .join(Paper, Paper.id == Transfer.paper_id)
        .join(Commune, Commune.id == Transfer.to_commune_id)
        .join(Ticket, Ticket.id == Transfer.ticket_id)
        .where(Transfer.to_ticket_id.is_(None), Transfer.state.in_(_AWAITED), Ticket.is_sealed.is_(False))
        .order_by(Transfer.id)
    )


def _open_there(runtime: Runtime, transfer: Transfer, paper: Paper, commune: Commune) -> bool:
    slip = slip_of(paper)
    if slip is None:  # the citizen withdrew in the meantime
        return False
    try:
        page = counter_page(runtime, commune)
    except FormProblem:
        log.exception("transfer.no_page_there", transfer_id=transfer.id)
        return False
    link = runtime.digest("transfer-there", str(transfer.id))[:40]
    address = f"web:{visitor_of(link)}"
    with runtime.database.reading() as session:
        ticket_id = session.scalar(_ticket_at(page, address))
        is_written = session.scalar(_event_at(page, address)) is not None
    if ticket_id is not None:
        _link_both(runtime, transfer, slip, ticket_id)
        return True
    if is_written:
        return False  # it is being read
    try:
        write(runtime, page, link, _said(runtime, transfer, paper, slip), address=f"transfer:{transfer.id}")
    except FormProblem:
        log.exception("transfer.not_opened", transfer_id=transfer.id)
        return False
    return True


def _said(runtime: Runtime, transfer: Transfer, paper: Paper, slip: Slip) -> Written:
    """The citizen's own words as the paper has them, with the place: what is added to them would mislead the reader."""
    words = "\n".join(text for _, text in slip.said) or slip.summary
    if slip.place and slip.place not in words:
        words = f"{words}\nỞ {slip.place}"
    photos = [clean(runtime.blobs.read(blob) or b"") for _, blob in shown_photos(runtime, paper, slip)]
    files = [SentFile(f"anh-{n}.jpg", photo) for n, photo in enumerate(photos, start=1) if photo][:MOST_FILES]
    latitude, _, longitude = slip.pin.partition(", ")
    pin = (float(latitude), float(longitude)) if slip.pin else None
    return Written(f"transfer-{transfer.id}", words[:LONGEST_TEXT], files, pin)


def _ticket_at(page: Page, address: str) -> sa.Select[tuple[int]]:
    return (
        sa.select(Ticket.id)
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .join(Urn, Urn.id == Conversation.urn_id)
        .where(Urn.channel_id == page.channel.id, Urn.value == address)
        .order_by(Ticket.id)
        .limit(1)
    )


def _event_at(page: Page, address: str) -> sa.Select[tuple[int]]:
    here = (InboundEvent.channel_id == page.channel.id, InboundEvent.conversation_key == address)
    return sa.select(InboundEvent.id).where(*here).limit(1)


def _link_both(runtime: Runtime, transfer: Transfer, slip: Slip, ticket_id: int) -> None:
    now = runtime.now()
    with runtime.database.transaction() as session:
        row = _held(session, transfer.id)
        if row is None or row.to_ticket_id is not None:
            return
        row.to_ticket_id = ticket_id
        there = session.get_one(Ticket, ticket_id)
        origin = (
            f"Do {slip.sender} chuyển đến theo phiếu chuyển số {slip.letterhead.number}, mã {slip.code}. "
            f"Kết quả tự gửi về nơi chuyển, đề nghị trước {slip.expected:%d/%m/%Y}."
        )
        session.add(
            TicketEvent(
                commune_id=there.commune_id,
                ticket_id=there.id,
                kind=EventKind.NOTED,
                at=now,
                data={"handed_from": slip.letterhead.number},
                note="\n".join(filter(None, (origin, *slip.reporter, slip.request))),
            )
        )
    log.info("transfer.opened_there", transfer_id=transfer.id, ticket_id=ticket_id)


def _moved_there(now: datetime) -> sa.Select[tuple[int]]:
    is_taken_up = sa.and_(Transfer.state == TransferState.SENT, Ticket.accepted_at.is_not(None))
    said = sa.exists().where(Message.ticket_id == Ticket.id, Message.template.in_(set(_LAST_WORDS.values())))
    is_over = sa.and_(Ticket.state.in_(list(_LAST_WORDS)), Ticket.is_sealed.is_(False), said)
    return (
        sa.select(Transfer.id)
        .join(Ticket, Ticket.id == Transfer.to_ticket_id)
        .where(Transfer.state.in_(_AWAITED), sa.or_(is_taken_up, is_over), ~is_not_final(Ticket.id, now))
        .order_by(Transfer.id)
    )


def _bring_back(runtime: Runtime, transfer_id: int) -> bool:
    """What the other commune did is said here as if by its link: that it has it, and its answer, for us to pass on."""
    now = runtime.now()
    with runtime.database.transaction() as session:
        transfer = _held(session, transfer_id)
        if transfer is None or not transfer.state.is_open or transfer.to_ticket_id is None:
            return False
        # Asked again: since the list was made somebody there may have done what they can still take back.
        its_id = transfer.to_ticket_id
        there = session.scalar(sa.select(Ticket).where(Ticket.id == its_id, ~is_not_final(Ticket.id, now)))
        if there is None:
            return False
        if transfer.state is TransferState.SENT and there.accepted_at is not None:
            has_taken_it(session, transfer, now, None)
        message = _answer(session, there)
        if message is not None:
            photo = session.scalar(
                sa.select(Delivery.image_blob).where(
                    Delivery.message_id == message.id, Delivery.image_blob.is_not(None)
                ).limit(1)
            )  # fmt: skip
            blob = photo if photo is not None and take_hold(session, photo) else None
            line = Line(TransferLineKind.ANSWER, message.text, f"there-{message.id}", there.code)
            keep(session, transfer, line, blob, now, None)
    return True


def _answer(session: Session, there: Ticket) -> Message | None:
    template = _LAST_WORDS.get(there.state)
    if template is None or there.is_sealed:
        return None
    query = sa.select(Message).where(Message.ticket_id == there.id, Message.template == template)
    return session.scalar(query.order_by(Message.id.desc()).limit(1))


def _held(session: Session, transfer_id: int) -> Transfer | None:
    """The transfer, its ticket locked."""
    ticket_id = session.scalar(sa.select(Transfer.ticket_id).where(Transfer.id == transfer_id))
    session.execute(sa.select(Ticket.id).where(Ticket.id == ticket_id).with_for_update())
    return session.scalar(sa.select(Transfer).where(Transfer.id == transfer_id))
