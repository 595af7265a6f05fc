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
# `told` and those that end so: how a list is told when it is asked for.
KINDS = {
    **dict.fromkeys(("login", "bulletin", "schedule", "cancel", "board", "logs", "clusters"), LINE),
    **dict.fromkeys(("notices", "feedback", "answers", "states", "statistics"), LINE),
    **dict.fromkeys(("told", "notices_told", "feedback_told"), ("repeat", "shuffle", "junk")),
}
TABLES = {"tokens", "bulletins", "plays", "boards", "logs", "calls", "notices", "feedback", "told", "statistics"}

pages = flask.Blueprint("loudspeaker_control", __name__, url_prefix="/control/loudspeakers")
pages.before_request(guard.only_from_here)


@pages.post("/faults")
def plan() -> flask.Response:
    """Let the next requests fail: {"kind", "applies_to", "count", "account", and what `faults.Fault` holds}."""
    try:
        return as_json(faults.plan_asked(current().store, _village().account_id, _asked(), KINDS, "bulletin"))
    except ValueError as error:
        flask.abort(400, str(error))


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


@pages.post("/notices")
def hand_down() -> flask.Response:
    """The province hands a bulletin down: what `memory.Handed` holds; without areas it is for this village."""
    asked, found = _asked(), _village()
    asked.pop("account", None)
    given = {**asked, "areas": tuple(asked.get("areas") or (found.area,))}
    with current().store.writing(quietly=True) as db:
        memory.hand_down(db, found.username, memory.Handed(**given), now_ms())
    return as_json({})


@pages.post("/feedback")
def write() -> flask.Response:
    """A citizen writes in the central app: what `memory.Written` holds; without an area they are in this village."""
    asked, found = _asked(), _village()
    asked.pop("account", None)
    given = {**asked, "area": asked.get("area") or found.area, "photos": tuple(asked.get("photos") or ())}
    with current().store.writing(quietly=True) as db:
        memory.write(db, found.username, memory.Written(**given), now_ms())
    return as_json({})


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
