"""Identity: the name, village and telephone in what somebody says about themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from nlp.normalise import fold
from nlp.reading import PlaceGuess, Span

_INTRODUCES = re.compile(
    r"\b(?:(?:toi|em|minh|chau|con|tui|ong|ba|chu|co|bac) (?:ten )?la|"
    r"(?:ten|ho ten|ho va ten)(?: (?:toi|em|minh|tui|chau))?(?: la|:)|my name is)\b"
)
_BEFORE_A_NAME = re.compile(
    r"(?:(?:dạ|da|thưa)\s+)?(?:(?:tôi|toi|em|mình|minh|cháu|chau|con|tui)\s+)?(?:(?:họ\s+và\s+|ho\s+va\s+|họ\s+|ho\s+)?(?:tên|ten)"
    r"\s*(?:là|la|:)?|là|la)\s+|^dạ\s+",
    re.IGNORECASE,
)
_LIVES = re.compile(r"\b(?:thon|to|xom|ap|khu pho|kp|khu|buon|lang|ban|doi|so nha|duong|ngo|hem|tdp)\b\.? ?\w")
_AT = re.compile(r"\s+(?:ở|o|tại|tai|nhà ở|trú tại|sống ở)\s+", re.IGNORECASE)
_PAUSES = re.compile(r"\s*[,;\n–|.]\s*|\s+-\s+")
_FEWEST_NAME_WORDS, _MOST_NAME_WORDS = 2, 6


@dataclass(frozen=True)
class Identity:
    """What somebody said of themselves; empty where they said nothing."""

    name: str = ""
    address: str = ""
    phone: str = ""


def introduces(folded: str) -> bool:
    """Whether the writer says who they are."""
    return _INTRODUCES.search(folded) is not None


def looks_like_name(text: str) -> bool:
    """Whether nothing but a name in capitals stands there: "Võ Thành Long"."""
    words = text.strip(" .,!").split()
    return _FEWEST_NAME_WORDS <= len(words) < _MOST_NAME_WORDS and all(w.isalpha() and w[0].isupper() for w in words)


def identity_in(text: str, data: Iterable[Span], places: Iterable[PlaceGuess]) -> Identity:
    """Who the writer says they are. `data`, `places`: what was found in the text."""
    spans = list(data)
    phone = next((text[s.start : s.end] for s in spans if s.kind == "phone"), "")
    words = text.replace(phone, " ") if phone else text
    address = next((p.name for p in places if p.level == "place"), "")
    pieces = [piece for part in _PAUSES.split(words) for piece in _AT.split(part) if piece.strip()]
    if not address:
        address = next((p[found.start() :].strip() for p in pieces if (found := _LIVES.search(fold(p)))), "")
    name = next((text[s.start : s.end] for s in spans if s.kind == "name"), "") or _name_in(pieces)
    return Identity(_tidy(name)[:120], " ".join(address.split())[:300], re.sub(r"[^\d+]", "", phone)[:32])


def _name_in(pieces: list[str]) -> str:
    for piece in pieces:
        bare = _BEFORE_A_NAME.sub("", piece, count=1).strip()
        lives = _LIVES.search(fold(bare))
        if lives:
            bare = bare[: lives.start()].strip()
        words = [] if fold(bare) in {"o", "tai", "nha"} else bare.split()
        if 0 < len(words) <= _MOST_NAME_WORDS and all(word.replace("'", "").isalpha() for word in words):
            return bare
    return ""


def _tidy(name: str) -> str:
    words = name.split()
    return " ".join(word[:1].upper() + word[1:] if word.islower() else word for word in words)
