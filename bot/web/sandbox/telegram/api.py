"""The pretend Bot API: its methods, its refusals, and files."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import flask

from bot.web.sandbox import faults
from bot.web.sandbox.sandbox import Sandbox, current
from bot.web.sandbox.settings import SandboxBot
from bot.web.sandbox.telegram import memory, people

MOST_TEXT, MOST_CAPTION, MOST_DATA = 4_096, 1_024, 64
_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]{20,}", re.ASCII)
_KINDS = {"sendMessage": "send", "sendPhoto": "send", "getUpdates": "fetch", "getFile": "lookup"}

pages = flask.Blueprint("bot_api", __name__)


class Refused(Exception):
    """The method is not granted."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
        if parameters:
            self.body["parameters"] = parameters


@pages.route("/bot<token>/<method>", methods=["GET", "POST"])
def call(token: str, method: str) -> flask.Response:
    """One method of one bot."""
    try:
        box, bot = current(), _bot(token)
        fault = faults.take(box.store, bot.bot_id, _KINDS.get(method, "any"))
        if fault and (refused := _refusal(fault)):
            return refused
        handler = _METHODS.get(method.lower())
        if handler is None:
            raise Refused(404, "Not Found: method not found")
        answer = _json({"ok": True, "result": handler(box, bot, _arguments(), fault)})
        if fault and fault.kind == "malformed":
            answer = flask.Response('{"ok":true,"result":{"mess', content_type="application/json")
        return faults.spoil(fault, answer) if fault else answer
    except Refused as refusal:
        return _json(refusal.body, refusal.code)


@pages.get("/file/bot<token>/<path:path>")
def download(token: str, path: str) -> flask.Response:
    """The bytes of a file."""
    try:
        bot = _bot(token)
    except Refused as refusal:
        return _json(refusal.body, refusal.code)
    with current().store.reading() as db:
        row = db.execute("SELECT data FROM tg_files WHERE bot_id = ? AND path = ?", (bot.bot_id, path)).fetchone()
    if row is None:
        return _json({"ok": False, "error_code": 404, "description": "Not Found"}, 404)
    return flask.Response(row["data"], content_type="application/octet-stream")


def _bot(token: str) -> SandboxBot:
    found = current().settings.bot_of(token)
    if found is None:
        raise Refused(401, "Unauthorized") if _TOKEN.fullmatch(token) else Refused(404, "Not Found")
    return found


def _refusal(fault: faults.Fault) -> flask.Response | None:
    if fault.kind == "status":
        words = {
            429: "Too Many Requests: retry after",
            401: "Unauthorized",
            403: "Forbidden: bot was blocked by the user",
        }
        more = {"retry_after": fault.retry_after} if fault.status == 429 else {}
        if fault.status >= 500:
            return flask.Response("<html>Bad Gateway", fault.status, content_type="text/html")
        return _json(Refused(fault.status, words.get(fault.status, "Bad Request"), **more).body, fault.status)
    return faults.refusal(fault) if fault.kind in {"slow", "drop"} else None


def _arguments() -> dict[str, Any]:
    request = flask.request
    given: dict[str, Any] = {**request.args.to_dict(), **request.form.to_dict()}
    body = request.get_json(silent=True)
    if isinstance(body, dict):
        given |= body
    for name in ("reply_markup", "reply_parameters", "allowed_updates", "link_preview_options"):
        if isinstance(given.get(name), str):
            try:
                given[name] = json.loads(given[name])
            except ValueError:
                raise Refused(400, f"Bad Request: can't parse {name}") from None
    return given


Fault = faults.Fault | None


def _get_me(_box: Sandbox, bot: SandboxBot, _asked: dict[str, Any], _fault: Fault) -> Any:
    return {"id": int(bot.bot_id), "is_bot": True, "first_name": bot.name, "username": bot.username}


def _get_updates(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], fault: Fault) -> Any:
    turn = box.bots.my_turn(bot.bot_id)
    limit, offset = int(asked.get("limit") or 100), asked.get("offset")
    repeats = fault is not None and fault.kind == "repeat"
    end = time.monotonic() + min(float(asked.get("timeout") or 0), box.settings.longest_poll)
    with box.store.writing(quietly=True) as db:
        if memory.bot_row(db, bot.bot_id)["webhook_url"]:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first")
        if offset is not None and not repeats:
            memory.give_up(db, bot.bot_id, int(offset))
        if isinstance(asked.get("allowed_updates"), list):
            kinds = json.dumps(asked["allowed_updates"])
            db.execute("UPDATE tg_bots SET kinds = ? WHERE bot_id = ?", (kinds, bot.bot_id))
    while True:
        if not box.bots.is_still_my_turn(bot.bot_id, turn):
            raise Refused(409, "Conflict: terminated by other getUpdates request")
        with box.store.reading() as db:
            found = memory.waiting(db, bot.bot_id, limit, repeats=repeats)
        left = end - time.monotonic()
        if found or left <= 0 or box.bots.is_stopping:
            return found
        box.bots.wait(min(left, 0.5))


def _set_webhook(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], _fault: Fault) -> Any:
    url = str(asked.get("url") or "")
    if url and not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
    values = (url, str(asked.get("secret_token") or ""), json.dumps(asked.get("allowed_updates") or []), bot.bot_id)
    with box.store.writing() as db:
        memory.bot_row(db, bot.bot_id)
        db.execute("UPDATE tg_bots SET webhook_url = ?, secret = ?, kinds = ?, failed_at = 0 WHERE bot_id = ?", values)
    box.bots.ring()
    return True


def _delete_webhook(box: Sandbox, bot: SandboxBot, _asked: dict[str, Any], _fault: Fault) -> Any:
    with box.store.writing() as db:
        memory.bot_row(db, bot.bot_id)
        db.execute("UPDATE tg_bots SET webhook_url = '' WHERE bot_id = ?", (bot.bot_id,))
    return True


def _webhook_info(box: Sandbox, bot: SandboxBot, _asked: dict[str, Any], _fault: Fault) -> Any:
    with box.store.writing(quietly=True) as db:
        row = memory.bot_row(db, bot.bot_id)
        count = len(memory.waiting(db, bot.bot_id, 1_000))
    info = {"url": row["webhook_url"], "has_custom_certificate": False, "pending_update_count": count}
    if row["failed_at"]:
        info |= {"last_error_date": row["failed_at"], "last_error_message": row["failure"]}
    return info | {"allowed_updates": json.loads(row["kinds"])}


def _send_message(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], _fault: Fault) -> Any:
    text = str(asked.get("text") or "")
    if not text.strip():
        raise Refused(400, "Bad Request: message text is empty")
    if _units(text) > MOST_TEXT:
        raise Refused(400, "Bad Request: message is too long")
    return _sent(box, bot, asked, text=text)


def _send_photo(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], _fault: Fault) -> Any:
    caption, upload = str(asked.get("caption") or ""), flask.request.files.get("photo")
    if upload is None:
        raise Refused(400, "Bad Request: there is no photo in the request")
    if _units(caption) > MOST_CAPTION:
        raise Refused(400, "Bad Request: message caption is too long")
    with box.store.writing(quietly=True) as db:
        file = people.keep_file(db, bot.bot_id, upload.filename or "", upload.read())
    more = {"caption": caption} if caption else {}
    return _sent(box, bot, asked, photo=[{**file, "width": 800, "height": 600}], **more)


def _sent(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], **content: Any) -> Any:
    with box.store.writing(quietly=True) as db:
        try:
            found = memory.person(db, int(asked.get("chat_id") or 0))
        except ValueError:
            found = None
        if found is None or found["bot_id"] != bot.bot_id:
            raise Refused(400, "Bad Request: chat not found")
        if found["blocks"]:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        markup = asked.get("reply_markup")
        for row in markup.get("inline_keyboard", []) if isinstance(markup, dict) else []:
            if not all(0 < len(str(b.get("callback_data", "")).encode()) <= MOST_DATA for b in row):
                raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
        if isinstance(markup, dict):
            content["reply_markup"] = markup
        quoted = asked.get("reply_parameters")
        if isinstance(quoted, dict):
            asked_about = memory.message_of(db, found["chat_id"], int(quoted.get("message_id") or 0))
            if asked_about is None and not quoted.get("allow_sending_without_reply"):
                raise Refused(400, "Bad Request: message to be replied not found")
            if asked_about:
                content["reply_to_message"] = asked_about
        return memory.say(db, bot.bot_id, found["chat_id"], from_bot=True, **content)


def _answer_tap(box: Sandbox, _bot: SandboxBot, asked: dict[str, Any], _fault: Fault) -> Any:
    with box.store.writing(quietly=True) as db:
        heard = db.execute(
            "UPDATE tg_taps SET is_answered = 1 WHERE tap_id = ?", (str(asked.get("callback_query_id")),)
        )
        if heard.rowcount != 1:
            raise Refused(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
    return True


def _get_file(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], _fault: Fault) -> Any:
    with box.store.reading() as db:
        row = db.execute(
            "SELECT file_id, path, length(data) AS size FROM tg_files WHERE bot_id = ? AND file_id = ?",
            (bot.bot_id, str(asked.get("file_id"))),
        ).fetchone()
    if row is None:
        raise Refused(400, "Bad Request: invalid file_id")
    if row["size"] > 20_000_000:
        raise Refused(400, "Bad Request: file is too big")
    file_id = row["file_id"]
    return {"file_id": file_id, "file_unique_id": file_id[:12], "file_size": row["size"], "file_path": row["path"]}


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _json(body: object, status: int = 200) -> flask.Response:
    return flask.Response(json.dumps(body, ensure_ascii=False), status, content_type="application/json")


_METHODS: dict[str, Callable[[Sandbox, SandboxBot, dict[str, Any], Fault], Any]] = {
    "getme": _get_me,
    "getupdates": _get_updates,
    "setwebhook": _set_webhook,
    "deletewebhook": _delete_webhook,
    "getwebhookinfo": _webhook_info,
    "sendmessage": _send_message,
    "sendphoto": _send_photo,
    "answercallbackquery": _answer_tap,
    "getfile": _get_file,
}
