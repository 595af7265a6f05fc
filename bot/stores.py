"""Stores: where the bytes of files lie, on a disk or in a bucket, behind the same few verbs."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

# Names are SHA-256 sums, or chance from before: nothing else in a folder or a bucket is ours to touch.
NAME = re.compile(r"[0-9a-f]{32}(?:[0-9a-f]{32})?", re.ASCII)


class StoreAway(Exception):
    """The store cannot be used now; nothing is lost, the same is tried again later. `code` says why, for operators."""

    def __init__(self, code: str) -> None:
        super().__init__(f"files cannot be kept or read now: {code}")
        self.code = code


class StoreUnusable(StoreAway):
    """The store will not work until an operator changes something; the message says what."""

    def __init__(self, code: str, what_to_do: str) -> None:
        super().__init__(code)
        self.args = (what_to_do,)


class Store(Protocol):
    """Files by name; every verb may raise StoreAway, and may be repeated without harm."""

    @property
    def place(self) -> str:
        """Where it is, as operators write it."""
        ...

    def put(self, name: str, data: bytes) -> None:
        """Keep bytes durably: after this they are there whole, before they are not there at all."""
        ...

    def get(self, name: str) -> bytes | None:
        """The bytes, or None when there is no such file."""
        ...

    def has(self, name: str, size: int) -> bool:
        """Whether a file of this name and size is there."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        ...

    def names(self) -> Iterator[str]:
        """The names of all files of ours."""
        ...

    def check(self) -> None:
        """Write, read and remove a small file; StoreUnusable says what an operator must change."""
        ...


class Disk:
    """Files in a folder of this machine, or of a share that all machines see."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def place(self) -> str:
        """The folder."""
        return str(self.root)

    def put(self, name: str, data: bytes) -> None:
        """Write beside, make it durable, then give it its name."""
        path = self._path(name)
        part = self.root / "parts" / f"{name}.{secrets.token_hex(4)}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
            _make_durable(path.parent)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise StoreAway(f"disk: {error.strerror}") from None

    def get(self, name: str) -> bytes | None:
        """The bytes, or None."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreAway(f"disk: {error.strerror}") from None

    def has(self, name: str, size: int) -> bool:
        """Whether the file is there, whole."""
        try:
            return self._path(name).stat().st_size == size
        except OSError:
            return False

    def remove(self, name: str) -> None:
        """Remove it if it is there."""
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise StoreAway(f"disk: {error.strerror}") from None

    def names(self) -> Iterator[str]:
        """Names of all files, folder by folder."""
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            yield from sorted(path.name for path in folder.iterdir() if NAME.fullmatch(path.name))

    def check(self) -> None:
        """Whether this process may write here."""
        name = secrets.token_hex(16)
        try:
            self.put(name, b"check")
            self.remove(name)
        except StoreAway as error:
            raise StoreUnusable(error.code, f"cannot write to {self.root} ({error.code})") from None

    def forget_parts(self, before: float) -> None:
        """Remove what was half written before that moment (seconds since 1970): whoever wrote it is dead."""
        for part in (self.root / "parts").glob("*"):
            if part.stat().st_mtime < before:
                part.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            # Rows hold names that we made, so this is a mistake of ours or somebody else's word for a path.
            return self.root / "none" / "such"
        return self.root / name[:2] / name


def _make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
