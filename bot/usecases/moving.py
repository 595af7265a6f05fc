"""Moving: files from where they were kept to where they are kept now, while everything runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bot.blobs import digest
from bot.runtime import Runtime
from bot.stores import Disk, Store, StoreAway
from bot.usecases.findings import Report
from bot.usecases.problems import Problem
from storage.blobs import is_known

log = structlog.get_logger()


class NothingToMove(Problem):
    """The settings name no place where files were kept before."""


@dataclass
class Moved:
    """How far a move came: files moved, bytes of them, and files left because no row ever named them."""

    files: int = 0
    size: int = 0
    unknown: int = 0


def move(runtime: Runtime, note: Callable[[Moved], None] = lambda _: None) -> Moved:
    """Bring every file from the former store into the one in use, each compared before its old copy goes.

    Stop it and start it again as often as you like: what is not moved is still read where it was. Raises StoreAway,
    and StoreUnusable when a file does not come back as it was put.
    """
    former, store = runtime.blobs.former, runtime.blobs.store
    if former is None:
        raise NothingToMove("HAICHIEU_BLOBS_FORMER is not set: it says where files are moved from, disk or s3://…")
    moved = Moved()
    for name in former.names():
        if not _is_known(runtime, name):
            moved.unknown += 1  # not ours to judge: of another installation, or left by a crash long ago
            continue
        size = _move_one(runtime, name, former, store)
        moved.files, moved.size = moved.files + 1, moved.size + size
        note(moved)
    log.info("blobs.moved", files=moved.files, bytes=moved.size, unknown=moved.unknown)
    return moved


def _move_one(runtime: Runtime, name: str, former: Store, store: Store) -> int:
    data = former.get(name)
    if data is None:
        return 0  # erased a moment ago
    if not store.has(name, len(data)):
        store.put(name, data)
    back = store.get(name)
    if back is None or digest(back) != digest(data):
        raise StoreAway(f"{store.place} gives {name[:12]}… back otherwise than it was put; nothing was removed")
    if not _is_known(runtime, name):
        store.remove(name)  # a citizen took it back while we copied it
        if _is_known(runtime, name):
            store.put(name, data)  # and another has sent the same since
    former.remove(name)
    return len(data)


def _is_known(runtime: Runtime, name: str) -> bool:
    with runtime.database.reading() as session:
        return is_known(session, name)


def check_blobs(runtime: Runtime) -> Report:
    """Whether files can be kept, read and removed, and whether all machines see the same ones."""
    report = Report()
    for what, store in (("files", runtime.blobs.store), ("former files", runtime.blobs.former)):
        if store is None:
            continue
        try:
            store.check()
        except StoreAway as error:
            report.add("FAIL", what, str(error), SHOWN_AWAY)
        else:
            report.add("ok", what, f"{store.place} can be written, read and cleared", "Nơi lưu tệp dùng được.")
    if isinstance(runtime.blobs.store, Disk) and not runtime.settings.is_embedded:
        report.add(
            "warn",
            "machines",
            f"{runtime.blobs.store.place} is a disk of this machine: if web and workers run on several, all must mount "
            "the same share there, or use HAICHIEU_BLOBS=s3://bucket/prefix; else the others lack what one fetched",
            "Tệp nằm trên ổ đĩa của một máy. Vui lòng báo người vận hành máy chủ nếu hệ thống chạy trên nhiều máy.",
        )
    return report


SHOWN_AWAY = "Nơi lưu tệp đang không dùng được. Vui lòng báo người vận hành máy chủ."
