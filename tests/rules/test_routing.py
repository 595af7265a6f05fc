"""Who gets a ticket."""

from __future__ import annotations

from datetime import date

import pytest

from bot.rules.routing import SURE, Route, Rule, Table, route

TODAY = date(2026, 10, 7)
AGENCIES = {"van-phong": 1, "kinh-te": 2, "cong-an": 3, "moi-truong": 4}
RULES = [
    Rule("rac-thai", None, 4),
    Rule("rac-thai", 7, 2),
    Rule("dien", None, 3),
]


@pytest.mark.parametrize(
    ("label", "topic", "probability", "place", "default", "expected"),
    [
        ("the rule for the place wins", "rac-thai", 0.9, 7, "kinh-te", Route(2, "place")),
        ("another place follows the topic", "rac-thai", 0.9, 8, "kinh-te", Route(4, "topic")),
        ("no place follows the topic", "rac-thai", 0.9, None, "kinh-te", Route(4, "topic")),
        ("the commune's rule beats the usual owner", "dien", 0.9, None, "kinh-te", Route(3, "topic")),
        ("no rule: the usual owner", "cay-xanh", 0.9, 7, "kinh-te", Route(2, "default")),
        ("an owner this commune does not have", "y-te", 0.9, None, "tram-y-te", Route(1, "unsure")),
        ("a topic without an owner", "gop-y-chinh-quyen", 0.9, None, None, Route(1, "unsure")),
        ("exactly sure enough", "cay-xanh", SURE, None, "kinh-te", Route(2, "default")),
        ("not sure enough", "rac-thai", SURE - 0.01, 7, "kinh-te", Route(1, "unsure")),
        ("no topic", None, 0.99, 7, "kinh-te", Route(1, "unsure")),
    ],
)
def test_the_more_exact_rule_wins(
    label: str, topic: str | None, probability: float, place: int | None, default: str | None, expected: Route
) -> None:
    assert route(topic, probability, place, Table(tuple(RULES), AGENCIES), default, on=TODAY) == expected, label


def test_the_order_of_the_rules_does_not_matter() -> None:
    assert route("rac-thai", 0.9, 7, Table(tuple(RULES[::-1]), AGENCIES), None, on=TODAY) == Route(2, "place")


def test_a_commune_without_a_triage_desk_leaves_the_ticket_to_be_sorted() -> None:
    assert route(None, 0.0, None, Table((), {}), None, on=TODAY) == Route(None, "unsure")


@pytest.mark.parametrize(
    ("day", "agency"),
    [(date(2026, 10, 31), 4), (date(2026, 11, 1), 3), (date(2026, 11, 30), 3), (date(2026, 12, 1), 4)],
)
def test_a_rule_holds_from_its_first_day_to_its_last(day: date, agency: int) -> None:
    rules = (Rule("rac-thai", None, 4), Rule("rac-thai", None, 3, date(2026, 11, 1), date(2026, 11, 30)))
    assert route("rac-thai", 0.9, None, Table(rules, AGENCIES), None, on=day).agency_id == agency


def test_the_provinces_rule_stands_between_the_communes_and_the_usual_owner() -> None:
    table = Table(
        (Rule("dien", None, 3),), AGENCIES, {"dien": "moi-truong", "cay-xanh": "moi-truong", "y-te": "so-y-te"}
    )
    assert route("dien", 0.9, None, table, "kinh-te", on=TODAY) == Route(3, "topic")
    assert route("cay-xanh", 0.9, None, table, "kinh-te", on=TODAY) == Route(4, "province")
    assert route("y-te", 0.9, None, table, "kinh-te", on=TODAY) == Route(2, "default")
