"""Topic and place → agency: the more exact rule wins, and nobody is left without an owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

TRIAGE = "van-phong"
SURE = 0.7


@dataclass(frozen=True)
class Rule:
    """One line of the commune's routing table."""

    topic: str
    place_id: int | None
    agency_id: int


@dataclass(frozen=True)
class Route:
    """Who gets the ticket and why: "place", "topic", "default", or "unsure" for the triage desk."""

    agency_id: int | None
    why: str


def route(
    topic: str | None,
    probability: float,
    place_id: int | None,
    rules: Sequence[Rule],
    agencies: dict[str, int],
    default_slug: str | None,
) -> Route:
    """Choose the agency; below the confidence threshold a person sorts it first."""
    triage = agencies.get(TRIAGE)
    if topic is None or probability < SURE:
        return Route(triage, "unsure")
    for rule in rules:
        if rule.topic == topic and place_id is not None and rule.place_id == place_id:
            return Route(rule.agency_id, "place")
    for rule in rules:
        if rule.topic == topic and rule.place_id is None:
            return Route(rule.agency_id, "topic")
    if default_slug is not None and default_slug in agencies:
        return Route(agencies[default_slug], "default")
    return Route(triage, "unsure")
