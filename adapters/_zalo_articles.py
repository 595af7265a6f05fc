"""Zalo's articles: the only thing that can be sent to all followers at once, in three steps that each take a while."""

from __future__ import annotations

from typing import Any

from adapters import _zalo_events as events
from adapters._zalo_api import accepted, headers, posted, text_of
from adapters._zalo_config import ZaloConfig
from adapters.base import Story
from adapters.errors import MessageRefused, OutcomeUnknown, TemporarilyRefused
from adapters.http import Http
from adapters.messages import SendResult
from adapters.secret import Secret

LONGEST_TITLE, LONGEST_AUTHOR, LONGEST_DESCRIPTION = 150, 50, 300
STILL_WORKING = "zalo_-214"


def create(http: Http, config: ZaloConfig, token: Secret, story: Story) -> str:
    """Hand an article over; the handle by which to ask whether it is ready. Raises SendError."""
    cover = config.article_cover or _own_picture(http, config, token)
    if not cover:
        raise MessageRefused(
            "article_cover", "Bài viết Zalo cần ảnh bìa. Người quản trị đặt article_cover cho kênh rồi đăng lại."
        )
    body = {
        "type": "normal",
        "title": story.title[:LONGEST_TITLE],
        "author": story.author[:LONGEST_AUTHOR],
        "description": story.description[:LONGEST_DESCRIPTION],
        "cover": {"cover_type": "photo", "photo_url": cover, "status": "show"},
        "body": [{"type": "text", "content": paragraph} for paragraph in story.paragraphs],
        "status": "show",
        "comment": "hide",  # nobody of the commune reads them there
    }
    handle = text_of(_asked(http, config, token, "/v2.0/article/create", body).get("token"), 400)
    if not handle:
        # Nobody has been sent anything: a second article that nobody sees costs nothing.
        raise TemporarilyRefused("zalo_no_article", "Zalo không trả lời rõ ràng. Hệ thống sẽ tự thử lại.", tries=5)
    return handle


def ready_id(http: Http, config: ZaloConfig, token: Secret, handle: str) -> str | None:
    """The article's id; None while Zalo still works on it. Raises SendError."""
    try:
        data = _asked(http, config, token, "/v2.0/article/verify", {"token": handle})
    except TemporarilyRefused as error:
        if error.code == STILL_WORKING:
            return None
        raise
    return text_of(data.get("id"), 120) or None


def broadcast(http: Http, config: ZaloConfig, token: Secret, article_id: str) -> SendResult:
    """Have an article sent to all followers. Raises SendError."""
    element = {"media_type": "article", "attachment_id": article_id}
    attachment = {"type": "template", "payload": {"template_type": "media", "elements": [element]}}
    # An empty target is everybody; nobody is chosen by age, sex or province.
    body = {"recipient": {"target": {}}, "message": {"attachment": attachment}}
    return posted(http, config, token, "/v2.0/oa/message", body)


def _asked(http: Http, config: ZaloConfig, token: Secret, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    method = "GET" if body is None else "POST"
    try:
        return accepted(http.call(method, config.api_base + path, headers=headers(config, token), json=body))
    except OutcomeUnknown as error:
        raise TemporarilyRefused(error.code, "Zalo không trả lời. Hệ thống sẽ tự thử lại.", tries=8) from None


def _own_picture(http: Http, config: ZaloConfig, token: Secret) -> str:
    account = _asked(http, config, token, "/v2.0/oa/getoa", None)
    return events.web_url(account.get("cover")) or events.web_url(account.get("avatar")) or ""
