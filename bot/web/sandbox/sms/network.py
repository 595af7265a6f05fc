"""The networks at work: messages are accepted here, citizens' words and receipts are brought to gateways."""

from __future__ import annotations

import json
import random
import sqlite3
import threading
from dataclasses import dataclass

import httpx

from bot.web.sandbox import faults
from bot.web.sandbox.calling import certificates
from bot.web.sandbox.settings import SandboxSettings, SandboxSms
from bot.web.sandbox.sms import memory
from bot.web.sandbox.sms.alphabet import counted
from bot.web.sandbox.sms.memory import Sms
from bot.web.sandbox.sms.providers import PROVIDERS, Call
from bot.web.sandbox.store import Store

AT_ONCE = 20
IS_ACCEPTED, ARRIVED, FAILED = "accepted", "arrived", "failed"


@dataclass(frozen=True)
class Delay:
    """How long something takes, in seconds from one to the other."""

    least: float
    most: float

    def draw(self) -> float:
        """One of these."""
        return random.uniform(self.least, self.most)


class Networks:
    """What the pretend networks do while they run."""

    def __init__(self, settings: SandboxSettings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self.is_stopping = False
        self.is_held = False
        self.receipt_delay, self.answer_delay = Delay(*settings.receipt_delay), Delay(*settings.send_delay)
        self._news = threading.Condition()
        self._threads = [
            threading.Thread(target=self._bring_all, args=(account,), name=f"sandbox-sms-{account.number}", daemon=True)
            for account in settings.sms
            if account.provider in PROVIDERS
        ]

    def start(self) -> None:
        """Begin to call gateways."""
        for thread in self._threads:
            if not thread.is_alive():
                thread.start()

    def stop(self) -> None:
        """End; what was not told waits."""
        self.is_stopping = True
        self.ring()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=self.settings.webhook_timeout + 3)

    def ring(self) -> None:
        """There is something new."""
        with self._news:
            self._news.notify_all()

    def wait(self, seconds: float) -> None:
        """Until there is something new, or for so long."""
        with self._news:
            self._news.wait(seconds)

    def accept(self, sms: Sms) -> int:
        """Take a message from a gateway: to the telephone, into the ledger, and its receipts on their way."""
        fault = faults.take(self.store, sms.account, "receipt") if sms.wants else None
        with self.store.writing(quietly=True) as db:
            phone = memory.phone_of(db, sms.phone)
            fate = FAILED if phone is None or phone["is_off"] or (fault and fault.kind == "failed") else ARRIVED
            number = memory.keep(db, sms)
            db.execute("UPDATE sms_messages SET fate = ? WHERE id = ?", (fate, number))
            if sms.wants and (fault is None or fault.kind != "lost"):
                self._report(db, sms, number, fate, times=2 if fault and fault.kind == "repeat" else 1)
        self.ring()
        return number

    def _report(self, db: sqlite3.Connection, sms: Sms, number: int, fate: str, *, times: int) -> None:
        wait = self.receipt_delay.draw()
        steps = [(IS_ACCEPTED, wait / 2), *[(fate, wait)] * times]
        for step, seconds in steps:
            body = {"message": number, "fate": step}
            memory.call(db, sms.account, sms.phone, memory.RECEIPT, body, wait=seconds)

    def _bring_all(self, account: SandboxSms) -> None:
        with httpx.Client(timeout=self.settings.webhook_timeout, trust_env=False, verify=certificates()) as client:
            while not self.is_stopping:
                with self.store.reading() as db:
                    rows = memory.due(db, account.account_id, AT_ONCE)
                for row in rows:
                    if not (self.is_stopping or self.is_held):  # looked at after the rows: none slips through
                        self._bring(client, account, row)
                if not rows or self.is_held:
                    self.wait(0.1)

    def _bring(self, client: httpx.Client, account: SandboxSms, row: sqlite3.Row) -> None:
        call = self._call(account, row)
        result, answer = "", ""
        if call is not None:
            try:
                response = client.request(call.method, call.url, json=call.json)
                result = "" if response.is_success else str(response.status_code)
                answer = response.text
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                result = type(error).__name__
        with self.store.writing(quietly=True) as db:
            if result:
                memory.not_told(db, row["id"], result, self.settings.retry_time_scale)
                return
            memory.told(db, row["id"], "" if call else "nobody asked")
        words = PROVIDERS[account.provider].answered(answer) if row["kind"] == memory.MESSAGE else ""
        if words:
            self.accept(said(account.account_id, row["phone"], account.number, words))

    def _call(self, account: SandboxSms, row: sqlite3.Row) -> Call | None:
        provider, body = PROVIDERS[account.provider], json.loads(row["body"])
        if row["kind"] == memory.MESSAGE:
            return provider.message(account, row["phone"], body)
        with self.store.reading() as db:
            message = memory.message_of(db, body["message"])
        return provider.receipt(account, message, body["fate"])


def said(account: str, phone: str, sender: str, text: str, **more: object) -> Sms:
    """Words of a gateway to a telephone, counted as the network counts."""
    measured = counted(text)
    values = {"alphabet": measured.alphabet, "units": measured.units, "pieces": len(measured.pieces), **more}
    return Sms(account, phone, sender, text, **values)  # type: ignore[arg-type]
