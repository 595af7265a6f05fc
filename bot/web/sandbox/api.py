"""The pretend OpenAPI an OA sends through: consultation messages, anonymous replies, reactions and uploads."""

from __future__ import annotations

import random
import sqlite3
import time
from typing import Any

import flask

from bot.web.sandbox import articles, media, people, webhooks
from bot.web.sandbox.answers import ApiError, body, guarded
from bot.web.sandbox.contents import Content, read
from bot.web.sandbox.people import Citizen
from bot.web.sandbox.sandbox import Sandbox
from bot.web.sandbox.settings import SandboxAccount
from bot.web.sandbox.store import now_ms

HOUR_MS = 3_600_000
FREE_REPLY_MS = 48 * HOUR_MS
WINDOW_MS = 7 * 24 * HOUR_MS
MEGABYTE = 1_048_576
ECHOES = {"request_user_info": "template"}
UPLOADS = {
    "image": ({"jpg", "png"}, MEGABYTE),
    "gif": ({"gif"}, 5 * MEGABYTE),
    "file": ({"pdf", "doc", "docx", "csv"}, 5 * MEGABYTE),
}

pages = flask.Blueprint("api", __name__)


@pages.post("/v3.0/oa/message/cs")
@guarded("send")
def consultation(box: Sandbox, account: SandboxAccount) -> object:
    """A reply to a citizen inside the window."""
    dawdle(box)
    request = body()
    user_id = recipient_of(request).get("user_id")
    with box.store.writing() as db:
        citizen = signed_in(db, account, user_id)
        _refuse_outside_window(citizen)
        content = read(db, account.oa_id, citizen.user_id, request.get("message"))
        at_ms = now_ms()
        msg_id = accept(db, box, account, citizen, content, at_ms)
    quota = quota_of(account, citizen, at_ms)
    return {"message_id": msg_id, "user_id": citizen.user_id, "sent_time": str(at_ms), "quota": quota}


@pages.post("/v2.0/oa/message")
@guarded("send")
def older_message(box: Sandbox, account: SandboxAccount) -> object:
    """Anonymous replies, reactions and articles for all; everything else moved to v3."""
    dawdle(box)
    request = body()
    recipient = recipient_of(request)
    if "anonymous_id" in recipient:
        return _answer_visitor(box, account, recipient, request.get("message"))
    if isinstance(request.get("sender_action"), dict):
        return _react(box, account, recipient, request["sender_action"])
    if "target" in recipient:
        return articles.broadcast(box, account, request.get("message"))
    raise ApiError(-240, "This API has been shut down, please use v3.0")


@pages.post("/v2.0/oa/upload/image")
@guarded("upload")
def upload_image(box: Sandbox, account: SandboxAccount) -> object:
    """A picture for later messages."""
    return _upload(box, account, "image", "attachment_id")


@pages.post("/v2.0/oa/upload/gif")
@guarded("upload")
def upload_gif(box: Sandbox, account: SandboxAccount) -> object:
    """A moving picture for later messages."""
    return _upload(box, account, "gif", "attachment_id")


@pages.post("/v2.0/oa/upload/file")
@guarded("upload")
def upload_file(box: Sandbox, account: SandboxAccount) -> object:
    """A document for later messages."""
    return _upload(box, account, "file", "token")


def dawdle(box: Sandbox) -> None:
    """Take as long as the settings say that a send takes."""
    low, high = box.settings.send_delay
    if high > 0:
        time.sleep(random.uniform(low, high))


def recipient_of(request: dict[str, Any]) -> dict[str, Any]:
    """Whom a request names; ApiError if it names nobody."""
    recipient = request.get("recipient")
    if not isinstance(recipient, dict):
        raise ApiError(-201, "Parameter recipient is invalid")
    return recipient


def signed_in(db: sqlite3.Connection, account: SandboxAccount, user_id: object) -> Citizen:
    """The citizen with this id, who is no mere visitor; ApiError if there is none."""
    citizen = people.find(db, user_id) if isinstance(user_id, str) else None
    if citizen is None or citizen.is_anonymous or citizen.oa_id != account.oa_id:
        raise ApiError(-201, "Parameter user_id is invalid")
    return citizen


def _refuse_outside_window(citizen: Citizen) -> None:
    if citizen.blocked_code:
        raise ApiError(citizen.blocked_code, "User has refused messages of this OA")
    if not citizen.follows and not citizen.last_interaction_ms:
        raise ApiError(-213, "User has not followed this OA")
    if now_ms() - citizen.last_interaction_ms > WINDOW_MS:
        raise ApiError(-230, "User has not interacted with the OA in the past 7 days")


def accept(
    db: sqlite3.Connection, box: Sandbox, account: SandboxAccount, citizen: Citizen, content: Content, at_ms: int
) -> str:
    """Show it on the citizen's phone, write it down, and let the gateway hear of it; its message id."""
    kept = {"attachments": content.attachments, "buttons": content.buttons, "quote": content.quote_msg_id}
    answered = not flask.g.answer_is_withheld
    msg_id = people.keep_message(db, citizen, content.kind, content.text, kept, at_ms, from_oa=True, answered=answered)
    message: dict[str, Any] = {"text": content.text} if content.text else {}
    message["msg_id"] = msg_id
    if content.attachments:
        message["attachments"] = content.attachments
    if citizen.is_anonymous:
        message["conversation_id"] = citizen.conversation_id
    events = []
    if box.settings.echoes:
        family = "oa_send_anonymous_" if citizen.is_anonymous else "oa_send_"
        name = family + ECHOES.get(content.kind, content.kind)
        events.append(people.oa_event(account, citizen, name, message, at_ms))
    if box.settings.receipts and not citizen.is_anonymous:
        delay = box.receipt_delay()
        arrived_ms = at_ms + int(delay * 1000)
        receipt = people.oa_event(account, citizen, "user_received_message", {"msg_id": msg_id}, arrived_ms)
        events.append(receipt)
    webhooks.queue(db, account, events)
    return msg_id


def quota_of(account: SandboxAccount, citizen: Citizen, at_ms: int) -> dict[str, str]:
    """What the platform says of quotas after a send."""
    if at_ms - citizen.last_interaction_ms > FREE_REPLY_MS:
        owner = {"owner_type": "OA", "owner_id": account.oa_id, "expired_date": "31/12/2099"}
        return {"quota_type": "sub_quota", "remain": "1999", "total": "2000", **owner}
    if not citizen.chatted:
        return {"quota_type": "welcome_msg", "remain": "1", "total": "1"}
    return {"quota_type": "reply", "remain": "8", "total": "8"}


def _answer_visitor(box: Sandbox, account: SandboxAccount, recipient: dict[str, Any], message: object) -> object:
    visitor_id, conversation = recipient.get("anonymous_id"), recipient.get("conversation_id")
    with box.store.writing() as db:
        visitor = people.find(db, visitor_id) if isinstance(visitor_id, str) else None
        if visitor is None or visitor.oa_id != account.oa_id or visitor.conversation_id != conversation:
            raise ApiError(-201, "Parameter anonymous_id or conversation_id is invalid")
        content = read(db, account.oa_id, visitor.user_id, message)
        if content.kind not in people.ANONYMOUS_KINDS:
            raise ApiError(-233, "This message type is not supported")
        msg_id = accept(db, box, account, visitor, content, now_ms())
    return {"message_id": msg_id, "anonymous_id": visitor.user_id, "conversation_id": visitor.conversation_id}


def _react(box: Sandbox, account: SandboxAccount, recipient: dict[str, Any], action: dict[str, Any]) -> object:
    msg_id = str(action.get("react_message_id", ""))
    with box.store.writing() as db:
        citizen = signed_in(db, account, recipient.get("user_id"))
        known = db.execute("SELECT 1 FROM messages WHERE msg_id = ? AND user_id = ?", (msg_id, citizen.user_id))
        if known.fetchone() is None:
            raise ApiError(-201, "Parameter react_message_id is invalid")
        message = {"msg_id": msg_id, "react_icon": str(action.get("react_icon", ""))}
        event = people.oa_event(account, citizen, "oa_reacted_message", message, now_ms())
        webhooks.queue(db, account, [event])
    return {"message_id": msg_id, "user_id": citizen.user_id}


def _upload(box: Sandbox, account: SandboxAccount, kind: str, handle_name: str) -> object:
    endings, limit = UPLOADS[kind]
    upload = flask.request.files.get("file")
    if upload is None:
        raise ApiError(-201, "Parameter file is invalid")
    title = upload.filename or ""
    ending = media.extension_of(title)
    # The real platform reports success and stores nothing when the name has no extension.
    if not ending:
        return {}
    data = upload.read(limit + 1)
    if len(data) > limit or len(title) > 200:
        raise ApiError(-210, "File exceeds the allowed limit")
    if ending not in endings or not data or (kind != "file" and media.image_type(data) not in endings):
        raise ApiError(-201, "Parameter file is invalid")
    with box.store.writing(quietly=True) as db:
        return {handle_name: media.keep(db, account.oa_id, kind, title, data).handle}
