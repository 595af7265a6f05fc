"""The pretend OpenAPI an OA asks questions of: itself, its followers, its conversations, its quota."""

from __future__ import annotations

import json
import re
import sqlite3
from datetime import datetime, timedelta, timezone
from typing import Any

import flask

from bot.web.sandbox import people
from bot.web.sandbox.answers import ApiError, body, guarded
from bot.web.sandbox.people import Citizen
from bot.web.sandbox.sandbox import Sandbox
from bot.web.sandbox.settings import SandboxAccount
from bot.web.sandbox.store import now_ms

VIETNAM = timezone(timedelta(hours=7))
DAY_MS = 86_400_000
TYPES = {"image": "photo", "list": "links", "business_card": "link", "request_user_info": "nosupport"}

pages = flask.Blueprint("lookups", __name__)


@pages.get("/v2.0/oa/getoa")
@guarded("lookup")
def getoa(box: Sandbox, account: SandboxAccount) -> object:
    """The account as it presents itself."""
    with box.store.reading() as db:
        followers = _count(db, "oa_id = ? AND follows = 1", [account.oa_id])
    picture = f"{box.base_url()}/media/sticker-46981.png"
    return {
        "oa_id": account.oa_id,
        "oaid": account.oa_id,
        "name": account.oa_name,
        "description": "Tài khoản tập dượt, không có thật",
        "oa_alias": "",
        "is_verified": True,
        "oa_type": 4,
        "cate_name": "Cơ quan nhà nước",
        "num_follower": followers,
        "avatar": picture,
        "cover": picture,
        "package_name": "Nâng cao",
        "package_valid_through_date": "31/12/2099",
        "package_auto_renew_date": "",
        "linked_ZCA": "vi-tap-duot",
    }


@pages.get("/v3.0/oa/user/getlist")
@guarded("lookup")
def getlist(box: Sandbox, account: SandboxAccount) -> object:
    """Ids of citizens, fifty at a time."""
    asked = _data()
    offset, count = _page(asked, largest_count=50, largest_offset=9_951)
    where, values = "oa_id = ? AND conversation_id = ''", [account.oa_id]
    if "is_follower" in asked:
        where += " AND follows = ?"
        values.append("1" if str(asked["is_follower"]).lower() == "true" else "0")
    if asked.get("last_interaction_period"):
        since, until = _period(str(asked["last_interaction_period"]))
        where += " AND last_interaction_ms >= ? AND last_interaction_ms < ?"
        values += [str(since), str(until)]
    if asked.get("tag_name"):
        where += " AND 0"
    with box.store.reading() as db:
        total = _count(db, where, values)
        question = f"SELECT user_id FROM citizens WHERE {where} ORDER BY created_ms, rowid LIMIT ? OFFSET ?"  # noqa: S608 - only our own words above
        rows = db.execute(question, [*values, str(count), str(offset)]).fetchall()
    users = [{"user_id": row["user_id"]} for row in rows]
    return {"total": total, "count": len(users), "offset": offset, "users": users}


@pages.get("/v3.0/oa/user/detail")
@guarded("lookup")
def detail(box: Sandbox, account: SandboxAccount) -> object:
    """What the account may know of a citizen."""
    citizen = _citizen(box, account, _data().get("user_id"))
    if not citizen.follows and not citizen.chatted:
        raise ApiError(-213, "User has not followed this OA")
    picture = f"{box.base_url()}/media/sticker-46981.png"
    spoke = datetime.fromtimestamp(citizen.last_interaction_ms / 1000, VIETNAM)
    return {
        "user_id": citizen.user_id,
        "user_id_by_app": citizen.user_id_by_app,
        "user_external_id": "",
        "display_name": citizen.name,
        "user_alias": citizen.name,
        "is_sensitive": False,
        "user_last_interaction_date": f"{spoke:%d/%m/%Y}" if citizen.last_interaction_ms else "",
        "user_is_follower": bool(citizen.follows),
        "avatar": picture,
        "avatars": {"120": picture, "240": picture},
        "dynamic_param": "",
        "tags_and_notes_info": {"notes": [], "tag_names": []},
        "shared_info": {"address": "", "city": "", "district": "", "phone": 0, "name": ""},
    }


@pages.get("/v2.0/oa/listrecentchat")
@guarded("lookup")
def listrecentchat(box: Sandbox, account: SandboxAccount) -> object:
    """The latest message of each conversation, the newest first."""
    offset, count = _page(_data(), largest_count=10)
    with box.store.reading() as db:
        rows = db.execute(
            "SELECT m.*, c.name FROM citizens c JOIN messages m ON m.id = c.last_message_id"
            " WHERE c.oa_id = ? AND c.conversation_id = '' ORDER BY c.last_message_id DESC LIMIT ? OFFSET ?",
            (account.oa_id, count, offset),
        ).fetchall()
    return [_as_chat(box, account, row) for row in rows]


@pages.get("/v2.0/oa/conversation")
@guarded("lookup")
def conversation(box: Sandbox, account: SandboxAccount) -> object:
    """The messages of one citizen, the newest first."""
    asked = _data()
    offset, count = _page(asked, largest_count=10)
    citizen = _citizen(box, account, asked.get("user_id"))
    with box.store.reading() as db:
        rows = db.execute(
            "SELECT m.*, c.name FROM messages m JOIN citizens c ON c.user_id = m.user_id"
            " WHERE m.user_id = ? ORDER BY m.id DESC LIMIT ? OFFSET ?",
            (citizen.user_id, count, offset),
        ).fetchall()
    return [_as_chat(box, account, row) for row in rows]


@pages.post("/v3.0/oa/quota/message")
@guarded("lookup")
def quota(box: Sandbox, account: SandboxAccount) -> object:
    """A citizen's window clock, or the OA's own packages."""
    asked = body()
    if "quota_owner" in asked:
        kinds = {"product_type": asked.get("product_type", "cs"), "quota_type": asked.get("quota_type", "sub_quota")}
        return [{"asset_id": "sandbox", **kinds, "valid_through": "31/12/2099", "total": 2000, "remain": 1999}]
    citizen = _citizen(box, account, asked.get("user_id"))
    return {
        "last_interaction": str(citizen.last_interaction_ms),
        "cs_reply": {"remain": 8, "total": 8},
        "promotion": {"daily_remain": 1, "daily_total": 1, "monthly_remain": 4, "monthly_total": 4},
    }


def _data() -> dict[str, Any]:
    try:
        value = json.loads(flask.request.args.get("data", "{}"))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ApiError(-201, "Parameter data is invalid")
    return value


def _page(asked: dict[str, Any], largest_count: int, largest_offset: int = 10**9) -> tuple[int, int]:
    try:
        offset, count = int(asked.get("offset", 0)), int(asked.get("count", 10))
    except (TypeError, ValueError):
        raise ApiError(-201, "Parameter offset or count is invalid") from None
    if count > largest_count or offset > largest_offset:
        raise ApiError(-210, "Parameter offset or count exceeds the allowed limit")
    if offset < 0 or count < 1:
        raise ApiError(-201, "Parameter offset or count is invalid")
    return offset, count


def _period(name: str) -> tuple[int, int]:
    today = datetime.now(VIETNAM).replace(hour=0, minute=0, second=0, microsecond=0)
    start = int(today.timestamp() * 1000)
    fixed = {
        "TODAY": (start, start + DAY_MS),
        "YESTERDAY": (start - DAY_MS, start),
        "L7D": (now_ms() - 7 * DAY_MS, now_ms() + DAY_MS),
        "L30D": (now_ms() - 30 * DAY_MS, now_ms() + DAY_MS),
    }
    if name in fixed:
        return fixed[name]
    if not re.fullmatch(r"\d{4}_\d\d_\d\d:\d{4}_\d\d_\d\d", name):
        raise ApiError(-201, "Parameter last_interaction_period is invalid")
    try:
        first, last = (datetime.strptime(day, "%Y_%m_%d").replace(tzinfo=VIETNAM) for day in name.split(":"))
    except ValueError:
        raise ApiError(-201, "Parameter last_interaction_period is invalid") from None
    return int(first.timestamp() * 1000), int(last.timestamp() * 1000) + DAY_MS


def _count(db: sqlite3.Connection, where: str, values: list[str]) -> int:
    question = f"SELECT count(*) FROM citizens WHERE {where}"  # noqa: S608 - callers pass their own words
    return int(db.execute(question, values).fetchone()[0])


def _citizen(box: Sandbox, account: SandboxAccount, user_id: object) -> Citizen:
    with box.store.reading() as db:
        citizen = people.find(db, user_id) if isinstance(user_id, str) else None
    if citizen is None or citizen.oa_id != account.oa_id or citizen.is_anonymous:
        raise ApiError(-201, "Parameter user_id is invalid")
    return citizen


def _as_chat(box: Sandbox, account: SandboxAccount, row: sqlite3.Row) -> dict[str, Any]:
    content = json.loads(row["content"])
    picture = f"{box.base_url()}/media/sticker-46981.png"
    ends = [(row["user_id"], row["name"]), (account.oa_id, account.oa_name)]
    (sender, sender_name), (receiver, receiver_name) = reversed(ends) if row["from_oa"] else ends
    chat: dict[str, Any] = {
        "src": 0 if row["from_oa"] else 1,
        "time": row["at_ms"],
        "type": TYPES.get(row["kind"], row["kind"]),
        "message": row["text"],
        "message_id": row["msg_id"],
        "from_id": sender,
        "to_id": receiver,
        "from_display_name": sender_name,
        "from_avatar": picture,
        "to_display_name": receiver_name,
        "to_avatar": picture,
    }
    if content.get("quote"):
        chat["quote_id"] = content["quote"]
    return chat | _media_fields(row["kind"], content["attachments"])


def _media_fields(kind: str, attachments: list[dict[str, Any]]) -> dict[str, Any]:
    if kind == "location":
        pin = attachments[0]["payload"]["coordinates"]
        return {"location": json.dumps(pin)}
    if kind in {"link", "list", "business_card"}:
        return {"links": [attachment["payload"] for attachment in attachments]}
    if not attachments:
        return {}
    payload = attachments[0]["payload"]
    fields = {"url": payload.get("url", ""), "thumb": payload.get("thumbnail", "")}
    fields["description"] = payload.get("name", "")
    return {name: value for name, value in fields.items() if value}
