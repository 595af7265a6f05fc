"""Checks of an answer before it leaves: what a citizen would hold against us; an official may overrule them.

Pure: folded words in, concerns out. They never refuse by themselves; who reads them and still means it, sends.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from nlp.normalise import fold
from nlp.personal_data import HIDDEN_KINDS, find_personal_data


class Concern(StrEnum):
    """What may be wrong with an answer.

    `OTHERS_DATA`: a number, plate or address that neither the citizen nor the commune has given. `NO_NEXT_STEP`: it
    neither settles the matter nor says what happens now. `NO_DATE`: something is promised without a day. `EMPTY`: it
    promises to look into it and says nothing else. `BLANK`: a place in a text that was to be filled in.
    """

    OTHERS_DATA = "others_data"
    NO_NEXT_STEP = "no_next_step"
    NO_DATE = "no_date"
    EMPTY = "empty"
    BLANK = "blank"


@dataclass(frozen=True)
class Draft:
    """An answer before it leaves. `known`: numbers that may stand in it (the citizen's own, the commune's)."""

    text: str
    is_result: bool = False
    known: Collection[str] = ()


GRAVE = frozenset({Concern.OTHERS_DATA, Concern.EMPTY})  # asked about before it leaves; the others are told only

# Folded, so that it does not matter how somebody writes; whole words only.
_DONE = re.compile(r"\bda (?!(?:tiep|ghi|duoc|nhan|biet)\b)[a-z]+")
_WILL = re.compile(r"\b(?:se|du kien|dang|sap|chuan bi|bat dau)\b")
_DAY = re.compile(
    r"""\b(?:
    \d{1,2}\s?[/.-]\s?\d{1,2} | ngay\s\d{1,2} | \d{1,2}\s?(?:gio|h)
    | (?:hom|sang|chieu|toi|trua|tuan|thang)\snay | (?:ngay|sang|chieu|toi|trua)\smai | ngay\skia
    | (?:tuan|thang)\s(?:sau|toi) | cuoi\s(?:tuan|thang)
    | thu\s(?:hai|ba|tu|nam|sau|bay|[2-7]) | chu\snhat
    | (?:trong|sau|truoc)\s(?:vong\s)?(?:\d{1,3}|mot|hai|ba|bon|nam|bay|muoi)\s(?:phut|gio|tieng|ngay|tuan|thang)
    )\b""",
    re.VERBOSE,
)
_ASKS = re.compile(
    r"""\? | \b(?:lien\she | goi\s(?:so|ve|toi) | den\sgap | nop\s(?:tai|o) | hoi\s(?:tai|o) | tra\scuu | nhan\stin
    | (?:xin|vui\slong|nho|de\snghi|mong|moi)\s(?:ong|ba|anh|chi|bac|co|chu|quy)\b)""",
    re.VERBOSE,
)
_WORD = re.compile(r"\w+")
# An answer of such words only says that it has been read.
_COURTESIES = frozenset(
    _WORD.findall(
        """a vang da duoc xin cam on chao kinh gui ong ba anh chi bac co chu quy vi ubnd uy ban nhan dan xa phuong chung
    toi dia co quan don vi tiep nhan ghi phan anh y kien thong tin cua nay va se xem xet kiem tra chuyen bo mon lien
    xu ly giai quyet theo quy dinh trong thoi gian som nhat toi can noi dung tren tam gop cac phong ban nganh chuc nang
    de den biet chan thanh tran trong"""
    )
)
_OF_PEOPLE = HIDDEN_KINDS - {"bank_account"}  # funds and offices have accounts, too
_PROMISES = re.compile(r"\bse\b|\bxem xet\b|\bghi nhan\b|\btheo quy dinh\b")
_SETTLED = re.compile(r"\bda (?:duoc )?(?:xem xet va )?(?:xu ly|giai quyet|kiem tra|chuyen)\b")
_FIELD = re.compile(r"\{[^{}\n]{0,40}\}|\[[^\[\]\n]{2,40}\]|\.{5,}|_{3,}|…{2,}")
SHORTEST = 6  # words: below that it is a courtesy, not an answer


def concerns(draft: Draft) -> list[Concern]:
    """What the citizen would hold against this answer, the gravest first; nothing for what is fit to leave."""
    words = " ".join(fold(draft.text).split())
    found: list[Concern] = []
    if _strangers(draft.text, draft.known):
        found.append(Concern.OTHERS_DATA)
    if _FIELD.search(draft.text):
        found.append(Concern.BLANK)
    said = _WORD.findall(words)
    is_long = len(said) >= SHORTEST
    if is_long and _PROMISES.search(words) and not _SETTLED.search(words) and _COURTESIES.issuperset(said):
        return [*found, Concern.EMPTY]
    is_done, is_coming, has_day = _DONE.search(words), _WILL.search(words), _DAY.search(words)
    if is_coming and not has_day:
        found.append(Concern.NO_DATE)
    settles = is_done or is_coming
    if not settles and (draft.is_result or (is_long and not (has_day or _ASKS.search(words)))):
        found.append(Concern.NO_NEXT_STEP)
    return found


def _strangers(text: str, known: Iterable[str]) -> bool:
    """Whether a number or address stands there that nobody has given us to say."""
    ours = {_bare(one) for one in known if one}
    return any(
        not _is_public(said := _bare(text[span.start : span.end])) and said not in ours
        for span in find_personal_data(text)
        if span.kind in _OF_PEOPLE
    )


def _is_public(value: str) -> bool:
    """Whether it is an office's: a telephone with an area code, or mail of the administration."""
    return (value.startswith("02") and value.isdecimal()) or value.endswith(".gov.vn")


def _bare(value: str) -> str:
    """Digits of a telephone number without its country, letters in small."""
    bare = re.sub(r"[\s.()+-]", "", value).casefold()
    return "0" + bare[2:] if bare.startswith("84") and bare.isdecimal() and len(bare) in {11, 12} else bare
