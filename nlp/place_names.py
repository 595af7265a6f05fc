"""Place names: every way people write the name of one of a commune's own places."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from nlp.characters import fold
from nlp.normalise import normalise
from nlp.reading import KnownPlace

SETTLEMENT, ALLEY, STREET, SCHOOL, THING = range(5)
AS_NAMED, AS_EQUAL, AS_BARE = 0.95, 0.85, 0.7

# What one commune calls xóm its neighbour calls thôn, and citizens call the same unit either.
_RURAL = ("xóm", "thôn", "ấp", "bản", "buôn", "làng", "khóm", "đội", "phum", "sóc")
_URBAN = (
    "tổ dân phố", "khu dân cư", "khu phố", "khu vực", "tiểu khu", "khối phố", "tổ", "khối", "khu", "cụm",
)  # fmt: skip
UNITS = _URBAN + _RURAL
# Before a name these are also everyday words ("bản chưa" and "bạn chưa"): by their accents only.
_ONLY_ACCENTED = frozenset({"bản", "tổ", "đội", "làng", "khu", "khối", "cụm", "sóc", "ấp", "buôn"})
# These do not take the place of another unit before a word like "mới": "đội mới" is a new team.
_NEVER_FOR_A_WORD = frozenset({"đội", "tổ", "khu", "khối", "cụm", "bản", "làng", "khu vực", "sóc", "phum"})
# These have names; the number of another unit does not go with them.
_SELDOM_COUNTED = frozenset({"phum", "sóc", "buôn", "bản", "làng", "cụm", "tiểu khu"})
_ALLEYS = ("hẻm", "ngõ", "ngách", "kiệt")
_STREETS = ("đại lộ", "đường", "phố")
_ROADS = ("quốc lộ", "tỉnh lộ", "hương lộ", "huyện lộ", "đường tỉnh", "đường huyện")
_SCHOOLS = {
    "tiểu học và trung học cơ sở": ("trung học cơ sở", "tiểu học", "cấp 1", "cấp 2", "cấp 1 2"),
    "tiểu học": ("tiểu học", "th", "cấp 1", "cấp một", "cấp i", "c1"),
    "trung học cơ sở": ("trung học cơ sở", "cấp 2", "cấp hai", "cấp ii", "c2", "trung học"),
    "trung học phổ thông": ("trung học phổ thông", "phổ thông", "cấp 3", "cấp ba", "cấp iii", "c3", "trung học"),
    "mầm non": ("mầm non", "mẫu giáo", "nhà trẻ"),
    "mẫu giáo": ("mẫu giáo", "mầm non", "nhà trẻ"),
}  # fmt: skip
# Other things with names of their own, and what else they are called.
_THINGS: dict[str, tuple[str, ...]] = {
    "nhà văn hóa": ("nhà sinh hoạt cộng đồng", "nhà vh", "hội trường"),
    "sân vận động": ("svđ", "sân vđ", "sân vđộng", "sân banh", "sân bóng"),
    "trạm y tế": ("tyt", "trạm xá", "y tế"),
    "ủy ban nhân dân": ("ủy ban",),
    "khu công nghiệp": ("kcn",),
    "cụm công nghiệp": ("ccn",),
    "khu tái định cư": ("ktđc", "tái định cư", "tđc"),
    "chung cư": ("cc",),
    "công viên": ("cv",),
    "vòng xoay": ("bùng binh", "vòng xuyến"),
    "nghĩa trang": ("nghĩa địa",),
    "nhà thờ": ("giáo xứ",),
    "ngã ba": ("ngã 3", "n3"),
    "ngã tư": ("ngã 4", "n4"),
    "ngã năm": ("ngã 5",),
    "ngã sáu": ("ngã 6",),
    "trường": (), "chợ": (), "cầu": (), "chùa": (), "đình": (), "đền": (), "miếu": (), "hồ": (), "kênh": (),
    "cống": (), "đập": (), "bến đò": (), "bến xe": (), "bến phà": (), "rạch": (), "mương": (), "sông": (), "suối": (),
    "trạm bơm": (), "bưu điện": (), "dốc": (), "đèo": (), "bãi": (), "cổng": (), "giếng": (), "ao": (), "đồi": (),
    "khu du lịch": (), "khu dân cư": ("kdc",), "khu đô thị": ("kđt",), "trụ sở": (), "thánh thất": (), "nhà máy": (),
}  # fmt: skip
_WHOLE_HEADS = frozenset({"sân vận động", "trạm y tế", "ủy ban nhân dân", "bưu điện", "công viên", "nhà văn hóa"})
_SHORT_HEADS = {
    "th": "tiểu học", "thcs": "trung học cơ sở", "thpt": "trung học phổ thông", "mn": "mầm non", "mg": "mẫu giáo",
    "nvh": "nhà văn hóa", "svđ": "sân vận động", "tyt": "trạm y tế", "kp": "khu phố", "tdp": "tổ dân phố",
    "kdc": "khu dân cư", "đ": "đường", "ql": "quốc lộ", "tl": "tỉnh lộ", "hl": "hương lộ", "kcn": "khu công nghiệp",
    "ubnd": "ủy ban nhân dân", "nđ": "nghĩa địa", "th&thcs": "tiểu học và trung học cơ sở", "đt": "đường tỉnh",
}  # fmt: skip
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
_DIGITS = ("", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín", "mười")
_ONES = (
    (),
    ("mốt", "một"),
    ("hai",),
    ("ba",),
    ("tư", "bốn"),
    ("lăm", "nhăm", "năm"),
    ("sáu",),
    ("bảy",),
    ("tám",),
    ("chín",),
)
_COUNTS: dict[int, tuple[str, ...]] = {
    **{n: (word,) for n, word in enumerate(_DIGITS) if word},
    4: ("bốn", "tư"),
    **{10 + n: (f"mười {word}", f"10 {word}") for n, word in enumerate(_DIGITS[:10]) if word},
    15: ("mười lăm", "10 lăm"),
    # "hai mươi bảy", "hai bảy"; the normaliser may have written the first as a figure.
    **{
        10 * n + m: tuple(
            f"{ten}{mid}{one}" for ten in (_DIGITS[n], str(n)) for mid in (" mươi ", " ") for one in _ONES[m]
        )
        for n in range(2, 10)
        for m in range(1, 10)
    },
    **{10 * n: (f"{_DIGITS[n]} mươi", f"{n} mươi") for n in range(2, 10)},
}
_IN_WORDS = {word: n for n, words in _COUNTS.items() for word in words}
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"(\d+)([a-zđ]?)\Z")


class Named(NamedTuple):
    """A place under one of its names, and how surely that name means it.

    `head`: how many of its words say what kind of place it is; 0 for a bare name. `is_counted`: the number is
    written in words. `needs_accents`: without its accents it is something else. `typed`: what must stand in the
    original instead of the first word, which the normaliser wrote out. `is_own`: the kind is the place's own.
    `street`: of an alley, the street that its name goes on with.
    """

    place: KnownPlace
    sureness: float
    group: int
    head: int = 0
    is_number: bool = False
    is_counted: bool = False
    needs_accents: bool = False
    typed: str = ""
    is_own: bool = False
    street: str = ""


class _Parted(NamedTuple):
    """A written name as the word for its kind and the rest: "thôn", "khe ngang"."""

    place: KnownPlace
    group: int
    kind: str
    rest: str


def numbered_kinds(places: Iterable[KnownPlace]) -> frozenset[str]:
    """The kinds of unit that a commune numbers: where there are tổ and khu phố, tổ 5 is not khu phố 5."""
    parted = [_part(place, name) for place in places if (name := _clean(place.name))]
    return frozenset(one.kind for one in parted if one.group == SETTLEMENT and _numbers(one.rest))


def spellings(place: KnownPlace, commune: str, counted: frozenset[str] = frozenset()) -> Iterator[tuple[str, Named]]:
    """Every way to write a place's name and aliases, each with what it means.

    `commune` is the home's own name; `counted` the kinds of unit that it numbers.
    """
    for written in (place.name, *place.aliases):
        name = _clean(written)
        if not name:
            continue
        parted = _part(place, name)
        if not parted.kind:
            if len(name.split()) > 1 or name.isascii() is False:
                yield name, Named(place, AS_NAMED, parted.group, head=0, needs_accents=" " not in name)
            continue
        if parted.rest:
            yield from _each(parted, commune, counted)
        if not parted.rest or parted.kind in _WHOLE_HEADS:
            yield from _heads_alone(parted, commune)


def _clean(written: str) -> str:
    """A name in lower case, its words with single spaces and the shortened kinds written out."""
    text = unicodedata.normalize("NFC", written).lower().replace("th&thcs", "tiểu học và trung học cơ sở")
    words = _WORD.findall(text)
    at = 1 if words[:1] == ["trường"] else 0
    if len(words) > at + 1 and words[at] in _SHORT_HEADS and (at or words[at] != "th" or words[1] not in _COUNTS):
        words[at : at + 1] = _SHORT_HEADS[words[at]].split()
    return " ".join(words)


def _part(place: KnownPlace, name: str) -> _Parted:
    """The kind and the rest of a name; the kind of the list where the name itself has none."""
    words = name.split()
    if words[0] == "trường":
        school = _school_level(words[1:])
        if school and len(words) > school[1] + 1:
            return _Parted(place, SCHOOL, school[0], " ".join(words[school[1] + 1 :]))
    if (school := _school_level(words)) and len(words) > school[1]:
        return _Parted(place, SCHOOL, school[0], " ".join(words[school[1] :]))
    kind = _clean(place.kind)
    listed = _head(kind, is_bare=kind.isascii())
    for size in range(min(_LONGEST_HEAD, len(words)), 0, -1):
        found = _head(" ".join(words[:size]), is_bare=name.isascii())
        if found is None:
            continue
        head, group = found
        if listed and listed[1] == STREET and group not in (STREET, ALLEY):
            continue  # a street called after Hồ Tùng Mậu is no lake
        rest = " ".join(words[size:])
        road = _head(" ".join(words[size : size + 2]), is_bare=name.isascii()) if group == STREET else None
        if road and road[1] == STREET and rest:
            return _Parted(place, STREET, road[0], " ".join(words[size + 2 :]))
        if rest or group == THING:
            return _Parted(place, group, head, rest)
    return _Parted(place, listed[1], listed[0], name) if listed else _Parted(place, THING, "", name)


def _school_level(words: list[str]) -> tuple[str, int] | None:
    """The level that words begin with, and how many words it has."""
    for size in range(min(7, len(words)), 1, -1):
        if (level := " ".join(words[:size])) in _SCHOOLS:
            return level, size
    return None


_BY_HEAD = {
    head: (head, group)
    for group, heads in (
        (THING, _THINGS),
        (STREET, (*_STREETS, *_ROADS)),
        (ALLEY, _ALLEYS),
        (SETTLEMENT, UNITS),
    )
    for head in heads
}
_BY_FOLDED_HEAD = {fold(head): found for head, found in reversed(_BY_HEAD.items())}
_LONGEST_HEAD = max(len(head.split()) for head in _BY_HEAD)


def _head(written: str, *, is_bare: bool) -> tuple[str, int] | None:
    """The kind that words are, and its group; by its accents, unless the list was written without any."""
    return _BY_HEAD.get(written) or (_BY_FOLDED_HEAD.get(written) if is_bare else None)


def _each(parted: _Parted, commune: str, counted: frozenset[str]) -> Iterator[tuple[str, Named]]:
    numbers = _numbers(parted.rest) if parted.group in (SETTLEMENT, ALLEY, STREET) else ()
    if parted.group == ALLEY:
        yield from _alley(parted)
    elif numbers:
        yield from _numbered(parted, numbers, counted)
    elif parted.group == SETTLEMENT:
        yield from _settlement(parted)
    else:
        for rest in (parted.rest, *_respelled(parted.rest, _clean(commune))):
            yield from _with_kind(parted._replace(rest=rest))
    is_name = not numbers and parted.group != ALLEY and not parted.rest[0].isdigit() and not _unit_of(parted.rest)
    if is_name and " " in parted.rest and parted.rest != _clean(commune):
        yield parted.rest, Named(parted.place, AS_BARE - 0.02 * parted.group, parted.group)


def _unit_of(rest: str) -> str:
    """The word for a unit that a name begins with: the culture house of "khóm 3" is not the khóm itself."""
    words = rest.split()
    heads = (" ".join(words[:size]) for size in range(min(3, len(words)), 0, -1))
    return next((head for head in heads if _BY_HEAD.get(head, ("", THING))[1] == SETTLEMENT), "")


def _with_kind(parted: _Parted) -> Iterator[tuple[str, Named]]:
    """A street, a school or another thing under its name, after every word for its kind."""
    if parted.group == STREET:
        return _headed(parted, _heads_of_street(parted.kind), parted.rest)
    if parted.group == SCHOOL:
        return _school(parted)
    return _headed(parted, (parted.kind, *_THINGS.get(parted.kind, ())), parted.rest)


def _respelled(rest: str, commune: str) -> Iterator[str]:
    """A name with its numbers as words or as figures, and without the commune's own name where more is left of it."""
    words = rest.split()
    as_words = " ".join(_DIGITS[int(w)] if w.isdigit() and 0 < int(w) < len(_DIGITS) else w for w in words)
    as_figures = " ".join(str(_DIGITS.index(w)) if w in _DIGITS else w for w in words)
    for other in (as_words, as_figures):
        if other != rest and len(words) > 1:
            yield other
    if commune and rest.startswith(f"{commune} "):
        yield rest.removeprefix(f"{commune} ")
    unit = _unit_of(rest)
    if unit and len(words) > len(unit.split()) + 1:
        yield rest.removeprefix(f"{unit} ")


def _named(parted: _Parted, head: str, sureness: float = AS_NAMED, **more: Any) -> Named:
    size = len(head.replace("| ", "").split())
    named = Named(parted.place, sureness, parted.group, size, is_own=head == parted.kind)
    return named._replace(**more) if more else named


def _headed(parted: _Parted, heads: Iterable[str], rest: str) -> Iterator[tuple[str, Named]]:
    for head in heads:
        yield f"{head} {rest}", _named(parted, head, is_own=True)
    if parted.group == STREET and parted.kind in _STREETS:
        yield f"đ {rest}", _named(parted, "đ", typed="d", is_own=True)


def _heads_of_street(kind: str) -> tuple[str, ...]:
    if kind in _ROADS:
        return (kind, *_SHORT_ROADS.get(kind, ()), f"đường {kind}", "đường")
    return ("đường", "phố", "đại lộ", "đường phố", "tuyến đường")


_SHORT_ROADS = {
    "quốc lộ": ("ql",), "tỉnh lộ": ("tl", "đường tỉnh", "đt"), "hương lộ": ("hl",), "đường tỉnh": ("đt", "tỉnh lộ"),
}  # fmt: skip


def _settlement(parted: _Parted) -> Iterator[tuple[str, Named]]:
    """A unit with a name: thôn Khe Ngang, and what else it may be called."""
    rest = parted.rest
    is_word = " " not in rest
    yield f"{parted.kind} {rest}", _named(parted, parted.kind)
    for other in UNITS:
        if other == parted.kind or (is_word and other in _NEVER_FOR_A_WORD):
            continue
        strict = other in _ONLY_ACCENTED or (is_word and other in _URBAN)
        yield f"{other} {rest}", _named(parted, other, AS_EQUAL, needs_accents=strict)
    for letter, long in _LETTERS:
        yield f"{long} {rest}", _named(parted, long, AS_EQUAL, typed=letter)
    for short in _GLUED.get(parted.kind, ()):
        yield f"{short} {rest}", _named(parted, short)


_LETTERS = (("x", "xã"), ("t", "tỉnh"))
# As the normaliser writes them out: "k.phố 3" has a pause in it, and its letter is taken for a word.
_GLUED = {
    "khu phố": ("kphố", "không phố", "không | phố", "không | phường", "không phường"),
    "tổ dân phố": ("tổ dp", "tổ dphố"),
    "khu dân cư": ("khu dc",),
}


def _numbers(rest: str) -> tuple[tuple[str, bool], ...]:
    """A number as people write it: 5, 05, năm, mười hai, 3 a; with whether it is in words. () for a name."""
    words = rest.removeprefix("số ")
    if words in _IN_WORDS:
        words = str(_IN_WORDS[words])
    elif words in _ROMAN[1:]:
        words = str(_ROMAN.index(words) + 1)
    found = _NUMBER.match(words)
    if not found:
        return ()
    plain, letter = found[1].lstrip("0") or found[1], found[2]
    if letter:
        return ((plain + letter, False), (f"{plain} {letter}", False))
    figures = dict.fromkeys((words, plain, f"0{plain}" if len(plain) == 1 else plain))
    romans = _ROMAN[int(plain) - 1 : int(plain)] if 1 < int(plain) != 5 and int(plain) < 10 else ()
    counted = _COUNTS.get(int(plain), ()) if len(plain) < 3 else ()
    return (*((f, False) for f in (*figures, *romans)), *((word, True) for word in counted))


def _numbered(
    parted: _Parted, numbers: tuple[tuple[str, bool], ...], counted: frozenset[str]
) -> Iterator[tuple[str, Named]]:
    if parted.group == STREET:
        heads: tuple[str, ...] = _heads_of_street(parted.kind)
    else:
        taken = {u for u in counted if u in _URBAN or parted.kind in _URBAN} | {parted.kind} | _SELDOM_COUNTED
        heads = (parted.kind, *_GLUED.get(parted.kind, ()), *(u for u in UNITS if u not in taken))
    for head in heads:
        is_own = head not in UNITS or head == parted.kind
        is_soft = head in _ONLY_ACCENTED - {"tổ", "ấp"}
        is_far = not is_own and (head in _RURAL) != (parted.kind in _RURAL)
        named = _named(parted, head, AS_NAMED if is_own else AS_EQUAL, is_number=True)
        plain = named._replace(needs_accents=not is_own and is_soft)
        by_number = named._replace(needs_accents=is_soft)
        in_words = named._replace(is_counted=True, needs_accents=head in _ONLY_ACCENTED - {"ấp"})
        for number, is_counted in numbers[:1] if is_far else numbers:
            yield f"{head} {number}", in_words if is_counted else plain
            if not is_counted:
                yield f"{head} số {number}", by_number
    if parted.group == STREET and parted.kind in _ROADS and (cut := numbers[0][0].rstrip("abc")) != numbers[0][0]:
        yield f"{parted.kind} {cut}", _named(parted, parted.kind, AS_EQUAL, is_number=True)
    if parted.group == STREET and (short := _heads_of_street(parted.kind)[1:2]) and parted.kind in _ROADS:
        yield f"{short[0]}{numbers[0][0]}", _named(parted, short[0], is_number=True, is_own=True)
    yield from _by_letter(parted, [n for n, is_counted in numbers if not is_counted])


def _by_letter(parted: _Parted, numbers: Iterable[str]) -> Iterator[tuple[str, Named]]:
    """x7, x. 7, đ. 6, h47, k.phố 3: one letter for the kind."""
    letter, long = {"xóm": ("x", "xã"), ALLEY: ("h", "huyện"), STREET: ("đ", "đường")}.get(
        parted.kind if parted.group == SETTLEMENT else parted.group, ("", "")
    )
    if not letter or parted.kind in _ROADS or parted.kind in {"ngách", "kiệt"}:
        return
    typed = fold(letter)
    for number in numbers:
        named = _named(parted, letter, is_number=True, is_own=True)
        yield f"{letter} {number}", named
        yield f"{long} {number}", named._replace(typed=typed)
        yield f"{long} số {number}", named._replace(typed=typed)
        if number[0].isdigit():
            yield f"{letter}{number}", named


def _alley(parted: _Parted) -> Iterator[tuple[str, Named]]:
    """Hẻm 9 Nghĩa Sĩ: by its number; the street that follows makes it sure."""
    words = parted.rest.removeprefix("số ").split()
    digits = sum(1 for _ in _leading_numbers(words))
    number, street = " ".join(words[:digits]), " ".join(words[digits:])
    for prefix in ("đường ", "phố "):
        street = street.removeprefix(prefix)
    if not number:
        yield from _headed(parted, (parted.kind,), parted.rest)
        return
    written = [(number, False)] if digits > 1 else list(_numbers(number)) or [(number, False)]
    for head in (parted.kind, *(a for a in _ALLEYS if a != parted.kind)):
        is_own = head == parted.kind
        named = _named(parted, head, AS_NAMED if is_own else AS_EQUAL, is_number=True, street=street)
        for one, is_counted in written if is_own else written[:1]:
            yield f"{head} {one}", named._replace(is_counted=True) if is_counted else named
            if not is_counted:
                yield f"{head} số {one}", named
    for phrase, named in _by_letter(parted, [one for one, is_counted in written[:2] if not is_counted]):
        yield phrase, named._replace(street=street)


def _leading_numbers(words: list[str]) -> Iterator[str]:
    for word in words:
        if not word[0].isdigit():
            return
        yield word


def _school(parted: _Parted) -> Iterator[tuple[str, Named]]:
    for level in _SCHOOLS[parted.kind]:
        for head in (level, f"trường {level}"):
            yield f"{head} {parted.rest}", _named(parted, head, is_own=True)
    if parted.kind == "mầm non":
        yield f"mọi người {parted.rest}", _named(parted, "mọi người", typed="mn", is_own=True)
        yield f"trường mọi người {parted.rest}", _named(parted, "trường mọi người", is_own=True)
    yield f"trường {parted.rest}", _named(parted, "trường", AS_EQUAL, is_own=True)
    yield f"trường học {parted.rest}", _named(parted, "trường học", AS_EQUAL, is_own=True)


def _heads_alone(parted: _Parted, commune: str) -> Iterator[tuple[str, Named]]:
    """The commune's own stadium or health station, named by what it is: "trạm y tế xã", "tyt"."""
    rest = parted.rest
    for word in ("xã", "phường", "thị trấn"):
        rest = rest.removeprefix(word).strip()
    if rest not in ("", _clean(commune)):
        return
    others = _THINGS.get(parted.kind, ()) if parted.kind in _WHOLE_HEADS else ()
    for head in (parted.kind, *others):
        if head in {"y tế", "sân bóng", "sân banh", "hội trường", "nhà vh", "ủy ban", "cv", "cc"}:
            continue
        named = _named(parted, head, AS_EQUAL)
        yield head, named
        for word in ("xã", "phường"):
            yield f"{head} {word}", named
            if commune:
                yield f"{head} {word} {_clean(commune)}", _named(parted, head)
        if commune:
            yield f"{head} {_clean(commune)}", _named(parted, head)


def written_out(rest: str) -> tuple[tuple[str, str], ...]:
    """The words of a phrase, folded and accented, as the normaliser gives them."""
    return tuple((token.word, token.accented) for token in normalise(rest).tokens)
