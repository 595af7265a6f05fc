"""Announcing: what announcements on one channel and bulletins on all of them have in common."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.text import printable
from bot.access import NotFound
from bot.rules.audience import TITLE_AT_MOST
from bot.runtime import Runtime
from bot.usecases.problems import Problem
from nlp.topics import TOPICS
from storage.audiences import About, Audience, Narrowing, Whom, audience_of
from storage.channels import Channel
from storage.communes import Place
from storage.enums import Role
from storage.groups import groups_of
from storage.officials import Official

READERS = (Role.AUTHOR, Role.APPROVER, Role.LEADER, Role.ADMIN)
APPROVERS = (Role.APPROVER, Role.LEADER)
STOPPERS = (Role.AUTHOR, Role.APPROVER, Role.LEADER)
LONGEST_DRAFT = 20_000
LONGEST_NOTE = 1_000
LONGEST_DAYS = 3_650
LANGUAGES = ("vi", "en")  # in which the bot speaks
EVERYBODY = About()


class AnnouncementError(Problem):
    """What was asked of an announcement cannot be done."""


class NoSuchAnnouncement(NotFound):
    """There is none with this number in the official's commune."""


def audience_now(session: Session, runtime: Runtime, channel: Channel, whom: Whom) -> Audience:
    """Who on this channel would get such an announcement now, and how many the channel lets us write to."""
    limits, now = runtime.adapters[channel.type].limits, runtime.now()
    since = now - timedelta(hours=limits.window_hours) if limits.window_hours is not None else None
    free = now - timedelta(hours=limits.free_window_hours) if limits.free_window_hours is not None else None
    return audience_of(session, channel.id, whom, since, free)


def check_about(session: Session, official: Official, about: About) -> None:
    """Subject and places must exist in the official's commune. Raises AnnouncementError."""
    if about.topic and about.topic not in TOPICS:
        raise AnnouncementError("Không có lĩnh vực này. Vui lòng chọn trong danh sách.")
    query = sa.select(sa.func.count()).where(Place.id.in_(about.place_ids), Place.commune_id == official.commune_id)
    if session.scalar(query) != len(set(about.place_ids)):
        raise AnnouncementError("Có thôn, tổ không còn trong danh sách địa danh. Vui lòng chọn lại.")
    _check_narrowing(session, official, about.narrowing)


def _check_narrowing(session: Session, official: Official, asked: Narrowing) -> None:
    if not set(asked.topics) <= TOPICS.keys():
        raise AnnouncementError("Không có lĩnh vực này. Vui lòng chọn trong danh sách.")
    if not set(asked.group_ids) <= {group.id for group in groups_of(session, official.commune_id)}:
        raise AnnouncementError("Có nhóm không còn trong danh sách nhóm của địa phương. Vui lòng chọn lại.")
    if not set(asked.languages) <= set(LANGUAGES):
        raise AnnouncementError("Không có ngôn ngữ này. Vui lòng chọn trong danh sách.")
    if not (0 <= asked.seen_within <= LONGEST_DAYS and 0 <= asked.unseen_for <= LONGEST_DAYS):
        raise AnnouncementError("Số ngày liên hệ phải từ 1 đến %(most)s. Vui lòng nhập lại.", most=LONGEST_DAYS)
    if asked.seen_within and asked.unseen_for >= asked.seen_within:
        raise AnnouncementError("Không ai vừa liên hệ trong số ngày này vừa không. Vui lòng chọn một trong hai.")


def channel_for(session: Session, official: Official, channel_id: int) -> Channel:
    """A channel of the official's commune that is in use. Raises AnnouncementError."""
    channel = session.get(Channel, channel_id)
    if channel is None or channel.commune_id != official.commune_id or not channel.is_active:
        raise AnnouncementError("Không có kênh này. Vui lòng chọn một kênh trong danh sách.")
    return channel


def must(official: Official, *roles: Role) -> None:
    """The official must be active and hold one of these roles. Raises AnnouncementError."""
    if not official.is_active or not official.has(*roles):
        raise AnnouncementError("Tài khoản của Anh/Chị không có quyền làm việc này.")


def cleaned(title: str, body: str) -> tuple[str, str]:
    """Title and text as they are kept. Raises AnnouncementError for nothing at all and for too long a title."""
    title, body = " ".join(normalised(title).split()), normalised(body)
    if not title and not body:
        raise AnnouncementError("Chưa có gì để lưu. Vui lòng nhập tiêu đề hoặc nội dung.")
    if len(title) > TITLE_AT_MOST:
        raise too_long_title()
    return title, body


def normalised(text: str) -> str:
    """Words as they are kept: printable, composed, with plain line ends."""
    lines = printable(text, LONGEST_DRAFT).replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", lines).strip()


def too_long_title() -> AnnouncementError:
    """That the title is too long."""
    return AnnouncementError("Tiêu đề dài hơn %(most)s ký tự. Vui lòng rút ngắn.", most=TITLE_AT_MOST)
