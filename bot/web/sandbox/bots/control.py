"""Behind the stage of a pretend platform of bots: people, what they do, faults, and what was accepted."""

from __future__ import annotations

import sqlite3

import flask

from bot.web.sandbox import faults, guard
from bot.web.sandbox.answers import as_json, asked, ledger_page, ledger_repeats
from bot.web.sandbox.bots import memory
from bot.web.sandbox.bots.platform import Deed, Platform, do
from bot.web.sandbox.impossible import ImpossibleAct
from bot.web.sandbox.sandbox import current
from bot.web.sandbox.settings import SandboxBot

KINDS = (*faults.KINDS, "repeat")
APPLIES_TO = ("send", "fetch", "lookup", "any")
AT_ONCE = ("token_expired", "clear")


def control_pages(platform: Platform) -> flask.Blueprint:
    """The pages under /control/<platform>."""
    pages = flask.Blueprint(f"{platform.name}_control", __name__, url_prefix=f"/control/{platform.name}")
    pages.before_request(guard.only_from_here)
    pages.add_url_rule("/people", "people", lambda: _add(platform), methods=["POST"])
    pages.add_url_rule("/say", "say", lambda: _say(platform), methods=["POST"])
    pages.add_url_rule("/swap", "swap", lambda: _swap(platform), methods=["POST"])
    pages.add_url_rule("/again", "again", lambda: _again(platform), methods=["POST"])
    pages.add_url_rule("/faults", "faults", lambda: _fail(platform), methods=["POST"])
    pages.add_url_rule("/talk/<chat_id>", "talk", _talk)
    pages.add_url_rule("/ledger", "ledger", lambda: _ledger(platform))
    pages.add_url_rule("/ledger/repeats", "repeats", lambda: ledger_repeats(memory.BOOK))
    pages.add_url_rule("/taps", "taps", _taps)
    return pages


def bot_or_404(platform: Platform) -> SandboxBot:
    """The platform's bot in this sandbox."""
    bots = current().settings.bots_of(platform.name)
    if not bots:
        flask.abort(404, f"Buổi tập dượt này không có kênh {platform.title}.")
    return bots[0]


def person_or_404(chat_id: object) -> sqlite3.Row:
    """The citizen of this chat."""
    with current().store.reading() as db:
        found = memory.person(db, chat_id)
    if found is None:
        flask.abort(404, "Không có người dân tập dượt này.")
    return found


def _add(platform: Platform) -> flask.Response:
    """One more citizen: {"name"}."""
    name = str(asked().get("name") or "Cô Hoa (tập dượt)")
    with current().store.writing() as db:
        return as_json({"chat_id": memory.add_person(db, platform, bot_or_404(platform).bot_id, name)})


def _say(platform: Platform) -> flask.Response:
    """Act as a citizen: {"chat_id", "kind", "text", "message_id", "latitude", "longitude"}."""
    what = asked()
    files = tuple((f["name"], bytes.fromhex(f["hex"])) for f in what.pop("files", []))
    person = person_or_404(what.pop("chat_id", 0))
    deed = Deed(**{"kind": "text", "base_url": current().base_url(), **what}, files=files)
    try:
        with current().store.writing() as db:
            made = do(db, platform, person, deed)
    except ImpossibleAct as error:
        flask.abort(400, error.reason)
    current().bots.ring()
    return as_json({"update_ids": made})


def _swap(platform: Platform) -> flask.Response:
    """Tell the last two waiting updates in the wrong order."""
    with current().store.writing() as db:
        memory.swap_last_two(db, bot_or_404(platform).bot_id)
    return as_json({})


def _again(platform: Platform) -> flask.Response:
    """Bring the latest update once more."""
    with current().store.writing() as db:
        memory.tell_again(db, bot_or_404(platform).bot_id)
    current().bots.ring()
    return as_json({})


def _fail(platform: Platform) -> flask.Response:
    """Let the next calls fail: {"kind", "applies_to", "count", and what `faults.Fault` holds}."""
    what, bot_id = asked(), bot_or_404(platform).bot_id
    if what.get("kind") in AT_ONCE:
        return _at_once(bot_id, what["kind"])
    try:
        fault, applies_to, count = faults.asked_for(what, KINDS, APPLIES_TO)
    except (TypeError, ValueError) as error:
        flask.abort(400, str(error))
    with current().store.writing(quietly=True) as db:
        return as_json({"fault_id": faults.plan(db, bot_id, applies_to, count, fault), "count": count})


def _at_once(bot_id: str, kind: str) -> flask.Response:
    """The token opens nothing any more; or everything is as it should be, the token, too."""
    with current().store.writing(quietly=True) as db:
        memory.bot_row(db, bot_id)
        db.execute("UPDATE bots SET is_revoked = ? WHERE bot_id = ?", (kind == "token_expired", bot_id))
        if kind == "clear":
            faults.clear(db, bot_id)
    return as_json({"done": kind})


def _talk(chat_id: str) -> flask.Response:
    """The conversation of one citizen, oldest first."""
    person = person_or_404(chat_id)
    with current().store.reading() as db:
        return as_json({"messages": memory.talk(db, person["chat_id"])})


def _ledger(platform: Platform) -> flask.Response:
    """Every accepted send after an id, oldest first, and how many there are in all."""
    chat_id = flask.request.args.get("chat_id")
    person = person_or_404(chat_id)["chat_id"] if chat_id else ""
    return ledger_page(memory.BOOK, bot_or_404(platform).bot_id, person)


def _taps() -> flask.Response:
    """How many buttons were pressed, and how many of them came to rest."""
    with current().store.reading() as db:
        row = db.execute(
            "SELECT count(*) AS pressed, coalesce(sum(is_answered), 0) AS answered FROM bot_taps"
        ).fetchone()
    return as_json(dict(row))
