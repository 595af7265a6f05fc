"""The way into a pretend source system: who is signed in is let in, unless the request was chosen to fail."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flask

from bot.web.sandbox import faults
from bot.web.sandbox.answers import as_json
from bot.web.sandbox.faults import Fault
from bot.web.sandbox.loudspeakers import memory
from bot.web.sandbox.loudspeakers.conventions import CONVENTIONS, Convention, WrongType
from bot.web.sandbox.sandbox import Sandbox, current
from bot.web.sandbox.settings import SandboxVillage
from bot.web.sandbox.store import now_ms

OK, BAD, TOKEN, KNOWN, ACCOUNT, BUSY, GONE = 0, 1, 2, 3, 4, 5, 6
CODES = {"token": TOKEN, "busy": BUSY, "account": ACCOUNT}


@dataclass(frozen=True)
class Asked:
    """A request that was let in: by whom, how they write, and what they say."""

    box: Sandbox
    village: SandboxVillage
    convention: Convention
    body: dict[str, Any]

    @property
    def account(self) -> str:
        """Whose loudspeakers it is about."""
        return self.village.username


class Refused(Exception):
    """A refusal by its number; it travels as HTTP 200."""

    def __init__(self, code: int, words: str = "") -> None:
        super().__init__(words)
        self.code = code
        self.words = words


Handler = Callable[[Asked], dict[str, Any]]


def guarded(kind: str, handler: Handler, username: str, *, needs_token: bool = True) -> flask.Response:
    """Let a handler answer only who is signed in, unless the request was chosen to fail."""
    box = current()
    found = box.settings.village_of(username) if username else None
    if found is None:
        flask.abort(404)
    fault = faults.take(box.store, found.account_id, kind)
    refused = _refusal(box, found, fault) if fault else None
    if refused is not None:
        return refused
    body = flask.request.get_json(silent=True)
    asked = Asked(box, found, CONVENTIONS[found.convention], body if isinstance(body, dict) else {})
    try:
        if needs_token:
            _check_token(asked)
        answer = _answer(OK, handler(asked))
    except Refused as refusal:
        answer = _answer(refusal.code, {"LoiNhan": refusal.words})
    except (WrongType, KeyError, TypeError, ValueError) as error:
        answer = _answer(BAD, {"LoiNhan": f"{type(error).__name__}: {error}"[:200]})
    return faults.spoil(fault, answer) if fault else answer


def once(
    asked: Asked, path: str, key: str, do: Callable[[sqlite3.Connection], bool], words: str, code: int = KNOWN
) -> dict[str, Any]:
    """Let something be accepted the first time that it is told; again is said to be known. Raises Refused."""
    with asked.box.store.writing(quietly=True) as db:
        is_new = do(db)
        memory.note(db, asked.account, path, key, is_new=is_new)
    if not is_new:
        raise Refused(code, words)
    return {}


def as_faulty(told: list[Any], fault: Fault | None) -> list[Any]:
    """Told twice, in the wrong order, or among lines that say nothing."""
    if fault is None:
        return told
    kinds = {
        "repeat": [*told, *told],
        "shuffle": told[::-1],
        "junk": [None, {}, {"BanTinID": 5, "GiaTri": "x"}, *told, "rác"],
    }
    return kinds.get(fault.kind, told)


def _check_token(asked: Asked) -> None:
    scheme, _, token = flask.request.headers.get("Authorization", "").partition(" ")
    with asked.box.store.reading() as db:
        if scheme != "Bearer" or not memory.is_signed_in(db, asked.account, token, now_ms()):
            raise Refused(TOKEN, "Phiên làm việc đã hết hạn")


def _refusal(box: Sandbox, found: SandboxVillage, fault: Fault) -> flask.Response | None:
    """The answer of a request that fails before it is accepted; None when it goes on."""
    if fault.kind == "expired":
        with box.store.writing(quietly=True) as db:
            memory.sign_out(db, found.username)
        return None
    if fault.kind in CODES:
        return _answer(CODES[fault.kind], {})
    if fault.kind == "error":
        return _answer(max(BAD, fault.code), {})
    return faults.refusal(fault)


def _answer(code: int, content: dict[str, Any]) -> flask.Response:
    return as_json({"TrangThaiGui": code, "NoiDung": content})
