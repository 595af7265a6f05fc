"""Media: fetch what citizens attached, keep it, or say why it is missing; the message is kept either way."""

from __future__ import annotations

import codecs
import hashlib
import io
import re
import time
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
import structlog
from PIL import Image, UnidentifiedImageError

from adapters.base import HoldsFiles, ResolvesMedia
from adapters.http import MediaUnavailable
from bot.rules.retry import next_try
from bot.runtime import Runtime
from bot.stores import StoreAway
from bot.usecases import sealed_files
from bot.usecases.form_files import name_of
from bot.usecases.photos import taken_at
from bot.usecases.tokens import channel_config
from storage.blobs import let_go, take_hold
from storage.boundaries import boundaries
from storage.channels import Channel
from storage.enums import AttachmentState, Playing
from storage.messages import Attachment, Message
from storage.sealing import open_words

log = structlog.get_logger()

LEASE = timedelta(seconds=90)
MAX_TRIES = 6
STORE_REST = timedelta(minutes=1)
RECORDED = ("audio", "video")
MAX_PIXELS = 60_000_000
FINAL = {"too_large", "not_allowed", "wrong_type", "checksum", "too_many_pixels"}

MAGIC: dict[str, tuple[tuple[int, bytes], ...]] = {
    "image/jpeg": ((0, b"\xff\xd8\xff"),),
    "image/png": ((0, b"\x89PNG\r\n\x1a\n"),),
    "image/gif": ((0, b"GIF8"),),
    "image/webp": ((8, b"WEBP"),),
    "image/heic": tuple((4, b"ftyp" + brand) for brand in (b"heic", b"heix", b"mif1", b"msf1", b"hevc")),
    "video/quicktime": ((4, b"ftypqt  "),),
    "audio/amr": ((0, b"#!AMR"),),
    "audio/mpeg": ((0, b"ID3"), (0, b"\xff\xfb"), (0, b"\xff\xf3")),
    "audio/aac": ((0, b"\xff\xf1"), (0, b"\xff\xf9")),
    "audio/wav": ((8, b"WAVE"),),
    "audio/ogg": ((0, b"OggS"),),
    "video/mp4": ((4, b"ftyp"),),
    "application/pdf": ((0, b"%PDF-"),),
    "application/zip": ((0, b"PK\x03\x04"),),
    "application/msword": ((0, b"\xd0\xcf\x11\xe0"),),
}
ALLOWED: dict[str, tuple[str, ...]] = {
    "image": ("image/",),
    "gif": ("image/",),
    "audio": ("audio/", "video/mp4"),
    "video": ("video/",),
    "file": ("application/", "image/", "text/plain"),
}


_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


class NotWhatItSays(Exception):
    """The bytes are not what the channel said they are; `code` says how."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class _Wanted:
    id: int
    kind: str
    url: str
    md5: str | None
    tries: int
    channel: Channel
    is_sealed: bool


def fetch_due(runtime: Runtime, *, budget_seconds: float = 5.0) -> int:
    """Fetch waiting attachments for at most `budget_seconds`; gives how many were settled."""
    end = time.monotonic() + budget_seconds
    settled = 0
    while time.monotonic() < end:
        wanted = _claim(runtime)
        if wanted is None:
            break
        settled += 1
        try:
            _fetch(runtime, wanted)
        except StoreAway as error:
            _put_off(runtime, wanted, error)
            break
    return settled


def kind_of(data: bytes) -> str | None:
    """The MIME type that the first bytes tell, or None."""
    for mime, marks in MAGIC.items():
        if any(data[at : at + len(mark)] == mark for at, mark in marks):
            return mime
    return "text/plain" if _is_text(data[:4096]) else None


def _is_text(head: bytes) -> bool:
    try:
        # Not final: the last letter may have been cut in two.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return not _NOT_TEXT.search(head)


def _claim(runtime: Runtime) -> _Wanted | None:
    now = runtime.now()
    with runtime.database.transaction() as session:
        open_words(session)
        row = session.scalar(
            sa.select(Attachment)
            .where(
                Attachment.state == AttachmentState.WAITING,
                Attachment.next_try_at <= now,
                sa.or_(Attachment.lease_until.is_(None), Attachment.lease_until < now),
            )
            .order_by(Attachment.next_try_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if row is None or row.url is None:
            return None
        row.lease_until = now + LEASE
        row.tries += 1
        channel = session.scalars(
            sa.select(Channel).join(Message, Message.channel_id == Channel.id).where(Message.id == row.message_id)
        ).one()
        is_sealed = row.sealed is not None
        return _Wanted(row.id, row.kind, row.url, row.declared_md5, row.tries, channel, is_sealed=is_sealed)


def _fetch(runtime: Runtime, wanted: _Wanted) -> None:
    adapter = runtime.adapters[wanted.channel.type]
    reference = adapter.kept_file(wanted.url) if isinstance(adapter, HoldsFiles) else None
    kept = name_of(runtime, wanted.channel, reference) if reference else None
    try:
        data = _kept(runtime, kept) if reference else _bytes_of(runtime, wanted)
        mime = check(data, wanted.kind, wanted.md5)
    except (MediaUnavailable, NotWhatItSays) as error:
        _missing(runtime, wanted, error.code)
        return
    locked = sealed_files.keep(runtime, wanted.channel.commune_id, data) if wanted.is_sealed else None
    blob = locked or kept or runtime.blobs.keep(data)
    place = taken_at(data) if mime.startswith("image/") else None
    commune = boundaries().commune_at(*place) if place else None
    with runtime.database.transaction() as session:
        open_words(session)
        row = session.get_one(Attachment, wanted.id, with_for_update=True)
        if row.state is not AttachmentState.WAITING:
            # The citizen withdrew meanwhile, or a slower twin has stored it already.
            let_go(session, [blob], runtime.now())
            return
        if locked:
            let_go(session, [kept], runtime.now())
        row.lease_until = None
        if not take_hold(session, blob):
            return  # another row let go of the same bytes just now: fetch them again
        row.state, row.blob, row.mime, row.size = AttachmentState.STORED, blob, mime, len(data)
        row.missing_code, row.is_file_sealed = None, locked is not None
        if place is not None:
            row.latitude, row.longitude = place
            row.locality_code = commune
        if row.kind in RECORDED:
            row.playing, row.tries, row.next_try_at = Playing.WAITING, 0, runtime.now()
    log.info("media.stored", attachment_id=wanted.id, mime=mime, size=len(data))


def _bytes_of(runtime: Runtime, wanted: _Wanted) -> bytes:
    """The attachment's bytes; of a reference the channel is asked first, and its answer is written nowhere."""
    adapter = runtime.adapters[wanted.channel.type]
    config = channel_config(runtime, wanted.channel)
    url, shown, is_operators = wanted.url, wanted.url, False
    if isinstance(adapter, ResolvesMedia):
        source = adapter.media_source(runtime.http, config, wanted.url)
        url, is_operators = source.url.reveal(), source.is_operators
    return runtime.http.get_media(
        url,
        max_bytes=runtime.settings.media_max_bytes,
        allowed=lambda address: adapter.may_fetch(address, config),
        allow_local=wanted.channel.is_sandbox or is_operators,
        shown_url=shown,
    )


def _kept(runtime: Runtime, name: str | None) -> bytes:
    if name is None:
        raise MediaUnavailable("not_allowed")
    data = runtime.blobs.read(name)
    if data is None:
        raise MediaUnavailable("unreachable")
    runtime.blobs.note(name, len(data))
    return data


def check(data: bytes, kind: str, md5: str | None) -> str:
    """The MIME type of honest bytes; NotWhatItSays when they are something else than the channel said."""
    mime = kind_of(data)
    if mime is None or not mime.startswith(ALLOWED.get(kind, ())):
        raise NotWhatItSays("wrong_type")
    if md5 and len(md5) == 32 and hashlib.md5(data, usedforsecurity=False).hexdigest() != md5.lower():
        raise NotWhatItSays("checksum")
    if mime.startswith("image/"):
        try:
            with Image.open(io.BytesIO(data)) as image:
                width, height = image.size
        except (UnidentifiedImageError, OSError, Image.DecompressionBombError, ValueError):
            raise NotWhatItSays("wrong_type") from None
        if width * height > MAX_PIXELS:
            raise NotWhatItSays("too_many_pixels")
    return mime


def _put_off(runtime: Runtime, wanted: _Wanted, error: StoreAway) -> None:
    """Our own store is away: that is no failed try of the file, which waits as long as it takes."""
    with runtime.database.transaction() as session:
        row = session.get_one(Attachment, wanted.id, with_for_update=True)
        if row.state is not AttachmentState.WAITING:
            return
        row.lease_until, row.tries = None, max(0, row.tries - 1)
        row.missing_code, row.next_try_at = "store_away", runtime.now() + STORE_REST
    log.error("media.store_away", attachment_id=wanted.id, code=error.code)


def _missing(runtime: Runtime, wanted: _Wanted, code: str) -> None:
    now = runtime.now()
    with runtime.database.transaction() as session:
        row = session.get_one(Attachment, wanted.id, with_for_update=True)
        if row.state is not AttachmentState.WAITING:
            return
        row.lease_until = None
        row.missing_code = code
        if code in FINAL or wanted.tries >= MAX_TRIES:
            row.state = AttachmentState.MISSING
        else:
            row.next_try_at = next_try(now, wanted.tries)
    log.warning("media.missing", attachment_id=wanted.id, code=code, tries=wanted.tries)
