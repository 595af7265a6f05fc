"""Loudspeakers as a leg of an announcement: told once, whatever breaks, counted truly, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.errors import OutcomeUnknown
from adapters.source_system import SourceSystem
from bot.queue import BROADCAST, MEDIA
from bot.runtime import Runtime, utc_now
from bot.usecases import source_listening, source_sending
from bot.usecases.announcements import channels_for as followed_channels
from bot.usecases.loudspeakers import LoudspeakerProblem
from bot.usecases.silence import call_for_silent
from bot.usecases.sweep import take_over, waiting_jobs
from storage.alerts import Alert
from storage.channels import Channel
from storage.enums import SourceState, SourceStep
from storage.loudspeakers import LoudspeakerCluster, PlayLog, SourceBulletin, SourceLink
from tests.builders import World, all_rows
from tests.loudspeakers import (
    an_emergency,
    an_order,
    connect,
    go_on,
    how_far,
    listen_again,
    ordered,
    recalled,
    the_bulletin,
    tomorrow_at_five,
)
from tests.sandbox.villages import Villages, villages


@pytest.fixture
def loa(tmp_path: Path) -> Iterator[Villages]:
    """A pretend source system with fifteen clusters, one of them broken."""
    with villages(tmp_path) as found:
        yield found


@pytest.fixture
def channel_id(world: World, loa: Villages) -> int:
    """The commune's loudspeakers."""
    return connect(world, loa)


def calls(runtime: Runtime) -> list[str]:
    return [alert.data["what"] for alert in all_rows(runtime, Alert)]


def change(runtime: Runtime, table: type, **values: Any) -> None:
    with runtime.database.transaction() as session:
        session.execute(sa.update(table).values(**values))


def test_a_bulletin_goes_through_its_steps_and_is_played_by_fourteen_of_fifteen(
    runtime: Runtime, loa: Villages, channel_id: int
) -> None:
    number = ordered(runtime, channel_id, an_order())
    assert source_sending.run_due(runtime, budget_seconds=20) == 3
    row = the_bulletin(runtime)
    assert (row.state, row.code, [one["outcome"] for one in row.attempts]) == (SourceState.SENT, None, ["ok"] * 3)
    assert loa.accepted("bulletin") == loa.accepted("schedule") == loa.accepted("board") == [row.key]
    loa.play(tomorrow_at_five().timestamp())
    listen_again(runtime)
    found = how_far(runtime, number)
    assert (found.played, found.tally.total, found.is_shown) == (14, 15, True)
    assert found.tally.failed == {"Cụm loa số 15": "Cụm loa không phát ra tiếng"}


def test_before_it_is_played_nobody_says_it_was(runtime: Runtime, loa: Villages, channel_id: int) -> None:
    number = ordered(runtime, channel_id, an_order())
    go_on(runtime)
    listen_again(runtime)
    found = how_far(runtime, number)
    assert (found.played, len(found.tally.quiet), found.is_shown) == (0, 15, True)
    assert loa.rows("plays")[0]["played"] == 0


def test_an_emergency_overtakes_and_plays_at_once(runtime: Runtime, loa: Villages, channel_id: int) -> None:
    ordered(runtime, channel_id, an_order())
    number = ordered(runtime, channel_id, an_emergency())
    source_sending.run_due(runtime, budget_seconds=20)
    assert [row["title"] for row in loa.rows("bulletins")] == ["Nước lên nhanh", "Cúp điện ngày mai"]
    listen_again(runtime)
    assert how_far(runtime, number).played == 14


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop", "when": "after"},
        {"kind": "drop"},
        {"kind": "malformed"},
        {"kind": "status", "status": 500},
        {"kind": "busy"},
        {"kind": "expired"},
    ],
    ids=str,
)
def test_whatever_breaks_it_is_taken_once(
    runtime: Runtime, loa: Villages, channel_id: int, fault: dict[str, Any]
) -> None:
    ordered(runtime, channel_id, an_order())
    for path in ("bulletin", "schedule", "board"):
        loa.fault(applies_to=path, **fault)
    go_on(runtime)
    row = the_bulletin(runtime)
    assert row.state is SourceState.SENT
    assert loa.accepted("bulletin") == loa.accepted("schedule") == loa.accepted("board") == [row.key]


def test_the_intent_stands_before_the_system_hears_of_it(
    runtime: Runtime, channel_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def look(*_: Any) -> None:
        seen.append(the_bulletin(runtime).state)
        raise OutcomeUnknown("no_answer", may_repeat=True)

    monkeypatch.setattr(SourceSystem, "hand_over", look)
    ordered(runtime, channel_id, an_order())
    source_sending.run_due(runtime)
    assert seen == [SourceState.SENDING]
    assert the_bulletin(runtime).state is SourceState.WAITING


def test_what_a_dead_worker_had_in_hand_is_told_again(runtime: Runtime, loa: Villages, channel_id: int) -> None:
    ordered(runtime, channel_id, an_order())
    change(runtime, SourceBulletin, state=SourceState.SENDING, lease_id="dead", lease_until=utc_now())
    go_on(runtime)
    assert the_bulletin(runtime).state is SourceState.SENT
    assert len(loa.accepted("bulletin")) == 1


def test_a_fresh_process_takes_over_at_once(runtime: Runtime, loa: Villages, channel_id: int) -> None:
    ordered(runtime, channel_id, an_emergency())
    later = utc_now() + timedelta(minutes=1)
    change(runtime, SourceBulletin, state=SourceState.SENDING, lease_id="dead", lease_until=later)
    assert source_sending.run_due(runtime) == 0
    take_over(runtime)
    assert source_sending.run_due(runtime) == 1
    assert len(loa.accepted("bulletin")) == 1


def test_where_keys_are_not_known_a_dead_workers_bulletin_is_for_people(
    runtime: Runtime, loa: Villages, channel_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SourceSystem, "knows_keys", lambda *_: False)
    ordered(runtime, channel_id, an_order())
    change(runtime, SourceBulletin, state=SourceState.SENDING, lease_id="dead", lease_until=utc_now())
    go_on(runtime)
    assert the_bulletin(runtime).state is SourceState.UNKNOWN
    assert (loa.rows("bulletins"), calls(runtime)) == ([], ["unknown"])


def test_a_wrong_password_keeps_it_waiting_and_calls_people_once(runtime: Runtime, world: World, loa: Villages) -> None:
    ordered(runtime, connect(world, loa, password="example-wrong"), an_order())
    go_on(runtime, 3)
    row = the_bulletin(runtime)
    assert (row.state, row.step, row.tries) == (SourceState.WAITING, SourceStep.HAND_OVER, 3)
    assert "mật khẩu" in (row.reason or "")
    assert calls(runtime) == ["account"]


def test_a_refusal_for_good_calls_people(runtime: Runtime, loa: Villages, channel_id: int) -> None:
    loa.fault("error", applies_to="schedule", code=1)
    ordered(runtime, channel_id, an_order())
    go_on(runtime)
    row = the_bulletin(runtime)
    assert (row.state, row.step, row.code) == (SourceState.REFUSED, SourceStep.SCHEDULE, "source_1")
    assert calls(runtime) == ["refused"]


def test_what_is_true_no_more_is_not_sent(runtime: Runtime, loa: Villages, channel_id: int) -> None:
    ordered(runtime, channel_id, an_order())
    change(runtime, SourceBulletin, valid_until=utc_now() - timedelta(seconds=1))
    go_on(runtime)
    assert the_bulletin(runtime).state is SourceState.EXPIRED
    assert loa.rows("calls") == []


def test_a_paused_channel_says_nothing(runtime: Runtime, loa: Villages, channel_id: int) -> None:
    ordered(runtime, channel_id, an_order())
    change(runtime, Channel, paused_at=utc_now())
    go_on(runtime)
    assert loa.rows("calls") == []
    change(runtime, Channel, paused_at=None)
    go_on(runtime)
    assert the_bulletin(runtime).state is SourceState.SENT


def test_a_session_is_used_until_it_ends(runtime: Runtime, loa: Villages, channel_id: int) -> None:
    ordered(runtime, channel_id, an_order())
    loa.fault("account", applies_to="login", count=100)
    with runtime.database.reading() as session:
        before = session.scalar(sa.select(SourceLink.token))
    assert before is None
    source_sending.run_due(runtime)
    assert the_bulletin(runtime).state is SourceState.WAITING
    loa.fault("clear")
    go_on(runtime, 1)
    loa.fault("account", applies_to="login", count=100)
    listen_again(runtime)  # with the session there is
    [link] = all_rows(runtime, SourceLink)
    assert (link.error, the_bulletin(runtime).state) == (None, SourceState.SENT)
    assert runtime.vault.open(link.token) in {row["token"] for row in loa.rows("tokens")}


# ---- taking back ---------------------------------------------------------------------------------------------------


def test_a_recall_cancels_what_was_told(runtime: Runtime, loa: Villages, channel_id: int) -> None:
    number = ordered(runtime, channel_id, an_order())
    go_on(runtime)
    recalled(runtime, number)
    recalled(runtime, number)
    go_on(runtime)
    row = the_bulletin(runtime)
    assert (row.state, row.recalled_at is not None, row.recall_reason) == (SourceState.RECALLED, True, "Sai ngày")
    assert loa.accepted("cancel") == [row.key]
    assert loa.play(tomorrow_at_five().timestamp()) == 0


def test_what_nobody_was_told_of_is_recalled_without_a_word(runtime: Runtime, loa: Villages, channel_id: int) -> None:
    recalled(runtime, ordered(runtime, channel_id, an_order()))
    go_on(runtime)
    assert the_bulletin(runtime).state is SourceState.RECALLED
    assert loa.rows("calls") == []


def test_a_recall_reaches_what_is_just_being_told(
    runtime: Runtime, loa: Villages, channel_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, hand_over = ordered(runtime, channel_id, an_order()), SourceSystem.hand_over

    def meanwhile(*given: Any) -> None:
        hand_over(*given)
        recalled(runtime, number)

    monkeypatch.setattr(SourceSystem, "hand_over", meanwhile)
    go_on(runtime)
    assert the_bulletin(runtime).state is SourceState.RECALLED
    assert len(loa.accepted("cancel")) == 1
    assert loa.rows("plays") == []


def test_a_recall_that_is_refused_calls_people(runtime: Runtime, loa: Villages, channel_id: int) -> None:
    number = ordered(runtime, channel_id, an_order())
    go_on(runtime)
    loa.fault("error", applies_to="cancel", code=1)
    recalled(runtime, number)
    go_on(runtime)
    assert the_bulletin(runtime).state is SourceState.REFUSED
    assert calls(runtime) == ["not_recalled"]


def test_a_correction_is_the_next_revision_and_recalls_the_one_before(
    runtime: Runtime, loa: Villages, channel_id: int
) -> None:
    first = ordered(runtime, channel_id, an_order())
    go_on(runtime)
    second = ordered(runtime, channel_id, an_order(title="ĐÍNH CHÍNH: Cúp điện ngày kia", replaces=first))
    go_on(runtime)
    rows = {row.id: row for row in all_rows(runtime, SourceBulletin)}
    assert (rows[first].state, rows[second].state) == (SourceState.RECALLED, SourceState.SENT)
    assert rows[second].key == rows[first].key.removesuffix("r1") + "r2"
    assert loa.accepted("cancel") == [rows[first].key]
    with pytest.raises(LoudspeakerProblem, match="đã được thay thế"):
        ordered(runtime, channel_id, an_order(replaces=first))


# ---- what is asked for ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"urgency": "gấp"}, "loại bản tin"),
        ({"title": " "}, "tiêu đề"),
        ({"script": ""}, "lời đọc"),
        ({"script": "lời " * 2_000}, "quá dài"),
        ({"valid_until": datetime(2020, 1, 1, tzinfo=UTC)}, "hiệu lực"),
        ({"days": ()}, "lịch phát"),
        ({"slots": ((time(22, 0), time(22, 5)),)}, "yên tĩnh"),
        ({"replaces": 999_999}, "thay thế"),
    ],
)
def test_what_cannot_be_played_is_said_at_once(
    runtime: Runtime, channel_id: int, more: dict[str, Any], words: str
) -> None:
    with pytest.raises(LoudspeakerProblem, match=words):
        ordered(runtime, channel_id, an_order(**more))
    assert all_rows(runtime, SourceBulletin) == []


def test_a_channel_of_people_plays_nothing(runtime: Runtime, world: World) -> None:
    with pytest.raises(LoudspeakerProblem, match="không phải loa"):
        ordered(runtime, world.channel_id, an_order())


def test_loudspeakers_are_no_channel_to_be_followed_or_to_fall_silent(
    runtime: Runtime, world: World, channel_id: int
) -> None:
    assert channel_id not in {channel.id for channel in followed_channels(runtime, world.official("tuan"))}
    change(runtime, Channel, is_sandbox=False)
    call_for_silent(runtime)
    assert "Loa truyền thanh Đức Huệ" not in {alert.data.get("channel") for alert in all_rows(runtime, Alert)}


def test_workers_are_woken_for_it(runtime: Runtime, channel_id: int) -> None:
    assert MEDIA in waiting_jobs(runtime)
    listen_again(runtime)
    assert {MEDIA, BROADCAST}.isdisjoint(waiting_jobs(runtime))
    ordered(runtime, channel_id, an_order())
    assert BROADCAST in waiting_jobs(runtime)


# ---- listening -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["repeat", "shuffle", "junk"])
def test_a_log_told_badly_counts_once(runtime: Runtime, loa: Villages, channel_id: int, kind: str) -> None:
    number = ordered(runtime, channel_id, an_emergency())
    go_on(runtime, 1)
    loa.fault(kind, applies_to="told")
    listen_again(runtime)
    listen_again(runtime)
    assert len(all_rows(runtime, PlayLog)) == 15
    assert how_far(runtime, number).played == 14


def test_a_log_that_is_lost_on_the_way_is_asked_for_again(runtime: Runtime, loa: Villages, channel_id: int) -> None:
    ordered(runtime, channel_id, an_emergency())
    go_on(runtime, 1)
    loa.fault("drop", applies_to="logs", when="after")
    listen_again(runtime)
    assert all_rows(runtime, PlayLog) == []
    listen_again(runtime)
    assert len(all_rows(runtime, PlayLog)) == 15


def test_a_cluster_that_stays_out_is_called_for_once(runtime: Runtime, loa: Villages, channel_id: int) -> None:
    listen_again(runtime)
    assert calls(runtime) == []
    change(runtime, LoudspeakerCluster, out_since=utc_now() - timedelta(minutes=11))
    listen_again(runtime)
    listen_again(runtime)
    [alert] = all_rows(runtime, Alert)
    assert (alert.data["what"], alert.data["many"], alert.data["names"]) == ("out", 1, "Cụm loa số 15")
    assert len([row for row in all_rows(runtime, LoudspeakerCluster) if row.out_since]) == 1


def test_a_mended_cluster_that_breaks_again_is_called_for_again(
    runtime: Runtime, loa: Villages, channel_id: int
) -> None:
    for _ in range(2):
        loa.control("clusters", fate="silent")
        listen_again(runtime)
        change(runtime, LoudspeakerCluster, out_since=utc_now() - timedelta(minutes=11))
        listen_again(runtime)
        loa.control("clusters", fate="well")
        listen_again(runtime)
    assert calls(runtime) == ["out", "out"]
    assert {row.out_since for row in all_rows(runtime, LoudspeakerCluster)} == {None}


def test_an_earlier_heartbeat_that_comes_late_changes_nothing(
    runtime: Runtime, channel_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen_again(runtime)
    real = SourceSystem.clusters

    def late(*given: Any) -> Any:
        past = utc_now() - timedelta(hours=1)
        return tuple(replace(one, heard_at=past, is_connected=False) for one in real(*given))

    monkeypatch.setattr(SourceSystem, "clusters", late)
    listen_again(runtime)
    assert {row.is_connected for row in all_rows(runtime, LoudspeakerCluster)} == {True}


def test_a_system_that_stays_away_is_called_for(runtime: Runtime, loa: Villages, channel_id: int) -> None:
    loa.fault("status", applies_to="logs", status=503, count=10)
    listen_again(runtime)
    [link] = all_rows(runtime, SourceLink)
    assert (link.error, link.failed_at is not None, calls(runtime)) == ("source_503", True, [])
    change(runtime, SourceLink, failed_at=utc_now() - timedelta(minutes=31))
    listen_again(runtime)
    listen_again(runtime)
    assert calls(runtime) == ["link"]
    loa.fault("clear")
    listen_again(runtime)
    [link] = all_rows(runtime, SourceLink)
    assert (link.error, link.failed_at) == (None, None)


@pytest.mark.parametrize(("hours", "minutes"), [(0, 0), (3, 5)])
def test_the_longer_a_system_is_away_the_seldomer_it_is_asked(
    runtime: Runtime, loa: Villages, channel_id: int, hours: int, minutes: int
) -> None:
    ordered(runtime, channel_id, an_order())
    listen_again(runtime)
    change(runtime, SourceLink, failed_at=utc_now() - timedelta(hours=hours) if hours else None)
    loa.fault("status", applies_to="logs", status=503)
    listen_again(runtime)
    [link] = all_rows(runtime, SourceLink)
    pause = link.next_ask_at - utc_now()
    assert timedelta(minutes=minutes) - timedelta(minutes=1) < pause <= timedelta(minutes=minutes, seconds=20)


def test_two_workers_do_not_ask_at_the_same_time(runtime: Runtime, channel_id: int) -> None:
    listen_again(runtime)
    past = utc_now() - timedelta(days=1)
    change(runtime, SourceLink, next_ask_at=past, lease_until=utc_now() + timedelta(minutes=1))
    assert source_listening.ask_due(runtime) == 0
