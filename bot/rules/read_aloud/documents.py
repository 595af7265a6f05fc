"""Numbers of documents: "Nghị định số 49/2024/NĐ-CP" has a number, a year, a kind and who issued it."""

from __future__ import annotations

import re

from bot.rules.read_aloud import numbers
from bot.rules.read_aloud.letters import spelt
from bot.rules.read_aloud.scanner import Around, Rule, Said, Token
from bot.rules.read_aloud.wordlist import meaning

_YEAR = r"(?:19|20)\d\d"
_PART = r"[A-ZĐÂƯ][A-Za-zĐđ&]{0,9}\d{0,2}"
_NUMBER = re.compile(
    rf"(?P<s>[Ss]ố\s?:?\s)?(?P<n>\d{{1,6}})(?P<x>[a-zA-Z]?)(?:/(?P<y>{_YEAR}))?[/-](?P<c>{_PART}(?:[-/.]{_PART}){{0,4}})(?!\w|[/-]\w)"
)
_YEAR_ONLY = re.compile(rf"(?P<s>[Ss]ố\s?:?\s)?(?P<n>\d{{1,6}})/(?P<y>{_YEAR})(?![\w/-])")
_KINDS = (
    "nghị định", "thông tư", "thông tư liên tịch", "quyết định", "chỉ thị", "nghị quyết", "kế hoạch", "thông báo",
    "công văn", "luật", "pháp lệnh", "công điện", "tờ trình", "hướng dẫn", "báo cáo", "giấy mời", "văn bản", "kết luận",
    "quy định", "nđ", "qđ", "nq", "kh", "tt", "cv", "tb", "ct", "thư mời", "đề án", "lệnh", "công ước",
)  # fmt: skip
_ISSUED = re.compile(r"\s(?:,?\s?ngày\s[\d/.\-]{3,10}(?:\stháng\s\d{1,2}\snăm\s\d{4})?\s)?của\s")
_PARLIAMENT = re.compile(r"QH(\d{1,2})")


def _number(match: re.Match[str], around: Around) -> Said:
    code = match["c"]
    parts = re.split(r"[-/.]", code)
    kind = meaning(parts[0], "doc") if (parts[0], "doc") in _doc_kinds() else ""
    is_named = around.follows(*_KINDS)
    is_known = bool(match["s"]) and bool(meaning(code))
    if not (kind or is_named or match["y"] or is_known or _PARLIAMENT.fullmatch(parts[-1])):
        return None
    issuers = parts[1:] if kind else parts
    tokens = [*_start(match), *([Token(spelt(match["x"]))] if match["x"] else [])]
    year = match["y"]
    if year:
        tokens += [Token(","), Token(f"năm {numbers.integer(year)}"), Token(",")]
    if is_named and _ISSUED.match(around.after):
        return tokens
    ending = [_issuer(part) for part in issuers]
    first = Token("của" if ending else "") if is_named else Token(kind)
    return [*tokens, Token(","), first, *ending, Token(",")]


def _start(match: re.Match[str]) -> list[Token]:
    number = match["n"]
    words = numbers.by_digit(number) if number.startswith("0") else numbers.integer(number)
    return [Token("số"), Token(words)]


def _issuer(part: str) -> Token:
    if parliament := _PARLIAMENT.fullmatch(part):
        return Token(f"Quốc hội khóa {numbers.integer(parliament[1])}")
    known = meaning(part, "doc")
    return Token(known) if known else Token(spelt(part), unsure=part)


def _doc_kinds() -> frozenset[tuple[str, str]]:
    return frozenset(
        (kind, "doc")
        for kind in (
            "NĐ",
            "TT",
            "CT",
            "QĐ",
            "NQ",
            "KH",
            "TB",
            "CV",
            "BC",
            "HD",
            "CĐ",
            "GM",
            "TTr",
            "VBHN",
            "TTLT",
            "KL",
            "QC",
        )
    )


def _year_only(match: re.Match[str], around: Around) -> Said:
    if not (around.follows(*_KINDS) or match["s"]):
        return None
    return [*_start(match), Token(","), Token(f"năm {numbers.integer(match['y'])}"), Token(",")]


DOCUMENTS = (Rule(_NUMBER, _number, "dl"), Rule(_YEAR_ONLY, _year_only, "dl"))
