"""The pretend service of approved messages: to whoever wrote to the OA, and to a telephone number."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import flask

from bot.web.sandbox import people
from bot.web.sandbox.answers import ApiError, body, guarded
from bot.web.sandbox.api import accept, dawdle, quota_of, signed_in
from bot.web.sandbox.contents import Content
from bot.web.sandbox.sandbox import Sandbox
from bot.web.sandbox.settings import SandboxAccount, SandboxTemplate
from bot.web.sandbox.store import now_ms

NOT_APPROVED, NOT_BY_UID, BAD_PHONE, NO_ACCOUNT, BAD_FIELD = -131, -249, -108, -118, -132
LONGEST_TRACKING_ID = 48

pages = flask.Blueprint("approved", __name__)


@pages.post("/v3.0/oa/message/template")
@guarded("send")
def to_citizen(box: Sandbox, account: SandboxAccount) -> object:
    """An approved message to somebody who wrote to the OA, however long ago."""
    dawdle(box)
    request = body()
    template = _template(box, request)
    if template is None or not template.by_uid:
        raise ApiError(NOT_BY_UID, "Template is not enabled for sending by UID")
    with box.store.writing() as db:
        citizen = signed_in(db, account, request.get("user_id"))
        if citizen.blocked_code:
            raise ApiError(citizen.blocked_code, "User has refused messages of this OA")
        at_ms = now_ms()
        msg_id = accept(db, box, account, citizen, Content("template", _filled(template, request, -201)), at_ms)
    quota = quota_of(account, citizen, at_ms)
    return {"message_id": msg_id, "user_id": citizen.user_id, "sent_time": str(at_ms), "quota": quota}


@pages.post("/message/template")
@guarded("send")
def to_phone(box: Sandbox, account: SandboxAccount) -> object:
    """An approved message to a telephone number."""
    dawdle(box)
    request = body()
    template = _template(box, request)
    if template is None:
        raise ApiError(NOT_APPROVED, "Template is not approved")
    phone = request.get("phone")
    if not isinstance(phone, str) or not re.fullmatch(r"84\d{9,10}", phone):
        raise ApiError(BAD_PHONE, "Phone number is invalid")
    if len(str(request.get("tracking_id", ""))) > LONGEST_TRACKING_ID:
        raise ApiError(BAD_FIELD, "tracking_id is too long")
    with box.store.writing() as db:
        citizen = people.find(db, _owner(db, account, phone))
        if citizen is None:
            raise ApiError(NO_ACCOUNT, "Zalo account does not exist")
        at_ms = now_ms()
        msg_id = accept(db, box, account, citizen, Content("template", _filled(template, request, BAD_FIELD)), at_ms)
    quota = {"dailyQuota": "500", "remainingQuota": "499"}
    return {"msg_id": msg_id, "sent_time": str(at_ms), "sending_mode": "1", "quota": quota}


def _template(box: Sandbox, request: dict[str, Any]) -> SandboxTemplate | None:
    wanted = str(request.get("template_id", ""))
    return next((one for one in box.settings.templates if one.id == wanted), None)


def _filled(template: SandboxTemplate, request: dict[str, Any], code: int) -> str:
    data = request.get("template_data")
    values = {k: v for k, v in data.items() if isinstance(v, str) and v} if isinstance(data, dict) else {}
    if missing := set(re.findall(r"\{(\w+)\}", template.text)) - set(values):
        raise ApiError(code, f"Parameter {min(missing)} is missing")
    return template.text.format_map(values)


def _owner(db: sqlite3.Connection, account: SandboxAccount, phone: str) -> str:
    spellings = (phone, f"+{phone}", f"0{phone[2:]}")
    question = "SELECT user_id FROM citizens WHERE oa_id = ? AND phone IN (?, ?, ?) ORDER BY rowid DESC LIMIT 1"
    row = db.execute(question, (account.oa_id, *spellings)).fetchone()
    return str(row["user_id"]) if row else ""
