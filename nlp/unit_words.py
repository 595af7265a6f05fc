"""Unit words: the words that say what kind of unit a name is, and those that say it is no unit at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from nlp.characters import fold
from nlp.normalise import Normalised
from nlp.phrases import folded_words
from nlp.remembered import Remembered
from nlp.spacing import is_everyday_pair
from nlp.unit_names import COMMUNE, DISTRICT, PROVINCE, is_one_edit, word_key


class Kind(NamedTuple):
    """A kind of unit as written before a name: folded, its possible levels, and how many words it has.

    `is_letter`: an abbreviation that is other things too. `is_doubtful`: its accents make it another word.
    """

    kind: str
    levels: tuple[int, ...]
    words: int
    is_letter: bool = False
    is_doubtful: bool = False


_COMMUNE, _DISTRICT = (COMMUNE,), (DISTRICT,)
_ONE = {
    "xa": Kind("xa", _COMMUNE, 1), "x": Kind("xa", _COMMUNE, 1, True),
    "phuong": Kind("phuong", _COMMUNE, 1), "fuong": Kind("phuong", _COMMUNE, 1),
    "p": Kind("phuong", _COMMUNE, 1, True), "f": Kind("phuong", _COMMUNE, 1, True),
    "phg": Kind("phuong", _COMMUNE, 1, True), "tt": Kind("thi tran", _COMMUNE, 1, True),
    "dk": Kind("dac khu", _COMMUNE, 1, True), "dao": Kind("dac khu", _COMMUNE, 1, True),
    "quan": Kind("quan", _DISTRICT, 1), "q": Kind("quan", _DISTRICT, 1, True),
    "huyen": Kind("huyen", _DISTRICT, 1), "h": Kind("huyen", _DISTRICT, 1, True),
    "tx": Kind("thi xa", _DISTRICT, 1), "tp": Kind("thanh pho", (PROVINCE, DISTRICT), 1),
    "tinh": Kind("tinh", (PROVINCE,), 1),
}  # fmt: skip
_TWO = {
    ("thi", "tran"): Kind("thi tran", _COMMUNE, 2), ("dac", "khu"): Kind("dac khu", _COMMUNE, 2),
    ("thi", "xa"): Kind("thi xa", _DISTRICT, 2), ("thanh", "pho"): Kind("thanh pho", (PROVINCE, DISTRICT), 2),
    ("huyen", "dao"): Kind("huyen", _DISTRICT, 2),
}  # fmt: skip
_STARTS = frozenset(first for first, _ in _TWO)
KINDS_OF_INITIALS = {"tp": _ONE["tp"], "q": _ONE["q"]}
_LONG = ("quan", "huyen", "phuong", "tinh")
KIND_STARTS = frozenset(_ONE) | _STARTS
# With these accents it is another word: "phương án", "quán ăn", "tình hình".
_OTHER_WORDS = {
    "xa": {"xa", "xà", "xá", "xạ"}, "phuong": {"phương", "phượng", "phướng", "phưỡng"},
    "quan": {"quán", "quân", "quản", "quần", "quặn"}, "tinh": {"tình", "tính", "tinh", "tĩnh"},
    "huyen": {"huyền", "huyên", "huyễn"}, "dao": {"dao", "dạo", "đào", "đạo"}, "thi": {"thì", "thi", "thí"},
    "thanh": {"thanh", "thánh"}, "pho": {"phó", "phở"},
}  # fmt: skip
# Slips of the pen before a name with capitals; "cách xa Hà Nội" is none.
_SLIPS = frozenset({"phương", "quân", "huyên", "tinh", "xa"})
_BEFORE_FAR = folded_words("cách đi rất quá ở hơi không đường bao nơi còn từ nhà")
_FAR_WITHOUT_ACCENTS = folded_words("cách đi rất làm")

# Before a bare name: then it is a street's, a market's, a school's, a person's or a firm's.
_BARRED = (
    "đường phố ngõ ngách hẻm hẽm kiệt lộ hương chợ trường cầu vượt đò phà chùa đình đền miếu thờ viện xá ty tnhh "
    "sông hồ kênh rạch suối đập viên ga xe cảng bay đèo dốc núi biển vịnh tòa thị cư nghiệp đoàn hàng sạn quán tiệm "
    "mart shop spa cafe vàng thuốc khoa thông cơ sở mầm non mẫu giáo học phổ đẳng tâm tác dệt may xưởng gỗ xăng hóa "
    "anh chị ông bà cô chú bác em cháu dì cậu mợ thím thầy bé con thằng vợ chồng tên sĩ chí tướng tịch mòn mì "
    "tổ thôn xóm ấp bản làng khóm buôn khối kp tư góc số hội clb đội báo đài tượng bia "
    "tốc tuyến kẹo dừa mắm trà chè bưởi thiều nhãn nem bún bò phở gạo phê lụa gốm rượu tỏi "
    "nguyễn trần lê phạm huỳnh hoàng phan vũ võ đặng bùi đỗ ngô dương lý đinh trịnh"
)


def _spellings(words: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for word in words.split():
        found.setdefault(fold(word), set()).add(word_key(word))
    return found


_BARRING = _spellings(_BARRED)
_HEADS = _spellings("trường viện ty chùa đền cầu đường sạn hiệu quán tiệm chợ")
_HEAD_REACH = 4
# Without accents these are more often something else: "từ", "hơi", "còn".
_ONLY_ACCENTED = folded_words("tư hội con cơ báo hóa tác may tâm xưởng")
# Names that are everyday words too: with a small letter after "xã" they are mostly that.
_EVERYDAY = frozenset(
    fold(
        "hợp đồng;tự lập;chỉ đạo;độc lập;an toàn;hợp tác;đồng tâm;đồng ý;quan tâm;hợp lý;đại diện;tiên tiến;đoàn kết;"
        "hợp nhất;tự do;tự cường;bình đẳng;trung thành;thành công;thành lập;tổng hợp;yên tâm;kiến thiết;bình an;"
        "văn hóa;trung tâm;ăn chặn;an phòng"
    ).split(";")
)
# So they are when they begin with one of these and no accent tells: "xa minh dao nay", "xa co to tu van".
EVERYDAY_STARTS = folded_words("có cho ta tao mình vẫn cứ bán từ đã đó là và để đi đến sẽ còn của nào nhà may đọc")
_HOUSE_NUMBER = re.compile(r"\d+[a-z]?\Z")
_DIGIT_AFTER_LETTER = re.compile(r"[a-z]\d")
_PAUSE = re.compile(r"[.,;:!?\n()]")
_LOCATIVE = folded_words("ở tại về ra vô vào từ ngoài tới đến thuộc bên dưới trên quê dân người trong tp sang xuống")
_PEOPLE = ["ba", "con"]
_COUNTED = folded_words("lần ngày tháng tuần người giờ hộ bữa buổi phút nghìn ngàn triệu trăm mét tuổi cuộc lượt")
_NOT_COUNTED = folded_words("nào nay mai qua kia này")
_SYLLABLE = re.compile(
    r"(?:ngh|ng|gh|gi|kh|ch|nh|ph|qu|th|tr|[bcdghklmnprstvx])?"
    r"(?:oai|oay|oao|oeo|uoi|uou|uay|uya|uye|ieu|yeu|ai|ao|au|ay|eo|eu|ia|ie|iu|oa|oe|oi|oo|ua|ue|ui|uo|uu|uy|ye|[aeiouy])"
    r"(?:ch|ng|nh|[cmnpt])?\Z"
)
_JOINED = re.compile(r"(p|f|ph|phuong|q|quan|x|xa|tt|h)(\d{1,2})(?:(q|quan)(\d{1,2}|[a-z]{2,3}))?\Z")


@dataclass(eq=False)
class Words:
    """The words of a text with joined forms taken apart ("p5q3"): `at` gives the token each came from."""

    text: Normalised
    words: Sequence[str]
    accents: Sequence[str]
    at: Sequence[int]
    line: str
    starts: dict[int, int]

    def is_capital(self, at: int) -> bool:
        """Whether the word was written with a capital."""
        return self.text.original[self.text.starts[self.at[at]]].isupper()

    @cached_property
    def breaks(self) -> frozenset[int]:
        """The words before which the writer pauses."""
        found = set()
        at = 0
        for word in self.line.split():
            if word == "|":
                found.add(at)
            else:
                at += 1
        return frozenset(found)

    def as_typed(self, first: int, last: int) -> str:
        """The words [first, last) as they stand in the original."""
        start, end = self.text.token_span(self.at[first], self.at[last - 1] + 1)
        return self.text.original[start:end]

    def is_spelled(self, at: int, *accented: str) -> bool:
        """Whether a word may be one of these, by its accents where the writer uses them."""
        written = self.accents[at]
        if written in ("", *accented):
            return True
        return written == self.words[at] and not self.text.is_accented and written in map(fold, accented)


def words_of(text: Normalised) -> Words:
    """The words of a text."""
    if not _DIGIT_AFTER_LETTER.search(text.line):
        return Words(text, list(text.words), list(text.written), range(len(text.words)), text.line, text.line_tokens)
    return _taken_apart(text)


def _taken_apart(text: Normalised) -> Words:
    words: list[str] = []
    accents: list[str] = []
    at: list[int] = []
    for number, token in enumerate(text.tokens):
        joined = _JOINED.match(token.word)
        parts = [part for part in joined.groups() if part] if joined else [token.word]
        words += parts
        accents += parts if joined else [token.accented]
        at += [number] * len(parts)
    line: list[str] = []
    starts: dict[int, int] = {}
    length = 0
    for number, word in enumerate(words):
        if number and _PAUSE.search(text.original[text.ends[at[number - 1]] : text.starts[at[number]]]):
            line.append(" |")
            length += 2
        starts[length] = number
        line.append(f" {word}")
        length += len(word) + 1
    return Words(text, words, accents, at, "".join(line) + " ", starts)


def kind_at(words: Words, at: int) -> Kind | None:
    """The kind of unit written here, if it is not another word."""
    word = words.words[at]
    if word in _STARTS and at + 1 < len(words.words):
        two = _TWO.get((word, words.words[at + 1]))
        if two and not _is_other(words, at) and not _is_other(words, at + 1):
            return two
    kind = _KINDS[word]
    if word == "xa" and not words.text.is_accented and at and words.words[at - 1] in _FAR_WITHOUT_ACCENTS:
        return None
    if not kind or not _is_other(words, at):
        return kind
    is_slip = words.accents[at] in _SLIPS and not (at and words.words[at - 1] in _BEFORE_FAR)
    return kind._replace(is_doubtful=True) if is_slip else None


def _kind_of(word: str) -> Kind | None:
    """The kind a word may stand for, rightly spelled or with a slip."""
    if word in _ONE or is_syllable(word) or len(word) < 3:
        return _ONE.get(word)
    return next((_ONE[right] for right in _LONG if is_one_edit(word, right)), None)


_KINDS = Remembered(_kind_of)


def is_nearly_kind(word: str) -> bool:
    """Whether a word is a kind of district but for one letter."""
    return any(is_one_edit(word, right) for right in ("huyen", "quan"))


def begins_kind(words: Words, at: int) -> bool:
    """Whether a kind of two words begins here, so that no name ends with its first: "Tân Hòa, thành phố Phú Mỹ"."""
    return words.words[at] in _STARTS and (words.words[at], "".join(words.words[at + 1 : at + 2])) in _TWO


def _is_other(words: Words, at: int) -> bool:
    written = words.accents[at]
    others = _OTHER_WORDS.get(words.words[at])
    if not others or not written:
        return False
    if written == words.words[at] and not words.text.is_accented:
        return False
    return written in others


def is_barred(words: Words, at: int) -> bool:
    """Whether a word before a bare name says that the name is something else's."""
    if not at or words.words[max(0, at - 2) : at] == _PEOPLE:
        return False
    if _HOUSE_NUMBER.match(words.words[at - 1]) or _is_one_of(words, at - 1, _BARRING):
        return True
    # "trường tiểu học chuyên Lê Lợi": what it is may stand a few words before.
    for before in range(at - 1, max(-1, at - 1 - _HEAD_REACH), -1):
        if before + 1 in words.breaks or words.words[before] in _LOCATIVE or words.words[before] in KIND_STARTS:
            return False
        if _is_one_of(words, before, _HEADS):
            return True
    return False


def _is_one_of(words: Words, at: int, spellings: dict[str, set[str]]) -> bool:
    word, written = words.words[at], words.accents[at]
    known = spellings.get(word)
    if not known:
        return False
    if written == word and not words.text.is_accented:
        return word not in _ONLY_ACCENTED
    return not written or word_key(written) in known


def is_joined(words: Words, at: int) -> bool:
    """Whether a hyphen joins the word to the one before: "cao tốc Bến Lức - Long Thành"."""
    tokens = words.text.tokens
    return at > 0 and "-" in words.text.original[tokens[words.at[at - 1]].end : tokens[words.at[at]].start]


def is_after_locative(words: Words, at: int) -> bool:
    """Whether the word before says where: "ở", "tại"."""
    return at > 0 and (words.words[at - 1] in _LOCATIVE or words.words[max(0, at - 2) : at] == _PEOPLE)


def is_counted(words: Words, at: int) -> bool:
    """Whether the number before this word counts it: "lên phường 3 lần"."""
    if at >= len(words.words) or words.words[at] not in _COUNTED or at in words.breaks:
        return False
    return words.words[at + 1 : at + 2] == [] or words.words[at + 1] not in _NOT_COUNTED


def is_everyday(words: Words, first: int, last: int) -> bool:
    """Whether a name is also an everyday phrase; a text without accents has more of them."""
    if " ".join(words.words[first:last]) in _EVERYDAY:
        return True
    return words.words[first] in EVERYDAY_STARTS and not words.text.is_accented


def is_everyday_name(words: Words, first: int, last: int, *, is_told: bool) -> bool:
    """Whether a name in small letters may be everyday words, found in a phrase of the word lists.

    `is_told`: the words around say that it is a name; else the ends of it may belong to their neighbours.
    """
    if " ".join(words.words[first:last]) in _EVERYDAY or (not is_told and is_everyday(words, first, last)):
        return True
    around = words.words[first:last] if is_told else words.words[max(0, first - 1) : last + 1]
    return any(map(is_everyday_pair, around, around[1:]))


def _is_syllable(word: str) -> bool:
    return word.isdigit() or _SYLLABLE.match(word) is not None


_SYLLABLES = Remembered(_is_syllable)


def is_syllable(word: str) -> bool:
    """Whether a word could be Vietnamese as it is spelled, without accents."""
    return _SYLLABLES[word]
