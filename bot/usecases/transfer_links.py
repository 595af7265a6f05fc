"""The one-time link of a body without an account: what it shows, and what the body may say by it.

The link is the only key; rows know its digest. It shows what the phiếu chuyển shows and what was said since, nothing
else; a ticket that was sealed, put aside or erased closes it. Addresses that try links out are counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.access import NotFound
from bot.papers.transfer_slip import Slip
from bot.rules.lifecycle import NotAllowed
from bot.runtime import Runtime
from bot.usecases import papers
from bot.usecases.photos import thumbnail
from bot.usecases.pictures import give_up, keep_picture
from bot.usecases.transfer_progress import Line, checked, has_taken_it, keep
from bot.usecases.transfers import link_digest
from storage.communes import Commune, Counter
from storage.enums import TransferState
from storage.intake import next_number
from storage.papers import Paper, Transfer, TransferLine
from storage.tickets import Ticket

log = structlog.get_logger()

WRONG_AN_HOUR, WRITTEN_AN_HOUR = 20, 40
_SCOPE = "transfer-link"


class TooOften(Exception):
    """Somebody at this address tried too many links in an hour."""


@dataclass(frozen=True)
class Opened:
    """What stands behind a link: the transfer, its paper and what that says, whose it is, what was said since."""

    transfer: Transfer
    paper: Paper
    slip: Slip
    commune: Commune
    lines: list[TransferLine]
    photos: int

    @property
    def is_over(self) -> bool:
        """Whether the matter is closed for the body: it has answered."""
        return self.transfer.state is TransferState.ANSWERED


def open_link(runtime: Runtime, token: str, address: str) -> Opened:
    """What a link shows. NotFound for one that opens nothing, TooOften for an address that tries many."""
    transfer, paper, commune = _behind(runtime, token, address)
    slip = papers.slip_of(paper)
    if slip is None:
        raise NotFound
    with runtime.database.reading() as session:
        query = sa.select(TransferLine).where(TransferLine.transfer_id == transfer.id).order_by(TransferLine.id)
        lines = list(session.scalars(query))
    return Opened(transfer, paper, slip, commune, lines, len(papers.shown_photos(runtime, paper, slip)))


def paper_file(runtime: Runtime, token: str, address: str) -> tuple[Paper, bytes]:
    """The phiếu chuyển itself."""
    _, paper, _ = _behind(runtime, token, address)
    return paper, papers.file_of(runtime, paper)


def photo(runtime: Runtime, token: str, address: str, number: int) -> bytes:
    """A photo of the slip, as small as it is there; `number` counts from nought. NotFound when it is gone."""
    _, paper, _ = _behind(runtime, token, address)
    slip = papers.slip_of(paper)
    shown = papers.shown_photos(runtime, paper, slip) if slip is not None else []
    made = thumbnail(runtime.blobs.read(shown[number][1]) or b"") if number < len(shown) else None
    if made is None:
        raise NotFound
    return made


def answer_photo(runtime: Runtime, token: str, address: str, line_id: int) -> bytes:
    """A photo that came with a line, theirs or ours."""
    transfer, _, _ = _behind(runtime, token, address)
    query = sa.select(TransferLine.image_blob).where(
        TransferLine.id == line_id, TransferLine.transfer_id == transfer.id
    )
    with runtime.database.reading() as session:
        blob = session.scalar(query)
    data = runtime.blobs.read(blob) if blob else None
    if data is None:
        raise NotFound
    return data


def accept(runtime: Runtime, token: str, address: str) -> None:
    """The body says that it has it; saying so again changes nothing."""
    with _written(runtime, token, address) as (session, transfer, now):
        if transfer.state is TransferState.SENT:
            has_taken_it(session, transfer, now, None)


def say(runtime: Runtime, token: str, address: str, line: Line) -> None:
    """The body asks or answers; the desk is called, the citizen hears nothing of it yet. NotAllowed."""
    picture = checked(line)
    blob = keep_picture(runtime, picture) if picture is not None else None
    is_kept = False
    try:
        with _written(runtime, token, address) as (session, transfer, now):
            is_kept = keep(session, transfer, line, blob, now, None)
    finally:
        if not is_kept:
            give_up(runtime, blob)


def _behind(runtime: Runtime, token: str, address: str) -> tuple[Transfer, Paper, Commune]:
    now = runtime.now()
    with runtime.database.reading() as session:
        if _count(session, "wrong", address, now) >= WRONG_AN_HOUR:
            raise TooOften
        row = session.execute(_query(runtime, token, now)).first()
    if row is None:
        with runtime.database.transaction() as session:
            next_number(session, _SCOPE, *_counted("wrong", address, now))
        log.info("transfer.link_wrong")
        raise NotFound
    return row[0], row[1], row[2]


def _query(runtime: Runtime, token: str, now: datetime) -> sa.Select[tuple[Transfer, Paper, Commune]]:
    return (
        sa.select(Transfer, Paper, Commune)
        .join(Paper, Paper.id == Transfer.paper_id)
        .join(Ticket, Ticket.id == Transfer.ticket_id)
        .join(Commune, Commune.id == Transfer.commune_id)
        .where(
            Transfer.link_digest == link_digest(runtime, token),
            Transfer.link_expires_at > now,
            Transfer.state != TransferState.RECALLED,
            Ticket.is_sealed.is_(False),
            Ticket.is_spam.is_(False),
        )
    )


@contextmanager
def _written(runtime: Runtime, token: str, address: str) -> Iterator[tuple[Session, Transfer, datetime]]:
    """A transaction in which the body says something, the ticket locked; the link is looked at again inside."""
    ticket_id = _behind(runtime, token, address)[0].ticket_id
    now = runtime.now()
    with runtime.database.transaction() as session:
        if next_number(session, _SCOPE, *_counted("said", address, now)) > WRITTEN_AN_HOUR:
            raise NotAllowed(
                "too_often", "Từ mạng này đã gửi nhiều lần trong một giờ. Anh/Chị vui lòng thử lại sau một giờ."
            )
        # Whoever changes a transfer holds its ticket: officials do, so nobody waits for the other in a ring.
        session.execute(sa.select(Ticket.id).where(Ticket.id == ticket_id).with_for_update())
        row = session.execute(_query(runtime, token, now)).first()
        if row is None:
            raise NotFound
        yield session, row[0], now


def _count(session: Session, what: str, address: str, now: datetime) -> int:
    name, period = _counted(what, address, now)
    return session.scalar(
        sa.select(Counter.value).where(Counter.scope == _SCOPE, Counter.name == name, Counter.period == period)
    ) or 0  # fmt: skip


def _counted(what: str, address: str, now: datetime) -> tuple[str, str]:
    # A digest that changes with the day is enough to count; the address itself is nobody's business.
    who = sha256(f"{address}|{now:%Y%m%d}|{_SCOPE}".encode()).hexdigest()[:16]
    return f"{what}:{who}:{now:%H}", f"{now:%Y-%m-%d}"
