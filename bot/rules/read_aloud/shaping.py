"""Shaping: an announcement as it is typed, with bullets and decoration, as lines that are read one after the other."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

_BULLET = re.compile(r"^[\s>]*(?:(?:[-–—−•●○▪▫■□◦‣⁃*+✓✔✅➤►▶→⇒·»❖◆♦]|#{1,6}(?=\s))\s*)+(?!\d)|^[\s>]*[-–•*+]\s+")
_KEYCAP = re.compile("(\\d)\ufe0f?\u20e3")
_ENDED = (".", "!", "?", ":", ";", "…")


def lines_of(text: str) -> list[str]:
    """The lines of a text; what an editor wrapped is put together again."""
    lines: list[str] = []
    for written in _KEYCAP.sub(r"\1. ", text).splitlines():
        line = _BULLET.sub("", plain_signs(written)).strip()
        if not line:
            continue
        is_new = _BULLET.match(written) is not None or not lines or not _goes_on(lines[-1], line)
        if is_new:
            lines.append(line)
        else:
            lines[-1] += f" {line}"
    return lines


def is_shouted(line: str) -> bool:
    """Written in capitals as a whole, as titles are: then capitals say nothing about abbreviations."""
    letters = [sign for sign in line if sign.isalpha()]
    words = [word for word in line.split() if len(word) > 1]
    return len(words) > 2 and sum(sign.isupper() for sign in letters) > 0.8 * len(letters)


def names_in(text: str) -> frozenset[str]:
    """Words with a capital in the middle of sentences: they keep it where a line is written in capitals."""
    words = text.split()
    return frozenset(
        word.strip(".,;:!?()") for before, word in pairwise(words) if before[-1].islower() and word.istitle()
    )


def plain_signs(text: str) -> str:
    """Composed letters, ordinary digits and spaces, nothing that cannot be seen."""
    return "".join(
        _plain(sign, text[max(0, at - 1) : at]) for at, sign in enumerate(unicodedata.normalize("NFC", text))
    )


def _plain(sign: str, before: str) -> str:
    if sign.isascii():
        return sign if sign.isprintable() else " "
    category = unicodedata.category(sign)
    if category == "Nd":
        return str(unicodedata.decimal(sign))
    if category in {"No", "Nl"}:
        if sign in "²³" and before in ("m", "M"):
            return "2" if sign == "²" else "3"
        simple = unicodedata.normalize("NFKC", sign).replace("⁄", "/")
        return f" {simple}" if simple.isascii() else " "
    if category == "Zs":
        return " "
    return "" if category in {"Cf", "Mn"} and sign not in "\u0323\u0301\u0300\u0309\u0303" else sign


def _goes_on(line: str, following: str) -> bool:
    return not line.endswith(_ENDED) and following[0].islower()
