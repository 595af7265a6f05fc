"""Place context: whether the words around a place's name let it be that place, and not a person, a count or a verb."""

from __future__ import annotations

from functools import cache, cached_property

from nlp.characters import accent_key, fold
from nlp.normalise import Normalised
from nlp.phrases import Hit, rows
from nlp.place_names import SCHOOL, SETTLEMENT, STREET, THING, Named
from nlp.spacing import is_everyday_pair

_PAUSES = frozenset(".,;:!?\n()")
_COUNTING = frozenset(fold("tổ đội cụm nhóm").split())
_HOUSEHOLD = frozenset(fold("dân nghèo gia cận").split())
_LONG_NAME = 3
_PEOPLE = ["ba", "con"]
_OF_HOURS = frozenset(fold("kém rưỡi sáng chiều tối trưa đêm khuya hơn").split())


@cache
def words_of(kind: str) -> dict[str, tuple[str, ...]]:
    """The phrases of one kind in place_words.tsv by their folded form, with their accents."""
    found: dict[str, tuple[str, ...]] = {}
    for row_kind, phrase in rows("place_words.tsv"):
        if row_kind == kind:
            found[fold(phrase)] = (*found.get(fold(phrase), ()), phrase)
    return found


@cache
def _everyday_words() -> frozenset[str]:
    return frozenset(phrase.split()[0] for phrase in words_of("next"))


class Context:
    """The words of a text as neighbours of a name."""

    def __init__(self, text: Normalised) -> None:
        self._text = text

    def is_meant(self, hit: Hit[Named]) -> bool:
        """Whether a name found in the text can mean its place there."""
        if hit.value.head == 0:
            return self._is_bare_place(hit)
        if hit.value.is_number:
            return self._is_number_of_place(hit)
        words = hit.last - hit.first - hit.value.head
        if words < 2 and self._goes_on(hit, is_whole=words == 1):
            return False
        if hit.value.group == THING and self._is_named_after(hit):
            return False
        return words != 1 or self._is_word_of_place(hit)

    def _goes_on(self, hit: Hit[Named], *, is_whole: bool) -> bool:
        """Whether a capital makes it a longer name: "kênh Tám Cửa", "sân vận động Mỹ Đình"."""
        if hit.last == len(self._text.words) or self._pauses_before(hit.last):
            return False
        return self._is_name_part(hit.last, hit.last - 1) if is_whole else self.is_capital(hit.last)

    def _is_named_after(self, hit: Hit[Named]) -> bool:
        """Whether something else bears the place's name: "chợ Cầu Đá"."""
        first = hit.first
        if not first or self._pauses_before(first) or not self.is_capital(first) or self.is_capital_everywhere:
            return False
        return self._is(first - 1, "title") and not self.is_approached(first)

    def is_capital(self, at: int) -> bool:
        """Whether a word begins with a capital letter in a text that is not all in capitals."""
        start = self._text.starts[at]
        return self._text.original[start : start + 1].isupper() and not self._is_loud

    def is_approached(self, first: int) -> bool:
        """Whether the word before says that a place follows: "ở", "gần"."""
        if not first or self._pauses_before(first):
            return False
        return (
            self._is(first - 1, "approach") or [t.word for t in self._text.tokens[max(0, first - 2) : first]] == _PEOPLE
        )

    @cached_property
    def _is_loud(self) -> bool:
        start = self._text.original[:400]
        return sum(map(str.isupper, start)) > sum(map(str.islower, start))

    def _is_number_of_place(self, hit: Hit[Named]) -> bool:
        """Not "tổ 5 người", "hẻm 5 mét", "9h 47", nor "xóm ba con"."""
        tokens, value = self._text.tokens, hit.value
        is_town_unit = hit.first and tokens[hit.first].word == "pho" and tokens[hit.first - 1].word in _OF_TOWN
        if value.group == STREET and is_town_unit:
            return False
        is_letter = value.typed or tokens[hit.first].word in _LETTERS
        if is_letter and hit.first and tokens[hit.first - 1].word[-1].isdigit():
            return False
        if hit.last == len(tokens) or self._pauses_before(hit.last):
            return True
        if tokens[hit.first].word in _COUNTING and value.head == 1 and self._is_counted(hit.last):
            return False
        if self._is_hour(hit):
            return False
        if self._is(hit.last, "measured") and not (value.group == SETTLEMENT and tokens[hit.last].word != "m"):
            return False
        return not (value.is_counted and self._runs_on(hit.last))

    def _is_hour(self, hit: Hit[Named]) -> bool:
        """Whether an hour follows the word for a unit: "đầu xóm 5 giờ kém đã mở loa"."""
        following = [token.word for token in self._text.tokens[hit.last : hit.last + 2]]
        return len(following) == 2 and following[0] == "gio" and following[1] in _OF_HOURS

    def _is_counted(self, at: int) -> bool:
        """Whether what is counted follows: "5 người", but not "5 người dân kêu", nor "5 hố ga" without accents."""
        following = self._text.words[at + 1] if at + 1 < len(self._text.words) else ""
        word = self._text.tokens[at]
        if word.word == "ho" and word.accented in ("", "ho"):
            return following in _HOUSEHOLD
        return self._is(at, "counted") and not (word.word == "nguoi" and following == "dan")

    def _is_word_of_place(self, hit: Hit[Named]) -> bool:
        """A name of one word, "xóm Mới", is an everyday phrase unless a capital or its neighbours say otherwise."""
        if self.is_capital(hit.last - 1) and not self.is_capital_everywhere:
            return True
        is_inside = hit.first > 0 and self._is(hit.first - 1, "inside")
        if not self._text.is_accented:
            if not is_inside and self.is_approached(hit.first):
                return True
            is_soft = self._text.words[hit.first] in _SOFT and hit.value.head == 1
            if is_soft or self._text.words[hit.last - 1] in words_of("word"):
                return False
        if self._runs_on(hit.last):
            return False
        is_everyday = self._text.words[hit.last - 1] in _everyday_words()
        return not (is_everyday and is_inside)

    @cached_property
    def is_capital_everywhere(self) -> bool:
        """Whether the writer begins every word with a capital."""
        tokens = self._text.tokens[:20]
        capitals = sum(self._text.original[t.start : t.start + 1].isupper() for t in tokens)
        return len(tokens) > 3 and capitals > 0.7 * len(tokens)

    def _is_bare_place(self, hit: Hit[Named]) -> bool:
        """A name without the word for its kind: not after "anh" or "trường", nor as part of a longer name."""
        first, last, text = hit.first, hit.last, self._text
        if self._goes_on(hit, is_whole=True) or self._runs_on(last) or self._is_cut_short(hit):
            return False
        if hit.value.sureness <= _DECLARED and not self._may_be_bare(hit):
            return False
        if first and not self._pauses_before(first):
            before = text.tokens[first - 1]
            if before.word[-1].isdigit():
                return hit.value.group == STREET or (hit.value.group == SETTLEMENT and self._is_numbered_unit(first))
            if self.is_approached(first):
                return True
            if self._is(first - 1, "title"):
                return False
            if self._is_name_part(first - 1, last - 1) and first > 1:
                return False
        return self._stands_out(hit)

    def _is_numbered_unit(self, first: int) -> bool:
        """Whether a smaller unit stands before: "tổ 9 bờ xoài"."""
        return first > 1 and self._text.words[first - 2] in _COUNTING

    def _is_cut_short(self, hit: Hit[Named]) -> bool:
        """Whether its last word belongs to an everyday word that goes on: "đại an" in "đại an toàn"."""
        following = self._text.tokens[hit.last : hit.last + 1]
        if not following or self._pauses_before(hit.last):
            return False
        pair = f"{self._text.words[hit.last - 1]} {following[0].word}"
        return pair in words_of("everyday") and not self._has_capitals(hit)

    def _may_be_bare(self, hit: Hit[Named]) -> bool:
        """Whether a name is more than any such thing's, "lò gạch", or the person a school is called after."""
        tokens = self._text.tokens[hit.first : hit.last]
        if " ".join(token.word for token in tokens) in words_of("thing"):
            return self._has_capitals(hit) and self.is_approached(hit.first)
        return hit.value.group != SCHOOL or self.is_approached(hit.first)

    def _has_capitals(self, hit: Hit[Named]) -> bool:
        return all(map(self.is_capital, range(hit.first, hit.last))) and not self.is_capital_everywhere

    def _stands_out(self, hit: Hit[Named]) -> bool:
        """Whether a bare name needs no word before it: in capitals, accented where a sentence begins, or long."""
        if hit.value.sureness > _DECLARED:
            return True
        tokens = self._text.tokens[hit.first : hit.last]
        has_capitals = self._has_capitals(hit)
        is_everyday = " ".join(token.word for token in tokens) in words_of("everyday")
        if tokens[0].word in words_of("surname") and len(tokens) < _LONG_NAME:
            return hit.first == 0 and has_capitals
        if is_everyday:
            return False
        is_accented = any(token.accented not in ("", token.word) for token in tokens)
        is_accented = is_accented or (self._text.is_accented and hit.value.sureness > _LEAST_EXACT)
        begins = hit.first == 0 or self._pauses_before(hit.first)
        if has_capitals or (is_accented and begins) or len(tokens) >= _LONG_NAME:
            return True
        # Two words that stand together nowhere else: "bờ xoài", "phuoc dien".
        return hit.value.group in (SETTLEMENT, STREET) and not self._may_be_everyday(hit)

    def _may_be_everyday(self, hit: Hit[Named]) -> bool:
        """Whether the name's words, or one of them with its neighbour, may be everyday words."""
        words = [token.word for token in self._text.tokens[max(0, hit.first - 1) : hit.last + 1]]
        return any(map(is_everyday_pair, words, words[1:]))

    def _is_name_part(self, at: int, beside: int) -> bool:
        """Whether a capital goes on from a name in capitals: "Trần Phú Quý"."""
        return self.is_capital(at) and self.is_capital(beside) and not self.is_capital_everywhere

    def _runs_on(self, at: int) -> bool:
        """Whether the word before and this one are an everyday phrase: "mới nhận", "ba con"."""
        if at >= len(self._text.words) or self._pauses_before(at):
            return False
        before, here = self._text.tokens[at - 1 : at + 1]
        word = _SPOKEN.get(before.word, before.word)
        known = words_of("next").get(f"{word} {here.word}", ())
        return any(self._agrees(at - 1, k.split()[0]) and self._agrees(at, k.split()[1]) for k in known)

    def _is(self, at: int, kind: str) -> bool:
        return any(self._agrees(at, one) for one in words_of(kind).get(self._text.words[at], ()))

    def _agrees(self, at: int, wanted: str) -> bool:
        token = self._text.tokens[at]
        if token.accented in ("", wanted) or (token.accented == token.word and not self._text.is_accented):
            return True
        return accent_key(token.accented) == accent_key(wanted)

    def _pauses_before(self, at: int) -> bool:
        between = self._text.original[self._text.ends[at - 1] : self._text.starts[at]]
        return not _PAUSES.isdisjoint(between)


# Without accents these words for a unit are everyday words: "lang nghe" is lắng nghe as well.
_SOFT = frozenset({"lang", "ban", "buon", "doi", "khu", "to", "cum", "khoi", "ap"})
# Before "phố 6", these make it a unit of the town.
_OF_TOWN = frozenset({"dan", "khu", "khoi", "thanh"})
_DECLARED, _LEAST_EXACT = 0.9, 0.61
_LETTERS = frozenset("hxd")
_SPOKEN = {"2": "hai", "3": "ba", "5": "nam", "6": "sau", "4": "tu"}
