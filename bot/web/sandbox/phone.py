"""The phone of a pretend citizen: a chat page that works without JavaScript and is plainly a rehearsal."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import flask
from markupsafe import Markup, escape

from bot.web.sandbox import ledger, media, people, webhooks
from bot.web.sandbox.acts import KINDS, Act, ImpossibleAct, perform
from bot.web.sandbox.answers import as_json
from bot.web.sandbox.people import Citizen
from bot.web.sandbox.sandbox import current

VIETNAM = timezone(timedelta(hours=7))
SHOWN = 200
PEOPLE_PER_PAGE = 50
NAME_LIMIT = 60
REGULAR_ACTS = set(KINDS) - {"seen", "business_card", "react"}

DONE = {
    "resent": "Đã gửi lại webhook cuối cùng, giống hệt lần trước.",
    "follow": "Đã bấm Quan tâm.",
    "unfollow": "Đã bỏ quan tâm. Kênh không gửi được tin cho tới khi người này nhắn hoặc quan tâm lại.",
    "chatnow": "Đã bấm nút Nhắn tin.",
    "withdraw": "Đã rút lại sự đồng ý. Cổng phải xóa dữ liệu của người này.",
    "submit_info": "Đã gửi thông tin.",
}
PROBLEMS = {
    "bad_nothing": "Chưa có webhook nào để gửi lại.",
    "bad_empty": "Tin nhắn còn trống. Hãy nhập nội dung rồi bấm Gửi.",
    "bad_photo": "Tệp đã chọn không phải ảnh JPG, PNG, GIF hay WebP. Hãy chọn ảnh khác.",
    "bad_count": "Mỗi lần gửi được nhiều nhất 10 ảnh. Hãy chọn ít ảnh hơn.",
    "bad_size": "Tệp lớn hơn 20 MB. Hãy chọn tệp nhỏ hơn.",
    "bad_location": "Tọa độ chưa đúng. Vĩ độ từ -90 đến 90, kinh độ từ -180 đến 180, ví dụ 10.7412 và 106.2871.",
    "bad_visitor": "Khách chưa đăng nhập chỉ gửi được chữ, ảnh, tệp và nhãn dán.",
    "bad_kind": "Không có thao tác này.",
    "bad_file": "Không đọc được tệp. Hãy chọn lại.",
}
NOTICES = DONE | PROBLEMS
STICKERS = media.STICKERS

pages = flask.Blueprint("phone", __name__, url_prefix="/phone")


@pages.get("/")
def people_list() -> str:
    """Everybody one can pretend to be, the latest conversation first."""
    args = flask.request.args
    page = max(args.get("trang", 1, int), 1)
    name = args.get("ten", "").strip()
    with current().store.reading() as db:
        rows = db.execute(
            "SELECT c.*, m.text, m.kind, m.at_ms, m.from_oa, (SELECT count(*) FROM messages u WHERE"
            " u.user_id = c.user_id AND u.from_oa = 1 AND u.seen_ms = 0) AS unseen"
            " FROM citizens c LEFT JOIN messages m ON m.id = c.last_message_id WHERE ? = '' OR instr(c.name, ?)"
            " ORDER BY c.last_message_id DESC, c.rowid DESC LIMIT ? OFFSET ?",
            (name, name, PEOPLE_PER_PAGE + 1, (page - 1) * PEOPLE_PER_PAGE),
        ).fetchall()
        total = db.execute("SELECT count(*) FROM citizens").fetchone()[0]
    return flask.render_template(
        "sandbox/people.html",
        people=rows[:PEOPLE_PER_PAGE],
        has_more=len(rows) > PEOPLE_PER_PAGE,
        page=page,
        name=name,
        total=total,
        oa_names={account.oa_id: account.oa_name for account in current().settings.accounts},
    )


@pages.post("/")
def add_person() -> flask.typing.ResponseReturnValue:
    """One more citizen to pretend to be."""
    form = flask.request.form
    account = current().account_or_404(form.get("oa_id", ""))
    name = " ".join(form.get("name", "").split())[:NAME_LIMIT]
    kind = form.get("kind", "follower")
    with current().store.writing() as db:
        already = db.execute("SELECT count(*) FROM citizens WHERE oa_id = ?", (account.oa_id,)).fetchone()[0]
        names = [f"{name.removesuffix(people.REHEARSAL).strip()} {people.REHEARSAL}"] if name else []
        user_ids = people.create(
            db,
            account,
            names or people.invented_names(1, already),
            follow=kind == "follower",
            anonymous=kind == "anonymous",
        )
    return flask.redirect(flask.url_for(".chat", user_id=user_ids[0]), 303)


@pages.get("/<user_id>")
def chat(user_id: str) -> str:
    """The conversation and everything one can do in it."""
    return _page("sandbox/phone.html", user_id, notice=flask.request.args.get("bao", ""))


@pages.get("/<user_id>/log")
def log(user_id: str) -> str:
    """The conversation alone; without JavaScript it is a frame that renews itself, so typing is not disturbed."""
    return _page("sandbox/log.html", user_id)


@pages.get("/<user_id>/messages")
def news(user_id: str) -> flask.Response:
    """Messages after an id, as the page's script asks for them."""
    citizen = _citizen(user_id)
    messages = _seen_messages(citizen, flask.request.args.get("after", 0, int))
    html = flask.render_template("sandbox/_messages.html", messages=messages, citizen=citizen)
    return as_json({"last": messages[-1]["id"] if messages else 0, "count": len(messages), "html": html})


@pages.post("/<user_id>/acts")
def act(user_id: str) -> flask.typing.ResponseReturnValue:
    """Do what a form asked for; a script gets JSON, a plain form is sent back to the conversation."""
    citizen = _citizen(user_id)
    form = flask.request.form
    kind = form.get("kind", "text")
    done = kind if kind in DONE else ""
    try:
        if kind not in REGULAR_ACTS:
            raise ImpossibleAct("bad_kind")
        perform(current(), current().account_or_404(citizen.oa_id), citizen, _act(kind))
    except ImpossibleAct as error:
        return _back(citizen, error.reason)
    return _back(citizen, done)


@pages.post("/<user_id>/redelivery")
def redeliver(user_id: str) -> flask.typing.ResponseReturnValue:
    """Send the latest webhook a second time, as the platform sometimes does."""
    citizen = _citizen(user_id)
    with current().store.writing() as db:
        event_id = webhooks.queue_again(db, citizen.user_id)
    return _back(citizen, "resent" if event_id else "bad_nothing")


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


def _citizen(user_id: str) -> Citizen:
    with current().store.reading() as db:
        citizen = people.find(db, user_id)
    if citizen is None:
        flask.abort(404, "Không có người dân tập dượt này.")
    return citizen


def _page(template: str, user_id: str, **more: Any) -> str:
    citizen = _citizen(user_id)
    box = current()
    return flask.render_template(
        template,
        citizen=citizen,
        oa_name=box.account_or_404(citizen.oa_id).oa_name,
        messages=_seen_messages(citizen, 0),
        places=box.settings.places,
        stickers=STICKERS,
        notices=NOTICES,
        problems=PROBLEMS,
        **more,
    )


def _seen_messages(citizen: Citizen, after: int) -> list[dict[str, Any]]:
    box = current()
    with box.store.reading() as db:
        messages = ledger.conversation(db, citizen.user_id, after, SHOWN)
    if any(message["from_oa"] and not message["seen_ms"] for message in messages):
        with box.store.writing() as db:
            people.see(db, box.account_or_404(citizen.oa_id), citizen)
    return messages


def _act(kind: str) -> Act:
    form = flask.request.form
    files = [(f.filename or "", f.read()) for f in flask.request.files.getlist("files") if f.filename]
    fields: dict[str, Any] = {name: value for name, value in form.items() if name not in {"kind", "text"}}
    if "place" in form:
        places = {place.label: place for place in current().settings.places}
        if form["place"] in places:
            place = places[form["place"]]
            fields |= {"latitude": place.latitude, "longitude": place.longitude}
    if kind == "submit_info":
        names = ("name", "phone", "user_address")
        info: dict[str, Any] = {name: form.get(name, "") for name in names}
        info["full_address"] = {"user_city": "", "user_ward": "", "user_address": info.pop("user_address")}
        fields = {"info": {**info, "user_dob": "", "gender": ""}}
    return Act(kind, form.get("text", "").replace("\r\n", "\n"), files, fields)


def _back(citizen: Citizen, notice: str) -> flask.typing.ResponseReturnValue:
    if flask.request.accept_mimetypes.best == "application/json":
        ok = notice not in PROBLEMS
        return as_json({"ok": ok, "notice": NOTICES.get(notice, "")})
    address = flask.url_for(".chat", user_id=citizen.user_id, bao=notice or None)
    return flask.redirect(f"{address}#cuoi", 303)
