"""Measure reading beside yardsticks that do less, in one process and one run.

Each round times every contestant on the same messages, one at a time, and on others than the round before, so that
nobody is asked the same twice; ratios are taken inside a round, medians over rounds. Times are this process's CPU time,
so that what else the machine does counts little; wall times of a message are told too. Memory and cold start are those
of a real `haichieu read`. A yardstick whose package is not installed (`pip install -e '.[bench]'`) is skipped, and the
output says so.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from nlp.examples import shipped_examples
from nlp.reading import Home
from tests.bench.targets import Target
from tests.nlp.worlds import DEVELOPMENT, REGIONS, development, home_of, whole_country

READING = "reading"
TOKENIZER = "underthesea word_tokenize"
PIPELINE = "TF-IDF + LinearSVC"
UNITS = "vietnamadminunits parse_address"


class Message(NamedTuple):
    """What is read, and for whom."""

    text: str
    home: Home


Act = Callable[[Message], object]

# Floors that no change may fall below; the aims are 2,000 messages/s, p99 of 3 ms, 150 MB and 1 s on an idle machine.
RATIOS = {
    UNITS: Target("reading ÷ parse_address", 2.5),
    PIPELINE: Target("reading ÷ TF-IDF + LinearSVC", 0.6),
    TOKENIZER: Target("reading ÷ word_tokenize", 0.4),
}
PROCESS = (Target("memory_mb", 150.0, at_most=True), Target("cold_start_cpu_s", 4.0, at_most=True))


@dataclass
class Times:
    """What a contestant took, in milliseconds a message: CPU and wall of all rounds, and messages/s of each round."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)


def measure_reading(*, is_short: bool, rounds: int | None = None) -> bool:
    """Print the table; False when a floor is missed by more than the spread of the rounds."""
    size, rounds = (200, rounds or 3) if is_short else (600, rounds or 5)
    messages = _messages()
    process = [_a_process(messages[:size]) for _ in range(1 if is_short else 3)]
    contestants = dict(_contestants())
    times = {name: Times() for name in contestants}
    for number in range(rounds + 1):
        first = number * size % (len(messages) - size)
        for name, act in contestants.items():
            taken = _round(act, messages[first : first + size])
            if number:  # the first round warms up
                _note(times[name], taken)
    return _report(times, {k: [one[k] for one in process] for k in process[0]}, size)


def _messages() -> list[Message]:
    """The messages to measure with and those to learn from, well mixed; the latter written to the same communes."""
    measured = [Message(one.text, home_of(one)) for one in development()]
    homes = sorted({m.home for m in measured}, key=lambda home: home.commune_code)
    taught = [Message(one.text, homes[n % len(homes)]) for n, one in enumerate(shipped_examples())]
    messages = [*measured, *taught]
    random.Random(7).shuffle(messages)
    return messages


def _contestants() -> Iterator[tuple[str, Act]]:
    from nlp.reader import Reader

    reader = Reader(whole_country())
    yield READING, lambda one: reader.read(one.text, one.home)
    yield PIPELINE, _pipeline()
    try:
        from underthesea import word_tokenize
    except ImportError:
        _skipped(TOKENIZER, "underthesea")
    else:
        yield TOKENIZER, lambda one: word_tokenize(one.text)
    try:
        from vietnamadminunits import parse_address
    except ImportError:
        _skipped(UNITS, "vietnamadminunits")
    else:
        yield UNITS, lambda one: parse_address(one.text)


def _skipped(name: str, package: str) -> None:
    print(f"!! SKIPPED: {name} ({package} is not installed; pip install -e '.[bench]' when an index can be reached)")


def _pipeline() -> Act:
    """The usual small classifier, taught the same messages as the reader's model."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    examples = shipped_examples()
    pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LinearSVC())
    pipeline.fit([e.text for e in examples], [e.topic for e in examples])
    return lambda one: pipeline.predict([one.text])


def _round(act: Act, messages: list[Message]) -> list[tuple[float, float]]:
    taken = []
    for message in messages:
        cpu, wall = time.process_time_ns(), time.perf_counter_ns()
        act(message)
        taken.append(((time.process_time_ns() - cpu) / 1e6, (time.perf_counter_ns() - wall) / 1e6))
    return taken


def _note(times: Times, taken: list[tuple[float, float]]) -> None:
    times.cpu += [cpu for cpu, _ in taken]
    times.wall += [wall for _, wall in taken]
    times.per_second.append(1000 * len(taken) / sum(cpu for cpu, _ in taken))


def _a_process(messages: list[Message]) -> dict[str, float]:
    """Cold start (to the first answer) and peak memory (after all messages) of `haichieu read`."""
    places = DEVELOPMENT / f"{REGIONS[0]}_places.csv"
    command = [sys.executable, "-m", "bot.cli", "read", "--places", str(places)]
    begun = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        first = None
        for message in messages:
            process.stdin.write(json.dumps({"text": message.text, "home": message.home.commune_code}).encode() + b"\n")
            process.stdin.flush()
            process.stdout.readline()
            first = first or (time.perf_counter() - begun, _cpu_seconds(process.pid))
        memory = _peak_mb(process.pid)
        process.stdin.close()
    assert first
    return {"memory_mb": memory, "cold_start_s": first[0], "cold_start_cpu_s": first[1]}


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


def _report(times: dict[str, Times], process: dict[str, list[float]], messages: int) -> bool:
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    print(f"\nreading: {messages} messages one at a time, {len(times[READING].per_second)} rounds; load average {load}")
    print(f"  {'':<34}{'per CPU second':>16}  {'p50 ms':>8}{'p99 ms':>8}{'wall p50':>10}{'wall p99':>10}")
    for name, one in times.items():
        cells = (_at(one.cpu, 50), _at(one.cpu, 99), _at(one.wall, 50), _at(one.wall, 99))
        print(
            f"  {name:<34}{statistics.median(one.per_second):>16,.0f}  "
            + "{:>8.2f}{:>8.2f}{:>10.2f}{:>10.2f}".format(*cells)
        )
    ratios = {
        name: [ours / theirs for ours, theirs in zip(times[READING].per_second, one.per_second, strict=True)]
        for name, one in times.items()
        if name != READING
    }
    for name, values in ratios.items():
        print(f"  reading ÷ {name:<34}{_spread(values)}")
    for name, values in process.items():
        print(f"  {name:<44}{_spread(values)}")
    checks = [(floor, ratios[name]) for name, floor in RATIOS.items() if name in ratios]
    checks += [(floor, process[floor.name]) for floor in PROCESS]
    verdicts = [(floor, floor.verdict(values)) for floor, values in checks]
    for floor, verdict in verdicts:
        print(f"  floor {floor.name} {floor.sign} {floor.must:g}: {verdict}")
    told = {name: {"per_cpu_s": [round(x) for x in one.per_second]} for name, one in times.items()}
    print(json.dumps({"reading": told, "ratios": {k: [round(x, 3) for x in v] for k, v in ratios.items()}, **process}))
    return all(verdict != "MISSED" for _, verdict in verdicts)


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):9.2f}   {min(values):.2f}–{max(values):.2f}"


def _at(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
