"""Pictures that officials and bodies hand us: kept before the row that names them, given up when no row does."""

from __future__ import annotations

import structlog

from bot.queue import MEDIA
from bot.rules.lifecycle import NotAllowed
from bot.runtime import Runtime
from bot.stores import StoreAway
from storage.blobs import let_go

log = structlog.get_logger()

STORE_AWAY = "Chưa lưu được ảnh vì nơi lưu tệp đang không dùng được. Anh/Chị vui lòng gửi lại sau ít phút, hoặc bỏ ảnh."


def keep_picture(runtime: Runtime, picture: bytes) -> str:
    """Store a picture, outside of any transaction; gives its name. NotAllowed when the store is away."""
    try:
        return runtime.blobs.keep(picture)
    except StoreAway as error:
        log.error("picture.store_away", code=error.code)
        raise NotAllowed("store_away", STORE_AWAY) from None


def give_up(runtime: Runtime, blob: str | None) -> None:
    """No row came to name this file: it goes, unless another names it."""
    if blob is None:
        return
    with runtime.database.transaction() as session:
        let_go(session, [blob], runtime.now())
    runtime.nudge(MEDIA)
