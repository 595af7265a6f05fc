"""Revealing: for what an official may have masked personal data shown, and what must be said about it."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from bot.rules.lifecycle import NotAllowed

LONGEST_WORDS = 200
SHORTEST_WORDS = 5


class Why(StrEnum):
    """What the official needs a citizen's personal data for; the first four while handling, the others on request."""

    CALL = "goi_lai"
    SITE = "den_hien_truong"
    IDENTITY = "xac_minh"
    OTHER = "viec_khac"
    CITIZEN = "nguoi_dan_yeu_cau"
    AUTHORITY = "co_quan_yeu_cau"


TO_REVEAL = (Why.CALL, Why.SITE, Why.IDENTITY, Why.OTHER)
TO_EXPORT = (Why.CITIZEN, Why.AUTHORITY, Why.OTHER)


def reason_given(why: str, words: str, among: Collection[Why] = TO_REVEAL) -> tuple[Why, str]:
    """The reason as it is written down; NotAllowed says what is missing."""
    words = " ".join(words.split())
    chosen = next((one for one in among if one.value == why), None)
    if chosen is None:
        raise NotAllowed("needs_why", "Cần chọn lý do xem dữ liệu cá nhân.")
    if len(words) > LONGEST_WORDS or (chosen is Why.OTHER and len(words) < SHORTEST_WORDS):
        raise NotAllowed(
            "needs_words",
            "Với “Việc khác”, cần ghi rõ là việc gì, từ %(least)s đến %(most)s ký tự.",
            least=SHORTEST_WORDS,
            most=LONGEST_WORDS,
        )
    return chosen, words
