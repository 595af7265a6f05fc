"""Device tickets: a cluster of loudspeakers that stays out becomes a report like any other; that it is well is noted.

Nobody is answered: it is entered on the page that officials write on, under a link that nobody holds. The cluster's row
is the promise; what is written under it is the same each time, so a crash in between opens nothing twice.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.web_form import visitor_of
from bot import texts
from bot.runtime import Runtime
from bot.usecases.counter import counter_page
from bot.usecases.web_form import FormProblem, Page, Written, write
from storage.communes import Commune
from storage.contacts import Conversation, Urn
from storage.enums import EventKind
from storage.loudspeakers import LoudspeakerCluster
from storage.messages import InboundEvent
from storage.tickets import Ticket, TicketEvent

log = structlog.get_logger()

_AT_ONCE = 20
OPENED = "Hệ thống tự mở: %(ten)s không hoạt động từ %(luc)s. Không có người dân nào chờ trả lời."
AGAIN = "%(ten)s lại không hoạt động từ %(luc)s."
WELL = "%(ten)s hoạt động lại lúc %(luc)s. Nếu không còn việc phải sửa, có thể kết thúc phản ánh này."


def carry(runtime: Runtime) -> int:
    """Open reports of clusters that stay out, and note on them that these are well again; gives how many moved on."""
    with runtime.database.reading() as session:
        out = list(session.scalars(_unreported().limit(_AT_ONCE)))
        well = list(session.scalars(_well_again().limit(_AT_ONCE)))
    return sum(_report(runtime, cluster) for cluster in out) + sum(_note_well(runtime, cluster) for cluster in well)


def _unreported() -> sa.Select[tuple[LoudspeakerCluster]]:
    """Those for which people were called, and no report stands of this time."""
    is_new = sa.or_(
        LoudspeakerCluster.reported_for.is_(None), LoudspeakerCluster.reported_for != LoudspeakerCluster.out_since
    )
    return (
        sa.select(LoudspeakerCluster)
        .where(LoudspeakerCluster.told_at.is_not(None), LoudspeakerCluster.out_since.is_not(None), is_new)
        .order_by(LoudspeakerCluster.id)
    )


def _well_again() -> sa.Select[tuple[LoudspeakerCluster]]:
    is_well = sa.and_(LoudspeakerCluster.out_since.is_(None), LoudspeakerCluster.reported_for.is_not(None))
    return sa.select(LoudspeakerCluster).where(is_well).order_by(LoudspeakerCluster.id)


def _report(runtime: Runtime, cluster: LoudspeakerCluster) -> bool:
    since = cluster.out_since
    if since is None:
        return False
    with runtime.database.reading() as session:
        before = session.get(Ticket, cluster.ticket_id) if cluster.ticket_id else None
        commune = session.get_one(Commune, cluster.commune_id)
    if before is not None and before.is_open:
        return _link(runtime, cluster.id, since, before.id, AGAIN)
    try:
        page = counter_page(runtime, commune)
        link = runtime.digest("cluster-out", f"{cluster.id}:{since.isoformat()}")[:40]
        found = _written(runtime, page, f"web:{visitor_of(link)}")
        if found == 0:
            write(runtime, page, link, _said(cluster, since), address=f"cluster:{cluster.id}")
    except FormProblem:
        log.exception("device.not_reported", cluster_id=cluster.id)
        return False
    return bool(found) and _link(runtime, cluster.id, since, found or 0, OPENED)


def _written(runtime: Runtime, page: Page, address: str) -> int | None:
    """The report under this address; 0 when nothing was written there, None while it is being read."""
    ticket = (
        sa.select(Ticket.id)
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .join(Urn, Urn.id == Conversation.urn_id)
        .where(Urn.channel_id == page.channel.id, Urn.value == address)
    )
    event = sa.select(InboundEvent.id).where(
        InboundEvent.channel_id == page.channel.id, InboundEvent.conversation_key == address
    )
    with runtime.database.reading() as session:
        found = session.scalar(ticket.order_by(Ticket.id).limit(1))
        return found or (None if session.scalar(event.limit(1)) else 0)


def _said(cluster: LoudspeakerCluster, since: datetime) -> Written:
    """What is wrong, as somebody would write it, so that it is read and given to a unit like other reports."""
    where = f"\nỞ {cluster.area}" if cluster.area else ""
    words = f"Loa truyền thanh hỏng: {cluster.name} không phát thanh từ {texts.moment(since)}, cần sửa loa.{where}"
    once = f"cluster-{cluster.id}-{int(since.timestamp())}"
    return Written(once, words, name=cluster.name[:120], has_consented=True)


def _link(runtime: Runtime, cluster_id: int, since: datetime, ticket_id: int, sentence: str) -> bool:
    with runtime.database.transaction() as session:
        ticket = session.get_one(Ticket, ticket_id, with_for_update=True)
        row = session.get_one(LoudspeakerCluster, cluster_id, with_for_update=True)
        if row.out_since != since or row.reported_for == since:
            return False
        row.ticket_id, row.reported_for = ticket_id, since
        _note(session, ticket, runtime.now(), sentence % {"ten": row.name, "luc": texts.moment(since)})
    log.info("device.reported", cluster_id=cluster_id, ticket_id=ticket_id)
    return True


def _note_well(runtime: Runtime, cluster: LoudspeakerCluster) -> bool:
    with runtime.database.transaction() as session:
        ticket = session.get(Ticket, cluster.ticket_id, with_for_update=True) if cluster.ticket_id else None
        row = session.get_one(LoudspeakerCluster, cluster.id, with_for_update=True)
        if row.out_since is not None or row.reported_for is None:
            return False
        row.reported_for = None
        if ticket is not None and ticket.is_open:
            _note(session, ticket, runtime.now(), WELL % {"ten": row.name, "luc": texts.moment(row.heard_at)})
    log.info("device.well", cluster_id=cluster.id)
    return True


def _note(session: Session, ticket: Ticket, now: datetime, words: str) -> None:
    ticket.version += 1
    event = TicketEvent(commune_id=ticket.commune_id, ticket_id=ticket.id, at=now, data={"device": True}, note=words)
    event.kind = EventKind.NOTED
    session.add(event)
