"""How far a transfer is: that the body has it, what it asks, its answer, taking it back; and a reminder in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.access import NotFound, audit, ticket_for
from bot.rules.deadlines import VIETNAM
from bot.rules.lifecycle import SHORTEST_REASON, NotAllowed
from bot.runtime import Runtime
from bot.usecases import sealed_files
from bot.usecases.photos import fit
from bot.usecases.pictures import give_up, keep_picture
from bot.usecases.transfers import at_transfer
from bot.usecases.waking import wake
from storage.alerts import Alert, raise_alert
from storage.enums import AlertKind, EventKind, TransferLineKind, TransferState
from storage.officials import Official
from storage.papers import Transfer, TransferLine
from storage.tickets import Ticket, TicketEvent

log = structlog.get_logger()

LONGEST_LINE = 4_000
IMAGE_LIMIT = 2_000_000
_AT_ONCE = 100
_EVENTS = {
    TransferLineKind.QUESTION: EventKind.TRANSFER_ASKED,
    TransferLineKind.TOLD: EventKind.TRANSFER_TOLD,
    TransferLineKind.ANSWER: EventKind.TRANSFER_ANSWERED,
}


@dataclass(frozen=True)
class Line:
    """What is said about a transfer, by whom of the body, with a photo; `once`: made with the form."""

    kind: TransferLineKind
    text: str
    once: str
    author: str = ""
    image: bytes | None = None


# ---- what officials write down --------------------------------------------------------------------------------------


def acknowledge(runtime: Runtime, official: Official, ticket_id: int, transfer_id: int, *, version: int) -> None:
    """The body said on the telephone or on paper that it has it."""
    with at_transfer(runtime, official, ticket_id, transfer_id, version) as (desk, transfer):
        if transfer.state is not TransferState.SENT:
            raise NotAllowed("not_waiting", "Cơ quan này đã tiếp nhận, đã trả lời hoặc lần chuyển đã thu hồi.")
        has_taken_it(desk.session, transfer, desk.now, official.id)


def write_down(
    runtime: Runtime, official: Official, ticket_id: int, transfer_id: int, *, version: int, line: Line
) -> None:
    """Our word to the body, or its answer that came on paper or by telephone. NotAllowed says what is missing."""
    picture = checked(line)
    blob = keep_picture(runtime, picture) if picture is not None else None
    is_kept = False
    try:
        with at_transfer(runtime, official, ticket_id, transfer_id, version) as (desk, transfer):
            if transfer.state is TransferState.RECALLED:
                raise NotAllowed("recalled", "Lần chuyển này đã thu hồi.")
            is_kept = keep(desk.session, transfer, line, blob, desk.now, official.id)
    finally:
        if not is_kept:
            give_up(runtime, blob)


def recall(
    runtime: Runtime, official: Official, ticket_id: int, transfer_id: int, *, version: int, reason: str
) -> None:
    """It went to the wrong body, or is not needed any more: its link closes, nothing is expected of it."""
    reason = " ".join(reason.split())
    if len(reason) < SHORTEST_REASON:
        raise NotAllowed("needs_reason", "Cần nêu lý do thu hồi, ít nhất %(least)s ký tự.", least=SHORTEST_REASON)
    with at_transfer(runtime, official, ticket_id, transfer_id, version) as (desk, transfer):
        if not transfer.state.is_open:
            raise NotAllowed("not_waiting", "Cơ quan này đã trả lời hoặc lần chuyển đã thu hồi.")
        transfer.state, transfer.recalled_at, transfer.remind_at = TransferState.RECALLED, desk.now, None
        transfer.link_digest = transfer.link_expires_at = None
        _hush(desk.session, transfer, desk.now)
        desk.event(EventKind.TRANSFER_RECALLED, {"transfer": transfer.id, "body": transfer.body}, reason)


def photo_of(runtime: Runtime, official: Official, ticket_id: int, line_id: int, address: str = "") -> bytes:
    """The photo with a line about a transfer, for officials who see the ticket; a look at a sealed one is written down.

    NotFound, KeyLost.
    """
    with runtime.database.transaction() as session:
        ticket = ticket_for(session, official, ticket_id)
        blob = session.scalar(
            sa.select(TransferLine.image_blob)
            .join(Transfer, Transfer.id == TransferLine.transfer_id)
            .where(TransferLine.id == line_id, Transfer.ticket_id == ticket.id)
        )
        if blob is not None and ticket.is_sealed:
            target = f"transfer_line:{line_id}"
            audit(session, official, "file.sealed_viewed", target, runtime.now(), address)
    data = sealed_files.read(runtime, blob) if blob else None
    if data is None:
        raise NotFound
    return data


# ---- what happens to a transfer, whoever says so --------------------------------------------------------------------


def checked(line: Line) -> bytes | None:
    """The photo of a line, made anew and small; NotAllowed when there is nothing in it, or too much."""
    if not line.text.strip():
        raise NotAllowed("empty", "Nội dung đang trống. Anh/Chị vui lòng nhập nội dung.")
    if len(line.text) > LONGEST_LINE:
        raise NotAllowed("too_long", "Nội dung dài hơn %(most)s ký tự. Anh/Chị vui lòng rút ngắn.", most=LONGEST_LINE)
    return fit(line.image, IMAGE_LIMIT) if line.image else None


def has_taken_it(session: Session, transfer: Transfer, now: datetime, official_id: int | None) -> None:
    """The body has it; `official_id`: who wrote that down, None when the body said so itself."""
    transfer.state, transfer.acknowledged_at = TransferState.ACKNOWLEDGED, now
    transfer.acknowledged_by_id = official_id
    _event(session, transfer, EventKind.TRANSFER_ACKNOWLEDGED, now, official_id)


def keep(
    session: Session, transfer: Transfer, line: Line, blob: str | None, now: datetime, official_id: int | None
) -> bool:
    """Keep a line, once for its form, and what follows from it; False when it was kept before."""
    known = sa.select(TransferLine.id).where(TransferLine.transfer_id == transfer.id, TransferLine.once == line.once)
    if session.scalar(known) is not None:
        return False
    row = TransferLine(
        commune_id=transfer.commune_id,
        transfer_id=transfer.id,
        kind=line.kind,
        text=line.text.replace("\r\n", "\n").replace("\0", "").strip(),
        author=" ".join(line.author.replace("\0", "").split())[:120],
        image_blob=blob,
        at=now,
        official_id=official_id,
        once=line.once,
    )
    session.add(row)
    session.flush()
    if line.kind is TransferLineKind.ANSWER:
        if transfer.state is TransferState.SENT:
            has_taken_it(session, transfer, now, official_id)
        transfer.state, transfer.remind_at = TransferState.ANSWERED, None
        transfer.answered_at = transfer.answered_at or now
        _hush(session, transfer, now)
    _event(session, transfer, _EVENTS[line.kind], now, official_id)
    if official_id is None:
        _call(session, transfer, now, line.kind.value, f"line:{row.id}")
    return True


def remind_due(runtime: Runtime) -> int:
    """Call the desk for every body whose answer is nearly due, once; gives how many."""
    now = runtime.now()
    due = (Transfer.remind_at.is_not(None), Transfer.remind_at <= now)
    with runtime.database.reading() as session:
        if session.scalar(sa.select(Transfer.id).where(*due).limit(1)) is None:
            return 0
    with runtime.database.transaction() as session:
        # Whoever changes a transfer holds its ticket; one that somebody works on is reminded of next time.
        held = sa.select(Ticket.id).where(Ticket.id.in_(sa.select(Transfer.ticket_id).where(*due).limit(_AT_ONCE)))
        tickets = list(session.scalars(held.with_for_update(skip_locked=True)))
        found = list(session.scalars(sa.select(Transfer).where(*due, Transfer.ticket_id.in_(tickets))))
        for transfer in found:
            transfer.remind_at = None
            _call(session, transfer, now, "due", "due")
    return len(found)


def _event(session: Session, transfer: Transfer, kind: EventKind, now: datetime, official_id: int | None) -> None:
    session.add(
        TicketEvent(
            commune_id=transfer.commune_id,
            ticket_id=transfer.ticket_id,
            kind=kind,
            at=now,
            official_id=official_id,
            data={"transfer": transfer.id, "body": transfer.body},
        )
    )


def _call(session: Session, transfer: Transfer, now: datetime, what: str, key: str) -> None:
    wake(session, session.get_one(Ticket, transfer.ticket_id), now, "body")
    raise_alert(
        session,
        transfer.commune_id,
        AlertKind.TRANSFER,
        f"transfer:{transfer.id}:{key}",
        now,
        ticket_id=transfer.ticket_id,
        audience="desk",
        what=what,
        body=transfer.body,
        due=datetime.combine(transfer.expected_on, time(17), VIETNAM).isoformat(),
    )
    log.info("transfer.called", transfer_id=transfer.id, what=what)


def _hush(session: Session, transfer: Transfer, now: datetime) -> None:
    """What the desk was reminded of has come, or is not awaited any more."""
    session.execute(
        sa.update(Alert).where(Alert.key == f"transfer:{transfer.id}:due", Alert.seen_at.is_(None)).values(seen_at=now)
    )
