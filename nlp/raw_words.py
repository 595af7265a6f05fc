"""Raw words: the words of a text as they stand, with what was stuck together, spelled out or held down put right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, chain, groupby, pairwise, repeat
from typing import NamedTuple

from nlp.characters import Views, views
from nlp.encodings import from_old_font, from_viqr
from nlp.keystrokes import from_telex, is_syllable
from nlp.remembered import Remembered
from nlp.shorthand import ALWAYS, BEFORE_NAME, BEFORE_NUMBER
from nlp.spacing import parted, spelled, unheld

_NO_WORD = re.compile("([^a-z0-9]+)")
_WORD_AND_GAP = re.compile(r"([^\W_]+)([\W_]*)")
_FEWEST_SPELLED = {" ": 4, ".": 3, "-": 3, "_": 3, "*": 3}


class Token(NamedTuple):
    """A word without accents, the same with accents ("" when unknown), its place in the original, and the gap before.

    `gap`: what stands between it and the word before.
    """

    word: str
    accented: str
    start: int
    end: int
    gap: str


def is_full_stop(gap: str) -> bool:
    """Whether nothing but a full stop, and perhaps spaces after it, stands between two words."""
    return gap == "." or (gap[:1] == "." and gap[1:].isspace())


def read_views(text: str) -> Views:
    """Both views of a text, whatever its encoding, with places in the text as given."""
    seen = views(text)
    # An old font's signs are no letters of Vietnamese.
    decoded = None if seen.is_ordinary else from_old_font(text)
    if decoded is None:
        return from_viqr(seen, text)
    seen = views(decoded.text)
    starts = [decoded.starts[at] for at in seen.starts]
    ends = [decoded.ends[at - 1] for at in seen.ends]
    return from_viqr(replace(seen, starts=starts, ends=ends), text)


class Raw(NamedTuple):
    """Words in columns, as in a row of tokens, and what follows the last; `tokens` where they have been made."""

    words: Sequence[str]
    written: Sequence[str]
    starts: Sequence[int]
    ends: Sequence[int]
    gaps: Sequence[str]
    tail: str
    tokens: Sequence[Token] | None = None


def in_columns(tokens: Sequence[Token], tail: str) -> Raw:
    """The words of tokens in columns."""
    if not tokens:
        return Raw((), (), (), (), (), tail)
    words, written, starts, ends, gaps = zip(*tokens, strict=True)
    return Raw(words, written, starts, ends, gaps, tail, tokens)


def in_tokens(words: Raw) -> Sequence[Token]:
    """The tokens of words in columns."""
    # Much faster than calling the class.
    return words.tokens or list(map(tuple.__new__, repeat(Token), zip(*words[:5], strict=True)))


def raw_words(seen: Views) -> Raw:
    """The words in order, and what follows the last."""
    # What was decoded stands elsewhere in the text as given.
    is_plain = seen.is_ordinary and isinstance(seen.starts, range)
    return (_plain_words(seen) if is_plain else None) or in_columns(*_words_one_by_one(seen))


def _plain_words(seen: Views) -> Raw | None:
    """The words of an ordinary text, all at once; None when one of them may have to be put right."""
    words, written, gaps, gap = _between_spaces(seen.folded, "".join(seen.accented))
    if any(map(_REPAIRED.__getitem__, words)):
        return None
    sizes = list(map(len, words))
    places = list(accumulate(chain.from_iterable(zip(map(len, gaps), sizes, strict=True))))
    raw = Raw(words, written, places[::2], places[1::2], gaps, gap)
    if sizes.count(1) > 2 and any(a == b == c == 1 for a, b, c in zip(sizes, sizes[1:], sizes[2:], strict=False)):
        return in_columns(_unspelled(list(in_tokens(raw))), gap)
    return raw


def _between_spaces(folded: str, accented: str) -> tuple[list[str], list[str], list[str], str]:
    """The words of both views, the gap before each and the gap after the last."""
    words: list[str] = []
    written: list[str] = []
    gaps: list[str] = []
    gap = ""
    for piece, same in zip(folded.split(" "), accented.split(" "), strict=True):
        if piece.isalnum():
            words.append(piece)
            written.append(same)
            gaps.append(gap)
            gap = " "
            continue
        at = 0
        for part in _NO_WORD.split(piece):
            end = at + len(part)
            if part.isalnum():
                words.append(part)
                written.append(same[at:end])
                gaps.append(gap)
                gap = ""
            else:
                gap += part
            at = end
        gap += " "
    return words, written, gaps, gap[:-1]


def _may_be_repaired(word: str) -> bool:
    """Whether a word is none as it stands, and may be put right."""
    if len(word) < 4 or is_syllable(word):
        return False
    return bool(unheld(word) or (from_telex(word) is None and parted(word)))


_REPAIRED = Remembered(_may_be_repaired)


def _words_one_by_one(seen: Views) -> tuple[list[Token], str]:
    """The same for any text, in which words may be stuck together or letters held down."""
    raws: list[Token] = []
    letters, most = 0, 0
    accented = seen.accented if isinstance(seen.accented, str) and isinstance(seen.starts, range) else None
    begin = _WORD_AND_GAP.search(seen.folded)
    end, after = 0, seen.folded[: begin.start()] if begin else seen.folded
    for word, following in _WORD_AND_GAP.findall(seen.folded):
        gap, start = after, end + len(after)
        end, after = start + len(word), following
        if len(word) == 1:
            letters += 1
            most = max(most, letters)
        else:
            letters = 0
            if len(word) > 3 and not is_syllable(word) and (found := _repaired(seen, start, end, gap)):
                raws += found
                most = max(most, 3 * any(len(raw.word) == 1 for raw in found))
                continue
        if accented is None:
            raws.append(_cut(seen, start, end, word, gap))
        else:
            # Twice as fast as calling the class, and done for every word.
            raws.append(tuple.__new__(Token, (word, accented[start:end], start, end, gap)))
    return (_unspelled(raws) if most > 2 else raws), after


def _cut(seen: Views, start: int, end: int, word: str, gap: str) -> Token:
    """The word that stands in a piece of the folded view."""
    first, last = seen.cell_of[start], seen.cell_of[end - 1]
    return Token(word, "".join(seen.accented[first : last + 1]), seen.starts[first], seen.ends[last], gap)


def _repaired(seen: Views, start: int, end: int, gap: str) -> list[Token]:
    """What is meant by a word that is no syllable; empty when it is left as it is."""
    word = seen.folded[start:end]
    if short := unheld(word):
        whole = _cut(seen, start, end, short, gap)
        return [whole._replace(accented=_unheld_accented(seen, start, end))]
    parts = parted(word) if from_telex(word) is None else ()
    found: list[Token] = []
    at = start
    for part in parts:
        found.append(_cut(seen, at, at + len(part), part, " " if found else gap))
        at += len(part)
    return found


def _unheld_accented(seen: Views, start: int, end: int) -> str:
    """The accents of a word with letters held down: of the same letters in a row, that of the one that has any."""
    kept: list[str] = []
    for letter, places in groupby(range(start, end), lambda at: seen.folded[at]):
        written = [seen.accented[seen.cell_of[at]] for at in places]
        kept.append(next((one for one in written if one != letter), letter))
    return "".join(kept)


def _unspelled(raws: list[Token]) -> list[Token]:
    """Put letters written apart together: "n g ậ p  n ư ớ c", "k.h.ó.i"."""
    out: list[Token] = []
    at = 0
    for run in _letter_runs(raws):
        after = at + len(run)
        if len(run) > 2:
            before, behind = raws[at - 1 : at], raws[after : after + 1]
            out += _words_of(run) or _words_between(run, _abbreviations(run, before, behind))
        else:
            out += run
        at = after
    return out


def _words_between(run: list[Token], abbreviations: set[int]) -> list[Token]:
    """The words that letters spell between those that stand for a word of their own."""
    out: list[Token] = []
    since = 0
    for at in [*sorted(abbreviations), len(run)]:
        part = run[since:at]
        out += (_words_of(part) or part) if len(part) > 2 and abbreviations else part
        out += run[at : at + 1]
        since = at + 1
    return out


def _abbreviations(run: list[Token], before: list[Token], behind: list[Token]) -> set[int]:
    """The letters of a run that will be written out, as the normaliser does: when they are, their run ends there."""
    follows_number = bool(before) and before[0].word[-1].isdigit()
    found: set[int] = set()
    for at, raw in enumerate(run):
        following = run[at + 1] if at + 1 < len(run) else behind[0] if behind else None
        is_free = at > 0 or not follows_number
        is_dotted = following is not None and is_full_stop(following.gap) and raw.word in BEFORE_NAME
        is_counted = following is not None and following.word[0].isdigit() and following.gap.isspace()
        if ((raw.word in ALWAYS or is_dotted) and is_free) or (is_counted and raw.word in BEFORE_NUMBER):
            found.add(at)
    return found


def _letter_runs(raws: list[Token]) -> Iterator[list[Token]]:
    """The words in order, single letters with nothing but a mark between them in one list."""
    run: list[Token] = []
    for raw in raws:
        is_letter = len(raw.word) == 1 and raw.word.isalpha()
        if run and not (is_letter and _mark(raw.gap)):
            yield run
            run = []
        if is_letter:
            run.append(raw)
        else:
            yield [raw]
    if run:
        yield run


def _mark(gap: str) -> str:
    return " " if gap.isspace() else gap if gap in _FEWEST_SPELLED else ""


def _words_of(run: Sequence[Token]) -> list[Token]:
    """The words that letters spell, or none; wider spaces between them show where a word ends."""
    mark = _mark(run[1].gap)
    letters = "".join(raw.word for raw in run)
    if len(run) < _FEWEST_SPELLED[mark] or any(_mark(raw.gap) != mark for raw in run[2:]):
        return []
    if mark != " " and letters in ALWAYS:
        sizes = [len(letters)]
    else:
        sizes = _wide_sizes(run) or [len(word) for word in spelled(letters)]
    found: list[Token] = []
    at = 0
    for size in sizes:
        part = run[at : at + size]
        word, accented = "".join(raw.word for raw in part), "".join(raw.accented for raw in part)
        found.append(Token(word, accented, part[0].start, part[-1].end, " " if at else part[0].gap))
        at += size
    return found


def _wide_sizes(run: Sequence[Token]) -> list[int]:
    """The lengths of the words between wide spaces, when each of them is a syllable."""
    edges = [0, *(at for at in range(1, len(run)) if run[at].gap.isspace() and len(run[at].gap) > 1), len(run)]
    sizes = [after - before for before, after in pairwise(edges)]
    words = ["".join(raw.word for raw in run[at : at + size]) for at, size in zip(edges, sizes, strict=False)]
    return sizes if len(sizes) > 1 and all(len(word) > 1 and is_syllable(word) for word in words) else []
