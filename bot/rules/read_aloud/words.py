"""Words: abbreviations that are known, capitals that are spelt and marked, Roman numerals, words in capitals."""

from __future__ import annotations

import re

from bot.rules.read_aloud import numbers
from bot.rules.read_aloud.letters import is_syllable, spelt
from bot.rules.read_aloud.measures import UNITS
from bot.rules.read_aloud.scanner import Around, Rule, Said, Token
from bot.rules.read_aloud.wordlist import abbreviations, is_doubtful, meaning

_DOTTED = re.compile(
    r"(?P<w>TP|Tp|tp|TX|Tx|TT|TM|KT|TL|T|P|Q|H|X|A|C|a|c|B|Ô|BS|TS|GS|Mr|Ms|ThS|PGS|KS|LS)\.\s?(?=[^\W_])"
)
_WITH_APOSTROPHE = re.compile(r"[A-ZĐ]['’][A-ZĐ][^\W\d_A-Z]+(?![^\W_])")
_INITIAL = re.compile(r"(?P<l>[A-ZĐ])(?:\.(?=\s?[(,;a-zà]))?(?![^\W_])")
_AFTER_NAME = re.compile(r"(?:^|\s)[A-ZĐ]\w*\s$")
_JOINED_TO_NUMBER = re.compile(r"(?P<w>[A-ZĐ]{1,8})\.?(?P<n>\d{1,4})(?P<x>[A-ZĐ]?)(?![^\W_]|[.,]\d)")
_MIXED = re.compile(r"(?=[A-Za-zĐđ]{0,8}\d)(?=\d{0,8}[A-ZĐ])[A-ZĐ\d]{2,12}(?![^\W_])")
_ROMAN = re.compile(r"[IVXL]{1,7}(?![^\W_])")
_NUMERAL_BEHIND = (
    "quý", "khóa", "khoá", "thứ", "lần thứ", "khu vực", "vùng", "cấp", "đợt", "loại", "chương", "đại hội", "thế kỷ",
    "hạng", "nhóm", "phần", "mục", "kỳ", "học kỳ", "hk", "bđ", "giai đoạn", "bậc", "báo động", "giải", "tuyến", "điểm",
    "kv", "độ", "và", "vụ", "số", "mức", "tập", "lần",
)  # fmt: skip
_LETTER_BEHIND = (
    "khu", "lớp", "lô", "nhà", "tổ", "cúm", "gan", "viêm gan", "vitamin", "hạng", "loại", "nhóm", "mẫu", "tuyến",
    "cột", "cổng", "tòa", "dãy", "bảng", "đội", "khối", "phòng", "cụm", "điểm", "phương án", "bước", "block", "ông",
    "bà", "thửa",
)  # fmt: skip
_SHORT = re.compile(r"[A-ZĐ]{1,15}(?![^\W_])")
_SHOUTED = re.compile(r"[^\W\d_]{2,40}(?![^\W_])")
_WITHOUT_VOWEL = re.compile(r"[B-DF-HJ-NP-TV-XZĐb-df-hj-np-tv-xzđ]{2,8}(?![^\W_])")
_CAMEL = re.compile(r"(?=[A-ZĐa-zđ]{0,20}(?:[a-zđ][A-ZĐ]|[A-ZĐ]{2}))[A-ZĐa-zđ]{2,24}(?![^\W_])")
_WORD = re.compile(r"[^\W_](?:[^\W\d_]|['’\-](?=[^\W\d_]))*|[^\W_]")


def _several(match: re.Match[str], _: Around) -> Said:
    return meaning(match[0]) or None


def _dotted(match: re.Match[str], around: Around) -> Said:
    """ "P. Long Hoa", "TP. Tân An", "A. Tư"; an initial behind a name ("ông Nguyễn Văn A.") ends a sentence instead."""
    word = match["w"]
    if len(word) == 1 and re.search(r"[A-ZĐ]\w*\s$", around.line[max(0, around.start - 12) : around.start]):
        return None
    if not (around.after[0].isupper() or around.after[0].isdecimal()):
        return None
    if word == "P" and re.match(r"[A-ZĐ&-]{2,}|\d{3}", around.after):
        return "phòng"
    if word == "TT":
        return "thị trấn"
    return meaning(word.upper() if word.lower() in {"tp", "tx", "a", "c"} else word, "name") or None


def _initial(match: re.Match[str], around: Around) -> Said:
    """The letter that stands for a person's name: "bà Nguyễn Thị B."."""
    if match["l"] in "AEIOUY" and re.match(r"\s\w", around.after):
        return None
    return spelt(match["l"]) if _AFTER_NAME.search(around.line[max(0, around.start - 12) : around.start]) else None


def _abbreviation(match: re.Match[str], around: Around) -> Said:
    """The longest part of a chunk that is known, from its start."""
    chunk = match[0]
    if around.is_shouted and is_syllable(chunk):
        return None
    occasions = [
        *(["colon"] if re.match(r"\s?:", around.after) else []),
        *(["name"] if len(chunk) > 1 and re.match(r"\s[A-ZĐÁÀÂÔƠƯÝ]\w*[a-zà-ỹ]", around.after) else []),
        *(["count"] if re.search(r"(?<![\w:])\d[\d.]*\s$", around.before) or around.follows("camera") else []),
    ]
    said = _once(meaning(chunk, *occasions), around)
    return Token(said, unsure=chunk if is_doubtful(chunk, *occasions) else "") if said else None


def _once(said: str, around: Around) -> str:
    """Without a first word that was just said: "đường ĐT830", "Hội HPN"."""
    first, _, rest = said.partition(" ")
    return rest if rest and around.follows(re.escape(first.lower())) else said


def _joined(match: re.Match[str], around: Around) -> Said:
    word, number, letter = match["w"], match["n"], match["x"]
    if listed := meaning(match[0]):
        return listed
    if (word == "H" and len(number) == 1) or around.follows("mã", "biển", "biển số") or number[0] == "0":
        return None
    known = meaning(word, "number", "name") if len(word) > 1 or "." in match[0] else ""
    said_number = numbers.integer(number)
    tail = f" {spelt(letter)}" if letter else ""
    if known:
        return f"{_once(known, around)} {said_number}{tail}".strip()
    if "." in match[0]:
        return None
    return [Token(spelt(word), unsure=word if len(word) > 1 else ""), Token(f"{said_number}{tail}")]


def _mixed(match: re.Match[str], _: Around) -> Said:
    runs = re.findall(r"[A-ZĐ]+|\d+", match[0])
    if len(runs) < 2:
        return None
    tokens = []
    for run in runs:
        if run.isdecimal():
            tokens.append(Token(numbers.integer(run)))
        elif known := (meaning(run, "number") if len(run) > 1 else ""):
            tokens.append(Token(known))
        else:
            tokens.append(Token(spelt(run), unsure=run if len(run) > 1 else ""))
    return tokens


def _roman(match: re.Match[str], around: Around) -> Said:
    letters = match[0]
    value = numbers.roman(letters)
    if not value or (around.is_shouted and is_syllable(letters) and len(letters) > 2):
        return None
    if around.follows(*_NUMERAL_BEHIND) or (len(letters) > 1 and set(letters) <= set("IVX")):
        return numbers.ordinal(str(value)) if around.follows("thứ") else numbers.integer(str(value))
    return None


def _short(match: re.Match[str], around: Around) -> Said:
    """Capitals nobody listed: a syllable is a word that is stressed, the rest is spelt and marked."""
    word = match[0]
    if len(word) == 1:
        return _letter(word, around)
    if is_syllable(word):
        return None if around.is_shouted or _in_company(around) else _perhaps_a_word(word)
    if len(word) >= 5 and re.search(r"[AEIOUY]", word) and not re.search(r"[^AEIOUY]{4}|[AEIOUY]{4}", word):
        return Token(word.capitalize(), unsure=word)
    return Token(spelt(word), unsure=word)


def _in_company(around: Around) -> bool:
    """Is the word before or behind in capitals as well?"""
    before = around.line[max(0, around.start - 20) : around.start].split()
    behind = around.after.split()
    return any(len(word) > 1 and word.isupper() for word in (*before[-1:], *behind[:1]))


def _perhaps_a_word(word: str) -> Token:
    """Two letters are spelt, more are likelier a stressed word; both are marked."""
    return Token(spelt(word) if len(word) == 2 else word.lower(), unsure=word)


def _with_apostrophe(match: re.Match[str], _: Around) -> Said:
    """A name such as H'Hen is no abbreviation."""
    return match[0]


def _camel(match: re.Match[str], _: Around) -> Said:
    """A name such as VssID: what could be a word is one, the rest is spelt."""
    if unit := UNITS.get(match[0]):
        return unit
    parts = re.findall(r"[A-ZĐ]?[a-zđ]+|[A-ZĐ]+", match[0])
    said = [part if re.search("[aeiouy]", part) and len(part) > 2 else spelt(part) for part in parts]
    return Token(" ".join(said), unsure=match[0])


def _letter(letter: str, around: Around) -> Said:
    if letter in "AEIOUY" and re.match(r"\s[^\W\d_]", around.after) and around.after[1].isupper():
        return None  # the first word of a name: ông Y Bih, già làng A Đốt
    if around.follows(*_LETTER_BEHIND) or letter not in "AEIOUY" or around.before[-1:].isdigit():
        return spelt(letter)
    return None


def _without_vowel(match: re.Match[str], _: Around) -> Said:
    """Letters nobody can say as a word: a unit, or spelt and marked."""
    word = match[0]
    return UNITS.get(word) or Token(spelt(word), unsure=word)


def _shouted(match: re.Match[str], _: Around) -> Said:
    word = match[0]
    return word.lower() if word.isupper() else None


def _word(match: re.Match[str], _: Around) -> Said:
    word = match[0]
    if word[0].isnumeric():
        return None
    if len(word) > 1 and word.isupper():
        return Token(spelt(word), unsure=word)
    has_capital_inside = re.search(r"[^\W\d_]{2}", word) and any(
        sign.isupper() for sign in re.sub(r"\W\w", "", word)[1:]
    )
    is_foreign = any(ord(sign) > 0x24F and not 0x1E00 <= ord(sign) <= 0x1EFF for sign in word if sign.isalpha())
    return Token(word, unsure=word if is_foreign or has_capital_inside else "")


_MULTIPLE = sorted((written for written, _ in abbreviations() if " " in written), key=len, reverse=True)
_CHUNKS = [
    re.compile(rf"[^\W\d_][^\W_]{{0,30}}(?:[./&-][^\W\d_][^\W_]{{0,30}}){{{more}}}(?![^\W_])") for more in (3, 2, 1, 0)
]
WORDS = (
    Rule(re.compile(f"(?:{'|'.join(map(re.escape, _MULTIPLE))})(?![^\\W_])"), _several),
    Rule(_DOTTED, _dotted, "l"),
    Rule(_WITH_APOSTROPHE, _with_apostrophe, "l"),
    Rule(_ROMAN, _roman, "l"),
    Rule(_INITIAL, _initial, "l"),
    Rule(_JOINED_TO_NUMBER, _joined, "l"),
    *(Rule(chunk, _abbreviation, "l") for chunk in _CHUNKS),
    Rule(re.compile(r"COVID-19(?!\d)", re.IGNORECASE), _several),
    Rule(_MIXED, _mixed, "dl"),
    Rule(_SHORT, _short, "l"),
    Rule(_SHOUTED, _shouted, "l"),
    Rule(_CAMEL, _camel, "l"),
    Rule(_WITHOUT_VOWEL, _without_vowel, "l"),
    Rule(_WORD, _word, "dls"),
)
