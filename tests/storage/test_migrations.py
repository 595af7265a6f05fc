"""The tables as migrations make them, on both engines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage.communes import Locality
from storage.database import Database
from storage.models import Base
from storage.upgrade import MIGRATIONS, current, downgrade, head, upgrade


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory(str(MIGRATIONS)).get_heads()) == 1


def test_the_models_are_what_migrations_make(database: Database) -> None:
    with database.engine.connect() as connection:
        opts = {"compare_type": False, "include_object": lambda _, name, *__: not name.startswith("search_words")}
        found = compare_metadata(MigrationContext.configure(connection, opts=opts), Base.metadata)
    assert found == []


def test_upgrading_again_changes_nothing(database: Database) -> None:
    assert upgrade(database) == head() == current(database)


def test_the_country_is_seeded(database: Database) -> None:
    with database.reading() as session:
        counts = dict(session.execute(sa.select(Locality.level, sa.func.count()).group_by(Locality.level)).all())
        folded = session.scalar(sa.select(Locality.name_folded).where(Locality.code == "27925"))
    assert counts == {"province": 34, "commune": 3321}
    assert folded == "duc hue"


def test_a_database_can_go_down_and_up_again(database: Database) -> None:
    if not database.is_sqlite:  # the shared PostgreSQL database must keep its tables: use a schema of its own
        separate = Database(database.url.render_as_string(hide_password=False))
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("DROP SCHEMA IF EXISTS downup CASCADE; CREATE SCHEMA downup")
        separate.engine.dispose()
        separate.engine = sa.create_engine(database.url, connect_args={"options": "-c search_path=downup"})
        database = separate
        upgrade(database)
    downgrade(database, "base")
    assert current(database) is None
    assert upgrade(database) == head()
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("DROP SCHEMA downup CASCADE")
        database.close()
