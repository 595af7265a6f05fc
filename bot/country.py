"""The country: the reader's gazetteer, built from today's units and the files of former ones that ship."""

from __future__ import annotations

from collections.abc import Iterable

from nlp.loading import uncollected
from nlp.units import FormerUnit, Gazetteer, OlderName
from storage.seed_rows import centres, former_names, former_units


def build_gazetteer(today: Iterable[tuple[str, str, str, str]]) -> Gazetteer:
    """The units of today (code, type, name, code of the parent) and those they were made of."""
    with uncollected():
        former = [
            FormerUnit(code, kind, name, district, province, tuple(codes.split()))
            for code, kind, name, district, province, codes in former_units()
        ]
        return Gazetteer(today, former, [OlderName(*fields) for fields in former_names()], centres())
