"""From above: bulletins of the province and the centre are kept, shown, passed on; an emergency goes out by itself.

Their words are nobody's to change here. An emergency is pushed in the transaction that keeps its revision, so it goes
out exactly once; a later revision stops what still waits of the one before, and takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.exchange import Exchanging, Notice
from adapters.loudspeakers import village_types
from bot.access import NotFound
from bot.queue import BROADCAST
from bot.rules.from_above import heading, still_holds, words
from bot.runtime import Runtime
from bot.usecases.announcing import READERS, must
from bot.usecases.bulletin_legs import make_legs
from bot.usecases.bulletin_previews import preview_of
from bot.usecases.bulletins import audit, plan_of, stop_legs
from bot.usecases.notices import check_holds, handed
from storage.alerts import raise_alert
from storage.announcements import RUNNING
from storage.bulletins import Bulletin, legs_of
from storage.channels import Channel
from storage.database import insert_ignore
from storage.enums import AlertKind, BulletinKind, BulletinState, Importance, Role
from storage.notices import SourceNotice, page_of_notices, passed_on, revisions_of
from storage.officials import Official
from storage.prices import prices_of

log = structlog.get_logger()

PAGE = 30
USUAL_VALIDITY = timedelta(hours=24)
BY_ITSELF = "Tin khẩn cấp của cấp trên: hệ thống chuyển ngay, không chờ duyệt."


@dataclass(frozen=True)
class Line:
    """A bulletin from above as it holds now. `passed_on`: our bulletins that say it, or said an earlier revision."""

    notice: SourceNotice
    heading: str
    holds: bool
    passed_on: list[Bulletin]


@dataclass(frozen=True)
class Look(Line):
    """The same with all that its page shows: the words followers would read, and every revision."""

    words: str
    revisions: list[SourceNotice]


def take_in(runtime: Runtime, channel: Channel, notices: Sequence[Notice]) -> int:
    """Keep what is for this commune, each revision once, and do what it asks for; gives how many were new."""
    new = [one for one in notices if one.is_ours and _keep(runtime, channel, one)]
    if len(new) < len(notices):
        log.info("notices.left", channel=channel.slug, known=len(notices) - len(new))
    if new:
        runtime.nudge(BROADCAST)
    return len(new)


def has_any(session: Session, runtime: Runtime, commune_id: int) -> bool:
    """Whether the commune has a channel that hands bulletins down."""
    types = [name for name, adapter in runtime.adapters.items() if isinstance(adapter, Exchanging)]
    query = sa.select(Channel.id).where(Channel.commune_id == commune_id, Channel.is_active, Channel.type.in_(types))
    return session.scalar(query.limit(1)) is not None


def is_offered(runtime: Runtime, official: Official) -> bool:
    """Whether there is anything to look at for this official."""
    with runtime.database.reading() as session:
        return official.has(*READERS) and has_any(session, runtime, official.commune_id)


def listing(runtime: Runtime, official: Official, *, before: int | None = None) -> list[Line]:
    """A page, and one more if there is, of the commune's bulletins from above, the latest first."""
    must(official, *READERS)
    now = runtime.now()
    with runtime.database.reading() as session:
        return [
            _line(session, one, now)
            for one in page_of_notices(session, official.commune_id, before=before, limit=PAGE + 1)
        ]


def look_at(runtime: Runtime, official: Official, notice_id: int) -> Look:
    """One bulletin from above, in its highest revision. NotFound when it is not this commune's."""
    must(official, *READERS)
    with runtime.database.reading() as session:
        newest = revisions_of(session, _found(session, official, notice_id))
        line = _line(session, newest[0], runtime.now())
        return Look(newest[0], line.heading, line.holds, line.passed_on, words(handed(newest[0])), newest)


def pass_on(runtime: Runtime, official: Official, notice_id: int) -> int:
    """Begin a bulletin that says it word for word; gives its id. To whom and when is its author's to choose.

    A second person approves it like any other. Raises AnnouncementError when it holds no more.
    """
    must(official, Role.AUTHOR)
    now = runtime.now()
    with runtime.database.transaction() as session:
        notice = check_holds(session, _found(session, official, notice_id).id, now)
        bulletin = _bulletin(session, runtime, notice)
        bulletin.state, bulletin.author_id = BulletinState.DRAFT, official.id
        session.add(bulletin)
        session.flush()
        audit(session, runtime, official, bulletin, "drafted", notice=notice.id, revision=notice.revision)
        return bulletin.id


def _keep(runtime: Runtime, channel: Channel, one: Notice) -> bool:
    with runtime.database.transaction() as session:
        now = runtime.now()
        if not insert_ignore(session, SourceNotice, [_row(channel, one, now)]):
            return False
        query = sa.select(SourceNotice).where(SourceNotice.channel_id == channel.id, SourceNotice.ref == one.ref)
        revisions = list(session.scalars(query.order_by(SourceNotice.revision.desc()).with_for_update()))
        newest, *earlier = revisions
        if newest.revision == one.revision:  # what comes late changes nothing any more
            _take_effect(session, runtime, newest, earlier, now)
    log.info("notice.kept", channel=channel.slug, ref=one.ref[:60], revision=one.revision, urgency=one.urgency)
    return True


def _row(channel: Channel, one: Notice, now: datetime) -> dict[str, object]:
    return {
        "commune_id": channel.commune_id,
        "channel_id": channel.id,
        "ref": one.ref,
        "revision": one.revision,
        "urgency": Importance(one.urgency),
        "title": one.title,
        "body": one.text,
        "source": one.source,
        "is_cancelled": one.is_cancelled,
        "reason": one.reason,
        "made_at": one.made_at,
        "valid_until": one.valid_until,
        "received_at": now,
        "raw": one.raw,
    }


def _take_effect(
    session: Session, runtime: Runtime, notice: SourceNotice, earlier: list[SourceNotice], now: datetime
) -> None:
    said = passed_on(session, earlier)
    was_pushed = any(bulletin.author_id is None for bulletin in said)
    for bulletin in said:
        _stop(session, runtime, bulletin)
        bulletin.ended_at = bulletin.ended_at or now
    # What puts an emergency right, or ends it, goes the way of an emergency, whatever its own class.
    is_due = was_pushed or (notice.urgency is Importance.EMERGENCY and not notice.is_cancelled)
    if is_due and (notice.is_cancelled or still_holds(notice.valid_until, now)):
        _push(session, runtime, notice)
        _call(session, notice, now, "pushed")
    if any(bulletin.author_id is not None and bulletin.approved_at is not None for bulletin in said):
        _call(session, notice, now, "taken_back" if notice.is_cancelled else "revised")


def _push(session: Session, runtime: Runtime, notice: SourceNotice) -> None:
    """To all followers of the commune, with no human step: each channel's part is made here and now."""
    now = runtime.now()
    bulletin = _bulletin(session, runtime, notice)
    bulletin.importance, bulletin.state = Importance.EMERGENCY, BulletinState.APPROVED
    bulletin.valid_until = notice.valid_until if _lasts(notice, now) else now + USUAL_VALIDITY
    bulletin.approved_at = now
    bulletin.approval_reason = BY_ITSELF
    session.add(bulletin)
    session.flush()
    plan = plan_of(bulletin)
    bulletin.approved_hash = plan.digest
    seen = preview_of(session, runtime, bulletin.commune_id, plan)
    make_legs(session, bulletin, plan_of(bulletin), seen, pays=False)
    data = {"hash": plan.digest, "audience": seen.count, "notice": notice.id, "revision": notice.revision}
    audit(session, runtime, None, bulletin, "pushed", **data)
    log.warning("notice.pushed", notice_id=notice.id, bulletin_id=bulletin.id, audience=seen.count)


def _lasts(notice: SourceNotice, now: datetime) -> bool:
    return notice.valid_until is not None and notice.valid_until > now


def _bulletin(session: Session, runtime: Runtime, notice: SourceNotice) -> Bulletin:
    followed = sa.select(Channel.id).where(
        Channel.commune_id == notice.commune_id,
        Channel.is_active,
        Channel.type.not_in(village_types(runtime.adapters)),
    )
    said, channel_ids = handed(notice), list(session.scalars(followed.order_by(Channel.id)))
    return Bulletin(
        commune_id=notice.commune_id,
        notice_id=notice.id,
        kind=BulletinKind.FIRST,
        title=heading(said),
        body=words(said),
        texts={},
        importance=notice.urgency,
        valid_until=notice.valid_until,
        topic="",
        place_ids=[],
        channel_ids=channel_ids,
        prices=prices_of(session, channel_ids),
        aloud={},
        created_at=runtime.now(),
    )


def _stop(session: Session, runtime: Runtime, bulletin: Bulletin) -> None:
    """What still waits of an earlier revision is sent to nobody any more."""
    legs = legs_of(session, [bulletin.id], lock=True)[bulletin.id]
    if any(leg.state in RUNNING for leg in legs):
        stop_legs(session, runtime, None, bulletin, legs)


def _call(session: Session, notice: SourceNotice, now: datetime, what: str) -> None:
    raise_alert(
        session, notice.commune_id, AlertKind.FROM_ABOVE, f"from_above:{what}:{notice.id}", now, audience="desk",
        what=what, title=notice.title, source=notice.source, notice=notice.id, ended=notice.is_cancelled,
    )  # fmt: skip


def _line(session: Session, notice: SourceNotice, now: datetime) -> Line:
    said = passed_on(session, revisions_of(session, notice))
    return Line(notice, heading(handed(notice)), not notice.is_cancelled and still_holds(notice.valid_until, now), said)


def _found(session: Session, official: Official, notice_id: int) -> SourceNotice:
    notice = session.get(SourceNotice, notice_id)
    if notice is None or notice.commune_id != official.commune_id:
        raise NotFound
    return notice
