"""A gateway that only remembers how providers called it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Call:
    """One request: its path with the query, and its JSON if it has any."""

    method: str
    url: str
    json: Any = None


@dataclass
class Taken:
    """What came; `statuses`: what is answered next, 200 and `answer` when they are used up."""

    url: str
    calls: list[Call] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    answer: bytes = b""


@contextmanager
def taking() -> Iterator[Taken]:
    """A server that takes everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            taken.calls.append(Call(self.command, self.path, json.loads(body) if body else None))
            self.send_response(taken.statuses.pop(0) if taken.statuses else 200)
            self.send_header("Content-Length", str(len(taken.answer)))
            self.end_headers()
            self.wfile.write(taken.answer)

        do_POST = do_GET

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taken = Taken(f"http://127.0.0.1:{server.server_port}/hook")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()
