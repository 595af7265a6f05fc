"""Where a report stands: by code and the end of a telephone number, or by its private link; and what is never told."""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.usecases import clocks, extending, tracking
from bot.usecases.replies import Written, reply
from bot.usecases.setup import add_channel
from storage.agencies import Agency
from storage.communes import Counter
from storage.contacts import Contact
from storage.enums import TicketState
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import BRIBE, LIGHT
from tests.usecases.test_replies import a_photo
from tests.web.pages import Page
from tests.web.test_public import PAGE, citizen, report, said, work

__all__ = ["citizen"]

FIND = f"{PAGE}/tra-cuu"
PHONE = "0912 345 678"
SAID = "Kính gửi bà Nguyễn Thị Hoa, số 0987654321: đã thay bóng đèn mới."


@pytest.fixture
def known(world: World, citizen: FlaskClient) -> Ticket:
    """A report with a telephone number, whose writer agreed to its being kept."""
    report(world, citizen, phone=PHONE, name="Nguyễn Thị Hoa", consent="1")
    found: list[Ticket] = all_rows(world.runtime, Ticket)
    return found[-1]


def find(client: FlaskClient, code: str, four: str = "5678", status: int = 200) -> str:
    answer = client.post(FIND, data={"code": code, "four": four})
    assert answer.status_code == status, answer.text
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(answer.data) < 50_000
    checked = Page(answer.text)
    assert not [p for p in checked.problems if "without words" in p or "inline" in p or " on <" in p]
    return answer.text


def now_of(world: World, ticket: Ticket) -> Ticket:
    with world.runtime.database.reading() as session:
        return session.get_one(Ticket, ticket.id)


def answer(world: World, ticket: Ticket, words: str = SAID) -> None:
    written = Written(words, is_result=True, next_step="theo dõi thêm.", image=a_photo())
    version = now_of(world, ticket).version
    reply(
        world.runtime, world.official("mai"), ticket.id, version=version, token=secrets.token_hex(8), written=written
    )  # fmt: skip
    work(world)


@contextmanager
def statements(world: World) -> Iterator[list[str]]:
    """The kinds of statements the database is asked meanwhile, in order."""
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(re.sub(r"\s+", " ", statement))

    sa.event.listen(world.runtime.database.engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(world.runtime.database.engine, "before_cursor_execute", note)


def test_code_and_the_end_of_the_number_show_where_it_stands(world: World, citizen: FlaskClient, known: Ticket) -> None:
    assert "Tra cứu phản ánh đã gửi" in said(citizen, PAGE)
    assert "Bốn số cuối" in said(citizen, FIND)
    for code in (known.code, known.code.lower().replace("-", " "), known.code.removeprefix("PA")):
        shown = find(citizen, code)
        assert f"{known.code}: Đã gửi, chờ tiếp nhận" in shown
        assert "Hạn trả lời" in shown
        assert "Xóm 5" in shown
    for hidden in (LIGHT, "Hoa", "0912", "345 678"):
        assert hidden not in shown


def test_the_answer_is_shown_without_anybodys_name_or_number(world: World, citizen: FlaskClient, known: Ticket) -> None:
    answer(world, known)
    shown = find(citizen, known.code)
    assert "đã thay bóng đèn mới" in shown
    assert "theo dõi thêm." in shown
    assert "0987654321" not in shown
    assert "Hoa" not in shown
    assert "chưa xong" in shown
    assert "<form class" not in shown, "by a code nobody judges"
    (sign,) = re.findall(r'src="([^"]+/anh/[^"]+)"', shown)
    photo = citizen.get(sign)
    assert (photo.status_code, photo.mimetype) == (200, "image/jpeg")


def test_before_it_reached_the_citizen_an_answer_is_not_shown(
    world: World, citizen: FlaskClient, known: Ticket
) -> None:
    written = Written(SAID, is_result=True, next_step="theo dõi thêm.", image=a_photo())
    reply(world.runtime, world.official("mai"), known.id, version=known.version, token="t" * 16, written=written)
    assert "bóng đèn mới" not in find(citizen, known.code)


def test_lateness_is_said_with_an_apology_and_the_new_day(
    world: World, citizen: FlaskClient, known: Ticket, clock: Clock
) -> None:
    clock.move(days=9)
    clocks.speak_up(world.runtime)
    assert "đã quá hạn trả lời" in find(citizen, known.code)
    extending.apologise(
        world.runtime, world.official("mai"), known.id, version=now_of(world, known).version,
        reason="Kho chưa có bóng, hỏi anh Trần Văn Hùng 0977777777.", by_date=date(2026, 10, 20),
    )  # fmt: skip
    shown = find(citizen, known.code)
    assert "Ngày trả lời mới: 20/10/2026" in shown
    assert "Kho chưa có bóng" in shown
    assert "0977777777" not in shown


def test_more_time_is_shown_with_its_reason(world: World, citizen: FlaskClient, known: Ticket) -> None:
    extending.ask(
        world.runtime, world.official("mai"), known.id, version=known.version, days=3,
        reason="Phải chờ bóng đèn mới từ kho.",
    )  # fmt: skip
    shown = find(citizen, known.code)
    assert "Đã gia hạn 3 ngày làm việc." in shown
    assert "Phải chờ bóng đèn mới từ kho." in shown


def test_a_photo_opens_for_a_quarter_of_an_hour_and_no_longer_than_its_report(
    world: World, citizen: FlaskClient, known: Ticket, clock: Clock
) -> None:
    answer(world, known)
    (sign,) = re.findall(r'src="([^"]+/anh/[^"]+)"', find(citizen, known.code))
    assert citizen.get(sign[:-1] + ("0" if sign[-1] != "0" else "1")).status_code == 404
    clock.move(minutes=16)
    assert citizen.get(sign).status_code == 404
    (sign,) = re.findall(r'src="([^"]+/anh/[^"]+)"', find(citizen, known.code))
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).values(is_sealed=True))
    assert citizen.get(sign).status_code == 404


@pytest.mark.parametrize("why", ["no such code", "other number", "no number", "sealed", "spam", "erased"])
def test_what_cannot_be_shown_is_one_refusal_by_the_same_questions(
    world: World, citizen: FlaskClient, known: Ticket, why: str
) -> None:
    code, four = known.code, "5678"
    if why == "no such code":
        code = "PA26-9999"
    elif why == "other number":
        four = "1111"
    with world.runtime.database.transaction() as session:
        if why in {"sealed", "spam"}:
            session.execute(sa.update(Ticket).values(is_sealed=why == "sealed", is_spam=why == "spam"))
        if why in {"no number", "erased"}:
            session.execute(sa.update(Contact).values(phone=None))
    with statements(world) as asked:
        shown = find(citizen, code, four, 404)
    assert "Không có phản ánh nào khớp cả mã và số điện thoại này" in shown
    assert "vào" not in re.findall(r"<h1>(.*?)</h1>", shown)
    with statements(world) as usual:
        plain = find(citizen, "PA26-8888", "2222", 404)
    assert [re.sub(r"\d+", "", one) for one in asked] == [re.sub(r"\d+", "", one) for one in usual]
    blank = re.compile(r'value="[^"]*"')
    assert blank.sub("", shown) == blank.sub("", plain)


@pytest.mark.parametrize(("code", "four"), [("", "5678"), ("PA26-0001", ""), ("PA26-0001", "567"), ("x" * 99, "٣٤٥٦")])
def test_what_is_no_code_or_number_is_not_looked_for(world: World, citizen: FlaskClient, code: str, four: str) -> None:
    assert "đúng bốn số cuối" in find(citizen, code, four, 422)
    assert not [c for c in all_rows_of_counter(world) if c.scope == "tracking"]


def all_rows_of_counter(world: World) -> list[Counter]:
    with world.runtime.database.reading() as session:
        return list(session.scalars(sa.select(Counter)))


def test_who_tries_many_must_wait_and_the_right_number_helps_no_more(
    world: World, citizen: FlaskClient, known: Ticket, clock: Clock
) -> None:
    for number in range(tracking.TRIES_AN_HOUR):
        find(citizen, f"PA26-{9000 + number}", "1111", 404)
    assert "Đã tra cứu nhiều lần quá" in find(citizen, known.code, status=429)
    clock.move(hours=1)
    assert known.code in find(citizen, known.code)


def test_one_code_cannot_be_tried_from_many_places(
    world: World, citizen: FlaskClient, known: Ticket, clock: Clock
) -> None:
    for number in range(tracking.WRONG_OF_A_CODE_A_DAY):
        where = {"REMOTE_ADDR": f"203.0.113.{number}"}
        tried = citizen.post(FIND, data={"code": known.code, "four": "1111"}, environ_overrides=where)
        assert tried.status_code == 404
    find(citizen, known.code, status=429)
    for number in range(tracking.WRONG_OF_A_CODE_A_DAY):
        where = {"REMOTE_ADDR": f"203.0.113.{number}"}
        tried = citizen.post(FIND, data={"code": "PA26-7777", "four": "1111"}, environ_overrides=where)
        assert tried.status_code == 404
    find(citizen, "PA26-7777", "1111", 429)
    clock.move(days=1)
    assert known.code in find(citizen, known.code)


def test_who_knows_both_may_look_as_often_as_they_like(citizen: FlaskClient, known: Ticket) -> None:
    for _ in range(tracking.WRONG_OF_A_CODE_A_DAY + 5):
        assert known.code in find(citizen, known.code)


def test_nothing_of_what_was_typed_is_counted_in_clear(world: World, citizen: FlaskClient, known: Ticket) -> None:
    find(citizen, known.code, "4321", 404)
    kept = " ".join(f"{c.scope} {c.name} {c.period}" for c in all_rows_of_counter(world) if c.scope == "tracking")
    assert kept
    assert known.code not in kept
    assert "127.0.0.1" not in kept


def test_another_communes_page_knows_nothing_of_it(world: World, citizen: FlaskClient, known: Ticket) -> None:
    from bot.usecases.setup import add_commune

    with world.runtime.database.reading() as session:
        code = session.scalar(
            sa.text("SELECT code FROM localities WHERE level = 'commune' AND code <> '27925' ORDER BY code LIMIT 1")
        )
    add_commune(world.runtime, code=str(code), slug="xa-ben")
    add_channel(
        world.runtime, commune="xa-ben", type="web_form", slug="xa-ben-online", name="Trang", settings={}, secrets={}
    )
    asked: TestResponse = citizen.post("/phan-anh/xa-ben-online/tra-cuu", data={"code": known.code, "four": "5678"})
    assert asked.status_code == 404


def test_a_report_by_sms_is_found_by_its_own_number(world: World, citizen: FlaskClient, known: Ticket) -> None:
    from storage.contacts import Urn

    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Contact).values(phone=None))
        session.execute(sa.update(Urn).where(Urn.contact_id == known.contact_id).values(value="tel:+84987651234"))
    assert known.code in find(citizen, known.code, "1234")


# ---- by the private link --------------------------------------------------------------------------------------------


def test_the_private_link_shows_all_and_takes_a_judgement(world: World, citizen: FlaskClient) -> None:
    address = report(world, citizen, photos=(io.BytesIO(a_photo()), "anh.jpg"))
    (ticket,) = all_rows(world.runtime, Ticket)
    assert f"{address}/tien-do" in said(citizen, address)
    answer(world, ticket)
    shown = said(citizen, f"{address}/tien-do")
    assert "0987654321" in shown, "it stands in their talk as well"
    assert shown.count("<img") == 2
    form = Page(shown).form(address)
    sent = citizen.post(address, data={"once": form.fields["once"], "choice": f"DG {ticket.code} 3"})
    assert sent.status_code == 303
    work(world)
    assert now_of(world, ticket).rating == 3
    assert "đã đánh giá" in said(citizen, f"{address}/tien-do")


def test_what_is_not_over_is_opened_again_by_a_press(world: World, citizen: FlaskClient) -> None:
    address = report(world, citizen)
    (ticket,) = all_rows(world.runtime, Ticket)
    answer(world, ticket)
    shown = said(citizen, f"{address}/tien-do")
    (press,) = re.findall(r'value="(chưa xong [^"]+)"', shown)
    citizen.post(address, data={"once": secrets.token_urlsafe(12), "choice": press})
    work(world)
    assert now_of(world, ticket).state is TicketState.REOPENED
    assert "Đang xem xét lại" in said(citizen, f"{address}/tien-do")


def test_what_is_sealed_stands_on_no_page_of_progress(world: World, citizen: FlaskClient) -> None:
    address = report(world, citizen, BRIBE)
    (ticket,) = all_rows(world.runtime, Ticket)
    assert ticket.is_sealed
    shown = said(citizen, f"{address}/tien-do")
    assert ticket.code not in shown
    assert "Chưa có phản ánh nào ở đây" in shown


def test_a_link_nobody_has_written_under_has_no_progress(citizen: FlaskClient) -> None:
    assert citizen.get(f"{PAGE}/{'x' * 24}/tien-do").status_code == 404
    assert citizen.get(f"{PAGE}/short/tien-do").status_code == 404


def test_who_has_it_stands_there_with_their_telephone(world: World, citizen: FlaskClient, known: Ticket) -> None:
    with world.runtime.database.transaction() as session:
        agency = session.scalars(sa.select(Agency).where(Agency.slug == "kinh-te")).one()
        agency.phone = "0277 3 888 999"
        session.execute(sa.update(Ticket).values(agency_id=agency.id, state=TicketState.IN_PROGRESS))
    shown = find(citizen, known.code)
    assert "Phòng Kinh tế" in shown
    assert "0277 3 888 999" in shown
    assert "Đơn vị đang làm" in shown
