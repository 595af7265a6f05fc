"""Training of accents: counts of words and pairs in what ships with the program, put into one file (`make model`).

Only what is written with diacritics is counted. Word lists and frequent questions count too, the lists for less, as
nobody writes in lists. `python -m nlp.accents_training` writes the file; the same sources give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nlp.accents import ACCENTS_FILE, MAGIC
from nlp.characters import fold
from nlp.examples import shipped_examples
from nlp.phrases import DATA

UNIT = 10  # what one word of a message counts; of a list less, in whole numbers
_OF_LISTS = 3
_LISTS = ("lexicon", "concepts_life", "concepts_office", "concepts_outdoors", "landmarks", "place_words", "intents",
          "urgency")  # fmt: skip
_FAQ = ("faq/entries", "faq/phrasings")
_WORD = re.compile(r"[^\W\d_]+")
_LINE_ENDS, _FIELD_ENDS = re.compile(r"[.!?;:\n]"), re.compile(r"[\t,|;]")
_ACCENTED_SHARE, _SHORT = 0.35, 4


def accented_lines(text: str, ends: re.Pattern[str] = _LINE_ENDS) -> Iterator[list[str]]:
    """The lines of a text that are written with diacritics, as lower-case words."""
    for part in ends.split(unicodedata.normalize("NFC", text)):
        words = [word.lower() for word in _WORD.findall(part)]
        marked = sum(fold(word) != word for word in words)
        if marked and (len(words) < _SHORT or marked > _ACCENTED_SHARE * len(words)):
            yield words


def counted(lines: Iterable[tuple[list[str], int, bool]]) -> dict[str, Any]:
    """What the model is made of: lines with what each word of them counts, and whether their ends are ends."""
    counts: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for words, weight, is_whole in lines:
        for first, second in zip(("", *words), (*words, ""), strict=True):
            if second:
                counts[second] += weight
            if is_whole or second:
                pairs[first, second] += weight
    words = ["", *sorted(counts)]
    numbers = {word: number for number, word in enumerate(words)}
    followed, beside, before = [0] * len(words), [0] * len(words), [0] * len(words)
    for (first, second), count in pairs.items():
        followed[numbers[first]] += count
        beside[numbers[first]] += 1
        before[numbers[second]] += 1
    many_ways = {way for way, many in Counter(map(fold, counts)).items() if many > 1}
    keys = sorted(
        (numbers[first] * len(words) + numbers[second], count)
        for (first, second), count in pairs.items()
        if fold(first) in many_ways or fold(second) in many_ways  # of others there is nothing to choose
    )
    return {
        "unit": UNIT,
        "words": words,
        "counts": [0, *(counts[word] for word in words[1:])],
        "followed": followed,
        "beside": beside,
        "before": before,
        "pairs": [key - last for (key, _), (last, _) in zip(keys, ((0, 0), *keys), strict=False)],
        "pair_counts": [count for _, count in keys],
    }


def shipped_lines() -> Iterator[tuple[list[str], int, bool]]:
    """Everything that ships and is written with diacritics."""
    for example in shipped_examples():
        yield from ((words, UNIT, True) for words in accented_lines(example.text))
    for name in _FAQ:
        for field in _fields(name, re.compile("\t")):
            yield from ((words, UNIT, True) for words in accented_lines(field))
    for name in _LISTS:
        for field in _fields(name, _FIELD_ENDS):
            yield from ((words, _OF_LISTS, False) for words in accented_lines(field))


def _fields(name: str, ends: re.Pattern[str]) -> Iterator[str]:
    for line in (DATA / f"{name}.tsv").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield from ends.split(line)


def to_file_content(about: dict[str, Any]) -> bytes:
    """The file for these counts; the same counts give the same bytes."""
    body = zlib.compress(json.dumps(about, ensure_ascii=False, separators=(",", ":")).encode(), 9)
    return MAGIC + hashlib.sha256(body).digest() + body


def main(path: Path = ACCENTS_FILE) -> int:
    """Write the file."""
    path.write_bytes(to_file_content(counted(shipped_lines())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
