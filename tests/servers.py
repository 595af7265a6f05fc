"""The servers that some tests need: found, skipped loudly where there is none, a failure under CI.

TEST_POSTGRES_URL and TEST_REDIS_URL name others than this machine's. They do not begin with HAICHIEU_, which names
settings of the product only.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest
import redis
import sqlalchemy as sa

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql:///postgres")
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379").rstrip("/")


def postgres_or_skip() -> sa.Engine:
    """A connection to PostgreSQL."""
    engine = sa.create_engine(sa.make_url(POSTGRES.replace("postgresql://", "postgresql+psycopg://", 1)))
    try:
        with engine.connect():
            return engine
    except sa.exc.OperationalError as error:
        _missing("PostgreSQL", "TEST_POSTGRES_URL", "half of the storage promise is unseen", error)


def redis_or_skip(number: int) -> str:
    """The URL of a numbered database of Redis."""
    url = f"{REDIS}/{number}"
    try:
        redis.Redis.from_url(url, socket_connect_timeout=2).ping()
    except redis.RedisError as error:
        _missing("Redis", "TEST_REDIS_URL", "the RQ engine is unseen", error)
    return url


# ---- servers of one's own, to be restarted and emptied ---------------------------------------------------------------


# What the README tells a province to set: as it comes, PostgreSQL writes every page anew each gigabyte of its log.
FOR_MANY = {"shared_buffers": "512MB", "max_wal_size": "8GB", "checkpoint_timeout": "15min", "wal_compression": "on"}


@dataclass(frozen=True)
class OwnPostgres:
    """A PostgreSQL of this run's own; `url` is of its first database."""

    url: str
    folder: Path
    port: int

    def restart(self, *, is_crash: bool) -> None:
        """Stop it as on a power cut, or by cutting off whoever is connected, and start it again."""
        self._ctl("restart", "-m", "immediate" if is_crash else "fast")

    def start(self) -> None:
        """Make an empty cluster and start it."""
        (self.folder / "socket").mkdir()
        _chown(self.folder)
        self._run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
        self._ctl("start")

    def stop(self) -> None:
        """End it, whatever it is doing."""
        self._ctl("stop", "-m", "immediate")

    def _ctl(self, *what: str) -> None:
        told = " ".join(f"-c {name}={value}" for name, value in FOR_MANY.items())
        options = f"-p {self.port} -c listen_addresses='' -k {self.folder}/socket {told}"
        self._run(
            "pg_ctl", "-D", f"{self.folder}/data", "-w", "-t", "60", "-l", f"{self.folder}/log", "-o", options, *what
        )

    def _run(self, program: str, *words: str) -> None:
        as_who = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []  # it refuses to be root
        found = shutil.which(program) or _debian(program)
        done = subprocess.run(
            [*as_who, found, *words], cwd="/", capture_output=True, text=True, check=False, timeout=90
        )
        if done.returncode:
            raise AssertionError(f"{program} {words[-1]}: {done.stdout[-300:]} {done.stderr[-300:]}")


@contextmanager
def own_postgres(folder: Path) -> Iterator[OwnPostgres]:
    """A PostgreSQL in this folder, on a socket there; needs PostgreSQL's programs."""
    place = folder / "postgres"
    place.mkdir()
    port = _free_port()
    server = OwnPostgres(f"postgresql://postgres@/postgres?host={place}/socket&port={port}", place, port)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def own_redis(folder: Path) -> Iterator[str]:
    """A Redis of this run's own, which keeps nothing; gives its URL."""
    port = _free_port()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    with (folder / "redis.log").open("ab") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    url = f"redis://127.0.0.1:{port}"
    try:
        _wait_for_redis(url)
        yield url
    finally:
        server.terminate()
        server.wait(10)


def _wait_for_redis(url: str) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            redis.Redis.from_url(url).ping()
            return
        except redis.RedisError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _chown(folder: Path) -> None:
    if os.getuid() == 0:
        for place in (folder, folder / "socket"):
            shutil.chown(place, "postgres", "postgres")
        folder.parent.chmod(0o755)


def _debian(program: str) -> str:
    found = sorted(str(place) for place in Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    if not found:
        _missing("PostgreSQL's programs", "PATH", "restarts of the database are unseen", FileNotFoundError(program))
    return found[-1]


def _missing(server: str, variable: str, unseen: str, error: Exception) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI needs {server} at {variable}: {error}")
    pytest.skip(f"SKIPPED: no {server} here (set {variable}); {unseen}")
