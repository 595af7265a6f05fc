"""The ledger: it balances when nothing is lost, and says in words what is."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from bot.usecases import intake
from bot.usecases.ledger import balance, outbox_rows
from storage.deliveries import Attempt, Delivery
from storage.enums import DeliveryState, InboundState
from storage.messages import InboundEvent, Message
from storage.tickets import TicketEvent
from tests.builders import World, all_rows


def a_handled_report(world: World) -> None:
    world.says("đường vào xóm 5 ổ gà nhiều quá")
    intake.drain(world.runtime)


def change(world: World, statement: sa.Executable) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(statement)


def test_a_handled_report_balances(world: World) -> None:
    a_handled_report(world)
    ledger = balance(world.runtime)
    assert ledger.is_balanced
    assert ledger.events == {"done": 1}
    assert ledger.people == {
        "contacts": 1,
        "conversations": 1,
        "messages": 3,
        "tickets": 1,
    }  # it is lunch time: said too


def test_an_empty_house_balances(world: World) -> None:
    assert balance(world.runtime).in_words().endswith("balanced")


def test_a_lost_message_is_seen(world: World) -> None:
    a_handled_report(world)
    change(world, sa.update(Message).values(inbound_event_id=None))
    assert balance(world.runtime).problems == ["1 events were handled as messages, but no message was kept"]


def test_a_ticket_without_a_beginning_is_seen(world: World) -> None:
    a_handled_report(world)
    change(world, sa.delete(TicketEvent))
    assert balance(world.runtime).problems == ["1 tickets have no opening in their history"]


def test_an_abandoned_event_is_seen_once_its_lease_is_long_over(world: World) -> None:
    world.says("nước đục")
    change(world, sa.update(InboundEvent).values(lease_until=world.clock(), lease_id="dead"))
    assert balance(world.runtime).is_balanced
    world.clock.move(minutes=10)  # type: ignore[attr-defined]
    assert not balance(world.runtime).is_balanced


def test_a_delivery_handed_over_twice_is_seen(world: World) -> None:
    a_handled_report(world)
    delivery = all_rows(world.runtime, Delivery)[0]
    with world.runtime.database.transaction() as session:
        for number in (1, 2):
            session.add(
                Attempt(
                    commune_id=delivery.commune_id,
                    delivery_id=delivery.id,
                    number=number,
                    started_at=world.clock(),
                    ended_at=world.clock() + timedelta(seconds=1),
                    outcome="sent",
                )
            )
    assert balance(world.runtime).problems == ["1 deliveries were handed over more than once"]


def test_a_parked_event_is_a_visible_exception_not_a_loss(world: World) -> None:
    world.says("nước đục")
    change(
        world,
        sa.update(InboundEvent).values(
            state=InboundState.PARKED, outcome="ignored:poison", done_at=world.clock(), lease_until=None
        ),
    )
    ledger = balance(world.runtime)
    assert ledger.is_balanced
    assert ledger.exceptions == {"ignored:poison": 1}


def test_the_outbox_shows_what_waits_without_anybodys_words(world: World) -> None:
    a_handled_report(world)
    change(world, sa.update(Delivery).values(state=DeliveryState.REFUSED, code="window_closed"))
    rows = outbox_rows(world.runtime, None, 10)
    assert rows[0][1:4] == ("zalo-duc-hue", "ack", "refused")
    assert "ổ gà" not in "".join("".join(row) for row in rows)
    assert outbox_rows(world.runtime, "another-channel", 10) == []
