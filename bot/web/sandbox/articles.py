"""The pretend article service: created, worked on for a moment, then sent to all followers at once."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta, timezone
from typing import Any

from flask import Blueprint

from bot.web.sandbox import people, wire
from bot.web.sandbox.answers import ApiError, body, guarded
from bot.web.sandbox.sandbox import Sandbox
from bot.web.sandbox.settings import SandboxAccount
from bot.web.sandbox.store import now_ms

VIETNAM = timezone(timedelta(hours=7))
LOOKS_UNTIL_READY = 1
LIMITS = {"title": 150, "author": 50, "description": 300}

pages = Blueprint("articles", __name__)


@pages.post("/v2.0/article/create")
@guarded("send")
def create(box: Sandbox, account: SandboxAccount) -> object:
    """Keep an article that nobody sees yet."""
    asked = body()
    for name, most in LIMITS.items():
        value = asked.get(name)
        if not isinstance(value, str) or not value.strip() or len(value) > most:
            raise ApiError(-201, f"Parameter {name} is invalid")
    cover, blocks = asked.get("cover"), asked.get("body")
    if asked.get("type") != "normal" or not isinstance(cover, dict) or not cover.get("photo_url"):
        raise ApiError(-201, "Parameter cover is invalid")
    if not isinstance(blocks, list) or not blocks or not all(isinstance(b, dict) and b.get("type") for b in blocks):
        raise ApiError(-201, "Parameter body is invalid")
    token = secrets.token_urlsafe(24)
    with box.store.writing(quietly=True) as db:
        db.execute(
            "INSERT INTO articles (token, id, oa_id, content) VALUES (?, ?, ?, ?)",
            (token, secrets.token_hex(10), account.oa_id, wire.compact(asked)),
        )
    return {"token": token}


@pages.post("/v2.0/article/verify")
@guarded("lookup")
def verify(box: Sandbox, account: SandboxAccount) -> object:
    """The id of an article, once it has been worked on for a while."""
    token = str(body().get("token", ""))
    with box.store.writing(quietly=True) as db:
        row = db.execute("SELECT * FROM articles WHERE token = ? AND oa_id = ?", (token, account.oa_id)).fetchone()
        if row is None:
            raise ApiError(-201, "Parameter token is invalid")
        db.execute("UPDATE articles SET looks = looks + 1 WHERE token = ?", (token,))
    if row["looks"] < LOOKS_UNTIL_READY:
        raise ApiError(-214, "Article is being processed")
    return {"id": row["id"]}


def broadcast(box: Sandbox, account: SandboxAccount, message: object) -> object:
    """Show an article on the phones of all who follow; once a day, not at night."""
    hour = datetime.now(VIETNAM).hour
    if box.settings.keeps_night and not 6 <= hour < 22:
        raise ApiError(-234, "Broadcasts are not allowed from 22:00 to 06:00")
    article_id = _article_id(message)
    at_ms = now_ms()
    with box.store.writing() as db:
        row = db.execute("SELECT * FROM articles WHERE id = ? AND oa_id = ?", (article_id, account.oa_id)).fetchone()
        if row is None:
            raise ApiError(-201, "Parameter attachment_id is invalid")
        content = wire.read(row["content"])
        link = {"title": content["title"], "description": content["description"], "url": f"{box.base_url()}/media/none"}
        kept = {"attachments": [{"type": "link", "payload": {**link, "thumbnail": ""}}]}
        followers = db.execute(
            "SELECT user_id FROM citizens WHERE oa_id = ? AND follows = 1 AND conversation_id = ''", (account.oa_id,)
        ).fetchall()
        for follower in followers:
            citizen = people.find(db, follower["user_id"])
            if citizen is not None:
                people.keep_message(db, citizen, "article", "", kept, at_ms, from_oa=True)
    return {"message_id": secrets.token_hex(12)}


def _article_id(message: object) -> str:
    try:
        element: Any = message["attachment"]["payload"]["elements"][0]  # type: ignore[index]
        if element["media_type"] != "article":
            raise ApiError(-233, "Only articles can be broadcast")
        return str(element["attachment_id"])
    except (KeyError, TypeError, IndexError):
        raise ApiError(-201, "Parameter message is invalid") from None
