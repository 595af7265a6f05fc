"""When announcements may be sent, and what an approval is of."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, time

import pytest

from bot.rules.audience import USUAL_QUIET_HOURS, QuietHours, masked, not_before, quiet_hours, text_hash
from bot.rules.deadlines import VIETNAM


def at(hour: int, minute: int = 0, day: int = 7) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=VIETNAM)


def test_in_the_daytime_an_announcement_may_go_at_once() -> None:
    assert not_before(at(12)) == at(12)


def test_what_is_approved_late_in_the_evening_waits_for_the_next_morning() -> None:
    assert not_before(at(22, 15)) == at(6, 30, day=8)


def test_what_is_approved_before_dawn_waits_for_the_same_morning() -> None:
    assert not_before(at(3)) == at(6, 30)


@pytest.mark.parametrize(
    ("moment", "may"), [(at(20, 59), True), (at(21), False), (at(6, 29), False), (at(6, 30), True)]
)
def test_nine_in_the_evening_is_quiet_but_half_past_six_is_not(moment: datetime, may: bool) -> None:
    assert (not_before(moment) == moment) is may


def test_the_morning_is_given_in_utc() -> None:
    assert not_before(at(22)).tzinfo is UTC


def test_quiet_hours_within_one_day_end_on_that_day() -> None:
    noon_rest = QuietHours(time(11, 30), time(13, 30))
    assert not_before(at(12), noon_rest) == at(13, 30)
    assert not_before(at(22), noon_rest) == at(22)


def test_a_commune_that_says_nothing_has_the_usual_quiet_hours() -> None:
    assert quiet_hours({}) == USUAL_QUIET_HOURS


def test_a_commune_may_switch_quiet_hours_off() -> None:
    assert quiet_hours({"quiet_hours": None}) is None
    assert not_before(at(23), None) == at(23)


def test_a_commune_may_set_its_own_quiet_hours() -> None:
    assert quiet_hours({"quiet_hours": ["20:00", "07:00"]}) == QuietHours(time(20), time(7))


@pytest.mark.parametrize("setting", ["21:00", ["25:00", "06:30"], ["21:00"], [21, 6], {}, False, 0])
def test_a_setting_that_cannot_be_read_does_not_wake_people(setting: object) -> None:
    assert quiet_hours({"quiet_hours": setting}) == USUAL_QUIET_HOURS


def test_an_approval_is_of_the_title_the_body_and_the_channel() -> None:
    read = text_hash("Cắt điện", "Ngày mai cắt điện.", 1)
    assert read == text_hash("Cắt điện", "Ngày mai cắt điện.", 1)
    assert len({read, text_hash("Cắt điện!", "Ngày mai cắt điện.", 1), text_hash("Cắt điện", "Hôm nay.", 1)}) == 3
    assert read != text_hash("Cắt điện", "Ngày mai cắt điện.", 2)


def test_an_approval_is_also_of_whom_it_is_for() -> None:
    words = ("Cắt điện", "Ngày mai cắt điện.", 1)
    told = {text_hash(*words), text_hash(*words, "dien"), text_hash(*words, "", [5]), text_hash(*words, "dien", [5])}
    assert len(told) == 4
    assert text_hash(*words, "dien", [7, 5]) == text_hash(*words, "dien", [5, 7])


def test_what_was_approved_before_an_audience_could_be_chosen_stays_approved() -> None:
    before = hashlib.sha256("Cắt điện\nNgày mai cắt điện.\n1".encode()).hexdigest()
    assert text_hash("Cắt điện", "Ngày mai cắt điện.", 1) == before


def test_a_masked_address_shows_only_its_end() -> None:
    assert masked("zalo:3000000000000000003") == "zalo …0003"
    assert masked("3000000000000000003") == "…0003"
