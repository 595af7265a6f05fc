"""Runtime: everything a use case needs, built once and passed first."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

import storage.models  # noqa: F401 - tables refer to each other, whichever a process uses
from adapters import ADAPTERS
from adapters.base import Adapter
from adapters.http import Http
from adapters.secret import Secret
from bot.blobs import Blobs, store_of
from bot.bucket import BucketAccess
from bot.config import Settings
from bot.queue import LocalNudge, NoNudge, Nudge, RedisNudge
from nlp.search_text import indexed, phone_words, place_word
from storage.communes import Locality
from storage.database import Database
from storage.sealing import Seals
from storage.search_index import Searchable

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
        self._keys = [key.encode() for key in keys]

    def mark(self, value: str) -> str:
        """What only this installation can write beside a value: 32 hexadecimal digits."""
        return _mark(self._keys[0], value)

    def is_marked(self, value: str, mark: str) -> bool:
        """Whether this installation wrote the mark beside this value, with any of its keys."""
        return any(hmac.compare_digest(_mark(key, value), mark) for key in self._keys)

    def derived(self, purpose: str) -> list[bytes]:
        """Keys of 32 bytes for one purpose, made from each of this installation's keys, today's first."""
        return [hashlib.sha256(f"haichieu-{purpose}:".encode() + key).digest() for key in self._keys]

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


def _mark(key: bytes, value: str) -> str:
    return hmac.new(key, f"haichieu-mark:{value}".encode(), hashlib.sha256).hexdigest()[:32]


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

    def __post_init__(self) -> None:
        """The database locks and opens with this installation's keys, and knows what is searched for."""
        if self.database.seals is None:
            self.database.seals = Seals(partial(sealed_keys, self.settings), self.vault.derived("door"))
        self.database.searchable = Searchable(indexed, phone_words, place_word)

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
        database = Database(settings.effective_database_url, pool_size=settings.web_threads + settings.worker_threads)
        return Runtime(
            settings=settings,
            database=database,
            adapters=ADAPTERS,
            http=Http(),
            vault=Vault([key, *settings.old_secret_keys]),
            blobs=blobs_of(settings, database),
            nudge=nudge or nudge_for(settings),
        )

    def flask_key(self) -> str:
        """What signs browser cookies; derived, so that the vault's key never travels."""
        return self._derived("cookies")

    def digest(self, purpose: str, value: str) -> str:
        """What a short secret is recognised by (64 hexadecimal digits); without our key nobody can try them all."""
        return hmac.new(self._derived(purpose).encode(), value.encode(), "sha256").hexdigest()

    def _derived(self, purpose: str) -> str:
        return hashlib.sha256(f"haichieu-{purpose}:".encode() + self._key.encode()).hexdigest()

    @cached_property
    def _key(self) -> str:
        return self.settings.secret_key or local_secret_key(self.settings.data_dir)


def blobs_of(settings: Settings, database: Database, now: Callable[[], datetime] = utc_now) -> Blobs:
    """Where this installation keeps files, and where it kept them before. StoreUnusable says why it cannot."""
    access = BucketAccess(
        settings.blobs_endpoint, settings.blobs_region, settings.blobs_key_id, Secret(settings.blobs_secret_key)
    )
    disk = settings.data_dir / "blobs"
    former = store_of(settings.blobs_former, disk, access) if settings.blobs_former else None
    return Blobs(store_of(settings.blobs, disk, access), database, now, former)


def nudge_for(settings: Settings) -> Nudge:
    """How this installation wakes its workers."""
    if settings.redis_url:
        return RedisNudge(settings.redis_url)
    return LocalNudge() if settings.is_embedded else NoNudge()


def sealed_keys(settings: Settings) -> list[str]:
    """What locks the communes' keys for sealed words; never the secret key, and never in the database."""
    return [settings.sealed_key or _local_key(settings.data_dir / "sealed.key"), *settings.old_sealed_keys]


def local_secret_key(data_dir: Path) -> str:
    """The key of an embedded installation, made at the first start and kept readable by its owner only."""
    return _local_key(data_dir / "secret.key")


def _local_key(path: Path) -> str:
    data_dir = path.parent
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
