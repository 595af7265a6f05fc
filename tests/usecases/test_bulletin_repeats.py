"""A bulletin that goes out several times by itself, on days that were approved once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.usecases import bulletin_following, bulletins
from bot.usecases.announcements import AnnouncementError
from bot.usecases.bulletins import plan_of
from storage.enums import AnnouncementState, BulletinKind, BulletinState, Importance
from tests.builders import World
from tests.conftest import Clock
from tests.usecases.bulletins import a_bulletin, approve, approved, bulletin, legs, submit, submitted, tried
from tests.usecases.telling import Phone, counts, followers, phone, run

__all__ = ["phone"]


def talkative(world: World, many: int) -> None:
    """Followers who write so often that the channel lets us write to them all month."""
    followers(world, many, last_interaction_at=world.clock() + timedelta(days=40))


def weekly(world: World, times: int = 3, **changes: object) -> dict[str, object]:
    begins = world.clock() + timedelta(hours=1)
    until = begins + timedelta(days=30)
    return {"send_at": begins, "valid_until": until, "repeat_days": 7, "repeat_times": times, **changes}


def test_each_time_is_an_announcement_of_its_own(world: World, phone: Phone, clock: Clock) -> None:
    talkative(world, 2)
    number = approved(world, **weekly(world))
    assert [leg.send_at for leg in legs(world, number)] == [
        world.clock() + timedelta(hours=1, days=days) for days in (0, 7, 14)
    ]
    for sent in (1, 2, 3):
        clock.move(hours=2)
        run(world)
        assert [counts(world, leg.id).get("sent", 0) for leg in legs(world, number)] == [2] * sent + [0] * (3 - sent)
        clock.move(days=7, hours=-2)
    assert {leg.state for leg in legs(world, number)} == {AnnouncementState.SENT}


def test_stopping_ends_all_that_were_to_come(world: World, phone: Phone, clock: Clock) -> None:
    talkative(world, 2)
    number = approved(world, **weekly(world))
    clock.move(hours=2)
    run(world)
    bulletins.stop(world.runtime, world.official("hoa"), number)
    before = len(phone.sent)
    clock.move(days=15)
    run(world)
    assert len(phone.sent) == before
    assert bulletin(world, number).state is BulletinState.STOPPED


def test_the_days_are_part_of_what_is_approved(world: World, phone: Phone) -> None:
    talkative(world, 1)
    number = submitted(world, **weekly(world))
    row = bulletin(world, number)
    seen = plan_of(row).digest
    row.repeat_times = 4
    assert plan_of(row).digest != seen
    row.repeat_times, row.repeat_days = 3, 1
    assert plan_of(row).digest != seen


def test_a_correction_ends_the_repeats_and_reaches_who_got_any_of_them(
    world: World, phone: Phone, clock: Clock
) -> None:
    talkative(world, 1)
    number = approved(world, **weekly(world))
    clock.move(hours=2)
    run(world)
    made = bulletin_following.follow_up(world.runtime, world.official("tuan"), number, BulletinKind.CORRECTION)
    tried(world, made)
    submit(world, made)
    approve(world, made)
    before = len(phone.sent)
    run(world)
    assert len(phone.sent) == before + 1
    clock.move(days=20)
    run(world)
    assert len(phone.sent) == before + 1


def test_days_that_passed_while_it_was_held_are_not_made_up_for(world: World, phone: Phone, clock: Clock) -> None:
    talkative(world, 2)
    number = approved(world, **weekly(world, times=4, repeat_days=1))
    bulletins.pause(world.runtime, world.official("hoa"), number)
    clock.move(days=2, hours=2)
    before = len(phone.sent)
    bulletins.resume(world.runtime, world.official("hoa"), number)
    run(world)
    assert len(phone.sent) == before + 2  # one each: the latest day's
    assert [counts(world, leg.id).get("sent", 0) for leg in legs(world, number)] == [0, 0, 2, 0]
    clock.move(days=1)
    run(world)
    assert len(phone.sent) == before + 4


def test_who_had_enough_of_its_class_is_left_out_that_day(world: World, phone: Phone, clock: Clock) -> None:
    talkative(world, 1)
    number = approved(world, **weekly(world, times=5, repeat_days=1))
    for _ in range(5):
        clock.move(hours=2)
        run(world)
        clock.move(hours=22)
    assert [leg.left_out for leg in legs(world, number)] == [0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"send_at": None}, "giờ gửi lần đầu"),
        ({"repeat_times": 6}, "thời hạn hiệu lực"),
        ({"importance": Importance.EMERGENCY}, "không tự lặp lại"),
    ],
)
def test_repeats_that_cannot_be(world: World, phone: Phone, changes: dict[str, object], why: str) -> None:
    talkative(world, 1)
    number = a_bulletin(world, **weekly(world, **changes))
    tried(world, number)
    with pytest.raises(AnnouncementError, match=why):
        submit(world, number)
