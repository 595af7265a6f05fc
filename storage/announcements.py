"""Announcements: something told to many, written by one official and approved by another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, QueryableAttribute, Session, mapped_column

from storage.audiences import About, Cap, Narrowing, Whom, conditions, has_enough
from storage.base import Base, BigId, Json, OfCommune, one_of
from storage.contacts import Contact, Conversation, Urn
from storage.deliveries import Delivery, DeliveryCount
from storage.enums import AnnouncementState, DeliveryKind, DeliveryState, Importance


class Announcement(OfCommune, Base):
    """`approved_hash` is of exactly the text that was approved; only that text is sent.

    `pays`: whoever approved it agreed that the channel charges for those it lets us write to for money only.
    `topic` ("" any) and `place_ids` ([] the whole commune) say whom it is for; with neither it is for all, but for what
    `narrowing` asks besides.
    `bulletin_id`: the text for several channels of which this is one channel's part; the fields from there on are its
    own. `follows_id`: it is for those who got that announcement, and nobody else. `left_out`: how many were not owed
    it because they had enough already. `image_blob`: the picture that goes with it. `asks_safety`: it offers the two
    answers of an emergency. `repeats_id`: the announcement of which it is the same once more; `silent_of`: only those
    who have not answered that bulletin get it. `author_id`: empty where an emergency from above went out by itself.
    """

    __tablename__ = "announcements"
    __table_args__ = (
        sa.CheckConstraint("approver_id IS NULL OR approver_id <> author_id", name="two_people"),
        sa.Index("ix_announcements_list", "commune_id", "created_at"),
        sa.Index("ix_announcements_bulletin_id", "bulletin_id"),
        sa.Index("ix_announcements_image_blob", "image_blob", sqlite_where=sa.text("image_blob IS NOT NULL"),
                 postgresql_where=sa.text("image_blob IS NOT NULL")),
    )  # fmt: skip

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    title: Mapped[str] = mapped_column(sa.String(120))
    body: Mapped[str] = mapped_column(sa.Text)
    topic: Mapped[str] = mapped_column(sa.String(40), default="", server_default="")
    place_ids: Mapped[list[int]] = mapped_column(default=list, server_default="[]")
    narrowing: Mapped[dict[str, Any]] = mapped_column(Json, default=dict, server_default="{}")
    state: Mapped[AnnouncementState] = mapped_column(one_of(AnnouncementState), default=AnnouncementState.APPROVED)
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    approver_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    approved_hash: Mapped[str | None] = mapped_column(sa.String(64))
    audience_count: Mapped[int | None]
    expanded_to_urn_id: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    frozen_to_urn_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    pays: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    bulletin_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bulletins.id"))
    importance: Mapped[Importance] = mapped_column(
        one_of(Importance), default=Importance.ROUTINE, server_default=Importance.ROUTINE.value
    )
    send_at: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    follows_id: Mapped[int | None] = mapped_column(BigId)
    paused_at: Mapped[datetime | None]
    left_out: Mapped[int] = mapped_column(default=0, server_default="0")
    image_blob: Mapped[str | None] = mapped_column(sa.String(80))
    asks_safety: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    repeats_id: Mapped[int | None] = mapped_column(BigId, index=True)
    silent_of: Mapped[int | None] = mapped_column(BigId)


RUNNING = (AnnouncementState.APPROVED, AnnouncementState.SENDING)
UNFINISHED = (DeliveryState.WAITING, DeliveryState.SENDING)

# A message in parts is one message to its reader: the last part speaks for all of them.
_STATE_FOR_READER = sa.case(
    (Delivery.code == f"earlier_part_{DeliveryState.REFUSED.value}", DeliveryState.REFUSED.value),
    (Delivery.code == f"earlier_part_{DeliveryState.UNKNOWN.value}", DeliveryState.UNKNOWN.value),
    else_=sa.cast(Delivery.state, sa.String),
)


# ---- deliveries -----------------------------------------------------------------------------------------------------


def about_of(announcement: Announcement) -> About:
    """What this one is about."""
    return About(announcement.topic, tuple(announcement.place_ids), Narrowing.of(announcement.narrowing or {}))


def whom_of(announcement: Announcement, cap: Cap | None = None) -> Whom:
    """Whom an announcement is for. `cap`: of those who had so many of its class, it leaves out."""
    return Whom(
        about_of(announcement),
        announcement.importance,
        announcement.follows_id,
        cap,
        announcement.id,
        announcement.silent_of,
        announcement.approved_at,
    )


def _numbered(announcement: Announcement, to_urn_id: int | None) -> list[Any]:
    """The channel's addresses between the cursor and this one, willing or not."""
    return [
        # "+ 0": SQLite would read the whole channel through its index for every chunk.
        Urn.channel_id + 0 == announcement.channel_id,
        Urn.id > announcement.expanded_to_urn_id,
        Urn.id <= to_urn_id,
    ]


def next_chunk_end(session: Session, announcement: Announcement, size: int) -> int | None:
    """The last of the next `size` addresses after the cursor; None when the frozen audience has no more."""
    chunk = (
        sa.select(Urn.id)
        .where(*_numbered(announcement, announcement.frozen_to_urn_id))
        .order_by(Urn.id)
        .limit(size)
        .subquery()
    )
    end: int | None = session.scalar(sa.select(sa.func.max(chunk.c.id)))
    return end


@dataclass(frozen=True)
class Owing:
    """What every delivery of an announcement has in common; a picture goes with the first of `texts`."""

    texts: list[str]
    priority: int
    now: datetime
    not_before: datetime
    cap: Cap | None = None
    choices: tuple[str, ...] = ()


def insert_chunk(session: Session, announcement: Announcement, owing: Owing, *, to_urn_id: int) -> int:
    """Owe the announcement to the willing between the cursor and `to_urn_id`, in one statement for each part.

    The addresses are not locked, so that citizens' own messages never wait for a broadcast: somebody who opts out in
    this very moment may still be owed it, and is found out when the delivery is claimed.
    """
    is_postgres = session.get_bind().dialect.name == "postgresql"
    inserted = 0
    wanted = [*_numbered(announcement, to_urn_id), *conditions(whom_of(announcement, owing.cap))]
    for part in range(1, len(owing.texts) + 1):
        row = _owed(announcement, owing, part)
        people = sa.select(*row.values()).where(*wanted).order_by(Urn.id)
        statement = _insert(is_postgres).from_select(list(row), people).on_conflict_do_nothing()
        result: Any = session.execute(statement, execution_options={"preserve_rowcount": True})
        inserted += result.rowcount
    return inserted


def left_out_of_chunk(session: Session, announcement: Announcement, cap: Cap, *, to_urn_id: int) -> int:
    """How many up to `to_urn_id` want it and do not get it, because they had enough of its class."""
    whom = whom_of(announcement)
    wanted = [*_numbered(announcement, to_urn_id), *conditions(whom), has_enough(whom, cap)]
    return session.scalar(sa.select(sa.func.count()).select_from(Urn).where(*wanted)) or 0


def _owed(announcement: Announcement, owing: Owing, part: int) -> dict[str, Any]:
    key = sa.literal(f"bc:{announcement.id}:") + sa.cast(Urn.id, sa.String)
    conversation = sa.select(Conversation.id).where(Conversation.urn_id == Urn.id).scalar_subquery()
    values: dict[Any, Any] = {
        Delivery.commune_id: announcement.commune_id,
        Delivery.key: key if part == 1 else key + sa.literal(f":{part}"),
        Delivery.channel_id: announcement.channel_id,
        Delivery.urn_id: Urn.id,
        Delivery.conversation_id: conversation,
        Delivery.announcement_id: announcement.id,
        Delivery.kind: DeliveryKind.ANNOUNCEMENT,
        Delivery.priority: owing.priority,
        Delivery.part: part,
        Delivery.parts: len(owing.texts),
        Delivery.text: owing.texts[part - 1],
        Delivery.image_blob: announcement.image_blob if part == 1 else None,
        Delivery.state: DeliveryState.WAITING,
        Delivery.tries: 0,
        Delivery.pays: announcement.pays,
        Delivery.next_attempt_at: owing.not_before,
        Delivery.created_at: owing.now,
    }
    if owing.choices and part == len(owing.texts):
        values[Delivery.choices] = list(owing.choices)
    return {
        column.key: value
        if isinstance(value, sa.ColumnElement | QueryableAttribute)
        else sa.literal(value, column.type)
        for column, value in values.items()
    }


def _insert(is_postgres: bool) -> Any:
    if is_postgres:
        from sqlalchemy.dialects.postgresql import insert as pg_insert

        return pg_insert(Delivery)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(Delivery)


def cancel_waiting(session: Session, announcement_id: int, code: str, reason: str) -> int:
    """What has not been handed to the channel yet is not sent any more; gives how many parts."""
    result: Any = session.execute(
        sa.update(Delivery)
        .where(Delivery.announcement_id == announcement_id, Delivery.state == DeliveryState.WAITING)
        .values(state=DeliveryState.CANCELLED, code=code, reason=reason)
    )
    return int(result.rowcount)


def put_off(session: Session, announcement_id: int, until: datetime) -> int:
    """Waiting deliveries that were due earlier are due at this moment; gives how many."""
    result: Any = session.execute(
        sa.update(Delivery).where(*_due_before(announcement_id, until)).values(next_attempt_at=until)
    )
    return int(result.rowcount)


def is_due_before(session: Session, announcement_id: int, moment: datetime) -> bool:
    """Whether some waiting delivery of it is due before this moment."""
    return session.scalar(sa.select(Delivery.id).where(*_due_before(announcement_id, moment)).limit(1)) is not None


def _due_before(announcement_id: int, moment: datetime) -> list[Any]:
    return [
        Delivery.announcement_id == announcement_id,
        Delivery.state == DeliveryState.WAITING,
        Delivery.next_attempt_at < moment,
    ]


def is_unfinished(session: Session, announcement_id: int) -> bool:
    """Whether some delivery of it is still waiting or on its way."""
    # Asked apart: each has an index of its own, and the rest of a million final ones is not looked at.
    waiting, sending = (
        sa.select(Delivery.id).where(Delivery.announcement_id == announcement_id, Delivery.state == state).exists()
        for state in UNFINISHED
    )
    return bool(session.scalar(sa.select(sa.or_(waiting, sending))))


def lines_past_held(session: Session, channel_id: int) -> list[int] | None:
    """While announcements of this channel are on hold: the others of it for which somebody waits, the most urgent one
    first. None when none is, so that nobody need look past what is held.
    """
    held = sa.select(Announcement.id).where(
        Announcement.channel_id == channel_id, Announcement.paused_at.is_not(None), Announcement.state.in_(RUNNING)
    )
    if session.scalar(held.limit(1)) is None:
        return None
    waits = sa.select(Delivery.id).where(
        Delivery.announcement_id == Announcement.id, Delivery.state == DeliveryState.WAITING
    )
    others = sa.select(Announcement.id, Announcement.importance).where(
        Announcement.channel_id == channel_id, Announcement.paused_at.is_(None), waits.exists()
    )
    order = list(reversed(Importance))
    rows = session.execute(others.order_by(Announcement.approved_at, Announcement.id)).all()
    return [number for number, _ in sorted(rows, key=lambda row: order.index(row[1]))]


def first_failed_part(session: Session, announcement_id: int, delivery_id: int) -> Delivery | None:
    """Of the person whose delivery this is, the first part that was refused or of which nobody knows."""
    its_urn = sa.select(Delivery.urn_id).where(Delivery.id == delivery_id).scalar_subquery()
    query = sa.select(Delivery).where(
        Delivery.announcement_id == announcement_id,
        Delivery.urn_id == its_urn,
        Delivery.state.in_([DeliveryState.REFUSED, DeliveryState.UNKNOWN]),
    )
    return session.scalar(query.order_by(Delivery.part).limit(1))


# ---- results --------------------------------------------------------------------------------------------------------


def counts_by_state(session: Session, announcement_ids: list[int]) -> dict[int, dict[str, int]]:
    """For each announcement, how many people stand in which delivery state; a person counts once."""
    number = sa.func.sum(DeliveryCount.number)
    query = (
        sa.select(DeliveryCount.announcement_id, DeliveryCount.state, number)
        .where(DeliveryCount.announcement_id.in_(announcement_ids))
        .group_by(DeliveryCount.announcement_id, DeliveryCount.state)
        .having(number > 0)
    )
    counts: dict[int, dict[str, int]] = {i: {} for i in announcement_ids}
    for announcement_id, state, people in session.execute(query):
        counts[announcement_id][state] = int(people)
    return counts


def miscounted(session: Session) -> list[int]:
    """Announcements whose counts are not those of their deliveries; reads every delivery."""
    seen = sa.select(Delivery.announcement_id, _STATE_FOR_READER, sa.func.count()).where(
        Delivery.announcement_id.is_not(None), Delivery.part == Delivery.parts
    )
    told = sa.select(DeliveryCount.announcement_id, DeliveryCount.state, sa.func.sum(DeliveryCount.number))
    rows = {(row[0], row[1]): int(row[2]) for row in session.execute(seen.group_by(sa.text("1, 2")))}
    counts = {(row[0], row[1]): int(row[2]) for row in session.execute(told.group_by(sa.text("1, 2"))) if row[2]}
    return sorted({key[0] for key in rows.keys() | counts.keys() if rows.get(key, 0) != counts.get(key, 0)})


@dataclass(frozen=True)
class Recipient:
    """One person's line in the results of an announcement."""

    delivery_id: int
    name: str | None
    urn: str
    state: DeliveryState
    code: str | None
    reason: str | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None


def recipients(
    session: Session, announcement_id: int, *, states: list[str] | None = None, after: int = 0, limit: int = 50
) -> list[Recipient]:
    """The people of an announcement in the order they were written down, `after` this delivery."""
    query = (
        sa.select(
            Delivery.id, Contact.name, Urn.value, _STATE_FOR_READER, Delivery.code, Delivery.reason,
            Delivery.sent_at, Delivery.delivered_at, Delivery.read_at,
        )
        .join(Urn, Urn.id == Delivery.urn_id)
        .join(Contact, Contact.id == Urn.contact_id)
        .where(Delivery.announcement_id == announcement_id, Delivery.part == Delivery.parts, Delivery.id > after)
        .order_by(Delivery.id)
        .limit(limit)
    )  # fmt: skip
    if states:
        query = query.where(_STATE_FOR_READER.in_(states))
    return [Recipient(row[0], row[1], row[2], DeliveryState(row[3]), *row[4:9]) for row in session.execute(query).all()]


def page_of(session: Session, commune_id: int, *, before: int | None, limit: int) -> list[Announcement]:
    """A commune's announcements on one channel, newest first, older than `before`; not the parts of bulletins."""
    query = sa.select(Announcement).where(Announcement.commune_id == commune_id, Announcement.bulletin_id.is_(None))
    if before is not None:
        query = query.where(Announcement.id < before)
    return list(session.scalars(query.order_by(Announcement.id.desc()).limit(limit)))


def owed_since(session: Session, channel_id: int, importance: Importance, since: datetime) -> int:
    """How many announcements of this class may have gone out on a channel since then."""
    ended_at = sa.func.coalesce(Announcement.finished_at, Announcement.stopped_at)
    query = sa.select(sa.func.count()).where(
        Announcement.channel_id == channel_id,
        Announcement.importance == importance,
        Announcement.frozen_to_urn_id.is_not(None),
        sa.or_(ended_at.is_(None), ended_at > since),
    )
    return int(session.scalar(query) or 0)


def is_running(now: datetime) -> list[Any]:
    """The conditions of an announcement that can be brought forward: one that is over has to be ended in any case."""
    begins = sa.or_(Announcement.send_at.is_(None), Announcement.send_at <= now)
    goes_on = sa.and_(Announcement.paused_at.is_(None), begins)
    return [Announcement.state.in_(RUNNING), sa.or_(goes_on, Announcement.valid_until <= now)]


def is_outrun(session: Session, announcement: Announcement, now: datetime) -> bool:
    """Whether the same bulletin's next day on this channel has come already, so that nobody gets both at once."""
    if announcement.bulletin_id is None or announcement.send_at is None:
        return False
    query = sa.select(Announcement.id).where(
        Announcement.bulletin_id == announcement.bulletin_id,
        Announcement.channel_id == announcement.channel_id,
        Announcement.send_at > announcement.send_at,
        Announcement.send_at <= now,
        Announcement.state.in_(RUNNING),
    )
    return session.scalar(query.limit(1)) is not None


def running_ids(session: Session, now: datetime) -> list[int]:
    """Announcements that are approved, begun and not yet finished, in the order they were approved."""
    query = sa.select(Announcement.id).where(*is_running(now))
    return list(session.scalars(query.order_by(Announcement.approved_at, Announcement.id)))
