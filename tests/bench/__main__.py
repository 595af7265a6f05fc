"""Measure the door and the worker against what this machine's database can do by itself, and reading beside yardsticks.

python -m tests.bench [--short] [--part gateway|reading|both] [--engine sqlite|postgresql|both] [--rounds N]
                      [--seconds S]

Each round measures the bare reference, then the door; ratios are taken inside a round, medians over rounds. The load
generator, the server and the database share the machine's cores. A run that loses or doubles a row has failed.

A machine's disk may commit twice as fast in one minute as in the next, and the short form measures for seconds: there
the ratio may fall to two fifths of its floor.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import sqlalchemy as sa

from bot.usecases import intake
from storage.messages import InboundEvent
from tests.bench.load import Load, run_load
from tests.bench.reading import measure_reading
from tests.bench.targets import Target
from tests.builders import World
from tests.day import a_day, headers
from tests.gateway import Gateway, Process, a_gateway, fresh_postgres, make_world

CONNECTIONS = 32
SHORT_SHARE = 0.4


# Floors a release may not fall below. The aims are higher: 1.3 on SQLite, 0.75 on PostgreSQL, 15 and 12 ms.
TARGETS = {
    "sqlite": [Target("ratio", 0.5), Target("p99_ms", 60.0, at_most=True)],
    "postgresql": [Target("ratio", 0.2), Target("p99_ms", 60.0, at_most=True)],
}


def main() -> None:
    """Print one table; exit 1 when a target is missed by more than the spread, or a row is lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--part", choices=["gateway", "reading", "both"], default="both")
    parser.add_argument("--engine", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    asked = parser.parse_args()
    rounds = asked.rounds or (2 if asked.short else 5)
    seconds = asked.seconds or (1.5 if asked.short else 5.0)
    engines = ["sqlite", "postgresql"] if asked.engine == "both" else [asked.engine]
    failed = False
    if asked.part != "gateway":
        failed |= not measure_reading(is_short=asked.short, rounds=asked.rounds)
    for engine in engines if asked.part != "reading" else ():
        failed |= not _measure(engine, rounds, seconds, is_short=asked.short)
    sys.exit(1 if failed else 0)


def _measure(engine: str, rounds: int, seconds: float, *, is_short: bool) -> bool:
    folder = Path(tempfile.mkdtemp(prefix="haichieu-bench-"))
    with _gateway(engine, folder) as (gateway, url):
        world = make_world(gateway, "http://127.0.0.1:9")
        gateway.start()
        results: dict[str, list[float]] = {"reference": [], "door": [], "ratio": [], "p50_ms": [], "p99_ms": []}
        sent = 0
        for number in range(rounds + 1):
            reference = _bare_sqlite(folder, seconds) if engine == "sqlite" else _bare_postgres(url, seconds)
            load = run_load(gateway.settings.port, _requests(number, seconds), CONNECTIONS, seconds)
            sent += load.acknowledged
            if number:  # the first round warms up
                _note(results, reference, load)
        gateway.stop()
        lost = sent - _kept(world)
        drained = _drain(world, 1_000 if is_short else 4_000)
        world.runtime.database.close()
    shutil.rmtree(folder, ignore_errors=True)
    return _report(engine, _targets(engine, is_short=is_short), results, lost, drained)


def _targets(engine: str, *, is_short: bool) -> list[Target]:
    share = SHORT_SHARE if is_short else 1.0
    return [t if t.at_most else replace(t, must=round(t.must * share, 3)) for t in TARGETS[engine]]


@contextmanager
def _gateway(engine: str, folder: Path) -> Iterator[tuple[Gateway, str]]:
    """The web process alone: workers would measure themselves."""
    with ExitStack() as stack:
        url = "" if engine == "sqlite" else stack.enter_context(fresh_postgres())
        gateway = a_gateway(folder, database_url=url, web_workers=1 if engine == "sqlite" else 2)
        web = gateway.processes[0]
        command = [sys.executable, "-m", "bot.cli", "web"]
        gateway.processes = [Process(command, web.env, folder / "web.log")]
        stack.callback(gateway.kill)
        yield gateway, url


def _requests(number: int, seconds: float) -> list[bytes]:
    bodies = a_day(int(20_000 * max(seconds, 1.0) / 2), 2_000, number)
    requests = []
    for at, body in enumerate(bodies):
        unique = body.replace(b'"app_id":', f'"n":"{number}-{at}","app_id":'.encode(), 1)
        unique = unique.replace(b'"day', f'"r{number}-'.encode()).replace(b'"ours', f'"o{number}-'.encode())
        head = "".join(f"{name}: {value}\r\n" for name, value in headers(unique).items())
        requests.append(
            f"POST /webhooks/zalo-duc-hue HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(unique)}\r\n\r\n".encode()
            + unique
        )
    return requests


def _bare_sqlite(folder: Path, seconds: float) -> float:
    """Single-row FULL commits of the same table's shape, one after another: what this disk can do with SQLite."""
    path = folder / f"bare-{time.time_ns()}.db"
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, channel INTEGER, key TEXT, body BLOB)")
    connection.execute("CREATE UNIQUE INDEX bare_key ON bare (channel, key)")
    body, done, end = b"x" * 400, 0, time.monotonic() + seconds
    while time.monotonic() < end:
        connection.execute("INSERT INTO bare (channel, key, body) VALUES (1, ?, ?)", (f"user_send_text:{done}", body))
        done += 1
    connection.close()
    return done / seconds


def _bare_postgres(url: str, seconds: float) -> float:
    """Single-row commits by pgbench with as many clients as the door has connections."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS bare (id bigserial PRIMARY KEY, channel bigint, key text, body bytea)"
        )
        connection.execute("CREATE INDEX IF NOT EXISTS bare_key ON bare (channel, key)")
    script = Path(tempfile.gettempdir()) / "haichieu-bare.sql"
    script.write_text(
        "\\set n random(1, 1000000000)\n"
        "INSERT INTO bare (channel, key, body) VALUES (1, 'user_send_text:' || :n, decode(repeat('78', 400), 'hex'));\n"
    )
    command = [_pgbench(), "-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "2", "-T", str(max(1, round(seconds)))]
    told = subprocess.run([*command, "-f", str(script), url], capture_output=True, text=True, check=True).stdout
    return float(next(line.split()[2] for line in told.splitlines() if line.startswith("tps")))


def _pgbench() -> str:
    found = shutil.which("pgbench") or next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))), None)
    if found is None:
        raise SystemExit("pgbench is not here: install postgresql, or run with --engine sqlite")
    return str(found)


def _note(results: dict[str, list[float]], reference: float, load: Load) -> None:
    results["reference"].append(reference)
    results["door"].append(load.per_second)
    results["ratio"].append(load.per_second / reference)
    results["p50_ms"].append(load.percentile(50))
    results["p99_ms"].append(load.percentile(99))


def _kept(world: World) -> int:
    with world.runtime.database.reading() as session:
        return int(session.scalar(sa.select(sa.func.count()).select_from(InboundEvent)) or 0)


def _drain(world: World, most: int) -> float:
    """Messages that one worker handles in a second, tickets and acknowledgements written."""
    _ = world.runtime.reader
    done, begun = 0, time.monotonic()
    while done < most:
        handled = intake.drain_batch(world.runtime)
        if not handled:
            break
        done += handled
    return done / (time.monotonic() - begun)


def _report(engine: str, targets: list[Target], results: dict[str, list[float]], lost: int, drained: float) -> bool:
    print(f"\n{engine}: {CONNECTIONS} connections, {len(results['ratio'])} rounds (median, min–max)")
    for name, values in results.items():
        digits = 2 if name in {"ratio", "p50_ms", "p99_ms"} else 0
        print(
            f"  {name:<10} {statistics.median(values):>9.{digits}f}   {min(values):.{digits}f}–{max(values):.{digits}f}"
        )
    print(f"  worker     {drained:>9.0f}   events handled per second by one worker")
    print(f"  rows lost or doubled: {lost}")
    verdicts = {t.name: t.verdict(results[t.name]) for t in targets}
    for target in targets:
        print(f"  floor {target.name} {target.sign} {target.must}: {verdicts[target.name]}")
    print(
        json.dumps(
            {
                "engine": engine,
                "worker_per_s": round(drained),
                **{k: [round(x, 2) for x in v] for k, v in results.items()},
            }
        )
    )
    return lost == 0 and "MISSED" not in verdicts.values()


if __name__ == "__main__":
    main()
