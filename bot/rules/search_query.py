"""Search query: what an official means by the words in the one search field (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from nlp.normalise import fold
from nlp.search_text import FEWEST_DIGITS, Term, accented_words, national, words_of

LONGEST = 200
MOST_TERMS = 12
SHORTEST_BEGINNING = 3  # letters with which a last word may go on: with fewer nearly everything does
YEARS_OF_CODES = 10
_NUMBER_ALONE = 8  # so many digits are a telephone number rather than a word

_QUOTED = re.compile(r'["“”„«]([^"“”„«»]+)["“”»]')
_DAY = r"(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}|\d{2}))?"
_RANGE = re.compile(rf"\b(?:tu\s+)?(?:ngay\s+)?{_DAY}\s*(?:den|toi|->|–|-)\s*(?:het\s+)?(?:ngay\s+)?{_DAY}(?![\d/])")
_SINCE = re.compile(rf"\btu\s+(?:ngay\s+)?{_DAY}(?![\d/])")
_ON = re.compile(rf"\bngay\s+{_DAY}(?![\d/])")
_FULL_DAY = re.compile(r"(?<![\d/])(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?![\d/])")
_MONTH = re.compile(r"(?<![\d/])(?:thang\s+)?(\d{1,2})[/.-](\d{4})(?![\d/])")
_MONTH_NAMED = re.compile(r"\bthang\s+(\d{1,2})(?:\s+nam\s+(\d{4}))?(?![\d/])")
_NEAR = {"hom nay": 0, "hom qua": 1}
_NEAR_WORDS = re.compile(r"\b(hom nay|hom qua)\b")
_CODE = re.compile(r"\bpa\s?(\d{2})\s?-?\s?(\d{1,7})\b")
_NUMBER = re.compile(r"(?<![\w])\+?\d(?:[ .\-]?\d){3,14}(?![\w])")


@dataclass(frozen=True)
class Days:
    """From the first to the last day, both counted; `last` None: until today."""

    first: date
    last: date | None


@dataclass(frozen=True)
class Query:
    """What is looked for: all of `terms`, each of `numbers` as a word or as the end of a telephone number, one of the
    tickets that carry a code of `codes` where nothing else is asked, and only what was taken in on `days`."""

    terms: tuple[Term, ...] = ()
    numbers: tuple[str, ...] = ()
    code: str = ""
    codes: tuple[str, ...] = ()
    days: Days | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked that could be found."""
        return not (self.terms or self.numbers or self.code or self.days)

    @property
    def marks(self) -> tuple[Term, ...]:
        """What is to be seen in the words of a ticket that was found."""
        numbers = tuple(Term((number,), is_prefix=True) for number in self.numbers)
        return (*self.terms, *numbers, *([Term(tuple(words_of(self.code)))] if self.code else []))

    def told(self, *, without: Collection[str] = (), with_days: bool = False) -> str:
        """The same as it could be typed, without some of its words."""
        days = self.days
        kept = [term for term in self.terms if term.shown not in without]
        said = [term.shown if term.is_single else f'"{term.shown}"' for term in kept]
        since = [f"từ {days.first:%d/%m/%Y}"] if with_days and days else []
        until = [f"đến {days.last:%d/%m/%Y}"] if since and days and days.last else []
        return " ".join([*([self.code] if self.code else []), *self.numbers, *said, *since, *until])

    def wider(self, nowhere: Collection[str] = ()) -> list[str]:
        """What may be tried when nothing was found: without the words that stand nowhere, on other days, one by one."""
        tries = [self.told(without=nowhere, with_days=True)] if nowhere else []
        tries += [self.told(without=nowhere)] if self.days else []
        tries += [word for term in self.terms if len(self.terms) > 1 for word in [term.shown] if word not in nowhere]
        return [one for one in dict.fromkeys(tries) if one and one != self.told(with_days=True)][:4]


def read_query(text: str, today: date) -> Query:
    """What the words of the search field mean."""
    text = " ".join(text.split())[:LONGEST]
    phrases = [m.group(1) for m in _QUOTED.finditer(text)]
    rest = _QUOTED.sub(" ", text).replace('"', " ")
    days, rest = _days(rest, today)
    code, rest = _code(rest)
    numbers, rest = _numbers(rest)
    terms = [*_phrases(phrases), *_words(rest, is_open=not text.endswith(('"', "”", "»")))]
    codes: tuple[str, ...] = ()
    if not terms:
        codes = (code,) if code and not numbers else _codes_ending(numbers, today) if not code else ()
    return Query(tuple(terms[:MOST_TERMS]), tuple(numbers), code, codes, days)


def _words(rest: str, *, is_open: bool) -> list[Term]:
    found: list[Term] = []
    for written in rest.split():
        folded = words_of(written)
        accented = accented_words(written)
        typed = accented if len(accented) == len(folded) else ()
        found += [Term((word,), accented=(typed[at],) if typed else ()) for at, word in enumerate(folded)]
    if found and is_open and len(found[-1].words[0]) >= SHORTEST_BEGINNING:  # it may not be finished
        found[-1] = Term(found[-1].words, True, found[-1].accented)
    return list(dict.fromkeys(found))


def _phrases(phrases: Iterable[str]) -> list[Term]:
    return [Term(tuple(words), accented=accented_words(one)) for one in phrases if (words := words_of(one))]


# ---- codes and numbers ----------------------------------------------------------------------------------------------


def _code(rest: str) -> tuple[str, str]:
    found = _CODE.search(_flat(rest))
    if found is None:
        return "", rest
    return f"PA{found[1]}-{int(found[2]):04d}", _without(rest, found)


def _codes_ending(numbers: list[str], today: date) -> tuple[str, ...]:
    """The codes that a number alone may be the end of."""
    if len(numbers) != 1 or len(numbers[0]) > 7:
        return ()
    return tuple(f"PA{(today.year - back) % 100:02d}-{int(numbers[0]):04d}" for back in range(YEARS_OF_CODES))


def _numbers(rest: str) -> tuple[list[str], str]:
    found: list[str] = []
    for match in list(_NUMBER.finditer(rest)):
        digits = national(match.group())
        pieces = re.split(r"[ .\-]", match.group())
        if len(digits) >= _NUMBER_ALONE or (len(pieces) == 1 and len(digits) >= FEWEST_DIGITS):
            found.append(digits)
            rest = rest.replace(match.group(), " ", 1)
    return found, rest


# ---- days -----------------------------------------------------------------------------------------------------------


def _days(rest: str, today: date) -> tuple[Days | None, str]:
    plain = _flat(rest)
    for pattern, read in (
        (_RANGE, _range), (_SINCE, _since), (_ON, _on), (_FULL_DAY, _on), (_MONTH, _month), (_MONTH_NAMED, _month),
        (_NEAR_WORDS, _near),
    ):  # fmt: skip
        for match in pattern.finditer(plain):
            days = read(match, today)
            if days is not None:
                return days, _without(rest, match)
    return None, rest


def _range(match: re.Match[str], today: date) -> Days | None:
    if match[6] and not match[3]:
        last = _day(match[4], match[5], match[6], today)
        first = _safe(last.year, int(match[2]), int(match[1])) if last else None
        if first and last and first > last:
            first = _safe(last.year - 1, first.month, first.day)
    else:
        first = _day(match[1], match[2], match[3], today)
        last = _day(match[4], match[5], match[6] or (str(first.year) if first else None), today)
        if first and last and first > last and not match[6]:  # "from 28/12 to 3/1" ended in the year after
            last = _safe(last.year + 1, last.month, last.day)
    if first is None or last is None:
        return None
    return Days(min(first, last), max(first, last))


def _since(match: re.Match[str], today: date) -> Days | None:
    first = _day(match[1], match[2], match[3], today)
    return Days(first, None) if first else None


def _on(match: re.Match[str], today: date) -> Days | None:
    day = _day(match[1], match[2], match[3], today)
    return Days(day, day) if day else None


def _month(match: re.Match[str], today: date) -> Days | None:
    month = int(match[1])
    if not 1 <= month <= 12:
        return None
    year = int(match[2]) if match[2] else today.year - (month > today.month)
    first = _safe(year, month, 1)
    if first is None or year > 9_000:
        return None
    return Days(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))


def _near(match: re.Match[str], today: date) -> Days:
    day = today - timedelta(days=_NEAR[match[1]])
    return Days(day, day)


def _day(day: str, month: str, year: str | None, today: date) -> date | None:
    """A day; without a year the last one that has been."""
    if year:
        return _safe(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    found = _safe(today.year, int(month), int(day))
    return found if found is None or found <= today else _safe(today.year - 1, int(month), int(day))


def _safe(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


# ---- text -----------------------------------------------------------------------------------------------------------


def _flat(text: str) -> str:
    """Folded, letter by letter, so that places in it are places in the text."""
    return "".join(piece if len(piece := fold(character)) == 1 else "\x00" for character in text)


def _without(text: str, match: re.Match[str]) -> str:
    return f"{text[: match.start()]} {text[match.end() :]}"
