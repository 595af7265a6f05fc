"""Letters: their Vietnamese names, what could be a syllable, and codes that are spelt."""

from __future__ import annotations

import re
import unicodedata

from bot.rules.read_aloud import numbers
from bot.rules.read_aloud.scanner import Around, Rule, Said, Token
from bot.rules.read_aloud.wordlist import meaning

_NAMES = {
    "a": "a", "ă": "á", "â": "ớ", "b": "bê", "c": "xê", "d": "dê", "đ": "đê", "e": "e", "ê": "ê", "f": "ép-phờ",
    "g": "giê", "h": "hát", "i": "i", "j": "gi", "k": "ca", "l": "e-lờ", "m": "em-mờ", "n": "en-nờ", "o": "o",
    "ô": "ô", "ơ": "ơ", "p": "pê", "q": "quy", "r": "e-rờ", "s": "ét-xì", "t": "tê", "u": "u", "ư": "ư", "v": "vê",
    "w": "vê kép", "x": "ích-xì", "y": "i-cờ-rét", "z": "dét",
}  # fmt: skip
_ONSET = r"(?:ngh|ng|nh|gh|gi|kh|ph|th|tr|ch|qu|[bcdghklmnpqrstvx])?"
_RIME = (
    r"(?:uye|uya|uyu|oai|oay|oao|oeo|uay|uoi|uou|ieu|yeu|ia|ie|iu|ai|ao|au|ay|eo|eu|oa|oe|oi|oo|ua|ue|ui|uo|uu|uy|ye"
    r"|[aeiouy])(?:ch|ng|nh|[cmnpt])?"
)
_SYLLABLE = re.compile(_ONSET + _RIME)


def spelt(letters: str) -> str:
    """Letter by letter and digit by digit."""
    return " ".join(_named(sign) for sign in letters.lower() if sign.isalnum())


def _named(sign: str) -> str:
    return _NAMES.get(sign) or (numbers.DIGITS[int(sign)] if sign.isdecimal() else sign)


def plain(word: str) -> str:
    """The word in small letters without its accents."""
    open_word = unicodedata.normalize("NFD", word.lower().replace("đ", "d"))
    return "".join(sign for sign in open_word if not unicodedata.combining(sign))


def is_syllable(word: str) -> bool:
    """Could this be said as one Vietnamese syllable?"""
    return _SYLLABLE.fullmatch(plain(word)) is not None


# ---- codes ---------------------------------------------------------------------------------------------------------

_CODE = re.compile(r"(?=[A-ZĐ\d.\-]{0,30}[A-ZĐ])[A-ZĐ\d]{1,20}(?:[-.][A-ZĐ\d]{1,20}){1,5}(?![\w-])")
_BARE_CODE = re.compile(r"(?=[A-Z\d]{0,20}\d)(?=[A-Z\d]{0,20}[A-Z])[A-Z\d]{4,20}(?!\w)")
_NAMED_CODES = ("mã", "mã số", "mã hồ sơ", "mã phản ánh", "mã tra cứu", "biển", "biển số", "phiếu", "hồ sơ", "số hiệu")


def _code(match: re.Match[str], around: Around) -> Said:
    groups = re.split(r"[-.]", match[0])
    if known := meaning(match[0]):
        return known
    if "." in match[0] and len(groups) == 2 and meaning(groups[0], "number", "name"):
        return None
    if not any(group.isdecimal() or not group.isalpha() for group in groups):
        return None
    is_word = len(groups[0]) > 2 and groups[0].isalpha() and is_syllable(groups[0])
    if is_word and len(groups) == 2 and not around.follows(*_NAMED_CODES):
        return None
    return _in_groups([spelt(group) for group in groups])


def _bare_code(match: re.Match[str], around: Around) -> Said:
    return spelt(match[0]) if around.follows(*_NAMED_CODES) else None


def _in_groups(groups: list[str]) -> list[Token]:
    return [token for group in groups for token in (Token(","), Token(group))][1:]


CODES = (Rule(_CODE, _code, "dl"), Rule(_BARE_CODE, _bare_code, "dl"))
