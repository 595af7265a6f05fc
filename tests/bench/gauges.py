"""Gauges: memory and processor time of processes, read from /proc while something else is measured."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from bot.runtime import Runtime
from tests.gateway import Gateway

TICKS, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
EVERY = 1.0
WARM_UP = 0.25  # of the samples: a process reads its modules, lists and first rows


@dataclass
class Memory:
    """What one process held, in megabytes, at each look."""

    name: str
    held: list[tuple[float, float]] = field(default_factory=list)

    @property
    def warm(self) -> list[tuple[float, float]]:
        """The looks after it has warmed up."""
        return self.held[int(len(self.held) * WARM_UP) :]

    @property
    def grown(self) -> float:
        """How much a straight line through the warm looks rises over all of them, in megabytes."""
        looks = self.warm
        if len(looks) < 3:
            return 0.0
        mean_at, mean = sum(at for at, _ in looks) / len(looks), sum(held for _, held in looks) / len(looks)
        spread = sum((at - mean_at) ** 2 for at, _ in looks)
        slope = sum((at - mean_at) * (held - mean) for at, held in looks) / spread if spread else 0.0
        return slope * (looks[-1][0] - looks[0][0])

    def __str__(self) -> str:
        values = [held for _, held in self.warm or self.held]
        minutes = (self.warm[-1][0] - self.warm[0][0]) / 60 if len(self.warm) > 1 else 0.0
        slope = self.grown / minutes if minutes else 0.0
        first, last = values[0], values[-1]
        return f"{self.name}: {first:.0f} MB, {last:.0f} at the end, {max(values):.0f} at most, {slope:+.1f} a minute"


@contextmanager
def memory_of(gateway: Gateway) -> Iterator[dict[str, Memory]]:
    """Look at every process of the gateway each second; one that takes another's place counts on its own."""
    seen: dict[str, Memory] = {}
    over = threading.Event()

    def look() -> None:
        while not over.wait(EVERY):
            for process in gateway.processes:
                if process.running is None:
                    continue
                for pid in _group(process.running.pid):
                    name = f"{process.log.stem} {pid}"
                    with_held = _resident(pid)
                    if with_held:
                        seen.setdefault(name, Memory(name)).held.append((time.monotonic(), with_held))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def cpu_seconds(gateway: Gateway, runtime: Runtime) -> dict[str, float]:
    """Processor time used so far by our processes, and by the database's sessions of them."""
    ours = [pid for one in gateway.processes if one.running for pid in _group(one.running.pid)]
    return {"gateway": _cpu(ours), "database": _cpu(_sessions(runtime))}


def _sessions(runtime: Runtime) -> list[int]:
    if runtime.database.is_sqlite:
        return []
    with runtime.database.reading() as session:
        asked = sa.text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return list(session.scalars(asked))


def _group(leader: int) -> list[int]:
    """The process and whatever it started."""
    pids = [int(place.name) for place in Path("/proc").iterdir() if place.name.isdecimal()]
    return [pid for pid in pids if (fields := _stat(pid)) and int(fields[2]) == leader]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on; [] when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _resident(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6
    except (OSError, IndexError):
        return 0.0


def _cpu(pids: Iterable[int]) -> float:
    return sum((int(fields[11]) + int(fields[12])) / TICKS for pid in pids if (fields := _stat(pid)))
