"""Incidents: whether two reports may be one piece of work, to which group a report belongs, and when many is too many.

Everything is decided from plain values. What is proposed here is only proposed: an official joins, or says no.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

# Further apart in time than this, two reports are two matters (domain §9).
WINDOW = timedelta(days=7)
# A pin is where its sender stands, and they need not stand in front of it.
NEAR_METRES, AROUND_METRES, ELSEWHERE_METRES = 80.0, 160.0, 250.0
METRES_A_DEGREE = 111_320.0
# What speaks for one matter, in points; where they reach ENOUGH, it is proposed.
ENOUGH = 3.8
_SAME_TOPIC, _KIN_TOPIC, _LIKELY_TOPIC, _OTHER_TOPIC = 2.0, 1.5, 1.0, -1.5
_SAME_SPOT, _SAME_SPOT_OF_BROAD, _SAME_LANDMARK = 2.0, 1.5, 1.5
_WHOLE_AREA, _SAME_AREA, _SPOT_IN_AREA = 1.8, 0.8, 0.5
_NEAR, _AROUND = 2.2, 1.0
_WORDS_COUNT_AT_MOST = 3.0
_LONG_AGO, _LONG_AGO_COSTS = timedelta(hours=48), 0.5
_GUESSED = 0.15
# A word in a third of what is compared says nothing.
_COMMON, _FEWEST_TO_LEARN_FROM = 1 / 3, 12
_MOST_WORDS_TOLD = 3
# What is cut off or under water is so in a whole village at once; a lamp or a hole is somewhere in it.
_OF_WHOLE_AREAS = frozenset({"dien", "nuoc-sach", "vien-thong", "thoat-nuoc-ngap", "thien-tai", "nong-nghiep"})
_AT_ONCE = timedelta(hours=24)
# Subjects that are one kind of trouble, so that two at one spot are one matter; others are many kinds (a hole, a sign).
_NARROW = _OF_WHOLE_AREAS | {"chieu-sang", "cay-xanh", "rac-thai", "o-nhiem", "tieng-on", "pccc"}
# Subjects that are easily taken for one another: one storm, one flood.
_KIN = (frozenset({"thoat-nuoc-ngap", "thien-tai", "nong-nghiep"}), frozenset({"dien", "chieu-sang"}))


@dataclass(frozen=True)
class Report:
    """A report as far as likeness looks. `topics`: its subject and what else was guessed, with their chances.

    `spots`: the places of the list that it names and one can stand at; `areas`: villages and quarters it names, or in
    which such a spot lies. `words`: its folded words and pairs of words without those that say nothing;
    `landmarks`: pairs of words that name a spot which is in no list.
    `is_emergency`: somebody's life is in danger, which is so at one spot.
    """

    id: int
    at: datetime
    topic: str | None
    topics: Mapping[str, float] = field(default_factory=dict)
    spots: frozenset[int] = frozenset()
    areas: frozenset[int] = frozenset()
    point: tuple[float, float] | None = None
    words: frozenset[str] = frozenset()
    landmarks: frozenset[str] = frozenset()
    is_emergency: bool = False


@dataclass(frozen=True)
class Like:
    """How alike two reports are: `score` in points, what speaks for it, and whether something rules it out."""

    score: float
    reasons: tuple[dict[str, Any], ...] = ()
    is_ruled_out: bool = False

    @property
    def is_enough(self) -> bool:
        """Whether it may be proposed."""
        return not self.is_ruled_out and self.score >= ENOUGH


def likeness(one: Report, other: Report, weight: Callable[[str], float]) -> Like:
    """How alike two reports are; `weight`: how much a word says, 0 for what everybody writes."""
    apart = abs(one.at - other.at)
    if apart > WINDOW:
        return Like(0.0, is_ruled_out=True)
    score, reasons = _of_topics(one, other)
    place, where, is_elsewhere = _of_places(one, other)
    shared = sorted(one.words & other.words, key=lambda word: (-weight(word), word))
    words = _of_words(shared, one, other, weight)
    score += place + words - (_LONG_AGO_COSTS if apart > _LONG_AGO else 0.0)
    told = [word for word in shared if " " in word and weight(word) > 0][:_MOST_WORDS_TOLD]
    if told:
        where = (*where, {"kind": "words", "words": told})
    return Like(round(score, 2), (*reasons, *where), is_elsewhere)


def _of_topics(one: Report, other: Report) -> tuple[float, tuple[dict[str, Any], ...]]:
    if one.topic is not None and one.topic == other.topic:
        return _SAME_TOPIC, ({"kind": "topic", "topic": one.topic},)
    crossed = max(other.topics.get(one.topic or "", 0.0), one.topics.get(other.topic or "", 0.0))
    are_kin = any(one.topic in kin and other.topic in kin for kin in _KIN)
    return (_KIN_TOPIC if are_kin else _LIKELY_TOPIC if crossed >= _GUESSED else _OTHER_TOPIC), ()


def _of_places(one: Report, other: Report) -> tuple[float, tuple[dict[str, Any], ...], bool]:
    """Points, reasons, and whether the two are surely elsewhere."""
    points, reasons = 0.0, []
    spots, areas = one.spots & other.spots, one.areas & other.areas
    if spots:
        points = _SAME_SPOT if {one.topic, other.topic} <= _NARROW else _SAME_SPOT_OF_BROAD
        reasons.append({"kind": "place", "id": min(spots)})
    elif areas:
        is_whole = (
            bool({one.topic, other.topic} & _OF_WHOLE_AREAS)
            and {one.topic, other.topic} != {"nong-nghiep"}
            and abs(one.at - other.at) <= _AT_ONCE
            and not (one.spots or other.spots or one.is_emergency or other.is_emergency)
        )
        is_in_it = bool(one.spots) != bool(other.spots)
        points = _WHOLE_AREA if is_whole else _SPOT_IN_AREA if is_in_it else _SAME_AREA
        reasons.append({"kind": "place", "id": min(areas)})
    landmarks = (one.landmarks & other.words) | (other.landmarks & one.words)
    if landmarks:
        points = max(points, _SAME_LANDMARK + (_SAME_AREA if areas else 0.0))
    is_elsewhere = not spots and bool((one.spots and other.spots) or (one.areas and other.areas and not areas))
    if one.point is None or other.point is None:
        return points, tuple(reasons), is_elsewhere
    metres = metres_between(one.point, other.point)
    if metres > ELSEWHERE_METRES:
        return points, tuple(reasons), True
    if metres <= AROUND_METRES:
        reasons.insert(0, {"kind": "near", "metres": max(10, round(metres, -1))})
        points = max(points, _NEAR if metres <= NEAR_METRES else _AROUND)
        is_elsewhere = is_elsewhere and metres > NEAR_METRES
    return points, tuple(reasons), is_elsewhere


def _of_words(shared: Sequence[str], one: Report, other: Report, weight: Callable[[str], float]) -> float:
    """What common words say, measured by all that the shorter of the two says."""
    said = sum(weight(word) for word in shared)
    least = min(sum(weight(word) for word in report.words) for report in (one, other))
    return _WORDS_COUNT_AT_MOST * said / least if least > 0 else 0.0


def weights(groups: Sequence[Sequence[Report]]) -> Callable[[str], float]:
    """How much each word says: the fewer groups it stands in, the more. What one big group says is not common."""
    held: dict[str, float] = {}
    for group in groups:
        for report in group:
            for word in report.words:
                held[word] = held.get(word, 0.0) + 1 / len(group)
    # Of few reports nothing can be learned about words: then all count alike.
    many = max(len(groups), _FEWEST_TO_LEARN_FROM)

    def weight(word: str) -> float:
        share = held.get(word, 0.0) / many
        return 0.0 if share > _COMMON else math.log(1 / max(share, 1 / many)) + 0.2

    return weight


def metres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """How far two points (degrees) are apart, in metres; right for short distances."""
    north = (one[0] - other[0]) * METRES_A_DEGREE
    east = (one[1] - other[1]) * METRES_A_DEGREE * math.cos(math.radians(one[0]))
    return math.hypot(north, east)


# ---- groups ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Belonging:
    """The group that a report may belong to: who leads it, how surely, and what speaks for it.

    `others`: groups that turn out to be one with it, as the report belongs to both.
    """

    lead_id: int
    score: float
    reasons: tuple[dict[str, Any], ...]
    others: tuple[int, ...] = ()


def belonging(report: Report, groups: Mapping[int, Sequence[Report]]) -> Belonging | None:
    """The group whose members the report is like, the most alike first; None where it stands alone.

    One like member is not enough where others say that it is elsewhere or something else.
    """
    named = [one for group in groups.values() for one in group if one.point is not None and one.areas][:_LOOKED_AROUND]
    report = placed(report, named)
    groups = {lead_id: [placed(one, named) for one in members] for lead_id, members in groups.items()}
    weight = weights([[report], *groups.values()])
    found: list[Belonging] = []
    for lead_id, members in groups.items():
        enough = _enough([likeness(report, member, weight) for member in members])
        if enough:
            score = sum(like.score for like in enough[:_TOP]) / len(enough[:_TOP])
            found.append(Belonging(lead_id, round(score, 2), _strongest(enough)))
    found.sort(key=lambda one: -one.score)
    if not found:
        return None
    best = found[0]
    others = [one.lead_id for one in found[1:] if are_one([report, *groups[best.lead_id]], groups[one.lead_id], weight)]
    return replace(best, others=tuple(others))


def placed(report: Report, named: Sequence[Report]) -> Report:
    """The report with the village its pin stands in, as those tell who sent a pin near by and named one."""
    if report.point is None or report.areas or report.spots:
        return report
    near = [one.areas for one in named if one.point and metres_between(report.point, one.point) <= AROUND_METRES]
    common = frozenset.intersection(*near) if near else frozenset()
    return replace(report, areas=common) if common else report


def are_one(one: Sequence[Report], other: Sequence[Report], weight: Callable[[str], float]) -> bool:
    """Whether two groups are one: as their members are alike, each with some of the other's."""
    likes = [likeness(a, b, weight) for a in one[:_LOOKED_AT] for b in other[:_LOOKED_AT]]
    return bool(_enough(likes))


def _enough(likes: Sequence[Like]) -> list[Like]:
    """Those that are alike enough, the most alike first; none where too few are, or too many surely are not."""
    enough = sorted((like for like in likes if like.is_enough), key=lambda like: -like.score)
    against = sum(like.is_ruled_out for like in likes)
    return enough if len(enough) > against and len(enough) >= _FEWEST_LIKE * len(likes) else []


_FEWEST_LIKE, _TOP, _LOOKED_AT, _LOOKED_AROUND = 0.15, 5, 8, 60


def _strongest(likes: Sequence[Like]) -> tuple[dict[str, Any], ...]:
    """One reason of each kind, from the most alike."""
    found: dict[str, dict[str, Any]] = {}
    for like in likes[:5]:
        for reason in like.reasons:
            found.setdefault(str(reason["kind"]), reason)
    return tuple(found.values())


# ---- too many -------------------------------------------------------------------------------------------------------

SURGE_TIME = timedelta(hours=3)
USUAL_TIME = timedelta(days=28)
FEWEST_IN_A_SURGE = 5
_BY_CHANCE = 0.001
_LEAST_USUAL = 0.05


def surge_from(before: int) -> int:
    """How many like reports within `SURGE_TIME` are no chance, where there were `before` of the kind in `USUAL_TIME`.

    As if they came independently (Poisson): fewer than once in a thousand such spans, and never fewer than five.
    """
    usual = max(_LEAST_USUAL, before * (SURGE_TIME / USUAL_TIME))
    at_least, term, many = 1.0, math.exp(-usual), 0
    while at_least > _BY_CHANCE:
        at_least -= term
        many += 1
        term *= usual / many
    return max(FEWEST_IN_A_SURGE, many)
