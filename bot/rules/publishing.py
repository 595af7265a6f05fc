"""Publishing a result: which reports may ever stand on the public list, how near a place may be named, which words not.

Silence is no consent (Law 91/2025, domain §12 L3), so only who said yes is published; what names or finds a person,
never. The words are an official's, not the citizen's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from bot.rules.lifecycle import NotAllowed
from bot.rules.place_list import is_settlement
from nlp.normalise import fold
from storage.enums import TicketState

SETTING = "public_list"  # of the commune: whether there is a public list; usual: no
SHORTEST, LONGEST_SUMMARY, LONGEST_RESULT = 15, 300, 1_500
# What accuses, reports a crime or speaks of a person's needs is nobody's list.
NEVER = frozenset({
    "thai-do-can-bo", "to-cao-tham-nhung", "khieu-nai", "an-ninh-trat-tu", "an-sinh-xa-hoi", "cu-tru-can-cuoc", "y-te",
})  # fmt: skip
# Between neighbours a street tells who complained of whom.
VILLAGE_AT_MOST = frozenset({"tieng-on", "vat-nuoi", "o-nhiem", "dat-dai", "trat-tu-xay-dung", "an-toan-thuc-pham"})
ENDED = (TicketState.ANSWERED, TicketState.CLOSED)
_STREETS = frozenset({"duong", "pho", "duong pho", "tuyen duong", "duong lien thon", "quoc lo", "tinh lo"})
# Folded words that lead to a door, or name somebody by what they are called at home.
_TOO_NEAR = re.compile(
    r"\b(?:so nha|nha so|can ho so|phong so) ?\S+|\bnha (?:ong|ba|anh|chi|co|chu|bac|em|thay|cu) \w+"
    r"|\b(?:ho|gia dinh) (?:ong|ba|anh|chi|co|chu|bac) \w+|\bso \d+[a-z]?(?:/\d+)* (?:duong|pho|ngo|hem|ngach|kiet)\b"
    r"|\b(?:ngo|hem|ngach|kiet) \d+[a-z]?(?:/\d+)+|-?\d{1,3}\.\d{4,}"
)
_CHILDREN = re.compile(r"\b(?:chau be|be (?:trai|gai)|tre em|hoc sinh) (?:ten|\d+ tuoi)")


@dataclass(frozen=True)
class Standing:
    """What decides whether a report may be published at all."""

    state: TicketState
    topic: str | None
    is_sealed: bool
    is_restricted: bool
    is_spam: bool
    was_sealed: bool
    was_erased: bool
    is_joined: bool


def check_standing(standing: Standing) -> None:
    """NotAllowed where such a report never stands on the list."""
    if standing.is_sealed or standing.was_sealed or standing.is_restricted or standing.topic in NEVER:
        raise NotAllowed(
            "never_public", "Phản ánh thuộc lĩnh vực hạn chế, hoặc đã từng niêm phong, không được công khai."
        )
    if standing.is_spam or standing.was_erased or standing.topic is None:
        raise NotAllowed(
            "not_public", "Phản ánh chưa rõ lĩnh vực, là tin rác hoặc đã xóa dữ liệu nên không công khai được."
        )
    if standing.is_joined:
        raise NotAllowed("joined", "Phản ánh đã ghép. Anh/Chị công khai ở phản ánh chính của vụ việc.")
    if standing.state not in ENDED:
        raise NotAllowed("not_over", "Chỉ công khai được phản ánh đã có kết quả.")


def may_be_named(kind: str, topic: str | None) -> bool:
    """Whether a place of this kind may be named with such a topic: a village; a street where it tells of nobody."""
    return is_settlement(kind) or (topic not in VILLAGE_AT_MOST and fold(kind) in _STREETS)


def check_words(summary: str, result: str, said: Iterable[str]) -> None:
    """NotAllowed where the words are too few, too many, or the citizen's own (`said`)."""
    for name, words, longest in (("summary", summary, LONGEST_SUMMARY), ("result", result, LONGEST_RESULT)):
        if not SHORTEST <= len(words) <= longest:
            raise NotAllowed(
                f"{name}_length",
                "Tóm tắt từ %(least)s đến %(summary)s ký tự, kết quả từ %(least)s đến %(result)s ký tự.",
                least=SHORTEST,
                summary=LONGEST_SUMMARY,
                result=LONGEST_RESULT,
            )
    folded = _bare(summary)
    if any(folded == _bare(one) for one in said if one.strip()):
        raise NotAllowed("own_words", "Tóm tắt đang chép nguyên lời người dân. Anh/Chị viết lại bằng lời của cơ quan.")


def too_near(text: str) -> list[str]:
    """The words that lead to a house or to somebody, as they stand in the text."""
    composed = unicodedata.normalize("NFC", text)
    folded = fold(composed)
    if len(folded) != len(composed):  # what does not fold letter by letter is shown whole
        return [composed] if _TOO_NEAR.search(folded) or _CHILDREN.search(folded) else []
    found = [*_TOO_NEAR.finditer(folded), *_CHILDREN.finditer(folded)]
    return [composed[one.start() : one.end()] for one in sorted(found, key=lambda match: match.start())]


def _bare(words: str) -> str:
    return " ".join(re.findall(r"\w+", fold(words)))
