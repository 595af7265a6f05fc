"""Addresses of pages and mailboxes, said so that a listener could write them down."""

from __future__ import annotations

import re
from functools import lru_cache

from bot.rules.read_aloud import numbers
from bot.rules.read_aloud.letters import is_syllable, spelt
from bot.rules.read_aloud.scanner import Around, Rule, Said, Token
from bot.rules.read_aloud.wordlist import commonness, meaning

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,40}[A-Za-z0-9])?"
_TOP = r"(?:vn|com|net|org|info|edu|gov|asia|io|app|me|link|ly)"
_MAIL = re.compile(rf"[A-Za-z0-9](?:[\w.+-]{{0,40}}\w)?@{_LABEL}(?:\.{_LABEL}){{0,5}}\.[A-Za-z]{{2,8}}(?!\w)", re.ASCII)
_LINK = re.compile(
    rf"(?:(?P<p>https?://)(?P<h>{_LABEL}(?:\.{_LABEL}){{0,5}})|(?P<b>(?:{_LABEL}\.){{1,5}}{_TOP})(?![\w@]))(?P<path>[/?#][^\s,;()\"”]*)?",
    re.ASCII | re.IGNORECASE,
)
_PAGE_WORDS = (
    "trang", "website", "web", "trang web", "địa chỉ", "cổng", "link", "liên kết", "fanpage", "đường dẫn", "thông tin",
    "trang thông tin", "thông tin điện tử", "cổng thông tin",
)  # fmt: skip
_MAIL_WORDS = ("email", "e-mail", "thư điện tử", "hòm thư", "mail", "hộp thư", "địa chỉ")
_PLAIN_LABELS = frozenset(
    {"gov", "vn", "com", "net", "org", "edu", "info", "zalo", "facebook", "google", "youtube", "me", "forms"}
)
_LONGEST_SYLLABLE = 7
_ONLY_FOUND = -8.0


def _mail(match: re.Match[str], around: Around) -> Said:
    box, _, host = match[0].rstrip(".").partition("@")
    words = f"{_dotted(box)} a còng {_dotted(host)}"
    return words if around.follows(*_MAIL_WORDS) else f"hòm thư điện tử {words}"


def _link(match: re.Match[str], around: Around) -> Said:
    host = (match["h"] or match["b"]).lower().removeprefix("www.")
    path = (match["path"] or "").rstrip(".:!?/")
    words = _dotted(host)
    if not around.follows(*_PAGE_WORDS):
        words = f"trang thông tin {words}"
    steps = [step for step in path.split("/") if step]
    if not steps:
        return [Token(words), *_sentence_end(match["path"] or "")]
    if len(path) > 40 or any(re.search(r"[^A-Za-z0-9.-]", step) for step in steps):
        return Token(words, unsure=match[0])
    said = " ".join(f"gạch chéo {_dotted(step)}" for step in steps)
    return Token(f"{words} {said}")


def _sentence_end(path: str) -> list[Token]:
    return [Token(path[-1])] if path[-1:] in tuple(".!?:") else []


def _dotted(name: str) -> str:
    parts = re.split(r"([._+-])", name)
    signs = {".": "chấm", "_": "gạch dưới", "-": "gạch ngang", "+": "cộng"}
    return " ".join(signs.get(part) or _label(part) for part in parts if part)


def _label(label: str) -> str:
    """One name between dots: words it can be parted into, else letters; digits one by one."""
    said = []
    for run in re.findall(r"[a-z]+|\d+|[^\W\d_]+", label.lower()):
        if run.isdecimal():
            said.append(numbers.by_digit(run))
        elif run in _PLAIN_LABELS:
            said.append(run)
        else:
            said.append(" ".join(syllables(run)) or spelt(run))
    return " ".join(said)


@lru_cache(maxsize=512)
def syllables(run: str) -> tuple[str, ...]:
    """The likeliest way to part a run of letters into Vietnamese syllables; () when there is none."""
    if meaning(run.upper()):
        return ()
    best: list[tuple[float, tuple[str, ...]] | None] = [(0.0, ()), *([None] * len(run))]
    for end in range(1, len(run) + 1):
        for start in range(max(0, end - _LONGEST_SYLLABLE), end):
            before, word = best[start], run[start:end]
            if before is None or not is_syllable(word) or (len(word) == 1 and word not in commonness()):
                continue
            score = before[0] + commonness().get(word, _ONLY_FOUND)
            if (known := best[end]) is None or score > known[0]:
                best[end] = (score, (*before[1], word))
    found = best[-1]
    return found[1] if found and len(found[1]) <= max(1, len(run) // 2) else ()


LINKS = (Rule(_MAIL, _mail, "dl"), Rule(_LINK, _link, "dl"))
