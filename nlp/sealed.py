"""Sealed: what only a few may read — denunciations, self-harm, the abuse of a child. Recall comes first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from nlp.cues import as_spans, find_cues, of_kind
from nlp.normalise import Normalised
from nlp.phrases import Hit
from nlp.reading import Span

_FILE = "sealed.tsv"
_NEAR = 12
_SOON = 2
_CRIME = "an-ninh-trat-tu"
DENUNCIATION = "to-cao-tham-nhung"


@dataclass(frozen=True)
class Sealing:
    """Whether a message is to be sealed, the topic it then has ("" when its own), and the words that decided."""

    sealed: bool = False
    topic: str = ""
    evidence: tuple[Span, ...] = ()


def find_sealing(text: Normalised, topics: Collection[str]) -> Sealing:
    """Seal an accusation of officials, a tip that exposes its sender, and a life or a child to be protected."""
    cues = find_cues(text, _FILE)
    corruption = of_kind(cues, "corruption") + _accusation(cues)
    if corruption:
        return Sealing(True, DENUNCIATION, tuple(as_spans(text, corruption, "sealed")))
    crime = of_kind(cues, "crime")
    if not crime and _CRIME in topics:
        crime = of_kind(cues, "secret")
    if crime:
        return Sealing(True, _CRIME, tuple(as_spans(text, crime, "sealed")))
    protected = of_kind(cues, "self_harm", "child") + _violence(cues)
    return Sealing(bool(protected), "", tuple(as_spans(text, protected, "sealed")))


def _violence(cues: list[Hit[str]]) -> list[Hit[str]]:
    """Somebody is beaten who cannot help it: the act, and soon after it the victim."""
    for act in of_kind(cues, "act"):
        for victim in of_kind(cues, "who"):
            if 0 <= victim.first - act.last <= _SOON:
                return [act, victim]
    return []


def _accusation(cues: list[Hit[str]]) -> list[Hit[str]]:
    """An official and a wrong close to each other."""
    officials = of_kind(cues, "official")
    for wrong in of_kind(cues, "wrong"):
        for official in officials:
            if abs(wrong.first - official.first) <= _NEAR:
                return [official, wrong]
    return []
