"""Keystrokes: Vietnamese syllables typed in raw Telex or VNI, given back as plain syllables."""

from __future__ import annotations

import re
from functools import lru_cache

from nlp.remembered import Remembered

_INITIALS = "b|c|ch|d|g|gh|gi|h|k|kh|l|m|n|ng|ngh|nh|p|ph|qu|r|s|t|th|tr|v|x"
_RIMES = (
    "a|ac|ach|ai|am|an|ang|anh|ao|ap|at|au|ay|e|ec|ech|em|en|eng|enh|eo|ep|et|eu|i|ia|ich|iec|iem|ien|ieng|iep|iet"
    "|ieu|im|in|inh|ip|it|iu|o|oa|oac|oach|oai|oam|oan|oang|oanh|oao|oap|oat|oay|oc|oe|oen|oeo|oet|oi|om|on|ong"
    "|ooc|oong|op|ot|u|ua|uan|uang|uat|uay|uc|ue|uech|uenh|ui|um|un|ung|uo|uoc|uoi|uom|uon|uong|uop|uot|uou|up|ut"
    "|uu|uy|uya|uych|uyen|uyet|uynh|uyt|uyu|y|yem|yen|yeng|yet|yeu"
)
_SYLLABLE = re.compile(rf"(?:{_INITIALS})?(?:{_RIMES})\Z")
_VOWEL = re.compile("[aeiouy]")
_DOUBLE = re.compile("(a)a|(e)e|(o)o")
_VNI = re.compile(r"[a-z][a-z1-9]*[1-9][a-z1-9]*\Z")
_LONGEST = 12

# English and brand words, and highland names, that would decode into a syllable they are not.
_NOT_TELEX = frozenset(
    [
        "as",
        "bar",
        "bars",
        "bass",
        "been",
        "bees",
        "boss",
        "bow",
        "bows",
        "box",
        "bus",
        "cafe",
        "car",
        "card",
        "cars",
        "cas",
        "cool",
        "cos",
        "cost",
        "dar",
        "deer",
        "door",
        "dos",
        "door",
        "east",
        "ex",
        "fax",
        "food",
        "foot",
        "for",
        "gas",
        "gar",
        "good",
        "has",
        "her",
        "his",
        "how",
        "is",
        "its",
        "kar",
        "law",
        "list",
        "los",
        "loss",
        "low",
        "mar",
        "mas",
        "max",
        "meet",
        "mes",
        "mix",
        "moon",
        "more",
        "mos",
        "need",
        "new",
        "news",
        "next",
        "noon",
        "nor",
        "nos",
        "now",
        "or",
        "os",
        "part",
        "pass",
        "pay",
        "per",
        "pool",
        "por",
        "port",
        "pos",
        "post",
        "raw",
        "relax",
        "room",
        "ros",
        "row",
        "sar",
        "saw",
        "seen",
        "sees",
        "ser",
        "sex",
        "show",
        "six",
        "soon",
        "sos",
        "sport",
        "sun",
        "tar",
        "tax",
        "teen",
        "tees",
        "term",
        "test",
        "tests",
        "tex",
        "text",
        "tom",
        "too",
        "tor",
        "tools",
        "tour",
        "tur",
        "us",
        "was",
        "wes",
        "wow",
        "yes",
        "dur",
        "ktur",
        "puh",
        "lux",
        "ux",
        "ax",
        "ox",
        "ix",
        "ios",
        "bos",
        "gps",
        "sms",
        "her",
        "hers",
        "here",
        "how",
        "hero",
        "mail",
        "see",
        "wifi",
        "web",
        "zoom",
        "view",
    ]
)
# Words that a number follows without a space in ordinary Vietnamese: "lop5" is class 5, not a tone.
_NOT_VNI = frozenset(
    [
        "lop",
        "khoi",
        "tang",
        "phong",
        "can",
        "toa",
        "nha",
        "so",
        "lo",
        "khu",
        "quan",
        "ngay",
        "thang",
        "nam",
        "cap",
        "hang",
        "bac",
        "mau",
        "tuan",
        "doan",
        "cau",
        "cong",
        "tram",
        "cot",
        "tru",
        "quy",
        "giai",
        "vong",
        "bai",
        "ky",
        "trang",
        "nhom",
        "to",
        "xom",
        "thon",
        "ap",
        "doi",
        "khom",
        "ngo",
        "hem",
        "kiet",
        "ngach",
        "ban",
        "buon",
        "lang",
        "xa",
        "phuong",
    ]
)


def _is_syllable(word: str) -> bool:
    return len(word) <= 7 and _SYLLABLE.match(word) is not None


SYLLABLES = Remembered(_is_syllable)


def is_syllable(word: str) -> bool:
    """Whether a folded word has the shape of a Vietnamese syllable."""
    return SYLLABLES[word]


@lru_cache(maxsize=16384)
def from_telex(word: str) -> tuple[str, bool] | None:
    """The syllable behind a folded word typed in raw Telex, and whether its spelling leaves no doubt."""
    if not 2 < len(word) <= _LONGEST or not word.isascii() or not word.isalpha():
        return None
    if word in _NOT_TELEX or is_syllable(word):
        return None
    bare = "d" + word[2:] if word.startswith("dd") else word
    bare = _DOUBLE.sub(lambda m: m[0][0], bare.replace("w", ""))
    is_sure = bare != word
    if is_syllable(bare):
        return bare, is_sure
    first = _VOWEL.search(bare)
    if first is None:
        return None
    for at in range(len(bare) - 1, first.end() - 1, -1):
        if bare[at] in "sfrxj":
            found = _DOUBLE.sub(lambda m: m[0][0], bare[:at] + bare[at + 1 :])
            if is_syllable(found):
                return found, is_sure
    return None


@lru_cache(maxsize=16384)
def from_vni(word: str) -> tuple[str, bool] | None:
    """The syllable behind a folded word typed in raw VNI, and whether its spelling leaves no doubt."""
    if not 2 < len(word) <= _LONGEST or not word.isascii() or _VNI.match(word) is None:
        return None
    letters = "".join(c for c in word if c.isalpha())
    digits = [c for c in word if c.isdigit()]
    tones = [d for d in digits if d < "6"]
    if letters in _NOT_VNI or not is_syllable(letters) or len(tones) > 1 or len(digits) > 4:
        return None
    needs = {"6": "aeo", "7": "ou", "8": "a", "9": "d"}
    if any(not set(needs[d]) & set(letters) for d in digits if d in needs):
        return None
    return letters, len(digits) > 1 or len(letters) > 3
