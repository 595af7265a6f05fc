"""Amounts: numbers with units and money, ranges, shares and scores, and what is meant for each ("/người/tháng")."""

from __future__ import annotations

import re

from bot.rules.read_aloud import numbers
from bot.rules.read_aloud.letters import spelt
from bot.rules.read_aloud.scanner import Around, Rule, Said, Token

UNITS = {
    "km/h": "ki-lô-mét trên giờ", "km/giờ": "ki-lô-mét trên giờ", "m/s": "mét trên giây", "m/giây": "mét trên giây",
    "m3/s": "mét khối trên giây", "m3/giây": "mét khối trên giây", "mm/h": "mi-li-mét trên giờ",
    "mm/giờ": "mi-li-mét trên giờ", "M2": "mét vuông", "M3": "mét khối", "KM": "ki-lô-mét", "CM": "xăng-ti-mét",
    "km2": "ki-lô-mét vuông", "km": "ki-lô-mét", "m2": "mét vuông", "m3": "mét khối", "cm2": "xăng-ti-mét vuông",
    "cm": "xăng-ti-mét", "dm": "đề-xi-mét", "mm": "mi-li-mét", "m": "mét", "ha": "héc-ta", "kg": "ki-lô-gam",
    "Kg": "ki-lô-gam", "KG": "ki-lô-gam", "mg": "mi-li-gam", "g": "gam", "gr": "gam", "lít": "lít",
    "ml": "mi-li-lít", "l": "lít", "cc": "xê xê", "kWh": "ki-lô-oát giờ", "kwh": "ki-lô-oát giờ",
    "KWh": "ki-lô-oát giờ", "kVA": "ki-lô-vôn ăm-pe", "KVA": "ki-lô-vôn ăm-pe", "kV": "ki-lô-vôn",
    "KV": "ki-lô-vôn", "kW": "ki-lô-oát", "KW": "ki-lô-oát", "MW": "mê-ga-oát", "W": "oát", "V": "vôn", "Hz": "héc",
    "kHz": "ki-lô-héc", "MHz": "mê-ga-héc", "mmHg": "mi-li-mét thủy ngân", "T": "tấn", "dB": "đề-xi-ben",
    "dBA": "đề-xi-ben", "HP": "mã lực", "Mbps": "mê-ga-bít trên giây", "GB": "gi-ga-bai", "MB": "mê-ga-bai",
    "°C": "độ xê", "ºC": "độ xê", "℃": "độ xê", "oC": "độ xê", "độ C": "độ xê", "°": "độ", "%": "phần trăm",
    "‰": "phần nghìn", "h": "giờ", "p": "phút", "ph": "phút", "'": "phút", "’": "phút", "s": "giây",
}  # fmt: skip
_MONEY = {
    "đồng": "đồng", "VNĐ": "đồng", "VND": "đồng", "vnđ": "đồng", "vnd": "đồng", "đ": "đồng", "Đ": "đồng", "₫": "đồng",
    "k": "nghìn đồng", "K": "nghìn đồng", "ngđ": "nghìn đồng", "nghìn": "nghìn", "ngàn": "nghìn", "trđ": "triệu đồng",
    "tr.đ": "triệu đồng", "tr": "triệu đồng", "Tr": "triệu đồng", "triệu": "triệu", "tỷ": "tỷ", "tỉ": "tỷ",
    "USD": "đô la Mỹ", "$": "đô la Mỹ", "EUR": "ơ-rô", "€": "ơ-rô",
}  # fmt: skip
_ALL = UNITS | _MONEY
_UNIT = "|".join(re.escape(unit) for unit in sorted(_ALL, key=len, reverse=True))
_UNIT_END = r"(?!\w)"
_SPACED = r"\d{1,3}(?: \d{3})+(?=\s?(?:đồng|đ|VNĐ|VND)(?!\w))"
_COMMA_THOUSANDS = r"\d{1,3}(?:(?:,\d{3}){2,}|,\d{3}(?=\s?(?:đồng|đ|VNĐ|VND)(?!\w)))(?!\d)"
NUMBER = (
    rf"(?:{_SPACED}|{_COMMA_THOUSANDS}|\d{{1,3}}(?:\.\d{{3}})+(?:,\d+)?(?![\d.]\d)|\d+,\d+|\d+\.\d{{1,2}}(?![\d.])|\d+)"
)
_DASH = r"\s?(?:-|–|—|÷|->|→|~)\s?"

_AMOUNT = re.compile(rf"(?P<n>{NUMBER})\s?(?P<u>{_UNIT}){_UNIT_END}")
_RANGE = re.compile(
    rf"(?P<a>{NUMBER})(?:\s?(?P<v>{_UNIT}){_UNIT_END})?{_DASH}(?P<b>{NUMBER})(?:\s?(?P<u>{_UNIT}){_UNIT_END}(?![.,]\d)|(?![\d-]|[.,/]\d))"
)
_PLAIN = re.compile(NUMBER)
_METRES = re.compile(r"(?P<m>\d+)m(?P<rest>\d{1,2})(?![\w.,]\d|\w)")
_MILLIONS = re.compile(r"(?P<m>\d+)\s?(?:tr|triệu)(?P<rest>\d{1,3})(?!\w)")
_TIMES = re.compile(rf"(?P<a>{NUMBER})\s?[x×*X]\s?(?P<b>{NUMBER})(?:\s?[x×*X]\s?(?P<c>{NUMBER}))?")
_BELOW_ZERO = re.compile(rf"[-–−](?P<n>{NUMBER})\s?(?P<u>°C|ºC|oC|độ C|%)(?!\w)")
_KILOMETRE = re.compile(r"[Kk][Mm]\s?(?P<a>\d+)(?:\s?\+\s?(?P<b>\d+))?(?!\w)")
_ROW = re.compile(r"\d+(?:\s?[-–]\s?\d+){2,10}(?![\d/]|\s?[-–]\s?\d)")
_COMMAS = re.compile(r"\d{1,2}(?:,\d{1,2}){1,20}(?!\d|\.\d)")
_TIMES_MORE = re.compile(r"[x×]\s?(?=\d)")
_SIGNS = re.compile(r"(?P<s>>=|<=|[<>≥≤~≈±Ø⌀Φ∅])\s?(?=\d)")

# Nouns that number what follows: "cấp 10-11" is cấp mười đến cấp mười một.
_NUMBERING = (
    "cấp", "khối", "lớp", "tổ", "thôn", "xóm", "ấp", "bậc", "khóm", "đội", "khu", "bài", "điều", "khoản", "trang",
    "tuần", "số", "tdp", "kp", "khu phố", "tổ dân phố", "hạng", "km", "bản", "làng", "cụm", "nhóm", "loại", "mũi",
)  # fmt: skip
_SCORES = ("tỷ số", "tỉ số", "thắng", "thua", "hòa", "tỷ số là")


def _value(number: str) -> str:
    if re.fullmatch(r"\d{1,3}(?:,\d{3}){2,}", number):
        number = number.replace(",", "")
    return numbers.said(number.replace(" ", ""))


def _unit(unit: str | None, around: Around) -> str:
    """What the unit is called; money that is named behind it anyway is not named twice."""
    words = _ALL[unit] if unit else ""
    if words.endswith(" đồng") and around.leads("đồng", "đ"):
        return words.removesuffix(" đồng")
    return words


def _amount(match: re.Match[str], around: Around) -> Said:
    unit = match["u"]
    if unit in {"V", "K", "W", "Đ", "T"} and (match[0][-2].isspace() or around.follows(*_NUMBERING, *_DOORS)):
        return None
    number = match["n"].replace(",", ".") if _in_money(match["n"], unit) else match["n"]
    return f"{_value(number)} {_unit(unit, around)}".strip()


def _in_money(number: str, unit: str) -> bool:
    """Thousands of đồng parted by a comma, as some write them: 150,000 đồng."""
    return _MONEY.get(unit) == "đồng" and re.fullmatch(r"\d{1,3},\d{3}", number) is not None


def _range(match: re.Match[str], around: Around) -> Said:
    first, last, unit = _value(match["a"]), _value(match["b"]), match["u"]
    if around.follows(*_SCORES):
        return f"{first} {last}"
    noun = re.search(rf"(?<!\w)({'|'.join(_NUMBERING)})\s$", around.before)
    if noun and not unit and not match["v"]:
        return f"{first} đến {noun[1]} {last}"
    ending = _unit(unit, around)
    middle = _ALL[match["v"]] if match["v"] and match["v"] != unit else ""
    start = "" if around.follows("từ") else "từ"
    return " ".join(f"{start} {first} {middle} đến {last} {ending}".split())


def _plain(match: re.Match[str], around: Around) -> Said:
    written = match[0]
    if written.isdecimal():
        if re.search(r"(?<!\w)thứ\s(?:\d,?\s)*(?:và\s)?$", around.before):
            return numbers.ordinal(written)
        if around.follows("tháng"):
            return numbers.month(written)
    if around.follows("mục", "điểm", "khoản", "phần", "tiểu mục") and "." in written:
        return " chấm ".join(numbers.integer(part) for part in written.split("."))
    return _value(written)


def _metres(match: re.Match[str], _: Around) -> Said:
    return f"{numbers.integer(match['m'])} mét {numbers.integer(match['rest'])}"


def _millions(match: re.Match[str], around: Around) -> Said:
    rest = match["rest"].ljust(3, "0")
    money = "" if around.leads("đồng", "đ") else " đồng"
    return f"{numbers.integer(match['m'])} triệu {numbers.integer(rest)} nghìn{money}"


def _times(match: re.Match[str], _: Around) -> Said:
    return " nhân ".join(_value(match[name]) for name in "abc" if match[name])


def _times_more(_: re.Match[str], around: Around) -> Said:
    return "nhân" if re.search(r"\d\s(?:\w{1,12}\s)?$", around.before) else None


def _below_zero(match: re.Match[str], around: Around) -> Said:
    if around.before[-1:].isalnum():
        return None
    return f"âm {_value(match['n'])} {UNITS[match['u']]}"


def _kilometre(match: re.Match[str], _: Around) -> Said:
    rest = f" cộng {numbers.integer(match['b'])}" if match["b"] else ""
    return f"ki-lô-mét {numbers.integer(match['a'])}{rest}"


def _row(match: re.Match[str], _: Around) -> Said:
    parts = [numbers.integer(part) for part in re.findall(r"\d+", match[0])]
    return [token for part in parts for token in (Token(","), Token(part))][1:]


def _commas(match: re.Match[str], around: Around) -> Said:
    """A list without spaces ("thôn 1,2,3"), which two numbers alone are only behind a noun that numbers."""
    parts = match[0].split(",")
    if len(parts) == 2 and not around.follows(*_NUMBERING[:-1]):
        return None
    return [token for part in parts for token in (Token(","), Token(numbers.integer(part)))][1:]


_SIGN_WORDS = {
    ">": "trên", "<": "dưới", ">=": "ít nhất", "≥": "ít nhất", "<=": "tối đa", "≤": "tối đa", "~": "khoảng",
    "≈": "khoảng", "±": "cộng trừ", "Ø": "phi", "⌀": "phi", "Φ": "phi", "∅": "phi",
}  # fmt: skip


def _sign(match: re.Match[str], _: Around) -> Said:
    return _SIGN_WORDS[match["s"]]


# ---- slashes between numbers, and behind amounts -------------------------------------------------------------------

_DOOR = re.compile(r"\d{1,5}[A-Za-zĐđ]?(?:/\d{1,5}[A-Za-zĐđ]?){1,4}(?![\w/])")
_DOOR_BEFORE = re.compile(
    r"(?<!\w)(?:số|số nhà|ngõ|hẻm|kiệt)\s\d+[a-zđ]?(?:/\d+[a-zđ]?)+\s?(?:đến|tới|và|,|-|–)\s(?:số\s)?$"
)
_SHARE = re.compile(r"(?P<a>\d{1,6})\s?/\s?(?P<b>\d{1,6})(?![\d/])")
_DOORS = ("số", "số nhà", "nhà số", "nhà", "ngõ", "ngách", "hẻm", "kiệt", "căn", "địa chỉ", "đ/c", "lô", "thửa")
_PARTS = (
    "số", "tổng số", "diện tích", "dân số", "quãng đường", "thời gian", "viên", "lít", "khẩu phần", "giá trị", "số hộ",
)  # fmt: skip
_PART_BEFORE = (
    "giảm",
    "tăng",
    "nộp",
    "đóng",
    "trả",
    "bằng",
    "gần",
    "hơn",
    "quá",
    "khoảng",
    "chiếm",
    "còn",
    "ít nhất",
    "trong đó",
    "được",
    "còn lại",
)
_USUAL_PARTS = frozenset({("1", "2"), ("1", "3"), ("2", "3"), ("1", "4"), ("3", "4")})
_PER = re.compile(r"/\s?(?P<w>ngày đêm|học sinh|hồ sơ|trường hợp|bệnh nhân|\w+)", re.IGNORECASE)
_PER_WHAT = frozenset(
    {
        "người", "hộ", "tháng", "năm", "ngày", "tuần", "lần", "lượt", "phút", "giờ", "giây", "m2", "m3",
        "kg", "kwh", "ha", "công", "lớp", "sạp", "gốc", "hộp", "chuyến", "đợt", "lít", "suất", "xe", "vụ", "quý",
        "buổi", "ca", "em", "cháu", "con", "cây", "bao", "tấn", "tạ", "sào", "km", "cái", "chiếc", "khẩu", "phòng",
        "đêm", "tiết", "bữa", "bình", "cặp", "đôi", "nhà", "thôn", "ấp", "xã", "đơn", "học sinh", "ngày đêm", "hồ",
        "hs", "cuốn", "vé", "quyển", "bản", "giấy", "h", "trẻ", "bệnh nhân", "trường hợp", "hồ sơ", "mẫu", "hecta",
        "kwp", "ô", "kiốt",
    }
)  # fmt: skip
_AMOUNT_BEFORE = re.compile(r"\d[\d.,]*\s?[\w%‰]{0,12}(?:\s\w{1,12}){0,2}(?:\s?/\s?\w+){0,2}\s?$")


_SETTLEMENTS = ("thôn", "bản", "ấp", "xóm", "xã", "phường", "buôn", "làng", "tổ")
_PRICE_BEFORE = re.compile(r"\d\s?(?:k|tr|đ|%|(?:triệu|tỷ|nghìn|ngàn)(?:\sđồng)?|đồng|vnđ|vnd)(?:\s?/\s?\w+)?$")
_BARE_UNIT = re.compile(r"(?:(?:k|c)?m|M)[23](?!\w)|(?:ha|kg|km|kwh|kWh|m)(?!\w)")


def _bare_unit(match: re.Match[str], around: Around) -> Said:
    """A unit behind a number in words: "mỗi ha", "hai triệu m3"."""
    is_square = match[0][-1] in "23"
    behind = around.follows("mỗi", "một", "vài", "mấy", "trăm", "chục", "nghìn", "ngàn", "triệu", "tỷ", "hàng", "từng")
    return UNITS[match[0]] if is_square or behind else None


def _door(match: re.Match[str], around: Around) -> Said:
    parts = match[0].split("/")
    if not (around.follows(*_DOORS) or len(parts) > 2 or _DOOR_BEFORE.search(around.before)):
        return None
    return " xuyệt ".join(_with_letter(part) for part in parts)


def _with_letter(part: str) -> str:
    return " ".join(numbers.integer(run) if run.isdecimal() else spelt(run) for run in re.findall(r"\d+|\D+", part))


def _share(match: re.Match[str], around: Around) -> Said:
    first, last = match["a"], match["b"]
    is_usual = (first, last) in _USUAL_PARTS and around.follows("đạt", "hoàn thành")
    is_part = is_usual or (int(first) < int(last) <= 10 and (around.leads(*_PARTS) or around.follows(*_PART_BEFORE)))
    between = "phần" if is_part else "trên"
    below = numbers.ordinal(last) if is_part and last == "4" else numbers.integer(last)
    return f"{numbers.integer(first)} {between} {below}"


def _per(match: re.Match[str], around: Around) -> Said:
    """Behind an amount "/người" is one for each; the word itself, if it is no unit, is left to the other rules."""
    word = match["w"].lower()
    if word in _SETTLEMENTS and re.search(rf"(?<!\w)(?:{'|'.join(_SETTLEMENTS)})\s?$", around.before):
        return None
    is_price = _PRICE_BEFORE.search(around.before) and word.isalpha()
    if not is_price and (word not in _PER_WHAT or not _AMOUNT_BEFORE.search(around.before)):
        return None
    return f"một {UNITS.get(match['w'], UNITS.get(word, 'học sinh' if word == 'hs' else word))}"


MEASURES = (
    Rule(_BELOW_ZERO, _below_zero, "s"),
    Rule(_KILOMETRE, _kilometre, "l"),
    Rule(_ROW, _row, "d"),
    Rule(_METRES, _metres, "d"),
    Rule(_MILLIONS, _millions, "d"),
    Rule(_COMMAS, _commas, "d"),
    Rule(_RANGE, _range, "d"),
    Rule(_AMOUNT, _amount, "d"),
    Rule(_TIMES, _times, "d"),
    Rule(_TIMES_MORE, _times_more, "ls"),
    Rule(_DOOR, _door, "d"),
    Rule(_SHARE, _share, "d"),
    Rule(_PER, _per, "s"),
    Rule(_SIGNS, _sign, "ls"),
    Rule(_BARE_UNIT, _bare_unit, "l"),
)
PLAIN_NUMBERS = (Rule(_PLAIN, _plain, "d"),)
