"""The shortest way from an admitted event to a durable row: one statement for a whole batch, no ORM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from storage.database import Database


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An admitted webhook as it will stand in inbound_events."""

    commune_id: int
    channel_id: int
    key: str
    event_name: str
    conversation_key: str
    body: bytes
    occurred_at: datetime
    received_at: datetime


_COLUMNS = "commune_id, channel_id, key, event_name, conversation_key, body, occurred_at, received_at"
_SQLITE = f"INSERT INTO inbound_events ({_COLUMNS}, next_try_at, state, tries) VALUES "  # noqa: S608 - constants
_SQLITE_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', 0)"
_SQLITE_END = " ON CONFLICT (channel_id, key) DO NOTHING"
_POSTGRES = (
    f"INSERT INTO inbound_events ({_COLUMNS}, next_try_at, state, tries) "  # noqa: S608 - constants only
    f"SELECT {_COLUMNS}, received_at, 'waiting', 0 FROM unnest(%b::bigint[], %b::bigint[], %b::text[], %b::text[], "
    "%b::text[], %b::bytea[], %b::timestamptz[], %b::timestamptz[]) "
    f"AS fresh ({_COLUMNS}) ON CONFLICT (channel_id, key) DO NOTHING RETURNING channel_id"
)
_SQLITE_COUNT = (
    "INSERT INTO counters (scope, name, period, value) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (scope, name, period) DO UPDATE SET value = value + excluded.value"
)
_POSTGRES_COUNT = (
    "INSERT INTO counters (scope, name, period, value) VALUES (%s, %s, %s, %s) "
    "ON CONFLICT (scope, name, period) DO UPDATE SET value = counters.value + excluded.value"
)

Counts = Mapping[tuple[str, str, str], int]


class Ingest:
    """One connection of its own that writes batches of events; not to be shared between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Any = None

    def write(self, events: Sequence[NewEvent], counts: Counts) -> dict[int, int]:
        """Make the events durable and add to the counters, all or nothing; gives new rows per channel id."""
        try:
            return self._write(events, counts)
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection back; the next write opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _raw(self) -> Any:
        if self._connection is None:
            self._connection = self._database.engine.raw_connection()
        return self._connection

    def _write(self, events: Sequence[NewEvent], counts: Counts) -> dict[int, int]:
        raw = self._raw()
        seals = self._database.seals
        if seals is None:
            raise RuntimeError("the door was opened without keys")
        bodies = seals.lock_bodies([event.body for event in events])
        # In a fixed order, so that two processes that count the same things cannot deadlock.
        tallies = [(*key, n) for key, n in sorted(counts.items())]
        if self._database.is_sqlite:
            with self._database.writer_lock:
                return _write_sqlite(raw.driver_connection, events, bodies, tallies)
        return _write_postgres(raw.driver_connection, events, bodies, tallies)


def _write_sqlite(
    connection: Any, events: Sequence[NewEvent], bodies: Sequence[bytes], tallies: list[Any]
) -> dict[int, int]:
    cursor = connection.cursor()
    cursor.execute("BEGIN IMMEDIATE")
    try:
        new: dict[int, int] = {}
        for channel_id in {event.channel_id for event in events}:
            mine = [row for row in zip(events, bodies, strict=True) if row[0].channel_id == channel_id]
            # One statement: between statements this thread would queue for the interpreter with all the others.
            cursor.execute(
                _SQLITE + ", ".join([_SQLITE_ROW] * len(mine)) + _SQLITE_END,
                [v for e, body in mine for v in _values(e, body)],
            )
            new[channel_id] = cursor.rowcount
        if tallies:
            cursor.executemany(_SQLITE_COUNT, tallies)
        cursor.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            cursor.execute("ROLLBACK")
        raise
    return new


def _values(event: NewEvent, body: bytes) -> tuple[Any, ...]:
    received = _stamp(event.received_at)
    return (
        event.commune_id, event.channel_id, event.key, event.event_name, event.conversation_key, body,
        _stamp(event.occurred_at), received, received,
    )  # fmt: skip


def _write_postgres(
    connection: Any, events: Sequence[NewEvent], bodies: Sequence[bytes], tallies: list[Any]
) -> dict[int, int]:
    new: dict[int, int] = {}
    with connection.transaction(), connection.cursor() as cursor:
        if events:
            columns = (
                [e.commune_id for e in events], [e.channel_id for e in events], [e.key for e in events],
                [e.event_name for e in events], [e.conversation_key for e in events], list(bodies),
                [e.occurred_at for e in events], [e.received_at for e in events],
            )  # fmt: skip
            cursor.execute(_POSTGRES, columns, prepare=True)
            for (channel_id,) in cursor.fetchall():
                new[channel_id] = new.get(channel_id, 0) + 1
        if tallies:
            cursor.executemany(_POSTGRES_COUNT, tallies)
    return new


def _stamp(moment: datetime) -> str:
    # As SQLAlchemy writes it on SQLite: UTC without a zone, always with microseconds.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def channel_rows(database: Database) -> list[sa.Row[Any]]:
    """What the door must know of each active channel: id, commune, slug, type, account, settings, secrets."""
    from storage.channels import Channel

    with database.reading() as session:
        return list(
            session.execute(
                sa.select(
                    Channel.id, Channel.commune_id, Channel.slug, Channel.type, Channel.account, Channel.settings,
                    Channel.secrets,
                ).where(Channel.is_active.is_(True))
            )
        )  # fmt: skip
