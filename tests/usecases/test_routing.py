"""The routing table: tried out on the latest reports, kept as tried, and then it is so."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.rules.deadlines import VIETNAM
from bot.usecases import routing
from bot.usecases.routing import RoutingProblem, Wish, keep, try_out
from storage.agencies import Agency, ProvinceRule
from storage.audit import AuditEntry
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.storm import a_storm, add_places
from tests.usecases.looking import LIGHT, POTHOLE, RUBBISH, take_in, tickets

SAID = (LIGHT, RUBBISH, POTHOLE)


def agency(world: World, slug: str) -> int:
    return next(a.id for a in all_rows(world.runtime, Agency) if a.slug == slug)


def a_wish(world: World, topic: str = "chieu-sang", slug: str | None = "cong-an", **changes: object) -> Wish:
    today = world.clock().astimezone(VIETNAM).date()
    return replace(Wish(topic, None, agency(world, slug) if slug else None, today), **changes)  # type: ignore[arg-type]


def everybody_writes(world: World, round_: int = 0) -> list[Ticket]:
    """Each from another account, so that each opens a report."""
    before = {t.id for t in tickets(world)}
    for number, words in enumerate(SAID * 3):
        world.says(words, user=f"30000000000000{round_:02d}{number:03d}")
    take_in(world)
    return [t for t in tickets(world) if t.id not in before]


@pytest.mark.parametrize("topic", ["chieu-sang", "rac-thai"])
def test_what_the_trial_says_is_what_then_happens(morning: World, topic: str) -> None:
    before = everybody_writes(morning)
    mai, wish = morning.official("mai"), a_wish(morning, topic)
    trial = try_out(morning.runtime, mai, wish)
    assert trial.looked_at == len(before) == 9
    keep(morning.runtime, mai, wish, trial.seal)
    after = everybody_writes(morning, 1)
    moved = [
        (old.code, new.agency_id) for old, new in zip(before, after, strict=True) if old.agency_id != new.agency_id
    ]
    assert [code for code, _ in moved] == sorted(one.code for one in trial.differences)
    assert len(moved) == 3
    assert {agency_id for _, agency_id in moved} == {agency(morning, "cong-an")}


def two_hundred_write(world: World, round_: int) -> list[Ticket]:
    """The same people of a storm day, one report each, as if they were others each round."""
    before = {t.id for t in tickets(world)}
    said = [one.text for one in (*a_storm(11), *a_storm(12)) if one.truth and not one.answer]
    for number, words in enumerate(said[:240]):
        world.says(words, user=f"30000000000001{round_:02d}{number:03d}")
    while take_in(world):
        pass
    return [t for t in tickets(world) if t.id not in before and not t.is_sealed][-routing.LOOKED_AT :]


def test_the_trials_on_two_hundred_are_what_the_next_two_hundred_show(morning: World) -> None:
    add_places(morning)
    before = two_hundred_write(morning, 0)
    assert len(before) == routing.LOOKED_AT
    mai, said = morning.official("mai"), Counter((t.topic, t.place_id) for t in before if t.topic and t.place_id)
    (first, _), *others = (pair for pair, _ in said.most_common())
    second, place = next(pair for pair in others if pair[0] != first)
    told: dict[str, str] = {}
    for wish in (a_wish(morning, first), a_wish(morning, second, "van-hoa-xa-hoi", place_id=place)):
        trial = try_out(morning.runtime, mai, wish)
        assert trial.looked_at == routing.LOOKED_AT
        assert len(trial.differences) >= 5, "a rule that moves hardly anything would prove little"
        told |= {one.code: one.after for one in trial.differences}
        keep(morning.runtime, mai, wish, trial.seal)
    after = two_hundred_write(morning, 1)
    assert [(t.topic, t.place_id) for t in after] == [(t.topic, t.place_id) for t in before], "it is a replay"
    names = {one.id: one.name for one in all_rows(morning.runtime, Agency)}
    assert told == {
        old.code: names[new.agency_id or 0]
        for old, new in zip(before, after, strict=True)
        if old.agency_id != new.agency_id
    }


def test_only_what_was_tried_is_kept(morning: World) -> None:
    mai, wish = morning.official("mai"), a_wish(morning)
    trial = try_out(morning.runtime, mai, wish)
    for seal in ("", "0" * 32, try_out(morning.runtime, mai, a_wish(morning, "rac-thai")).seal):
        with pytest.raises(RoutingProblem, match="xem thử lại"):
            keep(morning.runtime, mai, wish, seal)
    keep(
        morning.runtime,
        mai,
        a_wish(morning, "rac-thai"),
        try_out(morning.runtime, mai, a_wish(morning, "rac-thai")).seal,
    )
    with pytest.raises(RoutingProblem, match="vừa thay đổi"):
        keep(morning.runtime, mai, wish, trial.seal)
    assert [e.action for e in all_rows(morning.runtime, AuditEntry)].count("routing.changed") == 1


def test_a_rule_for_one_place_moves_that_place_only(morning: World) -> None:
    everybody_writes(morning)
    mai = morning.official("mai")
    place = next(number for number, name in routing.overview(morning.runtime, mai).places if name == "Xóm 5")
    trial = try_out(morning.runtime, mai, a_wish(morning, place_id=place))
    assert {one.place for one in trial.differences} == {"Xóm 5"}
    assert len(trial.differences) == 3


def test_a_new_structure_is_entered_weeks_ahead(morning: World, clock: Clock) -> None:
    mai = morning.official("mai")
    begins = clock().astimezone(VIETNAM).date() + timedelta(days=20)
    wish = a_wish(morning, valid_from=begins)
    keep(morning.runtime, mai, wish, try_out(morning.runtime, mai, wish).seal)
    old = everybody_writes(morning)[0]
    assert old.agency_id == agency(morning, "kinh-te")
    clock.move(days=20)
    assert everybody_writes(morning, 1)[0].agency_id == agency(morning, "cong-an")
    lines = routing.overview(morning.runtime, mai).lines
    assert [(one.rule.valid_from, one.rule.valid_to, one.agency) for one in lines] == [(begins, None, "Công an xã")]


def test_a_rule_ends_and_what_is_usual_comes_back(morning: World, clock: Clock) -> None:
    mai, wish = morning.official("mai"), a_wish(morning)
    keep(morning.runtime, mai, wish, try_out(morning.runtime, mai, wish).seal)
    clock.move(days=3)
    ends = a_wish(morning, slug=None)
    trial = try_out(morning.runtime, mai, ends)
    keep(morning.runtime, mai, ends, trial.seal)
    assert everybody_writes(morning)[0].agency_id == agency(morning, "kinh-te")
    assert routing.overview(morning.runtime, mai).lines == []


def test_the_province_decides_where_the_commune_has_not(morning: World) -> None:
    with morning.runtime.database.transaction() as session:
        from storage.communes import Commune, Locality

        commune = session.get_one(Commune, morning.commune_id)
        province = session.get_one(Locality, commune.locality_code).parent_code
        session.add(
            ProvinceRule(province_code=province, topic="chieu-sang", agency_slug="cong-an", valid_from=date(2026, 1, 1))
        )
    assert everybody_writes(morning)[0].agency_id == agency(morning, "cong-an")


def test_wishes_that_make_no_sense_are_refused(morning: World) -> None:
    mai = morning.official("mai")
    today = morning.clock().astimezone(VIETNAM).date()
    for changes, told in (
        ({"topic": "khong-co"}, "lĩnh vực"),
        ({"agency_id": 999_999}, "đơn vị"),
        ({"place_id": 999_999}, "địa điểm"),
        ({"valid_from": today - timedelta(days=1)}, "Ngày bắt đầu"),
        ({"valid_from": today + timedelta(days=400)}, "Ngày bắt đầu"),
    ):
        with pytest.raises(RoutingProblem, match=told):
            try_out(morning.runtime, mai, a_wish(morning, **changes))
    with pytest.raises(RoutingProblem, match="không có quyền"):
        try_out(morning.runtime, morning.official("lan"), a_wish(morning))
