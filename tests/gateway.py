"""Real processes for tests of the whole: the gateway as it is deployed, and a pretend Zalo that outlives its kills."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from bot.config import Settings
from bot.queue import NoNudge
from bot.runtime import Runtime
from tests.builders import APP, APP_SECRET, OA, OA_SECRET, World, a_world
from tests.servers import POSTGRES

SECRET_KEY = "a-key-for-tests-only-" + "y" * 24
SEALED_KEY = "a-sealed-key-for-tests-" + "y" * 24
HAICHIEU = [sys.executable, "-m", "bot.cli"]


def free_port() -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_until(what: str, is_true: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Look until something holds; AssertionError names it when it never did."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = is_true()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:.0f} s in vain: {what}")


@dataclass
class Process:
    """A command that can be killed with everything it started, and started again."""

    command: Sequence[str]
    env: dict[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run it in a process group of its own; what it prints goes to its log."""
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                self.command, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def kill(self) -> None:
        """kill -9, the whole group at once."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and insist after a while."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        if self.running is None:
            return
        try:
            os.killpg(self.running.pid, number)
            self.running.wait(timeout=30)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait(timeout=10)
        self.running = None


@dataclass
class PretendZalo:
    """The sandbox as a process of its own, and its control pages."""

    process: Process
    url: str
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60, trust_env=False))

    def ask(self, path: str, **params: Any) -> Any:
        """Read one of its control pages."""
        answer = self.client.get(f"{self.url}/control/{path}", params=params)
        answer.raise_for_status()
        return answer.json()

    def tell(self, path: str, **what: Any) -> Any:
        """Pull one of its strings."""
        answer = self.client.post(f"{self.url}/control/{path}", json=what)
        answer.raise_for_status()
        return answer.json()

    def ledger(self) -> list[dict[str, Any]]:
        """Every send it accepted, oldest first."""
        rows: list[dict[str, Any]] = []
        after = 0
        while True:
            page = self.ask("ledger", after=after, limit=10_000)
            if not page["rows"]:
                return rows
            rows += page["rows"]
            after = page["next_after"]


@contextmanager
def pretend_zalo(folder: Path, webhook_url: str, *, retry_scale: float = 0.01) -> Iterator[PretendZalo]:
    """A pretend Zalo whose webhooks go to this address; its retry ladder is shortened by `retry_scale`."""
    port = free_port()
    command = [sys.executable, "-m", "tests.pretend", str(folder / "zalo.db"), str(port), webhook_url, str(retry_scale)]
    process = Process(command, dict(os.environ), folder / "zalo.log")
    process.start()
    zalo = PretendZalo(process, f"http://127.0.0.1:{port}")
    try:
        wait_until("pretend Zalo answers", lambda: _answers(f"{zalo.url}/control/webhooks"))
        yield zalo
    finally:
        process.stop()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code < 500
    except httpx.HTTPError:
        return False


@dataclass
class Gateway:
    """The gateway as an operator runs it: one process on SQLite, or several on PostgreSQL and Redis."""

    settings: Settings
    processes: list[Process]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.settings.port}"

    def start(self, *, wait: bool = True) -> None:
        """Start every process and wait until the door answers."""
        for process in self.processes:
            if process.running is None:
                process.start()
        if wait:
            wait_until("the door answers", lambda: _answers(f"{self.url}/webhooks/any"), 60)

    def kill(self) -> None:
        """kill -9 everything."""
        for process in self.processes:
            process.kill()

    def stop(self) -> None:
        """End everything in good order."""
        for process in self.processes:
            process.stop()

    def runtime(self) -> Runtime:
        """A runtime on the same data, for the test to look and act through."""
        return Runtime.build(self.settings, nudge=NoNudge())


def a_gateway(folder: Path, *, database_url: str = "", redis_url: str = "", web_workers: int = 1) -> Gateway:
    """A gateway that is not started yet, on a fresh database that `make_world` fills."""
    settings = Settings(
        database_url=database_url,
        redis_url=redis_url,
        secret_key=SECRET_KEY,
        sealed_key=SEALED_KEY,
        data_dir=folder,
        port=free_port(),
        web_workers=web_workers,
        log_level="warning",
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("HAICHIEU_")}
    env |= {
        "HAICHIEU_DATA_DIR": str(folder),
        "HAICHIEU_PORT": str(settings.port),
        "HAICHIEU_SECRET_KEY": SECRET_KEY,
        "HAICHIEU_SEALED_KEY": SEALED_KEY,
        "HAICHIEU_LOG_LEVEL": "warning",
        "HAICHIEU_WEB_WORKERS": str(web_workers),
    }
    if database_url:
        env["HAICHIEU_DATABASE_URL"] = database_url
    if redis_url:
        env["HAICHIEU_REDIS_URL"] = redis_url
    separate = [["web"], ["worker", "replies", "inbox", "media"], ["worker", "broadcast"], ["clock"]]
    commands = separate if database_url else [["up"]]
    processes = [Process([*HAICHIEU, *words], env, folder / f"{'-'.join(words)}.log") for words in commands]
    return Gateway(settings, processes)


def make_world(gateway: Gateway, api_base: str, *, rate: float = 400.0) -> World:
    """Migrate the gateway's database and make xã Đức Huệ with its channel at this pretend Zalo."""
    import sqlalchemy as sa

    from bot.usecases.setup import prepare_database
    from storage.channels import Channel
    from storage.communes import Commune

    runtime = gateway.runtime()
    prepare_database(runtime)
    world = a_world(runtime, runtime.now, api_base=api_base)
    with runtime.database.transaction() as session:
        session.execute(sa.update(Channel).values(rate_per_second=rate))
        session.execute(
            sa.update(Commune).values(settings={"quiet_hours": None, "undo_seconds": 0})
        )  # tests run at night, too
    return world


@contextmanager
def fresh_postgres(server: str = POSTGRES) -> Iterator[str]:
    """A new PostgreSQL database; gives its URL and drops it afterwards."""
    name = f"haichieu_{os.getpid()}_{time.time_ns()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield server.rsplit("/", 1)[0] + f"/{name}"
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


ACCOUNT = {"app_id": APP, "app_secret": APP_SECRET, "oa_id": OA, "oa_secret": OA_SECRET}
