"""Commands: short words with a fixed meaning, for those who type on old telephones; the same on every channel.

Everything may also be said freely; a command is only what leaves no doubt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

CODE = re.compile(r"\bPA\s?(\d{2})\s?-?\s?(\d{1,6})\b", re.IGNORECASE)


class Verb(StrEnum):
    """What a command asks for."""

    STATUS = "status"
    ADD = "add"
    WITHDRAW = "withdraw"
    RATE = "rate"
    REOPEN = "reopen"
    UNSUBSCRIBE = "unsubscribe"
    SUBSCRIBE = "subscribe"
    PERSON = "person"
    HELP = "help"
    DATA = "data"
    ERASE = "erase"
    CONSENT_BACK = "consent_back"
    ANONYMOUS = "anonymous"
    NAMED = "named"
    WHO_ANSWERS = "who_answers"
    LINK = "link"
    UNLINK = "unlink"
    PUBLISH = "publish"
    UNPUBLISH = "unpublish"
    TRY = "try"
    JOIN = "join"
    LEAVE = "leave"
    GROUPS = "groups"


# What the law gives everybody at any time: heard as itself, whatever question waits.
RIGHTS = frozenset(
    {Verb.UNSUBSCRIBE, Verb.DATA, Verb.ERASE, Verb.CONSENT_BACK, Verb.PUBLISH, Verb.UNPUBLISH, Verb.LEAVE}
)


@dataclass(frozen=True)
class Command:
    """A verb with what it is about: a ticket's code, a number, the rest of the words."""

    verb: Verb
    code: str | None = None
    number: int | None = None
    rest: str = ""


_CODE = r"(?P<code>pa ?\d{2} ?-? ?\d{1,6})"
_POLITE = r"(?: (?:a|nhe|nha|nghen|di|voi|giup|gium|dum|toi|em|tui|minh|ad|oi|cho toi|please))*"
_BEING = r"(?:nguoi|may|robot|bot|con nguoi)(?: that)?"
_CHANNELS = (
    r"(?: (?:kenh|tai khoan|so|voi|cac|khac|zalo|telegram|sms|tin nhan|dien thoai|trang web|channels?|account))*"
)
_WHO = (
    r"(?:(?:day la |ban la |cho hoi )?(?:ai (?:dang )?(?:tra loi|noi chuyen|nhan tin|doc tin)(?: nay)?(?: day|"
    r" vay| the| do)?|"
    r"(?:day|ban|em|ad) la ai(?: vay| the)?|chat ?gpt (?:ha|a|phai khong)|"
    rf"{_BEING} hay (?:la )?{_BEING}(?: vay| the| day)?)|are you (?:a )?(?:bot|human|robot))"
)
_WISHING = r"(?:(?:toi|em|minh|tui|cho toi|cho em|xin|muon|nho) )*"
# Tried in order on the folded words, whole.
_PATTERNS: tuple[tuple[Verb, re.Pattern[str]], ...] = tuple(
    (verb, re.compile(pattern + _POLITE + r"[ .!?]*", re.DOTALL))
    for verb, pattern in (
        (Verb.STATUS, rf"(?:tra|tracuu|tra cuu|status)(?: {_CODE})?(?: (?P<rest>\d{{4}}))?"),
        (Verb.STATUS, rf"{_CODE}(?: (?P<rest>\d{{4}}))?"),
        (
            Verb.STATUS,
            (
                r"(?:cho hoi |hoi )?(?:ma (?:so )?(?:cua (?:toi|em|minh) )?(?:la )?(?:gi|bao nhieu|may)(?: vay| the)?|"
                r"(?:toi |em )?quen ma(?: roi| so)?|bao gio (?:thi )?xong(?: vay)?|khi nao xong(?: vay)?|xong chua)"
            ),
        ),
        (Verb.WITHDRAW, rf"(?:rut|rut lai|rut phan anh|rut don|rut yeu cau|huy phan anh|withdraw)(?: {_CODE})?"),
        (Verb.WITHDRAW, rf"(?:(?:toi|em) muon |cho toi |xin )?(?:rut|huy)(?: lai)?(?: phan anh| yeu cau)? {_CODE}"),
        (Verb.RATE, rf"(?:dg|danh gia|cham diem)(?: {_CODE})?(?: ?(?P<number>[1-3])(?: diem)?)?"),
        (Verb.REOPEN, rf"(?:chua xong|chua dong y|khong dong y|mo lai|chua hai long|not done|reopen)(?: {_CODE})?"),
        (Verb.REOPEN, rf"(?:mo|mo lai|chua xong|chua dong y) {_CODE}(?:[ ,:]+(?P<rest>.+))?"),
        (
            Verb.UNSUBSCRIBE,
            r"(?:dung|dung lai|tc|stop|huy tin|ngung tin|dung tin|ngung nhan tin|dung nhan tin|unsubscribe)",
        ),
        (Verb.SUBSCRIBE, r"(?:nhan|dk|nhan tin|dang ky|dang ky nhan tin|nhan thong bao|start|subscribe)"),
        (Verb.UNSUBSCRIBE, r"(?:dung|ngung|huy|khong)(?: nhan)? (?:tin|thong bao) (?:ve )?(?P<rest>.+?)"),
        (
            Verb.SUBSCRIBE,
            (
                r"(?:(?:toi|em|minh|tui) (?:muon |xin )?|cho (?:toi|em) |xin )?(?:chi )?(?:dang ky )?nhan "
                r"(?:tin|thong bao) (?:ve )?(?P<rest>.+?)"
            ),
        ),
        (Verb.UNSUBSCRIBE, r"unsubscribe (?:from )?(?P<rest>.+?)"),
        (Verb.SUBSCRIBE, r"subscribe (?:to )?(?P<rest>.+?)"),
        (Verb.GROUPS, r"(?:(?:xem |cho biet )?(?:cac|danh sach)(?: cac)? nhom|nhom|groups)"),
        (
            Verb.LEAVE,
            (
                rf"(?:{_WISHING}(?:roi|roi khoi|ra khoi|bo|huy|thoi|ngung|khong tham gia|khong o|thoat) "
                r"nhom(?: nay)?(?: nua)?|leave(?: the)? group)(?: (?P<rest>.{1,80}?))?"
            ),
        ),
        (
            Verb.JOIN,
            (
                rf"(?:{_WISHING}(?:tham gia|vao|gia nhap|dang ky|dk|dang ky vao|ghi ten vao) nhom"
                r"|join(?: the)? group) (?P<rest>.{1,80}?)"
            ),
        ),
        (Verb.JOIN, r"nhom (?P<rest>(?:so )?\d{1,4})"),
        (Verb.PERSON, r"(?:gap|gap can bo|gap nguoi|gap nguoi truc|noi chuyen voi can bo|officer|human|agent)"),
        (Verb.HELP, r"(?:hd|huong dan|tro giup|giup|menu|help)"),
        (Verb.ERASE, r"(?:xoa (?:du lieu|thong tin)(?: (?:ca nhan|cua toi|cua em))*|delete my data)"),
        (Verb.DATA, r"(?:dl|(?:xem )?(?:du lieu|thong tin)(?: ca nhan)? cua (?:toi|em|minh)|my data)"),
        (
            Verb.CONSENT_BACK,
            (
                r"(?:(?:toi|em) (?:muon )?)?(?:khong dong y nua|withdraw consent|"
                r"(?:khong|dung) (?:cho )?luu (?:thong tin (?:cua )?(?:toi|em)|nua|ten (?:toi|em))(?: nua)?)"
            ),
        ),
        (
            Verb.CONSENT_BACK,
            (
                r"(?:(?:da|thua|a|toi|em|tui|minh|chau|nay|gio|muon|xin|cho|nho|de nghi|can bo|oi) )*"
                r"rut (?:lai )?(?:su |loi |cai )?dong y(?: (?:cho|viec|ve|luu|giu|xu ly|dung|su dung|thong tin|du lieu|"
                r"ca nhan|ten|so|dien thoai|dia chi|cua|toi|em|tui|minh|va|voi|da|cho|truoc|hom|day|nua|het))*"
            ),
        ),
        (Verb.NAMED, r"(?:khong (?:can )?an danh(?: nua)?|bo an danh|not anonymous)"),
        (
            Verb.ANONYMOUS,
            (
                rf"(?:(?:toi|em|cho toi|cho em|nho|xin) )*(?:muon )?(?:xin |duoc )*(?:an danh|giau ten|"
                rf"anonymous)(?: {_CODE})?"
            ),
        ),
        (
            Verb.ANONYMOUS,
            (
                r"(?:nho |xin |vui long )?(?:giu (?:bi mat|kin)(?: gium| giup)?|dung (?:neu|noi|de lo|tiet lo)|"
                r"khong (?:neu|noi)|"
                r"dung cho (?:ai )?biet|dung de (?:ai )?biet)(?: ai)?(?: biet)? (?:ho )?(?:ten|"
                r"danh tinh)(?: cua)? ?(?:toi|em|tui|minh|chau)?"
                r"(?: voi [a-z ]{2,30})?"
            ),
        ),
        (
            Verb.UNPUBLISH,
            (
                rf"(?:kck|(?:toi |em )?(?:khong|dung|thoi|rut(?: lai)?(?: su)?)(?: dong y| cho)? cong khai|unpublish)"
                rf"(?: {_CODE})?"
            ),
        ),
        (Verb.PUBLISH, rf"(?:ck|(?:toi |em )?(?:dong y |cho )?cong khai|publish)(?: {_CODE})?"),
        (Verb.WHO_ANSWERS, _WHO),
        (Verb.TRY, r"(?:thu|thu tin|try)(?: (?:ma )?(?P<rest>\d{4}[ .-]?\d{4}))"),
        (Verb.UNLINK, rf"(?:huy lk|(?:huy|bo|go|ngung|cat) (?:cac )?lien ket{_CHANNELS}|unlink)"),
        (
            Verb.LINK,
            (
                rf"(?:(?:toi|em|minh|cho toi|xin)(?: muon)? )?(?:lk|lienket|lien ket|link){_CHANNELS}"
                r"(?: (?:ma )?(?P<rest>\d{4}[ .-]?\d{4}))?"
            ),
        ),
    )
)
_ADDING = re.compile(rf"(?:them|bo sung|add)[ :]+{_CODE}(?:[ ,:.]+(?P<rest>.+))?", re.DOTALL)
# Without accents "DUNG" is also "đúng", and "NHAN" also "nhắn": alone they mean the announcements.
_LONGEST = 120
# What follows "nhận tin" and names no kind of news.
_NO_SUBJECT = frozenset({"nua", "gi", "cho", "phien", "di", "day", "lam", "toi", "em", "cua", "tu", "hang"})


def code_in(text: str) -> str | None:
    """The first ticket code in a text, as we write it; None without one."""
    found = CODE.search(text)
    return f"PA{found[1]}-{int(found[2]):04d}" if found else None


def command_in(text: str, folded: str) -> Command | None:
    """The command a message is, or None when it is something said freely. `folded`: the same without accents."""
    words = " ".join(folded.split())
    adding = _ADDING.fullmatch(words)
    if adding:
        return Command(Verb.ADD, code_in(adding["code"]), rest=_after_code(text))
    if len(words) > _LONGEST:
        return None
    words = words.strip(" .!?\"'“”#/*").removeprefix("soan ")
    for verb, pattern in _PATTERNS:
        found = pattern.fullmatch(words)
        if found:
            return _command(verb, found, text)
    return None


def _command(verb: Verb, found: re.Match[str], text: str) -> Command | None:
    if verb is Verb.UNSUBSCRIBE and found[0].startswith("dung") and "đúng" in text.lower():
        return None  # "đúng" is a yes
    parts = found.groupdict()
    if verb in {Verb.SUBSCRIBE, Verb.UNSUBSCRIBE} and (parts.get("rest") or "").split(" ")[0] in _NO_SUBJECT:
        parts["rest"] = ""
    number = parts.get("number")
    return Command(
        verb,
        code_in(parts.get("code") or ""),
        int(number) if number else None,
        (parts.get("rest") or "").strip(),
    )


def _after_code(text: str) -> str:
    found = CODE.search(text)
    return text[found.end() :].strip(" ,:.\n") if found else ""
