"""What an official sees of the price of an SMS before it is sent, with and without scripts."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from werkzeug.datastructures import FileStorage

from storage.deliveries import Delivery
from storage.enums import DeliveryKind
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.sms import an_sms_channel, texts
from tests.usecases.looking import take_in
from tests.usecases.test_replies import a_photo
from tests.web.pages import Browser, Page

Open = Callable[[str], Browser]
NAMES = "Chào bà Đặng Thị Ổn, đèn đường xóm 5 đã sửa xong."


@pytest.fixture
def by_sms(world: World) -> Ticket:
    """A report that came by SMS."""
    number = an_sms_channel(world)
    texts(world, number, "Den duong hong o xom 5, toi om ca tuan nay")
    take_in(world)
    return all_rows(world.runtime, Ticket)[-1]


def previewed(one: Browser, ticket: Ticket, text: str, **fields: object) -> Page:
    """Press the button beside the answer, as a browser without scripts does."""
    form = one.page.form(f"/tickets/{ticket.id}/replies")
    form.action = f"/tickets/{ticket.id}/reply-cost"
    return one.send(form, text=text, **fields)


def replies(world: World) -> list[Delivery]:
    return [d for d in all_rows(world.runtime, Delivery) if d.kind is DeliveryKind.REPLY]


def test_the_price_of_an_answer_is_shown_before_it_is_sent(world: World, browser: Open, by_sms: Ticket) -> None:
    one = browser("lan")
    one.open(f"/tickets/{by_sms.id}")
    page = previewed(one, by_sms, NAMES)
    assert "1 tin SMS" in page.html
    assert "Chao ba Dang Thi On, den duong xom 5 da sua xong." in page.html
    assert "kể cả tên người" in page.html
    assert NAMES in page.html, "what was typed stays in the form"
    assert replies(world) == []


def test_more_than_one_part_is_a_warning(world: World, browser: Open, by_sms: Ticket) -> None:
    one = browser("lan")
    one.open(f"/tickets/{by_sms.id}")
    page = previewed(one, by_sms, NAMES * 5)
    assert "2 tin SMS" in page.html
    assert "tính tiền từng tin" in page.html


def test_a_result_is_priced_with_all_that_goes_with_it(world: World, browser: Open, by_sms: Ticket) -> None:
    one = browser("mai")
    one.open(f"/tickets/{by_sms.id}")
    page = previewed(one, by_sms, "Da sua xong.", result="1")
    assert by_sms.code in page.html.split('class="sms"')[1]


def test_a_page_with_scripts_gets_the_price_alone(world: World, browser: Open, by_sms: Ticket) -> None:
    one = browser("lan")
    one.open(f"/tickets/{by_sms.id}")
    form = one.page.form(f"/tickets/{by_sms.id}/replies")
    answer = one.client.post(
        f"/tickets/{by_sms.id}/reply-cost", data={**form.fields, "text": NAMES}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    assert "1 tin SMS" in answer.text
    assert "<html" not in answer.text


def test_what_is_sent_is_what_was_shown(world: World, browser: Open, by_sms: Ticket) -> None:
    one = browser("lan")
    one.open(f"/tickets/{by_sms.id}")
    one.send(one.page.form(f"/tickets/{by_sms.id}/replies"), text=NAMES)
    assert [d.text for d in replies(world)] == ["Chao ba Dang Thi On, den duong xom 5 da sua xong."]


def test_a_channel_that_keeps_marks_says_what_they_cost(world: World, browser: Open) -> None:
    number = an_sms_channel(world, accents="keep")
    texts(world, number, "Den duong hong o xom 5, toi om ca tuan nay")
    take_in(world)
    ticket = all_rows(world.runtime, Ticket)[-1]
    one = browser("lan")
    one.open(f"/tickets/{ticket.id}")
    page = previewed(one, ticket, NAMES * 2)
    assert "2 tin SMS" in page.html
    assert "70 ký tự thay vì 160" in page.html


def test_pictures_are_taken_as_proof_only_where_none_can_go(world: World, browser: Open, by_sms: Ticket) -> None:
    one = browser("lan")
    page = one.open(f"/tickets/{by_sms.id}")
    assert "Kênh này không gửi được ảnh; ảnh sau xử lý được giữ làm bằng chứng." in page.html
    sent = FileStorage(io.BytesIO(a_photo()), "a.jpg", content_type="image/jpeg")
    page = one.send(one.page.form(f"/tickets/{by_sms.id}/replies"), 422, text=NAMES, image=sent)
    assert "bỏ ảnh" in page.html
    assert replies(world) == []


def test_where_answers_are_free_nothing_is_counted(
    world: World, browser: Open, reported: Callable[..., Ticket]
) -> None:
    ticket = reported("Đường Xóm 7 có ổ gà to")
    one = browser("lan")
    page = one.open(f"/tickets/{ticket.id}")
    assert "sms-cost" not in page.html


def test_another_communes_ticket_has_no_price(world: World, browser: Open, by_sms: Ticket) -> None:
    from bot.usecases.setup import add_commune

    other = add_commune(world.runtime, code="00004", slug="xa-khac")
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).where(Ticket.id == by_sms.id).values(commune_id=other))
    one = browser("lan")
    token = one.open("/tickets").html.split('name="csrf_token" value="')[1].split('"')[0]
    answer = one.client.post(f"/tickets/{by_sms.id}/reply-cost", data={"csrf_token": token, "text": "x"})
    assert answer.status_code == 404
