"""Two hands on one ticket at the same moment: neither undoes what the other did."""

from __future__ import annotations

import threading
import time

import sqlalchemy as sa

from bot.usecases import intake
from bot.usecases.desk import at_desk
from storage.database import Database
from storage.enums import TicketState
from storage.tickets import Ticket
from tests.builders import World, all_rows


def test_a_citizens_addition_does_not_undo_the_official_who_is_just_saving(world: World, database: Database) -> None:
    world.says("đường vào xóm 5 ổ gà nhiều quá")
    intake.drain(world.runtime)
    (ticket,) = all_rows(world.runtime, Ticket)
    world.says("ở đoạn trước chợ Đình")
    handling = threading.Thread(target=intake.drain, args=(world.runtime,))
    with at_desk(world.runtime, world.official("lan"), ticket.id, ticket.version) as desk:
        desk.session.flush()
        handling.start()
        time.sleep(0.3)  # the worker has read what it needs and now waits for this ticket
        desk.ticket.topic, desk.ticket.topic_is_confirmed = "thoat-nuoc-ngap", True
        desk.move(TicketState.RECEIVED)
    handling.join(timeout=20)
    with database.reading() as session:
        row = session.scalars(sa.select(Ticket)).one()
    assert (row.topic, row.state, row.is_touched) == ("thoat-nuoc-ngap", TicketState.RECEIVED, True)
    assert row.version == ticket.version + 2
