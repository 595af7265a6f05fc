"""Behind the stage of the pretend Telegram: people, what they do, faults, and what was accepted."""

from __future__ import annotations

from typing import Any

import flask

from bot.web.sandbox import faults, guard
from bot.web.sandbox.answers import as_json
from bot.web.sandbox.sandbox import current
from bot.web.sandbox.telegram import memory, people

KINDS = ("status", "slow", "drop", "malformed", "repeat")

pages = flask.Blueprint("telegram_control", __name__, url_prefix="/control/telegram")


@pages.before_request
def only_from_here() -> None:
    """Strangers may chat, not pull strings."""
    if not guard.may_control():
        flask.abort(403, "the control pages answer this machine only, unless the settings allow more")


@pages.post("/people")
def add() -> flask.Response:
    """One more citizen: {"name"}."""
    with current().store.writing() as db:
        return as_json({"chat_id": memory.add_person(db, _bot_id(), str(_asked().get("name") or "Cô Hoa (tập dượt)"))})


@pages.post("/say")
def say() -> flask.Response:
    """Act as a citizen: {"chat_id", "kind", "text", "message_id", "latitude", "longitude"}."""
    asked = _asked()
    files = tuple((f["name"], bytes.fromhex(f["hex"])) for f in asked.pop("files", []))
    chat_id = int(asked.pop("chat_id", 0))
    try:
        with current().store.writing() as db:
            made = people.do(db, chat_id, people.Deed(**{"kind": "text", **asked}, files=files))
    except people.CannotBeDone as error:
        flask.abort(400, error.reason)
    current().bots.ring()
    return as_json({"update_ids": made})


@pages.post("/swap")
def swap() -> flask.Response:
    """Tell the last two waiting updates in the wrong order."""
    with current().store.writing() as db:
        memory.swap_last_two(db, _bot_id())
    return as_json({})


@pages.post("/again")
def again() -> flask.Response:
    """Bring the latest update once more."""
    with current().store.writing() as db:
        db.execute("UPDATE tg_updates SET is_done = 0 WHERE update_id = (SELECT max(update_id) FROM tg_updates)")
    current().bots.ring()
    return as_json({})


@pages.post("/faults")
def plan() -> flask.Response:
    """Let the next calls fail: {"kind", "applies_to", "count", and what `faults.Fault` holds}."""
    asked = _asked()
    kind, count = str(asked.pop("kind", "")), int(asked.pop("count", 1))
    applies_to = str(asked.pop("applies_to", "send"))
    if kind not in KINDS or applies_to not in {"send", "fetch", "lookup", "any"}:
        flask.abort(400, f"kind must be one of {', '.join(KINDS)}")
    with current().store.writing(quietly=True) as db:
        number = faults.plan(db, _bot_id(), applies_to, count, faults.Fault(kind, **asked))
    return as_json({"fault_id": number})


@pages.get("/talk/<int:chat_id>")
def talk(chat_id: int) -> flask.Response:
    """The conversation of one citizen, oldest first."""
    with current().store.reading() as db:
        return as_json({"messages": memory.talk(db, chat_id)})


@pages.get("/taps")
def taps() -> flask.Response:
    """How many buttons were pressed, and how many of them came to rest."""
    with current().store.reading() as db:
        row = db.execute(
            "SELECT count(*) AS pressed, coalesce(sum(is_answered), 0) AS answered FROM tg_taps"
        ).fetchone()
    return as_json(dict(row))


def _asked() -> dict[str, Any]:
    value = flask.request.get_json(silent=True)
    return value if isinstance(value, dict) else {}


def _bot_id() -> str:
    bots = current().settings.bots
    if not bots:
        flask.abort(404, "no bot in this sandbox")
    return bots[0].bot_id
