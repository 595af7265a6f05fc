"""Playing: recordings of citizens made so that an official's browser plays them; the original stays beside."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
import structlog

from bot.rules.retry import next_try
from bot.runtime import Runtime
from bot.stores import StoreAway
from bot.usecases import sealed_files
from bot.usecases.sounds import Sound, listen
from storage.blobs import let_go, take_hold
from storage.enums import AttachmentState, Playing
from storage.messages import Attachment
from storage.sealing import KeyLost

log = structlog.get_logger()

LEASE = timedelta(seconds=90)
MAX_TRIES = 3  # a file whose maker dies each time is given up


@dataclass(frozen=True)
class _Wanted:
    id: int
    blob: str
    mime: str
    is_film: bool
    tries: int
    commune_id: int
    is_sealed: bool


def make_playable_due(runtime: Runtime, *, budget_seconds: float = 5.0) -> int:
    """Make waiting recordings playable for at most `budget_seconds`; gives how many were settled."""
    end = time.monotonic() + budget_seconds
    settled = 0
    while time.monotonic() < end:
        wanted = _claim(runtime)
        if wanted is None:
            break
        try:
            _make(runtime, wanted)
        except StoreAway as error:
            _put_off(runtime, wanted, error)
            break
        settled += 1
    return settled


def _claim(runtime: Runtime) -> _Wanted | None:
    now = runtime.now()
    with runtime.database.transaction() as session:
        row = session.scalar(
            sa.select(Attachment)
            .where(
                Attachment.playing == Playing.WAITING,
                Attachment.next_try_at <= now,
                sa.or_(Attachment.lease_until.is_(None), Attachment.lease_until < now),
            )
            .order_by(Attachment.next_try_at, Attachment.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return None
        row.lease_until, row.next_try_at = now + LEASE, now + LEASE
        row.tries += 1
        if row.tries > MAX_TRIES:
            row.playing, row.lease_until = Playing.UNPLAYABLE, None
            log.warning("recording.given_up", attachment_id=row.id)
        return _Wanted(
            row.id,
            row.blob or "",
            row.mime or "",
            row.kind == "video",
            row.tries,
            row.commune_id,
            is_sealed=row.is_file_sealed,
        )


def _make(runtime: Runtime, wanted: _Wanted) -> None:
    if wanted.tries > MAX_TRIES:
        return
    try:
        data = sealed_files.read(runtime, wanted.blob)
    except KeyLost:
        data = None
    sound = listen(data, wanted.mime, is_film=wanted.is_film) if data is not None else Sound("unplayable")
    blob = _kept(runtime, wanted, sound.mp3) if sound.mp3 else None
    with runtime.database.transaction() as session:
        row = session.get_one(Attachment, wanted.id, with_for_update=True)
        row.lease_until = None
        if row.state is not AttachmentState.STORED or row.playing is not Playing.WAITING:
            let_go(session, [blob], runtime.now())  # the citizen withdrew meanwhile
            return
        if (blob is not None and not take_hold(session, blob)) or row.is_file_sealed is not wanted.is_sealed:
            row.next_try_at = next_try(runtime.now(), wanted.tries)
            return
        row.sound_blob, row.seconds, row.playing = blob, sound.seconds, Playing(sound.verdict)
    log.info("recording.looked_at", attachment_id=wanted.id, verdict=sound.verdict, seconds=sound.seconds)


def _kept(runtime: Runtime, wanted: _Wanted, mp3: bytes) -> str:
    return sealed_files.keep(runtime, wanted.commune_id, mp3) if wanted.is_sealed else runtime.blobs.keep(mp3)


def _put_off(runtime: Runtime, wanted: _Wanted, error: StoreAway) -> None:
    """Our own store is away: that is no failed try."""
    with runtime.database.transaction() as session:
        row = session.get_one(Attachment, wanted.id, with_for_update=True)
        row.lease_until, row.tries = None, max(0, row.tries - 1)
        row.next_try_at = next_try(runtime.now(), MAX_TRIES)
    log.error("recording.store_away", attachment_id=wanted.id, code=error.code)
