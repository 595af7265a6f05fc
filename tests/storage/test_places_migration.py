"""A database in use keeps its places, and what hangs on them, when places are told apart by their parent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.database import Database
from storage.upgrade import downgrade, upgrade


@pytest.fixture
def used(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of before with a place that a routing rule hangs on."""
    database = Database(f"sqlite:///{tmp_path / 'used.db'}")
    if engine_name == "postgresql":  # the shared database keeps its tables: a schema of its own
        shared: Database = request.getfixturevalue("postgres_database")
        _run(shared, "DROP SCHEMA IF EXISTS used CASCADE", "CREATE SCHEMA used")
        database = Database(shared.url.render_as_string(hide_password=False))
        database.engine = sa.create_engine(shared.url, connect_args={"options": "-c search_path=used"})
    upgrade(database, "0002")
    rows = (
        (
            "INSERT INTO localities (code, level, type, name, name_folded, valid_from)"
            " VALUES ('1', 'commune', 'xã', 'A', 'a', '2025-07-01')"
        ),
        (
            "INSERT INTO communes (id, locality_code, slug, name, settings, is_demo)"
            " VALUES (1, '1', 'a', 'A', '{}', FALSE)"
        ),
        (
            "INSERT INTO agencies (id, commune_id, slug, name, is_external, is_active)"
            " VALUES (1, 1, 'x', 'X', FALSE, TRUE)"
        ),
        (
            "INSERT INTO places (id, commune_id, name, kind, aliases, parent, is_active)"
            " VALUES (7, 1, 'Tổ 3', 'tổ', '[]', NULL, TRUE)"
        ),
        "INSERT INTO routing_rules (id, commune_id, topic, place_id, agency_id) VALUES (1, 1, 'o-ga', 7, 1)",
    )
    _run(database, *rows)
    yield database
    database.close()
    if engine_name == "postgresql":
        _run(shared, "DROP SCHEMA used CASCADE")


def _run(database: Database, *statements: str) -> None:
    with database.transaction() as session:
        for statement in statements:
            session.execute(sa.text(statement))


def told(database: Database) -> list[tuple[object, ...]]:
    """The places with the rules that hang on them."""
    query = (
        "SELECT p.id, p.name, p.parent, r.id FROM places p LEFT JOIN routing_rules r ON r.place_id = p.id ORDER BY p.id"
    )
    with database.reading() as session:
        return [tuple(row) for row in session.execute(sa.text(query))]


def test_places_and_what_hangs_on_them_survive(used: Database) -> None:
    upgrade(used)
    assert told(used) == [(7, "Tổ 3", "", 1)]


def put(database: Database, *places: tuple[int, str, str]) -> None:
    """Places by number, name and parent."""
    query = (
        "INSERT INTO places (id, commune_id, name, kind, aliases, parent, is_active)"
        " VALUES (:id, 1, :name, 'tổ', '[]', :parent, TRUE)"
    )
    with database.transaction() as session:
        for number, name, parent in places:
            session.execute(sa.text(query), {"id": number, "name": name, "parent": parent})


def test_places_told_apart_by_parent_survive_the_way_back(used: Database) -> None:
    upgrade(used)
    put(used, (8, "Tổ 3", "Khu phố 1"), (9, "Tổ 3", "Khu phố 2"))
    downgrade(used, "0002")
    assert told(used) == [
        (7, "Tổ 3", "", 1),
        (8, "Tổ 3 Khu phố 1", "Khu phố 1", None),
        (9, "Tổ 3 Khu phố 2", "Khu phố 2", None),
    ]


def test_a_name_that_is_taken_on_the_way_back_gets_a_number(used: Database) -> None:
    upgrade(used)
    long = "x" * 160
    put(used, (8, "Tổ 3", "KP1"), (9, "Tổ 3 KP1", ""), (10, "Tổ 4", "KP1"), (11, "Tổ 4", ""))
    put(used, (12, long, "a"), (13, long, "b"))
    downgrade(used, "0002")
    names = [row[1] for row in told(used)]
    assert names == ["Tổ 3", "Tổ 3 KP1 (2)", "Tổ 3 KP1", "Tổ 4", "Tổ 4 (2)", long, long[:156] + " (2)"]
