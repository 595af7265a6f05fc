"""Evaluation: how well readings agree with what people say of the same messages, with bootstrap intervals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlp import bootstrap
from nlp.bootstrap import Figure, figure, numbered, share, value
from nlp.examples import INTENTS, URGENCIES
from nlp.reading import Reading
from nlp.topics import TOPICS
from nlp.urgency import EMERGENCY

__all__ = [
    "BadGold", "Difference", "Figure", "Gold", "calibration_error", "differences", "macro_f1", "measure",
    "measure_basic", "misread", "read_gold", "risk_coverage",
]  # fmt: skip

_MOST_PROBLEMS = 20
_NONE = "-"
Pairs = Sequence[tuple["Gold", Reading]]


class BadGold(ValueError):
    """Lines that can't be measured with; says which and why, one a line."""


@dataclass(frozen=True)
class Gold:
    """A message and what people say of it; `topics`: every topic a fair colleague would accept, the main one first.

    `units`: the sorted codes of each unit named. `personal`: the kind and the words of each piece of personal data.
    `number`: the message's id, or where it stands in its file.
    """

    text: str
    home: str
    intent: str
    topics: tuple[str, ...]
    urgency: str
    sealed: bool
    places: tuple[str, ...] = ()
    units: tuple[tuple[str, ...], ...] = ()
    personal: tuple[tuple[str, str], ...] = ()
    parts: int = 1
    number: str = ""


def read_gold(path: Path) -> list[Gold]:
    """The labelled messages of a JSON-lines file; raises BadGold with everything that is wrong with it."""
    gold: list[Gold] = []
    problems: list[str] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    gold.append(_gold(line, f"{path.name}:{number}"))
                except BadGold as error:
                    problems.append(str(error))
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        raise BadGold("\n".join([*problems[:_MOST_PROBLEMS], *([f"and {more} more"] if more > 0 else [])]))
    return gold


def _gold(line: bytes, where: str) -> Gold:
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadGold(f"{where}: not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise BadGold(f"{where}: not JSON: {error}") from None
    if not isinstance(row, dict):
        raise BadGold(f"{where}: a line is an object")
    wrong = next(_wrong(row), "")
    if wrong:
        raise BadGold(f"{where}: {wrong}")
    return Gold(
        text=row["text"],
        home=row.get("home") or "",
        intent=row["intent"],
        topics=tuple(row["topics"]),
        urgency=row["urgency"],
        sealed=row["sealed"],
        places=tuple(row.get("places", ())),
        units=tuple(tuple(sorted(codes)) for codes in row.get("units", ())),
        personal=tuple((p["kind"], p["text"]) for p in row.get("pii", ())),
        parts=row.get("parts", 1),
        number=str(row.get("id", where)),
    )


def _wrong(row: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a line, the first thing first."""
    for name in ("text", "intent", "topics", "urgency", "sealed"):
        if name not in row:
            yield f'"{name}" is missing'
    for name, fits in _KINDS.items():
        if name in row and not fits(row[name]):
            yield f'"{name}" cannot be {json.dumps(row[name], ensure_ascii=False)[:60]}; it is {_MEANT[name]}'
    if row["intent"] not in INTENTS:
        yield f"unknown intent {row['intent']!r}"
    for slug in row["topics"]:
        if slug not in TOPICS:
            yield f"unknown topic {slug!r}"
    if row["urgency"] not in URGENCIES:
        yield f"unknown urgency {row['urgency']!r}; there are {', '.join(URGENCIES)}"
    for piece in row.get("pii", ()):
        if not piece["text"] or piece["text"] not in row["text"]:
            yield f"the personal data {piece['text']!r} does not stand in the text"


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_personal(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(p, dict) and _is_text(p.get("kind")) and _is_text(p.get("text")) for p in value
    )


_KINDS: dict[str, Callable[[object], bool]] = {
    "text": _is_text,
    "home": lambda value: value is None or _is_text(value),
    "intent": _is_text,
    "topics": _are_texts,
    "urgency": _is_text,
    "sealed": lambda value: isinstance(value, bool),
    "places": _are_texts,
    "units": lambda value: isinstance(value, list) and all(map(_are_texts, value)),
    "pii": _is_personal,
    "parts": lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 1,
}
_MEANT = {
    "text": "a string",
    "home": "a code in quotes",
    "intent": "a string",
    "topics": "a list of slugs",
    "urgency": "a string",
    "sealed": "true or false",
    "places": "a list of names",
    "units": "a list of lists of codes",
    "pii": 'a list of {"kind","text"}',
    "parts": "the number of problems, 1 or more",
}


def measure_basic(pairs: Pairs) -> list[Figure]:
    """The figures that every form of the messages has: topic, intent, danger and sealing."""
    about = [(g, r) for g, r in pairs if g.topics]
    named = [_named(g, r) for g, r in about]
    figures = [
        figure("topic macro-F1", bootstrap.macro_f1, *_columns(named)),
        figure("topic accuracy", share, [wanted == got for wanted, got in named]),
        figure("topic in the first two", share, [bool({t.slug for t in r.topics} & {*g.topics}) for g, r in about]),
        figure("intent macro-F1", bootstrap.macro_f1, *_columns([(g.intent, r.intent) for g, r in pairs])),
        *_recall_and_precision("danger", [(g.urgency == EMERGENCY, r.urgency == EMERGENCY) for g, r in pairs]),
        *_recall_and_precision("sealed", [(g.sealed, r.sealed) for g, r in pairs]),
    ]
    return [one for one in figures if one.of]


def measure(pairs: Pairs) -> list[Figure]:
    """Every figure that can be measured with these messages and their readings."""
    about = [(g, r) for g, r in pairs if g.topics]
    sureness = _by_sureness(about)
    chances, right = [chance for chance, _ in sureness], [float(is_right) for _, is_right in sureness]
    figures = [
        *measure_basic(pairs),
        figure("right at 80 % answered", bootstrap.right_at(0.8), chances, right),
        figure("answered", share, [not r.abstains for _, r in about]),
        figure("right when answered", share, [r.topic in g.topics for g, r in about if not r.abstains]),
        figure("calibration error", bootstrap.calibration_error, chances, right),
        figure("intent accuracy", share, [g.intent == r.intent for g, r in pairs]),
        figure("urgency accuracy", share, [g.urgency == r.urgency for g, r in pairs]),
        *_set_figures("places", [({*g.places}, _places(r)) for g, r in pairs]),
        figure("false place", share, [bool(_places(r)) for g, r in pairs if not g.places]),
        figure("units exact", share, [_is_exact(g, r) for g, r in pairs if g.units]),
        figure("false unit", share, [bool(_units(r)) for g, r in pairs if not g.units]),
        *_personal(pairs),
        *_recall_and_precision("two problems", [(g.parts > 1, len(r.parts) > 1) for g, r in pairs]),
    ]
    return [one for one in figures if one.of]


def _columns(rows: Sequence[tuple[str, str]]) -> list[Any]:
    return numbered([wanted for wanted, _ in rows], [got for _, got in rows])


def _named(gold: Gold, reading: Reading) -> tuple[str, str]:
    """The topic wanted and the one given; any that is accepted counts as the one wanted."""
    got = reading.topic or _NONE
    return (got if got in gold.topics else gold.topics[0]), got


def _places(reading: Reading) -> set[str]:
    return {place.name for place in reading.places if place.level == "place"}


def _units(reading: Reading) -> list[tuple[str, ...]]:
    return sorted({tuple(sorted(place.codes)) for place in reading.places if place.codes})


def _is_exact(gold: Gold, reading: Reading) -> bool:
    return sorted({*gold.units}) == _units(reading)


def _personal(pairs: Pairs) -> list[Figure]:
    """Recall counts a piece as found when every letter and digit of it lies in spans of that kind."""
    found, right = [], []
    for gold, reading in pairs:
        for kind, piece in gold.personal:
            start = gold.text.find(piece)
            inside = {i for s in reading.personal_data if s.kind == kind for i in range(s.start, s.end)}
            found.append(all(i in inside for i in range(start, start + len(piece)) if gold.text[i].isalnum()))
        for span in reading.personal_data:
            said = gold.text[span.start : span.end]
            right.append(any(piece in said or said in piece for _, piece in gold.personal))
    return [figure("personal data recall", share, found), figure("personal data precision", share, right)]


def _recall_and_precision(name: str, rows: Sequence[tuple[bool, bool]]) -> list[Figure]:
    return [
        figure(f"{name} recall", share, [given for wanted, given in rows if wanted]),
        figure(f"{name} precision", share, [wanted for wanted, given in rows if given]),
    ]


def _set_figures(name: str, rows: Sequence[tuple[set[str], set[str]]]) -> list[Figure]:
    return [
        figure(f"{name} recall", share, [one in given for wanted, given in rows for one in wanted]),
        figure(f"{name} precision", share, [one in wanted for wanted, given in rows for one in given]),
    ]


def _by_sureness(pairs: Pairs) -> list[tuple[float, bool]]:
    """The probability of each first topic and whether it is right; 0 where there is none."""
    return [(r.topics[0].probability if r.topics else 0.0, (r.topic or _NONE) in g.topics) for g, r in pairs]


def calibration_error(rows: Sequence[tuple[float, bool]]) -> float:
    """How far probabilities are from shares of right answers, on average over ten bins of equal width."""
    chances, right = [chance for chance, _ in rows], [float(is_right) for _, is_right in rows]
    return value(bootstrap.calibration_error, chances, right)


def macro_f1(rows: Sequence[tuple[str, str]]) -> float:
    """The mean over the wanted labels of the harmonic mean of precision and recall, of rows (wanted, got)."""
    return value(bootstrap.macro_f1, *_columns(rows))


def risk_coverage(pairs: Pairs) -> list[tuple[float, float, float]]:
    """(share answered, share right of those, the probability needed) in steps of a tenth."""
    rows = sorted(_by_sureness([(g, r) for g, r in pairs if g.topics]), key=lambda row: -row[0])
    steps = dict.fromkeys(max(1, round(len(rows) * tenth / 10)) for tenth in range(1, 11)) if rows else ()
    return [(n / len(rows), sum(right for _, right in rows[:n]) / n, rows[n - 1][0]) for n in steps]


@dataclass(frozen=True)
class Difference:
    """Something of a message that was read otherwise than people say."""

    number: str
    what: str
    wanted: str
    got: str


def differences(gold: Gold, reading: Reading) -> Iterator[Difference]:
    """Everything in which a reading differs from what people say of the message."""
    danger = (gold.urgency == EMERGENCY, reading.urgency == EMERGENCY)
    for what, is_wrong, wanted, got in (
        ("topic", bool(gold.topics) and (reading.topic or _NONE) not in gold.topics, gold.topics, reading.topic),
        ("intent", gold.intent != reading.intent, gold.intent, reading.intent),
        ("danger", danger[0] != danger[1], gold.urgency, reading.urgency),
        ("sealed", gold.sealed != reading.sealed, str(gold.sealed).lower(), str(reading.sealed).lower()),
        ("places", {*gold.places} != _places(reading), sorted({*gold.places}), sorted(_places(reading))),
        ("units", not _is_exact(gold, reading), map("|".join, sorted({*gold.units})), map("|".join, _units(reading))),
        ("parts", (gold.parts > 1) != (len(reading.parts) > 1), str(gold.parts), str(max(1, len(reading.parts)))),
    ):
        if is_wrong:
            yield Difference(gold.number, what, _in_words(wanted), _in_words(got))


def _in_words(value: str | Iterable[str] | None) -> str:
    return (value if isinstance(value, str) else ", ".join(value or ())) or _NONE


def misread(pairs: Iterable[tuple[Gold, Reading]]) -> list[tuple[Gold, Reading]]:
    """The messages whose topic, danger or sealing was read wrongly."""
    grave = {"topic", "danger", "sealed"}
    return [(g, r) for g, r in pairs if grave & {d.what for d in differences(g, r)}]
