"""The phones of pretend citizens who write to a bot: usable without JavaScript, plainly a rehearsal."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import flask

from bot.web.sandbox import handset
from bot.web.sandbox.bots import memory
from bot.web.sandbox.bots.control import bot_or_404, person_or_404
from bot.web.sandbox.bots.platform import Deed, Platform, do
from bot.web.sandbox.impossible import ImpossibleAct
from bot.web.sandbox.media import sample_photo
from bot.web.sandbox.people import REHEARSAL
from bot.web.sandbox.sandbox import current

PROBLEMS = {
    **handset.PROBLEMS,
    "bad_edit": "Chưa có tin nào để sửa, hoặc nội dung mới còn trống.",
    "bad_button": "Nút này không còn nữa.",
}


@dataclass(frozen=True)
class BotPhone:
    """A chat with a bot of one platform."""

    platform: Platform
    folder = "sandbox/bots"
    problems = PROBLEMS

    @property
    def done(self) -> dict[str, str]:
        """What a visitor is told after an act."""
        return dict(self.platform.done)

    def citizen(self, key: str) -> sqlite3.Row:
        """Whose phone it is, or 404."""
        return person_or_404(key)

    def messages(self, citizen: sqlite3.Row, after: int) -> list[dict[str, Any]]:
        """What was said after a message, oldest first."""
        with current().store.reading() as db:
            return memory.talk(db, citizen["chat_id"], after)

    def facts(self, _citizen: sqlite3.Row, messages: list[dict[str, Any]]) -> dict[str, Any]:
        """The bot, its platform, and the citizen's latest words."""
        said = [one for one in messages if not one["from_bot"] and ("text" in one or "caption" in one)]
        return {"bot": bot_or_404(self.platform), "platform": self.platform, "latest": said[-1] if said else None}

    def do(self, citizen: sqlite3.Row, kind: str) -> None:
        """Do what the form of this request asks for. Raises ImpossibleAct."""
        if kind not in self.platform.on_phone:
            raise ImpossibleAct("bad_kind")
        with current().store.writing() as db:
            do(db, self.platform, citizen, _deed(kind))
        current().bots.ring()


def phone_pages(platform: Platform) -> flask.Blueprint:
    """The pages of this platform's phones."""
    pages = flask.Blueprint(f"{platform.name}_phone", __name__, url_prefix=platform.address)
    pages.add_url_rule("/", "people_list", lambda: _people_list(platform))
    pages.add_url_rule("/", "add_person", lambda: _add_person(platform), methods=["POST"])
    pages.add_url_rule("/files/<file_id>", "picture", _picture)
    handset.add_pages(pages, BotPhone(platform))
    return pages


def _people_list(platform: Platform) -> str:
    """Everybody one can pretend to be."""
    bot = bot_or_404(platform)
    with current().store.reading() as db:
        people = memory.people_of(db, bot.bot_id)
    return flask.render_template("sandbox/bots/people.html", people=people, bot=bot, platform=platform)


def _add_person(platform: Platform) -> flask.typing.ResponseReturnValue:
    """One more citizen to pretend to be."""
    name = handset.asked_name() or f"Cô Hoa {REHEARSAL}"
    with current().store.writing() as db:
        chat_id = memory.add_person(db, platform, bot_or_404(platform).bot_id, name)
    return flask.redirect(flask.url_for(".chat", person=chat_id), 303)


def _picture(file_id: str) -> flask.Response:
    """A file of the conversation."""
    with current().store.reading() as db:
        row = db.execute("SELECT data FROM bot_files WHERE file_id = ?", (file_id,)).fetchone()
    if row is None:
        flask.abort(404, "Không có ảnh này.")
    is_png = bytes(row["data"]).startswith(b"\x89PNG")
    return flask.Response(row["data"], content_type="image/png" if is_png else "image/jpeg")


def _deed(kind: str) -> Deed:
    form = flask.request.form
    files = tuple(handset.asked_files())
    if kind == "photo" and not files:
        files = (("anh-mau.jpg", sample_photo()),)
    place = next((p for p in current().settings.places if p.label == form.get("place")), None)
    number = form.get("message_id", "")
    return Deed(
        kind,
        handset.asked_text(),
        files,
        int(number) if number.isascii() and number.isdecimal() else 0,
        float(place.latitude) if place else 0.0,
        float(place.longitude) if place else 0.0,
        current().base_url(),
    )
