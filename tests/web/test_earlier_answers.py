"""Earlier answers beside the composer: the commune's own, without their citizens, put into the field and not sent."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from bot.usecases.earlier_answers import offered
from bot.usecases.replies import Written, reply
from bot.usecases.tickets import seal, unseal
from storage.contacts import Contact
from storage.enums import TicketState
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.web.pages import Browser
from tests.web.test_answer_templates import said

Open = Callable[[str], Browser]
NAME, PHONE = "Nguyễn Thị Bé Bảy", "0912345678"
ANSWER = f"Tổ điện đã thay bóng đèn trước cửa bà {NAME} (số {PHONE}) ở Xóm 5 ngày 02/10/2026, đèn sáng lại."
OFFERED = "Tổ điện đã thay bóng đèn trước cửa bà {họ tên}"


@pytest.fixture
def answered(world: World, reported: Callable[..., Ticket]) -> Ticket:
    """A lamp that was reported by a citizen with a name, and whose answer holds all there is to know of them."""
    ticket = reported("Đèn đường trước cửa nhà hỏng, tối om mấy hôm nay", user="3000000000000000011")
    with world.runtime.database.transaction() as session:
        contact = session.get_one(Contact, ticket.contact_id)
        contact.name, contact.phone, contact.address = NAME, PHONE, "hẻm 12 Lê Lợi"
    reply(
        world.runtime,
        world.official("mai"),
        ticket.id,
        version=ticket.version,
        token=secrets.token_hex(16),
        written=Written(ANSWER, is_result=True, next_step="theo dõi thêm."),
    )
    return next(one for one in all_rows(world.runtime, Ticket) if one.id == ticket.id)


@pytest.fixture
def asked(answered: Ticket, reported: Callable[..., Ticket]) -> Ticket:
    """Another citizen's lamp."""
    return reported("Đèn đường xóm tôi hỏng, tối om, đi lại nguy hiểm", user="3000000000000000012")


def found(world: World, asked: Ticket, who: str = "lan") -> list[str]:
    return [one.code for one in offered(world.runtime, world.official(who), asked.id)]


def change(world: World, ticket: Ticket, **values: Any) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).where(Ticket.id == ticket.id).values(**values))


def test_an_answer_is_offered_with_its_source_without_its_citizen_and_becomes_a_draft_only(
    world: World, browser: Open, answered: Ticket, asked: Ticket
) -> None:
    lan, before = browser("lan"), said(world)
    action = f"/tickets/{asked.id}/replies"
    form = lan.open(f"/tickets/{asked.id}").form(action)
    form.action = f"/tickets/{asked.id}/earlier-answers"
    page = lan.send(form, text="Chào ông/bà.")
    assert OFFERED in page.text
    assert answered.code in page.text
    assert f'href="/tickets/{answered.id}"' in page.html
    for secret in (NAME, "Bé Bảy", PHONE, "hẻm 12", "Xóm 5 ngày", "02/10/2026"):
        assert secret not in page.text, secret
    assert page.form(action).fields["text"].strip() == "Chào ông/bà."
    form = page.form(action)
    form.action = f"/tickets/{asked.id}/earlier-answers"
    page = lan.send(form, earlier=str(answered.id))
    words = page.form(action).fields["text"].strip()
    assert words.startswith(f"Chào ông/bà.\n\n{OFFERED}")
    assert said(world) == before
    page = lan.send(page.form(action), 422)
    assert "còn chỗ trống {họ tên}" in page.alerts[0]
    assert said(world) == before


def test_a_part_of_the_page_holds_the_same_and_nothing_where_nothing_is_near(
    browser: Open, answered: Ticket, asked: Ticket, reported: Callable[..., Ticket]
) -> None:
    lan = browser("lan")

    def part(ticket: Ticket, **more: str) -> str:
        fields = lan.open(f"/tickets/{ticket.id}").form(f"/tickets/{ticket.id}/replies").fields
        path = f"/tickets/{ticket.id}/earlier-answers"
        answer = lan.client.post(path, data={**fields, **more}, headers={"HX-Request": "true"})
        assert answer.status_code == 200
        assert "<html" not in answer.text
        return answer.text

    assert OFFERED in part(asked)
    assert OFFERED in part(asked, earlier=str(answered.id))
    assert "không còn phù hợp" in part(asked, earlier="999", text="Chào.")
    other = reported("Rác ở chợ ba hôm chưa ai lấy", user="3000000000000000013")
    assert part(other).strip() == "", "nothing is said where nobody has asked"
    form = lan.open(f"/tickets/{other.id}").form(f"/tickets/{other.id}/replies")
    form.action = f"/tickets/{other.id}/earlier-answers"
    assert "Chưa có câu trả lời nào" in lan.send(form).text


def test_what_must_not_be_repeated_is_not_offered(world: World, answered: Ticket, asked: Ticket) -> None:
    assert found(world, asked) == [answered.code]
    facts: list[dict[str, Any]] = [
        {"reopened_count": 1},
        {"rating": 1},
        {"is_spam": True},
        {"words_gone_at": world.clock()},
        {"state": TicketState.REOPENED},
        {"is_restricted": True},
        {"topic": "rac-thai"},
    ]
    for fact in facts:
        change(world, answered, **fact)
        assert found(world, asked) == [], fact
        change(world, answered, **{name: getattr(answered, name) for name in fact})
    for erased_at in (world.clock(), None):
        with world.runtime.database.transaction() as session:
            session.get_one(Contact, answered.contact_id).erased_at = erased_at
        assert found(world, asked) == ([] if erased_at else [answered.code])
    for is_sealed in (True, False):
        with world.runtime.database.transaction() as session:
            session.get_one(Ticket, answered.id).is_sealed = is_sealed
        assert found(world, asked) == ([] if is_sealed else [answered.code])


def test_what_was_sealed_once_is_never_offered_again(world: World, answered: Ticket, asked: Ticket) -> None:
    mai = world.official("mai")
    seal(world.runtime, mai, answered.id, version=answered.version, reason="Sợ lộ người báo tin")
    unseal(world.runtime, mai, answered.id, version=answered.version + 1, reason="Không có gì phải giữ kín")
    assert not next(one for one in all_rows(world.runtime, Ticket) if one.id == answered.id).is_sealed
    assert found(world, asked) == []


def test_only_who_may_see_the_report_is_offered_its_answer(world: World, answered: Ticket, asked: Ticket) -> None:
    hung = world.official("hung")
    change(world, asked, agency_id=hung.agency_id)
    change(world, answered, agency_id=None)
    assert found(world, asked, "hung") == []
    change(world, answered, agency_id=hung.agency_id)
    assert found(world, asked, "hung") == [answered.code]


def test_a_secret_is_offered_nothing_and_has_no_button(
    browser: Open, reported: Callable[..., Ticket], world: World
) -> None:
    ticket = reported("Tôi tố cáo cán bộ địa chính nhận hối lộ mười triệu đồng")
    page = browser("mai").open(f"/tickets/{ticket.id}")
    assert "/earlier-answers" not in page.html
    assert offered(world.runtime, world.official("mai"), ticket.id) == []
