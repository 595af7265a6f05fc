"""The wire: at which moments messages left, told by the kernel, not by whoever reads them when it gets its turn.

Needs Linux and the right to see packets (root); `watching` gives None without it.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_IPV4 = 0x0800
_STAMPS = 35  # SO_TIMESTAMPNS
_FILTER = 26  # SO_ATTACH_FILTER
_ROOM, _ROOM_BYTES = 33, 64 << 20  # SO_RCVBUFFORCE
_OUTGOING = 4  # on the loopback each packet is seen twice: as it leaves and as it comes
_SUBMIT_SM = 4
_HTTP = (b"POST ", b"GET ")


@dataclass
class Wire:
    """What was seen: the moment of each message, in seconds of the machine's clock."""

    moments: list[float] = field(default_factory=list)


@contextmanager
def watching(port: int, *, is_smpp: bool = False) -> Iterator[Wire | None]:
    """Note each message that goes to this port of this machine: a request's first bytes, or a submit_sm."""
    try:
        packets = _packets_to(port)
    except (OSError, AttributeError):
        yield None
        return
    wire, is_over = Wire(), threading.Event()
    counted = _submits if is_smpp else _requests

    def watch() -> None:
        while not is_over.is_set():
            try:
                packet, extra, _, address = packets.recvmsg(1 << 17, 64)
            except TimeoutError:
                continue
            if address[2] != _OUTGOING:
                seconds, nanos = struct.unpack("qq", extra[0][2])
                wire.moments += [seconds + nanos / 1e9] * counted(_payload(packet))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        is_over.set()
        thread.join()
        packets.close()


def _packets_to(port: int) -> socket.socket:
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_IPV4))
    # Classic BPF: the length of the IP header to X; the TCP header's second half-word; ours whole, others not at all.
    program = b"".join(
        struct.pack("HBBI", *line)
        for line in ((0xB1, 0, 0, 0), (0x48, 0, 0, 2), (0x15, 0, 1, port), (0x06, 0, 0, 0x40000), (0x06, 0, 0, 0))
    )
    lines = ctypes.create_string_buffer(program)
    packets.setsockopt(socket.SOL_SOCKET, _FILTER, struct.pack("HL", len(program) // 8, ctypes.addressof(lines)))
    packets.setsockopt(socket.SOL_SOCKET, _STAMPS, 1)
    packets.setsockopt(socket.SOL_SOCKET, _ROOM, _ROOM_BYTES)
    packets.settimeout(0.2)
    packets.bind(("lo", 0))
    return packets


def _payload(packet: bytes) -> bytes:
    header = (packet[0] & 15) * 4
    return packet[header + (packet[header + 12] >> 4) * 4 : struct.unpack_from("!H", packet, 2)[0]]


def _requests(payload: bytes) -> int:
    return int(payload.startswith(_HTTP))


def _submits(payload: bytes) -> int:
    """How many submit_sm begin here; smpplib writes whole PDUs."""
    found = 0
    while len(payload) >= 16:
        length, command = struct.unpack_from("!II", payload)
        found += command == _SUBMIT_SM
        payload = payload[max(length, 16) :]
    return found
