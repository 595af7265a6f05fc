"""Personal numbers: phones, identity numbers, accounts and cards among the numbers of a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from nlp.number_runs import Seen, Unit, number_runs

_BANKS = (
    "vietcombank|vcb|agribank|agri|bidv|vietinbank|viettinbank|vietin|ctg|mbbank|mb bank|mb|techcombank|tcb|sacombank"
    "|stb|acb|vpbank|vp bank|tpbank|tp bank|tpb|vib|hdbank|hd bank|shb|scb|msb|ocb|eximbank|seabank|lienvietpostbank"
    "|lpbank|lpb|lienviet|vietabank|abbank|namabank|nam a bank|pvcombank|bac a bank|bacabank|baovietbank|kienlongbank"
    "|saigonbank|oceanbank|gpbank|cbbank|ncb|pgbank|vietbank|dong a bank|dongabank|co-opbank|coopbank|timo|cake"
    "|shinhan|woori|hsbc|uob|vbsp"
)
_ACCOUNT_WORDS = (
    r"stk|s\.t\.k|so tk|so tai khoan|tai khoan|tk|so the|the atm|atm|so ck|chuyen khoan|ck|a/c|account|internet banking"
    r"|(?:chuyen|tien|chay|nap|gui|do)(?: tien)? (?:vo|vao|qua|toi|den|cho|ve) so"
)
_ID_WORDS = (
    r"cccd|cmnd|cmtnd|cmt|cmnd/cccd|can cuoc(?: cong dan)?|chung minh(?: nhan dan| thu)?|so dinh danh"
    r"|dinh danh(?: ca nhan)?|giay to tuy than|gttt|ma so ca nhan|bhxh|bao hiem xa hoi|bhyt|bao hiem y te"
)
_PHONE_WORDS = (
    r"sdt|so dt|so dien thoai|dien thoai|dtdd|dt|so may|di dong|tel|phone|mobile|hotline|duong day nong|may ban|fax"
    r"|so (?:cua )?no\b"
)
_CALL_WORDS = r"zalo|zl\b|ib\b|lien he|lien lac|lh|alo|goi|nhan tin|viber|momo"
_GAP = r"(?:[^0-9\n]|[0-9]{1,2} so\b|(?<=so )[0-9]\b){0,25}"
_CUE = re.compile(
    rf"(?<![^\W\d_])(?<!\*)(?:(?P<account>{_ACCOUNT_WORDS})|(?P<id>{_ID_WORDS})|(?P<phone>{_PHONE_WORDS})|(?P<call>{_CALL_WORDS})"
    rf"|(?P<bank>(?:ngan hang|{_BANKS})(?![^\W\d_])))"
)
_LOOK_BACK = 48
_BANK_AFTER = re.compile(rf"[ ,(:\-]{{1,3}}(?:(?:tai|o|cua|ngan hang|nh|bank)[ :]{{1,2}}){{0,2}}(?:{_BANKS})(?![^\W_])")
_MONEY = re.compile(r"[1-9][0-9]{0,2}(?:[.,][0-9]{3})+\Z")
_MONEY_AFTER = re.compile(
    r" ?(?:dong|d|vnd|nghin|ngan(?! hang)|trieu|tr|ty|k|m2|m3|kwh|so dien|nguoi|ho|khoi)(?![^\W_])"
)
_GLUED = re.compile(r"(?:sdt|so|dt|tel|zalo|lh|lhe|goi|alo|phone|hotline|stk|tk|cccd|cmnd|cmt|ck|nhe|la)\Z")
_DOCUMENT = re.compile(
    r"(?<![\w*])(?:ho chieu|passport|pp)[^0-9\n]{0,20}?(?<![^\W_])([a-z][ \-.]?[0-9](?:[ .]?[0-9]){6})(?![0-9])"
    r"|(?<![^\W_*])((?:dn|hx|ch|nn|hc|xk|ht|tb|no|ct|xb|tn|cs|qn|ca|cy|xn|ms|cc|cb|kc|hd|te|bt|hn|dt|dk|xd|ts"
    r"|tc|tq|ta|ty|hg|ls|pv|hs|sv|gb|gd)[ \-]?[1-5](?:[ \-]?[0-9]){12})(?![0-9])"
)
_MOST_UNITS = 19
# The figures that a phone or an identity number begins with.
_FIRST = frozenset("08")
_PROVINCES = frozenset(f"{n:03}" for n in range(1, 97))

Found = tuple[int, int, str]


def find_numbers(seen: Seen) -> Iterator[Found]:
    """Pieces of the folded view that are somebody's number: start, end and kind."""
    if seen.count_figures >= 7:
        for match in _DOCUMENT.finditer(seen.folded):
            group = 1 if match[1] else 2
            yield match.start(group), match.end(group), "id_number"
    for run in number_runs(seen):
        if sum(len(unit.figures) for unit in run) >= 6:
            yield from _in_run(seen, run)


def _in_run(seen: Seen, run: list[Unit]) -> Iterator[Found]:
    at, is_first = 0, True
    while at < len(run):
        cue = _cue(seen.folded, run[at].start) if is_first else ""
        found = None if _is_inside(seen.folded, run[at].start) else _number(seen.folded, run, at, cue)
        if found is None:
            is_first = is_first and run[at].is_spoken
            at += 1
            continue
        last, kind = found
        yield _widened(seen.folded, run[at].start, run[last].end), run[last].end, kind
        at, is_first = last + 1, False


def _is_inside(folded: str, start: int) -> bool:
    """Whether the number goes on from letters, as in PE0912345678, or from a masked piece."""
    before = folded[start - 1 : start]
    if before == "*":
        return True
    return before.isalpha() and _GLUED.search(folded, max(0, start - 8), start) is None


def _cue(folded: str, start: int) -> str:
    """What the words before a number say it is: "account", "bank", "id", "phone", "call" or nothing."""
    since = max(0, start - _LOOK_BACK)
    nearest = None
    for match in _CUE.finditer(folded, since, start):
        nearest = match
    if nearest is None or not re.fullmatch(_GAP, folded[nearest.end() : start]):
        return ""
    return nearest.lastgroup or ""


def _number(folded: str, run: list[Unit], at: int, cue: str) -> tuple[int, str] | None:
    """The last unit and the kind of the number that starts at a unit."""
    if not cue and (run[at].figures[:1] or "0") not in _FIRST and len(run[at].figures) < 8:
        return _card_from(run, at)
    if cue in ("account", "bank") and (last := _account(folded, run, at, cue)) is not None:
        return last, "bank_account"
    if (last := _identity(run, at, cue)) is not None:
        return last, "id_number"
    if (card := _card_from(run, at)) is not None:
        return card
    last = _phone(folded, run, at, cue)
    if cue not in ("phone", "call") and _has_bank_after(folded, run, at):
        return (at if last is None else last), "bank_account"
    return None if last is None else (last, "phone")


def _account(folded: str, run: list[Unit], at: int, cue: str) -> int | None:
    total, last = 0, None
    for here in range(at, min(at + _MOST_UNITS, len(run))):
        unit = run[here]
        gap = unit.start - run[here - 1].end if here > at else 0
        if gap > 1 or total + len(unit.figures) > 19 or (total >= 8 and len(unit.figures) >= 8):
            break
        total += len(unit.figures)
        last = here
        if here == at and total >= 8 and len(run[at + 1 : at + 2]) and len(run[at + 1].figures) < 3:
            break
    if last is None or total < 6 or _is_money(folded, run[at].start, run[last].end):
        return None
    is_short = total < 8 and cue == "bank"
    is_phone = cue == "bank" and _phone(folded, run, at, cue) is not None
    between = folded[max(0, run[at].start - 12) : run[at].start]
    return None if is_short or (is_phone and not re.search(r"(?:[a-z]|so|la)[ :.\-]*\Z", between)) else last


def _is_money(folded: str, start: int, end: int) -> bool:
    written = folded[start:end]
    if written[0] == "0":
        return False
    is_round = written.endswith("000") and len(written) <= 9 and written.isdigit()
    return is_round or _MONEY.match(written) is not None or _MONEY_AFTER.match(folded, end) is not None


def _identity(run: list[Unit], at: int, cue: str) -> int | None:
    figures, nine = "", None
    for here in range(at, min(at + 12, len(run))):
        figures += run[here].figures
        if len(figures) == 12 and (cue == "id" or _is_plain_identity(run, at, here, figures)):
            return here
        if len(figures) == 9 and here - at < 9 and cue == "id":
            nine = here
        if len(figures) == 10 and cue == "id" and here == at:
            return here
        if len(figures) > 12:
            break
    return nine


def _is_plain_identity(run: list[Unit], at: int, last: int, figures: str) -> bool:
    """Twelve figures that nobody calls an identity number, but which could be nothing else."""
    spoken = [unit.is_spoken for unit in run[at : last + 1]]
    if figures[:3] not in _PROVINCES or len(set(spoken)) > 1 or (figures[:3] == "084" and is_phone(figures[1:])):
        return False
    if not spoken[0] and (last - at > 4 or len(run[at].figures) < 3):
        return False
    return last == len(run) - 1 or len(run[last + 1].figures) != 3 or last == at


def _card_from(run: list[Unit], at: int) -> tuple[int, str] | None:
    last = _card(run, at)
    return None if last is None else (last, "bank_account")


def _card(run: list[Unit], at: int) -> int | None:
    if len(run[at].figures) in (16, 19):
        return at if run[at].figures[0] in "3456" or run[at].figures.startswith("9704") else None
    four = run[at : at + 4]
    if [len(unit.figures) for unit in four] != [4, 4, 4, 4] or four[0].figures[0] not in "34569":
        return None
    is_longer = len(run) > at + 4 and len(run[at + 4].figures) == 3
    return at + 3 + is_longer


def _phone(folded: str, run: list[Unit], at: int, cue: str) -> int | None:
    figures = ""
    short = None
    for here in range(at, min(at + 13, len(run))):
        if short is not None and run[here].is_spoken and not run[at].is_spoken:
            break
        figures += run[here].figures
        if is_phone(figures) and not _is_moment(folded, run[at : here + 1]):
            return _spoken_to_the_end(run, at, here)
        if len(figures) > 13:
            break
        if cue in ("phone", "call") and _is_short_phone(figures, cue):
            is_money = _is_money(folded, run[at].start, run[here].end)
            short = short if is_money else here
    return short


def _spoken_to_the_end(run: list[Unit], at: int, last: int) -> int:
    """The last unit of a number that was dictated; a figure said once too often belongs to it."""
    end = last
    while run[at].is_spoken and end + 1 < len(run) and run[end + 1].is_spoken and end < last + 2:
        end += 1
    return end if end + 1 == len(run) or end < last + 2 else last


def is_phone(figures: str) -> bool:
    """Whether figures are a whole Vietnamese number: mobile, old mobile of eleven figures, or fixed line."""
    figures = figures.removeprefix("00")
    if figures.startswith("084") and len(figures) == 12:
        figures = figures[1:]
    national = figures[2:].removeprefix("0") if figures.startswith("84") else figures[1:]
    if not figures.startswith(("0", "84")) or not national:
        return False
    if len(national) == 9:
        return national[0] in "35789"
    return len(national) == 10 and (national[0] == "2" or national[:2] in ("12", "16", "18", "19"))


def _is_short_phone(figures: str, cue: str) -> bool:
    """A number without its first 0, without its area or of old times, where the words say that it is one."""
    if len(figures) == 9:
        return figures[0] in "35789"
    if cue != "phone":
        return False
    return (len(figures) in (7, 8) and figures[0] in "2345678") or (len(figures) in (10, 11) and figures[0] == "0")


def _is_moment(folded: str, units: list[Unit]) -> bool:
    """A date, or times of day in a row: "09 12 2026 08", "07 30 - 08 30 - 09"."""
    lengths = [len(unit.figures) for unit in units]
    if lengths[:2] == [2, 2] and any(u.figures[:2] in ("19", "20") and len(u.figures) == 4 for u in units[2:3]):
        return True
    gaps = {folded[one.end : other.start] for one, other in pairwise(units)}
    return set(lengths) == {2} and len(gaps) > 1


def _has_bank_after(folded: str, run: list[Unit], at: int) -> bool:
    return len(run[at].figures) >= 8 and _BANK_AFTER.match(folded, run[at].end) is not None


def _widened(folded: str, start: int, end: int) -> int:
    """The start with a plus or an opened bracket that belongs to the number."""
    if folded[start - 1 : start] == "+":
        start -= 1
    if folded[start - 1 : start] == "(" and ")" in folded[start:end]:
        start -= 1
    return start
