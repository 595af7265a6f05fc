"""Fixtures for all rooms: the two engines, a runtime on each, and a commune that people remember."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache

from adapters import ADAPTERS
from adapters.http import Http
from bot.blobs import Blobs
from bot.config import Settings
from bot.runtime import Runtime, Vault
from bot.stores import Disk
from bot.usecases.setup import prepare_database
from storage.database import Database
from storage.models import Base
from tests.builders import World, a_world
from tests.servers import postgres_or_skip

KEPT = {"localities", "holidays", "alembic_version"}
MEMORY = Path("/dev/shm")
ROOM_NEEDED = 4 << 30  # bytes
NOON = datetime(2026, 10, 7, 5, 0, tzinfo=UTC)  # a Wednesday, noon in Vietnam


def pytest_configure(config: pytest.Config) -> None:
    """Write into memory where there is room: SQLite waits for the disk at each commit, and no test cuts the power."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_NEEDED:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_collection_finish(session: pytest.Session) -> None:
    """What has been imported stays: looking through it for garbage again and again took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


class CompiledPages(BytecodeCache):
    """What Jinja has once compiled: each application of this test process takes it from here."""

    def __init__(self) -> None:
        self.compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a page that was compiled before."""
        if bucket.key in self.compiled:
            bucket.bytecode_from_string(self.compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a page that was compiled now."""
        self.compiled[bucket.key] = bucket.bytecode_to_string()


Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": CompiledPages()}


class Clock:
    """A clock that tests move by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **delta: float) -> None:
        """Let time pass."""
        self.now += timedelta(**delta)


class NoticedNudges:
    """Remembers which jobs were nudged."""

    def __init__(self) -> None:
        self.jobs: list[str] = []

    def __call__(self, job: str) -> None:
        self.jobs.append(job)


def bare_runtime(database: Database, folder: Path, clock: Callable[[], datetime]) -> Runtime:
    """A runtime with a clock and nudges that a test can look at."""
    return Runtime(
        settings=Settings(data_dir=folder, secret_key="a-key-for-tests-only-" + "x" * 20, burst_seconds=90),
        database=database,
        adapters=ADAPTERS,
        http=Http(),
        vault=Vault(["a-key-for-tests-only-" + "x" * 20]),
        blobs=Blobs(Disk(folder / "blobs"), database, clock),
        nudge=NoticedNudges(),
        now=clock,
    )


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """A test that sets up logging leaves nothing of it behind: others look at what is logged."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, seeded SQLite file that each test copies."""
    folder = tmp_path_factory.mktemp("template")
    database = Database(f"sqlite:///{folder / 'template.db'}")
    prepare_database(bare_runtime(database, folder, lambda: NOON))
    database.close()  # the last connection to go folds the log into the file
    return folder / "template.db"


@pytest.fixture(scope="session")
def postgres_database(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A migrated, seeded PostgreSQL database of this test process's own."""
    admin = postgres_or_skip()
    name = f"haichieu_test_{os.getpid()}_{worker_id}"
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
        # Tests that kill processes have a database of their own; here nothing has to outlast a loss of power.
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET synchronous_commit TO off')
    database = Database(admin.url.set(database=name).render_as_string(hide_password=False))
    prepare_database(bare_runtime(database, tmp_path_factory.mktemp("pg"), lambda: NOON))
    with database.transaction() as session:
        session.connection().exec_driver_sql(_emptying())
    yield database
    database.close()
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def sqlite_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """An engine of this test process's own: what SQLAlchemy has once compiled for it need not be compiled anew."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'haichieu.db'}")
    yield database
    database.close()


def _emptying() -> str:
    # A function, as its statements are planned once for each connection.
    tables = [table.name for table in reversed(Base.metadata.sorted_tables) if table.name not in KEPT]
    deletes = ["DELETE FROM holidays WHERE commune_id IS NOT NULL", *(f"DELETE FROM {name}" for name in tables)]
    body = "; ".join(deletes)
    return f"CREATE FUNCTION empty_all() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {body}; END $$"


def _emptied(database: Database) -> Database:
    database.seals = None  # each runtime brings its own keys
    with database.transaction(durable=False) as session:
        session.connection().exec_driver_sql("SELECT empty_all()")
    return database


def _laid_anew(database: Database, template: Path) -> Database:
    database.seals, database._has_traces = None, False
    path = Path(database.url.database or "")
    for left in path.parent.glob(f"{path.name}*"):
        left.unlink()
    shutil.copy(template, path)
    return database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine_name(request: pytest.FixtureRequest) -> str:
    """Each test that touches a database runs on both engines."""
    return str(request.param)


@pytest.fixture
def database(engine_name: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty, migrated and seeded database; on SQLite always the same file, put in place anew."""
    if engine_name == "postgresql":
        yield _emptied(request.getfixturevalue("postgres_database"))
        return
    database: Database = request.getfixturevalue("sqlite_database")
    yield _laid_anew(database, request.getfixturevalue("sqlite_template"))
    database.close()


@pytest.fixture
def clock() -> Clock:
    """Wednesday 7 October 2026, noon in Vietnam, until a test moves it."""
    return Clock(NOON)


@pytest.fixture
def runtime(database: Database, clock: Clock, tmp_path: Path) -> Iterator[Runtime]:
    """A runtime on an empty database."""
    built = bare_runtime(database, tmp_path, clock)
    yield built
    built.http.close()


@pytest.fixture
def world(runtime: Runtime, clock: Clock) -> World:
    """Xã Tân Hương with its agencies, officials, places and one Zalo channel; nobody has written yet."""
    return a_world(runtime, clock)
