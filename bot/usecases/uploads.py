"""Uploads: a picture is handed to a channel once, for everybody who gets it, until the channel forgets it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError

from adapters.base import NamesPictures, Uploading
from adapters.errors import UploadExpired
from adapters.messages import OutboundMessage, SendResult
from adapters.secret import Secret
from bot.runtime import Runtime
from storage.channels import Channel
from storage.uploads import Upload

log = structlog.get_logger()

# One of this process's threads hands a picture over while the others wait for its id; another process may do it, too,
# which costs an upload and harms nobody.
_locks: defaultdict[tuple[int, str], threading.Lock] = defaultdict(threading.Lock)
_guard = threading.Lock()


def uploaded(
    runtime: Runtime,
    channel: Channel,
    adapter: Uploading,
    config: Any,
    token: Secret,
    blob: str,
    message: OutboundMessage,
    *,
    forgotten: UploadExpired | None = None,
) -> OutboundMessage:
    """The message with the id under which the channel has its picture; `forgotten`: the id we had is none any more.

    Raises SendError.
    """
    image = message.image
    if image is None:
        return message
    with _turn(channel, blob):
        handle = _known(runtime, channel, adapter.upload_days, blob)
        if handle is None or (forgotten is not None and handle == image.upload_id):
            handle = adapter.upload(runtime.http, config, token, image)
            _remember(runtime, channel, blob, handle)
    return replace(message, image=replace(image, upload_id=handle))


def sent(
    runtime: Runtime,
    channel: Channel,
    adapter: NamesPictures,
    blob: str,
    message: OutboundMessage,
    send: Callable[[OutboundMessage], SendResult],
) -> SendResult:
    """Send a message by the name under which the channel knows its picture; the first one brings it, others wait.

    Raises SendError.
    """
    image = message.image
    if image is None:
        return send(message)
    handle = _known(runtime, channel, adapter.picture_days, blob)
    if handle is None:
        with _turn(channel, blob):
            handle = _known(runtime, channel, adapter.picture_days, blob)
            if handle is None:
                return _brought(runtime, channel, blob, send(message))
    try:
        return send(replace(message, image=replace(image, upload_id=handle)))
    except UploadExpired:  # the picture is brought anew, once
        return _brought(runtime, channel, blob, send(message))


def _brought(runtime: Runtime, channel: Channel, blob: str, result: SendResult) -> SendResult:
    if result.upload_id:
        _remember(runtime, channel, blob, result.upload_id)
    return result


@contextmanager
def _turn(channel: Channel, blob: str) -> Iterator[None]:
    with _guard:
        lock = _locks[channel.id, blob]
    with lock:
        yield
    with _guard:
        _locks.pop((channel.id, blob), None)


def _known(runtime: Runtime, channel: Channel, days: float, blob: str) -> str | None:
    after = runtime.now() - timedelta(days=days)
    query = sa.select(Upload.handle).where(
        Upload.channel_id == channel.id, Upload.blob == blob, Upload.uploaded_at > after
    )
    with runtime.database.reading() as session:
        return session.scalar(query)


def _remember(runtime: Runtime, channel: Channel, blob: str, handle: str) -> None:
    mine = sa.and_(Upload.channel_id == channel.id, Upload.blob == blob)
    known = {"handle": handle, "uploaded_at": runtime.now()}
    try:
        with runtime.database.transaction() as session:
            changed = session.execute(sa.update(Upload).where(mine).values(**known))
            if not changed.rowcount:  # type: ignore[attr-defined]
                session.add(Upload(commune_id=channel.commune_id, channel_id=channel.id, blob=blob, **known))
    except IntegrityError:  # another process has handed it over meanwhile; either id will do
        log.info("upload.known_meanwhile", channel=channel.slug)
