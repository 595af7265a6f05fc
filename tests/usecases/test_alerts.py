"""Alerts: danger and unsent texts stand where officials look until one says so; secrets only for their readers."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.access import NotFound
from bot.usecases import alerts
from storage.alerts import Alert
from storage.audit import AuditEntry
from storage.communes import Commune
from storage.messages import Message
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import FIRE, LIGHT, said_to_citizens, take_in, the_ticket

CHILD = "Cháu bé nhà bên bị bố dượng xâm hại, cứu cháu với"


def calls(world: World, who: str) -> list[tuple[str, str | None]]:
    found = alerts.unseen(world.runtime, world.official(who))
    return [(call.alert.kind.value, call.ticket.code if call.ticket else None) for call in found]


def test_danger_is_an_alert_until_somebody_takes_it_on(morning: World) -> None:
    morning.says(FIRE)
    take_in(morning)
    assert calls(morning, "lan") == [("emergency", "PA26-0001")]
    assert calls(morning, "hoa") == []
    (alert,) = all_rows(morning.runtime, Alert)
    alerts.seen(morning.runtime, morning.official("lan"), alert.id)
    alerts.seen(morning.runtime, morning.official("mai"), alert.id)  # twice is no harm
    (alert,) = all_rows(morning.runtime, Alert)
    assert alert.seen_by_id == morning.officials["lan"]
    assert calls(morning, "lan") == []
    assert [row.action for row in all_rows(morning.runtime, AuditEntry) if row.action == "alert.seen"] == ["alert.seen"]


def test_the_alert_is_written_with_the_ticket_or_not_at_all(morning: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_named: object) -> None:
        raise RuntimeError("the disk is full")

    morning.says(FIRE)
    monkeypatch.setattr("bot.usecases.acknowledging.raise_alert", broken)
    take_in(morning)
    assert all_rows(morning.runtime, Message) == []
    assert all_rows(morning.runtime, Alert) == []


def test_an_emergency_that_is_sealed_calls_only_those_who_may_read_it(morning: World) -> None:
    morning.says(CHILD)
    take_in(morning)
    assert the_ticket(morning).is_sealed
    assert said_to_citizens(morning) == ["emergency_child"]
    assert calls(morning, "lan") == []
    assert calls(morning, "mai") == [("emergency", "PA26-0001")]
    (alert,) = all_rows(morning.runtime, Alert)
    assert alert.data == {}
    with pytest.raises(NotFound):
        alerts.seen(morning.runtime, morning.official("lan"), alert.id)


def test_more_words_about_the_same_danger_call_again(morning: World, clock: Clock) -> None:
    morning.says(FIRE)
    take_in(morning)
    clock.move(minutes=4)
    morning.says("Cháy lan sang nhà bên rồi, có người mắc kẹt")
    take_in(morning)
    assert len(all_rows(morning.runtime, Alert)) == 2


def test_a_text_with_a_blank_is_not_sent_and_an_official_is_told_which(morning: World) -> None:
    with morning.runtime.database.transaction() as session:
        session.execute(sa.update(Commune).values(name=" "))
    morning.says(LIGHT)
    take_in(morning)
    assert said_to_citizens(morning) == []
    assert calls(morning, "lan") == [("text_not_sent", "PA26-0001")]
    (alert,) = all_rows(morning.runtime, Alert)
    assert alert.data == {"text": "ack", "variable": "xa"}
