"""Settings, the one reader of the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

PREFIX = "HAICHIEU_"


class SettingsError(Exception):
    """Names every missing or malformed variable at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """How this installation runs. Each field is the variable HAICHIEU_<FIELD>; `README.md` lists them all."""

    database_url: str = field(default="", repr=False)  # may carry a password
    redis_url: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    old_secret_keys: tuple[str, ...] = field(default=(), repr=False)
    sealed_key: str = field(default="", repr=False)
    old_sealed_keys: tuple[str, ...] = field(default=(), repr=False)
    data_dir: Path = Path("var")
    blobs: str = "disk"
    blobs_former: str = ""
    blobs_endpoint: str = ""
    blobs_region: str = ""
    blobs_key_id: str = field(default="", repr=False)
    blobs_secret_key: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""
    web_workers: int = 1
    web_threads: int = 24
    worker_threads: int = 4
    sandbox: bool = False
    log_format: str = "console"
    log_level: str = "info"
    webhook_max_bytes: int = 1_048_576
    media_max_bytes: int = 20_000_000
    burst_seconds: int = 90
    event_max_tries: int = 5
    session_idle_minutes: int = 120
    session_hours: int = 12
    reader_judge: str = ""

    @property
    def effective_database_url(self) -> str:
        """The database to use: the configured one, or SQLite in the data directory."""
        return self.database_url or f"sqlite:///{self.data_dir / 'haichieu.db'}"

    @property
    def base_url(self) -> str:
        """Where people and channels reach this installation, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def is_https(self) -> bool:
        """Whether people reach us over HTTPS: cookies are then marked Secure."""
        return self.base_url.startswith("https://")

    @property
    def is_embedded(self) -> bool:
        """Whether everything lives on one machine with SQLite."""
        return self.effective_database_url.startswith("sqlite")

    @staticmethod
    def from_env(env: Mapping[str, str]) -> Settings:
        """Read the environment; raises SettingsError with one line for each problem."""
        values: dict[str, object] = {}
        problems: list[str] = []
        known = {f"{PREFIX}{name.upper()}": name for name in Settings.__dataclass_fields__}
        unknown = sorted(v for v in env if v.startswith(PREFIX) and v not in known)
        problems += [f"{v}: unknown variable; see the configuration table in README.md" for v in unknown]
        for variable, name in known.items():
            raw = env.get(variable, "").strip()
            if raw:
                try:
                    values[name] = _parse(name, raw)
                except ValueError as error:
                    problems.append(f"{variable}: {error}")
        settings = Settings(**values)  # type: ignore[arg-type]
        problems += _contradictions(settings)
        if problems:
            raise SettingsError(problems)
        return settings


def _parse(name: str, raw: str) -> object:
    kind = Settings.__dataclass_fields__[name].type
    if kind == "int":
        return _number(name, raw)
    if kind == "bool":
        return _yes_or_no(raw)
    if kind == "Path":
        return Path(raw)
    if kind.startswith("tuple"):
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    if name in _CHOICES and raw not in _CHOICES[name]:
        raise ValueError(f"must be one of {', '.join(_CHOICES[name])}, not {raw!r}")
    if name == "public_url" and urlsplit(raw).scheme not in {"http", "https"}:
        raise ValueError("must begin with http:// or https://")
    if name == "database_url" and not raw.startswith(
        ("sqlite:///", "postgresql://", "postgres://", "postgresql+psycopg://")
    ):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    if name == "redis_url" and not raw.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    if name in {"blobs", "blobs_former"} and raw != "disk" and not _BUCKET.fullmatch(raw):
        raise ValueError("must be disk or s3://bucket/prefix")
    if name == "blobs_endpoint" and urlsplit(raw).scheme not in {"http", "https"}:
        raise ValueError("must begin with https:// or http://")
    return raw


_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9._-]+)*/?", re.ASCII)
_CHOICES = {"log_format": ("console", "json"), "log_level": ("debug", "info", "warning", "error")}
_RANGES = {"port": (1, 65535), "web_workers": (1, 64), "web_threads": (1, 256), "worker_threads": (1, 64)}


def _number(name: str, raw: str) -> int:
    try:
        number = int(raw)
    except ValueError:
        raise ValueError(f"must be a whole number, not {raw!r}") from None
    low, high = _RANGES.get(name, (1, 10**9))
    if not low <= number <= high:
        raise ValueError(f"must be from {low} to {high}, not {number}")
    return number


def _yes_or_no(raw: str) -> bool:
    if raw.lower() in {"1", "true", "yes", "on"}:
        return True
    if raw.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError(f"must be 1 or 0, not {raw!r}")


def _contradictions(settings: Settings) -> list[str]:
    problems = []
    if settings.secret_key and len(settings.secret_key) < 32:
        problems.append(f"{PREFIX}SECRET_KEY: must have at least 32 characters")
    if not settings.is_embedded and not settings.secret_key:
        problems.append(
            f"{PREFIX}SECRET_KEY: missing; several machines share PostgreSQL, so they must share the key "
            "(make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))')"
        )
    if settings.sealed_key and len(settings.sealed_key) < 32:
        problems.append(f"{PREFIX}SEALED_KEY: must have at least 32 characters")
    if settings.sealed_key and settings.sealed_key in {settings.secret_key, *settings.old_secret_keys}:
        problems.append(f"{PREFIX}SEALED_KEY: the same as {PREFIX}SECRET_KEY; sealed words need a key of their own")
    if not settings.is_embedded and not settings.sealed_key:
        problems.append(
            f"{PREFIX}SEALED_KEY: missing; several machines share PostgreSQL, so they must share the key for sealed "
            "words, another than the secret key (make one in the same way, and keep it apart from backups)"
        )
    if settings.blobs_former and settings.blobs_former.rstrip("/") == settings.blobs.rstrip("/"):
        problems.append(f"{PREFIX}BLOBS_FORMER: the same place as {PREFIX}BLOBS; leave it out once files have moved")
    if bool(settings.blobs_key_id) != bool(settings.blobs_secret_key):
        problems.append(f"{PREFIX}BLOBS_KEY_ID and {PREFIX}BLOBS_SECRET_KEY: one without the other opens nothing")
    if settings.is_embedded and settings.web_workers > 1:
        problems.append(f"{PREFIX}WEB_WORKERS: SQLite is served by one web process; use PostgreSQL for more")
    return problems
