"""What pretend citizens do with an old telephone: write, and switch it off and on."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any

from bot.web.sandbox import faults
from bot.web.sandbox.settings import SandboxSms
from bot.web.sandbox.sms import memory
from bot.web.sandbox.sms.alphabet import counted, words_of
from bot.web.sandbox.sms.memory import Sms
from bot.web.sandbox.store import Store

MOBILE = re.compile(r"84[35789]\d{8}", re.ASCII)
LONGEST = 1_530  # ten messages of the narrow alphabet
JOINING = ("kannel", "esms", "speedsms")  # providers that hand over long messages whole


class CannotBeDone(Exception):
    """The act makes no sense; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def write(
    store: Store, accounts: Sequence[SandboxSms], phone: str, text: str, *, to: str = "", is_held: bool = False
) -> list[int]:
    """A citizen writes to a number; gives the numbers of the calls it makes to the gateway. CannotBeDone.

    `is_held`: the network keeps it until something is swapped or let go.
    """
    account = next((one for one in accounts if to in {"", one.number, one.account_id}), None)
    if account is None:
        raise CannotBeDone("number")
    if not text.strip() or len(text) > LONGEST:
        raise CannotBeDone("empty" if not text.strip() else "long")
    fault = faults.take(store, account.account_id, "message")
    with store.writing() as db:
        found = memory.phone_of(db, phone)
        if found is None or found["is_off"]:
            raise CannotBeDone("nobody" if found is None else "off")
        bodies = _pieces(account, text)
        measured = counted(text)
        sent = Sms(
            account.account_id, phone, account.number, text, measured.alphabet, measured.units,
            len(measured.pieces), from_phone=True,
        )  # fmt: skip
        message = memory.keep(db, sent)
        bodies = [{**body, "message": f"{message}-{body['piece']}"} for body in bodies]
        shuffled = fault is not None and fault.kind == "shuffle"
        if shuffled:
            bodies.reverse()
        if fault is not None and fault.kind == "repeat":
            bodies = [body for body in bodies for _ in range(2)]
        # Of one message alone nothing can be out of order: it waits for the next.
        waits = is_held or (shuffled and len(bodies) == 1)
        made = [memory.call(db, account.account_id, phone, memory.MESSAGE, body, is_held=waits) for body in bodies]
        if not waits:
            _let_go_after(db, account.account_id, made[-1])
    return made


def switch(store: Store, phone: str, *, is_off: bool) -> None:
    """Switch a telephone off: what is sent to it meanwhile does not arrive. CannotBeDone."""
    with store.writing(quietly=True) as db:
        if not db.execute("UPDATE sms_phones SET is_off = ? WHERE number = ?", (is_off, phone)).rowcount:
            raise CannotBeDone("nobody")


def _pieces(account: SandboxSms, text: str) -> list[dict[str, Any]]:
    measured = counted(text)
    pieces = [text] if account.provider in JOINING else [words_of(p, measured.alphabet) for p in measured.pieces]
    reference = random.randrange(256)
    return [
        {"text": piece, "alphabet": measured.alphabet, "reference": reference, "total": len(pieces), "piece": n}
        for n, piece in enumerate(pieces, 1)
    ]


def _let_go_after(db: Any, account: str, number: int) -> None:
    """What was held back by `shuffle` comes right after this one."""
    db.execute(
        "UPDATE sms_calls SET place = ? + 0.5, due_ms = (SELECT due_ms FROM sms_calls WHERE id = ?)"
        " WHERE account = ? AND state = ?",
        (number, number, account, memory.HELD),
    )
    memory.release(db, account)
