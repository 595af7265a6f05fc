"""Blanks: the places of an answer's template that are filled in, and those that stay open until an official does.

A template names what the ticket knows as `{han}`, and what only a person knows in brackets, `[ngày sửa xong]`. In the
answer whatever is still open stands in braces, `{ngày sửa xong}`: such an answer is not sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# What a ticket or its commune knows, by the names that citizens' texts use, with what an open place is called. It goes
# into the answer, so it is not translated.
VARIABLES: Mapping[str, str] = {
    "ma": "mã phản ánh",
    "linhvuc": "lĩnh vực",
    "diadiem": "địa điểm",
    "donvi": "đơn vị xử lý",
    "nguoi": "người phụ trách",
    "dt": "số điện thoại đơn vị",
    "han": "hạn trả lời",
    "ngay": "ngày hôm nay",
    "xa": "tên địa phương",
    "gio": "giờ làm việc",
    "noitiep": "nơi tiếp công dân",
    "sdttruc": "số trực",
}
BLANK_AT_MOST = 38
_NAMED = re.compile(r"\{([^{}\n]*)\}")
_ASKED = re.compile(rf"\[([^\[\]\n{{}}]{{1,{BLANK_AT_MOST}}})\]")
_BRACES = re.compile(r"[{}]")


class BracesDoNotMatch(ValueError):
    """A brace opens or closes nothing."""


def names_in(words: str) -> list[str]:
    """What a template names, in its order; raises BracesDoNotMatch."""
    if _BRACES.search(_NAMED.sub("", words)):
        raise BracesDoNotMatch
    return [match[1] for match in _NAMED.finditer(words)]


def fill(words: str, known: Mapping[str, str]) -> str:
    """The template with what is known; what is empty or a person's to say stays open, in braces."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        # What is put in may hold braces itself; those of a place that somebody described are no blanks.
        found = _BRACES.sub("", " ".join(known.get(name, "").split()))
        return found or "{" + VARIABLES.get(name, name) + "}"

    pieces: list[str] = []
    since = 0
    for match in re.finditer(f"{_NAMED.pattern}|{_ASKED.pattern}", words):
        pieces += words[since : match.start()], (value(match) if match[1] is not None else "{" + match[2] + "}")
        since = match.end()
    return "".join((*pieces, words[since:]))


def added_to(typed: str, words: str) -> str:
    """What stands in the field afterwards: what was typed is not lost, and the same is not put in twice."""
    typed = typed.replace("\r\n", "\n").rstrip()
    if not typed.strip():
        return words
    return typed if typed.endswith(words) else f"{typed}\n\n{words}"
