"""Times of day and runs of them: 7h30, 7g30, 07:30, 7h-11h30, 14 giờ 5; and days of the week written short."""

from __future__ import annotations

import re

from bot.rules.read_aloud import numbers
from bot.rules.read_aloud.scanner import Around, Rule, Said, Token

_HOUR, _MINUTE = r"(?:[01]?\d|2[0-4])", r"[0-5]?\d"
_REST = r"(?:\s?(?:sáng|trưa|chiều|tối|đêm|ngày|hôm|thứ|đến|tại|các|và|đối|với|cùng|-|–|T[2-7]|CN)|[^\w\s]|\s?$)"
_CLOCK = (
    rf"(?:{_HOUR}\s?[hHgG]\s?(?:{_MINUTE}(?!\w|[.,]\d|\s?/|-\d{{1,2}}/)|{_MINUTE}\s?(?:'|’|ph(?:út)?|p)(?!\w))?(?!\w)"
    rf"|{_HOUR}:[0-5]\d(?:\s?(?:h|giờ|AM|am))?(?![\w:])"
    rf"|{_HOUR}\s?giờ\s{_MINUTE}\s?(?:phút|ph|'|p)(?!\w)"
    rf"|{_HOUR}\s?giờ\s{_MINUTE}(?={_REST})"
    rf"|{_HOUR}\s?giờ(?!\w))"
)
_DASH = r"\s?(?:-|–|—|->|→)\s?"
_RUN = re.compile(rf"(?:từ\s)?(?P<a>{_CLOCK}){_DASH}(?P<b>{_CLOCK})", re.IGNORECASE)
_BARE_RUN = re.compile(rf"(?:từ\s)?(?P<a>{_HOUR}){_DASH}(?P<b>{_CLOCK})(?!\s?/)", re.IGNORECASE)
_TIME = re.compile(_CLOCK)
_ROUND_THE_CLOCK = re.compile(r"24h?/(?:24|7)(?:\s?(?:h|giờ))?(?!\w)", re.IGNORECASE)
# "20g" may be twenty grams: a time needs a neighbour that speaks of time.
_SURELY = re.compile(
    r"(?<!\w)(?:lúc|từ|đến|tới|vào|trước|sau|khoảng|hồi|sáng|trưa|chiều|tối|đêm|:|-|–|\(|,|và|giờ)\s*$|^$"
)
_GRAMS = re.compile(r"\d\s?[gG]$")


def _said_time(written: str) -> str:
    hour, minute = [*re.findall(r"\d+", written), "0"][:2]
    tail = f" {numbers.integer(minute)} phút" if int(minute) else ""
    return f"{numbers.integer(hour)} giờ{tail}"


def _time(match: re.Match[str], around: Around) -> Said:
    if _GRAMS.search(match[0]) and not (
        _SURELY.search(around.before) or around.leads("sáng", "trưa", "chiều", "tối", "đêm", "ngày", "hôm")
    ):
        return None
    return Token(_said_time(match[0]), is_time=True)


def _run(match: re.Match[str], around: Around) -> Said:
    return _from_to(around, _said_time(match["a"]), _said_time(match["b"]))


def _bare_run(match: re.Match[str], around: Around) -> Said:
    if _GRAMS.search(match["b"]) and not around.follows("từ", "lúc"):
        return None
    return _from_to(around, numbers.integer(match["a"]), _said_time(match["b"]))


def _from_to(around: Around, first: str, last: str) -> Token:
    start = "" if around.follows("từ", "lúc", "hồi", "vào lúc") else "từ "
    return Token(f"{start}{first} đến {last}", is_time=True)


def _round_the_clock(match: re.Match[str], _: Around) -> Said:
    last = "bảy" if "/7" in match[0] else "hai mươi tư giờ" if match[0][-1] in "hHờỜ" else "hai mươi tư"
    return f"hai mươi tư trên {last}"


# ---- days of the week ----------------------------------------------------------------------------------------------

_WEEKDAY = r"(?:thứ\s(?:[2-7]|hai|ba|tư|năm|sáu|bảy)|T[2-7]|CN|chủ nhật)"
_WEEKDAYS_RUN = re.compile(rf"(?P<a>{_WEEKDAY}){_DASH}(?P<b>{_WEEKDAY})(?!\w)", re.IGNORECASE)
_SHORT_DAY = re.compile(r"T(?P<n>[2-9]|1[0-2]?)(?![\w/.]\w|\w)")
_NAMED = ("trạm", "biến áp", "máy", "máy biến áp", "cột", "lô", "tòa", "nhà", "đường", "tuyến", "khối", "cổng", "mẫu")


def _weekday(written: str) -> str:
    if written.upper() in {"CN", "CHỦ NHẬT"}:
        return "Chủ nhật"
    digit = re.search(r"\d", written)
    return f"thứ {numbers.ordinal(digit[0])}" if digit else written


def _weekdays_run(match: re.Match[str], _: Around) -> Said:
    return Token(f"{_weekday(match['a'])} đến {_weekday(match['b'])}", is_time=True)


def _short_day(match: re.Match[str], around: Around) -> Said:
    if around.follows(*_NAMED):
        return None
    number = match["n"]
    if len(number) == 1 and number in "234567":
        return Token(_weekday(match[0]), is_time=True)
    return Token(f"tháng {numbers.month(number)}", is_time=True)


TIMES = (
    Rule(_ROUND_THE_CLOCK, _round_the_clock, "d"),
    Rule(_RUN, _run, "dl"),
    Rule(_BARE_RUN, _bare_run, "dl"),
    Rule(_TIME, _time, "d"),
    Rule(_WEEKDAYS_RUN, _weekdays_run, "l"),
    Rule(_SHORT_DAY, _short_day, "l"),
)
