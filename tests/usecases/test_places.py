"""The commune's list of places: changes wait for each other, and nothing else waits for them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.usecases import places
from storage.contacts import Contact
from tests.builders import World, all_rows


@pytest.mark.postgres
@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_citizens_are_heard_while_the_list_is_being_changed(world: World) -> None:
    database = world.runtime.database
    with database.transaction() as changing:
        places._lock(changing, world.official("an"))
        with database.transaction() as hearing:
            hearing.execute(sa.text("SET LOCAL lock_timeout = '500ms'"))
            hearing.add(Contact(commune_id=world.commune_id, created_at=world.clock()))
    assert len(all_rows(world.runtime, Contact)) == 1


@pytest.mark.postgres
@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_two_changes_of_the_list_wait_for_each_other(world: World) -> None:
    database = world.runtime.database

    def change(who: str) -> None:
        with database.transaction() as session:
            session.execute(sa.text("SET LOCAL lock_timeout = '200ms'"))
            places._lock(session, world.official(who))

    with database.transaction() as first:
        places._lock(first, world.official("an"))
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
            change("mai")
    change("mai")
