"""Topic and place → agency: the more exact rule wins, the commune's before the province's, and nobody is left alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

TRIAGE = "van-phong"
SURE = 0.7
FIRST_DAY = date(2025, 7, 1)


@dataclass(frozen=True)
class Rule:
    """One line of the commune's routing table, from one day to the last (None: until another begins)."""

    topic: str
    place_id: int | None
    agency_id: int
    valid_from: date = FIRST_DAY
    valid_to: date | None = None

    def holds(self, on: date) -> bool:
        """Whether it is in force on a day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True)
class Table:
    """All that routing asks: the commune's rules, the province's (topic → slug), the agencies there are by slug."""

    rules: tuple[Rule, ...]
    agencies: Mapping[str, int]
    province: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """Who gets the ticket and why: "place", "topic", "province", "default", or "unsure" for the triage desk."""

    agency_id: int | None
    why: str


def route(
    topic: str | None, probability: float, place_id: int | None, table: Table, default_slug: str | None, *, on: date
) -> Route:
    """Choose the agency for a report of this day; below the confidence threshold a person sorts it first."""
    triage = table.agencies.get(TRIAGE)
    if topic is None or probability < SURE:
        return Route(triage, "unsure")
    mine = [rule for rule in table.rules if rule.topic == topic and rule.holds(on)]
    at_place = _latest(rule for rule in mine if place_id is not None and rule.place_id == place_id)
    if at_place is not None:
        return Route(at_place.agency_id, "place")
    of_topic = _latest(rule for rule in mine if rule.place_id is None)
    if of_topic is not None:
        return Route(of_topic.agency_id, "topic")
    for slug, why in ((table.province.get(topic), "province"), (default_slug, "default")):
        if slug is not None and slug in table.agencies:
            return Route(table.agencies[slug], why)
    return Route(triage, "unsure")


def _latest(rules: Iterable[Rule]) -> Rule | None:
    """Of rules in force, the one that began last."""
    return max(rules, key=lambda rule: rule.valid_from, default=None)
