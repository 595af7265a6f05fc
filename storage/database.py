"""Engine and transactions on SQLite and PostgreSQL alike."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.sealing import SealingSession, Seals, leaves_traces, session_info

if TYPE_CHECKING:
    from storage.search_index import Searchable

SQLITE_BUSY_MS = 20_000
# A row is locked to be changed while others write rows that point at it: PostgreSQL checks foreign keys by a lock, and
# a chunk of a broadcast would stop whoever sends on its channel.
FOR_CHANGE = {"key_share": True}
# A word that went stays in older pieces of the search index until they are put together.
FORGET_WORDS = "INSERT INTO search_words (search_words) VALUES ('optimize')"


def normalise_url(url: str) -> str:
    """Accept the usual spellings of a PostgreSQL URL; the driver is psycopg 3."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    return url


def is_missing(url: str) -> bool:
    """Whether an SQLite file is not there; to open the database would create it."""
    found = sa.make_url(normalise_url(url))
    if found.get_backend_name() != "sqlite" or not found.database or found.database.startswith((":memory:", "file:")):
        return False
    return not Path(found.database).exists()


class Database:
    """One engine and the two ways to use it: a reading session and a writing transaction."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.seals: Seals | None = None  # the runtime knows them
        self.searchable: Searchable | None = None  # the same
        self._has_traces = False
        self.url = sa.make_url(normalise_url(url))
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        # SQLite's own waiting is polling with growing naps; threads of one process queue up here instead.
        self.writer_lock = threading.RLock()
        if self.is_sqlite:
            if self.url.database and self.url.database != ":memory:":
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine = sa.create_engine(
                self.url,
                hide_parameters=True,
                pool_size=pool_size,
                max_overflow=pool_size,
                connect_args={"timeout": SQLITE_BUSY_MS / 1000},
            )
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = sa.create_engine(
                self.url,
                hide_parameters=True,
                pool_size=pool_size,
                max_overflow=pool_size,
                pool_pre_ping=True,
                connect_args={
                    "options": "-c timezone=utc -c lock_timeout=15000 -c idle_in_transaction_session_timeout=60000"
                    " -c jit=off",  # compiling a plan costs more than it saves here
                    # Plans are made for the values asked for: that a partial index fits must be seen, and what was
                    # planned while a table was empty would be kept while it grows to a million rows.
                    "prepare_threshold": None,
                },
            )

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Session]:
        """Write: everything inside is kept together or not at all. On SQLite the write lock is taken at once.

        `durable`: whether it must outlast a loss of power. What need not is not waited for, where the engine can do so.
        """
        with self.writer_lock if self.is_sqlite else nullcontext(), self.engine.connect() as connection:
            writing = connection.execution_options(writes=True)
            with self._session(writing) as session, session.begin():
                if not durable and not self.is_sqlite:
                    session.execute(sa.text("SET LOCAL synchronous_commit TO off"))
                yield session
        if leaves_traces(session):
            self._has_traces = True
            self.forget_traces()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Read a consistent picture; nothing is kept."""
        with self.engine.connect() as connection, self._session(connection) as session:
            yield session  # what was read stays readable afterwards; the connection ends its transaction by itself

    def forget_traces(self) -> None:
        """SQLite's log still holds pages from before words were sealed: fold it into the file and cut it off.

        Whoever reads at that moment is not waited for; the sweep asks again. PostgreSQL vacuums by itself.
        """
        if not self.is_sqlite or not self._has_traces:
            return
        with self.writer_lock, self._raw() as cursor:
            cursor.execute(FORGET_WORDS)
            cursor.execute("PRAGMA busy_timeout=200")
            is_busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            cursor.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_MS}")
        self._has_traces = bool(is_busy)

    def forget_log(self) -> None:
        """Words were erased: what stands in SQLite's log of them goes now, or with the next sweep."""
        self._has_traces = True
        self.forget_traces()

    def rebuild(self) -> None:
        """Write SQLite's file anew, without what its free pages still hold; takes as long as copying it."""
        if self.is_sqlite:
            with self.writer_lock, self._raw() as cursor:
                cursor.execute("VACUUM")
            self._has_traces = True
            self.forget_traces()

    @contextmanager
    def _raw(self) -> Iterator[Any]:
        connection = self.engine.raw_connection()
        try:
            yield connection.cursor()
        finally:
            connection.close()

    def _session(self, connection: sa.Connection) -> Session:
        info = {**session_info(self.seals), "searchable": self.searchable}
        return SealingSession(bind=connection, expire_on_commit=False, info=info)

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


class OneTransaction(Database):
    """A database for what is done inside a transaction that is open: kept with all the rest of it, or not at all."""

    def __init__(self, outer: Database, session: Session) -> None:
        self.__dict__.update(outer.__dict__)
        self._open = session

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Session]:  # noqa: ARG002 - as the whole is
        """A part of the open transaction; what fails in it fails the whole."""
        yield self._open
        self._open.flush()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """What the open transaction sees."""
        yield self._open


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")  # what was erased or sealed does not stay in free pages
    cursor.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_MS}")
    cursor.execute("PRAGMA cache_size=-32000")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A transaction that begins by reading and writes later fails with "locked" when another wrote in between.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def advisory_lock(session: Session, key: str) -> None:
    """Wait until nobody else works on this key; freed with the transaction. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})


def insert_ignore(session: Session, table: type[Any] | sa.Table, rows: list[dict[str, Any]]) -> int:
    """Insert rows, leaving out those that break a unique key; gives the number really inserted."""
    if not rows:
        return 0
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as pg_insert

        statement: Any = pg_insert(table).on_conflict_do_nothing()
    else:
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        statement = sqlite_insert(table).on_conflict_do_nothing()
    inserted = 0
    for start in range(0, len(rows), 500):
        result: Any = session.connection().execute(
            statement.values(rows[start : start + 500]), execution_options={"preserve_rowcount": True}
        )
        inserted += result.rowcount
    return inserted
