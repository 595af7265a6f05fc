"""Search text: what of a text can be looked for, as plain words, and where in it such words stand.

Personal data is left out, so that nobody guesses a number word by word. Telephone numbers stand in the index written
backwards behind a mark that nobody can type: whoever may look for them finds them by their last digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from unicodedata import normalize

from nlp.characters import fold
from nlp.personal_data import HIDDEN_KINDS, find_personal_data

PHONE, PLACE = "\ue000", "\ue001"  # of a private area: no word that is typed can begin with them
FEWEST_DIGITS = 4
_WORD = re.compile(r"[^\W_]+")
_ACCENTS = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True)
class Term:
    """Words that stand one behind the other; `is_prefix`: the last one may go on. `accented`: as they were typed,
    when accents were, else empty."""

    words: tuple[str, ...]
    is_prefix: bool = False
    accented: tuple[str, ...] = ()

    @property
    def is_single(self) -> bool:
        """Whether it is one word."""
        return len(self.words) == 1

    @property
    def shown(self) -> str:
        """The words as they were typed, if that is known."""
        return " ".join(self.accented or self.words)


def words_of(text: str) -> list[str]:
    """The words of a text without accents, in order."""
    return _WORD.findall(fold(text))


def indexed(text: str) -> str:
    """What the index keeps of a text: its words, no personal data, telephone numbers from behind."""
    hidden = [span for span in find_personal_data(text) if span.kind in HIDDEN_KINDS]
    kept, at = [], 0
    for span in hidden:
        kept += words_of(text[at : span.start])
        if span.kind == "phone":
            kept += phone_words([text[span.start : span.end]])
        at = span.end
    return " ".join(kept + words_of(text[at:]))


def phone_words(numbers: Iterable[str | None]) -> list[str]:
    """Telephone numbers as words of the index."""
    digits = (national(number or "") for number in numbers)
    return [PHONE + one[::-1] for one in digits if len(one) >= FEWEST_DIGITS]


def place_word(number: int) -> str:
    """A place of the commune's list as a word of the index."""
    return f"{PLACE}{number}"


def national(number: str) -> str:
    """The digits of a telephone number as they are dialled at home."""
    digits = "".join(c for c in fold(number) if c in "0123456789")
    for abroad in ("0084", "84"):
        if digits.startswith(abroad) and len(digits) >= len(abroad) + 9:
            return "0" + digits[len(abroad) :]
    return digits


def accented_words(text: str) -> tuple[str, ...]:
    """The words as they were typed, in lower case, when any of them has an accent."""
    composed = re.sub(r"\s+", " ", text).strip()
    found = tuple(_WORD.findall(normalize("NFC", composed).lower()))
    return found if any(_ACCENTS.search(word) for word in found) else ()


def find_terms(text: str, terms: Sequence[Term], *, is_exact: bool = False) -> list[tuple[int, int]]:
    """Where the terms stand in a text, as offsets of the original, in order and apart from each other.

    `is_exact`: those that were typed with accents only where they have these.
    """
    pieces = [fold(character) for character in text]
    starts = [at for at, piece in enumerate(pieces) for _ in piece] + [len(text)]
    found = [(m.group(), m.start(), m.end()) for m in _WORD.finditer("".join(pieces))]
    words = [word for word, _, _ in found]
    spans: list[tuple[int, int]] = []
    for term in terms:
        many = len(term.words)
        here = [at for at in range(len(words) - many + 1) if _stands(term, words[at : at + many])]
        stand = [(starts[found[at][1]], starts[found[at + many - 1][2]]) for at in here]
        if is_exact and term.accented:
            stand = [(start, end) for start, end in stand if _has(_accented(text[start:end]), term)]
        spans += stand
    return _apart(spans)


def stands_accented(text: str, terms: Sequence[Term]) -> bool:
    """Whether each term that was typed with accents stands in the text with just these."""
    typed = [term for term in terms if term.accented]
    if not typed:
        return False
    words = _accented(text)
    return all(_has(words, term) for term in typed)


def _accented(text: str) -> list[str]:
    return _WORD.findall(normalize("NFC", text).lower())


def _has(words: list[str], term: Term) -> bool:
    wanted = Term(term.accented, term.is_prefix)
    length = len(wanted.words)
    return any(_stands(wanted, words[at : at + length]) for at in range(len(words) - length + 1))


def _stands(term: Term, words: list[str]) -> bool:
    *first, last = term.words
    if words[:-1] != first:
        return False
    return words[-1].startswith(last) if term.is_prefix else words[-1] == last


def _apart(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if kept and start < kept[-1][1]:
            kept[-1] = (kept[-1][0], max(kept[-1][1], end))
        else:
            kept.append((start, end))
    return kept
