"""Landmarks: words that say where without naming a place of any list — "cạnh trường tiểu học", "ngõ 12"."""

from __future__ import annotations

from typing import NamedTuple

from nlp.cues import all_cues, of_kind
from nlp.normalise import Normalised
from nlp.word_lists import LANDMARKS

_NAME_WORDS = 4
_MOST = 5


class Landmark(NamedTuple):
    """A description of a spot as tokens [first, last); `is_aside`: begun by "gần", "trước"…, so it only says where."""

    first: int
    last: int
    is_aside: bool


def find_landmarks(text: Normalised) -> list[Landmark]:
    """The descriptions of spots, in the order of the text."""
    cues = all_cues(text, LANDMARKS)
    begins = sorted(of_kind(cues, "landmark", "numbered"), key=lambda h: (h.first, -h.last))
    if not begins:
        return []
    stops = {hit.first for hit in of_kind(cues, "stop")}
    sides = of_kind(cues, "side")
    found: list[Landmark] = []
    for hit in begins:
        if len(found) == _MOST:
            break
        if found and hit.first < found[-1].last:
            continue
        end = _name_end(text, hit.last, stops)
        side = max((s for s in sides if s.last == hit.first), key=lambda s: s.last - s.first, default=None)
        if end > hit.last or (hit.value == "landmark" and (side is not None or hit.last - hit.first > 1)):
            found.append(Landmark(side.first if side else hit.first, end, side is not None))
    return found


def _name_end(text: Normalised, at: int, stops: set[int]) -> int:
    """Where the name after a landmark ends: capitals and numbers only, without a pause."""
    end = at
    while end < len(text.words) and end - at < _NAME_WORDS and end not in stops:
        token = text.tokens[end]
        first = text.original[token.start : token.start + 1]
        is_name = first.isdigit() or (first.isupper() and not text.original.isupper())
        between = text.original[text.ends[end - 1] : token.start]
        if not is_name or any(mark in between for mark in ".,;:!?\n()"):
            break
        end += 1
    return end


def barred_names(text: Normalised) -> frozenset[int]:
    """Tokens after a word that says that the name there is something else's: a street, a school, a person."""
    return frozenset(hit.last for hit in of_kind(all_cues(text, LANDMARKS), "barred"))
