"""A pretend Zalo running on a free port, a listener for its webhooks, and words to speak with both."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from adapters.messages import WebhookRequest
from bot.web.sandbox import Sandbox, SandboxAccount, SandboxSettings, create_sandbox, sandbox_server
from bot.web.sandbox.calling import certificates
from tests.builders import APP, APP_SECRET, OA, OA_SECRET

ACCESS, REFRESH = "an-access-token-of-the-sandbox", "a-refresh-token-of-the-sandbox"


@dataclass
class Listener:
    """Where webhooks arrive; `statuses` are what it answers next, 200 when they are used up."""

    url: str
    received: list[WebhookRequest] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def wait_for(self, count: int, seconds: float = 5.0) -> list[WebhookRequest]:
        """The requests once there are this many."""
        until(lambda: len(self.received) >= count, seconds)
        return self.received


@contextmanager
def listening() -> Iterator[Listener]:
    """A server that takes webhooks in."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            listener.received.append(WebhookRequest("POST", headers, body))
            listener.times.append(time.monotonic())
            self.send_response(listener.statuses.pop(0) if listener.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener = Listener(f"http://127.0.0.1:{server.server_port}/webhook")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Running:
    """A sandbox that serves, with what tests say to it."""

    url: str
    box: Sandbox
    client: httpx.Client

    def citizen(self, **more: Any) -> str:
        """One more pretend person; gives the user id."""
        return str(self.control("citizens", announce=False, **more)["user_ids"][0])

    def says(self, user: str, text: str = "", **more: Any) -> dict[str, Any]:
        """Let a citizen do something; a text unless another kind is given."""
        return self.control("say", user_id=user, text=text, **more)

    def fault(self, kind: str, **more: Any) -> None:
        """Let the next request fail."""
        self.control("faults", kind=kind, **more)

    def control(self, path: str, **asked: Any) -> dict[str, Any]:
        """Pull a string."""
        response = self.client.post(f"/control/{path}", json=asked)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def ledger(self, user: str = "") -> list[dict[str, Any]]:
        """Every message the pretend Zalo accepted from us, oldest first."""
        return list(self.client.get("/control/ledger", params={"user_id": user, "limit": 10_000}).json()["rows"])

    def api(self, path: str, body: object = None, *, token: str = ACCESS, **more: Any) -> Any:
        """Ask the pretend OpenAPI and give its JSON."""
        return self.client.post(path, json=body, headers={"access_token": token}, **more).json()

    def lookup(self, path: str, data: str = "{}", *, token: str = ACCESS) -> Any:
        """Ask the pretend OpenAPI a question."""
        return self.client.get(path, params={"data": data}, headers={"access_token": token}).json()

    def text_to(self, user: str, text: str = "Xin chào ông/bà", **message: Any) -> Any:
        """Send a consultation message."""
        return self.api("/v3.0/oa/message/cs", {"recipient": {"user_id": user}, "message": {"text": text, **message}})


@contextmanager
def running(folder: Path, *, webhook_url: str = "", **settings: Any) -> Iterator[Running]:
    """Serve a sandbox with one account, Xã Đức Huệ's."""
    account = SandboxAccount(
        APP, APP_SECRET, OA, OA_SECRET, "Xã Đức Huệ", webhook_url, ACCESS, REFRESH,
        **{k: settings.pop(k) for k in ("redirect_uri", "requires_proof", "switched_off_events") if k in settings},
    )  # fmt: skip
    settings = {"receipt_delay": (0.0, 0.0), "retry_time_scale": 0.001, **settings}
    app = create_sandbox(SandboxSettings(db_path=folder / "sandbox.db", accounts=[account], **settings))
    server = sandbox_server(app)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    with httpx.Client(base_url=url, timeout=10, trust_env=False, verify=certificates()) as client:
        try:
            yield Running(url, app.extensions["sandbox"], client)
        finally:
            server.shutdown()
            server.server_close()
            app.extensions["sandbox"].stop()


def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until it is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
