"""Home places: the commune's own villages, streets and landmarks, found under every name they go by."""

from __future__ import annotations

import csv
import re
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

from nlp.characters import fold
from nlp.normalise import Normalised
from nlp.phrases import Hit
from nlp.place_context import Context
from nlp.place_matcher import Matcher
from nlp.place_names import Named
from nlp.reading import Home, KnownPlace

__all__ = ["Named", "find_home_places", "read_places"]

_BETWEEN_ALIASES = re.compile(r"[|;,]")
_Found = Hit[Named]


def read_places(path: Path) -> tuple[KnownPlace, ...]:
    """A commune's places from a CSV of name, kind, aliases (separated by "|", ";" or ","), parent; keys count rows."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row.get("name") or "").strip()]
    return tuple(
        KnownPlace(
            str(number),
            row["name"].strip(),
            (row.get("kind") or "").strip(),
            tuple(a.strip() for a in _BETWEEN_ALIASES.split(row.get("aliases") or "") if a.strip()),
            (row.get("parent") or "").strip(),
        )
        for number, row in enumerate(rows, 1)
    )


# By commune; a new list takes the place of the old one. Looking a long list up by its value takes as long as reading a
# message, so the same list is known by its identity.
_matchers: OrderedDict[tuple[str, str], tuple[tuple[KnownPlace, ...], Matcher]] = OrderedDict()
_MOST_COMMUNES = 128
_BESIDE = 6


def _matcher_of(home: Home) -> Matcher:
    commune = (home.commune_code, home.commune_name)
    known = _matchers.get(commune)
    if known and (known[0] is home.places or known[0] == home.places):
        matcher = known[1]
    else:
        matcher = Matcher(home.places, home.commune_name)
    if known is None or known[0] is not home.places:
        _matchers[commune] = (home.places, matcher)
    _matchers.move_to_end(commune)
    while len(_matchers) > _MOST_COMMUNES:
        _matchers.popitem(last=False)
    return matcher


def find_home_places(text: Normalised, home: Home) -> list[tuple[Hit[Named], float]]:
    """The commune's places in the text, longest names first to win, each with its probability.

    A name that several places bear is found once for each, and the probability is shared out among them, unless the
    place that they belong to is named too.
    """
    if not home.places or not text.words:
        return []
    matcher = _matcher_of(home)
    context = Context(text)
    exact = [hit for hit in matcher.find(text) if context.is_meant(hit)]
    near = [hit for hit in matcher.find_near(text, exact) if context.is_meant(hit)]
    if not exact and not near:
        return []
    kept = _kept([*exact, *near])
    return list(_shared_out(text, kept))


def _kept(hits: list[_Found]) -> dict[tuple[int, int], dict[str, _Found]]:
    """The hits by span, each place once; what overlaps with a longer one is left out."""
    by_span: dict[tuple[int, int], dict[str, _Found]] = {}
    owners: set[int] = set()
    for hit in sorted(hits, key=lambda h: (h.first - h.last, -h.value.sureness)):
        span = (hit.first, hit.last)
        if span not in by_span:
            if any(at in owners for at in range(*span)):
                continue
            owners.update(range(*span))
        by_span.setdefault(span, {}).setdefault(hit.value.place.key, hit)
    return by_span


def _shared_out(
    text: Normalised, by_span: dict[tuple[int, int], dict[str, _Found]]
) -> Iterator[tuple[Hit[Named], float]]:
    spans = sorted(by_span)
    for at, span in enumerate(spans):
        surest = max(hit.value.sureness for hit in by_span[span].values())
        best = [hit for hit in by_span[span].values() if hit.value.sureness == surest]
        if len(best) > 1:
            beside = (*spans[max(at - _BESIDE, 0) : at], *spans[at + 1 : at + 1 + _BESIDE])
            best = _of_named_parent(text, best, [hit for other in beside for hit in by_span[other].values()])
        for hit in best:
            yield hit, round(surest / len(best), 3)


def _of_named_parent(text: Normalised, same: list[_Found], others: list[_Found]) -> list[_Found]:
    """Of places with one name, those whose parent is named nearest; all of them when none is."""
    distances: dict[str, int] = {}
    for other in others:
        distance = min(abs(other.first - same[0].last), abs(same[0].first - other.last))
        for name in (other.value.place.name, *other.value.place.aliases):
            distances[fold(name)] = min(distance, distances.get(fold(name), distance))
    near: dict[str, int] = {}
    for hit in same:
        parent = fold(hit.value.place.parent) or fold(hit.value.street)
        if parent in distances:
            near[hit.value.place.key] = distances[parent]
        elif parent and f" {parent} " in text.line:
            near[hit.value.place.key] = len(text.words)
    closest = min(near.values(), default=0)
    return [hit for hit in same if near.get(hit.value.place.key) == closest] or same
