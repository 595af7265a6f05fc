"""Personal names: people named after words that introduce a person; a street's name is nobody's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from nlp.characters import fold
from nlp.keystrokes import is_syllable
from nlp.name_words import (
    CERTAIN_SURNAMES,
    GENDERED,
    MIDDLES,
    OFFICES,
    ORDINALS,
    PLACES,
    PLAIN_SURNAMES,
    STOPS,
    STOPS_THAT_NAME,
    STREETS,
    SURE_SURNAMES,
    SURNAMES,
    TITLES,
    TITLES_UNACCENTED,
)
from nlp.number_runs import Seen
from nlp.remembered import Remembered

Found = tuple[int, int, str]

_WHO = r"(?:toi|tui|em|minh|chau|con|chung toi|anh|chi|ong|ba|co|chu|bac|me|bo|vo|chong)"
_SELF = r"(?:toi|tui|em|minh|chau|con|e|dan)"
_ADDRESSED = r"(?:anh|chi|co|chu|bac|ong|ba|em|thay|chau|mr|ms|a|c)"
_WRITER = (
    r"(?:gui|viet|viet don|lam don|phan anh|de nghi|kien nghi|to cao|khieu nai|lien he|khai|yeu cau|dai dien|nop don"
    r"|nop|nhan|bi to cao|bi hai|lam chung)"
)
_LABEL = (
    rf"(?:ho va ten|ho ten|nguoi {_WRITER}(?: don)?|chu (?:ho|tai khoan|tk|xe|dat)|ctk"
    r"|ten (?:khach hang|chu ho|nguoi gui|day du|that)|khach hang|benh nhan|hoc sinh|phu huynh|dai dien ho)"
)
_SIGN = (
    r"(?:kinh thu|kinh don|than ai|tran trong(?: cam on| kinh chao)?|ky ten|da ky|cam on(?: nhieu)?|nguoi dan|cong dan"
    rf"|nguoi {_WRITER})"
)
# Tried in this order at the words they begin with; what follows the match may be a name.
_CUES = {
    "labelled": re.compile(rf"{_LABEL}(?: (?:toi|em))?(?: la)?(?: ?[:\-] ?| la )"),
    "unlabelled": re.compile(rf"(?:{_LABEL}|ten {_WHO}|mang ten|ten)[ :]{{1,2}}"),
    "named": re.compile(rf"(?:{_WHO} ten(?: la)?|ten(?: that)? {_WHO}(?: la| ?:)|ten la)(?: ?: ?| )"),
    "is": re.compile(rf"{_SELF} (?:day )?la "),
    "self": re.compile(rf"{_SELF}[:,]? "),
    "asked": re.compile(
        r"(?:gap|lien he|lien lac|lh|goi(?: cho)?|hoi|alo|tim|sdt|so|dt|dien thoai|gui|nhan tin cho|zalo)"
        rf"(?: cua| voi| qua| den)?[ :]{{1,2}}{_ADDRESSED}[ .] ?"
    ),
    "reached": re.compile(r"(?:lien he|lien lac|lh)(?: ?: ?| )"),
    "honoured": re.compile(r"(?:liet si|thuong binh|benh binh|nan nhan|hoc sinh|bac si|co giao|thay giao|y si) "),
    "titled": re.compile(r"(?:ong|ba|anh|chi|co|chu|bac|em|thay|chau|cu|di|cau|mo|be|mr|ms)[ .:] ?"),
    "signed": re.compile(rf"{_SIGN}(?: ?[.,:!]?\s{{0,4}})"),
}
# The words each kind begins with, so that few patterns are tried at few words.
_BEGINNINGS = {
    "labelled": "ho nguoi chu ctk ten khach benh hoc phu dai",
    "unlabelled": "ho nguoi chu ctk ten mang",
    "named": "toi tui em minh chau con chung anh chi ong ba co chu bac me bo vo chong ten",
    "is": "toi tui em minh chau con e dan",
    "self": "toi tui em minh chau con e dan",
    "asked": "gap lien lh goi hoi alo tim sdt so dt dien gui nhan zalo",
    "reached": "lien lh",
    "honoured": "liet thuong benh nan hoc bac co thay y",
    "titled": "ong ba anh chi co chu bac em thay chau cu di cau mo be mr ms",
    "signed": "kinh than tran ky da cam nguoi cong",
}
_CUES_OF = {
    word: tuple((kind, _CUES[kind]) for kind, words in _BEGINNINGS.items() if word in words.split())
    for word in " ".join(_BEGINNINGS.values()).split()
}
_WORD = re.compile(r"[^\W\d_]+")
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_NEXT_WORD = re.compile(r"[ \t]{1,2}([^\W\d_]+)")
# What may begin at a word: the cues to try there, and whether it is a surname.
_BEGINNERS = {word: (_CUES_OF.get(word, ()), word in SURNAMES.folded) for word in SURNAMES.folded | _CUES_OF.keys()}
# The words that make a cue that begins so longer, and those that begin a name.
_GOES_ON = {
    word: SURNAMES.folded.union(*(re.findall("[a-z]+", cue.pattern) for _, cue in cues))
    for word, cues in _CUES_OF.items()
}
_SIGNATURES = frozenset(_BEGINNINGS["signed"].split())
_GAP = re.compile(r"[ \t]{1,2}\Z")
_MOST, _REACH, _LAST_OF_FOUR = 5, 60, 3
_MOST_NUMBERS = 50
_OWNER = re.compile(rf"[ ,:(\-]{{1,4}}(?P<title>(?:gap )?{_ADDRESSED}[ .]{{1,2}}|gap )?")
_SOON = 40
# A village or the like may stand between a signature and its number.
_PHONE_SOON = re.compile(
    r"[ ,(:\-]{0,4}(?:[^\W\d][\w ]{1,24}, ?)?(?:(?:so )?(?:sdt|dt|so|dien thoai|tel|zalo|lh|email)[ :.]{0,2})?\Z"
)
_OF_CHILD = re.compile(r",? (?:hoc |dang hoc )?(?:lop [0-9]|[0-9]{1,2} tuoi|sinh nam [0-9])")
_HOUSE_NUMBER = re.compile(r"[0-9][a-z]?(?:/[0-9]+)?,? \Z")


_PRONOUNS = frozenset(
    {"no", "chau", "em", "toi", "anh", "chi", "ong", "ba", "co", "chu", "bac", "nha", "cac", "may", "mot"}
)
_NEEDS_MIDDLE = frozenset({"titled", "asked", "signed", "self", "honoured", "reached"})


class _Word(NamedTuple):
    """A word that may be part of a name."""

    word: str
    accented: str
    start: int
    end: int
    is_capital: bool


def find_names(seen: Seen, numbers: Sequence[Found]) -> list[Found]:
    """Names of people outside the numbers found already, in order and apart: start, end and kind in the folded view."""
    found: list[Found] = []
    for start, end in sorted(_Names(seen, numbers).candidates()):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]), "name")
        else:
            found.append((start, end, "name"))
    return _apart(found, numbers)


def _apart(names: list[Found], numbers: Sequence[Found]) -> list[Found]:
    """The names that overlap no number; both come in order."""
    kept: list[Found] = []
    at = 0
    for name in names:
        while at < len(numbers) and numbers[at][1] <= name[0]:
            at += 1
        if at == len(numbers) or numbers[at][0] >= name[1]:
            kept.append(name)
    return kept


def _beginners(seen: Seen) -> list[tuple[str, int, str]]:
    """The words that a name or its introduction may begin with, where they stand, and the word after the next space."""
    if not seen.folded.isascii():
        words = [(match[0], match.start(), "") for match in _WORD.finditer(seen.folded)]
        return [one for one in words if one[0] in _BEGINNERS]
    pieces = seen.pieces
    if _BEGINNERS.keys().isdisjoint(pieces):
        return []
    places = accumulate([len(piece) + 1 for piece in pieces], initial=0)
    return [
        (piece, at, following)
        for piece, at, following in zip(pieces, places, [*pieces[1:], ""], strict=False)
        if piece in _BEGINNERS
    ]


def _is_surname(accented: str) -> bool:
    return SURNAMES.has(fold(accented), accented)


_ARE_SURNAMES = Remembered(_is_surname)


class _Names:
    """One text being searched for names."""

    def __init__(self, seen: Seen, numbers: Sequence[Found]) -> None:
        self._seen = seen
        self._numbers = numbers

    @cached_property
    def _has_case(self) -> bool:
        """Whether capitals mean anything: not in a text all of capitals."""
        sample = self._seen.text[:300]
        if sample[1:].islower():
            return True
        return sum(map(str.isupper, sample)) <= 0.6 * sum(map(str.isalpha, sample))

    def _is_capital(self, at: int) -> bool:
        return self._seen.is_upper(at) and self._has_case

    def candidates(self) -> Iterator[tuple[int, int]]:
        for word, at, following in _beginners(self._seen):
            cues, is_surname = _BEGINNERS[word]
            if cues and (found := self._introduced(cues, at) if self._may_introduce(word, at, following) else None):
                yield found
            if is_surname and self._may_be_bare(word, at) and (found := self._bare(at)):
                yield found
        for _, end, kind in self._numbers[:_MOST_NUMBERS]:
            if kind == "phone" and (found := self._after_phone(end)):
                yield found

    def _may_introduce(self, word: str, at: int, following: str) -> bool:
        """Whether a name can follow, seen at a glance: not where a word follows that is neither cue nor name."""
        if not following or following in _GOES_ON[word] or word in _SIGNATURES:
            return True
        folded, end = self._seen.folded, at + len(word)
        after = end + 1 + len(following)
        if folded[end] != " " or folded.startswith("'", after) or folded[after + 1 : after + 2].isdigit():
            return True
        return self._is_capital(end + 1)

    def _introduced(self, cues: Sequence[tuple[str, re.Pattern[str]]], at: int) -> tuple[int, int] | None:
        folded = self._seen.folded
        for kind, pattern in cues:
            cue = pattern.match(folded, at)
            if cue and (found := self._after(kind, cue)):
                return found
        return None

    def _after(self, kind: str, cue: re.Match[str]) -> tuple[int, int] | None:
        folded, at = self._seen.folded, cue.end()
        first = _TOKEN.match(folded, at, at + _REACH)
        if first is None:
            return None
        if not self._may_follow(kind, cue, first):
            return None
        if kind == "titled" and not self._is_title(cue):
            return None
        if kind in ("titled", "asked", "honoured") and PLACES.search(folded, max(0, cue.start() - 14), cue.start()):
            return None
        words = self._words(at)
        if not words:
            return None
        if kind in ("titled", "asked") and words[0].accented in ORDINALS:
            return self._by_order(kind, words)
        is_office = OFFICES.match(folded, at) is not None
        if is_office and words[0].accented == words[0].word and len(words) < 3:
            return None
        full = _full(words, needs_middle=kind in _NEEDS_MIDDLE)
        if full or kind in ("unlabelled", "self", "honoured", "reached"):
            return full
        if kind == "titled":
            return self._given_after_title(cue, words)
        if kind == "signed" and not self._is_last(cue, words):
            return None
        return None if is_office else self._given(kind, cue, words)

    def _by_order(self, kind: str, words: Sequence[_Word]) -> tuple[int, int] | None:
        """Who is called by the order of birth and a name: "ông Sáu Khởi"; "ông Sáu" alone is anybody."""
        named = words[1:3]
        if kind != "titled" or not words[0].is_capital or not named or len(named[0].word) < 2:
            return None
        return words[0].start, named[-1].end

    def _is_title(self, cue: re.Match[str]) -> bool:
        word = cue[0].rstrip(" .:")
        accented = self._seen.accented(cue.start(), cue.start() + len(word))
        return accented in TITLES or (accented == word and word in TITLES_UNACCENTED)

    def _may_follow(self, kind: str, cue: re.Match[str], first: re.Match[str]) -> bool:
        """Whether a word may begin a name after a cue: with a surname or a capital, unless a name is promised."""
        folded = self._seen.folded
        if cue[0].startswith("con") and folded.endswith("ba ", 0, cue.start()):
            return False  # "bà con" are the people
        if kind in ("labelled", "named") or first[0] in SURNAMES.folded or self._is_capital(first.start()):
            return True
        return kind == "titled" and folded[first.end() + 1 : first.end() + 2].isdigit()

    def _given_after_title(self, cue: re.Match[str], words: Sequence[_Word]) -> tuple[int, int] | None:
        """A given name after a title: with a capital and an accent, or before a phone, or with a child's age."""
        first, folded = words[0], self._seen.folded
        if OFFICES.match(folded, first.start) or first.accented in ORDINALS or len(first.word) < 2:
            return None
        if first.is_capital:
            is_sure = first.accented != first.word and cue[0].endswith(" ") and "." not in cue[0]
            is_sure = (
                is_sure and first.word not in _PRONOUNS and len(words) < 3 and not folded.startswith("-", words[-1].end)
            )
            last = words[min(len(words), 4) - 1].end
            is_child = _OF_CHILD.match(folded, last) is not None
            return (first.start, last) if is_sure or is_child or self._is_before_phone((first.start, last)) else None
        is_told = len(words) == 1 and first.word not in STOPS and is_syllable(first.word)
        is_told = is_told and any(
            start == first.end + 1 for start, _, kind in self._numbers[:_MOST_NUMBERS] if kind == "phone"
        )
        return (first.start, first.end) if is_told else None

    def _given(self, kind: str, cue: re.Match[str], words: Sequence[_Word]) -> tuple[int, int] | None:
        """A name without surname: with a capital, or after words that promise one."""
        first = words[0]
        following = self._seen.folded[words[-1].end : words[-1].end + 1]
        if first.accented in ORDINALS or len(first.word) < 2 or following.isdigit() or following == "-":
            return None
        if first.is_capital:
            return first.start, words[min(len(words), 2 if kind == "asked" else 4) - 1].end
        is_promised = kind == "labelled" or (
            kind == "named" and cue[0].startswith(("toi", "tui", "em", "chau", "minh"))
        )
        is_name = is_promised and first.word not in STOPS and is_syllable(first.word)
        return (first.start, first.end) if is_name else None

    def _is_last(self, cue: re.Match[str], words: Sequence[_Word]) -> bool:
        """Whether a signature ends its line, as a name does."""
        following = self._seen.folded[words[-1].end : words[-1].end + 2].strip(" .")
        return cue[0].startswith(("kinh", "than", "tran", "ky")) and following in ("", "\n")

    def _words(self, at: int) -> list[_Word]:
        """The words from a place on that could be a name: all with capitals, or none."""
        words: list[_Word] = []
        for match in _TOKEN.finditer(self._seen.folded, at, at + _REACH):
            start, end = match.span()
            if not (_GAP.match(self._seen.folded, words[-1].end, start) if words else start == at):
                break
            is_capital = self._is_capital(start)
            if words and words[0].is_capital and not is_capital:
                break
            is_surname = not words and match[0] in SURNAMES.folded
            if (
                match[0] in STOPS
                and not (is_capital or is_surname)
                and not (1 <= len(words) <= 2 and match[0] in STOPS_THAT_NAME)
            ):
                break
            words.append(_Word(match[0], self._seen.accented(start, end), start, end, is_capital))
            if len(words) == _MOST:
                break
        return words

    def _bare(self, at: int) -> tuple[int, int] | None:
        """A full name with nothing before it: with văn or thị inside, before a phone, or after an account."""
        words = self._words(at)
        found = _full(words, needs_middle=True)
        if found is None or self._is_street(found):
            return None
        if not words[0].is_capital and self._has_case:
            return found if self._is_holder(found) or self._is_before_phone(found) else None
        count = sum(word.end <= found[1] for word in words)
        is_plain = count >= 3 and words[1].word in ("van", "thi")
        return found if is_plain or self._is_before_phone(found) or self._is_holder(found) else None

    def _may_be_bare(self, word: str, at: int) -> bool:
        """Whether a full name may begin here, seen at a glance: most words that are surnames too are other words."""
        folded, end = self._seen.folded, at + len(word)
        if folded.startswith("'", end):
            return True
        accented = self._seen.accented(at, end)
        if accented != word and not _ARE_SURNAMES[accented]:
            return False
        if self._is_capital(at):
            return True
        if not PLAIN_SURNAMES.has(word, accented):
            return False
        middle = _NEXT_WORD.match(folded, end)
        return middle is not None and middle[1] in MIDDLES.folded

    def _is_before_phone(self, found: tuple[int, int]) -> bool:
        return any(
            found[1] <= start <= found[1] + _SOON and _PHONE_SOON.match(self._seen.folded, found[1], start)
            for start, _, kind in self._numbers[:_MOST_NUMBERS]
            if kind in ("phone", "email")
        )

    def _after_phone(self, end: int) -> tuple[int, int] | None:
        """The owner of a number: "0912 345 678 (chị Hoa)"."""
        owner = _OWNER.match(self._seen.folded, end)
        words = self._words(owner.end()) if owner else []
        if owner is None or not words or not words[0].is_capital or words[0].accented in ORDINALS:
            return None
        full = _full(words, needs_middle=True)
        if full or not owner["title"] or OFFICES.match(self._seen.folded, owner.end()):
            return full
        return words[0].start, words[min(len(words), 2) - 1].end

    def _is_holder(self, found: tuple[int, int]) -> bool:
        return any(0 < found[0] - end < 30 for _, end, kind in self._numbers[:_MOST_NUMBERS] if kind == "bank_account")

    def _is_street(self, found: tuple[int, int]) -> bool:
        start, end = found
        if self._seen.folded[start:end] in STREETS:
            return True
        since = max(0, start - 14)
        return bool(
            PLACES.search(self._seen.folded, since, start) or _HOUSE_NUMBER.search(self._seen.folded[since:start])
        )


def _full(words: Sequence[_Word], *, needs_middle: bool) -> tuple[int, int] | None:
    """A surname and what follows; in lower case it needs a surname that is hardly anything else, or a middle name."""
    if len(words) < 2:
        return None
    first, second = words[0], words[1]
    if not SURNAMES.has(first.word, first.accented):
        return None
    if first.is_capital:
        return first.start, words[-1].end
    is_middle = MIDDLES.has(second.word, second.accented)
    is_gendered = GENDERED.has(second.word, second.accented)
    is_certain = is_gendered or (is_middle and CERTAIN_SURNAMES.has(first.word, first.accented))
    if is_gendered and not needs_middle and len(words) > 2:
        return first.start, words[_last_of_lower(words)].end
    if not PLAIN_SURNAMES.has(first.word, first.accented) or (needs_middle and not is_certain):
        return None
    if not (is_middle or SURE_SURNAMES.has(first.word, first.accented)):
        return None
    last = _last_of_lower(words)
    return (first.start, words[last].end) if last > is_gendered else None


def _last_of_lower(words: Sequence[_Word]) -> int:
    """How far a name in lower case goes: surname and two more, or three when another middle name is among them."""
    last = min(len(words) - 1, 2)
    if (
        len(words) > 3
        and GENDERED.has(words[1].word, words[1].accented)
        and MIDDLES.has(words[2].word, words[2].accented)
    ):
        last = 3
    if len(words) == _LAST_OF_FOUR + 1 and words[1].word == "thi":
        last = _LAST_OF_FOUR  # a woman's name mostly has four words
    while last and not (len(words[last].word) == 1 or is_syllable(words[last].word)):
        last -= 1
    return last
