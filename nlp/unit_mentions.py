"""Unit mentions: names of units in a text, one by one, with all the units each may mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from nlp.characters import fold
from nlp.remembered import Remembered
from nlp.unit_names import (
    COMMUNE,
    DISTRICT,
    OLDER,
    PROVINCE,
    TODAY,
    Unit,
    UnitNames,
    is_one_edit,
    name_key,
    name_words,
    word_key,
)
from nlp.unit_words import (
    EVERYDAY_STARTS,
    KIND_STARTS,
    KINDS_OF_INITIALS,
    Kind,
    Words,
    begins_kind,
    is_after_locative,
    is_barred,
    is_counted,
    is_everyday,
    is_joined,
    is_syllable,
    kind_at,
)

_LONGEST_NAME, _LONGEST_MISSPELLED = 6, 4
_JOINED_NAME = 6
_LONGEST_GONE = 3
_FORMERLY = (["truoc", "day"], ["truoc", "kia"], ["ngay", "truoc"], ["hoi", "truoc"], ["ngay", "xua"], ["hoi", "xua"])
_UNMISTAKABLE = frozenset({"hcm", "tphcm", "hcmc", "brvt"})
_WELL_KNOWN = frozenset({"hn", "sg"})
_JOINED_INITIALS = re.compile(r"(tp|q)([a-z]{2,4})\Z")
_NUMBERS = {
    "nhất": "1", "nhứt": "1", "một": "1", "hai": "2", "ba": "3", "tư": "4", "bốn": "4", "năm": "5", "sáu": "6",
    "bảy": "7", "tám": "8", "chín": "9", "mười": "10", "mười một": "11", "mười hai": "12",
}  # fmt: skip
_SURE, _BARE, _TYPO = 0.95, 0.8, 0.75
_LAST = itemgetter(0)
_Hits = Mapping[int, Sequence[tuple[int, tuple[Unit, ...]]]]


@dataclass(slots=True)
class Mention:
    """A name in the text [first, last), from `start` on after its kind, and the units it may mean.

    `is_loose`: it counts only beside another. `is_capital`: several words with capitals. `is_former`: called so.
    """

    first: int
    start: int
    last: int
    kind: Kind | None
    units: tuple[Unit, ...]
    probability: float
    is_loose: bool = False
    is_capital: bool = False
    is_former: bool = False


def find_mentions(words: Words, names: UnitNames) -> Iterator[Mention]:
    """The names of units in the order of the text; they do not overlap."""
    hits = _hits(words, names)
    gone = _gone(words, names)
    initials = names.initials
    begins = [at for at, may_begin in enumerate(map(_BEGINS.__getitem__, words.words)) if may_begin]
    if not initials.keys().isdisjoint(words.words):
        begins += [at for at, word in enumerate(words.words) if word in initials]
    since, before, barred = 0, -1, -1
    for at in sorted({*begins, *hits, *gone}):
        if at < since:
            continue
        word = words.words[at]
        kind = kind_at(words, at) if word in KIND_STARTS or not is_syllable(word) else None
        mention = _typed(words, at, kind, hits, names) if kind else _joined_initials(words, at, names)
        if not mention and (at in hits or word in initials):
            mention = _bare(words, at, hits.get(at, ()), names)
            if mention and mention.is_loose and _hides_kind(words, mention, hits, names):
                mention = None
            # What a hyphen joins to something else's name is that thing's too: "cao tốc Bến Lức - Long Thành".
            elif mention and ((barred == at and is_joined(words, at)) or (before != at and is_barred(words, at))):
                since = barred = mention.last
                continue
        mention = mention or gone.get(at)
        if mention:
            yield mention
            since = before = mention.last


def _hits(words: Words, names: UnitNames) -> _Hits:
    """The names that stand here by their letters, by where they begin."""
    hits: dict[int, list[tuple[int, tuple[Unit, ...]]]] = {}
    for end, (length, count, units) in names.automaton.iter(words.line):
        first = words.starts[end - length + 1]
        last = first + count
        if words.words[last - 1] not in KIND_STARTS or not begins_kind(words, last - 1):
            hits.setdefault(first, []).append((last, units))
    return hits


def _gone(words: Words, names: UnitNames) -> dict[int, Mention]:
    """Names gone before the books, alone and called former: "Đức Lợi cũ"; they count near home only."""
    found: dict[int, Mention] = {}
    if "cu" not in words.words:
        return found
    for last, word in enumerate(words.words):
        if word != "cu" or not _is_former_word(words, last):
            continue
        for first in range(max(0, last - _LONGEST_GONE), last - 1):
            units = tuple(names.older.get("".join(words.words[first:last]), ()))
            if units:
                is_capital = is_capital_name(words, first, last)
                found[first] = Mention(first, first, last, None, units, _BARE, True, is_capital, True)
                break
    return found


def _may_begin(word: str) -> bool:
    """Whether a kind may be written with this word first, rightly or with a slip, alone or with initials."""
    return word in KIND_STARTS or not is_syllable(word) or _JOINED_INITIALS.match(word) is not None


_BEGINS = Remembered(_may_begin)


def _hides_kind(words: Words, mention: Mention, hits: _Hits, names: UnitNames) -> bool:
    """Whether a kind begins inside a name that is none by itself: "ben quan tan phu" is not Bến Quan."""
    for at in range(mention.first + 1, mention.last):
        kind = kind_at(words, at) if words.words[at] in KIND_STARTS else None
        if kind and _typed(words, at, kind, hits, names):
            return True
    return False


def respelled(words: Words, mention: Mention, until: int, names: UnitNames) -> tuple[Unit, ...]:
    """What a name means if it has one letter wrong, though it, or the beginning of it, is right as it stands."""
    if mention.kind is None or mention.probability == _TYPO:
        return ()
    for last in dict.fromkeys((until, mention.last)):
        units = names.nearly("".join(words.words[mention.start : last]), is_wrong=True)
        near = _nearly_agreeing(words, mention.start, last, (u for u in units if u.kind == mention.kind.kind))
        if near:
            return near
    return ()


def _typed(words: Words, at: int, kind: Kind, hits: _Hits, names: UnitNames) -> Mention | None:
    """The unit whose kind is written here: "xã Tân An", "xã cũ Tân An", "q gv"; with a slip if nothing else fits."""
    start = at + kind.words
    end = _end_of_clause(words, start)
    found = _exactly(words, at, start, end, kind, hits, names)
    if not found and _is_former_word(words, start):
        start += 1
        found = _exactly(words, at, start, end, kind, hits, names)
    if not found and start < end and kind.kind == "quan":
        found = _spelled_number(words, at, start, kind, names)
    if not found and start < end:
        units = _fitting_initials(words, start, kind, names.initials)
        if units:
            return Mention(at, start, start + 1, kind, units, _SURE)
    if not found or (found.last - start == 1 and not words.words[start].isdigit()):
        return _misspelled(words, at, start, end, kind, names, 1 if found else 0) or found
    return found


def _joined_initials(words: Words, at: int, names: UnitNames) -> Mention | None:
    """Initials written together with their kind: "tpbmt", "qgv"."""
    match = _JOINED_INITIALS.match(words.words[at])
    if match is None:
        return None
    kind = KINDS_OF_INITIALS[match[1]]
    units = tuple(unit for unit in names.initials.get(match[2], ()) if unit.kind == kind.kind)
    return Mention(at, at, at + 1, kind, units, _SURE) if units else None


def _spelled_number(words: Words, at: int, start: int, kind: Kind, names: UnitNames) -> Mention | None:
    """A numbered district in words: "Quận Mười", "quận nhất"."""
    for last in (start + 2, start + 1) if words.text.is_accented else ():
        number = _NUMBERS.get(" ".join(words.accents[start:last]))
        units = tuple(unit for unit in names.called(number or "") if unit.level == DISTRICT)
        if units and last <= len(words.words):
            return Mention(at, start, last, kind, units, _SURE)
    return None


def _exactly(words: Words, at: int, start: int, end: int, kind: Kind, hits: _Hits, names: UnitNames) -> Mention | None:
    """The longest name that stands here."""
    exact = dict(hits.get(start, ()))
    for last in range(end, start, -1):
        gone = names.older.get("".join(words.words[start:last]), ())
        named = [*exact.get(last, ()), *(unit for unit in gone if unit.kind == kind.kind)]
        units = _agreeing(words, start, last, named, kind.levels) if named else ()
        if units and _is_plausible(words, kind, start, last):
            is_capital = is_capital_name(words, start, last)
            is_weak = _is_weak(words, kind, start, last, units)
            is_former = _is_said_former(words, last) or start > at + kind.words
            return Mention(at, start, last, kind, units, _SURE, is_weak, is_capital, is_former)
    return None


def _misspelled(
    words: Words, at: int, start: int, end: int, kind: Kind, names: UnitNames, least: int
) -> Mention | None:
    """A name of more than `least` words with one letter or accent wrong."""
    for last in range(min(end, start + _LONGEST_MISSPELLED), start + least, -1):
        spelled = words.words[start:last]
        joined = "".join(spelled)
        if len(spelled) == 1 and (kind.is_letter or len(joined) < _JOINED_NAME):
            break
        if any(word.isdigit() for word in spelled) or (kind.is_doubtful and not is_capital_name(words, start, last)):
            continue
        is_slip = not all(map(is_syllable, spelled))
        near = [
            unit
            for unit in _nearly_agreeing(words, start, last, names.nearly(joined))
            if unit.kind == kind.kind and (is_slip or len(name_key(unit.name)) == last - start)
        ]
        if near:
            is_capital = is_capital_name(words, start, last)
            # Without accents "quan" is a place to eat or drink more often than a district.
            is_likely = (
                (is_capital and (kind.kind != "quan" or words.text.is_accented))
                or kind.words > 1
                or len(spelled) > 2
                or is_slip
            )
            is_weak = not is_likely or (not is_capital and (kind.is_letter or spelled[0] in EVERYDAY_STARTS))
            is_former = _is_said_former(words, last)
            return Mention(at, start, last, kind, tuple(near), _TYPO, is_weak, is_capital, is_former)
    return None


def _bare(words: Words, at: int, hits: Sequence[tuple[int, tuple[Unit, ...]]], names: UnitNames) -> Mention | None:
    """A name without its kind: several words with capitals, or something that needs a unit beside it."""
    for last, found in sorted(hits, key=_LAST, reverse=True) if len(hits) > 1 else hits:
        if found[0].name.isdigit():
            continue
        is_long = last - at > 1 or (at > 0 and words.is_capital(at) and words.text.is_accented)
        units = _agreeing(words, at, last, found, (COMMUNE, DISTRICT, PROVINCE) if is_long else (DISTRICT, PROVINCE))
        if units:
            is_capital = is_capital_name(words, at, last)
            firm = [unit for unit in units if _stands_alone(words, at, last, unit, is_capital=is_capital)]
            is_clear = any(unit.level == PROVINCE for unit in firm) or is_after_locative(words, at)
            is_clear = is_clear or sum(unit.level == COMMUNE for unit in firm) < 2
            is_former = _is_said_former(words, last)
            return Mention(at, at, last, None, units, _BARE, not (firm and is_clear), is_capital, is_former)
    word = words.words[at]
    units = names.initials.get(word, ())
    if not units or not _is_plain(words, at) or (is_syllable(word) and not words.is_capital(at)):
        return None
    is_known = word in _UNMISTAKABLE or (word in _WELL_KNOWN and is_after_locative(words, at))
    return Mention(at, at, at + 1, None, units, _BARE, not is_known)


def _end_of_clause(words: Words, start: int) -> int:
    """How far a name that begins here may reach."""
    end = min(len(words.words), start + _LONGEST_NAME)
    return min((at for at in range(start + 1, end) if at in words.breaks), default=end)


def _agreeing(words: Words, first: int, last: int, units: Sequence[Unit], levels: tuple[int, ...]) -> tuple[Unit, ...]:
    """The units of these levels whose accents are as written; exactly, where a text has accents, before loosely."""
    fitting = tuple([unit for unit in units if unit.level in levels])
    if not fitting:
        return ()
    written, plain = words.accents[first:last], words.words[first:last]
    is_accented = words.text.is_accented
    if not is_accented and written == plain:
        return fitting
    keys = tuple(map(word_key, written))
    exact = tuple(unit for unit in fitting if not unit.name or name_key(unit.name) == keys)
    if exact:
        return exact
    if all(word in ("", bare) for word, bare in zip(written, plain, strict=True)):
        # A whole name without accents in a text that has them was written in haste.
        return fitting if not is_accented or last - first > 1 else ()
    return tuple(unit for unit in fitting if _is_agreed(words, first, last, unit.name))


def _is_agreed(words: Words, first: int, last: int, name: str) -> bool:
    """Whether each word agrees; what the normaliser wrote out may be part of a name as typed: Ba Bể, Đắk R'Lấp."""
    wanted = name_key(name)
    typed = name_key(words.as_typed(first, last))
    if typed == wanted:
        return True
    if len(wanted) != last - first:
        return not words.text.is_accented and fold(words.as_typed(first, last)) == fold(name)
    is_accented = words.text.is_accented
    for at, want in zip(range(first, last), wanted, strict=True):
        written = words.accents[at]
        if not written or word_key(written) == want:
            continue
        if is_accented or fold(words.as_typed(at, at + 1)) != name_words(name)[at - first]:
            return False
    return True


def _nearly_agreeing(words: Words, first: int, last: int, units: Iterator[Unit]) -> tuple[Unit, ...]:
    """Of units but one letter away, those that are as written in every other word; the most alike if they differ."""
    near = [unit for unit in units if _has_one_slip(words, first, last, unit.name)]
    if not words.text.is_accented or len(near) < 2:
        return tuple(near)
    written = "".join(map(word_key, words.accents[first:last]))
    closest = [unit for unit in near if is_one_edit(written, "".join(name_key(unit.name)))]
    return tuple(closest or near)


def _has_one_slip(words: Words, first: int, last: int, name: str) -> bool:
    wanted = name_key(name)
    if len(wanted) != last - first:
        return True
    is_accented = words.text.is_accented
    if is_accented and words.accents[first:last] == words.words[first:last]:
        return not all(map(is_syllable, words.words[first:last]))
    slips = 0
    for at, want, plain in zip(range(first, last), wanted, name_words(name), strict=True):
        written = words.accents[at]
        is_same = not written or word_key(written) == want or (written == words.words[at] and not is_accented)
        slips += words.words[at] != plain or not is_same
    return slips < 2


def _fitting_initials(words: Words, at: int, kind: Kind, known: Mapping[str, Sequence[Unit]]) -> tuple[Unit, ...]:
    if not _is_plain(words, at) or (is_syllable(words.words[at]) and not words.is_capital(at)):
        return ()
    units = (unit for unit in known.get(words.words[at], ()) if unit.level in kind.levels)
    return tuple(unit for unit in units if unit.kind == kind.kind or unit.level == PROVINCE)


def _is_plain(words: Words, at: int) -> bool:
    return words.accents[at].replace("đ", "d") in ("", words.words[at])


def _is_plausible(words: Words, kind: Kind, start: int, last: int) -> bool:
    if kind.is_doubtful and not is_capital_name(words, start, last):
        return False
    if last - start == 1 and words.words[start].isdigit():
        return kind.kind in ("phuong", "quan") and not is_counted(words, last)
    return not kind.is_letter or last - start > 1 or kind.kind in ("thi tran", "dac khu")


def _is_weak(words: Words, kind: Kind, start: int, last: int, units: Sequence[Unit]) -> bool:
    """Whether it may be something else: "xa lam", "phuong an toan" are no units by themselves."""
    if words.words[start].isdigit():
        return False
    is_other_kind = all(unit.kind != kind.kind for unit in units)
    if last - start == 1:
        is_small = not words.is_capital(start) or words.text.original.isupper()
        return (is_other_kind and COMMUNE in kind.levels) or (is_small and kind.words == 1)
    if kind.words > 1 or is_capital_name(words, start, last):
        return False
    if all(unit.age == OLDER for unit in units):
        return True
    if kind.kind in ("huyen", "thi xa", "thanh pho"):
        return False
    return is_everyday(words, start, last) or (not words.text.is_accented and is_other_kind)


def is_capital_name(words: Words, first: int, last: int) -> bool:
    """Several words with capitals, in a text that is not all capitals; "ATTP" written out is none."""
    if last - first < 2 or words.text.original.isupper():
        return False
    starts = {words.text.starts[words.at[at]] for at in range(first, last)}
    if len(starts) < last - first or not words.is_capital(first):
        return False
    return all(words.is_capital(at) or words.words[at].isdigit() for at in range(first + 1, last))


def _is_said_former(words: Words, last: int) -> bool:
    """Whether it is called former: "xã Tân An cũ", "xã Tân An trước đây"."""
    return _is_former_word(words, last) or words.words[last : last + 2] in _FORMERLY


def _is_former_word(words: Words, at: int) -> bool:
    return at < len(words.words) and words.words[at] == "cu" and words.is_spelled(at, "cũ", "củ")


def _stands_alone(words: Words, first: int, last: int, unit: Unit, *, is_capital: bool) -> bool:
    """Whether a name without its kind is one by itself."""
    if words.as_typed(first, first + 1).lower() in _UNMISTAKABLE:
        return True
    if unit.level == PROVINCE:
        return is_capital or last - first > 2 or is_after_locative(words, first)
    if not is_capital:
        return False
    if not words.text.is_accented:
        return last - first > 2 and unit.age == TODAY
    is_city = unit.level == DISTRICT and unit.kind in ("quan", "thanh pho")
    return unit.age == TODAY or is_city or is_after_locative(words, first)
