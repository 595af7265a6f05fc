"""The script: what an announcer or a speech engine reads, where the machine is unsure, and how long it takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bot.rules.read_aloud.dates import DATES
from bot.rules.read_aloud.documents import DOCUMENTS
from bot.rules.read_aloud.letters import CODES
from bot.rules.read_aloud.links import LINKS
from bot.rules.read_aloud.measures import MEASURES, PLAIN_NUMBERS
from bot.rules.read_aloud.phones import PHONES
from bot.rules.read_aloud.scanner import Token, by_beginning, scan, tidy
from bot.rules.read_aloud.shaping import is_shouted, lines_of, names_in
from bot.rules.read_aloud.signs import FIRST, SIGNS
from bot.rules.read_aloud.times import TIMES
from bot.rules.read_aloud.words import WORDS

RULES = by_beginning((
    *LINKS, *FIRST, *DOCUMENTS, *TIMES, *DATES, *PHONES, *CODES, *MEASURES, *WORDS, *PLAIN_NUMBERS, *SIGNS,
))  # fmt: skip

SLOWEST, FASTEST = 120, 150  # words a minute, domain §13
_MOST_REPEATED = 3
_LABEL = re.compile(r"(?:\w+ , )?(?:thời gian|địa điểm|nơi|lúc|bắt đầu)(?!\w)", re.IGNORECASE)
_INTRODUCTION = re.compile(r"(?:căn cứ|kính gửi|thực hiện|theo)(?!\w)", re.IGNORECASE)
_ASKED = re.compile(r"hỏi :", re.IGNORECASE)
_PLACE = re.compile(
    r"(?<!\w)(?:địa điểm|tại|ở|nơi|nhà văn hóa|hội trường|trụ sở|trạm y tế|thôn|ấp|xóm|bản|khu phố|tổ dân phố|đường"
    r"|trường|sân|chợ)(?!\w)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Unsure:
    """A part of the script that is a guess: where it stands there, and what was written."""

    start: int
    end: int
    words: str


@dataclass(frozen=True, slots=True)
class Script:
    """A text to be read aloud."""

    text: str
    unsure: tuple[Unsure, ...] = ()
    syllables: int = 0


class Seconds(NamedTuple):
    """How long reading takes: by a quick announcer, and by one who takes their time."""

    shortest: int
    longest: int


Sentence = Sequence[Token]


def read_aloud(text: str) -> Script:
    """A text as it is said: nothing shortened, no digit left, lists and asides as sentences."""
    return _script(sentences_of(text))


def script_of(title: str, body: str, commune: str) -> Script:
    """The announcement with greeting and close; what holds time and place is said a second time, word by word.

    Questions and answers are said once: what is repeated without the other would belong to nobody.
    """
    told = [*sentences_of(title, known=f"{body} {commune}"), *sentences_of(body, known=commune)]
    again = [] if _is_talk(told) else _worth_repeating(told)
    return _script(
        [
            *sentences_of(f"Kính thưa bà con {_of_place(commune)}!" if commune.strip() else "Kính thưa bà con!"),
            *sentences_of("Sau đây là thông báo:"),
            *told,
            *(sentences_of("Xin nhắc lại:") if again else []),
            *again,
            *sentences_of("Xin cảm ơn bà con đã lắng nghe."),
        ]
    )


def reading_time(script: Script) -> Seconds:
    """At 120 to 150 words a minute, of which each is one syllable in Vietnamese."""
    return Seconds(-(-script.syllables * 60 // FASTEST), -(-script.syllables * 60 // SLOWEST))


def sentences_of(text: str, *, known: str = "") -> list[Sentence]:
    """The sentences of a text as tokens; `known`: other words that tell which words are names."""
    names = names_in(f"{text} {known}")
    return [sentence for line in lines_of(text) for sentence in _sentences(line, names)]


def _sentences(line: str, names: frozenset[str]) -> Iterable[Sentence]:
    shouted = is_shouted(line)
    tokens = tidy(scan(line, RULES, is_shouted=shouted))
    if shouted:
        tokens = [_named(token, names) for token in tokens]
    if tokens and tokens[-1].is_mark and tokens[-1].text in ",;":
        tokens.pop()
    if tokens and not tokens[-1].is_mark:
        tokens.append(Token("."))
    sentence: list[Token] = []
    for token in tokens:
        sentence.append(token)
        if token.ends:
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _named(token: Token, names: frozenset[str]) -> Token:
    name = token.text.capitalize()
    return Token(name, token.is_time, token.unsure) if name in names else token


def _of_place(commune: str) -> str:
    kind, _, name = commune.strip().partition(" ")
    return f"{kind.lower()} {name}" if kind.lower() in {"xã", "phường", "thị", "đặc"} else commune.strip()


def _worth_repeating(told: Sequence[Sentence]) -> list[Sentence]:
    """The few sentences that say best when and where, in their order; one says where if any does."""
    ranked = sorted((-worth, place) for place, one in enumerate(told) if (worth := worth_of(one)))
    chosen = [place for _, place in ranked[:_MOST_REPEATED]]
    if chosen and not any(_holds_place(told[place]) for place in chosen):
        chosen[-1] = next((place for _, place in ranked if _holds_place(told[place])), chosen[-1])
    return [told[place] for place in sorted(chosen)]


def _is_talk(told: Sequence[Sentence]) -> bool:
    return any(_ASKED.match(" ".join(token.text for token in one)) for one in told)


def worth_of(sentence: Sentence) -> int:
    """How much a sentence says of when and where: a label most, then an hour, a day, a place; introductions nothing."""
    words = " ".join(token.text for token in sentence)
    if _INTRODUCTION.match(words) or sentence[-1].text == ":":
        return 0
    times = [token.text for token in sentence if token.is_time]
    has_place = _holds_place(sentence)
    has_label = (times or has_place) and _LABEL.match(words)
    return 4 * bool(has_label) + 2 * any("giờ" in one for one in times) + bool(times) + has_place


def _holds_place(sentence: Sentence) -> bool:
    return _PLACE.search(" ".join(token.text for token in sentence)) is not None


def _script(sentences: Sequence[Sentence]) -> Script:
    parts: list[str] = []
    unsure: list[Unsure] = []
    at = 0
    for token, is_first in ((token, not place) for one in sentences for place, token in enumerate(one)):
        text = _capital(token.text) if is_first else token.text
        space = "" if token.is_mark or not parts else " "
        if token.unsure:
            unsure.append(Unsure(at + len(space), at + len(space) + len(text), token.unsure))
        parts.append(space + text)
        at += len(space) + len(text)
    text = "".join(parts)
    return Script(text, tuple(unsure), _syllables(text))


def _capital(text: str) -> str:
    first = text[:1].upper()
    return first + text[1:] if len(first) == 1 else text


def _syllables(text: str) -> int:
    return len(re.findall(r"[^\W_]+", text))
