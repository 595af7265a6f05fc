"""Behind the stage of the pretend source system: faults, fates of clusters, the hour, and what was accepted."""

from __future__ import annotations

from typing import Any

import flask

from bot.web.sandbox import faults, guard
from bot.web.sandbox.answers import as_json
from bot.web.sandbox.loudspeakers import memory, village
from bot.web.sandbox.sandbox import current
from bot.web.sandbox.settings import SandboxVillage
from bot.web.sandbox.store import now_ms

LINE = ("token", "busy", "account", "error", "status", "slow", "drop", "malformed", "expired")
# `told`: how the log is told when it is asked for.
KINDS = {
    **dict.fromkeys(("login", "bulletin", "schedule", "cancel", "board", "logs", "clusters"), LINE),
    "told": ("repeat", "shuffle", "junk"),
}
TABLES = {"tokens", "bulletins", "plays", "boards", "logs", "calls"}

pages = flask.Blueprint("loudspeaker_control", __name__, url_prefix="/control/loudspeakers")
pages.before_request(guard.only_from_here)


@pages.post("/faults")
def plan() -> flask.Response:
    """Let the next requests fail: {"kind", "applies_to", "count", "account", and what `faults.Fault` holds}."""
    asked, account = _asked(), _village().account_id
    asked.pop("account", None)
    kind, count = str(asked.pop("kind", "")), int(asked.pop("count", 1))
    applies_to = str(asked.pop("applies_to", "bulletin"))
    if kind == "clear":
        with current().store.writing(quietly=True) as db:
            faults.clear(db, account)
        return as_json({"done": kind})
    if kind not in KINDS.get(applies_to, ()) or not set(asked) <= set(faults.DEFAULTS):
        known = "; ".join(f"{name}: {', '.join(kinds)}" for name, kinds in KINDS.items())
        flask.abort(400, f"kinds by applies_to are {known}; more: {', '.join(faults.DEFAULTS)}")
    with current().store.writing(quietly=True) as db:
        number = faults.plan(db, account, applies_to, count, faults.Fault(kind, **asked))
    return as_json({"fault_id": number})


@pages.post("/clusters")
def change() -> flask.Response:
    """Break, cut off or mend clusters: {"ids", "fate": well, broken or silent}; no ids: all of them."""
    asked, found = _asked(), _village()
    fate = str(asked.get("fate", ""))
    if fate not in memory.FATES:
        flask.abort(400, f"fate is one of {', '.join(memory.FATES)}")
    with current().store.writing(quietly=True) as db:
        ids = asked.get("ids") or [row["id"] for row in memory.clusters(db, found.username)]
        done = [memory.set_fate(db, found.username, str(one), fate) for one in ids]
    return as_json({"changed": sum(done)})


@pages.post("/play")
def play() -> flask.Response:
    """Play what is planned up to a moment: {"until": epoch seconds}; without it, up to now."""
    until = int(_asked().get("until") or 0) * 1000 or now_ms()
    with current().store.writing(quietly=True) as db:
        return as_json({"played": village.play_due(db, _village().username, until)})


@pages.get("/<table>")
def read(table: str) -> flask.Response:
    """What stands there, the oldest first: clusters, bulletins, plays, boards, logs, calls."""
    found = _village()
    with current().store.reading() as db:
        if table == "clusters":
            return as_json({"rows": [dict(row) for row in memory.clusters(db, found.username)]})
        if table not in TABLES:
            flask.abort(404)
        return as_json({"rows": memory.of_account(db, f"loa_{table}", found.username)})


def _asked() -> dict[str, Any]:
    value = flask.request.get_json(silent=True)
    return value if isinstance(value, dict) else {}


def _village() -> SandboxVillage:
    found = current().settings.village_of(str(_asked().get("account") or flask.request.args.get("account", "")))
    if found is None:
        flask.abort(404, "no such village in this sandbox")
    return found
