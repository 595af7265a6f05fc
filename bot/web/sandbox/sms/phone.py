"""Old telephones of pretend citizens: an inbox of SMS, usable without JavaScript, plainly a rehearsal."""

from __future__ import annotations

import sqlite3
from typing import Any

import flask

from bot.web.sandbox import handset
from bot.web.sandbox.impossible import ImpossibleAct
from bot.web.sandbox.people import REHEARSAL
from bot.web.sandbox.sandbox import current
from bot.web.sandbox.settings import SandboxSms
from bot.web.sandbox.sms import memory, people
from bot.web.sandbox.sms.alphabet import NARROW

ALPHABETS = {NARROW: "không dấu (GSM-7)"}

DONE = {
    "off": "Đã tắt máy. Tin gửi tới số này sẽ không đến, nhà mạng báo không giao được.",
    "on": "Đã bật máy.",
}
PROBLEMS = {
    **handset.PROBLEMS,
    "bad_long": f"Tin dài quá {people.LONGEST} ký tự, máy này không gửi được. Hãy rút ngắn lại.",
    "bad_off": "Máy đang tắt. Hãy bật máy rồi gửi lại.",
    "bad_number": "Không có đầu số này. Hãy chọn một đầu số trong danh sách.",
    "bad_phone": "Số điện thoại chưa đúng. Số di động có mười chữ số, ví dụ 0912345678; để trống thì tự đặt.",
}

pages = flask.Blueprint("sms_phone", __name__, url_prefix="/sms")


@pages.get("/")
def people_list() -> str:
    """Every telephone there is."""
    numbers = _numbers()
    with current().store.reading() as db:
        rows = db.execute("SELECT * FROM sms_phones ORDER BY number LIMIT 200").fetchall()
    notice = flask.request.args.get("bao", "")
    return flask.render_template(
        "sandbox/sms/people.html", people=rows, accounts=numbers, notice=PROBLEMS.get(notice, "")
    )


@pages.post("/")
def add_phone() -> flask.typing.ResponseReturnValue:
    """One more telephone."""
    _numbers()
    number = "".join(flask.request.form.get("number", "").split())
    number = f"84{number[1:]}" if number.startswith("0") else number.removeprefix("+")
    if number and not people.MOBILE.fullmatch(number):
        return flask.redirect(flask.url_for(".people_list", bao="bad_phone"), 303)
    with current().store.writing(quietly=True) as db:
        number = memory.add_phone(db, handset.asked_name() or f"Cô Hoa {REHEARSAL}", number)
    return flask.redirect(flask.url_for(".chat", person=number), 303)


class OldPhone:
    """A telephone with keys: it reads and writes SMS and can be switched off."""

    folder = "sandbox/sms"
    done = DONE
    problems = PROBLEMS

    def citizen(self, key: str) -> sqlite3.Row:
        """Whose telephone it is, or 404."""
        with current().store.reading() as db:
            found = memory.phone_of(db, key)
        if found is None:
            flask.abort(404, "Không có máy điện thoại tập dượt này.")
        return found

    def messages(self, citizen: sqlite3.Row, after: int) -> list[dict[str, Any]]:
        """What was sent and received after a message, oldest first."""
        with current().store.reading() as db:
            return memory.talk(db, citizen["number"], after)

    def facts(self, _citizen: sqlite3.Row, _messages: list[dict[str, Any]]) -> dict[str, Any]:
        """The numbers one can write to, and how alphabets are called."""
        return {"accounts": _numbers(), "alphabets": ALPHABETS, "skin": "keypad"}

    def do(self, citizen: sqlite3.Row, kind: str) -> None:
        """Write, or switch off and on. Raises ImpossibleAct."""
        box, form = current(), flask.request.form
        try:
            if kind in {"off", "on"}:
                people.switch(box.store, citizen["number"], is_off=kind == "off")
            else:
                text = handset.asked_text()
                people.write(box.store, box.settings.sms, citizen["number"], text, to=form.get("to", ""))
        except people.CannotBeDone as error:
            raise ImpossibleAct(f"bad_{error.reason}") from None
        box.networks.ring()


def _numbers() -> list[SandboxSms]:
    accounts = list(current().settings.sms)
    if not accounts:
        flask.abort(404, "Buổi tập dượt này không có kênh SMS.")
    return accounts


handset.add_pages(pages, OldPhone())
