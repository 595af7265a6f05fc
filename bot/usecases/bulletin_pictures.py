"""The picture of a bulletin: one, made anew, kept as a file named by its bytes and so a part of what is approved.

Each channel that carries pictures is handed it once, for everybody (`usecases/uploads`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.orm import Session

from adapters.text import printable
from bot.rules.lifecycle import NotAllowed
from bot.runtime import Runtime
from bot.usecases.announcing import AnnouncementError
from bot.usecases.photos import fit
from bot.usecases.pictures import give_up, keep_picture
from storage.blobs import let_go, take_hold
from storage.bulletins import Bulletin

MOST_BYTES = 1_000_000  # what the narrowest channel takes, so that one file serves all
MOST_WORDS = 200


@dataclass(frozen=True)
class Picture:
    """What an author does about the picture: a new one, or none any more; `words`: what is seen on it."""

    words: str = ""
    data: bytes | None = None
    is_dropped: bool = False


AS_IT_IS = Picture()


@contextmanager
def kept_picture(runtime: Runtime, picture: Picture) -> Iterator[str | None]:
    """Around the transaction that names it: the name of a new picture, given up if that comes to nothing.

    AnnouncementError for what is no picture, or too large, or while files cannot be stored.
    """
    blob = None
    if picture.data:
        if not _tidy(picture.words):
            raise AnnouncementError("Chưa ghi trên ảnh có gì. Vui lòng mô tả ảnh, rồi chọn lại ảnh.")
        try:
            blob = keep_picture(runtime, fit(picture.data, MOST_BYTES))
        except NotAllowed as refusal:
            raise AnnouncementError(refusal.sentence, **refusal.values) from None
    try:
        yield blob
    except BaseException:
        give_up(runtime, blob)
        raise


def put_picture(session: Session, runtime: Runtime, bulletin: Bulletin, picture: Picture, blob: str | None) -> None:
    """Let a bulletin have the new picture, the one it had, or none. AnnouncementError."""
    before = bulletin.picture
    if blob is not None:
        if not take_hold(session, blob):
            raise AnnouncementError("Chưa lưu được ảnh. Vui lòng chọn lại ảnh rồi lưu.")
        bulletin.picture = blob
    elif picture.is_dropped:
        bulletin.picture = None
    bulletin.picture_words = _tidy(picture.words) if bulletin.picture else ""
    if before and before != bulletin.picture:
        let_go(session, [before], runtime.now())


def _tidy(words: str) -> str:
    return " ".join(printable(words, MOST_WORDS).split())
