"""Encodings: texts pasted from old fonts (VNI-Windows, TCVN3) or typed as VIQR, given back as Unicode with places.

A whole text is decoded or none of it: only when several of its words are no Vietnamese as they stand and nearly all
are once decoded. What decides about the old fonts are letters that no folded view has, and what decides about VIQR is
the folded view alone, so that reading a folded view again decodes nothing anew.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import NamedTuple

from nlp.characters import Views, fold
from nlp.keystrokes import is_syllable

_FEWEST_WORDS = 3
_GOOD, _BAD = 0.8, 0.5


class Decoded(NamedTuple):
    """A text in Unicode; `starts` and `ends` give the place of each of its code points in the original."""

    text: str
    starts: list[int]
    ends: list[int]


_TONES = {"`": "\u0300", "'": "\u0301", "?": "\u0309", "~": "\u0303", ".": "\u0323", "": ""}
# VNI-Windows: a vowel, and a sign after it for its tone or for its shape and tone together.
_VNI_PLAIN = {"ø": "`", "ù": "'", "û": "?", "õ": "~", "ï": "."}
_VNI_ROOF = {"à": "`", "á": "'", "å": "?", "ã": "~", "ä": ".", "â": ""}
_VNI_BREVE = {"è": "`", "é": "'", "ú": "?", "ü": "~", "ë": ".", "ê": ""}
_VNI_ALONE = {"ñ": "đ", "ö": "ư", "ô": "ơ", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}
_TCVN = dict(
    zip(
        "¡¢§£¤¥¦" + "¨©®ª«¬\xad" + "µ¸¶·¹" + "»¾¼½Æ" + "ÇÊÈÉË" + "ÌÐÎÏÑ" + "ÒÕÓÔÖ" + "×ÝØÜÞ" + "ßãáâä" + "åèæçé"
        "êíëìî" + "ïóñòô" + "õøö÷ù" + "úýûüþ",
        "ĂÂĐÊÔƠƯ" + "ăâđêôơư" + "àáảãạ" + "ằắẳẵặ" + "ầấẩẫậ" + "èéẻẽẹ" + "ềếểễệ" + "ìíỉĩị" + "òóỏõọ" + "ồốổỗộ"
        "ờớởỡợ" + "ùúủũụ" + "ừứửữự" + "ỳýỷỹỵ",
        strict=True,
    )
)
_VNI_SIGNS = re.compile("[ñöûïøäëüåÑÖÛÏØÄËÜÅ]")
_TCVN_SIGNS = re.compile("[¨ªµ¸¹¼½¾ÆÇËÎÏÑÖØÜÞßåçîïæëñ÷öøûüþ]")
_FEWEST_SIGNS = 3


@cache
def _vni() -> dict[str, str]:
    """VNI-Windows spellings of one letter, of one or two code points."""
    table = dict(_VNI_ALONE)
    for base in "aeoyu":
        for sign, tone in _VNI_PLAIN.items():
            table[base + sign] = base + _TONES[tone]
    for sign, tone in _VNI_PLAIN.items():
        table["ô" + sign] = "ơ" + _TONES[tone]
        table["ö" + sign] = "ư" + _TONES[tone]
    for sign, tone in _VNI_ROOF.items():
        table.update({base + sign: base + "\u0302" + _TONES[tone] for base in "aeo"})
    for sign, tone in _VNI_BREVE.items():
        table["a" + sign] = "a\u0306" + _TONES[tone]
    composed = {old: unicodedata.normalize("NFC", new) for old, new in table.items()}
    capitals = {old.upper(): new.upper() for old, new in composed.items()}
    mixed = {old[0].upper() + old[1:]: new.upper() for old, new in composed.items()}
    return {**mixed, **capitals, **composed}


def from_old_font(text: str) -> Decoded | None:
    """The text in Unicode when it was written with an old font, else None."""
    if text.isascii():
        return None
    for signs, table in ((_VNI_SIGNS, _vni()), (_TCVN_SIGNS, _TCVN)):
        if len(signs.findall(text)) >= _FEWEST_SIGNS:
            decoded = _decoded(text, table)
            if _share(decoded.text) >= _GOOD and _share(text) <= _BAD:
                return decoded
    return None


def _decoded(text: str, table: dict[str, str]) -> Decoded:
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(text):
        size = 2 if text[at : at + 2] in table and at + 1 < len(text) else 1
        letters.append(table.get(text[at : at + size], text[at]))
        starts.append(at)
        ends.append(at + size)
        at += size
    return Decoded("".join(letters), starts, ends)


_VIETNAMESE = frozenset("abcdeghiklmnopqrstuvxyăâđêôơưfjwz" + "".join(c for c in _TCVN.values()).lower())


def _share(text: str) -> float:
    """How many of the words with letters outside ASCII are Vietnamese; 0 when there are too few to tell."""
    words = [word for word in re.split(r"[\s,;:!?()\[\]\"/\-]+", text.lower()) if not word.isascii()]
    words = [word.strip(".") for word in words[:200]]
    if len(words) < _FEWEST_WORDS:
        return 0.0
    return sum(set(word) <= _VIETNAMESE and is_syllable(fold(word)) for word in words) / len(words)


# VIQR, read in the folded view: letters with the marks that follow them.
_VIQR_WORD = re.compile(r"(?<![a-z0-9])(?=[a-z]*[\^+(`'~?.])[a-z][a-z\^+(`'~?.]*(?![0-9])")
_VIQR_LETTER = re.compile(r"(d)d|([aeo])\^([`'?~.]?)|([ou])\+([`'?~.]?)|(a)\(([`'?~.]?)|([aeiouy])([`'?~.]?)|([a-z])")
_SHAPES = {"^": "\u0302", "+": "\u031b", "(": "\u0306"}


def from_viqr(seen: Views, text: str) -> Views:
    """The views of a text with VIQR spellings decoded, or as they are when it is not VIQR."""
    folded = seen.folded
    if len(folded) != len(seen.accented) or sum(map(folded.count, "^+(")) < _FEWEST_WORDS:
        return seen
    # The folded view writes a grave accent as an apostrophe.
    signs = "".join("`" if text[at] == "`" else c for at, c in zip(seen.starts, folded, strict=True))
    words = [(match, letters) for match in _VIQR_WORD.finditer(folded) if (letters := _viqr_letters(match, signs))]
    if sum(any(sign in match[0] for sign in _SHAPES) for match, _ in words) < _FEWEST_WORDS:
        return seen
    return _joined(seen, [cells for _, letters in words for cells in letters])


_Letter = tuple[int, int, str]


def _viqr_letters(match: re.Match[str], signs: str) -> list[_Letter]:
    """The letters of a word, each with the places it takes, when every mark belongs to a letter of a syllable."""
    word = signs[match.start() : match.end()]
    if not signs[match.end() : match.end() + 2].strip().isalpha():
        word = word.rstrip(".?")
    letters: list[_Letter] = []
    at = 0
    while at < len(word):
        letter = _VIQR_LETTER.match(word, at)
        if letter is None:
            return []
        letters.append((match.start() + at, match.start() + letter.end(), _composed(letter)))
        at = letter.end()
    is_word = len(word) > len(letters) and is_syllable(fold("".join(letter for *_, letter in letters)))
    return letters if is_word else []


def _composed(letter: re.Match[str]) -> str:
    if letter[1]:
        return "đ"
    signs = "".join(_SHAPES.get(c) or _TONES[c] for c in letter[0][1:])
    return unicodedata.normalize("NFC", letter[0][0] + signs)


def _joined(seen: Views, letters: list[_Letter]) -> Views:
    """Views in which some cells stand together for one letter; all cells have one character of the folded view."""
    folded: list[str] = []
    accented: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for start, end, letter in [*letters, (len(seen.folded), len(seen.folded), "")]:
        folded += seen.folded[at:start], fold(letter)
        accented += [*seen.accented[at:start], *([letter] if letter else [])]
        starts += [*seen.starts[at:start], *([seen.starts[start]] if letter else [])]
        ends += [*seen.ends[at:start], *([seen.ends[end - 1]] if letter else [])]
        at = end
    text = "".join(folded)
    return Views(text, range(len(text)), accented, starts, ends)
