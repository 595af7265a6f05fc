"""The strings behind the stage: faults, citizens by the thousand, the ledger of everything accepted."""

from __future__ import annotations

from typing import Any

import flask

from bot.web.sandbox import faults, guard, ledger, people, tokens, webhooks, wire
from bot.web.sandbox.acts import Act, perform
from bot.web.sandbox.answers import PAGE, as_json, ledger_page, ledger_repeats
from bot.web.sandbox.answers import asked as sent
from bot.web.sandbox.impossible import ImpossibleAct
from bot.web.sandbox.people import Citizen
from bot.web.sandbox.sandbox import current
from bot.web.sandbox.settings import SandboxAccount
from bot.web.sandbox.store import now_ms

MOST_CITIZENS = 100_000
DAY_MS = 86_400_000
AT_ONCE = ("token_expired", "refresh_invalid", "block", "unblock", "clear", "outage", "outage_over")

pages = flask.Blueprint("control", __name__, url_prefix="/control")
pages.before_request(guard.only_from_here)


@pages.get("/")
def overview() -> str:
    """The page with the account's state, the planned faults and the buttons."""
    box = current()
    with box.store.reading() as db:
        states = {account.oa_id: ledger.summary(db, account.oa_id) for account in box.settings.accounts}
        planned = faults.planned(db)
    return flask.render_template(
        "sandbox/control.html", states=states, planned=planned, notice=flask.request.args.get("bao", "")
    )


@pages.post("/faults")
def plan_fault() -> flask.typing.ResponseReturnValue:
    """Plan failures for an account, from JSON or from the page's form."""
    from_page = not flask.request.is_json
    asked = flask.request.form.to_dict() if from_page else sent()
    account = current().account_or_404(str(asked.get("oa_id", "")))
    try:
        result = _at_once(account, asked) if asked.get("kind") in AT_ONCE else _plan(account, asked)
    except (TypeError, ValueError) as error:
        flask.abort(400, str(error))
    return flask.redirect(flask.url_for(".overview", bao="fault"), 303) if from_page else as_json(result)


@pages.get("/faults")
def planned_faults() -> flask.Response:
    """The failures still to come."""
    with current().store.reading() as db:
        return as_json({"faults": faults.planned(db)})


@pages.post("/probe")
def probe() -> flask.typing.ResponseReturnValue:
    """Press "Kiểm tra" in the pretend developer console."""
    from_page = not flask.request.is_json
    asked = flask.request.form.to_dict() if from_page else sent()
    account = current().account_or_404(str(asked.get("oa_id", "")))
    event = str(asked.get("event") or "user_send_text")
    if event not in wire.PROBE_EVENTS:
        flask.abort(400, f"event must be one of {', '.join(wire.PROBE_EVENTS)}")
    result = current().dispatcher.probe(account, event)
    if from_page:
        return flask.redirect(flask.url_for(".overview", bao="ok" if result["ok"] else "refused"), 303)
    return as_json(result)


@pages.post("/citizens")
def create_citizens() -> flask.Response:
    """Make people: {"count", "oa_id", "names", "follow", "announce", "anonymous"}, each of which may be left out."""
    asked = sent()
    account = current().account_or_404(str(asked.get("oa_id", "")))
    names = [str(name) for name in asked.get("names") or []]
    count = len(names) or int(asked.get("count", 1))
    if not 0 < count <= MOST_CITIZENS:
        flask.abort(400, f"count must be from 1 to {MOST_CITIZENS}")
    with current().store.writing() as db:
        already = db.execute("SELECT count(*) FROM citizens WHERE oa_id = ?", (account.oa_id,)).fetchone()[0]
        user_ids = people.create(
            db,
            account,
            names or people.invented_names(count, already),
            follow=bool(asked.get("follow", True)),
            announce=bool(asked.get("announce", True)),
            anonymous=bool(asked.get("anonymous", False)),
        )
    return as_json({"count": len(user_ids), "user_ids": user_ids})


@pages.post("/citizens/<user_id>")
def age_citizen(user_id: str) -> flask.Response:
    """Turn back a citizen's clock: {"idle_days": 8} closes the window."""
    citizen = _citizen(user_id)
    last_ms = now_ms() - int(float(sent().get("idle_days", 0)) * DAY_MS)
    with current().store.writing(quietly=True) as db:
        db.execute("UPDATE citizens SET last_interaction_ms = ? WHERE user_id = ?", (last_ms, citizen.user_id))
    return as_json({"user_id": citizen.user_id, "last_interaction_ms": last_ms})


@pages.get("/citizens/<user_id>/messages")
def messages_of(user_id: str) -> flask.Response:
    """The conversation of one citizen, oldest first."""
    citizen = _citizen(user_id)
    with current().store.reading() as db:
        rows = ledger.conversation(db, citizen.user_id, flask.request.args.get("after", 0, int), PAGE)
    return as_json({"user_id": citizen.user_id, "messages": rows})


@pages.post("/say")
def say() -> flask.Response:
    """Act as a citizen: {"user_id", "kind", "text", ...}."""
    asked = sent()
    citizen = _citizen(str(asked.get("user_id", "")))
    account = current().account_or_404(citizen.oa_id)
    try:
        deed = perform(current(), account, citizen, Act.from_json(asked))
    except ImpossibleAct as error:
        flask.abort(400, f"cannot do that: {error.reason}")
    return as_json({"event_id": deed.event_id, "msg_id": deed.msg_id})


@pages.post("/redelivery")
def redeliver() -> flask.Response:
    """Deliver a citizen's latest event once more: {"user_id"}."""
    citizen = _citizen(str(sent().get("user_id", "")))
    with current().store.writing() as db:
        return as_json({"event_id": webhooks.queue_again(db, citizen.user_id)})


@pages.post("/holding")
def hold() -> flask.Response:
    """Bring no event to anybody, on any platform, until told otherwise: {"is_held": true}."""
    is_held = bool(sent().get("is_held", True))
    current().hold_events(is_held=is_held)
    return as_json({"is_held": is_held})


@pages.post("/swap")
def swap() -> flask.Response:
    """Tell a citizen's last two waiting events in the wrong order: {"user_id"}."""
    citizen = _citizen(str(sent().get("user_id", "")))
    with current().store.writing() as db:
        return as_json({"swapped": webhooks.swap_last_two(db, citizen.user_id)})


@pages.get("/ledger")
def read_ledger() -> flask.Response:
    """Every accepted send after an id, oldest first, and how many there are in all."""
    args = flask.request.args
    return ledger_page(ledger.MESSAGES, args.get("oa_id", ""), args.get("user_id", ""))


@pages.get("/ledger/repeats")
def read_repeats() -> flask.Response:
    """The same content accepted for the same person more than once; empty is the proof a test looks for."""
    return ledger_repeats(ledger.MESSAGES)


@pages.get("/webhooks")
def read_webhooks() -> flask.Response:
    """Counts by state, and the events after an id with what became of them."""
    args = flask.request.args
    with current().store.reading() as db:
        counts, rows = ledger.webhooks(db, args.get("after", 0, int), PAGE, args.get("user_id", ""))
    return as_json({"counts": counts, "webhooks": rows})


def _citizen(user_id: str) -> Citizen:
    with current().store.reading() as db:
        citizen = people.find(db, user_id)
    if citizen is None:
        flask.abort(404, "no such citizen")
    return citizen


def _plan(account: SandboxAccount, asked: dict[str, Any]) -> dict[str, Any]:
    fault, applies_to, count = faults.asked_for(asked, faults.KINDS, faults.APPLIES_TO)
    with current().store.writing(quietly=True) as db:
        return {"fault_id": faults.plan(db, account.oa_id, applies_to, count, fault), "count": count}


def _at_once(account: SandboxAccount, asked: dict[str, Any]) -> dict[str, Any]:
    kind = asked["kind"]
    with current().store.writing(quietly=True) as db:
        if kind == "token_expired":
            tokens.expire_access(db, account.oa_id)
        elif kind == "refresh_invalid":
            tokens.spend_refresh(db, account.oa_id)
        elif kind == "clear":
            faults.clear(db, account.oa_id)
        elif kind == "outage":
            db.execute("INSERT OR IGNORE INTO outages (oa_id, since_ms) VALUES (?, ?)", (account.oa_id, now_ms()))
        elif kind == "outage_over":
            db.execute("DELETE FROM outages WHERE oa_id = ?", (account.oa_id,))
        else:
            code = int(asked.get("code") or -217) if kind == "block" else 0
            cursor = db.execute(
                "UPDATE citizens SET blocked_code = ? WHERE user_id = ? AND oa_id = ?",
                (code, str(asked.get("user_id", "")), account.oa_id),
            )
            if not cursor.rowcount:
                raise ValueError("no such citizen of this OA")
    return {"done": kind}
