"""Signs between words: pauses, asides, enumerations, "/" and the few signs that are words."""

from __future__ import annotations

import re

from bot.rules.read_aloud import numbers
from bot.rules.read_aloud.letters import spelt
from bot.rules.read_aloud.scanner import Around, Rule, Said, Token
from bot.rules.read_aloud.wordlist import meaning

# Two that are named in one breath: "ông/bà" is ông bà.
_PAIRS = frozenset(
    {("ông", "bà"), ("anh", "chị"), ("cô", "chú"), ("cha", "mẹ"), ("bố", "mẹ"), ("thầy", "cô"), ("và", "hoặc"),
     ("con", "em"), ("cô", "bác"), ("chú", "bác")}
)  # fmt: skip
_WORDS = {
    "&": "và", "=": "bằng", "%": "phần trăm", "‰": "phần nghìn", "@": "a còng", "№": "số", "°C": "độ xê", "°": "độ",
    "$": "đô la", "§": "mục",
}  # fmt: skip

_NUMBERED = re.compile(r"(?:(?P<n>\d{1,2})|(?P<l>[a-eghikđA-D])|(?P<r>[IVX]{1,5}))\s?[.)/]\s")
_NUMBERED_INSIDE = re.compile(r"(?:(?P<n>\d{1,2})|(?P<l>[a-eghikđ]))\)\s?")
_AGAIN = re.compile(r"\(\s?(?P<w>[^()\d]{2,80}?)\s?\)")
_END = re.compile(r"\./\.?|(?<=\s)/\.")
_DOTS = re.compile(r"\.{2,}|…+")
_HASHTAG = re.compile(r"#\w+")
_PAUSE = re.compile(r"[.,:;!?]")
_ASIDE = re.compile(r"[()\[\]{}]")
_DASH = re.compile(r"[-–—−→]+>?")
_SLASH = re.compile(r"[/|\\]")
_HOUR_BEFORE = re.compile(r"\d\s?(?:h|g|giờ|:\d\d)\d{0,2}\s(?:sáng|trưa|chiều|tối|đêm)(?:\shôm nay|\snay)?\s?$")
_HOUR_BEHIND = re.compile(r"\s?\d{1,2}(?:h|g|:\d|\sgiờ)")
_SEVERAL = re.compile(r"\s?[\d.]+\s(?:khẩu|người|hộ|nhân khẩu|đảng viên|lao động|học sinh)(?!\w)")
_PLUS = re.compile(r"\+")
_SIGN = re.compile("|".join(map(re.escape, sorted(_WORDS, key=len, reverse=True))))


def _numbered(match: re.Match[str], around: Around) -> Said:
    return _place(match, match["r"]) if around.start == 0 else None


def _numbered_inside(match: re.Match[str], around: Around) -> Said:
    is_between = re.search(r"[:;,.]\s*$|^$", around.before) and around.before.count("(") <= around.before.count(")")
    return _place(match, None) if is_between else None


def _place(match: re.Match[str], letters: str | None) -> Said:
    if letters and not numbers.roman(letters):
        return None
    digits = match["n"] or (str(numbers.roman(letters)) if letters else "")
    return [Token(numbers.integer(digits) if digits else spelt(match["l"])), Token(",")]


def _again(match: re.Match[str], around: Around) -> Said:
    """What is said twice, as "Ủy ban nhân dân (UBND)" and "03 (ba) ngày" are: once is enough."""
    known = (meaning(match["w"]) or match["w"]).lower()
    told = " ".join(token.text for token in around.said[-12:]).lower()
    return [] if f" {told}".endswith(f" {known}") else None


def _dots(_: re.Match[str], around: Around) -> Said:
    return Token("." if re.match(r"\s*(?:$|[A-ZĐ])", around.after) else ",")


def _end(_: re.Match[str], __: Around) -> Said:
    return Token(".")


def _hashtag(match: re.Match[str], _: Around) -> Said:
    return None if match[0][1:].isdecimal() else []


def _pause(match: re.Match[str], _: Around) -> Said:
    return Token(match[0])


def _aside(_: re.Match[str], __: Around) -> Said:
    return Token(",")


def _dash(_: re.Match[str], around: Around) -> Said:
    if around.leads("đến"):
        return []
    if _HOUR_BEFORE.search(around.before) and _HOUR_BEHIND.match(around.after):
        return "đến"
    apart = around.before[-1:].isspace() or around.after[:1].isspace()
    return Token(",") if apart else []


def _slash(_: re.Match[str], around: Around) -> Said:
    left = re.search(r"(\w+)\s?$", around.before)
    right = re.match(r"\s?(\w+)", around.after)
    if not left or not right:
        return []
    if (left[1], right[1].lower()) in _PAIRS or (len(left[1]) == 1 and left[1].isalpha()):
        return []
    if _SEVERAL.match(around.after):
        return Token(",")
    is_rate = right[1][0].isdecimal() and not right[1].startswith("0") and re.search(r"\d", around.before[-25:])
    return "trên" if is_rate else "hoặc"


def _plus(_: re.Match[str], around: Around) -> Said:
    if around.before[-1:].isalnum() and not re.match(r"\s?\w", around.after):
        return "trở lên"
    return "cộng" if around.before.strip() and around.after.strip() else []


def _sign(match: re.Match[str], _: Around) -> Said:
    return _WORDS[match[0]]


FIRST = (Rule(_NUMBERED, _numbered, "dl"), Rule(_NUMBERED_INSIDE, _numbered_inside, "dl"), Rule(_AGAIN, _again, "s"))
SIGNS = (
    Rule(_END, _end, "s"),
    Rule(_DOTS, _dots, "s"),
    Rule(_HASHTAG, _hashtag, "s"),
    Rule(_PAUSE, _pause, "s"),
    Rule(_ASIDE, _aside, "s"),
    Rule(_DASH, _dash, "s"),
    Rule(_SLASH, _slash, "s"),
    Rule(_PLUS, _plus, "s"),
    Rule(_SIGN, _sign, "s"),
)
