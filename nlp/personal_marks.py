"""Personal marks: number plates and addresses of mail, as written and as spelled."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlp.number_runs import Seen

Found = tuple[int, int, str]

_PLATE = re.compile(
    r"(?<![\w*.])(?P<province>[1-9][0-9])(?P<first>[ \-.]?)(?P<series>[a-z]{1,2})(?P<wheel>[0-9]??)"
    r"(?P<second>(?: - |[ \-.]?))(?P<number>[0-9]{3}[. \-]?[0-9]{2}|[0-9]{4})(?![0-9a-z*]|[.,/][0-9])"
)
_PLATE_WORDS = r"(?:bien kiem soat|bien so(?: xe)?|bien xe|bien|bks|bsx|bs|so xe)"
_PLATE_CUE = re.compile(rf"(?<![^\W_])(?:{_PLATE_WORDS}|xe|o to|oto|xe may|xe tai|xe hoi)(?![^\W_])")
_MILITARY = re.compile(
    rf"(?<![^\W_]){_PLATE_WORDS}(?:[ :](?:xe|do|quan doi|quan su|la|so))*[ :]{{1,2}}"
    r"((?:[a-z]{2}[ \-.]?[0-9]{2}[ \-.]?[0-9]{2}"
    r"|[a-z]{2}[ \-]?[0-9]{2}[ \-][0-9]{3}\.?[0-9]{2}|(?:duoi |so )?[0-9]{3}\.[0-9]{2}))(?![\w])"
)
_DIPLOMAT = re.compile(r"(?<![\w*])[0-9]{2}[ \-]?[0-9]{3}[ \-]?(?:ng|nn|qt)[ \-]?[0-9]{2}(?!\w)")
_NOT_PROVINCES = frozenset({"10", "13", "42", "44", "45", "46", "87", "91", "96"})
_NO_PLATE_BEFORE = re.compile(
    r"(?<![^\W_])(?:lop|can|can ho|phong|khoi|toa|block|lo|lo dat|nha|so nha|thua|hem|ngo|khoa|quyet dinh"
    r"|so)[ :.]{1,2}\Z"
)
_UNITS_OF_MEASURE = frozenset(
    {"h", "k", "m", "g", "p", "d", "kg", "km", "tr", "ty", "ha", "cm", "kv", "kw", "ho", "nam"}
)

_MAIL = re.compile(r"(?<![\w.+\-*])[\w.+\-]{1,64}@[a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){1,4}")
_HOSTS = "gmail|gmai|gmal|yahoo|ymail|hotmail|outlook|icloud|live|msn|mail|protonmail|proton|zoho|fpt|vnn|vnpt|viettel"
_ENDS = "com|vn|net|org|edu|gov|info|me|io|com vn|com cham vn"
_AT_HOST = re.compile(
    r"(?P<at> ?@ ?| ?[(\[] ?(?:at|a cong) ?[)\]] ?| (?:a ?cong|a ?moc|a ?vong|a ?coong|a ?khoang) )"
    rf"(?P<host>(?:{_HOSTS})|[a-z0-9\-]{{1,40}})"
    rf"(?P<rest>(?: ?(?:\.|[(\[]dot[)\]]|(?<![^\W_])(?:cham|dot|phay)) ?(?:{_ENDS})(?![^\W_])){{0,3}})"
)
_USER = re.compile(
    r"(?<![\w*])[a-z0-9_+\-](?:[\w.+\-]{0,40})"
    r"(?: (?:cham|gach duoi|gach ngang|gach) [a-z0-9_+\-][\w.+\-]{0,30}){0,3}\Z"
)
_SPELLED = ("gmail", "yahoo", "mail", "outlook", "icloud", "cham com", "cham vn", " dot com", "(at)", "[at]")
_KNOWN_HOST = re.compile(rf"(?:{_HOSTS})\Z")


def find_marks(seen: Seen) -> Iterator[Found]:
    """Pieces of the folded view that are a plate or an address of mail: start, end and kind."""
    folded = seen.folded
    if seen.count_figures >= 4:
        for match in _PLATE.finditer(folded):
            if _is_plate(seen, match):
                yield match.start(), match.end(), "plate"
        for match in _MILITARY.finditer(folded):
            yield match.start(1), match.end(1), "plate"
        for match in _DIPLOMAT.finditer(folded):
            yield match.start(), match.end(), "plate"
    if "@" in folded:
        for match in _MAIL.finditer(folded):
            yield match.start(), match.end(), "email"
    if "@" in folded or any(word in folded for word in _SPELLED):
        yield from _loose_mails(folded)


def _is_plate(seen: Seen, match: re.Match[str]) -> bool:
    """A plate by its shape alone when the shape is sure, else by the words before it."""
    if match["province"] in _NOT_PROVINCES:
        return False
    before = seen.folded[max(0, match.start() - 30) : match.start()]
    if _PLATE_CUE.search(before):
        return match["series"] not in ("kg", "km", "tr", "ho")
    if _NO_PLATE_BEFORE.search(before):
        return False
    number = match["number"]
    is_capital = seen.is_upper(match.start("series"))
    if len(number) == 4:
        return bool(match["wheel"]) and match["second"] == "-" and is_capital
    if "." in number:
        return True
    series = match["series"] + match["wheel"]
    is_measure = match["series"] in _UNITS_OF_MEASURE and not is_capital and not match["wheel"]
    if is_measure or series in ("m2", "m3") or number.endswith("000"):
        return False
    return is_capital or (not match["first"] and not match["second"].startswith(" ")) or bool(match["wheel"])


def _loose_mails(folded: str) -> Iterator[Found]:
    """Addresses with spaces, "a còng", "chấm", or a well-known host without its end."""
    for match in _AT_HOST.finditer(folded):
        is_known = _KNOWN_HOST.match(match["host"]) is not None
        if not match["rest"] and not is_known:
            continue
        since = max(0, match.start() - 70)
        user = _USER.search(folded[since : match.start()])
        if user:
            yield since + user.start(), match.end(), "email"
