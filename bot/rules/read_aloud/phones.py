"""Telephone numbers and other long rows of digits, digit by digit in the groups people say them in."""

from __future__ import annotations

import re

from bot.rules.read_aloud import numbers
from bot.rules.read_aloud.scanner import Around, Rule, Said, Token

_SUBSCRIBER = re.compile(
    r"(?:\(\s?0\d{1,4}\s?\)|(?:\+84|0084)[ .-]{0,2}(?:\(0\)\s?)?[1-9]|0\d{1,3})(?: ?[–-] ?)?(?:[ .-]?\d){6,9}"
    r"(?!\d|[.,]\d|/(?!0)\d)"
)
_HOTLINE = re.compile(r"1[89]00(?:[ .-]?\d){4,6}(?!\d|[.,/]\d)")
_AREA_AND_SHORT = re.compile(r"0\d{2,3}[ .-]\d{3,5}(?!\d|[.,/]\d)")
_PLACEHOLDER = re.compile(r"(?:1[89]00|0\d{2,3})[ .-]?[xX*]{2,8}(?:[ .-]?[xX*]{2,4})?(?![\w*])")
_SHORT = re.compile(r"\d{3,6}(?!\w|[.,/:-]\d|\s?[%°])")
_LONG = re.compile(r"\d{10,40}(?!\d|[.,]\d)")
_ACCOUNT = re.compile(r"\d{6,9}(?!\d|[.,]\d)")
_ZEROS = re.compile(r"0\d{2,12}(?!\d|[.,]\d)")
# Numbers everybody knows, said by digit where telephones are spoken of at all.
_KNOWN = frozenset({"111", "112", "113", "114", "115", "119", "1022", "1080", "1088", "156", "5656"})
_CALLING = re.compile(
    r"(?<!\w)(?:gọi|số|tổng đài|đường dây|hotline|liên hệ|lh|điện thoại|đt|sđt|báo|nhắn|qua|cấp cứu|cứu hỏa"
    r"|cảnh sát|công an|máy)(?!\w)"
)
_SENDING = re.compile(r"(?<!\w)(?:gửi|nhắn|soạn)(?!\w)[^.;]{0,40}\s(?:đến|tới|gửi)\s(?:số\s|đầu số\s)?$")
_NAMED = (
    "tổng đài", "hotline", "đường dây nóng", "gọi", "gọi số", "gọi ngay", "gọi ngay số", "số máy", "số điện thoại",
    "điện thoại", "sđt", "đt", "đầu số", "số cuối", "đuôi", "nhắn tin tới", "tổng đài số",
)  # fmt: skip
_ACCOUNTS = (
    "tài khoản", "tài khoản số", "số tài khoản", "stk", "tk", "cccd", "căn cước", "mã số thuế", "mst", "cmnd", "mã số",
    "mã", "mã hồ sơ",
)  # fmt: skip
_COUNTED = ("hộ", "người", "ca", "em", "cháu", "con", "cái", "suất", "lần", "lượt", "ngày", "tháng", "đồng", "học sinh")


def _subscriber(match: re.Match[str], _: Around) -> Said:
    written = re.sub(r"^(?:\+84|0084)[ .-]{0,2}(?:\(0\)\s?)?", "0", match[0])
    groups = re.findall(r"\d+", written)
    if not 6 <= sum(map(len, groups)) <= 12:
        return None
    if written.startswith("0") and len(groups[0]) == 1 and len(groups) > 1:
        groups[:2] = [groups[0] + groups[1]]
    return in_groups(groups)


def _hotline(match: re.Match[str], _: Around) -> Said:
    return in_groups([match[0][:4], *re.findall(r"\d+", match[0][4:])])


def _placeholder(match: re.Match[str], _: Around) -> Said:
    digits = re.match(r"\d+", match[0])
    crosses = sum(sign in "xX*" for sign in match[0])
    first = numbers.by_digit(digits[0]) if digits else ""
    return [Token(first), Token(","), Token(" ".join(["ích-xì"] * crosses), unsure=match[0])]


def _short(match: re.Match[str], around: Around) -> Said:
    if around.leads(*_COUNTED):
        return None
    known = match[0] in _KNOWN and _CALLING.search(around.before) is not None
    is_sent_to = _SENDING.search(around.before) is not None
    return numbers.by_digit(match[0]) if known or is_sent_to or around.follows(*_NAMED) else None


def _long(match: re.Match[str], _: Around) -> Said:
    return in_groups([match[0]])


def _account(match: re.Match[str], around: Around) -> Said:
    return in_groups([match[0]]) if around.follows(*_ACCOUNTS) else None


def in_groups(groups: list[str]) -> list[Token]:
    """Groups of digits with a pause between them; long ones are parted as people do."""
    parted = [part for group in groups for part in _parted(group)]
    return [token for part in parted for token in (Token(","), Token(numbers.by_digit(part)))][1:]


def _parted(group: str) -> list[str]:
    """Ten digits as 4-3-3, eleven as 4-4-3, seven as 4-3, others by threes with no lonely digit at the end."""
    if len(group) <= 4:
        return [group]
    known = {5: (3, 2), 7: (4, 3), 8: (4, 4), 10: (4, 3, 3), 11: (4, 4, 3)}.get(len(group))
    sizes = known or _by_threes(len(group))
    ends = [sum(sizes[: place + 1]) for place in range(len(sizes))]
    return [group[end - size : end] for size, end in zip(sizes, ends, strict=True)]


def _by_threes(length: int) -> tuple[int, ...]:
    threes, rest = divmod(length, 3)
    fours = min(rest, threes)
    return (3,) * (threes - fours) + (4,) * fours


PHONES = (
    Rule(_PLACEHOLDER, _placeholder, "d"),
    Rule(_SUBSCRIBER, _subscriber, "ds"),
    Rule(_HOTLINE, _hotline, "d"),
    Rule(_AREA_AND_SHORT, _subscriber, "d"),
    Rule(_LONG, _long, "d"),
    Rule(_ACCOUNT, _account, "d"),
    Rule(_ZEROS, _long, "d"),
    Rule(_SHORT, _short, "d"),
)
