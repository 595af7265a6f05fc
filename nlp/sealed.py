"""Sealed: what only a few may read — denunciations, self-harm, the abuse of a child. Recall comes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nlp.cues import as_spans, find_cues, of_kind
from nlp.normalise import Normalised
from nlp.phrases import Hit
from nlp.reading import Span
from nlp.word_lists import SEALED

_NEAR = 12
_SOON = 2


@dataclass(slots=True)
class Sealing:
    """Whether the rules would seal a message, and the words that decided."""

    sealed: bool = False
    evidence: tuple[Span, ...] = ()


def find_sealing(text: Normalised) -> Sealing:
    """An accusation of officials, a tip that exposes its sender, a life or a child to be protected."""
    cues = find_cues(text, SEALED)
    if not cues:
        return Sealing()
    found = of_kind(cues, "corruption", "crime", "self_harm", "child") + _accusation(cues) + _violence(cues)
    return Sealing(bool(found), tuple(as_spans(text, found, "sealed")))


def _violence(cues: Sequence[Hit[str]]) -> list[Hit[str]]:
    """Somebody is beaten who cannot help it: the act, and soon after it the victim."""
    for act in of_kind(cues, "act"):
        for victim in of_kind(cues, "who"):
            if 0 <= victim.first - act.last <= _SOON:
                return [act, victim]
    return []


def _accusation(cues: Sequence[Hit[str]]) -> list[Hit[str]]:
    """An official and a wrong close to each other."""
    officials = of_kind(cues, "official")
    for wrong in of_kind(cues, "wrong"):
        for official in officials:
            if abs(wrong.first - official.first) <= _NEAR:
                return [official, wrong]
    return []
