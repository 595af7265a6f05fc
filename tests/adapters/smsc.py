"""An SMSC on this machine that behaves as it is told, with its own reading of SMPP 3.4: nothing of smpplib's."""

from __future__ import annotations

import contextlib
import itertools
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

BIND, SUBMIT, DELIVER, ENQUIRE, UNBIND = 0x9, 0x4, 0x5, 0x15, 0x6
ANSWER = 0x80000000
THROTTLED, VENDOR = 0x58, 0x410


@dataclass(frozen=True)
class Submitted:
    """A submit_sm as it came."""

    source: str
    destination: str
    esm_class: int
    registered: int
    coding: int
    data: bytes

    @property
    def body(self) -> bytes:
        """The words without the header of a piece."""
        return self.data[1 + self.data[0] :] if self.esm_class & 0x40 else self.data


@dataclass
class Smsc:
    """Where it listens, what it got, and how it behaves. `statuses`: what the next submits are answered with."""

    port: int
    submitted: list[Submitted] = field(default_factory=list)
    answers: dict[int, int] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    bind_status: int = 0
    is_mute: bool = False
    binds: int = 0
    enquired: int = 0
    _socket: socket.socket | None = None
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(0xABC1))
    _sequence: Iterator[int] = field(default_factory=lambda: itertools.count(5_000))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def deliver(
        self, source: str, text: bytes, *, destination: str = "8088", esm: int = 0, coding: int = 8, more: bytes = b""
    ) -> int:
        """Hand over a message or a receipt; gives the status the other side answered with."""
        body = b"\0" + b"\1\1" + source.encode() + b"\0" + b"\0\1" + destination.encode() + b"\0"
        body += bytes([esm, 0, 0]) + b"\0\0" + bytes([0, 0, coding, 0, len(text)]) + text + more
        sequence = next(self._sequence)
        self._say(DELIVER, 0, sequence, body)
        for _ in range(500):
            if sequence in self.answers:
                return self.answers[sequence]
            time.sleep(0.01)
        raise AssertionError("nobody answered the delivery")

    def receipt(self, external_id: str, state: str, *, source: str = "84912345678") -> int:
        """Report on a message."""
        words = f"id:{external_id} sub:001 dlvrd:001 submit date:2610070900 done date:2610070901 "
        words += f"stat:{state} err:001 text:"
        return self.deliver(source, words.encode(), esm=0x04, coding=0)

    def hang_up(self) -> None:
        """Break the connection."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def unbind(self) -> None:
        """End the session politely."""
        self._say(UNBIND, 0, next(self._sequence), b"")

    def enquire(self) -> None:
        """Ask whether the other side is alive."""
        self._say(ENQUIRE, 0, next(self._sequence), b"")

    def serve(self, connection: socket.socket) -> None:
        """One session."""
        self._socket = connection
        with contextlib.suppress(OSError, struct.error, ConnectionError):
            while True:
                length, command, status, sequence = struct.unpack(">IIII", _exactly(connection, 16))
                body = _exactly(connection, length - 16)
                self._hear(command, status, sequence, body)

    def _hear(self, command: int, status: int, sequence: int, body: bytes) -> None:
        if command == BIND:
            self.binds += 1
            self._say(BIND | ANSWER, self.bind_status, sequence, b"" if self.bind_status else b"FAKE\0")
        elif command == SUBMIT:
            self.submitted.append(_read(body))
            if self.is_mute:
                return
            answer = self.statuses.pop(0) if self.statuses else 0
            self._say(SUBMIT | ANSWER, answer, sequence, b"" if answer else f"{next(self._ids):X}\0".encode())
        elif command == ENQUIRE:
            self.enquired += 1
            if not self.is_mute:
                self._say(ENQUIRE | ANSWER, 0, sequence, b"")
        elif command in {DELIVER | ANSWER, ENQUIRE | ANSWER}:
            self.answers[sequence] = status

    def _say(self, command: int, status: int, sequence: int, body: bytes) -> None:
        assert self._socket is not None
        with self._lock:
            self._socket.sendall(struct.pack(">IIII", 16 + len(body), command, status, sequence) + body)


@contextlib.contextmanager
def an_smsc() -> Iterator[Smsc]:
    """Listen on a free port; one session at a time."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        smsc = Smsc(listener.getsockname()[1])
        threading.Thread(target=_accept, args=(listener, smsc), daemon=True).start()
        yield smsc
        smsc.hang_up()


def pieces(text: str, reference: int, *, wide: bool = False) -> list[bytes]:
    """A long message as a telephone cuts it, with 8 or 16 bits of reference."""
    data = text.encode("utf-16-be")
    cut = [data[at : at + 132] for at in range(0, len(data), 132)]
    mark = (
        (lambda n: bytes([6, 8, 4, reference >> 8, reference & 255, len(cut), n]))
        if wide
        else (lambda n: bytes([5, 0, 3, reference & 255, len(cut), n]))
    )
    return [mark(n) + part for n, part in enumerate(cut, 1)]


def _accept(listener: socket.socket, smsc: Smsc) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            smsc.serve(connection)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


def _read(body: bytes) -> Submitted:
    _, rest = body.split(b"\0", 1)
    source, rest = rest[2:].split(b"\0", 1)
    destination, rest = rest[2:].split(b"\0", 1)
    esm = rest[0]
    _, rest = rest[3:].split(b"\0", 1)
    _, rest = rest.split(b"\0", 1)
    registered, _, coding, _, length = rest[:5]
    return Submitted(source.decode(), destination.decode(), esm, registered, coding, rest[5 : 5 + length])
