"""Papers: issued under a running number with all that they say; the file is made of that, always the same bytes."""

from __future__ import annotations

import hashlib
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.access import NotFound, audit, sees_names, ticket_for
from bot.papers.transfer_slip import Slip, draw
from bot.rules.deadlines import VIETNAM
from bot.runtime import Runtime
from bot.usecases.photos import thumbnail
from bot.usecases.pictures import give_up
from storage.enums import AttachmentState
from storage.intake import next_number
from storage.messages import Attachment
from storage.officials import Official
from storage.papers import Paper

log = structlog.get_logger()

TRANSFER_SLIP = "PC"  # phiếu chuyển, as Decree 30/2020 abbreviates it


def issue(session: Session, official: Official, ticket_id: int, kind: str, now: datetime) -> Paper:
    """A paper under the next number of its kind and year; what it says is filled in by the caller."""
    year = now.astimezone(VIETNAM).year
    number = next_number(session, f"commune:{official.commune_id}", f"paper:{kind}", str(year))
    paper = Paper(
        commune_id=official.commune_id,
        kind=kind,
        year=year,
        number=number,
        ticket_id=ticket_id,
        facts={},
        issued_at=now,
        issued_by_id=official.id,
    )
    session.add(paper)
    session.flush()
    return paper


def slip_of(paper: Paper) -> Slip | None:
    """What a phiếu chuyển says; None once it was erased."""
    return Slip.from_json(paper.facts) if paper.facts else None


def open_paper(
    runtime: Runtime, official: Official, ticket_id: int, paper_id: int, address: str
) -> tuple[Paper, bytes]:
    """The file for an official who may see the ticket, and the name if it is in there; written down. NotFound."""
    with runtime.database.reading() as session:
        ticket = ticket_for(session, official, ticket_id)
        paper = session.scalar(sa.select(Paper).where(Paper.id == paper_id, Paper.ticket_id == ticket.id))
    slip = slip_of(paper) if paper is not None else None
    if paper is None or slip is None or (slip.reporter and not sees_names(official, ticket)):
        raise NotFound
    data = file_of(runtime, paper)
    with runtime.database.transaction() as session:
        audit(session, official, "paper.opened", f"paper:{paper.id}", runtime.now(), address or None)
    return paper, data


def file_of(runtime: Runtime, paper: Paper) -> bytes:
    """The paper as it was issued; made now when it has not been yet, or was lost. NotFound once it was erased."""
    kept = runtime.blobs.read(paper.blob) if paper.blob else None
    if kept is not None:
        return kept
    slip = slip_of(paper)
    if slip is None:
        raise NotFound
    data = draw(slip, _photos(runtime, paper, slip))
    _keep(runtime, paper.id, data)
    return data


def _photos(runtime: Runtime, paper: Paper, slip: Slip) -> list[bytes]:
    made = []
    for _, blob in shown_photos(runtime, paper, slip):
        small = thumbnail(runtime.blobs.read(blob) or b"")
        if small is not None:
            made.append(small)
    return made


def shown_photos(runtime: Runtime, paper: Paper, slip: Slip) -> list[tuple[int, str]]:
    """The photos on a slip that are still there: attachment and its file, in order."""
    query = sa.select(Attachment.id, Attachment.blob).where(
        Attachment.id.in_(slip.photos),
        Attachment.commune_id == paper.commune_id,
        Attachment.state == AttachmentState.STORED,
        Attachment.blob.is_not(None),
    )
    with runtime.database.reading() as session:
        blobs = {number: blob for number, blob in session.execute(query) if blob}
    return [(number, blobs[number]) for number in slip.photos if number in blobs]


def _keep(runtime: Runtime, paper_id: int, data: bytes) -> None:
    """Store the file under the row, once: whoever comes second lets their own go."""
    digest, blob = hashlib.sha256(data).hexdigest(), runtime.blobs.keep(data)
    with runtime.database.transaction() as session:
        row = session.get_one(Paper, paper_id, with_for_update=True)
        # A file that another made meanwhile counts; one that the disk lost is replaced.
        is_ours = bool(row.facts) and (row.blob is None or runtime.blobs.read(row.blob) is None)
        first = row.digest
        if is_ours:
            row.blob, row.digest, row.size = blob, first or digest, len(data)
    if not is_ours:
        give_up(runtime, blob)
    if first not in (None, digest):
        log.warning("paper.differs", paper_id=paper_id)
