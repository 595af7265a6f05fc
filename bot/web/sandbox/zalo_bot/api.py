"""The pretend Zalo Bot API: what it grants, and its six codes for what it does not."""

from __future__ import annotations

from typing import Any

import flask

from bot.web.sandbox.bots import memory
from bot.web.sandbox.bots.api import Api, Fault, Refused, is_address, set_webhook, until_news
from bot.web.sandbox.sandbox import Sandbox
from bot.web.sandbox.settings import SandboxBot
from bot.web.sandbox.zalo_bot.people import ZALO_BOT

MOST_TEXT = 2_000
# Telegram's methods stand at /bot<token> already; on the real platforms the host tells them apart.
PREFIX = "/zalo-bot-api"
DESCRIPTIONS = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Internal server error",
    404: "Not found",
    408: "Request timeout",
    429: "Quota exceeded",
}

pages = flask.Blueprint("zalo_bot_api", __name__, url_prefix=PREFIX)


@pages.route("/bot<token>/<method>", methods=["GET", "POST"])
def call(token: str, method: str) -> flask.Response:
    """One method of one bot."""
    return API.call(token, method)


def _refused(code: int, **more: Any) -> Refused:
    return Refused(code, DESCRIPTIONS.get(code, "Error"), **more)


def _get_me(_box: Sandbox, bot: SandboxBot, _asked: dict[str, Any], _fault: Fault) -> Any:
    name = f"bot.{bot.username}"
    return {"id": bot.bot_id, "account_name": name, "account_type": "BASIC", "can_join_groups": False}


def _get_updates(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], fault: Fault) -> Any:
    """The first update that waits; it is given up as it is handed over, whatever becomes of the answer."""
    repeats = fault is not None and fault.kind == "repeat"
    for _ in until_news(box, bot, asked, _refused(408, status=200)):
        with box.store.writing(quietly=True) as db:
            is_brought = bool(memory.bot_row(db, bot.bot_id)["webhook_url"])
            found = [] if is_brought else memory.waiting(db, bot.bot_id, 1, repeats=repeats)
            if found:
                memory.hand_over(db, found[0]["update_id"])
        if found:
            return memory.as_update(ZALO_BOT, found[0])
    raise _refused(408, status=200)  # also, without a word about it, where updates are brought


def _set_webhook(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], _fault: Fault) -> Any:
    url, secret = asked.get("url"), asked.get("secret_token")
    if not isinstance(url, str) or not is_address(url) or not isinstance(secret, str) or not 8 <= len(secret) <= 256:
        raise _refused(400)
    set_webhook(box, bot, url, secret, [])
    return _info(box, bot)


def _delete_webhook(box: Sandbox, bot: SandboxBot, _asked: dict[str, Any], _fault: Fault) -> Any:
    set_webhook(box, bot, "", "", [])
    return _info(box, bot)


def _webhook_info(box: Sandbox, bot: SandboxBot, _asked: dict[str, Any], _fault: Fault) -> Any:
    return _info(box, bot)


def _info(box: Sandbox, bot: SandboxBot) -> dict[str, Any]:
    with box.store.writing(quietly=True) as db:
        row = memory.bot_row(db, bot.bot_id)
    return {"url": row["webhook_url"], "updated_at": row["changed_ms"]}


def _send_message(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], _fault: Fault) -> Any:
    text = asked.get("text")
    if not isinstance(text, str) or not text.strip() or len(text) > MOST_TEXT:
        raise _refused(400)
    return _sent(box, bot, asked, "text", text=text)


def _send_photo(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], _fault: Fault) -> Any:
    photo, caption = asked.get("photo"), asked.get("caption")
    if not isinstance(photo, str) or not photo.startswith(("https://", "http://")):
        raise _refused(400)
    more = {"caption": caption} if isinstance(caption, str) and caption else {}
    return _sent(box, bot, asked, "image", photo_url=photo, **more)


def _send_chat_action(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], _fault: Fault) -> Any:
    if asked.get("action") != "typing":
        raise _refused(400)
    with box.store.reading() as db:
        found = memory.person(db, asked.get("chat_id"))
    if found is None or found["bot_id"] != bot.bot_id:
        raise _refused(404)
    return {}


def _sent(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], kind: str, **content: Any) -> Any:
    with box.store.writing(quietly=True) as db:
        found = memory.person(db, asked.get("chat_id"))
        if found is None or found["bot_id"] != bot.bot_id:
            raise _refused(404)
        message = memory.say(db, ZALO_BOT, found, kind, from_bot=True, **content)
    return {"message_id": message["message_id"], "date": message["date"]}


API = Api(
    ZALO_BOT,
    methods={
        "getme": _get_me,
        "getupdates": _get_updates,
        "setwebhook": _set_webhook,
        "deletewebhook": _delete_webhook,
        "getwebhookinfo": _webhook_info,
        "sendmessage": _send_message,
        "sendphoto": _send_photo,
        "sendchataction": _send_chat_action,
    },
    kinds={"sendmessage": "send", "sendphoto": "send", "getupdates": "fetch"},
    no_such_bot=lambda _token: _refused(401),
    failing=lambda fault: _refused(fault.status),
)
