"""Articles: an approved announcement goes to everybody who follows a channel, in the channel's own form.

Zalo sends only articles to all at once, half an hour later, and never says who got one: what we know is that it took
it. It cannot leave anybody out, so what is for some villages or subjects only does not go this way.
"""

from __future__ import annotations

import secrets as random_secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.base import Publishing, Story
from adapters.errors import (
    ChannelRefused,
    NotNow,
    OutcomeUnknown,
    QuotaExhausted,
    SendError,
    TemporarilyRefused,
    TokenRefreshFailed,
    TokenRejected,
)
from adapters.secret import Secret
from bot.queue import BROADCAST
from bot.rules.audience import EVERYBODYS_NIGHT, not_before, quiet_hours
from bot.rules.deadlines import VIETNAM
from bot.rules.retry import next_try
from bot.runtime import Runtime, VaultError
from bot.usecases.announcements import APPROVERS, EVERYBODY, AnnouncementError, found_for
from bot.usecases.broadcast import fingerprint, is_over
from bot.usecases.tokens import NoToken, access_for, channel_config
from storage.announcements import Announcement, about_of
from storage.articles import Article
from storage.audit import AuditEntry
from storage.channels import Channel
from storage.communes import Commune
from storage.enums import AnnouncementState, ArticleState
from storage.officials import Official

log = structlog.get_logger()
T = TypeVar("T")

LEASE = timedelta(seconds=60)
VERIFY_EVERY = timedelta(seconds=30)
MOST_TRIES = 40
LONGEST_DESCRIPTION = 300
COUNTED = (ArticleState.SENDING, ArticleState.SENT, ArticleState.UNKNOWN)
OPEN = (ArticleState.WAITING, ArticleState.VERIFYING, ArticleState.READY)
APPROVED = (AnnouncementState.APPROVED, AnnouncementState.SENDING, AnnouncementState.SENT)


@dataclass(frozen=True)
class Publication:
    """What the page of an announcement shows of its article: the row, and how many went out this month of how many."""

    article: Article | None
    this_month: int
    a_month: int
    is_for_all: bool


def ask(runtime: Runtime, official: Official, announcement_id: int) -> None:
    """Somebody who approves has exactly the approved text published to all followers. Raises AnnouncementError."""
    now = runtime.now()
    with runtime.database.transaction() as session:
        announcement = found_for(session, official, announcement_id, *APPROVERS)
        channel = session.get_one(Channel, announcement.channel_id)
        adapter = _publisher(runtime, channel)
        if adapter is None:
            raise AnnouncementError("Kênh này không đăng bài viết cho mọi người được.")
        if announcement.state not in APPROVED or announcement.approved_hash != fingerprint(announcement):
            raise AnnouncementError("Chỉ đăng được thông báo đã duyệt và chưa dừng.")
        if not _is_for_all(session, announcement):
            raise AnnouncementError(
                "Bài viết đến mọi người theo dõi kênh, nên chỉ đăng được thông báo dành cho cả địa phương."
            )
        if session.scalar(sa.select(Article.id).where(Article.announcement_id == announcement.id)):
            raise AnnouncementError("Thông báo này đã được đăng. Vui lòng tải lại trang.")
        most = _a_month(runtime, adapter, channel)
        if sent_in_month(session, channel.id, now) >= most:
            raise AnnouncementError(
                "Tháng này đã dùng hết %(most)s lượt gửi bài viết của gói OA. Lượt mới có từ ngày 1 tháng sau.",
                most=most,
            )
        session.add(
            Article(
                commune_id=announcement.commune_id,
                channel_id=channel.id,
                announcement_id=announcement.id,
                asked_by_id=official.id,
                approved_hash=announcement.approved_hash or "",
                next_try_at=now,
                created_at=now,
            )
        )
        session.add(_fact(announcement, official, now))
    log.info("article.asked", announcement_id=announcement_id)
    runtime.nudge(BROADCAST)


def publication(runtime: Runtime, official: Official, announcement_id: int) -> Publication | None:
    """What there is to know of an announcement's article; None on a channel without articles."""
    with runtime.database.reading() as session:
        announcement = session.get(Announcement, announcement_id)
        if announcement is None or announcement.commune_id != official.commune_id:
            return None
        channel = session.get_one(Channel, announcement.channel_id)
        adapter = _publisher(runtime, channel)
        if adapter is None:
            return None
        article = session.scalar(sa.select(Article).where(Article.announcement_id == announcement_id))
        count = sent_in_month(session, channel.id, runtime.now())
        is_for_all = _is_for_all(session, announcement)
        return Publication(article, count, _a_month(runtime, adapter, channel), is_for_all)


def _is_for_all(session: Session, announcement: Announcement) -> bool:
    """Whether everybody may read it; what follows another one goes to all only where that one did."""
    if about_of(announcement) != EVERYBODY or announcement.follows_id is None:
        return about_of(announcement) == EVERYBODY
    went = sa.select(Article.id).where(Article.announcement_id == announcement.follows_id, Article.state.in_(COUNTED))
    return session.scalar(went) is not None


def sent_in_month(session: Session, channel_id: int, now: datetime) -> int:
    """How many articles of this channel went out in this month of Vietnam, or may have."""
    begin = now.astimezone(VIETNAM).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return _sent_since(session, channel_id, begin)


def _sent_since(session: Session, channel_id: int, begin: datetime) -> int:
    query = sa.select(sa.func.count()).where(
        Article.channel_id == channel_id, Article.state.in_(COUNTED), Article.sent_at >= begin
    )
    return session.scalar(query) or 0


def has_due(session: Session, now: datetime) -> bool:
    """Whether an article should be brought forward now."""
    return session.scalar(sa.select(Article.id).where(*_is_due(now)).limit(1)) is not None


def _is_due(now: datetime) -> list[Any]:
    is_free = sa.or_(Article.lease_until.is_(None), Article.lease_until < now)
    return [Article.state.in_([*OPEN, ArticleState.SENDING]), Article.next_try_at <= now, is_free]


def run_due(runtime: Runtime, *, budget_seconds: float = 5.0) -> int:
    """Bring articles that are due one step forward; gives how many."""
    end, did = time.monotonic() + budget_seconds, 0
    with runtime.database.reading() as session:
        numbers = list(session.scalars(sa.select(Article.id).where(*_is_due(runtime.now())).order_by(Article.id)))
    for number in numbers:
        if time.monotonic() >= end:
            break
        did += _bring_forward(runtime, number)
    return did


def _bring_forward(runtime: Runtime, number: int) -> int:
    """One step of one article, its intent durable before the channel is asked to send."""
    now, lease = runtime.now(), random_secrets.token_hex(16)
    with runtime.database.transaction() as session:
        row = session.scalar(sa.select(Article).where(Article.id == number, *_is_due(now)).with_for_update())
        if row is None:
            return 0
        announcement = session.get_one(Announcement, row.announcement_id)
        channel = session.get_one(Channel, row.channel_id)
        if row.state is ArticleState.SENDING:  # whoever began has died: nobody knows
            _settle(row, ArticleState.UNKNOWN, "sender_died", UNCLEAR)
            return 1
        if announcement.state is AnnouncementState.STOPPED or row.approved_hash != fingerprint(announcement):
            _settle(row, ArticleState.STOPPED, "stopped", "Thông báo đã dừng nên không đăng bài viết.")
            return 1
        if is_over(announcement, now):
            _settle(row, ArticleState.STOPPED, "expired", "Thông báo đã hết hiệu lực nên không đăng bài viết.")
            return 1
        if row.state is ArticleState.READY:
            moment = max(_first_moment(session, row, now), _not_held(announcement, now))
            if moment > now:
                row.next_try_at = moment
                return 1
            row.state, row.sent_at = ArticleState.SENDING, now
        row.lease_id, row.lease_until = lease, now + LEASE
        row.tries += 1
        commune = session.get_one(Commune, row.commune_id)
        story = _story(announcement, commune)
    _Step(runtime, channel, row, lease, story).take()
    return 1


def _first_moment(session: Session, row: Article, now: datetime) -> datetime:
    """When it may go: not at night, and one a day for each follower."""
    today = now.astimezone(VIETNAM).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = today + timedelta(days=1) if _sent_since(session, row.channel_id, today) else now
    settings = session.scalar(sa.select(Commune.settings).where(Commune.id == row.commune_id))
    quiet = quiet_hours(dict(settings or {}))
    return not_before(not_before(begin, quiet), EVERYBODYS_NIGHT if quiet is not None else None)


def _not_held(announcement: Announcement, now: datetime) -> datetime:
    """When a part of a bulletin may go at the earliest."""
    if announcement.paused_at is not None:
        return now + VERIFY_EVERY  # looked at again then
    return max(now, announcement.send_at or now)


def _story(announcement: Announcement, commune: Commune) -> Story:
    paragraphs = [" ".join(part.split()) for part in announcement.body.split("\n") if part.strip()]
    summary = " ".join(paragraphs)
    if len(summary) > LONGEST_DESCRIPTION:
        summary = summary[: LONGEST_DESCRIPTION - 1].rsplit(" ", 1)[0] + "…"
    return Story(announcement.title, summary, commune.name, (*paragraphs, commune.name))


@dataclass
class _Step:
    """An article in hand, outside any transaction."""

    runtime: Runtime
    channel: Channel
    row: Article
    lease: str
    story: Story

    def take(self) -> None:
        """Ask the channel for the next thing, and write down what it said."""
        try:
            self._go_on()
        except OutcomeUnknown as error:
            self._end(ArticleState.UNKNOWN, error.code, UNCLEAR)
        except NotNow as error:
            self._again(error.code, error.not_before)
        except (NoToken, TokenRejected):
            self._again("needs_consent", self.runtime.now() + timedelta(minutes=10))
        except TokenRefreshFailed as error:
            self._again(error.code, self.runtime.now() + timedelta(minutes=1))
        except TemporarilyRefused as error:
            self._later(error)
        except (SendError, ValueError, VaultError) as error:
            code = getattr(error, "code", "config")
            is_of_account = isinstance(error, ChannelRefused | QuotaExhausted)
            self._end(
                ArticleState.REFUSED, code, NOT_ALLOWED if is_of_account else getattr(error, "shown", NOT_ALLOWED)
            )
        except Exception as error:  # noqa: BLE001 - it may be out: whatever broke, the truth is "unknown"
            log.error("article.crashed", article_id=self.row.id, error=type(error).__name__)
            state = ArticleState.UNKNOWN if self.row.state is ArticleState.SENDING else ArticleState.REFUSED
            self._end(state, "internal_error", UNCLEAR)

    def _go_on(self) -> None:
        adapter = _publisher(self.runtime, self.channel)
        if adapter is None:
            raise ValueError("no articles on this channel")
        config = channel_config(self.runtime, self.channel)
        http = self.runtime.http
        if self.row.state is ArticleState.WAITING:
            handle = self._ask(lambda token: adapter.create_story(http, config, token, self.story))
            self._write(state=ArticleState.VERIFYING, handle=handle, tries=0, next_try_at=self.runtime.now())
        elif self.row.state is ArticleState.VERIFYING:
            found = self._ask(lambda token: adapter.story_id(http, config, token, self.row.handle or ""))
            self._verified(found)
        else:
            result = self._ask(lambda token: adapter.publish(http, config, token, self.row.article_id or ""))
            self._write(state=ArticleState.SENT, external_id=result.external_id, code=None, reason=None)
            log.info("article.sent", article_id=self.row.id, channel=self.channel.slug)

    def _verified(self, article_id: str | None) -> None:
        now = self.runtime.now()
        if article_id is not None:
            self._write(state=ArticleState.READY, article_id=article_id, tries=0, next_try_at=now)
        elif self.row.tries >= MOST_TRIES:
            self._end(ArticleState.REFUSED, "not_ready", "Zalo xử lý bài viết quá lâu nên đã bỏ. Vui lòng soạn lại.")
        else:
            self._write(next_try_at=now + VERIFY_EVERY)

    def _ask(self, question: Callable[[Secret], T]) -> T:
        access = access_for(self.runtime, self.channel)
        try:
            return question(access.token)
        except TokenRejected:
            access = access_for(self.runtime, self.channel, rejected_generation=access.generation)
            return question(access.token)

    def _later(self, error: TemporarilyRefused) -> None:
        if self.row.tries >= max(error.tries, 3):
            self._end(ArticleState.REFUSED, error.code, error.shown)
        else:
            self._again(error.code, next_try(self.runtime.now(), self.row.tries, at_least=error.retry_after))

    def _again(self, code: str, at: datetime) -> None:
        """It surely did not go: as before, later."""
        more: dict[str, Any] = {}
        if self.row.state is ArticleState.SENDING:
            more = {"state": ArticleState.READY, "sent_at": None}
        self._write(code=code[:60], next_try_at=at, **more)

    def _end(self, state: ArticleState, code: str, reason: str) -> None:
        self._write(state=state, code=code[:60], reason=reason[:400])
        log.error("article.ended", article_id=self.row.id, state=state.value, code=code)

    def _write(self, **values: Any) -> None:
        mine = sa.update(Article).where(Article.id == self.row.id, Article.lease_id == self.lease)
        with self.runtime.database.transaction() as session:
            session.execute(mine.values(lease_id=None, lease_until=None, **values))


def _settle(row: Article, state: ArticleState, code: str, reason: str) -> None:
    row.state, row.code, row.reason = state, code, reason
    row.lease_id = row.lease_until = None


def _publisher(runtime: Runtime, channel: Channel) -> Publishing | None:
    adapter: object = runtime.adapters.get(channel.type)
    return adapter if isinstance(adapter, Publishing) else None


def _a_month(runtime: Runtime, adapter: Publishing, channel: Channel) -> int:
    try:
        return adapter.broadcasts_a_month(channel_config(runtime, channel))
    except (ValueError, VaultError):
        return 0


def _fact(announcement: Announcement, official: Official, now: datetime) -> AuditEntry:
    return AuditEntry(
        commune_id=announcement.commune_id,
        official_id=official.id,
        at=now,
        action="announcement.article_asked",
        target=f"announcement:{announcement.id}",
        data={"hash": announcement.approved_hash},
    )


UNCLEAR = "Zalo không trả lời rõ ràng nên không biết bài viết đã gửi chưa. Vui lòng xem trong trang quản lý OA."
NOT_ALLOWED = (
    "Zalo không cho gửi bài viết: gói dịch vụ hoặc quyền của OA chưa đủ, hoặc đã hết lượt. "
    "Người quản trị kiểm tra tại oa.zalo.me."
)
