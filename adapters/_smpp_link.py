"""The link to an SMSC: one session, a window of unanswered messages, and the truth about each when it breaks.

smpplib writes and reads PDUs; window, keep-alive, throttling and splitting are here. Nothing is acknowledged to the
SMSC before whoever listens has kept it. Words and numbers are never logged.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import math
import random
import re
import select
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

import smpplib.client
import smpplib.consts as codes
import smpplib.exceptions
import smpplib.smpp

from adapters import pacing
from adapters.smpp import SmppConfig
from adapters.sms_text import GSM7, encoded, gsm_decoded, segments

logging.getLogger("smpp").setLevel(logging.CRITICAL)  # its lines hold whole messages

# A message waits here and is answered within less than its lease, or it goes back.
IDLE_SECONDS, DEAD_SECONDS, HOLD_SECONDS, WAIT_SECONDS = 15.0, 30.0, 1.0, 20.0
THROTTLES = {codes.SMPP_ESME_RTHROTTLED, codes.SMPP_ESME_RMSGQFUL}
_WIDE, _LATIN, _ASCII = 8, 3, 1
_CODECS = {_WIDE: "utf-16-be", _LATIN: "latin-1", _ASCII: "ascii"}
_HAS_HEADER = 0x40
_ERRORS = (smpplib.exceptions.ConnectionError, smpplib.exceptions.PDUError, OSError, ValueError)
# message_state of SMPP 3.4 in the words of a receipt's text.
_STATES = {1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN",
           8: "REJECTD"}  # fmt: skip
ROOM_SECONDS = 0.012  # what the way to the SMSC may add to one message and not to the next
SOON_SECONDS = 0.01  # how soon it is looked whether what was delivered is kept
MOST_AT_ONCE = 50  # PDUs that are read before something is sent again
_FIELD = re.compile(r"(id|stat|err):\s*([^\s]*)", re.IGNORECASE)

Part = tuple[int, int, int]


class LinkDown(Exception):
    """There is no session any more; `code` says why in a word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Listener(Protocol):
    """Who hears what comes over the link. `keep`: done when all that was told before is durable; only then is it
    acknowledged. What fails, and what was told before the link broke, the SMSC brings again.
    """

    def message(self, source: str, destination: str, text: str, part: Part | None) -> None: ...
    def receipt(self, source: str, external_id: str, state: str, error: str) -> None: ...
    def keep(self) -> Future[None]: ...
    def accepted(self, key: int, external_id: str) -> None: ...
    def rejected(self, key: int, status: int) -> None: ...
    def unknown(self, key: int) -> None: ...
    def returned(self, key: int) -> None: ...


@dataclass(eq=False)
class _Sending:
    """A message on its way: what of it waits, what was sent and not answered, and what was said."""

    key: int
    waiting: collections.deque[dict[str, Any]]
    begun: float
    unanswered: int = 0
    accepted: int = 0
    last_id: str = ""
    status: int = 0

    @property
    def is_settled(self) -> bool:
        return not self.waiting and not self.unanswered


@dataclass
class Link:
    """One transceiver session with an SMSC."""

    config: SmppConfig
    listener: Listener
    idle: float = IDLE_SECONDS
    dead: float = DEAD_SECONDS
    clock: Callable[[], float] = time.monotonic
    _client: Any = None
    _sent: dict[int, tuple[_Sending, dict[str, Any], float]] = field(default_factory=dict)
    _queue: collections.deque[_Sending] = field(default_factory=collections.deque)
    _told: list[tuple[Any, int]] = field(default_factory=list)  # deliveries that are to be answered, and how
    _keeping: tuple[Future[None], list[tuple[Any, int]]] | None = None
    pace: float = math.inf  # messages (pieces count each) that may go out in a second
    _hold_until: float = 0.0
    _slots: list[float] = field(default_factory=list)  # when the latest messages went out
    _heard: float = 0.0
    _asked: float = 0.0

    @property
    def waiting(self) -> int:
        """How many messages have not gone out, or not wholly."""
        return len(self._queue)

    @property
    def is_busy(self) -> bool:
        """Whether something waits to be sent or answered."""
        return bool(self._sent or self._queue)

    def connect(self) -> None:
        """Open the session. Raises LinkDown."""
        client = smpplib.client.Client(
            self.config.host, self.config.port, timeout=self.dead, allow_unknown_opt_params=True
        )
        client.set_error_pdu_handler(lambda pdu: None)  # noqa: ARG005 - its own name for it
        try:
            client.connect()
            # Each message leaves when it is sent, not when the answer to the one before has come.
            client._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # noqa: SLF001 - no other way
            client.bind_transceiver(
                system_id=self.config.system_id,
                password=self.config.password.reveal(),
                system_type=self.config.system_type,
            )
        except smpplib.exceptions.PDUError as error:
            _hang_up(client)
            status = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], int) else 0
            raise LinkDown(f"bind_{status:#x}") from None
        except _ERRORS:
            _hang_up(client)
            raise LinkDown("unreachable") from None
        except Exception:  # noqa: BLE001 - as in _next_pdu
            _hang_up(client)
            raise LinkDown("unreadable") from None
        self._client = client
        self._heard = self._asked = self.clock()

    def submit(self, key: int, number: str, text: str) -> None:
        """Send a message as soon as there is room; its last part asks for the receipt. ValueError: too long."""
        counted = segments(text)
        total, reference = counted.count, random.randrange(256)
        alphanumeric = not self.config.sender.lstrip("+").isdecimal()
        parts: collections.deque[dict[str, Any]] = collections.deque()
        for n, part in enumerate(counted.parts, 1):
            data = encoded(part, counted.coding)
            header = bytes([5, 0, 3, reference, total, n]) if total > 1 else b""
            parts.append(
                {
                    "source_addr": self.config.sender,
                    "source_addr_ton": codes.SMPP_TON_ALNUM if alphanumeric else codes.SMPP_TON_NWSPEC,
                    "source_addr_npi": codes.SMPP_NPI_UNK,
                    "destination_addr": number,
                    "dest_addr_ton": codes.SMPP_TON_INTL,
                    "dest_addr_npi": codes.SMPP_NPI_ISDN,
                    "short_message": header + data,
                    "data_coding": counted.coding if counted.coding != GSM7 else 0,
                    "esm_class": _HAS_HEADER if total > 1 else 0,
                    "registered_delivery": int(n == total),
                }
            )
        self._queue.append(_Sending(key, parts, self.clock()))

    def turn(self, wait: float = 0.05) -> None:
        """Send what may be sent, read what has come. Raises LinkDown, after each message's fate has been told."""
        if self._client is None:
            raise LinkDown("closed")
        try:
            self._send_some()
            self._read_some(wait if self._keeping is None else min(wait, SOON_SECONDS))
            self._acknowledge()
            self._give_up_silent()
        except LinkDown as down:
            self._tell_fates()
            raise down from None
        except _ERRORS:
            self._tell_fates()
            raise LinkDown("broken") from None

    def close(self) -> None:
        """End the session in good order; what is not answered is unknown."""
        if self._client is not None:
            with contextlib.suppress(*_ERRORS):
                self._client.send_pdu(smpplib.smpp.make_pdu("unbind", client=self._client))
        self._tell_fates()

    def _may_send(self) -> bool:
        return bool(self._queue) and len(self._sent) < self.config.window

    def _send_some(self) -> None:
        while self._may_send() and self._next_moment(now := self.clock()) <= now:
            sending = self._queue[0]
            fields = sending.waiting.popleft()
            if not sending.waiting:
                self._queue.popleft()
            sending.unanswered += 1
            # Written down before the socket sees it: from here on nobody knows until it is answered.
            pdu = smpplib.smpp.make_pdu("submit_sm", client=self._client, **fields)
            self._sent[pdu.sequence] = (sending, fields, self.clock())
            self._client.send_pdu(pdu)
            # When it had left, not when it was to leave: the machine may have made us wait in between.
            self._slots = pacing.remembered([*self._slots, self.clock()], self.pace)

    def _next_moment(self, now: float) -> float:
        return max(self._hold_until, pacing.next_slot(self._slots, now, self.pace, ROOM_SECONDS))

    def _read_some(self, wait: float) -> None:
        """Read what has come; wait for it no longer than until something may be sent."""
        if self._may_send():
            wait = min(wait, self._next_moment(now := self.clock()) - now)
        for _ in range(MOST_AT_ONCE):
            # Waiting happens here, never inside a PDU: a time-out there would lose the bytes read so far.
            if not select.select([self._client._socket], [], [], wait)[0]:  # noqa: SLF001 - smpplib offers no other way
                self._keep_alive()
                return
            self._read_one()
            wait = 0.0

    def _acknowledge(self) -> None:
        """Have kept what the SMSC delivered, a batch at a time, and answer it once that is done."""
        if self._keeping is None and self._told:
            self._keeping, self._told = (self.listener.keep(), self._told), []
        if self._keeping is None or not self._keeping[0].done():
            return
        (kept, told), self._keeping = self._keeping, None
        status = codes.SMPP_ESME_RX_T_APPN if kept.exception() else codes.SMPP_ESME_ROK
        for pdu, known in told:
            answer = smpplib.smpp.make_pdu("deliver_sm_resp", client=self._client, status=known or status)
            answer.sequence = pdu.sequence
            self._client.send_pdu(answer)

    def _read_one(self) -> None:
        client = self._client
        pdu = _next_pdu(client)
        self._heard = self.clock()
        if pdu is None:
            return
        if pdu.command == "submit_sm_resp" or (pdu.command == "generic_nack" and pdu.status):
            self._answered(pdu)
        elif pdu.command == "deliver_sm":
            self._told.append((pdu, self._delivered(pdu)))
        elif pdu.command == "enquire_link":
            client._enquire_link_received(pdu)  # noqa: SLF001 - as above
        elif pdu.command == "unbind":
            raise LinkDown("unbound")

    def _keep_alive(self) -> None:
        now = self.clock()
        if now - self._heard > self.dead:
            raise LinkDown("silent")
        if now - max(self._heard, self._asked) > self.idle:
            self._client.send_pdu(smpplib.smpp.make_pdu("enquire_link", client=self._client))
            self._asked = now

    def _give_up_silent(self) -> None:
        """A message that nobody answers while others are answered, or that is held back for too long."""
        for sequence, (sending, _, at) in list(self._sent.items()):
            if self.clock() - at > self.dead:
                del self._sent[sequence]
                self._drop(sending)
                self.listener.unknown(sending.key)
        for sending in [one for one in self._queue if not one.unanswered]:
            if self.clock() - sending.begun > WAIT_SECONDS:
                self._drop(sending)
                (self.listener.unknown if sending.accepted else self.listener.returned)(sending.key)

    def _answered(self, pdu: Any) -> None:
        sending, fields, _ = self._sent.pop(pdu.sequence, (None, {}, 0.0))
        if sending is None:
            return
        sending.unanswered -= 1
        if pdu.status in THROTTLES:
            self._hold_until = self.clock() + HOLD_SECONDS
            sending.waiting.appendleft(fields)
            if sending not in self._queue:
                self._queue.appendleft(sending)
            return
        if pdu.status:
            sending.status = pdu.status
            self._drop(sending)
        else:
            sending.accepted += 1
            if fields["registered_delivery"]:
                sending.last_id = _text(pdu.message_id)
        if sending.is_settled:
            if sending.status:
                self.listener.rejected(sending.key, sending.status)
            else:
                self.listener.accepted(sending.key, self.config.known_id(sending.last_id))

    def _drop(self, sending: _Sending) -> None:
        """What has not been sent of it stays unsent."""
        sending.waiting.clear()
        if sending in self._queue:
            self._queue.remove(sending)

    def _delivered(self, pdu: Any) -> int:
        try:
            source, destination = _text(pdu.source_addr), _text(pdu.destination_addr)
            if (pdu.esm_class >> 2) & 15 == 1:
                self.listener.receipt(source, *_read_receipt(pdu))
            else:
                self.listener.message(source, destination, *_read_message(pdu))
        except Exception:  # noqa: BLE001 - "temporary": the SMSC keeps it and comes back
            return int(codes.SMPP_ESME_RX_T_APPN)
        return int(codes.SMPP_ESME_ROK)

    def _tell_fates(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            _hang_up(client)
        out = {id(sending): sending for sending, _, _ in self._sent.values()}
        waiting = [sending for sending in self._queue if id(sending) not in out]
        self._sent.clear()
        self._queue.clear()
        self._told.clear()
        self._keeping = None
        for sending in out.values():
            self.listener.unknown(sending.key)
        for sending in waiting:
            # Of a message that went out in part nobody can say what the citizen sees.
            (self.listener.unknown if sending.accepted else self.listener.returned)(sending.key)


def _next_pdu(client: Any) -> Any:
    """The next PDU, None for a command that SMPP does not know. Raises LinkDown when it is none: nobody knows then
    where the next one would begin.
    """
    try:
        return client.read_pdu()
    except _ERRORS:
        raise
    except smpplib.exceptions.UnknownCommandError:
        return None
    except Exception:  # noqa: BLE001 - smpplib lets through whatever breaks in it: struct.error, KeyError, TypeError
        raise LinkDown("unreadable") from None


def _hang_up(client: Any) -> None:
    if client._socket is not None:  # noqa: SLF001 - disconnect() would wait for an answer
        client._socket.close()  # noqa: SLF001 - as above
        client._socket = None  # noqa: SLF001 - as above


def _read_message(pdu: Any) -> tuple[str, Part | None]:
    """The text of a deliver_sm, and which piece of a longer message it is, if it is one."""
    raw: bytes = pdu.short_message or getattr(pdu, "message_payload", None) or b""
    part: Part | None = None
    if pdu.esm_class & _HAS_HEADER and raw:
        header, raw = raw[1 : 1 + raw[0]], raw[1 + raw[0] :]
        part = _piece_in(header)
    elif getattr(pdu, "sar_total_segments", None):
        names = ("sar_msg_ref_num", "sar_total_segments", "sar_segment_seqnum")
        reference, total, number = (_number(getattr(pdu, name)) for name in names)
        part = (reference, total, number)
    codec = _CODECS.get(pdu.data_coding)
    return (raw.decode(codec, "replace") if codec else gsm_decoded(raw)), part


def _piece_in(header: bytes) -> Part | None:
    at, found = 0, None
    while at + 1 < len(header):
        kind, size = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + size]
        at += 2 + size
        if kind == 0 and len(value) == 3:
            found = (value[0], value[1], value[2])
        if kind == 8 and len(value) == 4:
            found = (value[0] << 8 | value[1], value[2], value[3])
    return found


def _read_receipt(pdu: Any) -> tuple[str, str, str]:
    """Which message a receipt is about, what became of it, and the network's own error."""
    raw: bytes = pdu.short_message or getattr(pdu, "message_payload", None) or b""
    words = {name.lower(): value for name, value in _FIELD.findall(raw.decode("latin-1"))}
    external_id = _text(getattr(pdu, "receipted_message_id", None)) or words.get("id", "")
    state = words.get("stat", "").upper()
    told = getattr(pdu, "message_state", None)
    if told is not None:
        state = _STATES.get(_number(told), state)
    return external_id, state, words.get("err", "")


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return str(value or "").rstrip("\0")


def _number(value: Any) -> int:
    return int.from_bytes(value, "big") if isinstance(value, bytes) else int(value)
