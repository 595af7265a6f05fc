"""Saved audiences: questions about followers that are named, counted, changed and taken up by bulletins as a copy."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.base import Paid
from adapters.text import printable
from bot.access import audit
from bot.rules.prices import amount
from bot.runtime import Runtime
from bot.usecases.announcing import (
    READERS,
    AnnouncementError,
    NoSuchAnnouncement,
    audience_now,
    channel_for,
    check_about,
    must,
)
from storage.audiences import About, Audience, Whom
from storage.channels import Channel
from storage.enums import Role
from storage.officials import Official
from storage.prices import prices_of
from storage.saved_audiences import SavedAudience, saved_of

LONGEST_NAME = 80
MOST_SAVED = 200


@dataclass(frozen=True)
class Asked:
    """A question as an official wrote it: its name, on which channels it is asked, and what."""

    name: str
    channel_ids: tuple[int, ...]
    about: About


@dataclass(frozen=True)
class OnChannel:
    """How many of an audience are on a channel; `one`: what one message costs if it has a single part."""

    channel: Channel
    audience: Audience
    is_paid: bool
    dong: int | None

    @property
    def charged(self) -> int:
        """To how many it costs something to write."""
        return self.audience.count if self.is_paid else self.audience.paid

    @property
    def price(self) -> int | None:
        """What a message of one part to all of them costs in đồng; None: nobody has said."""
        return amount(self.charged, self.dong)


@dataclass(frozen=True)
class Counted:
    """An audience, counted just now on each of its channels."""

    saved: SavedAudience
    channels: list[OnChannel]

    @property
    def count(self) -> int:
        """How many addresses it is."""
        return sum(one.audience.count for one in self.channels)


def listing(runtime: Runtime, official: Official) -> list[SavedAudience]:
    """The commune's saved audiences by name."""
    must(official, *READERS)
    with runtime.database.reading() as session:
        return saved_of(session, official.commune_id)


def look_at(runtime: Runtime, official: Official, number: int) -> Counted:
    """One audience with how many it is now, by channel. Raises NoSuchAnnouncement."""
    must(official, *READERS)
    with runtime.database.reading() as session:
        saved = _found(session, official, number)
        query = sa.select(Channel).where(Channel.id.in_(saved.channel_ids), Channel.is_active).order_by(Channel.id)
        channels = list(session.scalars(query))
        prices = prices_of(session, [channel.id for channel in channels])
        whom = Whom(saved.about, at=runtime.now())
        return Counted(
            saved,
            [
                OnChannel(
                    channel,
                    audience_now(session, runtime, channel, whom),
                    isinstance(runtime.adapters[channel.type], Paid),
                    prices.get(str(channel.id)),
                )
                for channel in channels
            ],
        )


def save(runtime: Runtime, official: Official, asked: Asked) -> int:
    """Keep a question under a name; gives its id. Raises AnnouncementError."""
    must(official, Role.AUTHOR)
    with runtime.database.transaction() as session:
        if len(saved_of(session, official.commune_id)) >= MOST_SAVED:
            raise AnnouncementError(
                "Đã lưu %(most)s đối tượng. Vui lòng xóa bớt đối tượng không dùng.", most=MOST_SAVED
            )
        saved = SavedAudience(commune_id=official.commune_id, made_by_id=official.id, version=1)
        _take(session, runtime, official, saved, asked)
        session.add(saved)
        session.flush()
        audit(session, official, "audience.saved", f"audience:{saved.id}", runtime.now(), name=saved.name)
        return saved.id


def change(runtime: Runtime, official: Official, number: int, asked: Asked, *, version: int) -> None:
    """Ask something else under this name; what was written for it before stays as it was."""
    must(official, Role.AUTHOR)
    with runtime.database.transaction() as session:
        saved = _found(session, official, number, lock=True)
        if saved.version != version:
            raise AnnouncementError("Đối tượng này đã được sửa ở một cửa sổ khác. Vui lòng tải lại trang rồi sửa tiếp.")
        _take(session, runtime, official, saved, asked)
        saved.version += 1
        audit(session, official, "audience.changed", f"audience:{saved.id}", runtime.now(), version=saved.version)


def delete(runtime: Runtime, official: Official, number: int) -> None:
    """Forget the question; bulletins have a copy of their own."""
    must(official, Role.AUTHOR)
    with runtime.database.transaction() as session:
        saved = _found(session, official, number, lock=True)
        audit(session, official, "audience.deleted", f"audience:{saved.id}", runtime.now(), name=saved.name)
        session.delete(saved)


def _take(session: Session, runtime: Runtime, official: Official, saved: SavedAudience, asked: Asked) -> None:
    name = " ".join(printable(asked.name, LONGEST_NAME + 1).split())
    if not name or len(name) > LONGEST_NAME:
        raise AnnouncementError("Tên đối tượng cần từ 1 đến %(most)s ký tự. Vui lòng nhập lại.", most=LONGEST_NAME)
    if any(one.name == name and one.id != saved.id for one in saved_of(session, official.commune_id)):
        raise AnnouncementError("Đã có đối tượng tên này. Vui lòng chọn tên khác.")
    check_about(session, official, asked.about)
    if not asked.channel_ids:
        raise AnnouncementError("Chưa chọn kênh nào. Vui lòng chọn ít nhất một kênh.")
    saved.channel_ids = [channel_for(session, official, number).id for number in sorted(set(asked.channel_ids))]
    saved.name, saved.topic, saved.place_ids = name, asked.about.topic, sorted(asked.about.place_ids)
    saved.narrowing = asked.about.narrowing.data()
    saved.changed_by_id, saved.changed_at = official.id, runtime.now()


def _found(session: Session, official: Official, number: int, *, lock: bool = False) -> SavedAudience:
    saved = session.get(SavedAudience, number, with_for_update=lock)
    if saved is None or saved.commune_id != official.commune_id:
        raise NoSuchAnnouncement
    return saved
