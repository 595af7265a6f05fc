"""The sandbox's SMSC for tests of the link: what it was handed as it came, raw deliveries, and faults as attributes."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.web.sandbox import Sandbox, SandboxAccount, SandboxSettings, SandboxSms
from bot.web.sandbox import faults as planned
from bot.web.sandbox.faults import Fault
from bot.web.sandbox.sms import pdu
from bot.web.sandbox.sms.pdu import Submitted
from bot.web.sandbox.sms.smsc import Session

THROTTLED, VENDOR = 0x58, 0x410
USER, PASSWORD, NUMBER = "xa", "smppword", "8088"


@dataclass
class Smsc:
    """An account on the SMSC, and how it behaves."""

    box: Sandbox
    account: SandboxSms

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self.box.smsc is not None
        return self.box.smsc.port

    @property
    def submitted(self) -> list[Submitted]:
        """What it got."""
        assert self.box.smsc is not None
        return list(self.box.smsc.heard)

    @property
    def binds(self) -> int:
        """How often somebody was let in."""
        assert self.box.smsc is not None
        return self.box.smsc.binds

    @property
    def enquired(self) -> int:
        """How often it was asked whether it lives."""
        assert self.box.smsc is not None
        return self.box.smsc.enquired

    def answers_with(self, *statuses: int) -> None:
        """What the next submits are answered with."""
        for status in statuses:
            self.fault("error", code=status)

    def refuses_binds(self, status: int) -> None:
        """From now on nobody is let in."""
        self.fault("error", applies_to="bind", count=1_000, code=status)

    def is_silent(self) -> None:
        """From now on what is submitted is taken and never answered."""
        self.fault("mute", count=1_000)

    def behaves(self) -> None:
        """No more faults; receipts come by hand only."""
        with self.box.store.writing(quietly=True) as db:
            planned.clear(db, self.account.account_id)
        self.fault("lost", applies_to="receipt", count=10_000)

    def fault(self, kind: str, *, applies_to: str = "send", count: int = 1, **more: object) -> None:
        """Plan a fault."""
        with self.box.store.writing(quietly=True) as db:
            planned.plan(db, self.account.account_id, applies_to, count, Fault(kind, **more))  # type: ignore[arg-type]

    def deliver(
        self, source: str, text: bytes, *, destination: str = NUMBER, esm: int = 0, coding: int = 8, more: bytes = b""
    ) -> int:
        """Hand over a message or a receipt; gives the status the other side answered with."""
        answer = self.tells(source, text, destination=destination, esm=esm, coding=coding, more=more)
        _until(lambda: answer() is not None)
        return int(answer() or 0)

    def tells(
        self, source: str, text: bytes, *, destination: str = NUMBER, esm: int = 0, coding: int = 8, more: bytes = b""
    ) -> Callable[[], int | None]:
        """Hand over a message without waiting; gives a look at what it was answered with."""
        return self.tell(pdu.DELIVER, pdu.delivered(source, destination, text, esm_class=esm, coding=coding, more=more))

    def tell(self, command: int, body: bytes = b"") -> Callable[[], int | None]:
        """Ask something; gives a look at what it was answered with."""
        session = self._session()
        sequence = session.tell(command, body)
        return lambda: session.answers.get(sequence)

    def nack(self, sequence: int, status: int) -> None:
        """Say that a PDU was not understood."""
        self._session().say(pdu.Pdu(pdu.NACK, status, sequence).bytes())

    def receipt(self, external_id: str, state: str, *, source: str = "84912345678") -> int:
        """Report on a message, in the words alone."""
        words, _ = pdu.receipt(external_id, state, 0)
        return self.deliver(source, words, esm=pdu.IS_RECEIPT, coding=0)

    def hang_up(self) -> None:
        """Break the connection."""
        self._session().hang_up()

    def unbind(self) -> None:
        """End the session politely."""
        self.tell(pdu.UNBIND)

    def enquire(self) -> Callable[[], int | None]:
        """Ask whether the other side is alive; gives a look at what it answered."""
        return self.tell(pdu.ENQUIRE)

    def _session(self) -> Session:
        assert self.box.smsc is not None
        smsc = self.box.smsc
        _until(lambda: smsc.session_of(self.account) is not None)
        session = smsc.session_of(self.account)
        assert session is not None
        return session


@contextlib.contextmanager
def an_smsc() -> Iterator[Smsc]:
    """Listen on a free port."""
    account = SandboxSms(NUMBER, USER, PASSWORD, provider="smpp")
    zalo = SandboxAccount("1", "-", "2", "-", "Xã Đức Huệ", "")
    with tempfile.TemporaryDirectory(prefix="haichieu-smsc-") as folder:
        box = Sandbox(
            SandboxSettings(
                db_path=Path(folder) / "smsc.db", accounts=[zalo], sms=[account], smsc_port=0, webhook_workers=0,
                receipt_delay=(0.0, 0.0), retry_time_scale=0.001,
            )
        )  # fmt: skip
        box.start()
        smsc = Smsc(box, account)
        smsc.behaves()
        yield smsc
        box.stop()


def pieces(text: str, reference: int, *, wide: bool = False) -> list[bytes]:
    """A long message as a telephone cuts it, with 8 or 16 bits of reference."""
    data = text.encode("utf-16-be")
    cut = [data[at : at + 132] for at in range(0, len(data), 132)]
    mark = (
        (lambda n: bytes([6, 8, 4, reference >> 8, reference & 255, len(cut), n]))
        if wide
        else (lambda n: pdu.header(reference, len(cut), n))
    )
    return [mark(n) + part for n, part in enumerate(cut, 1)]


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "nobody answered"
        time.sleep(0.005)
