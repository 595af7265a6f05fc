"""Who stops gets nothing more, and nobody is woken at night."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.errors import ContactUnreachable, OutcomeUnknown, TemporarilyRefused
from bot.rules.deadlines import VIETNAM
from bot.usecases import announcements, broadcast, intake
from bot.usecases.announcements import AnnouncementError
from bot.usecases.citizens import stop_announcements
from bot.usecases.sending import MANY, PERSONAL, send_due
from storage.announcements import recipients
from storage.communes import Commune
from storage.contacts import Urn
from storage.deliveries import Delivery
from storage.enums import AnnouncementState, DeliveryState
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.telling import TITLE, Phone, Wish, approved, counts, followers, phone, run, the, wishes

__all__ = ["phone"]

# ---- opting out -----------------------------------------------------------------------------------------------------


def test_who_stops_between_expanding_and_sending_gets_nothing(world: World, phone: Phone) -> None:
    [stays, leaves] = followers(world, 2)
    number = approved(world)
    announcements.expand_due(world.runtime)
    wishes(world, leaves, out=True)
    run(world)
    assert phone.readers == [stays]
    assert counts(world, number) == {"cancelled": 1, "sent": 1}


def test_who_stops_between_approval_and_expanding_is_left_out(world: World, phone: Phone) -> None:
    [stays, leaves] = followers(world, 2)
    number = approved(world)
    wishes(world, leaves, out=True)
    run(world)
    assert phone.readers == [stays]
    assert counts(world, number) == {"sent": 1}


def test_who_stops_on_one_address_stops_on_all_that_are_theirs(world: World, phone: Phone, clock: Clock) -> None:
    stays, zalo, other = followers(world, 3)
    with world.runtime.database.transaction() as session:  # linked by a code
        theirs = session.scalar(sa.select(Urn.contact_id).where(Urn.value == zalo))
        session.execute(sa.update(Urn).where(Urn.value == other).values(contact_id=theirs))
    approved(world)
    announcements.expand_due(world.runtime)
    wishes(world, zalo, out=True)
    run(world)
    assert phone.readers == [stays]
    clock.move(minutes=5)
    wishes(world, other, out=False)
    approved(world, "Tin tiếp theo")
    run(world)
    assert phone.readers == sorted([stays, stays, other])


def test_who_asks_for_announcements_again_gets_the_next_one(world: World, phone: Phone, clock: Clock) -> None:
    [back] = followers(world, 1)
    followers(world, 1)
    wishes(world, back, out=True)
    approved(world)
    run(world)
    assert back not in phone.readers
    clock.move(minutes=5)
    wishes(world, back, out=False)
    approved(world, "Tin tiếp theo")
    run(world)
    assert [text.split("\n")[0] for urn, text in phone.sent if urn == back] == ["Tin tiếp theo"]


@pytest.mark.parametrize("words", ["DUNG", "ngừng nhận tin", "Dừng"])
def test_the_words_that_stop_announcements_stop_what_is_waiting(world: World, phone: Phone, words: str) -> None:
    [stays, leaves] = followers(world, 2)
    number = approved(world)
    announcements.expand_due(world.runtime)
    world.says(words, user=leaves.removeprefix("zalo:"))
    intake.drain(world.runtime)
    run(world)
    assert phone.readers == [stays]
    assert counts(world, number) == {"cancelled": 1, "sent": 1}


def test_the_words_that_bring_announcements_back_bring_the_next_one(world: World, phone: Phone, clock: Clock) -> None:
    [person] = followers(world, 1)
    for words in ("DUNG", "nhận tin"):
        world.says(words, user=person.removeprefix("zalo:"))
        intake.drain(world.runtime)
        send_due(world.runtime, PERSONAL)  # an announcement waits until the answer to their own words is out
        clock.move(minutes=5)
    approved(world)
    run(world)
    assert [text.startswith(TITLE) for urn, text in phone.sent if urn == person] == [False, False, True]


def test_who_stops_while_their_delivery_is_being_retried_gets_nothing(world: World, phone: Phone, clock: Clock) -> None:
    [first] = followers(world, 1)
    phone.failures[first] = [TemporarilyRefused("busy")]
    phone.before_each = lambda: clock.move(minutes=1) or (not phone.sent and wishes(world, first, out=True))
    number = approved(world)
    run(world)
    phone.before_each = lambda: None
    clock.move(hours=1)
    run(world)
    assert phone.sent == []
    assert counts(world, number) == {"cancelled": 1}


def test_who_stops_while_the_chunk_is_being_written_gets_nothing(
    world: World, phone: Phone, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine_name != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    [leaves] = followers(world, 1)
    number = approved(world)
    real = broadcast.insert_chunk

    def inserts_as_they_leave(*args: Any, **kwargs: Any) -> int:
        count = real(*args, **kwargs)
        leaving = threading.Thread(target=wishes, args=(world, leaves), kwargs={"out": True})
        leaving.start()
        leaving.join(5)
        assert not leaving.is_alive()  # nobody waits for a broadcast
        return count

    monkeypatch.setattr(broadcast, "insert_chunk", inserts_as_they_leave)
    announcements.expand(world.runtime, number)
    assert counts(world, number) == {"waiting": 1}
    run(world)
    assert phone.sent == []
    assert counts(world, number) == {"cancelled": 1}


def test_a_resend_to_somebody_who_stopped_is_refused(world: World, phone: Phone) -> None:
    [first] = followers(world, 1)
    phone.failures[first] = [OutcomeUnknown("timeout", "Không rõ.")]
    number = approved(world)
    run(world)
    wishes(world, first, out=True)
    [row] = all_rows(world.runtime, Delivery)
    with pytest.raises(AnnouncementError, match="ngừng nhận"):
        announcements.resend(world.runtime, world.official("hoa"), number, row.id)


# ---- quiet hours ----------------------------------------------------------------------------------------------------


def vietnam(hour: int, minute: int = 0, day: int = 7) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=VIETNAM).astimezone(UTC)


def test_what_is_approved_at_night_waits_for_the_morning(world: World, phone: Phone, clock: Clock) -> None:
    everybody = followers(world, 3)
    clock.now = vietnam(22)
    number = approved(world)
    run(world)
    assert phone.sent == []
    assert {r.next_attempt_at for r in all_rows(world.runtime, Delivery)} == {vietnam(6, 30, day=8)}
    clock.now = vietnam(6, 30, day=8)
    run(world)
    assert phone.readers == everybody
    assert the(world, number).state is AnnouncementState.SENT


def test_a_broadcast_that_is_running_at_nine_pauses_until_the_morning(world: World, phone: Phone, clock: Clock) -> None:
    followers(world, 3)
    clock.now = vietnam(20, 59)
    number = approved(world)
    announcements.expand_due(world.runtime)
    clock.now = vietnam(21)
    assert send_due(world.runtime, MANY) == 0
    announcements.expand_due(world.runtime)
    assert {r.next_attempt_at for r in all_rows(world.runtime, Delivery)} == {vietnam(6, 30, day=8)}
    clock.now = vietnam(6, 31, day=8)
    run(world)
    assert counts(world, number) == {"sent": 3}


def test_a_commune_without_quiet_hours_sends_at_night(world: World, phone: Phone, clock: Clock) -> None:
    everybody = followers(world, 2)
    with world.runtime.database.transaction() as session:
        session.get_one(Commune, world.commune_id).settings = {"quiet_hours": None, "undo_seconds": 0}
    clock.now = vietnam(23)
    approved(world)
    run(world)
    assert phone.readers == everybody


def test_somebody_who_withdraws_during_the_night_gets_nothing_in_the_morning(
    world: World, phone: Phone, clock: Clock
) -> None:
    [first] = followers(world, 1)
    clock.now = vietnam(22)
    number = approved(world)
    run(world)
    with world.runtime.database.transaction() as session:
        urn = session.scalars(sa.select(Urn).where(Urn.value == first)).one()
        stop_announcements(Wish(world, session), urn, "withdrawn")  # type: ignore[arg-type]
    clock.now = vietnam(7, day=8)
    run(world)
    assert phone.sent == []
    assert the(world, number).state is AnnouncementState.SENT


def test_states_of_deliveries_are_told_by_person(world: World, phone: Phone) -> None:
    [first, second] = followers(world, 2)
    phone.failures[first] = [ContactUnreachable("blocked", "Người dân đã chặn kênh.")]
    number = approved(world)
    run(world)
    with world.runtime.database.reading() as session:
        seen = recipients(session, number)
        refused = recipients(session, number, states=["refused"])
        rest = recipients(session, number, after=seen[0].delivery_id)
    assert [(r.urn, r.state, r.reason) for r in seen] == [
        (first, DeliveryState.REFUSED, "Người dân đã chặn kênh."),
        (second, DeliveryState.SENT, None),
    ]
    assert [r.urn for r in refused] == [first]
    assert [r.urn for r in rest] == [second]
