"""A database in use keeps its places, and what hangs on them, when places are told apart by their parent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.communes import Commune, Locality, Place
from storage.database import Database
from storage.upgrade import downgrade, upgrade


@pytest.fixture
def used(tmp_path: Path) -> Database:
    """A database of before with a place that a routing rule hangs on."""
    database = Database(f"sqlite:///{tmp_path / 'used.db'}")
    upgrade(database, "0002")
    rows = (
        (
            "INSERT INTO localities (code, level, type, name, name_folded, valid_from)"
            " VALUES ('1', 'commune', 'xã', 'A', 'a', '2025-07-01')"
        ),
        "INSERT INTO communes (id, locality_code, slug, name, settings, is_demo) VALUES (1, '1', 'a', 'A', '{}', 0)",
        "INSERT INTO agencies (id, commune_id, slug, name, is_external, is_active) VALUES (1, 1, 'x', 'X', 0, 1)",
        (
            "INSERT INTO places (id, commune_id, name, kind, aliases, parent, is_active)"
            " VALUES (7, 1, 'Tổ 3', 'tổ', '[]', NULL, 1)"
        ),
        "INSERT INTO routing_rules (id, commune_id, topic, place_id, agency_id) VALUES (1, 1, 'o-ga', 7, 1)",
    )
    with database.transaction() as session:
        for row in rows:
            session.execute(sa.text(row))
    return database


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
    used.close()


def test_places_told_apart_by_parent_survive_the_way_back(used: Database) -> None:
    upgrade(used)
    with used.transaction() as session:
        for number, parent in ((8, "Khu phố 1"), (9, "Khu phố 2")):
            session.execute(
                sa.text("INSERT INTO places VALUES ('Tổ 3', 'tổ', '[]', :parent, 1, 1, :id)"),
                {"parent": parent, "id": number},
            )
    downgrade(used, "0002")
    assert told(used) == [
        (7, "Tổ 3", "", 1),
        (8, "Tổ 3 Khu phố 1", "Khu phố 1", None),
        (9, "Tổ 3 Khu phố 2", "Khu phố 2", None),
    ]
    used.close()


@pytest.fixture
def apart(database: Database) -> Iterator[Database]:
    """An empty database that may be downgraded: the shared one of PostgreSQL may not, so a schema of its own there."""
    if database.is_sqlite:
        yield database
        return
    own = Database(database.url.render_as_string(hide_password=False))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("DROP SCHEMA IF EXISTS apart CASCADE; CREATE SCHEMA apart")
    own.engine.dispose()
    own.engine = sa.create_engine(database.url, connect_args={"options": "-c search_path=apart -c timezone=utc"})
    upgrade(own)
    yield own
    own.close()
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("DROP SCHEMA apart CASCADE")


def test_on_the_way_back_no_place_takes_the_name_of_another(apart: Database) -> None:
    long = "Đường " + "rất " * 38
    places = [
        ("Tổ 3", "KP1"),
        ("Tổ 3", "KP2"),
        ("Tổ 3 KP2", ""),
        ("Tổ 4", "KP1"),
        ("Tổ 4", ""),
        (long.strip(), ""),
        (long.strip(), "Khu phố 9"),
    ]
    with apart.transaction() as session:
        if session.get(Locality, "27925") is None:
            session.add(
                Locality(
                    code="27925", level="commune", type="xã", name="A", name_folded="a", valid_from=date(2025, 7, 1)
                )
            )
            session.flush()
        commune = Commune(locality_code="27925", slug="a", name="A")
        session.add(commune)
        session.flush()
        rows = [Place(commune_id=commune.id, name=name, kind="tổ", parent=parent) for name, parent in places]
        session.add_all(rows)
        session.flush()
        ids = [row.id for row in rows]
    downgrade(apart, "0002")
    with apart.reading() as session:
        names = list(session.scalars(sa.text("SELECT name FROM places ORDER BY id")))
    assert names[:5] == ["Tổ 3", f"Tổ 3 KP2 ({ids[1]})", "Tổ 3 KP2", "Tổ 4", f"Tổ 4 ({ids[4]})"]
    assert all(name == name.strip() and len(name) <= 160 for name in names)
    assert len(set(names)) == len(names)
    upgrade(apart)
