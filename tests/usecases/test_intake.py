"""Every event becomes a message, a fact or a visible exception; none is lost, none is handled twice."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.queue import INBOX, REPLIES
from bot.usecases import intake, reports
from nlp.reading import Home, Reading
from storage.database import Database
from storage.enums import InboundState
from storage.intake import claim_events
from storage.messages import InboundEvent, Message
from tests.builders import OA, World, all_rows, text_event
from tests.conftest import Clock
from tests.usecases.looking import LIGHT, RUBBISH, event, outcomes, owed, take_in, tickets


class Choking:
    """A reader that cannot stomach some words."""

    def read(self, text: str, home: Home) -> Reading:
        """Fail for poison."""
        if "độc" in text:
            raise ValueError(f"cannot read {text}")
        return Reading("feedback")


def choke(world: World, monkeypatch: pytest.MonkeyPatch, word: str = "độc") -> None:
    """Let writing down a message with this word fail, after part of it was written."""
    real = reports.take_message

    def failing(work: Any, message: Any, *understood: Any) -> str:
        done = real(work, message, *understood)
        if word in message.text:
            raise RuntimeError(f"broken by {message.text}")
        return done

    monkeypatch.setattr(reports, "take_message", failing)


def test_nothing_waiting_is_nothing_done(morning: World) -> None:
    assert take_in(morning) == 0
    assert morning.runtime.nudge.jobs == []


def test_a_handled_event_says_what_became_of_it(morning: World, clock: Clock) -> None:
    number = morning.says(LIGHT)
    assert take_in(morning) == 1
    row = event(morning, number)
    assert (row.state, row.outcome, row.done_at) == (InboundState.DONE, "message:opened", clock.now)
    assert (row.lease_id, row.lease_until) == (None, None)


def test_events_are_handled_once(morning: World) -> None:
    morning.says(LIGHT)
    assert (take_in(morning), take_in(morning)) == (1, 0)
    assert len(all_rows(morning.runtime, Message)) == 2


def test_workers_are_woken_after_the_commit_only(morning: World, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[tuple[str, int]] = []
    morning.runtime.nudge = lambda job: woken.append((job, len(owed(morning))))
    morning.says(LIGHT)
    take_in(morning)
    assert (REPLIES, 1) in woken


def test_a_full_inbox_asks_for_another_worker(morning: World) -> None:
    morning.says(LIGHT)
    assert intake.drain(morning.runtime, budget_seconds=0) == 0
    assert morning.runtime.nudge.jobs == [INBOX]


def test_events_of_a_batch_are_handled_in_the_order_they_happened(morning: World, clock: Clock) -> None:
    begin = clock.now
    clock.move(minutes=20)
    morning.says("ngay đầu ngõ", at=begin + timedelta(minutes=10))
    morning.says(LIGHT, at=begin)
    take_in(morning)
    assert all_rows(morning.runtime, Message)[0].text == LIGHT


@pytest.mark.parametrize(
    ("payload", "outcome", "state"),
    [
        ({"event_name": "create_group", "oa_id": OA}, "ignored:unsupported", InboundState.IGNORED),
        ({"event_name": "brand_new_thing", "oa_id": OA}, "ignored:unknown", InboundState.IGNORED),
        ({"event_name": "user_send_text", "message": {"msg_id": "m1"}}, "ignored:unreadable", InboundState.PARKED),
        (text_event("x", msg_id="This is message id"), "ignored:probe", InboundState.IGNORED),
    ],
)  # fmt: skip
def test_what_is_not_for_us_is_kept_and_says_why(
    payload: dict[str, Any], outcome: str, state: InboundState, morning: World
) -> None:
    number = morning.event(payload)
    take_in(morning)
    row = event(morning, number)
    assert (row.outcome, row.state) == (outcome, state)
    assert row.body != b""


def test_a_body_nobody_can_read_is_parked_where_it_is_seen(morning: World) -> None:
    number = morning.says(LIGHT)
    with morning.runtime.database.transaction() as session:
        session.get_one(InboundEvent, number).body = b"\xff not json"
    take_in(morning)
    assert event(morning, number).state is InboundState.PARKED


def test_poison_is_parked_and_its_neighbours_are_served(morning: World) -> None:
    morning.runtime.__dict__["reader"] = Choking()
    numbers = [morning.says(text, user=f"30{n}") for n, text in enumerate((LIGHT, "thuốc độc", RUBBISH))]
    take_in(morning)
    assert [event(morning, n).state for n in numbers] == [InboundState.DONE, InboundState.PARKED, InboundState.DONE]
    assert event(morning, numbers[1]).outcome == "ignored:poison"
    assert len(tickets(morning)) == 2


def test_poison_is_not_repeated_in_the_log(morning: World, capsys: pytest.CaptureFixture[str]) -> None:
    morning.runtime.__dict__["reader"] = Choking()
    morning.says("thuốc độc bí mật")
    take_in(morning)
    shown = capsys.readouterr()
    assert "bí mật" not in shown.out + shown.err
    assert "not_understood" in shown.out + shown.err


def test_an_event_that_breaks_the_batch_does_not_sink_its_neighbours(
    morning: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    choke(morning, monkeypatch)
    numbers = [morning.says(text, user=f"30{n}") for n, text in enumerate((LIGHT, "thuốc độc", RUBBISH))]
    take_in(morning)
    assert [event(morning, n).state for n in numbers] == [InboundState.DONE, InboundState.WAITING, InboundState.DONE]
    assert len(tickets(morning)) == 2
    assert event(morning, numbers[1]).outcome == "error:RuntimeError"


def test_a_broken_event_leaves_no_half_written_rows(morning: World, monkeypatch: pytest.MonkeyPatch) -> None:
    choke(morning, monkeypatch)
    morning.says("thuốc độc ở chợ Đình, đường hỏng nặng")
    take_in(morning)
    assert all_rows(morning.runtime, Message) == []
    assert tickets(morning) == []


def test_a_broken_event_is_tried_again_and_parked_in_the_end(
    morning: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    choke(morning, monkeypatch)
    number = morning.says("thuốc độc")
    tries = []
    for _ in range(10):
        take_in(morning)
        tries.append(event(morning, number).tries)
        clock.move(minutes=2)
    assert tries == [1, 2, 3, 4, 5, 5, 5, 5, 5, 5]
    row = event(morning, number)
    assert (row.state, row.outcome) == (InboundState.PARKED, "error:RuntimeError")
    assert row.done_at is not None


def test_a_broken_event_is_not_tried_again_at_once(morning: World, monkeypatch: pytest.MonkeyPatch) -> None:
    choke(morning, monkeypatch)
    morning.says("thuốc độc")
    take_in(morning)
    assert take_in(morning) == 0


def test_the_error_of_a_broken_event_does_not_repeat_the_words(
    morning: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    choke(morning, monkeypatch)
    morning.says("thuốc độc bí mật")
    take_in(morning)
    shown = capsys.readouterr()
    assert "bí mật" not in shown.out + shown.err + str(outcomes(morning))


# --- leases -----------------------------------------------------------------------------------------------------------


def lease(world: World, name: str) -> int:
    with world.runtime.database.transaction() as session:
        return len(claim_events(session, 10, name, world.clock(), intake.LEASE))


def test_a_leased_event_is_left_alone(morning: World) -> None:
    morning.says(LIGHT)
    assert lease(morning, "another worker") == 1
    assert take_in(morning) == 0


def test_an_event_of_a_dead_worker_is_taken_up_when_its_lease_is_over(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    lease(morning, "a dead worker")
    clock.move(seconds=61)
    assert take_in(morning) == 1
    assert len(tickets(morning)) == 1


def test_a_worker_that_begins_alone_frees_what_its_predecessor_held(morning: World) -> None:
    morning.says(LIGHT)
    lease(morning, "a dead worker")
    assert intake.expire_leases(morning.runtime) == 1
    assert take_in(morning) == 1


def test_a_worker_that_was_too_slow_writes_nothing(
    morning: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = morning.says(LIGHT)
    real = intake._understand

    def slowly(*args: Any) -> Any:
        taken = real(*args)
        clock.move(seconds=61)
        lease(morning, "a faster worker")
        return taken

    monkeypatch.setattr(intake, "_understand", slowly)
    intake.drain_batch(morning.runtime)
    assert tickets(morning) == []
    assert event(morning, number).lease_id == "a faster worker"


def test_two_workers_at_once_open_one_ticket_for_one_citizen(morning: World, clock: Clock) -> None:
    for _ in range(12):
        morning.says(LIGHT)
        clock.move(seconds=5)
    morning.runtime.reader.read("", Home("", "", ""))
    workers = [threading.Thread(target=take_in, args=(morning,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    take_in(morning)
    assert len(tickets(morning)) == 1
    assert {row.state for row in all_rows(morning.runtime, InboundEvent)} == {InboundState.DONE}


def test_two_workers_share_a_batch_without_a_word_lost(morning: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "BATCH", 7)
    for n in range(40):
        morning.says(LIGHT, user=f"31{n % 10}")
    workers = [threading.Thread(target=take_in, args=(morning,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    take_in(morning)
    inbound = [m for m in all_rows(morning.runtime, Message) if m.text == LIGHT]
    assert len(inbound) == 40
    assert len(tickets(morning)) == 10
    assert len({t.code for t in tickets(morning)}) == 10


def test_two_processes_share_an_inbox_without_a_word_lost(morning: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "BATCH", 5)
    for n in range(30):
        morning.says(LIGHT, user=f"31{n % 6}")
    url = morning.runtime.database.url.render_as_string(hide_password=False)
    others = [replace(morning.runtime, database=Database(url)) for _ in range(2)]
    for other in others:
        other.__dict__["reader"] = morning.runtime.reader
    workers = [threading.Thread(target=intake.drain, args=(other,)) for other in others]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    take_in(morning)
    for other in others:
        other.database.close()
    assert {row.state for row in all_rows(morning.runtime, InboundEvent)} == {InboundState.DONE}
    assert sorted(t.code for t in tickets(morning)) == [f"PA26-{n:04d}" for n in range(1, 7)]
