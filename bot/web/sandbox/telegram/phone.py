"""The phones of pretend citizens on Telegram: chats with buttons, usable without JavaScript, plainly a rehearsal."""

from __future__ import annotations

import sqlite3
from typing import Any

import flask

from bot.web.sandbox.answers import as_json
from bot.web.sandbox.media import sample_photo
from bot.web.sandbox.people import REHEARSAL
from bot.web.sandbox.sandbox import current
from bot.web.sandbox.settings import SandboxBot
from bot.web.sandbox.telegram import memory
from bot.web.sandbox.telegram.people import CannotBeDone, Deed, do

NAME_LIMIT = 60
ACTS = {"text", "photo", "location", "contact", "tap", "edit", "block", "unblock"}

DONE = {
    "contact": "Đã chia sẻ số điện thoại của mình.",
    "edit": "Đã sửa tin. Tải lại trang để thấy tin đã sửa.",
    "block": "Đã chặn bot. Kênh không gửi được tin cho tới khi bỏ chặn.",
    "unblock": "Đã bỏ chặn.",
}
PROBLEMS = {
    "bad_empty": "Tin nhắn còn trống. Hãy nhập nội dung rồi bấm Gửi.",
    "bad_edit": "Chưa có tin nào để sửa, hoặc nội dung mới còn trống.",
    "bad_button": "Nút này không còn nữa.",
    "bad_kind": "Không có thao tác này.",
}
NOTICES = DONE | PROBLEMS

pages = flask.Blueprint("telegram_phone", __name__, url_prefix="/telegram")


@pages.get("/")
def people_list() -> str:
    """Everybody one can pretend to be."""
    bot = _bot()
    with current().store.reading() as db:
        rows = db.execute("SELECT * FROM tg_people WHERE bot_id = ? ORDER BY chat_id", (bot.bot_id,)).fetchall()
    return flask.render_template("sandbox/telegram/people.html", people=rows, bot=bot)


@pages.post("/")
def add_person() -> flask.typing.ResponseReturnValue:
    """One more citizen to pretend to be."""
    name = " ".join(flask.request.form.get("name", "").split())[:NAME_LIMIT].removesuffix(REHEARSAL).strip()
    with current().store.writing() as db:
        chat_id = memory.add_person(db, _bot().bot_id, f"{name or 'Cô Hoa'} {REHEARSAL}")
    return flask.redirect(flask.url_for(".chat", chat_id=chat_id), 303)


@pages.get("/<int:chat_id>")
def chat(chat_id: int) -> str:
    """The conversation and everything one can do in it."""
    return _page("sandbox/telegram/phone.html", chat_id, notice=flask.request.args.get("bao", ""))


@pages.get("/<int:chat_id>/log")
def log(chat_id: int) -> str:
    """The conversation alone; without JavaScript it is a frame that renews itself."""
    return _page("sandbox/telegram/log.html", chat_id)


@pages.get("/<int:chat_id>/messages")
def news(chat_id: int) -> flask.Response:
    """Messages after an id, as the page's script asks for them."""
    citizen = _citizen(chat_id)
    with current().store.reading() as db:
        messages = memory.talk(db, chat_id, flask.request.args.get("after", 0, int))
    html = flask.render_template("sandbox/telegram/_messages.html", messages=messages, citizen=citizen)
    return as_json({"last": messages[-1]["message_id"] if messages else 0, "count": len(messages), "html": html})


@pages.post("/<int:chat_id>/acts")
def act(chat_id: int) -> flask.typing.ResponseReturnValue:
    """Do what a form asked for; a script gets JSON, a plain form is sent back to the conversation."""
    _citizen(chat_id)
    kind = flask.request.form.get("kind", "text")
    try:
        if kind not in ACTS:
            raise CannotBeDone("kind")
        with current().store.writing() as db:
            do(db, chat_id, _deed(kind))
    except CannotBeDone as error:
        return _back(chat_id, f"bad_{error.reason}")
    current().bots.ring()
    return _back(chat_id, kind if kind in DONE else "")


@pages.get("/files/<file_id>")
def picture(file_id: str) -> flask.Response:
    """A picture of the conversation."""
    with current().store.reading() as db:
        row = db.execute("SELECT data FROM tg_files WHERE file_id = ?", (file_id,)).fetchone()
    if row is None:
        flask.abort(404, "Không có ảnh này.")
    is_png = bytes(row["data"]).startswith(b"\x89PNG")
    return flask.Response(row["data"], content_type="image/png" if is_png else "image/jpeg")


def _bot() -> SandboxBot:
    bots = current().settings.bots
    if not bots:
        flask.abort(404, "Buổi tập dượt này không có kênh Telegram.")
    return bots[0]


def _citizen(chat_id: int) -> sqlite3.Row:
    with current().store.reading() as db:
        found = memory.person(db, chat_id)
    if found is None:
        flask.abort(404, "Không có người dân tập dượt này.")
    return found


def _page(template: str, chat_id: int, **more: Any) -> str:
    citizen = _citizen(chat_id)
    with current().store.reading() as db:
        messages = memory.talk(db, chat_id)
    said = [message for message in messages if not message["from_bot"] and ("text" in message or "caption" in message)]
    return flask.render_template(
        template,
        citizen=citizen,
        bot=_bot(),
        messages=messages,
        latest=said[-1] if said else None,
        places=current().settings.places,
        notices=NOTICES,
        problems=PROBLEMS,
        **more,
    )


def _deed(kind: str) -> Deed:
    form = flask.request.form
    files = tuple((f.filename or "", f.read()) for f in flask.request.files.getlist("files") if f.filename)
    if kind == "photo" and not files:
        files = (("anh-mau.jpg", sample_photo()),)
    place = next((p for p in current().settings.places if p.label == form.get("place")), None)
    number = form.get("message_id", "")
    return Deed(
        kind,
        form.get("text", "").replace("\r\n", "\n"),
        files,
        int(number) if number.isascii() and number.isdecimal() else 0,
        float(place.latitude) if place else 0.0,
        float(place.longitude) if place else 0.0,
    )


def _back(chat_id: int, notice: str) -> flask.typing.ResponseReturnValue:
    if flask.request.accept_mimetypes.best == "application/json":
        return as_json({"ok": notice not in PROBLEMS, "notice": NOTICES.get(notice, "")})
    address = flask.url_for(".chat", chat_id=chat_id, bao=notice or None)
    return flask.redirect(f"{address}#cuoi", 303)
