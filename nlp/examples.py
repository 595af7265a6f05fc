"""Examples: labelled messages to learn from or to test with, read from tab-separated files and checked."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nlp.phrases import DATA
from nlp.topics import TOPICS

MESSAGES = DATA / "messages"
URGENCIES = ("thuong", "khan", "khan_cap")
INTENTS = (
    "feedback", "proposal", "emergency", "question", "denunciation", "complaint", "announcement_request",
    "status_lookup", "add_info", "rating", "withdraw", "praise", "thanks", "greeting", "chitchat", "test",
    "human_handoff", "data_request", "unsubscribe", "out_of_area", "out_of_scope", "spam", "abuse",
)  # fmt: skip


class BadExample(ValueError):
    """A line that can't be learned from; says which and why."""


@dataclass(frozen=True)
class Example:
    """A message and what is to be understood of it; `topics`: the main one first, then others as acceptable."""

    text: str
    intent: str
    topics: tuple[str, ...]
    urgency: str
    sealed: bool
    source: str = ""

    @property
    def topic(self) -> str:
        """The main topic, or "" when the message has no subject."""
        return self.topics[0] if self.topics else ""


def parse(line: str, source: str = "") -> Example:
    """One line of a messages file; raises BadExample."""
    fields = line.rstrip("\n").split("\t")
    if len(fields) != 5:
        raise BadExample(f"{source}: 5 fields separated by tabs are needed, {len(fields)} found")
    intent, topics, urgency, seal, text = (field.strip() for field in fields)
    slugs = () if topics == "-" else tuple(topics.split(","))
    for is_wrong, what in (
        (intent not in INTENTS, f"unknown intent {intent!r}"),
        (any(slug not in TOPICS for slug in slugs), f"unknown topic in {topics!r}"),
        (urgency not in URGENCIES, f"unknown urgency {urgency!r}"),
        (seal not in ("sealed", "-"), f'the fourth field is "sealed" or "-", not {seal!r}'),
        (not text, "no text"),
        ((intent == "emergency") != (urgency == "khan_cap"), "emergency and khan_cap go together"),
        (intent == "denunciation" and seal != "sealed", "a denunciation is sealed"),
    ):
        if is_wrong:
            raise BadExample(f"{source}: {what}")
    return Example(text.replace("\\n", "\n"), intent, slugs, urgency, seal == "sealed", source)


def read_examples(path: Path) -> Iterator[Example]:
    """The messages of one file; raises BadExample at the first line that is wrong."""
    for source, line in _lines(path):
        yield parse(line, source)


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """The lines of a file that should hold a message, each with where it stands."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip() and not line.startswith("#"):
                yield f"{path.name}:{number}", line


def shipped_examples(folder: Path = MESSAGES) -> list[Example]:
    """All messages that ship with the program, in the order of the files' names."""
    return [example for path in sorted(folder.glob("*.tsv")) for example in read_examples(path)]


def _check(paths: Iterable[Path]) -> int:
    """Print what is wrong with files, and what they hold."""
    wrong = 0
    seen: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for path in paths:
        for source, line in _lines(path):
            try:
                example = parse(line, source)
            except BadExample as error:
                wrong += 1
                print(error)  # noqa: T201 - this is a command
                continue
            seen[example.text] += 1
            counts.update([example.intent, example.topic, example.urgency, "sealed" if example.sealed else "open"])
    for text, times in seen.items():
        if times > 1:
            print(f"written {times} times: {text[:60]}")  # noqa: T201
    print(f"{sum(seen.values())} messages, {wrong} wrong lines")  # noqa: T201
    print(", ".join(f"{label or 'no topic'} {count}" for label, count in counts.most_common()))  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(_check(Path(argument) for argument in sys.argv[1:]))
