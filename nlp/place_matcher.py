"""Place matcher: the names of one commune's places, built once, found in a text exactly or nearly."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import ahocorasick

from nlp.characters import accent_key, fold
from nlp.keystrokes import SYLLABLES, is_syllable
from nlp.normalise import Normalised, Token
from nlp.phrases import Hit
from nlp.place_context import words_of
from nlp.place_names import SETTLEMENT, Named, numbered_kinds, spellings, written_out
from nlp.reading import KnownPlace
from nlp.remembered import Remembered
from nlp.shorthand import NUMBER_WORDS

_LESS_PLAIN, _LESS_NEAR, _LESS_NEAR_BARE = 0.1, 0.2, 0.1
_FEWEST_LETTERS = 6
_MOST_SYLLABLES = 4
_AND = frozenset({"va", "voi", "toi", "den", "lan", "hay", "hoac"})
_BEGUN_ROW = 12
_DECLARED = 0.9


class _Phrase(NamedTuple):
    value: Named
    words: tuple[str, ...]


_Rest = tuple[str, ...]


class Matcher:
    """All spellings of a commune's places."""

    def __init__(self, places: Iterable[KnownPlace], commune: str) -> None:
        found: dict[str, list[_Phrase]] = {}
        # The names without their kinds by what they are like, and who bears each.
        self._near: dict[str, list[_Rest]] = {}
        self._bearers: dict[_Rest, list[_Phrase]] = {}
        # The halves of these names and how they sound: what is like none of them is like no name.
        self._halves: set[tuple[int, str]] = set()
        self._joined: set[str] = set()
        self._sounds: set[str] = set()
        self._heads: set[str] = set()
        self._syllables: set[str] = set()
        self._lengths: set[int] = set()
        places = tuple(places)
        counted = numbered_kinds(places)
        for place in places:
            for phrase, value in spellings(place, commune, counted):
                self._add(found, phrase, value)
        self._begins = self._heads.union(words_of("approach"))
        self._automaton = ahocorasick.Automaton()
        for key, same in found.items():
            self._automaton.add_word(key, (len(key), same))
        self._automaton.make_automaton()
        self._phrases = found

    def _add(self, found: dict[str, list[_Phrase]], phrase: str, value: Named) -> None:
        words = tuple(map(sys.intern, phrase.replace("| ", "").split()))
        if not value.head and value.sureness < _DECLARED and fold(words[0]) in words_of("person"):
            return  # "ông Tư" alone is somebody
        folded = fold(phrase)
        known = found.setdefault(f" {folded} ", [])
        one = _Phrase(value, words)
        is_known = any(p.value.place.key == value.place.key and p.value.sureness >= value.sureness for p in known)
        if is_known and not value.needs_accents and not value.typed:
            return
        known.append(one)
        if not value.typed and not value.is_number and not folded.isascii():
            return
        plain = folded.split()
        rest = plain[value.head :]
        if value.is_number or value.typed or not rest:
            return
        if rest[0] in NUMBER_WORDS or not all(map(_is_plain, rest)):
            # "ap tam vu" may be ấp Tầm Vu, whose "tam" the normaliser takes for an eight.
            for written in dict.fromkeys((phrase, folded)):
                changed = written_out(written)
                key = f" {' '.join(word for word, _ in changed)} "
                if key not in found:
                    found[key] = [_Phrase(value, tuple(accented for _, accented in changed))]
        if value.is_own or not value.head:
            self._learn_near(one, tuple(rest))
            if value.head:
                self._heads.add(plain[value.head - 1])

    def _learn_near(self, phrase: _Phrase, rest: _Rest) -> None:
        joined = "".join(rest)
        self._syllables.update(rest)
        if len(joined) < _FEWEST_LETTERS - (len(rest) > 1):
            return
        bearers = self._bearers.get(rest)
        if bearers is not None:
            bearers.append(phrase)
            return
        self._bearers[rest] = [phrase]
        for key in (*_shortened(joined), _sounds(rest)):
            self._near.setdefault(key, []).append(rest)
        half = len(joined) // 2
        self._halves.update(((len(joined), joined[:half]), (-len(joined), joined[half:])))
        self._joined.add(joined)
        self._sounds.add(_sounds(rest))
        self._lengths.update((len(joined) - 1, len(joined), len(joined) + 1))

    def find(self, text: Normalised) -> list[Hit[Named]]:
        """Every spelling in the text, overlapping ones too; "thôn 2, 4" is both."""
        hits = []
        for end, (length, same) in self._automaton.iter(text.line):
            first = text.line_tokens[end - length + 1]
            for phrase in same:
                last = first + len(phrase.words)
                hit = _agreed(text, first, last, phrase)
                if hit is None:
                    continue
                hits.append(_with_street(text, hit) if phrase.value.street else hit)
                if phrase.value.is_number or (phrase.value.group == SETTLEMENT and phrase.value.head):
                    hits += self._row(text, hit)
        return hits

    def _row(self, text: Normalised, hit: Hit[Named]) -> Iterator[Hit[Named]]:
        """The other numbers of a row: "tổ 1, 2 và 3", "ấp 3-4"."""
        tokens = text.tokens
        head = " ".join(token.word for token in tokens[hit.first : hit.first + hit.value.head])
        before, at = hit.last, hit.last
        for _ in range(_BEGUN_ROW):
            at = before + (before < len(tokens) and tokens[before].word in _AND)
            if at >= len(tokens) or _is_date_or_count(text, before, at):
                return
            if hit.value.is_number != tokens[at].word[0].isdigit():
                return
            if not hit.value.is_number and not text.original[tokens[at].start].isupper():
                return
            # "thôn Thượng Đáp và Hạ Đáp": the longest name that stands here.
            sizes = (1,) if hit.value.is_number else range(_MOST_SYLLABLES, 0, -1)
            size = next((n for n in sizes if self._key(head, tokens[at : at + n]) in self._phrases), 0)
            if not size:
                return
            for phrase in self._phrases[self._key(head, tokens[at : at + size])]:
                wanted = phrase.words[len(phrase.words) - size :]
                if not text.is_accented or wanted == tuple(t.accented for t in tokens[at : at + size]):
                    yield Hit(phrase.value, at, at + size)
            before = at + size

    @staticmethod
    def _key(head: str, tokens: Iterable[Token]) -> str:
        return f" {head} {' '.join(token.word for token in tokens)} "

    def find_near(self, text: Normalised, exact: list[Hit[Named]]) -> list[Hit[Named]]:
        """Names with a slip of the finger or of the ear in them, after the word for their kind or one for a place."""
        if not self._near:
            return []
        words = text.words
        begins, names, last = self._begins, self._syllables, len(words) - 1
        likely = [
            at
            for at, word in enumerate(words)
            if word in begins or (len(word) >= _FEWEST_LETTERS and not is_syllable(word))
        ]
        taken = {at for hit in exact for at in range(hit.first, hit.last)}
        hits: list[Hit[Named]] = []
        for at in likely:
            word = words[at]
            if len(word) >= _FEWEST_LETTERS and at not in taken and not is_syllable(word):
                hits += self._near_at(text, at, [word])
            if word not in begins or at in taken or at + 1 in taken or at == last:
                continue
            following = list(words[at + 1 : at + 1 + _MOST_SYLLABLES])
            if names.isdisjoint(following) and len(following[0]) < _FEWEST_LETTERS:
                continue
            for size in self._sizes(following):
                hits += self._near_at(text, at + 1, following[:size])
        return hits

    def _sizes(self, following: list[str]) -> list[int]:
        """How many of the next words may be a name: of its length, with one word at most that is in no name."""
        letters, strange = 0, 0
        sizes = []
        for size, word in enumerate(following, 1):
            letters += len(word)
            strange += word not in self._syllables
            if strange > 1:
                break
            if letters in self._lengths and (strange < size or size == 1):
                sizes.append(size)
        return sizes

    def _is_near(self, joined: str) -> bool:
        """Whether a name may be one letter away: then one half of it stands here, or two letters changed places."""
        size, halves = len(joined), self._halves
        for one in (size - 1, size, size + 1):
            half = one // 2
            if (one, joined[:half]) in halves or (-one, joined[max(0, size + half - one) :]) in halves:
                return True
        half = size // 2
        return joined[: half - 1] + joined[half - 1 : half + 1][::-1] + joined[half + 1 :] in self._joined

    def _near_at(self, text: Normalised, at: int, words: list[str]) -> list[Hit[Named]]:
        """The names that words are like, where they stand at a token."""
        joined = "".join(words)
        sounds = _sounds(words)
        if not (sounds in self._sounds or joined in self._joined) and (
            all(map(SYLLABLES.__getitem__, words)) or not self._is_near(joined)
        ):
            return []  # like no name: only what is no syllable may be a slip of the finger
        if f" {' '.join(words)} " not in text.line:
            return []  # the writer paused between
        keys = (*_shortened(joined), sounds)
        last = at + len(words)
        found = dict.fromkeys(rest for key in keys for rest in self._near.get(key, ()))
        likely = [rest for rest in map(list, found) if _is_slip(words, rest)]
        hits = [
            _placed(text, at, last, phrase, words, rest)
            for rest in likely
            for phrase in self._bearers[tuple(rest)]
            if _accents_agree(text.tokens[at:last], phrase)
        ]
        return [hit for hit in hits if hit is not None]


def _placed(
    text: Normalised,
    at: int,
    last: int,
    phrase: _Phrase,
    words: list[str],
    rest: list[str],
) -> Hit[Named] | None:
    """The near hit with the word for its kind before it, or bare after a word for a place."""
    value = phrase.value
    first = at - value.head
    if value.head:
        before = [t.word for t in text.tokens[max(first, 0) : at]]
        if before != [fold(word) for word in phrase.words[: value.head]]:
            if value.group != SETTLEMENT or not at or text.words[at - 1] not in _VILLAGES:
                return None
            first = at - 1
        return Hit(value._replace(sureness=round(value.sureness - _LESS_NEAR, 3)), first, last)
    if at and text.words[at - 1] not in words_of("approach") and words != ["".join(rest)]:
        return None
    if words != ["".join(rest)] and not (len(rest) > 1 and set(words) & set(rest)):
        return None
    return Hit(value._replace(sureness=round(value.sureness - _LESS_NEAR_BARE, 3)), at, last)


def _agreed(text: Normalised, first: int, last: int, phrase: _Phrase) -> Hit[Named] | None:
    """The hit, less sure where accents are missing in an accented text; None where they say another word."""
    value = phrase.value
    tokens = text.tokens[first:last]
    if value.typed:
        written = fold(text.original[tokens[0].start : tokens[0].end])
        if written != value.typed:
            return None
    missing, wrong = 0, 0
    for at, (token, wanted) in enumerate(zip(tokens, phrase.words, strict=True)):
        written = token.accented
        if written in ("", wanted) or not wanted or (value.typed and at == 0):
            continue
        if written == token.word:
            missing += 1
            is_all = len(tokens) - value.head == 1 and at == value.head
            if text.is_accented and is_all and not _must_bear_a_tone(written):
                return None
        elif accent_key(written) != accent_key(wanted):
            if at < value.head:
                return None
            wrong += 1
    if missing and value.needs_accents:
        return None
    if wrong:
        return _wrongly_accented(text, first, last, value, wrong)
    if missing and text.is_accented:
        return Hit(value._replace(sureness=round(value.sureness - _LESS_PLAIN, 3)), first, last)
    return Hit(value, first, last)


def _wrongly_accented(text: Normalised, first: int, last: int, value: Named, wrong: int) -> Hit[Named] | None:
    """One word of several with another accent, or a capital one, after its kind: "ấp Bầu Sen" for Bàu Sen."""
    if not value.is_own or value.is_number or wrong > 1 or value.needs_accents:
        return None
    start = text.starts[last - 1]
    if last - first - value.head > 1 or (value.group == SETTLEMENT and text.original[start].isupper()):
        return Hit(value._replace(sureness=round(value.sureness - _LESS_NEAR, 3)), first, last)
    return None


def _with_street(text: Normalised, hit: Hit[Named]) -> Hit[Named]:
    """An alley with the street that follows it, if it does; else it may be the alley of another street."""
    street = fold(hit.value.street).split()
    for skipped in (0, 1):
        since = hit.last + skipped
        if skipped and [t.word for t in text.tokens[hit.last : since]] not in (["duong"], ["pho"], ["d"]):
            break
        if [t.word for t in text.tokens[since : since + len(street)]] == street:
            return Hit(hit.value._replace(is_number=False), hit.first, since + len(street))
    return Hit(hit.value._replace(sureness=round(hit.value.sureness - 0.15, 3)), hit.first, hit.last)


def _is_date_or_count(text: Normalised, before: int, at: int) -> bool:
    """Whether a number after a place's number goes on with something else: "xóm 5, 2 ngày nay"."""
    between = text.original[text.ends[before - 1] : text.starts[before]].strip()
    is_joined = at > before or between in (",", "-", "+", "&", ";", "–", ".") or between == "/"
    if not is_joined or between == "/":
        return True
    if at + 1 < len(text.words):
        after = text.words[at + 1]
        gap = text.original[text.ends[at] : text.starts[at + 1]]
        return "/" in gap or after in _THINGS_COUNTED
    return False


_THINGS_COUNTED = frozenset(
    fold(
        "ngày tuần tháng giờ phút năm lần hôm đêm bữa người hộ nhà em cháu cây cái con xe mét m tấn đứa tiếng buổi"
    ).split()
)


@lru_cache(maxsize=4096)
def _is_plain(word: str) -> bool:
    """Whether the normaliser leaves a word of a name as it is."""
    found = written_out(word)
    return len(found) == 1 and found[0][0] == word


def _must_bear_a_tone(word: str) -> bool:
    """A syllable that ends so has a tone mark in every word: "sat" is sắt, sát or sạt."""
    return word.endswith(("p", "t", "c", "ch"))


@lru_cache(maxsize=4096)
def _shortened(word: str) -> tuple[str, ...]:
    """A word and the same with each letter left out: words one slip apart share one of these."""
    return tuple({word, *(word[:at] + word[at + 1 :] for at in range(len(word)))})


_BEGINNINGS = (
    ("ngh", "ng"), ("gh", "g"), ("gi", "d"), ("tr", "ch"), ("x", "s"), ("r", "d"), ("v", "d"), ("l", "n"), ("k", "c"),
)  # fmt: skip
_ENDINGS = (("iem", "im"), ("uom", "um"), ("ng", "n"), ("nh", "n"), ("ch", "c"), ("t", "c"), ("y", "i"))


def _sound(word: str) -> str:
    """How a syllable sounds to somebody who mixes x and s, l and n, or the ends of syllables."""
    for written, spoken in _BEGINNINGS:
        if word.startswith(written):
            word = spoken + word[len(written) :]
            break
    for written, spoken in _ENDINGS:
        if word.endswith(written):
            return word[: -len(written)] + spoken
    return word


_SOUNDS = Remembered(_sound)


def _sounds(words: Iterable[str]) -> str:
    return "~" + "".join(map(_SOUNDS.__getitem__, words))


def _is_slip(words: list[str], rest: list[str]) -> bool:
    """Whether what is written is the name, one slip or one sound away, and not another name that is rightly spelled."""
    joined, wanted = "".join(words), "".join(rest)
    if joined == wanted:
        return words != rest
    if len(words) != len(rest):
        return _distance_is_one(joined, wanted) and any(not is_syllable(word) for word in words)
    differ = [(w, r) for w, r in zip(words, rest, strict=True) if w != r]
    if len(differ) > 1:
        return False
    written, right = differ[0]
    if written.isdigit() or right.isdigit():
        return False
    if _SOUNDS[written] == _SOUNDS[right]:
        return True
    return not is_syllable(written) and _distance_is_one(written, right)


def _distance_is_one(left: str, right: str) -> bool:
    """Whether one letter was left out, put in, changed, or two neighbours changed places."""
    if abs(len(left) - len(right)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    if len(left) == len(right):
        swapped = left[at + 1 : at + 2] + left[at : at + 1] == right[at : at + 2]
        return left[at + 1 :] == right[at + 1 :] or (swapped and left[at + 2 :] == right[at + 2 :])
    longer, shorter = (left, right) if len(left) > len(right) else (right, left)
    return longer[at + 1 :] == shorter[at:]


_VILLAGES = frozenset({"xom", "thon", "ap", "khom", "buon", "lang"})


def _accents_agree(tokens: tuple[Token, ...], phrase: _Phrase) -> bool:
    """Whether the words that are spelled right have the right accents, or none."""
    wanted = phrase.words[phrase.value.head :]
    if len(tokens) != len(wanted):
        return True
    for token, right in zip(tokens, wanted, strict=True):
        is_marked = token.word == fold(right) and token.accented not in ("", token.word)
        if is_marked and accent_key(token.accented) != accent_key(right):
            return False
    return True
