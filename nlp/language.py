"""Language: whether a text is Vietnamese, another language, or no words at all; by the shape of its syllables."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from nlp.characters import fold
from nlp.keystrokes import SYLLABLES
from nlp.normalise import Normalised

_MOST_WORDS = 300
# One word that is no syllable may be a name or a slip.
_FEWEST_STRANGE = 2
_LEAST_VIETNAMESE, _LEAST_ACCENTED = 0.6, 0.4
_LETTERS = re.compile(r"[^\W\d_]")
# Words of everybody, which tell nothing of the language around them.
_NEUTRAL = frozenset({
    "ok", "oke", "okay", "okie", "hi", "hello", "alo", "bye", "thanks", "thank", "zalo", "facebook", "fb", "messenger",
    "viber", "wifi", "karaoke", "camera", "internet", "email", "gmail", "mail", "admin", "ad", "add", "app", "web",
    "website", "link", "http", "https", "www", "com", "vn", "gov", "video", "clip", "online", "vneid", "sms", "sos",
    "pccc", "atm", "gps", "test", "stop", "start", "like", "page", "inbox", "ib", "cmt", "rep", "sdt", "k", "ko", "km",
})  # fmt: skip
# Letters that Vietnamese lacks, of languages spoken here that share most of its other letters.
_FOREIGN_LETTERS = frozenset("ĕŏŭĭčƀñǒěšžçßäöüåøñłőű")
# Everyday English words that happen to be shaped like Vietnamese syllables.
_ENGLISH = frozenset({
    "the", "to", "in", "can", "an", "so", "no", "do", "me", "he", "on", "at", "not", "a", "i", "my", "we", "it", "am",
    "go", "but", "then", "them", "men", "get", "up", "him", "hot", "bin", "that", "put", "let", "than",
    "be", "by", "met", "one", "come", "near", "light", "hole",
})  # fmt: skip

Language = Literal["vi", "other", "none"]


def language_of(text: Normalised) -> Language:
    """The language of a normalised text: "none" has no letters, and what cannot be told is "vi".

    Vietnamese without accents, in shorthand, or in raw keystrokes is Vietnamese; of a mixed text the greater part
    counts. Chinese, Khmer and other scripts, English, and Chăm, Êđê or Hmông in Latin letters are "other".
    """
    if text.is_ordinary and text.is_accented:
        return "vi"  # nothing but letters of Vietnamese, and its accents on many words
    pairs = zip(text.words[:_MOST_WORDS], text.written, strict=False)
    words = [(word, written) for word, written in pairs if word.isalpha()]
    if not text.is_ordinary:
        letters = _LETTERS.findall(text.accented[:4_000])
        if not letters:
            return "none"
        if sum(map(_is_latin, letters)) < len(letters) / 2:
            return "other"
    elif not words and _LETTERS.search(text.original) is None:
        return "none"
    return "vi" if _is_vietnamese(words, is_ordinary=text.is_ordinary) else "other"


def _is_latin(letter: str) -> bool:
    return letter.isascii() or fold(letter).isascii() or "LATIN" in unicodedata.name(letter, "")


def _is_vietnamese(pairs: list[tuple[str, str]], *, is_ordinary: bool) -> bool:
    """`pairs`: the words, each without accents and with."""
    words = [pair for pair in pairs if pair[0] not in _NEUTRAL and len(pair[0]) > 1]
    if not words:
        return True
    if not is_ordinary:
        foreign = sum(bool(_FOREIGN_LETTERS & set(written)) for _, written in words)
        if foreign * 5 >= len(words):
            return False
    shaped = [pair for pair in words if SYLLABLES[pair[0]]]
    accented = sum([written not in ("", word) for word, written in shaped])
    # Accents on syllables of the right shape leave no doubt, were the other words as strange as names can be.
    if accented >= _LEAST_ACCENTED * len(words):
        return True
    english = sum([word in _ENGLISH and written in ("", word) for word, written in shaped])
    strange = len(words) - len(shaped)
    if strange < _FEWEST_STRANGE:
        return True
    is_english = accented == 0 and english >= 0.5 * len(shaped)
    return len(shaped) >= _LEAST_VIETNAMESE * len(words) and not is_english
