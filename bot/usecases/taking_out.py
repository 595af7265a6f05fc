"""Taking out: what may not be public any more leaves proposals and whatever of them is not sent yet.

A citizen's no, an erasure and an official's withdrawal do it in their own transaction; what else ends a publication
(sealing, reopening, spam, a joining) is seen by the sweep.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.runtime import Runtime
from bot.usecases import bulletin_aloud, edition_words
from bot.usecases.bulletins import audit, stop_legs
from storage.announcements import RUNNING
from storage.bulletins import Bulletin, followed_by, legs_of
from storage.contacts import Contact
from storage.database import FOR_CHANGE
from storage.editions import Edition, EditionItem
from storage.enums import BulletinKind, BulletinState
from storage.publications import Publication
from storage.tickets import Ticket

log = structlog.get_logger()

LOOKED_BACK = timedelta(days=60)  # older editions are sent or forgotten; what is shown of them is asked each time
NOTE = "Có câu hỏi không còn được công khai nên hệ thống đã bỏ ra. Vui lòng đọc lại, gửi thử và trình duyệt lại."


def take_out_due(runtime: Runtime) -> int:
    """Take out what may not be told any more, whatever ended it; gives how many items."""
    with runtime.database.reading() as session:
        if session.scalar(_gone(runtime).with_only_columns(EditionItem.id).limit(1)) is None:
            return 0
    with runtime.database.transaction() as session:
        return take_out(session, runtime)


def take_out(session: Session, runtime: Runtime, ticket_ids: list[int] | None = None) -> int:
    """The same within a transaction, of these reports only if any are named; gives how many items."""
    session.flush()
    query = _gone(runtime)
    if ticket_ids is not None:
        theirs = sa.select(Publication.id).where(Publication.ticket_id.in_(ticket_ids))
        query = query.where(EditionItem.publication_id.in_(theirs))
    items = list(session.scalars(query.order_by(EditionItem.id)))
    if not items:
        return 0
    # The edition first, as whoever makes a bulletin of it does.
    touched = sa.select(Edition).where(Edition.id.in_({item.edition_id for item in items})).order_by(Edition.id)
    editions = list(session.scalars(touched.with_for_update().execution_options(populate_existing=True)))
    for item in items:
        item.taken_out_at = runtime.now()
    session.flush()
    for edition in editions:
        edition.version += 1
        if edition.bulletin_id is not None:
            corrected = [
                one.id for one in followed_by(session, edition.bulletin_id) if one.kind is BulletinKind.CORRECTION
            ]
            for number in (edition.bulletin_id, *corrected):
                _take_from(session, runtime, edition, number)
    log.info("edition.taken_out", items=len(items), editions=len(editions))
    return len(items)


def _gone(runtime: Runtime) -> sa.Select[tuple[EditionItem]]:
    told = (
        sa.select(Publication.id)
        .select_from(Publication)
        .join(Ticket, Ticket.id == Publication.ticket_id)
        .join(Contact, Contact.id == Ticket.contact_id)
        .where(Publication.id == EditionItem.publication_id, *edition_words.may_be_told())
        .correlate(EditionItem)
        .exists()
    )
    return (
        sa.select(EditionItem)
        .join(Edition, Edition.id == EditionItem.edition_id)
        .where(Edition.proposed_at > runtime.now() - LOOKED_BACK, EditionItem.taken_out_at.is_(None), ~told)
    )


def _take_from(session: Session, runtime: Runtime, edition: Edition, number: int) -> None:
    bulletin = session.get_one(Bulletin, number, with_for_update=FOR_CHANGE, populate_existing=True)
    if bulletin.state in {BulletinState.DRAFT, BulletinState.SUBMITTED}:
        edition_words.put_into(session, runtime, bulletin, edition)
        bulletin.state, bulletin.submitted_at, bulletin.returned_note = BulletinState.DRAFT, None, NOTE
        bulletin.version += 1
        audit(session, runtime, None, bulletin, "taken_out")
    elif bulletin.state is BulletinState.APPROVED:
        legs = legs_of(session, [bulletin.id], lock=True)[bulletin.id]
        if any(leg.state in RUNNING for leg in legs):
            stop_legs(session, runtime, None, bulletin, legs)
        else:  # everybody has it, but loudspeakers may read it for days
            bulletin_aloud.silence(session, runtime, bulletin, "taken out")
