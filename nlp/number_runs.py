"""Number runs: figures as people write or spell them — "0912.345 678", "o9i2", "không chín một hai" — with places."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from nlp.characters import Views, views

# A word for a figure, and the accents it may bear; without any it is taken too.
_SPOKEN = {
    "không": "0", "ko": "0", "o": "0", "ô": "0", "zero": "0", "linh": "0", "lẻ": "0", "một": "1", "mốt": "1",
    "hai": "2", "ba": "3", "bốn": "4", "tư": "4", "năm": "5", "lăm": "5", "sáu": "6", "bảy": "7", "bẩy": "7",
    "tám": "8", "chín": "9", "mười": "1", "mươi": "",
    "khong": "0", "mot": "1", "bon": "4", "tu": "4", "nam": "5", "lam": "5", "sau": "6", "bay": "7", "tam": "8",
    "chin": "9", "muoi": "",
}  # fmt: skip
_TENS = frozenset({"mười", "mươi", "muoi"})
_FIGURES = r"(?:[0-9]|o(?=[0-9]))(?:[0-9]|[oli]{1,4}(?![^\W\d_]))*"
_WORDS = "khong|ko|o|zero|linh|le|mot|hai|ba|bon|tu|nam|lam|sau|bay|tam|chin|muoi"
_UNIT = re.compile(rf"{_FIGURES}|(?<![^\W_])(?:{_WORDS})(?![^\W_])")
_FIGURE = re.compile("[0-9]")
_ONLY_LETTERS = {code: " " for code in range(128) if not chr(code).isalpha()}
_NUMBER_WORDS = frozenset(_WORDS.split("|"))
_SPELLED = re.compile(rf"(?<![^\W_])(?:{_WORDS})(?:[ .,\-]{{1,3}}(?:{_WORDS}|[0-9]+)){{4}}(?![^\W_])")
_BETWEEN = re.compile(r"[ \t.,\-_/()+|·•\u20e3]{0,3}\Z")
_LETTERS = str.maketrans("oli", "011")


class Unit(NamedTuple):
    """Figures written in one piece, or one spelled; `start` and `end` are places in the folded view."""

    figures: str
    start: int
    end: int
    is_spoken: bool


@dataclass(eq=False)
class Seen:
    """A text and its folded view; `span` leads from places in the folded view back to the text."""

    text: str
    views: Views
    folded: str
    count_figures: int

    @staticmethod
    def of(text: str) -> Seen:
        """See a text."""
        found = views(text)
        return Seen(text, found, found.folded, len(_FIGURE.findall(found.folded)))

    @cached_property
    def pieces(self) -> list[str]:
        """The runs of letters of a folded view in ASCII, one space for each character that is no letter."""
        return self.folded.translate(_ONLY_LETTERS).split(" ")

    def may_spell(self, least: int) -> bool:
        """Whether there are so many figures and words for figures, seen at a glance."""
        if not self.folded.isascii():
            return True
        return self.count_figures + sum(map(_NUMBER_WORDS.__contains__, self.pieces)) >= least

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a piece of the folded view, not empty, stands in the text; no unseen character ends it."""
        cells = self.views.cell_of
        first, last = self.views.starts[cells[start]], self.views.ends[cells[end - 1]]
        while last - first > 1 and unicodedata.category(self.text[last - 1]) in ("Cf", "Cc"):
            last -= 1
        return first, last

    def accented(self, start: int, end: int) -> str:
        """A piece of the folded view with its accents, in lower case."""
        accented, cells = self.views.accented, self.views.cell_of
        if isinstance(accented, str):
            return accented[start:end]
        return "".join(accented[cells[start] : cells[end - 1] + 1])

    def is_upper(self, at: int) -> bool:
        """Whether the letter at a place of the folded view is a capital."""
        seen = self.views
        # In most texts every character is a cell of its own.
        return self.text[at if seen.cell_of is seen.starts else seen.starts[seen.cell_of[at]]].isupper()


def number_runs(seen: Seen) -> Iterator[list[Unit]]:
    """Units that stand together, nothing but a space or a mark between two of them."""
    if seen.count_figures < 6 and not (seen.may_spell(5) and _SPELLED.search(seen.folded)):
        return
    run: list[Unit] = []
    for match in _UNIT.finditer(seen.folded):
        unit = _unit(seen, match)
        if unit is None:
            continue
        if run and not (unit.start - run[-1].end <= 3 and _BETWEEN.match(seen.folded, run[-1].end, unit.start)):
            yield _counted(seen, run)
            run = []
        run.append(unit)
    if run:
        yield _counted(seen, run)


def _unit(seen: Seen, match: re.Match[str]) -> Unit | None:
    written = match[0]
    if "*" in (seen.folded[match.start() - 1 : match.start()], seen.folded[match.end() : match.end() + 1]):
        return None  # a piece of what is masked already
    if written[-1].isdigit() or written[0].isdigit():
        return Unit(written.translate(_LETTERS), match.start(), match.end(), is_spoken=False)
    figures = _SPOKEN.get(seen.accented(match.start(), match.end()))
    return None if figures is None else Unit(figures, match.start(), match.end(), is_spoken=True)


def _counted(seen: Seen, run: list[Unit]) -> list[Unit]:
    """Write tens as they are dictated: mười hai is 12, ba mươi tư 34, ba mươi 30."""
    out: list[Unit] = []
    for at, unit in enumerate(run):
        if unit.is_spoken and (word := seen.accented(unit.start, unit.end)) in _TENS:
            is_last = at + 1 == len(run) or not run[at + 1].is_spoken
            after_figure = word != "mười" and bool(at) and run[at - 1].is_spoken
            figures = ("" if after_figure else "1") + ("0" if is_last else "")
            out.append(unit._replace(figures=figures))
        else:
            out.append(unit)
    return out
