"""Noise: the same message as others would type it — without accents, chatty, misspelt, in raw Telex; for measuring."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Mapping

from nlp.characters import fold

_WORD = re.compile(r"[^\W\d_]+")
_TONES = {"\u0300": "f", "\u0301": "s", "\u0309": "r", "\u0303": "x", "\u0323": "j"}
_SHAPES = {"a\u0306": "aw", "a\u0302": "aa", "e\u0302": "ee", "o\u0302": "oo", "o\u031b": "ow", "u\u031b": "uw"}
_CHAT = {
    "không": "ko", "được": "dc", "rồi": "r", "gì": "j", "với": "vs", "vậy": "v", "biết": "bik", "quá": "wá",
    "người": "ng", "đường": "đg", "nhưng": "nhg", "mình": "mik", "bây giờ": "bh", "trước": "trc", "này": "nì",
    "những": "nhg", "cũng": "cx", "nữa": "nx", "luôn": "lun", "nhiều": "nh", "em": "e", "anh": "a", "chị": "c",
    "làm": "lm", "thôi": "thui", "sao": "s", "nhé": "nhá", "hôm": "hum", "điện thoại": "đt", "số": "sô", "phường": "p",
    "khu phố": "kp",
}  # fmt: skip
_SLIPS = {"tr": "ch", "ch": "tr", "s": "x", "x": "s", "d": "gi", "gi": "d", "l": "n", "n": "l", "r": "d"}
_SLIP_RATE, _ACCENT_RATE = 0.06, 0.08


def stripped(text: str) -> str:
    """Without accents."""
    return "".join(fold(char) if char.isalpha() else char for char in unicodedata.normalize("NFC", text))


def chat(text: str, dice: random.Random) -> str:
    """Teenage shorthand, lower case, hardly any punctuation."""
    lowered = unicodedata.normalize("NFC", text).lower()
    for word, short in _CHAT.items():
        if dice.random() < 0.8:
            lowered = re.sub(rf"\b{word}\b", short, lowered)
    return re.sub(r"[.;!]+(?=\s|$)", "", lowered)


def misspelt(text: str, dice: random.Random) -> str:
    """Letters swapped, left out and doubled, wrong first consonants and accents left off, in a few words."""

    def slip(match: re.Match[str]) -> str:
        word = match[0]
        roll = dice.random()
        if roll < _SLIP_RATE and len(word) > 2:
            return dice.choice((_swapped, _dropped, _doubled, _mistaken))(word, dice)
        return stripped(word) if roll < _SLIP_RATE + _ACCENT_RATE else word

    return _WORD.sub(slip, unicodedata.normalize("NFC", text))


def _swapped(word: str, dice: random.Random) -> str:
    at = dice.randrange(len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _dropped(word: str, dice: random.Random) -> str:
    at = dice.randrange(1, len(word))
    return word[:at] + word[at + 1 :]


def _doubled(word: str, dice: random.Random) -> str:
    at = dice.randrange(len(word))
    return word[: at + 1] + word[at] + word[at + 1 :]


def _mistaken(word: str, _: random.Random) -> str:
    lowered = word.lower()
    for right, wrong in _SLIPS.items():
        if lowered.startswith(right) and len(word) > len(right) + 1:
            return wrong + lowered[len(right) :]
    return word


def telex(text: str) -> str:
    """As typed on a keyboard whose Telex is off: "dduwowngf"."""
    return _WORD.sub(lambda match: _typed(match[0]), unicodedata.normalize("NFC", text))


def _typed(word: str) -> str:
    tone = ""
    out = []
    for char in word.lower():
        if char == "đ":
            out.append("dd")
            continue
        apart = unicodedata.normalize("NFD", char)
        base, marks = apart[0], apart[1:]
        tone = next((_TONES[m] for m in marks if m in _TONES), tone)
        shape = next((m for m in marks if m not in _TONES), "")
        out.append(_SHAPES.get(base + shape, base))
    return "".join(out) + tone


FORMS: Mapping[str, Callable[[str, random.Random], str]] = {
    "as written": lambda text, _: text,
    "without accents": lambda text, _: stripped(text),
    "chat": chat,
    "misspelt": misspelt,
    "telex": lambda text, _: telex(text),
}


def noisy(form: str, text: str) -> str:
    """A text in one of the FORMS; the same text always comes out the same."""
    return FORMS[form](text, random.Random(f"{form} {text}".encode("utf-8", "surrogatepass")))
