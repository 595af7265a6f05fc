"""Blobs: the files we keep, each once however many rows name it, and whether any row still does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.announcements import Announcement
from storage.base import Base, WithId
from storage.bulletins import Bulletin
from storage.database import insert_ignore
from storage.deliveries import Delivery
from storage.enums import AttachmentState, InboundState
from storage.messages import Attachment, InboundEvent
from storage.papers import Paper, TransferLine
from storage.sealing import open_words

# Whoever has just kept a file is about to name it in a row.
FRESH = timedelta(minutes=1)
# Longer than removing a file can take. Two who remove one file are one too many: the slower could meet new bytes there.
ERASING = timedelta(minutes=5)
# The talks of the commune's own page, whose files are in our store before its events are.
TALKS_THAT_HOLD_FILES = "web:"


class Blob(WithId, Base):
    """A file that is kept, named by the SHA-256 of its bytes, or by chance if it is from before that.

    It belongs to nobody by itself: rows that name it do, and it stays as long as one does. `kept_at`: when somebody
    last put these bytes down. `let_go_at`: a row has let go of it, so it is to be erased unless another names it.
    `is_going`: it is being erased, so no row may name it any more.
    """

    __tablename__ = "blobs"
    __table_args__ = (
        sa.UniqueConstraint("name"),
        sa.Index("ix_blobs_let_go", "let_go_at", sqlite_where=sa.text("let_go_at IS NOT NULL"),
                 postgresql_where=sa.text("let_go_at IS NOT NULL")),
    )  # fmt: skip

    name: Mapped[str] = mapped_column(sa.String(80))
    size: Mapped[int] = mapped_column(sa.BigInteger)
    kept_at: Mapped[datetime]
    let_go_at: Mapped[datetime | None]
    is_going: Mapped[bool] = mapped_column(default=False, server_default=sa.false())


def note_kept(session: Session, name: str, size: int, at: datetime) -> bool:
    """Write down that these bytes are kept from now on; False while a file of this name is being erased."""
    insert_ignore(session, Blob, [{"name": name, "size": size, "kept_at": at, "is_going": False}])
    return keep_longer(session, name, at)


def keep_longer(session: Session, name: str, at: datetime) -> bool:
    """Nobody erases it for the next minute, whatever rows say; False when it is going or gone."""
    staying = sa.update(Blob).where(Blob.name == name, Blob.is_going.is_(False))
    return bool(session.execute(staying.values(kept_at=at)).rowcount)  # type: ignore[attr-defined]


def take_hold(session: Session, name: str) -> bool:
    """Keep a file from being erased until this transaction ends, which names it in a row; False: it is gone already."""
    query = sa.select(Blob.id).where(Blob.name == name, Blob.is_going.is_(False)).with_for_update()
    return session.scalar(query) is not None


def let_go(session: Session, names: Iterable[str | None], at: datetime) -> None:
    """Rows of this transaction name these files no more: they go, after it, if nothing else does."""
    wanted = sorted({name for name in names if name})
    insert_ignore(session, Blob, [{"name": n, "size": 0, "kept_at": at - FRESH, "is_going": False} for n in wanted])
    for name in wanted:  # one by one in a fixed order, so that two of us cannot deadlock
        session.execute(sa.update(Blob).where(Blob.name == name).values(let_go_at=at))


def let_go_of(session: Session, now: datetime, limit: int) -> list[str]:
    """Files that are to be erased unless a row names them, the longest waiting first."""
    query = (
        sa.select(Blob.name)
        .where(Blob.let_go_at <= now, sa.or_(Blob.kept_at <= now - FRESH, Blob.is_going.is_(True)))
        .order_by(Blob.let_go_at, Blob.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def put_off(session: Session, name: str, until: datetime) -> None:
    """The store is away: look at this file again later."""
    session.execute(sa.update(Blob).where(Blob.name == name).values(let_go_at=until))


def named_by_no_row(session: Session, before: datetime) -> list[str]:
    """Files put down before that moment which no row of a finished deed names: a crash left them."""
    query = sa.select(Blob.name).where(
        Blob.kept_at < before, Blob.let_go_at.is_(None), *(~found.exists() for found in _rows_that_name(Blob.name))
    )
    return list(session.scalars(query))


def begin_to_erase(session: Session, name: str, now: datetime) -> bool:
    """Decide, in this transaction, that a file goes and that we remove it; False when there is none, a row names it or
    is about to, or somebody else removes it already."""
    blob = session.scalar(sa.select(Blob).where(Blob.name == name).with_for_update())
    if blob is None or (not blob.is_going and blob.kept_at > now - FRESH):
        return False
    if blob.is_going and blob.let_go_at is not None and blob.let_go_at > now:
        return False  # somebody is at it
    if not blob.is_going and is_named(session, name):
        blob.let_go_at = None
        return False
    blob.is_going, blob.let_go_at = True, now + ERASING
    return True


def forget(session: Session, name: str) -> None:
    """The file is erased: nothing is left to remember."""
    session.execute(sa.delete(Blob).where(Blob.name == name, Blob.is_going.is_(True)))


def is_known(session: Session, name: str) -> bool:
    """Whether a file of this name is kept, and is not being erased."""
    query = sa.select(Blob.id).where(Blob.name == name, Blob.is_going.is_(False))
    return session.scalar(query) is not None


def is_named(session: Session, name: str) -> bool:
    """Whether any row names a file, those included of what has not been read yet."""
    if any(session.scalar(query.limit(1)) is not None for query in _rows_that_name(sa.literal(name))):
        return True
    return _is_awaited(session, name)


def _rows_that_name(name: Any) -> list[sa.Select[tuple[int]]]:
    return [
        sa.select(Attachment.id).where(Attachment.blob == name),
        sa.select(Attachment.id).where(Attachment.sound_blob == name),
        sa.select(Delivery.id).where(Delivery.image_blob == name),
        sa.select(Paper.id).where(Paper.blob == name),
        sa.select(TransferLine.id).where(TransferLine.image_blob == name),
        sa.select(Bulletin.id).where(Bulletin.picture == name),
        sa.select(Announcement.id).where(Announcement.image_blob == name),
    ]


def _is_awaited(session: Session, name: str) -> bool:
    """What came with a form is named by the event first, then by the attachment's address until it is looked at.

    Both are locked, so they are looked into one by one; few wait.
    """
    open_words(session)
    plain = Attachment.url.startswith(f"blob:{name}", autoescape=True)
    waiting = sa.select(Attachment).where(
        Attachment.state == AttachmentState.WAITING, sa.or_(plain, Attachment.sealed.is_not(None))
    )
    if any((row.url or "").startswith(f"blob:{name}") for row in session.scalars(waiting)):
        return True
    unread = sa.select(InboundEvent).where(
        InboundEvent.conversation_key.startswith(TALKS_THAT_HOLD_FILES),
        InboundEvent.state.in_([InboundState.WAITING, InboundState.PARKED]),
    )
    return any(name.encode() in event.body for event in session.scalars(unread))
