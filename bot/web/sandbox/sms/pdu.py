"""SMPP 3.4 as an operator's side reads and writes it; nothing of it is shared with the gateway."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

BIND_RECEIVER, BIND_TRANSMITTER, SUBMIT, DELIVER, UNBIND, BIND_TRANSCEIVER, ENQUIRE = 1, 2, 4, 5, 6, 9, 0x15
BINDS = {BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER}
ANSWER, NACK = 0x80000000, 0x80000000
OK, BAD_COMMAND, BAD_STATE, BAD_PASSWORD, BAD_SYSTEM = 0, 3, 4, 0x0E, 0x0F
BAD_DESTINATION, THROTTLED, SYSTEM_ERROR = 0x0B, 0x58, 8
HAS_HEADER, IS_RECEIPT = 0x40, 0x04
NARROW_CODING, WIDE_CODING = 0, 8
MOST_BYTES = 70_000
_PAYLOAD, _RECEIPTED_ID, _STATE = 0x0424, 0x001E, 0x0427
_SAR = {0x020C: "reference", 0x020E: "total", 0x020F: "piece"}


class Malformed(Exception):
    """What came is no PDU; the session cannot go on."""


@dataclass(frozen=True)
class Pdu:
    """One PDU."""

    command: int
    status: int
    sequence: int
    body: bytes = b""

    def bytes(self) -> bytes:
        """As it goes over the line."""
        return struct.pack(">IIII", 16 + len(self.body), self.command, self.status, self.sequence) + self.body


@dataclass(frozen=True)
class Submitted:
    """A submit_sm as it came. `reference`, `total`, `piece`: where it stands in a longer message."""

    source: str
    destination: str
    esm_class: int
    registered: int
    coding: int
    data: bytes
    reference: int = 0
    total: int = 1
    piece: int = 1

    @property
    def body(self) -> bytes:
        """The words without the header of a piece."""
        return self.data[1 + self.data[0] :] if self.esm_class & HAS_HEADER and self.data else self.data


def read(connection: socket.socket) -> Pdu:
    """The next PDU. Raises Malformed, ConnectionError or OSError."""
    length, command, status, sequence = struct.unpack(">IIII", _exactly(connection, 16))
    if not 16 <= length <= MOST_BYTES:
        raise Malformed
    return Pdu(command, status, sequence, _exactly(connection, length - 16))


def who_binds(body: bytes) -> tuple[str, str]:
    """system_id and password of a bind."""
    user, _, rest = body.partition(b"\0")
    return user.decode("latin-1"), rest.partition(b"\0")[0].decode("latin-1")


def submitted(body: bytes) -> Submitted:
    """Read a submit_sm. Raises Malformed."""
    try:
        _, rest = body.split(b"\0", 1)
        source, rest = rest[2:].split(b"\0", 1)
        destination, rest = rest[2:].split(b"\0", 1)
        esm = rest[0]
        _, rest = rest[3:].split(b"\0", 1)
        _, rest = rest.split(b"\0", 1)
        registered, _, coding, _, length = rest[:5]
    except (ValueError, IndexError):
        raise Malformed from None
    optional = _optional(rest[5 + length :])
    data = rest[5 : 5 + length] or optional.get(_PAYLOAD, b"")
    place = {name: int.from_bytes(optional[tag], "big") for tag, name in _SAR.items() if tag in optional}
    if esm & HAS_HEADER and data:
        place = _place(data[1 : 1 + data[0]]) or place
    return Submitted(source.decode("latin-1"), destination.decode("latin-1"), esm, registered, coding, data, **place)


def delivered(
    source: str, destination: str, data: bytes, *, esm_class: int = 0, coding: int = WIDE_CODING, more: bytes = b""
) -> bytes:
    """The body of a deliver_sm."""
    body = b"\0" + b"\1\1" + source.encode() + b"\0" + b"\0\1" + destination.encode() + b"\0"
    return body + bytes([esm_class, 0, 0]) + b"\0\0" + bytes([0, 0, coding, 0, len(data)]) + data + more


def receipt(external_id: str, state: str, number: int) -> tuple[bytes, bytes]:
    """The words of a receipt, and the same beside the words. `number`: message_state, 2 delivered, 5 undeliverable."""
    is_there = int(state == "DELIVRD")
    words = f"id:{external_id} sub:001 dlvrd:00{is_there} submit date:2611280900 done date:2611280901 "
    words += f"stat:{state} err:00{1 - is_there} text:"
    name = external_id.encode() + b"\0"
    more = struct.pack(">HH", _RECEIPTED_ID, len(name)) + name + struct.pack(">HHB", _STATE, 1, number)
    return words.encode(), more


def header(reference: int, total: int, piece: int) -> bytes:
    """What stands before the words of a piece."""
    return bytes([5, 0, 3, reference & 255, total, piece])


def _optional(data: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while at + 4 <= len(data):
        tag, size = struct.unpack(">HH", data[at : at + 4])
        found[tag] = data[at + 4 : at + 4 + size]
        at += 4 + size
    return found


def _place(data: bytes) -> dict[str, int]:
    at = 0
    while at + 1 < len(data):
        kind, size = data[at], data[at + 1]
        value = data[at + 2 : at + 2 + size]
        at += 2 + size
        if (kind, len(value)) in {(0, 3), (8, 4)}:
            return {"reference": int.from_bytes(value[:-2], "big"), "total": value[-2], "piece": value[-1]}
    return {}


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data
