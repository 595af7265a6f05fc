"""Faults on demand: what the next few requests of an account shall suffer, and how to make them suffer it."""

from __future__ import annotations

import json
import socket
import sqlite3
import struct
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import flask

from bot.web.sandbox.store import Store

KINDS = ("error", "status", "slow", "drop", "malformed")
APPLIES_TO = ("send", "upload", "lookup", "token", "any")
WHEN = ("before", "after")


@dataclass(frozen=True)
class Fault:
    """One planned failure; `before` or `after` says whether the request was accepted first."""

    kind: str
    when: str = "before"
    code: int = -200
    message: str = "Send failed"
    status: int = 500
    retry_after: int = 1
    seconds: float = 3.0


HALF_AN_ANSWER = b'{"data":{"mess'
DEFAULTS = {name: value for name, value in vars(Fault("")).items() if name != "kind"}


def asked_for(asked: dict[str, Any], kinds: tuple[str, ...], applies_to: tuple[str, ...]) -> tuple[Fault, str, int]:
    """The fault somebody describes, what it applies to and how often; ValueError says what is wrong with it."""
    known = {
        name: type(default)(asked[name]) for name, default in DEFAULTS.items() if asked.get(name) not in {None, ""}
    }
    fault = Fault(str(asked.get("kind", "")), **known)
    concerned, count = str(asked.get("applies_to") or "send"), int(asked.get("count") or 1)
    if fault.kind not in kinds or concerned not in applies_to or fault.when not in WHEN:
        raise ValueError(
            f"kind must be one of {', '.join(kinds)}; applies_to one of {', '.join(applies_to)}; when before or after"
        )
    return fault, concerned, count


def plan(db: sqlite3.Connection, oa_id: str, applies_to: str, count: int, fault: Fault) -> int:
    """Let the next `count` requests of this account fail; the id of the plan."""
    cursor = db.execute(
        "INSERT INTO faults (oa_id, applies_to, kind, remaining, details) VALUES (?, ?, ?, ?, ?)",
        (oa_id, applies_to, fault.kind, count, json.dumps(vars(fault))),
    )
    return int(cursor.lastrowid or 0)


def plan_asked(
    store: Store, oa_id: str, asked: dict[str, Any], kinds: Mapping[str, tuple[str, ...]], usual: str
) -> dict[str, Any]:
    """Plan what was asked for, or call everything off with the kind "clear"; `kinds` says which there are for what.

    Gives what is to be answered; ValueError says what there is.
    """
    asked = {name: value for name, value in asked.items() if name != "account"}
    kind, count = str(asked.pop("kind", "")), int(asked.pop("count", 1))
    applies_to = str(asked.pop("applies_to", usual))
    if kind == "clear":
        with store.writing(quietly=True) as db:
            clear(db, oa_id)
        return {"done": kind}
    if kind not in kinds.get(applies_to, ()) or not set(asked) <= set(DEFAULTS):
        known = "; ".join(f"{name}: {', '.join(some)}" for name, some in kinds.items())
        raise ValueError(f"kinds by applies_to are {known}; more: {', '.join(DEFAULTS)}")
    with store.writing(quietly=True) as db:
        return {"fault_id": plan(db, oa_id, applies_to, count, Fault(kind, **asked))}


def take(store: Store, oa_id: str, request_kind: str) -> Fault | None:
    """Use up one planned fault for this request, the oldest plan first."""
    question = (
        "SELECT id, details FROM faults WHERE oa_id = ? AND applies_to IN (?, 'any') AND remaining > 0"
        " ORDER BY id LIMIT 1"
    )
    with store.reading() as db:
        if db.execute(question, (oa_id, request_kind)).fetchone() is None:
            return None
    with store.writing(quietly=True) as db:
        row = db.execute(question, (oa_id, request_kind)).fetchone()
        if row is None:
            return None
        db.execute("UPDATE faults SET remaining = remaining - 1 WHERE id = ?", (row["id"],))
    return Fault(**json.loads(row["details"]))


def planned(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """The faults still to come."""
    rows = db.execute("SELECT * FROM faults WHERE remaining > 0 ORDER BY id").fetchall()
    return [{**dict(row), "details": json.loads(row["details"])} for row in rows]


def clear(db: sqlite3.Connection, oa_id: str) -> None:
    """Call off the planned faults of one account."""
    db.execute("UPDATE faults SET remaining = 0 WHERE oa_id = ?", (oa_id,))


def refusal(fault: Fault) -> flask.Response | None:
    """The answer of a request that fails before it is accepted; None when it should go on."""
    if fault.kind == "error":
        body = json.dumps({"error": fault.code, "message": fault.message})
        return flask.Response(body, content_type="application/json")
    if fault.kind == "status":
        response = flask.Response("", status=fault.status, content_type="text/plain")
        if fault.status == 429:
            response.headers["Retry-After"] = str(fault.retry_after)
        return response
    if fault.kind == "slow" and fault.when == "before":
        time.sleep(fault.seconds)
    if fault.kind == "drop" and fault.when == "before":
        return dropped()
    return None


def spoil(fault: Fault, answer: flask.Response) -> flask.Response:
    """What becomes of the answer to a request that has been accepted."""
    if fault.kind == "malformed":
        return flask.Response(HALF_AN_ANSWER, content_type="application/json")
    if fault.when == "after" and fault.kind == "slow":
        time.sleep(fault.seconds)
    if fault.when == "after" and fault.kind == "drop":
        return dropped()
    return answer


def withholds_answer(fault: Fault | None) -> bool:
    """Whether the request is accepted but the sender never hears of it, or cannot read what it hears."""
    return fault is not None and (fault.kind == "malformed" or (fault.kind == "drop" and fault.when == "after"))


def dropped() -> flask.Response:
    """No answer. werkzeug lends its socket, which is reset; other servers break off in the middle of a body."""
    connection = flask.request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    return flask.Response(
        _half_a_body(), content_type="application/json", headers={"Content-Length": "4096", "Connection": "close"}
    )


def _half_a_body() -> Iterator[bytes]:
    yield HALF_AN_ANSWER
