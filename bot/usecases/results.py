"""Results of announcements: how far each one is, what became of it for whom, and a table to take away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.rules.audience import masked
from bot.rules.place_list import in_order
from bot.rules.spreadsheet import table
from bot.runtime import Runtime
from bot.texts import moment
from bot.usecases.announcing import READERS, AnnouncementError, NoSuchAnnouncement
from bot.usecases.broadcast import opening, words_for
from bot.usecases.links import LinkState, link_of
from storage.announcements import (
    RUNNING,
    Announcement,
    Recipient,
    counts_by_state,
    page_of,
    recipients,
)
from storage.audit import AuditEntry
from storage.channels import Channel
from storage.communes import Commune, Place
from storage.enums import AnnouncementState, DeliveryState, Importance
from storage.groups import Group
from storage.officials import Official

PAGE = 20
PEOPLE_ON_A_PAGE = 50
BY_ITSELF = "Hệ thống"  # wrote what no official did

# What readers of results tell apart; a receipt that came or not is a detail of "sent".
GROUPS: dict[str, tuple[DeliveryState, ...]] = {
    "sent": (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ),
    "refused": (DeliveryState.REFUSED,),
    "unknown": (DeliveryState.UNKNOWN,),
    "waiting": (DeliveryState.WAITING, DeliveryState.SENDING),
    "cancelled": (DeliveryState.CANCELLED,),
}
WORDS: dict[DeliveryState, str] = {
    DeliveryState.WAITING: "Đang chờ gửi",
    DeliveryState.SENDING: "Đang gửi",
    DeliveryState.SENT: "Đã gửi",
    DeliveryState.DELIVERED: "Đã đến máy",
    DeliveryState.READ: "Đã xem",
    DeliveryState.REFUSED: "Không gửi được",
    DeliveryState.UNKNOWN: "Không rõ kết quả",
    DeliveryState.CANCELLED: "Đã hủy",
}


@dataclass(frozen=True)
class Line:
    """An announcement in the list."""

    announcement: Announcement
    channel: str
    author: str
    counts: dict[str, int]


@dataclass(frozen=True)
class Look:
    """An announcement with all that its page shows."""

    announcement: Announcement
    channel: Channel
    author: str
    approver: str | None
    parts: list[str]
    counts: dict[str, int]
    read: int
    villages: list[str]
    waits_until: datetime | None
    held_until: datetime | None
    link: LinkState | None

    @property
    def total(self) -> int:
        """How many people it is or was for."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """For how many of them the outcome is final."""
        return self.total - self.counts["waiting"]

    @property
    def is_running(self) -> bool:
        """Whether numbers may still change by themselves."""
        return self.announcement.state in RUNNING


def listing(runtime: Runtime, official: Official, *, before: int | None = None) -> list[Line]:
    """A page of the commune's announcements, newest first."""
    _must(official)
    with runtime.database.reading() as session:
        found = page_of(session, official.commune_id, before=before, limit=PAGE + 1)
        states = counts_by_state(session, [a.id for a in found])
        channels = names_of(session, Channel, official.commune_id)
        authors = names_of(session, Official, official.commune_id)
    return [
        Line(a, channels[a.channel_id], authors.get(a.author_id or 0, BY_ITSELF), grouped(a, states[a.id]))
        for a in found
    ]


def look_at(runtime: Runtime, official: Official, announcement_id: int) -> Look:
    """One announcement: its words as they arrive, who wrote and approved it, and how far it is."""
    now = runtime.now()
    with runtime.database.reading() as session:
        announcement = _found(session, official, announcement_id)
        channel = session.get_one(Channel, announcement.channel_id)
        commune = session.get_one(Commune, announcement.commune_id)
        states = counts_by_state(session, [announcement.id])[announcement.id]
        names = names_of(session, Official, official.commune_id)
        morning = opening(session, commune.id, now)
        title, body = announcement.title or "…", announcement.body or "…"
        return Look(
            announcement=announcement,
            channel=channel,
            author=names.get(announcement.author_id or 0, BY_ITSELF),
            approver=names.get(announcement.approver_id or 0),
            parts=words_for(
                runtime, channel, commune.name or "…", title, body, has_picture=announcement.image_blob is not None
            ),
            counts=grouped(announcement, states),
            read=states.get(DeliveryState.READ, 0),
            villages=_villages(session, announcement),
            waits_until=morning if morning > now and announcement.importance is not Importance.EMERGENCY else None,
            held_until=channel.hold_until if channel.hold_until and channel.hold_until > now else None,
            link=link_of(channel, now),
        )


def _villages(session: Session, announcement: Announcement) -> list[str]:
    query = sa.select(Place.name).where(Place.id.in_(announcement.place_ids))
    return sorted(session.scalars(query), key=in_order)


def people(
    runtime: Runtime, official: Official, announcement_id: int, *, group: str = "", after: int = 0
) -> list[Recipient]:
    """A page, and one more if there is, of the people of an announcement; `group` keeps those of one outcome."""
    with runtime.database.reading() as session:
        _found(session, official, announcement_id)
        states = [state.value for state in GROUPS.get(group, ())]
        return recipients(session, announcement_id, states=states, after=after, limit=PEOPLE_ON_A_PAGE + 1)


def export(runtime: Runtime, official: Official, announcement_id: int) -> str:
    """All people of an announcement as a table to take away; that it was taken is written down."""
    with runtime.database.transaction() as session:
        _found(session, official, announcement_id)
        rows = [_row(person) for person in _everybody(session, announcement_id)]
        session.add(
            AuditEntry(
                commune_id=official.commune_id,
                official_id=official.id,
                at=runtime.now(),
                action="announcement.exported",
                target=f"announcement:{announcement_id}",
                data={"rows": len(rows)},
            )
        )
    return table([("Người nhận", "Kết quả", "Lý do", "Gửi lúc", "Đến máy lúc", "Xem lúc"), *rows])


def name_of(person: Recipient) -> str:
    """The name a citizen gave, or the end of their address."""
    return person.name or masked(person.urn)


def _everybody(session: Session, announcement_id: int) -> Iterator[Recipient]:
    after = 0
    while page := recipients(session, announcement_id, after=after, limit=1_000):
        yield from page
        after = page[-1].delivery_id


def _row(person: Recipient) -> tuple[str, ...]:
    times = (person.sent_at, person.delivered_at, person.read_at)
    return name_of(person), WORDS[person.state], person.reason or "", *(moment(at) if at else "" for at in times)


def grouped(announcement: Announcement, states: dict[str, int]) -> dict[str, int]:
    """Of deliveries counted by state, how many people stand where."""
    counts = {group: sum(states.get(state.value, 0) for state in members) for group, members in GROUPS.items()}
    if announcement.state is AnnouncementState.APPROVED or _is_expanding(announcement):
        # Those not yet written down wait as well.
        owed = (announcement.audience_count or 0) - announcement.left_out
        counts["waiting"] += max(0, owed - sum(counts.values()))
    return counts


def _is_expanding(announcement: Announcement) -> bool:
    return announcement.state is AnnouncementState.SENDING and announcement.expanded_to_urn_id < (
        announcement.frozen_to_urn_id or 0
    )


def names_of(session: Session, table: type[Channel | Group | Official], commune_id: int) -> dict[int, str]:
    """The names of a commune's channels, groups or officials, by number."""
    rows = session.execute(sa.select(table.id, table.name).where(table.commune_id == commune_id))
    return {number: name for number, name in rows}  # noqa: C416 - rows are not plain tuples


def _found(session: Session, official: Official, announcement_id: int) -> Announcement:
    _must(official)
    announcement = session.get(Announcement, announcement_id)
    if announcement is None or announcement.commune_id != official.commune_id:
        raise NoSuchAnnouncement
    return announcement


def _must(official: Official) -> None:
    if not official.is_active or not official.has(*READERS):
        raise AnnouncementError("Tài khoản của Anh/Chị không có quyền xem thông báo.")
