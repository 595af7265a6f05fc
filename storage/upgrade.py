"""Upgrade: bring a database to today's tables, step by step, and say where it stands."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 7_318_205_416  # any number nobody else uses: two machines that upgrade at once take turns


def upgrade(database: Database, revision: str = "head") -> str:
    """Run the missing migrations; gives the revision reached. Safe to call from several machines at once."""
    with database.engine.connect().execution_options(writes=True) as connection:
        if not database.is_sqlite:
            connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
            connection.execute(sa.text("SET lock_timeout = '10s'"))
            connection.commit()
        try:
            command.upgrade(config(connection), revision)
            connection.commit()
        finally:
            connection.rollback()
            if not database.is_sqlite:
                connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
                connection.execute(sa.text("RESET lock_timeout"))
                connection.commit()
    return current(database) or ""


def downgrade(database: Database, revision: str) -> None:
    """Take migrations back; for tests and for an operator who must return to an earlier release."""
    with database.engine.connect().execution_options(writes=True) as connection:
        command.downgrade(config(connection), revision)
        connection.commit()


def current(database: Database) -> str | None:
    """The revision the database is at; None for an empty one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The revision that today's code expects."""
    return str(ScriptDirectory(str(MIGRATIONS)).get_current_head())


def config(connection: sa.Connection) -> Config:
    """Alembic's configuration on a given connection."""
    found = Config()
    found.set_main_option("script_location", str(MIGRATIONS))
    found.attributes["connection"] = connection
    return found
