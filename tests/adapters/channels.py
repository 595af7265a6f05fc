"""A server on this machine that behaves as badly as a channel can, and remembers what reached it."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Behaviour = Callable[[socket.socket, bytes], None]


@dataclass
class BadChannel:
    """Where the server listens, and the raw requests it read."""

    port: int
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}/v3.0/oa/message/cs"


@contextmanager
def behaving(behaviour: Behaviour) -> Iterator[BadChannel]:
    """Listen on a free port; each connection is read until its request is complete and given to `behaviour`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        channel = BadChannel(listener.getsockname()[1])
        threading.Thread(target=_serve, args=(listener, channel, behaviour), daemon=True).start()
        yield channel


def _serve(listener: socket.socket, channel: BadChannel, behaviour: Behaviour) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            try:
                request = _read(connection)
                channel.requests.append(request)
                behaviour(connection, request)
            except OSError:
                continue


def _read(connection: socket.socket) -> bytes:
    connection.settimeout(5)
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    wanted = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < wanted:
        body += _more(connection)
    return head + b"\r\n\r\n" + body


def _more(connection: socket.socket) -> bytes:
    """What comes next; whoever hangs up before the end has asked nothing."""
    data = connection.recv(65_536)
    if not data:
        raise ConnectionAbortedError("hung up before the request was complete")
    return data


def answer(body: bytes, status: str = "200 OK", *headers: str) -> Behaviour:
    """Answer as one should."""

    def behave(connection: socket.socket, _: bytes) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return behave


def say(raw: bytes, then: Callable[[], None] = lambda: None) -> Behaviour:
    """Say these bytes, whatever they are, wait and hang up."""

    def behave(connection: socket.socket, _: bytes) -> None:
        connection.sendall(raw)
        then()

    return behave


def reset(connection: socket.socket, _: bytes) -> None:
    """Break the connection after the request was read."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def trickle(connection: socket.socket, _: bytes) -> None:
    """Send a byte now and then, for ever."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.05)


def flood(connection: socket.socket, _: bytes) -> None:
    """Send without an end and without saying how much."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65_536)


def free_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
