"""Every sentence a citizen may receive, from the catalogues beside this file (domain §10), as a channel can carry it.

A sentence whose variable is empty is never sent: `EmptyVariable` names it and a person is told instead.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from string import Formatter

from bot.rules.deadlines import VIETNAM

CATALOGUES = Path(__file__).parent / "catalogue"
LANGUAGES = ("vi", "en")
SMS_LENGTH = 160
_SHORTEST_VARIABLE = 8
# What is worth nothing when it is cut.
_NEVER_CUT = frozenset({"ma", "ma0", "ma2", "so", "sdttruc", "han", "ngay", "mo", "dt", "malk"})


class EmptyVariable(Exception):
    """A text cannot be said because one of its variables is empty."""

    def __init__(self, key: str, variable: str) -> None:
        super().__init__(f"text {key!r} lacks {variable!r}")
        self.key = key
        self.variable = variable


@dataclass(frozen=True)
class Choice:
    """One of the answers offered with a question: what it means and what it is called."""

    value: str
    label: str


@dataclass(frozen=True)
class Template:
    """A text of a catalogue: its words, its form for SMS ("" when there is none), the answers it offers, the occasion."""

    words: str
    sms: str = ""
    choices: tuple[Choice, ...] = ()
    when: str = ""

    @property
    def variables(self) -> frozenset[str]:
        """What must be filled in."""
        return frozenset(variables_in(self.words) + variables_in(self.sms))


@dataclass(frozen=True)
class Own:
    """A commune's own wording of a text; empty where it keeps the shipped one."""

    words: str = ""
    sms: str = ""


@dataclass(frozen=True)
class Text:
    """A sentence ready to send, the key it was made from, and the answers it offers."""

    key: str
    words: str
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Voice:
    """How we speak to somebody: in which language, within a short message or not, in a commune's own words or not.

    `has_buttons`: the channel shows the choices itself; without them they are numbered lines of the text.
    """

    language: str = "vi"
    is_sms: bool = False
    has_buttons: bool = False
    own: Mapping[tuple[str, str], Own] = field(default_factory=dict)

    def moment(self, at: datetime) -> str:
        """A date and hour as there is room for them."""
        return short_moment(at) if self.is_sms else moment(at, self.language)

    def state(self, value: str) -> str:
        """What a ticket's state is called."""
        return STATE_WORDS.get(self.language, STATE_WORDS["vi"])[value]

    def phrase(self, key: str, **variables: str) -> str:
        """A few words that stand within a sentence."""
        return PHRASES.get(self.language, PHRASES["vi"])[key].format(**variables)

    def say(self, key: str, **variables: str) -> Text:
        """The sentence of this key with its variables; EmptyVariable if one of them is missing or empty."""
        template = template_of(key, self.language)
        own = self.own.get((key, self.language), Own())
        if self.is_sms:
            short = own.sms or template.sms
            words = (
                _short(key, short, variables) if short else plain(_filled(key, own.words or template.words, variables))
            )
            return Text(key, words, template.choices)
        words = _filled(key, own.words or template.words, variables)
        if template.choices and not self.has_buttons:
            words = f"{words}\n{numbered([choice.label for choice in template.choices])}"
        return Text(key, words, template.choices)


def say(key: str, **variables: str) -> Text:
    """The shipped Vietnamese sentence of this key, as channels with room carry it."""
    return Voice().say(key, **variables)


def numbered(labels: list[str]) -> str:
    """Answers as one says them where there are no buttons: "1) Đồng ý · 2) Xem thêm"."""
    return " · ".join(f"{n}) {label}" for n, label in enumerate(labels, 1))


def template_of(key: str, language: str = "vi") -> Template:
    """The shipped text of this key; Vietnamese where the language has none. KeyError for no such key."""
    return catalogue(language).get(key) or catalogue("vi")[key]


@cache
def catalogue(language: str) -> dict[str, Template]:
    """All texts of a language, by key."""
    with (CATALOGUES / f"{language}.toml").open("rb") as file:
        rows = tomllib.load(file)
    return {
        key: Template(
            row["text"].strip(),
            row.get("sms", "").strip(),
            tuple(Choice(value, label) for value, label in row.get("choices", {}).items()),
            row.get("when", ""),
        )
        for key, row in rows.items()
    }


def keys() -> list[str]:
    """All texts there are."""
    return list(catalogue("vi"))


def labels_of(key: str) -> dict[str, list[str]]:
    """What the answers to a question are called, in every language, by value."""
    names: dict[str, list[str]] = {}
    for language in LANGUAGES:
        for choice in template_of(key, language).choices:
            names.setdefault(choice.value, []).append(choice.label)
    return names


def variables_in(words: str) -> list[str]:
    """The variables of a text, in their order; ValueError when its braces do not match."""
    return [name for _, name, _, _ in Formatter().parse(words) if name is not None]


def filled(words: str, **variables: str) -> str:
    """An official's own sentence with these variables put in; braces that name none of them stay as they are."""
    for name, value in variables.items():
        words = words.replace("{" + name + "}", value)
    return words


def plain(words: str) -> str:
    """The words without accents, in characters every telephone can show; what has no such form becomes a space."""
    bare = "".join(c for c in unicodedata.normalize("NFD", words.translate(_PLAIN)) if not unicodedata.combining(c))
    return "".join(c if c.isascii() and (c.isprintable() or c == "\n") else " " for c in bare).replace("  ", " ")


_PLAIN = str.maketrans(
    {"đ": "d", "Đ": "D", "–": "-", "—": "-", "“": '"', "”": '"', "‘": "'", "’": "'", "…": "...", "•": "-", "·": ","}
)


def _filled(key: str, words: str, variables: Mapping[str, str]) -> str:
    for name in variables_in(words):
        if not variables.get(name, "").strip():
            raise EmptyVariable(key, name)
    return words.format(**variables)


def _short(key: str, words: str, variables: Mapping[str, str]) -> str:
    """One short message: the longest variables give way until it fits."""
    values = {name: " ".join(plain(variables.get(name, "")).split()) for name in variables_in(words)}
    text = _filled(key, words, values)
    while len(text) > SMS_LENGTH:
        name = max(values.keys() - _NEVER_CUT, key=lambda name: (len(values[name]), name), default="")
        if not name or len(values[name]) <= _SHORTEST_VARIABLE:
            break
        # The longest gives way first, and not more than the second longest would have to.
        values[name] = values[name][: max(_SHORTEST_VARIABLE, len(values[name]) - 4)].rstrip(" ,.;:-")
        text = _filled(key, words, values)
    return text


def moment(at: datetime, language: str = "vi") -> str:
    """A date and hour as people say them here."""
    between = "on" if language == "en" else "ngày"
    return at.astimezone(VIETNAM).strftime(f"%H:%M {between} %d/%m/%Y")


def short_moment(at: datetime) -> str:
    """A date and hour in as few characters as they can be understood."""
    return at.astimezone(VIETNAM).strftime("%Hh%M %d/%m")


def day(at: datetime) -> str:
    """A date as people write it here."""
    return at.astimezone(VIETNAM).strftime("%d/%m/%Y")


def month(written: str) -> str:
    """A month kept as "2026-11" as people write it here; what is written otherwise stays."""
    year, dash, number = written.partition("-")
    is_month = dash and len(year) == 4 and year.isdecimal() and number.isdecimal() and len(number) == 2
    return f"tháng {int(number)}/{year}" if is_month else written


STATE_WORDS: Mapping[str, Mapping[str, str]] = {
    "vi": {
        "moi": "Đã gửi, chờ tiếp nhận",
        "da_tiep_nhan": "Đã tiếp nhận",
        "cho_bo_sung": "Cần ông/bà bổ sung thông tin",
        "da_chuyen": "Đã chuyển đơn vị xử lý",
        "dang_xu_ly": "Đang xử lý",
        "cho_duyet": "Đang hoàn thiện trả lời",
        "da_tra_loi": "Đã có kết quả",
        "da_dong": "Đã kết thúc",
        "mo_lai": "Đang xem xét lại",
        "khong_tiep_nhan": "Không tiếp nhận",
        "chuyen_cap_tren": "Đã chuyển cơ quan có thẩm quyền",
        "trung_lap": "Đã ghép với phản ánh cùng sự việc",
        "rut": "Ông/bà đã rút phản ánh",
    },
    "en": {
        "moi": "sent, waiting to be taken up",
        "da_tiep_nhan": "taken up",
        "cho_bo_sung": "waiting for more details from you",
        "da_chuyen": "passed to the unit in charge",
        "dang_xu_ly": "being worked on",
        "cho_duyet": "the answer is being finished",
        "da_tra_loi": "answered",
        "da_dong": "closed",
        "mo_lai": "being looked at again",
        "khong_tiep_nhan": "not taken up",
        "chuyen_cap_tren": "passed to the competent authority",
        "trung_lap": "joined to a report of the same matter",
        "rut": "withdrawn by you",
    },
}

PHRASES: Mapping[str, Mapping[str, str]] = {
    "vi": {
        "no_deadline": "theo quy định",
        "none": "chưa có",
        "agreed": "đã đồng ý ngày {ngay}",
        "refused": "không",
        "no_news": "không nhận",
        "all_news": "tất cả thông báo",
        "group_news": "thông báo của nhóm đã tham gia, thông báo chung",
        "group": "nhóm {ten}",
        "at": "{gi} tại {noi}",
    },
    "en": {
        "no_deadline": "as the law sets it",
        "none": "none",
        "agreed": "given on {ngay}",
        "refused": "refused",
        "no_news": "none",
        "all_news": "all announcements",
        "group_news": "those of the groups joined, general ones",
        "group": "group {ten}",
        "at": "{gi} in {noi}",
    },
}


# Keys of a channel that hand something over with one press; they stand beside the words of the catalogue.
_SHARE = {
    "location": {"vi": "Gửi vị trí của tôi", "en": "Send my position"},
    "contact": {"vi": "Gửi số điện thoại của tôi", "en": "Send my phone number"},
}
_SKIP = {"vi": "Bỏ qua", "en": "Skip"}


def share_label(what: str, language: str) -> str:
    """What the key says that hands over a "location" or a "contact"."""
    return _SHARE[what].get(language, _SHARE[what]["vi"])


def skip_label(language: str) -> str:
    """What the key says beside it, for whoever does not want to."""
    return _SKIP.get(language, _SKIP["vi"])
