"""The pretend Bot API: its methods, its refusals, and files."""

from __future__ import annotations

import json
import re
from typing import Any

import flask

from bot.web.sandbox import faults
from bot.web.sandbox.bots import memory
from bot.web.sandbox.bots.api import Api, Fault, Refused, as_refused, is_address, set_webhook, until_news
from bot.web.sandbox.sandbox import Sandbox, current
from bot.web.sandbox.settings import SandboxBot
from bot.web.sandbox.telegram.people import TELEGRAM, file_of

MOST_TEXT, MOST_CAPTION, MOST_DATA = 4_096, 1_024, 64
_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]{20,}", re.ASCII)

pages = flask.Blueprint("bot_api", __name__)


@pages.route("/bot<token>/<method>", methods=["GET", "POST"])
def call(token: str, method: str) -> flask.Response:
    """One method of one bot."""
    return API.call(token, method)


@pages.get("/file/bot<token>/<path:path>")
def download(token: str, path: str) -> flask.Response:
    """The bytes of a file."""
    try:
        bot = API.bot(token)
    except Refused as refusal:
        return as_refused(refusal)
    with current().store.reading() as db:
        row = db.execute("SELECT data FROM bot_files WHERE bot_id = ? AND path = ?", (bot.bot_id, path)).fetchone()
    if row is None:
        return as_refused(Refused(404, "Not Found"))
    return flask.Response(row["data"], content_type="application/octet-stream")


def _get_me(_box: Sandbox, bot: SandboxBot, _asked: dict[str, Any], _fault: Fault) -> Any:
    return {"id": int(bot.bot_id), "is_bot": True, "first_name": bot.name, "username": bot.username}


def _get_updates(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], fault: Fault) -> Any:
    limit, offset = int(asked.get("limit") or 100), asked.get("offset")
    repeats = fault is not None and fault.kind == "repeat"
    with box.store.writing(quietly=True) as db:
        if memory.bot_row(db, bot.bot_id)["webhook_url"]:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first")
        if offset is not None and not repeats:
            memory.give_up(db, bot.bot_id, int(offset))
        if isinstance(asked.get("allowed_updates"), list):
            kinds = json.dumps(asked["allowed_updates"])
            db.execute("UPDATE bots SET kinds = ? WHERE bot_id = ?", (kinds, bot.bot_id))
    for _ in until_news(box, bot, asked, Refused(409, "Conflict: terminated by other getUpdates request")):
        with box.store.reading() as db:
            found = memory.waiting(db, bot.bot_id, limit, repeats=repeats)
        if found:
            return [memory.as_update(TELEGRAM, row) for row in found]
    return []


def _set_webhook(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], _fault: Fault) -> Any:
    url = str(asked.get("url") or "")
    if url and not is_address(url):
        raise Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
    set_webhook(box, bot, url, str(asked.get("secret_token") or ""), list(asked.get("allowed_updates") or []))
    return True


def _delete_webhook(box: Sandbox, bot: SandboxBot, _asked: dict[str, Any], _fault: Fault) -> Any:
    with box.store.writing() as db:
        memory.bot_row(db, bot.bot_id)
        db.execute("UPDATE bots SET webhook_url = '' WHERE bot_id = ?", (bot.bot_id,))
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
    return _sent(box, bot, asked, "text", text=text)


def _send_photo(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], _fault: Fault) -> Any:
    caption, upload = str(asked.get("caption") or ""), flask.request.files.get("photo")
    named = asked.get("photo")
    if upload is None and not isinstance(named, str):
        raise Refused(400, "Bad Request: there is no photo in the request")
    if _units(caption) > MOST_CAPTION:
        raise Refused(400, "Bad Request: message caption is too long")
    with box.store.writing(quietly=True) as db:
        if upload is None:
            row = memory.own_file(db, bot.bot_id, str(named))
            if row is None:
                raise Refused(400, "Bad Request: wrong file identifier/HTTP URL specified")
        else:
            row = memory.keep_file(db, bot.bot_id, upload.filename or "", upload.read())
        file = file_of(row)
    more = {"caption": caption} if caption else {}
    return _sent(box, bot, asked, "photo", photo=[{**file, "width": 800, "height": 600}], **more)


def _sent(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], kind: str, **content: Any) -> Any:
    with box.store.writing(quietly=True) as db:
        found = memory.person(db, asked.get("chat_id"))
        if found is None or found["bot_id"] != bot.bot_id:
            raise Refused(400, "Bad Request: chat not found")
        if found["blocks"]:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        markup = asked.get("reply_markup")
        for row in markup.get("inline_keyboard", []) if isinstance(markup, dict) else []:
            if not all(0 < len(str(b.get("callback_data", "")).encode()) <= MOST_DATA for b in row):
                raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
        for row in markup.get("keyboard", []) if isinstance(markup, dict) else []:
            if not all(str(b.get("text", "")).strip() for b in row):
                raise Refused(400, "Bad Request: text buttons are not allowed to be empty")
        if isinstance(markup, dict):
            content["reply_markup"] = markup
        quoted = asked.get("reply_parameters")
        if isinstance(quoted, dict):
            asked_about = memory.message_of(db, found["chat_id"], int(quoted.get("message_id") or 0))
            if asked_about is None and not quoted.get("allow_sending_without_reply"):
                raise Refused(400, "Bad Request: message to be replied not found")
            if asked_about:
                content["reply_to_message"] = asked_about
        return memory.say(db, TELEGRAM, found, kind, from_bot=True, **content)


def _answer_tap(box: Sandbox, _bot: SandboxBot, asked: dict[str, Any], _fault: Fault) -> Any:
    with box.store.writing(quietly=True) as db:
        heard = db.execute(
            "UPDATE bot_taps SET is_answered = 1 WHERE tap_id = ?", (str(asked.get("callback_query_id")),)
        )
        if heard.rowcount != 1:
            raise Refused(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
    return True


def _get_file(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], _fault: Fault) -> Any:
    with box.store.reading() as db:
        row = db.execute(
            "SELECT * FROM bot_files WHERE bot_id = ? AND file_id = ?",
            (bot.bot_id, str(asked.get("file_id"))),
        ).fetchone()
    if row is None:
        raise Refused(400, "Bad Request: invalid file_id")
    if len(row["data"]) > 20_000_000:
        raise Refused(400, "Bad Request: file is too big")
    return {**file_of(row), "file_path": row["path"]}


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _no_such_bot(token: str) -> Refused:
    return Refused(401, "Unauthorized") if _TOKEN.fullmatch(token) else Refused(404, "Not Found")


_WORDS = {
    429: "Too Many Requests: retry after",
    401: "Unauthorized",
    404: "Not Found: method not found",
    403: "Forbidden: bot was blocked by the user",
}


def _failing(fault: faults.Fault) -> Refused:
    more = {"retry_after": fault.retry_after} if fault.status == 429 else {}
    return Refused(fault.status, _WORDS.get(fault.status, "Bad Request"), **more)


API = Api(
    TELEGRAM,
    methods={
        "getme": _get_me,
        "getupdates": _get_updates,
        "setwebhook": _set_webhook,
        "deletewebhook": _delete_webhook,
        "getwebhookinfo": _webhook_info,
        "sendmessage": _send_message,
        "sendphoto": _send_photo,
        "answercallbackquery": _answer_tap,
        "getfile": _get_file,
    },
    kinds={"sendmessage": "send", "sendphoto": "send", "getupdates": "fetch", "getfile": "lookup"},
    no_such_bot=_no_such_bot,
    failing=_failing,
    structured=("reply_markup", "reply_parameters", "allowed_updates", "link_preview_options"),
)
