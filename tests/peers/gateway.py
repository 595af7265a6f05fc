"""What a rehearsal with a peer needs: a gateway on a port, programs around it, and lines that say what held."""

from __future__ import annotations

import contextlib
import json
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import sqlalchemy as sa

from bot.config import Settings
from bot.queue import NoNudge
from bot.runtime import Runtime
from bot.usecases import intake, sending
from bot.usecases.setup import add_channel, add_commune, prepare_database
from bot.web.door import Door
from storage.communes import Commune
from storage.deliveries import Delivery
from storage.enums import Direction
from storage.messages import Message
from tests.adapters.channels import free_port

HERE = Path(__file__).parent


class Skipped(Exception):
    """The peer is not here; the sentence says how to get it."""


@dataclass
class Rehearsal:
    """A gateway and what it has heard and said."""

    runtime: Runtime
    port: int
    held: int = 0

    def channel(self, kind: str, slug: str, settings: dict[str, Any], secrets: dict[str, str]) -> int:
        """Connect a channel."""
        return add_channel(
            self.runtime, commune="duc-hue", type=kind, slug=slug, name=slug, settings=settings, secrets=secrets,
            rate_per_second=50.0,
        )  # fmt: skip

    def heard(self) -> list[str]:
        """What citizens said, as far as it has been understood."""
        while intake.drain_batch(self.runtime):
            pass
        with self.runtime.database.reading() as session:
            query = sa.select(Message.text).where(Message.direction == Direction.IN).order_by(Message.id)
            return list(session.scalars(query))

    def sends(self) -> None:
        """Hand over what is owed."""
        sending.send_due(self.runtime, sending.PERSONAL)

    def owed(self) -> list[Delivery]:
        """Everything that was owed."""
        self.heard()
        with self.runtime.database.reading() as session:
            return list(session.scalars(sa.select(Delivery).order_by(Delivery.id)))

    def expect(self, sentence: str, what: Callable[[], object], seconds: float = 30.0) -> None:
        """Wait until it holds, and say so; ends the rehearsal when it does not."""
        end = time.monotonic() + seconds
        while not what():
            if time.monotonic() > end:
                sys.exit(f"FAILED  {sentence}")
            time.sleep(0.2)
        self.held += 1
        sys.stdout.write(f"ok      {sentence}\n")


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Addresses hold secrets."""


@contextlib.contextmanager
def a_gateway(folder: Path) -> Iterator[Rehearsal]:
    """A commune without quiet hours behind a door on a free port."""
    port = free_port()
    settings = Settings(
        data_dir=folder, secret_key="a-key-for-tests-only-" + "x" * 20, public_url=f"http://127.0.0.1:{port}"
    )
    runtime = Runtime.build(settings, nudge=NoNudge())
    prepare_database(runtime)
    add_commune(runtime, code="27925", slug="duc-hue")
    with runtime.database.transaction() as session:
        session.execute(sa.update(Commune).values(settings={"quiet_hours": None, "undo_seconds": 0}))
    door = Door(runtime, lambda _environ, start: (start("404 Not Found", []), [b""])[1])
    server = make_server("127.0.0.1", port, door, server_class=_Server, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Rehearsal(runtime, port)
    finally:
        server.shutdown()
        door.close()
        runtime.http.close()
        runtime.database.close()


@dataclass
class Program:
    """A peer's process and the lines it has printed."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    _new: queue.Queue[str] = field(default_factory=queue.Queue)

    def says(self, words: str) -> bool:
        """Whether it has printed these words."""
        return any(words in line for line in self.lines)

    def got(self) -> list[dict[str, Any]]:
        """The lines of JSON it has printed."""
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    def hears(self, line: str) -> None:
        """Type a line into it."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


@contextlib.contextmanager
def a_program(*command: str, folder: Path) -> Iterator[Program]:
    """Run a peer until the block ends; only this process is ended, by its own handle."""
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    program = Program(process)
    threading.Thread(target=_read, args=(process, program), daemon=True).start()
    try:
        yield program
    finally:
        for _ in range(2):  # bearerbox with messages in hand wants to hear it twice
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
        if process.poll() is None:
            process.kill()
            process.wait(5)


def _read(process: subprocess.Popen[str], program: Program) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        program.lines.append(line.rstrip("\n"))


def npm_smpp(folder: Path) -> Path:
    """The folder with the npm package "smpp" and our script in it; Skipped when it cannot be had."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise Skipped("node and npm are not here")
    done = subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "smpp@0.5.1"],
        cwd=folder, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Skipped("npm install smpp@0.5.1 failed: is there a package index?")
    shutil.copy(HERE / "smsc.js", folder)
    return folder


def report(name: str, rehearse: Callable[[], int]) -> int:
    """Run a rehearsal; a peer that is missing is a loud skip, not a pass."""
    try:
        held = rehearse()
    except Skipped as skip:
        sys.stdout.write(f"!!!!!!  SKIPPED {name}: {skip}\n")
        return 0
    sys.stdout.write(f"passed  {name}: {held} promises held\n")
    return 0
