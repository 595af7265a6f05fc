"""Earlier answers: which of them fit a report, and what must go from one before another citizen's report may use it.

What is proposed is only proposed. Whatever was about the other citizen stands open in braces, so that nothing is sent
before an official has put in what is true now.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from bot.rules.publishing import too_near
from nlp.normalise import fold
from nlp.personal_data import find_personal_data

MOST = 3
# Of 20 pairs of reports alike so far (.15 and more), read one by one, 16 were about the same trouble; below, few were.
ENOUGH = 0.16
_SAME_PLACE, _WELL_RATED = 0.05, 0.02  # for the order only
_COMMON, _FEWEST_TO_LEARN_FROM = 1 / 3, 12
# Whoever accuses, complains or tells of a crime has an answer of their own.
NEVER = frozenset({"to-cao-tham-nhung", "thai-do-can-bo", "khieu-nai", "an-ninh-trat-tu"})
SHORTEST = 5  # words that must be left


@dataclass(frozen=True)
class Report:
    """A report as far as likeness looks: the folded words that say something, its place, what its citizen thought."""

    id: int
    words: frozenset[str]
    place_id: int | None = None
    rating: int | None = None


def closest(report: Report, earlier: Sequence[Report], most: int = MOST) -> list[int]:
    """The numbers of those that are like enough, the most alike first; later ones of the list win where alike."""
    weight = _weights([one.words for one in earlier])
    found = []
    for at, one in enumerate(earlier):
        like = _likeness(report.words, one.words, weight)
        if like >= ENOUGH:
            is_here = report.place_id is not None and one.place_id == report.place_id
            found.append((like + _SAME_PLACE * is_here + _WELL_RATED * (one.rating == 3), at, one.id))
    return [number for _, _, number in sorted(found, reverse=True)[:most]]


def _likeness(one: frozenset[str], other: frozenset[str], weight: Callable[[str], float]) -> float:
    told = sum(map(weight, one)) * sum(map(weight, other))
    return sum(map(weight, one & other)) / math.sqrt(told) if told > 0 else 0.0


def _weights(said: Sequence[frozenset[str]]) -> Callable[[str], float]:
    """How much a word says: the fewer reports it stands in, the more; nothing where a third of them say it."""
    held = Counter(word for words in said for word in words)
    many = max(len(said), _FEWEST_TO_LEARN_FROM)

    def weight(word: str) -> float:
        share = held[word] / many
        return 0.0 if share > _COMMON else math.log(1 / max(share, 1 / many)) + 0.2

    return weight


# ---- what goes ------------------------------------------------------------------------------------------------------

_KINDS = {
    "name": "họ tên",
    "phone": "số điện thoại",
    "id_number": "số giấy tờ",
    "bank_account": "số tài khoản",
    "plate": "biển số",
    "email": "thư điện tử",
}
_CODE = re.compile(r"\b[a-z]{2}\d{2}-\d{3,}\b")
_PARTS = r"(?:rang )?(?:sang|trua|chieu|toi|dem)"
_DATE = re.compile(
    r"\b(?:"
    + "|".join(
        (
            rf"(?:{_PARTS} )?(?:ngay |mung )?\d{{1,2}} ?[/.-] ?\d{{1,2}}(?: ?[/.-] ?\d{{2,4}})?",
            rf"(?:{_PARTS} )?(?:ngay|mung) \d{{1,2}}(?: thang \d{{1,2}})?(?: nam \d{{4}})?",
            r"thang \d{1,2}(?:/\d{4}| nam \d{4})?",
            rf"\d{{1,2}} ?(?:gio|h|:) ?\d{{0,2}}(?: phut)?(?: {_PARTS})?",
            rf"(?:{_PARTS}|hom|ngay) (?:nay|qua|mai|kia)|(?:tuan|thang) (?:nay|sau|toi|truoc|qua)",
            rf"(?:{_PARTS} )?(?:thu (?:hai|ba|tu|nam|sau|bay|[2-7])|chu nhat)(?: tuan (?:nay|sau|toi|truoc))?",
        )
    )
    + r")(?!\w)"
)
_TITLE = re.compile(r"\b(?:ong|ba|anh|chi|co|chu|bac|cu|em|chau|ho|nha) (?=[^\W\d_])")
_NAME = re.compile(r"[^\W\d_]+(?: [^\W\d_]+){0,3}")
_DIGITS = re.compile(r"\d(?:[\d .]{4,}\d)")
_HOUSE = re.compile(
    r"\b(?:so nha|nha so|so|ngo|hem|ngach|kiet|duong so|thua(?: dat)?(?: so)?|to ban do(?: so)?) \d+[\w/]*"
)
_ADJACENT = re.compile(r"(\{[^{}]*\})(?:[ ,]+\1)+")


@dataclass(frozen=True)
class Theirs:
    """What could tell of the other citizen: what they are called, their numbers and codes, where it was."""

    name: str = ""
    numbers: tuple[str, ...] = ()
    spots: tuple[str, ...] = ()

    @property
    def all(self) -> list[str]:
        """Everything there is."""
        return [one for one in (self.name, *self.numbers, *self.spots) if one.strip()]


def blanked(text: str, *, theirs: Theirs, places: Iterable[str], ours: Collection[str] = ()) -> str:
    """An earlier answer without what was about its citizen, open places in braces; "" where too little is left.

    `places`: names of the commune's list; `ours`: numbers that the commune tells anybody.
    """
    text = " ".join(unicodedata.normalize("NFC", text).replace("{", "(").replace("}", ")").split())
    folded = fold(text)
    if len(folded) != len(text):
        return ""  # a letter that folds into two: offsets would not hold
    spans = [*_personal(text, ours), *_patterns(text, folded, ours)]
    spans += _named(folded, _forms(theirs.name), "họ tên")
    spans += _named(folded, theirs.numbers, "số")
    spans += _named(folded, (*theirs.spots, *(form for one in theirs.spots for form in _forms(one))), "địa chỉ")
    spans += _named(folded, places, "địa điểm")
    out = _ADJACENT.sub(r"\1", _cut(text, spans))
    left = fold(re.sub(r"\{[^{}]*\}", " ", out))
    if len(re.findall(r"[^\W\d_]+", left)) < SHORTEST or any(_is_left(secret, left) for secret in theirs.all):
        return ""
    return out


def _personal(text: str, ours: Collection[str]) -> Iterable[tuple[int, int, str]]:
    for span in find_personal_data(text):
        if not _is_ours(text[span.start : span.end], ours):
            yield span.start, span.end, _KINDS[span.kind]


def _patterns(text: str, folded: str, ours: Collection[str]) -> Iterable[tuple[int, int, str]]:
    yield from ((m.start(), m.end(), "mã phản ánh") for m in _CODE.finditer(folded))
    yield from ((m.start(), m.end(), "ngày") for m in _DATE.finditer(folded))
    yield from _titled(text, folded)
    yield from ((m.start(), m.end(), "địa chỉ") for m in _HOUSE.finditer(folded))
    yield from ((m.start(), m.end(), "số") for m in _DIGITS.finditer(folded) if not _is_ours(m[0], ours))
    for piece in too_near(text):
        at = text.find(piece)
        yield at, at + len(piece), "địa chỉ"


def _titled(text: str, folded: str) -> Iterable[tuple[int, int, str]]:
    """What is written in capitals after a title: whoever it is."""
    for title in _TITLE.finditer(folded):
        name = _NAME.match(text, title.end())
        capitals = list(takewhile(lambda word: word[0].isupper(), name[0].split())) if name else []
        if capitals and capitals[0] not in _NOBODY:
            yield title.end(), title.end() + len(" ".join(capitals)), "họ tên"


_NOBODY = frozenset({"Bà", "Ông", "Chị"})  # "Ông Bà", "Anh Chị": whoever reads it


def _named(folded: str, names: Iterable[str], kind: str) -> Iterable[tuple[int, int, str]]:
    for name in {" ".join(fold(one).split()) for one in names}:
        if len(name) > 1:
            yield from ((m.start(), m.end(), kind) for m in re.finditer(rf"\b{re.escape(name)}\b", folded))


def _forms(secret: str) -> list[str]:
    """Words as they may stand there: whole, or without those that stand first, at least two of them."""
    words = secret.split()
    return [secret, *(" ".join(words[at:]) for at in range(1, len(words) - 1))]


def _cut(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    out: list[str] = []
    since = 0
    for start, end, kind in sorted(spans, key=lambda one: (one[0], -one[1])):
        if start >= since:
            out += text[since:start], "{", kind, "}"
        since = max(since, end)
    return "".join((*out, text[since:]))


def _is_ours(number: str, ours: Collection[str]) -> bool:
    bare = re.sub(r"[\s.()+-]", "", number).casefold()
    return bare in ours or (bare.startswith("02") and bare.isdecimal()) or bare.endswith(".gov.vn")


def _is_left(secret: str, left: str) -> bool:
    """Whether the secret can still be read, digits whatever stands between them."""
    digits = re.sub(r"\D", "", secret)
    if len(digits) >= 6 and digits[-6:] in re.sub(r"\D", "", left):
        return True
    return re.search(rf"\b{re.escape(' '.join(fold(secret).split()))}\b", left) is not None
