"""The lists beside this file: what communes shorten, and the syllables addresses are made of; read once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent


@cache
def abbreviations() -> Mapping[tuple[str, str], str]:
    """What is said, by what is written and on which occasion ("any" is keyed by small letters)."""
    rows = (row.split("\t") for row in _lines("abbreviations.tsv"))
    return {(written.lower() if when == "any" else written, when): said for written, when, said in rows}


def meaning(written: str, *occasions: str) -> str:
    """What an abbreviation is read as on the first occasion that has it; "" when it is not known."""
    known = abbreviations()
    for occasion in (*occasions, "-", "maybe"):
        if said := known.get((written, occasion)):
            return said
    return known.get((written.lower(), "any"), "")


def is_doubtful(written: str, *occasions: str) -> bool:
    """Is it read as what it usually means, though it may mean something else?"""
    known = abbreviations()
    return (written, "maybe") in known and not any((written, occasion) in known for occasion in occasions)


@cache
def commonness() -> Mapping[str, float]:
    """Of each syllable without accents how common it is: the logarithm of its place in the list, negative."""
    words = " ".join(_lines("syllables.txt")).split()
    return {word: -math.log(place + 2) for place, word in enumerate(words)}


def _lines(name: str) -> Iterator[str]:
    for line in (_HERE / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line
