"""Bulletins: one text for all channels, written by one official and approved by another, made of announcements."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.announcements import Announcement
from storage.audiences import About, Narrowing
from storage.base import Base, BigId, Json, OfCommune, one_of
from storage.contacts import Contact, Urn
from storage.deliveries import Delivery
from storage.enums import BulletinKind, BulletinState, DeliveryState, Importance


class Bulletin(OfCommune, Base):
    """`approved_hash` is of everything an approver read; each channel's announcement is made of exactly that.

    `texts`: by medium, where its words are not made from `body`. `picture`: the file that goes with it where a channel
    carries pictures, named by its bytes; `picture_words`: what is seen on it, for whoever does not see. `channel_ids`:
    where it goes, at which `prices` (in đồng, by channel); `narrowing`: whom it is only for (`audiences.Narrowing`);
    `aloud`: on which loudspeakers and when (`rules/aloud`). `corrects_id`: the first bulletin that this one puts right
    or takes back; it goes to those who got that one. `asks_safety`: people are asked whether they are safe or need
    help; `ended_at`: when that emergency was ended; `reminded_at`: when officials were told that nobody had.
    `repeats_id`: the emergency of which this is the same once more, `is_for_silent`: only for those who have not
    answered it. `repeat_days`, `repeat_times`: it goes out so often, that many days apart, by itself.
    `approval_reason`: why the duty leader let it out at once; `reviewed_by_id` is who looked at that afterwards, a
    third person. `notice_id`: the bulletin from above that it passes on word for word; without an author it went out
    by itself, as an emergency from above does.
    """

    __tablename__ = "bulletins"
    __table_args__ = (
        sa.CheckConstraint("approver_id IS NULL OR approver_id <> author_id", name="two_people"),
        sa.CheckConstraint(
            "reviewed_by_id IS NULL OR (reviewed_by_id <> approver_id AND reviewed_by_id <> author_id)",
            name="reviewed_by_a_third",
        ),
        sa.Index("ix_bulletins_list", "commune_id", "created_at"),
        sa.Index("ix_bulletins_picture", "picture", sqlite_where=sa.text("picture IS NOT NULL"),
                 postgresql_where=sa.text("picture IS NOT NULL")),
    )  # fmt: skip

    title: Mapped[str] = mapped_column(sa.String(120))
    body: Mapped[str] = mapped_column(sa.Text)
    texts: Mapped[dict[str, str]] = mapped_column(Json, default=dict, server_default="{}")
    importance: Mapped[Importance] = mapped_column(one_of(Importance), default=Importance.ROUTINE)
    send_at: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    topic: Mapped[str] = mapped_column(sa.String(40), default="", server_default="")
    place_ids: Mapped[list[int]] = mapped_column(default=list, server_default="[]")
    narrowing: Mapped[dict[str, Any]] = mapped_column(Json, default=dict, server_default="{}")
    prices: Mapped[dict[str, int]] = mapped_column(Json, default=dict, server_default="{}")
    channel_ids: Mapped[list[int]] = mapped_column(default=list, server_default="[]")
    aloud: Mapped[dict[str, Any]] = mapped_column(Json, default=dict, server_default="{}")
    picture: Mapped[str | None] = mapped_column(sa.String(80))
    picture_words: Mapped[str] = mapped_column(sa.String(200), default="", server_default="")
    kind: Mapped[BulletinKind] = mapped_column(one_of(BulletinKind), default=BulletinKind.FIRST)
    corrects_id: Mapped[int | None] = mapped_column(BigId, index=True)
    state: Mapped[BulletinState] = mapped_column(one_of(BulletinState), default=BulletinState.DRAFT)
    notice_id: Mapped[int | None] = mapped_column(sa.ForeignKey("source_notices.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    approver_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    approved_hash: Mapped[str | None] = mapped_column(sa.String(64))
    approval_reason: Mapped[str | None] = mapped_column(sa.Text)
    reviewed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    reviewed_at: Mapped[datetime | None]
    returned_note: Mapped[str | None] = mapped_column(sa.Text)
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    asks_safety: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    ended_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    repeats_id: Mapped[int | None] = mapped_column(BigId, index=True)
    is_for_silent: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    repeat_days: Mapped[int] = mapped_column(default=0, server_default="0")
    repeat_times: Mapped[int] = mapped_column(default=1, server_default="1")

    @property
    def root_id(self) -> int:
        """The bulletin with which it began: what it repeats, puts right or ends, or itself."""
        return self.repeats_id or self.corrects_id or self.id


class Telling(OfCommune, Base):
    """That an official told somebody in person what a bulletin could not bring them."""

    __tablename__ = "tellings"
    __table_args__ = (sa.UniqueConstraint("bulletin_id", "contact_id"),)

    bulletin_id: Mapped[int] = mapped_column(sa.ForeignKey("bulletins.id"))
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contacts.id"), index=True)
    official_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    at: Mapped[datetime]


class Tester(OfCommune, Base):
    """An official's own address on a channel, proven by a code of their page that was said there.

    Until then only `digest` stands, good until `expires_at`.
    """

    __tablename__ = "testers"
    __table_args__ = (sa.Index("ix_testers_digest", "commune_id", "digest"),)

    official_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"), index=True)
    digest: Mapped[str] = mapped_column(sa.String(64))
    expires_at: Mapped[datetime]
    channel_id: Mapped[int | None] = mapped_column(sa.ForeignKey("channels.id"))
    urn_id: Mapped[int | None] = mapped_column(sa.ForeignKey("urns.id"))
    agreed_at: Mapped[datetime | None]


class BulletinTest(OfCommune, Base):
    """That an author had a bulletin sent to themselves, in the words of this digest; the delivery knows how it went."""

    __tablename__ = "bulletin_tests"

    bulletin_id: Mapped[int] = mapped_column(sa.ForeignKey("bulletins.id"), index=True)
    official_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    delivery_id: Mapped[int] = mapped_column(sa.ForeignKey("deliveries.id"))
    words_hash: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime]


def about_bulletin(bulletin: Bulletin) -> About:
    """Whom it is for."""
    return About(bulletin.topic, tuple(bulletin.place_ids), Narrowing.of(bulletin.narrowing or {}))


def legs_of(session: Session, bulletin_ids: list[int], *, lock: bool = False) -> dict[int, list[Announcement]]:
    """The announcements of each bulletin, in the order of their channels' numbers."""
    query = sa.select(Announcement).where(Announcement.bulletin_id.in_(bulletin_ids)).order_by(Announcement.channel_id)
    legs: dict[int, list[Announcement]] = {number: [] for number in bulletin_ids}
    for leg in session.scalars(query.with_for_update(key_share=True) if lock else query):
        legs[leg.bulletin_id or 0].append(leg)
    return legs


def repeats_of(session: Session, bulletin_id: int) -> list[Bulletin]:
    """The times an emergency was told once more, in the order they were begun; also those nobody has approved yet."""
    query = sa.select(Bulletin).where(Bulletin.repeats_id == bulletin_id)
    return list(session.scalars(query.order_by(Bulletin.id)))


def page_of_bulletins(session: Session, commune_id: int, *, before: int | None, limit: int) -> list[Bulletin]:
    """A commune's bulletins, newest first, older than `before`."""
    query = sa.select(Bulletin).where(Bulletin.commune_id == commune_id)
    if before is not None:
        query = query.where(Bulletin.id < before)
    return list(session.scalars(query.order_by(Bulletin.id.desc()).limit(limit)))


def followed_by(session: Session, bulletin_id: int) -> list[Bulletin]:
    """The corrections and recalls of a bulletin, the first one first."""
    query = sa.select(Bulletin).where(Bulletin.corrects_id == bulletin_id).order_by(Bulletin.id)
    return list(session.scalars(query))


# ---- tests ----------------------------------------------------------------------------------------------------------


def testers_of(session: Session, official_id: int) -> list[Tester]:
    """The official's own addresses that can be written to, the latest of each channel."""
    query = (
        sa.select(Tester)
        .join(Urn, Urn.id == Tester.urn_id)
        .join(Contact, Contact.id == Urn.contact_id)
        .where(Tester.official_id == official_id, Tester.agreed_at.is_not(None), Contact.erased_at.is_(None))
        .order_by(Tester.id)
    )
    return list({tester.channel_id: tester for tester in session.scalars(query)}.values())


def tester_by(session: Session, commune_id: int, digest: str, now: datetime) -> Tester | None:
    """Whoever waits for the code of this digest to be said, locked."""
    query = sa.select(Tester).where(
        Tester.commune_id == commune_id, Tester.digest == digest, Tester.agreed_at.is_(None), Tester.expires_at > now
    )
    return session.scalar(query.with_for_update())


def tests_of(session: Session, bulletin_id: int) -> list[tuple[BulletinTest, DeliveryState]]:
    """The tests of a bulletin and how each went, latest first; a test in parts is as good as its last part."""
    last = sa.orm.aliased(Delivery)
    its_last_part = last.key == Delivery.key + sa.literal(":") + sa.cast(Delivery.parts, sa.String)
    query = (
        sa.select(BulletinTest, sa.func.coalesce(last.state, Delivery.state))
        .join(Delivery, Delivery.id == BulletinTest.delivery_id)
        .outerjoin(last, its_last_part)
        .where(BulletinTest.bulletin_id == bulletin_id)
        .order_by(BulletinTest.id.desc())
    )
    return [(test, DeliveryState(state)) for test, state in session.execute(query)]
