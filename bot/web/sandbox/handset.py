"""What every pretend phone does: it shows a conversation, renews it, and carries out what its forms ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

import flask
from markupsafe import Markup, escape

from bot.web.sandbox.answers import as_json
from bot.web.sandbox.impossible import ImpossibleAct
from bot.web.sandbox.people import REHEARSAL
from bot.web.sandbox.sandbox import current

VIETNAM = timezone(timedelta(hours=7))
NAME_LIMIT = 60
PROBLEMS = {
    "bad_empty": "Tin nhắn còn trống. Hãy nhập nội dung rồi bấm Gửi.",
    "bad_kind": "Không có thao tác này.",
}


class Handset(Protocol):
    """One kind of phone; `folder` holds its phone.html and _messages.html.

    `done` and `problems` are the sentences a visitor may be shown after an act.
    """

    @property
    def folder(self) -> str: ...
    @property
    def done(self) -> Mapping[str, str]: ...
    @property
    def problems(self) -> Mapping[str, str]: ...

    def citizen(self, key: str) -> Any:
        """Whose phone it is, or 404."""

    def messages(self, citizen: Any, after: int) -> list[dict[str, Any]]:
        """What was said after the message with this `id`, oldest first."""

    def facts(self, citizen: Any, messages: list[dict[str, Any]]) -> dict[str, Any]:
        """What the templates need besides."""

    def do(self, citizen: Any, kind: str) -> None:
        """Do what the form of this request asks for. Raises ImpossibleAct."""


def add_pages(pages: flask.Blueprint, phone: Handset) -> None:
    """The conversation, the part of it that renews itself without JavaScript, the news, and what can be done."""
    pages.add_url_rule("/<person>", "chat", lambda person: _chat(phone, person))
    pages.add_url_rule("/<person>/log", "log", lambda person: _log(phone, person))
    pages.add_url_rule("/<person>/messages", "news", lambda person: _news(phone, person))
    pages.add_url_rule("/<person>/acts", "act", lambda person: _act(phone, person), methods=["POST"])


def back(phone: Handset, person: str, notice: str) -> flask.typing.ResponseReturnValue:
    """A script gets JSON, a plain form is sent back to the conversation."""
    if flask.request.accept_mimetypes.best == "application/json":
        sentence = {**phone.done, **phone.problems}.get(notice, "")
        return as_json({"ok": notice not in phone.problems, "notice": sentence})
    address = flask.url_for(".chat", person=person, bao=notice or None)
    return flask.redirect(f"{address}#cuoi", 303)


def asked_name() -> str:
    """The name a form gives a new citizen, marked as a rehearsal's; "" for none."""
    name = " ".join(flask.request.form.get("name", "").split())[:NAME_LIMIT].removesuffix(REHEARSAL).strip()
    return f"{name} {REHEARSAL}" if name else ""


def asked_files() -> list[tuple[str, bytes]]:
    """The files a form carries: name and bytes of each."""
    return [(f.filename or "", f.read()) for f in flask.request.files.getlist("files") if f.filename]


def asked_text() -> str:
    """The words a form carries, with line ends as everybody else writes them."""
    return flask.request.form.get("text", "").replace("\r\n", "\n")


def clock(at_ms: int | None) -> str:
    """The hour of a message in Vietnam, with the day when it is not today."""
    if not at_ms:
        return ""
    moment = datetime.fromtimestamp(at_ms / 1000, VIETNAM)
    is_today = moment.date() == datetime.now(VIETNAM).date()
    return f"{moment:%H:%M}" if is_today else f"{moment:%H:%M %d/%m}"


def linked(text: str) -> Markup:
    """Text with its web addresses made into links, as the real client does."""
    parts = re.split(r"(https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]])", text)
    link = Markup('<a href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>')
    return Markup("").join(link.format(part) if index % 2 else escape(part) for index, part in enumerate(parts))


def _chat(phone: Handset, person: str) -> str:
    return _page(phone, person, f"{phone.folder}/phone.html", notice=flask.request.args.get("bao", ""))


def _log(phone: Handset, person: str) -> str:
    return _page(phone, person, "sandbox/log.html")


def _news(phone: Handset, person: str) -> flask.Response:
    citizen = phone.citizen(person)
    messages = phone.messages(citizen, flask.request.args.get("after", 0, int))
    facts = phone.facts(citizen, messages)
    html = flask.render_template(
        f"{phone.folder}/_messages.html",
        messages=messages,
        citizen=citizen,
        person=person,
        places=current().settings.places,
        **facts,
    )
    return as_json({"last": messages[-1]["id"] if messages else 0, "count": len(messages), "html": html})


def _act(phone: Handset, person: str) -> flask.typing.ResponseReturnValue:
    citizen = phone.citizen(person)
    kind = flask.request.form.get("kind", "text")
    try:
        phone.do(citizen, kind)
    except ImpossibleAct as error:
        return back(phone, person, error.reason)
    return back(phone, person, kind if kind in phone.done else "")


def _page(phone: Handset, person: str, template: str, **more: Any) -> str:
    citizen = phone.citizen(person)
    messages = phone.messages(citizen, 0)
    return flask.render_template(
        template,
        folder=phone.folder,
        person=person,
        citizen=citizen,
        messages=messages,
        places=current().settings.places,
        notices={**phone.done, **phone.problems},
        problems=phone.problems,
        **phone.facts(citizen, messages),
        **more,
    )
