"""Whether reports may be one piece of work, and when many is too many: plain values in, a score with reasons out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.rules.incidents import FEWEST_IN_A_SURGE, Report, belonging, likeness, surge_from, weights

NOON = datetime(2026, 10, 7, 5, 0, tzinfo=UTC)
MARKET, SCHOOL, VILLAGE, OTHER_VILLAGE = 1, 2, 10, 11
RUBBISH = frozenset({"rac", "dong", "mui", "rac dong"})
PUMP = frozenset({"tram", "bom", "tram bom", "ngap", "may"})


def a_report(number: int = 1, topic: str = "rac-thai", **more: object) -> Report:
    given = {"topics": {topic: 0.9}, "words": RUBBISH, **more}
    return Report(number, NOON, topic, **given)  # type: ignore[arg-type]


def like(one: Report, other: Report):
    return likeness(one, other, weights([[one], [other]]))


def test_the_same_subject_at_the_same_spot_is_proposed_and_says_why() -> None:
    found = like(a_report(spots=frozenset({MARKET})), a_report(2, spots=frozenset({MARKET})))
    assert found.is_enough
    assert found.reasons == (
        {"kind": "topic", "topic": "rac-thai"},
        {"kind": "place", "id": MARKET},
        {"kind": "words", "words": ["rac dong"]},
    )


def test_pins_say_how_far_apart() -> None:
    here, near = (10.8000, 106.3000), (10.8005, 106.3000)
    found = like(a_report(point=here, words=frozenset()), a_report(2, point=near, words=frozenset()))
    assert found.is_enough
    assert {"kind": "near", "metres": 60} in found.reasons


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"spots": frozenset({MARKET})}, {"spots": frozenset({SCHOOL})}),
        ({"areas": frozenset({VILLAGE})}, {"areas": frozenset({OTHER_VILLAGE})}),
        ({"point": (10.80, 106.30)}, {"point": (10.80, 106.303)}),
    ],
    ids=["another spot", "another village", "330 metres away"],
)
def test_what_is_elsewhere_is_another_matter_whatever_its_words(one: dict, other: dict) -> None:
    assert like(a_report(**one), a_report(2, **other)).is_ruled_out


def test_another_subject_at_the_same_spot_is_another_matter() -> None:
    lamp = a_report(2, "chieu-sang", spots=frozenset({MARKET}), words=frozenset({"den", "tat", "den tat"}))
    assert not like(a_report(spots=frozenset({MARKET})), lamp).is_enough


def test_a_lamp_somewhere_in_a_village_is_not_every_lamp_there_but_a_power_cut_is_one() -> None:
    def of(topic: str, words: set[str]) -> Report:
        return a_report(1, topic, areas=frozenset({VILLAGE}), words=frozenset(words))

    lamps = of("chieu-sang", {"bong", "hong", "khuc", "quanh"}), of("chieu-sang", {"den", "cot", "tat", "tat den"})
    cuts = of("dien", {"mat", "tu", "khuya"}), of("dien", {"cup", "tu", "lanh"})
    assert [like(*lamps).is_enough, like(*cuts).is_enough] == [False, True]


def test_a_life_in_danger_is_no_area() -> None:
    flood = a_report(1, "thien-tai", areas=frozenset({VILLAGE}), words=frozenset({"nuoc", "dang"}))
    drowning = replace(flood, id=2, words=frozenset({"te", "kenh"}), is_emergency=True)
    assert not like(flood, drowning).is_enough


def test_after_a_week_it_is_another_matter() -> None:
    spot = frozenset({MARKET})
    late = replace(a_report(2, spots=spot), at=NOON + timedelta(days=7, minutes=1))
    assert like(a_report(spots=spot), late).is_ruled_out


def test_a_spot_in_no_list_binds_those_who_name_it() -> None:
    one = a_report(1, "nong-nghiep", words=PUMP, landmarks=frozenset({"tram bom"}))
    other = a_report(2, "thoat-nuoc-ngap", words=PUMP | {"nha", "bep"}, areas=frozenset({VILLAGE}))
    assert like(one, other).is_enough


def test_a_report_belongs_to_the_group_it_is_most_like() -> None:
    market = [a_report(n, spots=frozenset({MARKET})) for n in (2, 3, 4)]
    school = [a_report(n, spots=frozenset({SCHOOL})) for n in (5, 6)]
    found = belonging(a_report(spots=frozenset({SCHOOL})), {2: market, 5: school})
    assert found is not None
    assert (found.lead_id, found.others) == (5, ())


def test_one_like_member_among_many_that_are_elsewhere_is_not_enough() -> None:
    mixed = [a_report(2, spots=frozenset({MARKET})), *(a_report(n, spots=frozenset({SCHOOL})) for n in (3, 4, 5))]
    assert belonging(a_report(spots=frozenset({MARKET})), {2: mixed}) is None


def test_a_report_that_belongs_to_two_groups_shows_that_they_are_one() -> None:
    pinned = [a_report(n, point=(10.80, 106.30), spots=frozenset({MARKET})) for n in (2, 3)]
    named = [a_report(n, spots=frozenset({MARKET})) for n in (4, 5)]
    found = belonging(a_report(point=(10.80, 106.30), spots=frozenset({MARKET})), {2: pinned, 4: named})
    assert found is not None
    assert {found.lead_id, *found.others} == {2, 4}


def test_what_one_big_group_says_does_not_become_common_by_its_size() -> None:
    group = [a_report(n, words=PUMP) for n in range(30)]
    weight = weights([group, [a_report(99)], [a_report(98)]])
    assert weight("tram bom") > 0


@pytest.mark.parametrize(("before", "least"), [(0, 5), (20, 5), (200, 6), (2_000, 20)])
def test_many_is_measured_by_what_is_usual_there(before: int, least: int) -> None:
    assert surge_from(before) == least
    assert surge_from(before) >= FEWEST_IN_A_SURGE
