"""A pretend SMSC: SMPP 3.4 over TCP for accounts of the sandbox, with the same telephones and faults."""

from __future__ import annotations

import collections
import contextlib
import heapq
import hmac
import itertools
import json
import socket
import sqlite3
import threading
import time
from typing import Any

from bot.web.sandbox import faults
from bot.web.sandbox.faults import Fault
from bot.web.sandbox.settings import SandboxSms
from bot.web.sandbox.sms import memory, pdu
from bot.web.sandbox.sms.alphabet import NARROW, WIDE, counted, words_of
from bot.web.sandbox.sms.memory import Sms
from bot.web.sandbox.sms.network import ARRIVED, Networks
from bot.web.sandbox.sms.pdu import Pdu, Submitted
from bot.web.sandbox.sms.people import MOBILE

WINDOW = 10  # deliveries that may be unanswered
REMEMBERED = 20_000
FIRST_ID = 0xABC0  # ids are hexadecimal, as operators love them
BROKEN = b"\0\0\0\7\xff\xff\xff"  # no PDU is shorter than its header
_CODECS = {1: "ascii", 3: "latin-1"}
_SURELY_BAD = {"throttle": pdu.THROTTLED, "error": pdu.SYSTEM_ERROR}


class Smsc:
    """Where it listens, who is connected, and what it was handed as it came."""

    def __init__(self, networks: Networks, port: int) -> None:
        self.networks = networks
        self.port = port
        self.heard: collections.deque[Submitted] = collections.deque(maxlen=REMEMBERED)
        self.binds = self.enquired = 0
        self.sessions: list[Session] = []
        self._listener: socket.socket | None = None

    def start(self) -> None:
        """Begin to listen; `port` is then the one that was found."""
        if self._listener is not None:
            return
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), name="sandbox-smsc", daemon=True).start()

    def stop(self) -> None:
        """Hang up and listen no more."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for session in list(self.sessions):
            session.hang_up()
            session.ended.wait(5)

    def session_of(self, account: SandboxSms) -> Session | None:
        """The latest session of an account, if it is connected."""
        return next((one for one in self.sessions[::-1] if one.account == account), None)

    def _accept(self, listener: socket.socket) -> None:
        while not self.networks.is_stopping:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            session = Session(self, connection)
            self.sessions.append(session)
            threading.Thread(target=session.listen, name="sandbox-smsc-in", daemon=True).start()


class Session:
    """One connection: a thread that listens and one that speaks.

    A delivery that is never acknowledged is told again in the next session: perhaps it was heard.
    """

    def __init__(self, smsc: Smsc, connection: socket.socket) -> None:
        self.account: SandboxSms | None = None
        self.ended = threading.Event()
        self._is_over = False
        self.answers: dict[int, int] = {}
        self._smsc = smsc
        self._networks = smsc.networks
        self._connection = connection
        self._sequence = itertools.count(5_000)
        self._out: list[tuple[float, int, bytes]] = []  # what is to be said, and when
        self._unanswered: dict[int, int] = {}  # sequence of a deliver_sm -> the call it tells
        self._change = threading.Condition()

    def listen(self) -> None:
        """Hear what the other side says until it ends."""
        speaker = threading.Thread(target=self._speak, name="sandbox-smsc-out", daemon=True)
        speaker.start()
        with contextlib.suppress(OSError, ConnectionError, pdu.Malformed):
            while True:
                self._hear(pdu.read(self._connection))
        self.hang_up()
        self._smsc.sessions.remove(self)
        speaker.join(5)
        self._connection.close()
        self.ended.set()

    def hang_up(self) -> None:
        """Break the connection."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        with self._change:
            self._is_over = True
            self._change.notify_all()

    def tell(self, command: int, body: bytes = b"") -> int:
        """Ask the other side something; gives the sequence under which `answers` will have its status."""
        sequence = next(self._sequence)
        self.say(Pdu(command, pdu.OK, sequence, body).bytes())
        return sequence

    def say(self, data: bytes, after: float = 0.0) -> None:
        """Send these bytes, perhaps later."""
        with self._change:
            heapq.heappush(self._out, (time.monotonic() + after, next(self._sequence), data))
            self._change.notify_all()

    def _speak(self) -> None:
        """Say each thing at its time, and citizens' words and receipts as there is room."""
        while not self._is_over:
            self._deliver_some()
            with self._change:
                now = time.monotonic()
                data = b"".join(heapq.heappop(self._out)[2] for _ in range(len(self._out)) if self._out[0][0] <= now)
                if not data:
                    self._change.wait(min(0.05, max(0.0, self._out[0][0] - now)) if self._out else 0.05)
            with contextlib.suppress(OSError):
                self._connection.sendall(data)

    # ---- from the gateway -------------------------------------------------------------------------------------------

    def _hear(self, heard: Pdu) -> None:
        if heard.command in pdu.BINDS:
            self._bind(heard)
        elif heard.command == pdu.ENQUIRE:
            self._smsc.enquired += 1
            self._answer(heard)
        elif heard.command == pdu.UNBIND:
            self._answer(heard)
        elif heard.command & pdu.ANSWER:
            self._answered(heard)
        elif heard.command == pdu.SUBMIT:
            self._submit(heard)
        else:
            self.say(Pdu(pdu.NACK, pdu.BAD_COMMAND, heard.sequence).bytes())

    def _answer(self, heard: Pdu, status: int = pdu.OK, body: bytes = b"", after: float = 0.0) -> None:
        self.say(Pdu(heard.command | pdu.ANSWER, status, heard.sequence, body).bytes(), after)

    def _bind(self, heard: Pdu) -> None:
        user, password = pdu.who_binds(heard.body)
        accounts = [one for one in self._networks.settings.sms if one.provider == "smpp"]
        account = next((one for one in accounts if one.key == user), None)
        if account is None or not hmac.compare_digest(account.secret.encode(), password.encode()):
            self._answer(heard, pdu.BAD_SYSTEM if account is None else pdu.BAD_PASSWORD)
            return
        fault = faults.take(self._networks.store, account.account_id, "bind")
        if fault is None or fault.kind == "slow":
            self.account, self._smsc.binds = account, self._smsc.binds + 1
            self._answer(heard, body=b"SANDBOX\0", after=fault.seconds if fault else 0.0)
        elif fault.kind == "malformed":
            self.say(BROKEN)
        elif fault.kind == "drop":
            self.hang_up()
        elif fault.kind != "mute":
            self._answer(heard, fault.code if fault.code > 0 else _SURELY_BAD.get(fault.kind, pdu.BAD_PASSWORD))

    def _submit(self, heard: Pdu) -> None:
        if self.account is None:
            self._answer(heard, pdu.BAD_STATE)
            return
        asked = pdu.submitted(heard.body)
        self._smsc.heard.append(asked)
        fault = faults.take(self._networks.store, self.account.account_id, "send")
        if fault is None and asked.piece == asked.total:
            fault = faults.take(self._networks.store, self.account.account_id, "last")
        status = _refusal(fault, asked)
        if status:
            self._answer(heard, status, after=self._networks.answer_delay.draw())
        elif fault is not None and fault.kind == "drop" and fault.when == "before":
            self.hang_up()
        else:
            self._take(heard, self.account, asked, fault)

    def _take(self, heard: Pdu, account: SandboxSms, asked: Submitted, fault: Fault | None) -> None:
        kind = fault.kind if fault is not None else ""
        number = self._networks.accept(_as_sms(account, asked, answered=kind not in {"drop", "mute"}))
        if kind == "drop":
            self.hang_up()
        elif kind == "malformed":
            self.say(BROKEN)
        elif kind != "mute":
            wait = fault.seconds if fault is not None and kind == "slow" else self._networks.answer_delay.draw()
            self._answer(heard, body=id_of(number).encode() + b"\0", after=wait)

    def _answered(self, heard: Pdu) -> None:
        number = self._unanswered.get(heard.sequence)
        self.answers[heard.sequence] = heard.status
        if number is not None:
            self._note(number, f"{heard.status:#x}" if heard.status else "")
            self._unanswered.pop(heard.sequence, None)  # noted first: what is neither out nor due is never told again
            with self._change:
                self._change.notify_all()

    # ---- to the gateway ---------------------------------------------------------------------------------------------

    def _deliver_some(self) -> None:
        account, networks = self.account, self._networks
        if account is None or networks.is_stopping or self._smsc.session_of(account) is not self:
            return
        out = set(self._unanswered.values())  # looked at before the rows: one answered meanwhile is not told again
        with networks.store.reading() as db:
            room = WINDOW - len(out)
            rows = memory.due(db, account.account_id, 2 * WINDOW) if room > 0 else []
        for row in [row for row in rows if row["id"] not in out][:room]:
            if networks.is_held:  # looked at after the rows: none slips through
                return
            body = self._body(account, row)
            if body is None:
                self._note(row["id"], "")
                continue
            sequence = next(self._sequence)
            self._unanswered[sequence] = row["id"]
            self.say(Pdu(pdu.DELIVER, pdu.OK, sequence, body).bytes())

    def _body(self, account: SandboxSms, row: sqlite3.Row) -> bytes | None:
        told: dict[str, Any] = json.loads(row["body"])
        if row["kind"] == memory.MESSAGE:
            return _spoken(row["phone"], account.number, told)
        if told["fate"] == "accepted":
            return None
        state, number = ("DELIVRD", 2) if told["fate"] == ARRIVED else ("UNDELIV", 5)
        with self._networks.store.reading() as db:
            sender = memory.message_of(db, told["message"])["other"]
        words, more = pdu.receipt(id_of(told["message"]), state, number)
        return pdu.delivered(row["phone"], sender, words, esm_class=pdu.IS_RECEIPT, coding=pdu.NARROW_CODING, more=more)

    def _note(self, number: int, result: str) -> None:
        with self._networks.store.writing(quietly=True) as db:
            if result:
                memory.not_told(db, number, result, self._networks.settings.retry_time_scale)
            else:
                memory.told(db, number)


def id_of(number: int) -> str:
    """The id of a message as submit_sm_resp and receipts have it."""
    return f"{FIRST_ID + number:X}"


def _refusal(fault: Fault | None, asked: Submitted) -> int:
    if fault is not None and fault.kind in _SURELY_BAD:
        return fault.code if fault.code >= 0 and fault.kind == "error" else _SURELY_BAD[fault.kind]
    return pdu.OK if MOBILE.fullmatch(asked.destination.lstrip("+")) else pdu.BAD_DESTINATION


def _as_sms(account: SandboxSms, asked: Submitted, *, answered: bool) -> Sms:
    codec = _CODECS.get(asked.coding)
    alphabet = WIDE if asked.coding == pdu.WIDE_CODING else NARROW
    text = asked.body.decode(codec, "replace") if codec else words_of(asked.body, alphabet)
    units = len(asked.body) // (2 if alphabet == WIDE else 1)
    return Sms(
        account.account_id, asked.destination.lstrip("+"), asked.source, text, alphabet, units,
        reference=asked.reference, total=asked.total, piece=asked.piece,
        wants="receipt" if asked.registered & 1 else "", answered=answered,
    )  # fmt: skip


def _spoken(phone: str, number: str, told: dict[str, Any]) -> bytes:
    """A citizen's message, or a piece of one. The whole was counted; a piece keeps the alphabet of the whole."""
    is_wide = told["alphabet"] == WIDE
    data = told["text"].encode("utf-16-be", "replace") if is_wide else counted(told["text"]).pieces[0]
    coding = pdu.WIDE_CODING if is_wide else pdu.NARROW_CODING
    if told["total"] == 1:
        return pdu.delivered(phone, number, data, coding=coding)
    head = pdu.header(told["reference"], told["total"], told["piece"])
    return pdu.delivered(phone, number, head + data, esm_class=pdu.HAS_HEADER, coding=coding)
