"""Blobs: files named by what is in them, so that the same photo is kept once, whoever sent it and however often."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bot.bucket import Bucket, BucketAccess
from bot.stores import Disk, Store
from storage.blobs import keep_longer, note_kept
from storage.database import Database


class Blobs:
    """Photos, recordings and files of citizens and officials, in `store`; what is still in `former` is read there.

    A row that names a file is written after the file, and takes hold of it (`storage.blobs.take_hold`); which files go
    is decided by rows alone (`usecases/erasing`). So a crash leaves at most a file that nobody names.
    """

    def __init__(
        self, store: Store, database: Database, now: Callable[[], datetime], former: Store | None = None
    ) -> None:
        self.store = store
        self.former = former
        self._database = database
        self._now = now

    def keep(self, data: bytes) -> str:
        """Store bytes durably and give the name to find them by; outside of any transaction. Raises StoreAway."""
        name = digest(data)
        if not self._note(name, len(data)):
            # The same bytes are being erased at this moment: these are kept beside them.
            name = secrets.token_hex(16)
            self._note(name, len(data))
        if not self.store.has(name, len(data)):
            self.store.put(name, data)
        return name

    def confirm(self, name: str) -> bool:
        """Whether a file that was kept a while ago may still be named; if so it may for another minute."""
        with self._database.transaction() as session:
            return keep_longer(session, name, self._now())

    def note(self, name: str, size: int) -> None:
        """Remember a file that was kept by a release that wrote down no names."""
        self._note(name, size)

    def read(self, name: str) -> bytes | None:
        """The bytes, or None when there is no such file. Raises StoreAway."""
        data = self.store.get(name)
        if data is None and self.former is not None:
            data = self.former.get(name)
        return data

    def remove(self, name: str) -> None:
        """Take the bytes away, wherever they are; only for a file that rows have decided to erase."""
        self.store.remove(name)
        if self.former is not None:
            self.former.remove(name)

    def _note(self, name: str, size: int) -> bool:
        with self._database.transaction() as session:
            return note_kept(session, name, size, self._now())


def digest(data: bytes) -> str:
    """The name of bytes."""
    return hashlib.sha256(data).hexdigest()


def store_of(where: str, disk: Path, access: BucketAccess) -> Store:
    """The store that a setting names: "disk" or s3://bucket/prefix. Raises StoreUnusable."""
    return Disk(disk) if where == "disk" else Bucket(where, access)
