"""Behind the stage of the pretend networks: telephones, what they write, faults, and what was accepted."""

from __future__ import annotations

from typing import Any

import flask

from bot.web.sandbox import faults, guard
from bot.web.sandbox.answers import as_json
from bot.web.sandbox.sandbox import current
from bot.web.sandbox.sms import memory, people

PAGE = 1_000
# Which faults there are for what: the first are the provider's or SMSC's own answers, the others the line's. `last` is
# of SMPP: the last piece of a message, with which it is whole.
KINDS = {
    "send": ("throttle", "error", "key", "status", "slow", "drop", "mute", "malformed"),
    "last": ("throttle", "error", "slow", "drop", "mute", "malformed"),
    "bind": ("key", "error", "slow", "drop", "mute", "malformed"),
    "message": ("repeat", "shuffle"),
    "receipt": ("repeat", "failed", "lost"),
}

pages = flask.Blueprint("sms_control", __name__, url_prefix="/control/sms")
pages.before_request(guard.only_from_here)


@pages.post("/people")
def add() -> flask.Response:
    """One more telephone: {"name", "number"}, or many: {"numbers": […]}."""
    asked = _asked()
    numbers = [str(number) for number in asked.get("numbers") or [asked.get("number") or ""]]
    if not all(not number or people.MOBILE.fullmatch(number) for number in numbers):
        flask.abort(400, "a number has the form 84912345678")
    name = str(asked.get("name") or "Cô Hoa (tập dượt)")
    with current().store.writing(quietly=True) as db:
        made = [memory.add_phone(db, name, number) for number in numbers]
    return as_json({"number": made[0], "count": len(made)})


@pages.post("/say")
def say() -> flask.Response:
    """Write as a citizen: {"number", "text", "to", "hold"}; what is held waits for `swap` or `go`."""
    asked = _asked()
    box = current()
    try:
        made = people.write(
            box.store, box.settings.sms, str(asked.get("number", "")), str(asked.get("text", "")),
            to=str(asked.get("to", "")), is_held=bool(asked.get("hold")),
        )  # fmt: skip
    except people.CannotBeDone as error:
        flask.abort(400, error.reason)
    box.networks.ring()
    return as_json({"call_ids": made})


@pages.post("/switch")
def switch() -> flask.Response:
    """Switch a telephone off or on: {"number", "is_off"}; what is sent to one that is off does not arrive."""
    asked = _asked()
    try:
        people.switch(current().store, str(asked.get("number", "")), is_off=bool(asked.get("is_off", True)))
    except people.CannotBeDone as error:
        flask.abort(400, error.reason)
    return as_json({})


@pages.post("/swap")
def swap() -> flask.Response:
    """Tell the last two messages that wait or are held in the wrong order, and let everything held go."""
    with current().store.writing(quietly=True) as db:
        is_done = memory.swap_last_two(db, _account_id())
        memory.release(db, _account_id())
    current().networks.ring()
    return as_json({"swapped": is_done})


@pages.post("/go")
def go() -> flask.Response:
    """Let go what is held."""
    with current().store.writing(quietly=True) as db:
        memory.release(db, _account_id())
    current().networks.ring()
    return as_json({})


@pages.post("/again")
def again() -> flask.Response:
    """Bring the latest message once more."""
    with current().store.writing(quietly=True) as db:
        number = memory.again(db, _account_id())
    current().networks.ring()
    return as_json({"call_id": number})


@pages.post("/faults")
def plan() -> flask.Response:
    """Let the next things fail: {"kind", "applies_to", "count", "account", and what `faults.Fault` holds}."""
    try:
        return as_json(faults.plan_asked(current().store, _account_id(), _asked(), KINDS, "send"))
    except ValueError as error:
        flask.abort(400, str(error))


@pages.get("/faults")
def planned() -> flask.Response:
    """The failures still to come."""
    with current().store.reading() as db:
        return as_json({"faults": [one for one in faults.planned(db) if ":" in one["oa_id"]]})


@pages.get("/talk/<number>")
def talk(number: str) -> flask.Response:
    """What stands on one telephone, oldest first."""
    with current().store.reading() as db:
        return as_json({"messages": memory.talk(db, number)})


@pages.get("/ledger")
def read_ledger() -> flask.Response:
    """Every message accepted from gateways after an id, oldest first, and how many there are in all."""
    args = flask.request.args
    limit = min(max(args.get("limit", PAGE, int), 1), 20_000)
    with current().store.reading() as db:
        page = memory.ledger(db, args.get("after", 0, int), limit, args.get("account", ""), args.get("number", ""))
    return as_json(page)


@pages.get("/ledger/repeats")
def read_repeats() -> flask.Response:
    """The same words accepted for the same telephone more than once; empty is the proof a test looks for."""
    with current().store.reading() as db:
        return as_json({"repeats": memory.repeats(db, PAGE)})


@pages.get("/calls")
def read_calls() -> flask.Response:
    """What gateways were told or are still to be told: counts by state, and those after an id."""
    with current().store.reading() as db:
        counts, rows = memory.calls(db, flask.request.args.get("after", 0, int), PAGE)
    return as_json({"counts": counts, "calls": rows})


def _asked() -> dict[str, Any]:
    value = flask.request.get_json(silent=True)
    return value if isinstance(value, dict) else {}


def _account_id() -> str:
    account = current().settings.sms_of(str(_asked().get("account", "")))
    if account is None:
        flask.abort(404, "no such SMS account in this sandbox")
    return account.account_id
