"""Marked text: a citizen's words cut into pieces to show, so that templates never build markup from them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nlp.personal_data import HIDDEN_KINDS, find_personal_data, mask
from nlp.reading import Reading, Span
from nlp.search_text import Term, find_terms

PLAIN_MARKS = frozenset("\n\t\u00a0")
JOINER = "\u200d"


@dataclass(frozen=True)
class Piece:
    """A run of text: `kind` is "text", "evidence", "masked" or "hidden"; `note` says what it is evidence of."""

    text: str
    kind: str = "text"
    note: str = ""


def marked(text: str, reading: Reading | None, *, is_revealed: bool) -> list[Piece]:
    """The pieces of a message: evidence marked, personal data masked unless revealed, hidden characters visible."""
    personal = _hidden(text, reading)
    shown = text if is_revealed else mask(text, personal)
    evidence = _without_overlaps(span for span in (reading.evidence if reading else ()) if span.end <= len(text))
    kinds = [("text", "")] * len(text)
    for span in evidence:
        kinds[span.start : span.end] = [("evidence", span.note)] * (span.end - span.start)
    for span in personal:
        kinds[span.start : span.end] = [("masked", span.kind)] * (span.end - span.start)
    for at, character in enumerate(text):
        if _is_hidden(text, at, character):
            kinds[at] = ("hidden", f"U+{ord(character):04X}")
    return _runs(shown, kinds)


def found(text: str, terms: Sequence[Term], *, around: int | None = None, is_exact: bool = False) -> list[Piece]:
    """Words in which something was looked for: masked, with what was found marked; `around`: cut to about so many
    letters from where it first stands."""
    shown = mask(text, find_personal_data(text))
    spans = find_terms(shown, terms, is_exact=is_exact)
    kinds = [("text", "")] * len(shown)
    for start, end in spans:
        kinds[start:end] = [("found", "")] * (end - start)
    if around is None or len(shown) <= around:
        first, last = 0, len(shown)
    else:
        first = max(0, min(spans[0][0] if spans else 0, len(shown)) - around // 3)
        first = shown.rfind(" ", 0, first) + 1 if first else 0
        last = min(len(shown), first + around)
        last = shown.rfind(" ", last - 20, last) if last < len(shown) and " " in shown[last - 20 : last] else last
    shown = "".join(" " if _is_hidden(shown, at, c) or c == "\n" else c for at, c in enumerate(shown))
    pieces = _runs(shown[first:last], kinds[first:last])
    before, after = [Piece("… ")] if first else [], [Piece(" …")] if last < len(shown) else []
    return [*before, *pieces, *after]


def has_masked(text: str, reading: Reading | None) -> bool:
    """Whether something in the words is masked."""
    return bool(_hidden(text, reading))


def summary(text: str) -> str:
    """First words for a list: masked, hidden characters left out."""
    shown = mask(text, find_personal_data(text))
    if shown.isprintable():
        return shown
    return "".join(" " if _is_hidden(shown, at, c) else c for at, c in enumerate(shown))


def visible(text: str | None) -> str:
    """A name or a title that a stranger chose, without characters that cannot be seen."""
    text = text or ""
    if text.isprintable():
        return text
    return "".join("�" if _is_hidden(text, at, c) else c for at, c in enumerate(text))


def masked(text: str | None) -> str:
    """Like `visible`, with personal data masked: a place, a note or a file's name may hold a number, too."""
    text = text or ""
    return visible(mask(text, find_personal_data(text)))


def masked_phone(phone: str | None) -> str:
    """A phone number of which only the last digits are shown."""
    digits = phone or ""
    return "•" * max(0, len(digits) - 3) + digits[-3:]


def _hidden(text: str, reading: Reading | None) -> list[Span]:
    """What is masked: names are not, an official sees whom they talk to."""
    read = [span for span in (reading.personal_data if reading else ()) if span.kind in HIDDEN_KINDS]
    found = [span for span in read if span.end <= len(text)]
    return found or [span for span in find_personal_data(text) if span.kind in HIDDEN_KINDS]


def _without_overlaps(spans: Iterable[Span]) -> list[Span]:
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if span.start < span.end and (not kept or span.start >= kept[-1].end):
            kept.append(span)
    return kept


def _is_hidden(text: str, at: int, character: str) -> bool:
    if character in PLAIN_MARKS or unicodedata.category(character) not in {"Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return False
    if character == JOINER:  # family and profession emoji are joined by it
        before, after = text[at - 1 : at], text[at + 1 : at + 2]
        return not (before and after and before > "\u2000" and after > "\u2000")
    return True


def _runs(text: str, kinds: list[tuple[str, str]]) -> list[Piece]:
    pieces: list[Piece] = []
    begin = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or kinds[at] != kinds[begin]:
            kind, note = kinds[begin]
            pieces.append(Piece(text[begin:at], kind, note))
            begin = at
    return pieces
