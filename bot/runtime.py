"""Runtime: everything a use case needs, built once and passed first."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

import storage.models  # noqa: F401 - tables refer to each other, whichever a process uses
from adapters import ADAPTERS
from adapters.base import Adapter
from adapters.http import Http
from bot.config import Settings
from bot.queue import LocalNudge, NoNudge, Nudge, RedisNudge
from storage.communes import Locality
from storage.database import Database

if TYPE_CHECKING:
    from bot.current_reader import CurrentReader


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class VaultError(Exception):
    """A sealed value cannot be opened with the keys of this installation."""


class Vault:
    """Seals secrets before they are stored; the first key seals, all of them open."""

    def __init__(self, keys: list[str]) -> None:
        self._fernet = MultiFernet([Fernet(_derive(key)) for key in keys])

    def seal(self, value: str) -> bytes:
        """Encrypt and authenticate a secret."""
        return self._fernet.encrypt(value.encode())

    def open(self, sealed: bytes) -> str:
        """Give a secret back; VaultError when the key is another one."""
        try:
            return self._fernet.decrypt(bytes(sealed)).decode()
        except InvalidToken:
            raise VaultError(
                "a stored secret cannot be opened: HAICHIEU_SECRET_KEY is not the one it was sealed with; "
                "put the earlier key into HAICHIEU_OLD_SECRET_KEYS"
            ) from None


def _derive(key: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"haichieu-vault:" + key.encode()).digest())


class Blobs:
    """Files by random name in the data directory: photos and voice notes of citizens and officials."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def keep(self, data: bytes) -> str:
        """Store bytes durably and give the name to find them by."""
        name = secrets.token_hex(16)
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        return name

    def read(self, name: str) -> bytes | None:
        """The bytes, or None when there is no such file."""
        if not name.isalnum():
            return None
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def delete(self, name: str) -> None:
        """Remove a file if it is there."""
        if name.isalnum():
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.root / name[:2] / name


@dataclass
class Runtime:
    """Built once per process by `build`; tests construct it with what they need."""

    settings: Settings
    database: Database
    adapters: Mapping[str, Adapter]
    http: Http
    vault: Vault
    blobs: Blobs
    nudge: Nudge
    now: Callable[[], datetime] = utc_now

    @cached_property
    def reader(self) -> CurrentReader:
        """The reader with this country's gazetteer and the model in use; built when first needed."""
        from bot.country import build_gazetteer
        from bot.current_reader import CurrentReader

        with self.database.reading() as session:
            rows = session.execute(
                sa.select(Locality.code, Locality.type, Locality.name, Locality.parent_code).where(
                    Locality.valid_to.is_(None)
                )
            ).all()
        return CurrentReader(
            self.database, build_gazetteer((c, kind, name, parent or "") for c, kind, name, parent in rows)
        )

    def warm_up(self) -> None:
        """Load everything reading needs; takes a second or two the first time, nothing afterwards."""
        from nlp.faq import FaqFinder
        from nlp.reading import Home

        self.reader.read("ấm máy", Home("", "", ""))
        FaqFinder().find("ấm máy")

    @staticmethod
    def build(settings: Settings, *, nudge: Nudge | None = None) -> Runtime:
        """Open the database and everything else; the only place where things are put together."""
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        key = settings.secret_key or local_secret_key(settings.data_dir)
        return Runtime(
            settings=settings,
            database=Database(
                settings.effective_database_url, pool_size=settings.web_threads + settings.worker_threads
            ),
            adapters=ADAPTERS,
            http=Http(),
            vault=Vault([key, *settings.old_secret_keys]),
            blobs=Blobs(settings.data_dir / "blobs"),
            nudge=nudge or nudge_for(settings),
        )

    def flask_key(self) -> str:
        """What signs browser cookies; derived, so that the vault's key never travels."""
        key = self.settings.secret_key or local_secret_key(self.settings.data_dir)
        return hashlib.sha256(b"haichieu-cookies:" + key.encode()).hexdigest()


def nudge_for(settings: Settings) -> Nudge:
    """How this installation wakes its workers."""
    if settings.redis_url:
        return RedisNudge(settings.redis_url)
    return LocalNudge() if settings.is_embedded else NoNudge()


def local_secret_key(data_dir: Path) -> str:
    """The key of an embedded installation, made at the first start and kept readable by its owner only."""
    path = data_dir / "secret.key"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        data_dir.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()
