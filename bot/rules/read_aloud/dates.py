"""Dates: days of a month with mùng up to the tenth, runs and lists of days, months and years."""

from __future__ import annotations

import re

from bot.rules.read_aloud import numbers
from bot.rules.read_aloud.scanner import Around, Rule, Said, Token

_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:1[0-2]|0?[1-9])", r"(?:1[89]|2[01])\d\d"
_SHORT = rf"{_DAY}/{_MONTH}(?:/(?:{_YEAR}|\d\d))?(?![\d/]|[.,]\d)"
_FULL = rf"{_DAY}(?P<s>[/.-]){_MONTH}(?P=s){_YEAR}(?!\d)"
_DASH = r"\s?(?:-|–|—|đến|->|→)\s?"
_PREFIX = r"(?:(?:(?:vào|trong|từ)\s)?(?:(?:các|những)\s)?ngày\s|từ\s)?"
_OF_DAYS = r"(?:ngày|đêm|sáng|trưa|chiều|tối|hôm)"

_RUN = re.compile(rf"{_PREFIX}(?P<a>{_SHORT})\s?(?:-|–|—|->|→)\s?(?:ngày\s)?(?P<b>{_SHORT})", re.IGNORECASE)
_DAYS_RUN = re.compile(
    rf"{_PREFIX}(?P<a>{_DAY})\s?(?:-|–|—)\s?(?P<b>{_DAY}(?:/{_MONTH}(?:/{_YEAR})?|\stháng\s{_MONTH}(?:\snăm\s{_YEAR})?))(?![\d/])",
    re.IGNORECASE,
)
_LIST = re.compile(
    rf"(?P<days>{_DAY}(?:,\s?{_DAY})*(?:\s?(?:,|và|&|hoặc)\s{_DAY}))(?:/(?P<m>{_MONTH})(?:/(?P<y>{_YEAR}))?)?(?![\d/]|[.,]\d)"
)
_FULL_DATE = re.compile(_FULL)
_ISO = re.compile(rf"(?P<y>{_YEAR})-(?P<m>{_MONTH})-(?P<d>{_DAY})(?!\d)")
_DATE = re.compile(_SHORT)
_DOTTED_DATE = re.compile(rf"(?P<d>{_DAY})[.-](?P<m>{_MONTH})(?![\d/]|[.,-]\d|\s?%)")
_MONTH_RUN = re.compile(
    rf"(?:từ\s)?(?:tháng\s)?(?P<a>{_MONTH}/{_YEAR}){_DASH}(?:tháng\s)?(?P<b>{_MONTH}/{_YEAR})(?![\d/])", re.IGNORECASE
)
_MONTHS_RUN = re.compile(
    rf"(?:từ\s)?tháng\s(?P<a>{_MONTH})\s?(?:-|–)\s?(?P<b>{_MONTH})(?:/(?P<y>{_YEAR}))?(?![\d/])", re.IGNORECASE
)
_MONTH_YEAR = re.compile(rf"(?:(?:tháng\s|T)(?=\d))?(?P<m>{_MONTH})/(?P<y>{_YEAR})(?![\d/])", re.IGNORECASE)
_YEARS = re.compile(rf"(?P<a>{_YEAR})\s?(?:-|–|—)\s?(?P<b>{_YEAR})(?![\d/.,]\d|\d)")
_OF_YEAR = re.compile(rf"/(?P<y>{_YEAR})(?![\d/])")
_BARE_DAY = re.compile(rf"{_DAY}(?!\w|[.,/:-]\d|\s?%)")

_HOLIDAYS = frozenset(
    {"1/1", "3/2", "27/2", "8/3", "26/3", "30/4", "1/5", "7/5", "19/5", "1/6", "28/6", "27/7", "19/8", "2/9", "10/10",
     "13/10", "14/10", "20/10", "9/11", "18/11", "20/11", "22/12"}
)  # fmt: skip
_FEAST = re.compile(r"(?<![\w/])(?:lễ|dịp|kỷ niệm|mừng|ngày)(?!\w)(?:(?!từ |đến |trước |sau |vào )[^,;.:\d]){1,40}$")
_HOLIDAY_BEFORE = re.compile(r"(?<!\w)(?:lễ|dịp|mừng|kỷ niệm)[^,;.:]{0,30}\d/\d{1,2}\s(?:và|-|–)\s$")
_NUMBERED = ("đợt", "quý", "kỳ", "học kỳ", "hk", "khóa", "vụ", "lần", "phiên", "số", "tuần", "mũi", "giai đoạn")
# A number behind "ngày" is no date when something is counted: "ngày 2 lần", "mỗi ngày 5 viên".
_PER_DAY = r"(?<!\w)(?:mỗi|một|hàng|hằng|trong|\d+)\s(?:một\s)?ngày\s$"
_COUNTED = (
    "lần", "lượt", "bữa", "viên", "gói", "giờ", "phút", "lít", "kg", "buổi", "ca", "người", "hộ", "đêm", "muỗng", "ml",
    "phiên", "chuyến", "tiếng", "triệu", "nghìn", "đồng", "g", "h", "cốc", "ly",
)  # fmt: skip


def _day(digits: str) -> str:
    return f"mùng {numbers.integer(digits)}" if int(digits) <= 10 else numbers.integer(digits)


def _of_month(day: str, month: str, year: str = "") -> str:
    year = f"20{year}" if len(year) == 2 else year
    ending = f" năm {numbers.integer(year)}" if year else ""
    return f"{_day(day)} tháng {numbers.month(month)}{ending}"


def _date_words(written: str) -> str:
    return _of_month(*re.split(r"[/.-]", written))


def _time(words: str) -> Token:
    return Token(words, is_time=True)


def _run(match: re.Match[str], around: Around) -> Said:
    if _counts_days(match[0], around):
        return None
    first, last = (match[name].split("/") for name in "ab")
    if [_plain(match["a"]), _plain(match["b"])] == ["30/4", "1/5"] and around.follows("lễ", "dịp", "nghỉ"):
        return [_time(_of_month(*first)), Token(","), _time(_of_month(*last))]
    return _from_to(around, _of_month(*first), _of_month(*last))


def _days_run(match: re.Match[str], around: Around) -> Said:
    if _counts_days(match[0], around):
        return None
    last = re.findall(r"\d+", match["b"])
    if int(match["a"]) >= int(last[0]) or (match["b"].count("/") == 1 and _is_counted(match["b"], around)):
        return None
    return _from_to(around, _day(match["a"]), _of_month(*last))


def _counts_days(written: str, around: Around) -> bool:
    """In "2 ngày 19-20/12" the days are counted first, and named then."""
    return written[:1].isalpha() and re.search(r"(?<![\w/:.,])\d{1,2}\s$", around.before) is not None


def _from_to(around: Around, first: str, last: str) -> Token:
    start = "ngày" if around.follows("từ") else "từ ngày"
    return _time(f"{start} {first} đến ngày {last}")


def _list(match: re.Match[str], around: Around) -> Said:
    is_count = not match["m"] and (re.search(_PER_DAY, around.before) or around.leads(*_COUNTED))
    if is_count or not around.follows(_OF_DAYS):
        return None
    parts = re.split(r"(\d+)", match["days"])
    tokens: list[Token] = []
    for between, day in zip(parts[0::2], [*parts[1::2], ""], strict=True):
        word = between.strip(" ,").replace("&", "và")
        if "," in between:
            tokens.append(Token(","))
        if word:
            tokens.append(Token(word))
        if day:
            tokens.append(_time(_day(day)))
    ending = f"tháng {numbers.month(match['m'])}" if match["m"] else ""
    year = f"năm {numbers.integer(match['y'])}" if match["y"] else ""
    return [*tokens, _time(f"{ending} {year}".strip())]


def _full(match: re.Match[str], around: Around) -> Said:
    return _with_day(around, match[0], _date_words(match[0]))


def _iso(match: re.Match[str], around: Around) -> Said:
    return _with_day(around, match[0], _of_month(match["d"], match["m"], match["y"]))


def _date(match: re.Match[str], around: Around) -> Said:
    written = match[0]
    if around.follows(*_DOORS) or (written.count("/") == 1 and _is_counted(written, around)):
        return None
    return _with_day(around, written, _date_words(written))


def _dotted_date(match: re.Match[str], around: Around) -> Said:
    is_date = around.follows("ngày") or around.leads("âm lịch", "ÂL")
    return _with_day(around, match[0], _of_month(match["d"], match["m"])) if is_date else None


def _with_day(around: Around, written: str, words: str) -> Said:
    if around.follows("mùng", "mồng"):
        return _time(words.removeprefix("mùng "))
    is_short = written.count("/") == 1 and _plain(written) in _HOLIDAYS
    is_feast = is_short and (_FEAST.search(around.before) or _HOLIDAY_BEFORE.search(around.before))
    is_named = _plain(written) in _HOLIDAYS and around.follows("đường", "phố", "cầu", "trường", "công viên")
    if is_feast or is_named or around.follows("ngày", "đêm", "hôm", "rằm", "lễ", "dịp"):
        return _time(words)
    return _time(f"ngày {words}")


def _plain(written: str) -> str:
    return "/".join(part.lstrip("0") for part in re.split(r"[/.-]", written)[:2])


# What tells a part or a share (2/3 số hộ, đạt 10/12 tiêu chí) from a day of a month.
_SHARE_AFTER = (
    r"số", "tổng số", "diện tích", "dân số", "quãng đường", "thời gian", "đại biểu", "viên", "lít", "chỉ tiêu",
    "tiêu chí", "hộ", "thôn", "ấp", "xóm", "khu phố", "tổ(?! chức)", "xã", "phường", "cụm", "trường", "phiếu",
    "thành viên", "người", "học sinh", "điểm", "chi bộ", "đơn vị", "tổ dân phố", "tdp", "kp", "mức", "hs",
)  # fmt: skip
_SHARE_BEFORE = (
    "đạt", "thị lực", "hoàn thành", "được", "chiếm", "bằng", "gần", "hơn", "quá", "giảm", "tăng", "nộp", "đóng",
    "trong đó", "tỷ lệ", "tỉ lệ", "khoảng", "còn", "còn lại", "ít nhất", "trên",
)  # fmt: skip
_DOORS = ("số", "số nhà", "nhà số", "ngõ", "ngách", "hẻm", "kiệt", "nhà", "thửa", "lô", "căn", "đường số")


def _is_counted(written: str, around: Around) -> bool:
    """A day and a month in form, but a share, a score of criteria or a door in meaning."""
    if around.follows(_OF_DAYS, "từ", "đến", "tới", "trước", "sau", "hết", "vào", "lúc", "giờ"):
        return False
    if around.follows(*_DOORS) or around.leads(*_SHARE_AFTER):
        return True
    return _plain(written) in {"1/2", "1/3", "2/3", "1/4", "3/4", "10/10", "12/12"} and around.follows(*_SHARE_BEFORE)


def _month_run(match: re.Match[str], _: Around) -> Said:
    first, last = (match[name].split("/") for name in "ab")
    return f"từ {_month_words(*first)} đến {_month_words(*last)}"


def _months_run(match: re.Match[str], _: Around) -> Said:
    return f"từ tháng {numbers.month(match['a'])} đến {_month_words(match['b'], match['y'] or '')}"


def _month_words(month: str, year: str) -> str:
    return f"tháng {numbers.month(month)}" + (f" năm {numbers.integer(year)}" if year else "")


def _month_year(match: re.Match[str], around: Around) -> Said:
    month, year = match["m"], match["y"]
    if around.follows(*_NUMBERED):
        return f"{numbers.integer(month)} năm {numbers.integer(year)}"
    words = _month_words(month, year)
    return words.removeprefix("tháng ") if around.follows("tháng") else words


def _years(match: re.Match[str], around: Around) -> Said:
    first, last = numbers.integer(match["a"]), numbers.integer(match["b"])
    if re.search(r"(?<!\w)(?:năm học|niên khóa|vụ|mùa|đông xuân|hè thu|thu đông)(?:\s\w+){0,3}\s$", around.before):
        return [Token(first), Token(","), Token(last)]
    return f"{first} đến {last}"


def _of_year(match: re.Match[str], around: Around) -> Said:
    """The year behind a numeral: quý IV/2026, đợt II/2027, 49/2024 of a document without a kind."""
    return f"năm {numbers.integer(match['y'])}" if re.search(r"[\dIVX]$", around.before.upper()) else None


def _bare_day(match: re.Match[str], around: Around) -> Said:
    if around.follows("mùng", "mồng"):
        return _time(numbers.integer(match[0]))
    if not around.follows("ngày") or around.leads(*_COUNTED) or re.search(_PER_DAY, around.before):
        return None
    return _time(_day(match[0]))


DATES = (
    Rule(_RUN, _run, "dl"),
    Rule(_DAYS_RUN, _days_run, "dl"),
    Rule(_FULL_DATE, _full, "d"),
    Rule(_ISO, _iso, "d"),
    Rule(_MONTH_RUN, _month_run, "dl"),
    Rule(_MONTHS_RUN, _months_run, "l"),
    Rule(_LIST, _list, "d"),
    Rule(_DATE, _date, "d"),
    Rule(_DOTTED_DATE, _dotted_date, "d"),
    Rule(_MONTH_YEAR, _month_year, "dl"),
    Rule(_YEARS, _years, "d"),
    Rule(_OF_YEAR, _of_year, "s"),
    Rule(_BARE_DAY, _bare_day, "d"),
)
