"""The phone of a pretend citizen: a chat page that works without JavaScript and is plainly a rehearsal."""

from __future__ import annotations

from typing import Any

import flask

from bot.web.sandbox import handset, ledger, media, people, webhooks
from bot.web.sandbox.acts import KINDS, Act, perform
from bot.web.sandbox.impossible import ImpossibleAct
from bot.web.sandbox.people import Citizen
from bot.web.sandbox.sandbox import current

SHOWN = 200
PEOPLE_PER_PAGE = 50
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
    **handset.PROBLEMS,
    "bad_nothing": "Chưa có webhook nào để gửi lại.",
    "bad_photo": "Tệp đã chọn không phải ảnh JPG, PNG, GIF hay WebP. Hãy chọn ảnh khác.",
    "bad_count": "Mỗi lần gửi được nhiều nhất 10 ảnh. Hãy chọn ít ảnh hơn.",
    "bad_size": "Tệp lớn hơn 20 MB. Hãy chọn tệp nhỏ hơn.",
    "bad_location": "Tọa độ chưa đúng. Vĩ độ từ -90 đến 90, kinh độ từ -180 đến 180, ví dụ 10.7412 và 106.2871.",
    "bad_visitor": "Khách chưa đăng nhập chỉ gửi được chữ, ảnh, tệp và nhãn dán.",
    "bad_file": "Không đọc được tệp. Hãy chọn lại.",
}
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
    name = handset.asked_name()
    kind = form.get("kind", "follower")
    with current().store.writing() as db:
        already = db.execute("SELECT count(*) FROM citizens WHERE oa_id = ?", (account.oa_id,)).fetchone()[0]
        user_ids = people.create(
            db,
            account,
            [name] if name else people.invented_names(1, already),
            follow=kind == "follower",
            anonymous=kind == "anonymous",
        )
    return flask.redirect(flask.url_for(".chat", person=user_ids[0]), 303)


@pages.post("/<person>/redelivery")
def redeliver(person: str) -> flask.typing.ResponseReturnValue:
    """Send the latest webhook a second time, as the platform sometimes does."""
    citizen = PHONE.citizen(person)
    with current().store.writing() as db:
        event_id = webhooks.queue_again(db, citizen.user_id)
    return handset.back(PHONE, person, "resent" if event_id else "bad_nothing")


class ZaloPhone:
    """A chat with an Official Account."""

    folder = "sandbox"
    done = DONE
    problems = PROBLEMS

    def citizen(self, key: str) -> Citizen:
        """Whose phone it is, or 404."""
        with current().store.reading() as db:
            citizen = people.find(db, key)
        if citizen is None:
            flask.abort(404, "Không có người dân tập dượt này.")
        return citizen

    def messages(self, citizen: Citizen, after: int) -> list[dict[str, Any]]:
        """What was said; whoever looks has seen it, and the account is told so."""
        box = current()
        with box.store.reading() as db:
            messages = ledger.conversation(db, citizen.user_id, after, SHOWN)
        if any(message["from_oa"] and not message["seen_ms"] for message in messages):
            with box.store.writing() as db:
                people.see(db, box.account_or_404(citizen.oa_id), citizen)
        return messages

    def facts(self, citizen: Citizen, _messages: list[dict[str, Any]]) -> dict[str, Any]:
        """The account's name, and what can be stuck."""
        return {"oa_name": current().account_or_404(citizen.oa_id).oa_name, "stickers": STICKERS}

    def do(self, citizen: Citizen, kind: str) -> None:
        """Do what the form of this request asks for. Raises ImpossibleAct."""
        if kind not in REGULAR_ACTS:
            raise ImpossibleAct("bad_kind")
        perform(current(), current().account_or_404(citizen.oa_id), citizen, _act(kind))


def _act(kind: str) -> Act:
    form = flask.request.form
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
    return Act(kind, handset.asked_text(), handset.asked_files(), fields)


PHONE = ZaloPhone()
handset.add_pages(pages, PHONE)
