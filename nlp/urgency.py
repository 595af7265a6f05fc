"""Urgency: whether a life is in danger, something may hurt people, or neither; deaf to shouting and insults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nlp.cues import as_spans, find_cues, of_kind
from nlp.normalise import Normalised
from nlp.phrases import Hit, folded_words
from nlp.reading import Span
from nlp.word_lists import URGENCY

EMERGENCY, URGENT, NORMAL = "khan_cap", "khan", "thuong"
_NOT = folded_words("không chưa chẳng chả khỏi")
_NEAR = 6
_BESIDE = 4


@dataclass(slots=True)
class Urgency:
    """One of the three urgency codes, and the words that decided.

    `taken_back`: words of danger are there, but "feared", or "unreal" (denied or over), or what may burn only "runs".
    """

    code: str = NORMAL
    evidence: tuple[Span, ...] = ()
    taken_back: str = ""


def find_urgency(text: Normalised) -> Urgency:
    """Judge by danger, who is in it, and whether it is happening."""
    found = find_cues(text, URGENCY)
    if not found:
        return Urgency()
    cues = [hit for hit in found if not _is_denied(text, hit)]
    life, now = _dangers(text, cues)
    hazards = of_kind(cues, "hazard", "grave")
    real = [hit for hit in life if not _is_taken_back(cues, hit, "over")]
    real += [hit for hit in now if not _is_taken_back(cues, hit, "over", "recent")]
    grave = of_kind(cues, "grave")
    if grave and of_kind(cues, "victim") and of_kind(cues, "happening") and not of_kind(cues, "over", "recent"):
        real += [hit for hit in grave if not _is_feared(cues, hit)]
    if real:
        return Urgency(EMERGENCY, tuple(as_spans(text, real, "urgency")))
    milder = life + now + hazards
    taken_back = "unreal" if life or now or len(found) > len(cues) else ""
    if any(_is_feared(cues, hit) for hit in (*life, *now)):
        taken_back = "feared"
    if of_kind(cues, "maybe") and of_kind(cues, "runs") and not of_kind(cues, "burns"):
        taken_back = "runs"
    if not milder:
        return Urgency(taken_back=taken_back)
    return Urgency(URGENT, tuple(as_spans(text, milder, "urgency")), taken_back)


def _dangers(text: Normalised, cues: Sequence[Hit[str]]) -> tuple[list[Hit[str]], list[Hit[str]]]:
    life, now = of_kind(cues, "life"), of_kind(cues, "now")
    if not text.is_accented:
        now += [hit for hit in of_kind(cues, "maybe") if _burns(cues, hit)]
    return life, now


def _burns(cues: Sequence[Hit[str]], hit: Hit[str]) -> bool:
    """Whether "chay" is fire: something that burns stands beside it, and nothing that runs."""

    def beside(kind: str) -> bool:
        return any(-_BESIDE <= c.first - hit.first <= _BESIDE for c in of_kind(cues, kind))

    return beside("burns") and not beside("runs")


def _is_denied(text: Normalised, hit: Hit[str]) -> bool:
    return not _NOT.isdisjoint(text.words[max(0, hit.first - 2) : hit.first])


def _is_taken_back(cues: Sequence[Hit[str]], hit: Hit[str], *kinds: str) -> bool:
    return bool(of_kind(cues, *kinds)) or _is_feared(cues, hit)


def _is_feared(cues: Sequence[Hit[str]], hit: Hit[str]) -> bool:
    return any(0 <= hit.first - cue.last <= _NEAR for cue in of_kind(cues, "feared"))
