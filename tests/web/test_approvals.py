"""Results that wait for a leader: read on one page, approved or returned one by one or together, and taken back."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from bot.usecases.replies import Written, reply
from storage.communes import Commune
from storage.enums import Role, TicketState
from storage.messages import Message
from storage.officials import Official
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.web.pages import Browser, Page
from tests.web.test_who_sees_what import DENUNCIATION, official

Open = Callable[[str], Browser]
SAID = ("Ổ gà to ở Xóm 5, gọi tôi số 0912345678", "Rác ở Chợ Đình ba hôm chưa ai lấy", "Đèn đường xóm 7 hỏng cả tuần")


def with_settings(world: World, undo_seconds: int = 0) -> None:
    settings = {"needs_approval": True, "after_photo": False, "undo_seconds": undo_seconds}
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Commune).values(settings=settings))


@pytest.fixture
def waiting(world: World, reported: Callable[..., Ticket]) -> list[Ticket]:
    """Three results that wait for a leader."""
    with_settings(world)
    tickets = [reported(words, user=f"30000000000000000{n}0") for n, words in enumerate(SAID)]
    for ticket in tickets:
        submit(world, ticket)
    return [now(world, ticket) for ticket in tickets]


def submit(world: World, ticket: Ticket, who: str = "lan", words: str = "Đã làm xong, mời ông/bà xem.") -> None:
    version = now(world, ticket).version
    written = Written(words, is_result=True, next_step="theo dõi thêm.")
    token = secrets.token_hex(16)
    reply(world.runtime, world.official(who), ticket.id, version=version, token=token, written=written)


def now(world: World, ticket: Ticket) -> Ticket:
    return next(one for one in all_rows(world.runtime, Ticket) if one.id == ticket.id)


def states(world: World, tickets: list[Ticket]) -> list[TicketState]:
    return [now(world, ticket).state for ticket in tickets]


def post(leader: Browser, path: str, page: Page, status: int = 200, **fields: Any) -> Page:
    """What a browser sends, ticks that stand outside of their form included."""
    data = {"csrf_token": page.form("/approvals").fields["csrf_token"], **fields}
    answer = leader.client.post(path, data=data)
    if answer.status_code == 303:
        answer = leader.client.get(answer.headers["Location"])
    return leader._show(answer, status)


def key(ticket: Ticket) -> str:
    return f"{ticket.id}:{ticket.version}"


WAITING, ANSWERED, AT_WORK = TicketState.WAITING_APPROVAL, TicketState.ANSWERED, TicketState.IN_PROGRESS


def test_only_leaders_see_them_and_the_link_tells_how_many(world: World, browser: Open, waiting: list[Ticket]) -> None:
    statuses = {who: browser(who).client.get("/approvals").status_code for who in world.officials}
    assert statuses == {"mai": 200, "lan": 403, "hung": 403, "tuan": 403, "hoa": 403, "an": 403}
    assert 'href="/approvals"' not in browser("lan").open("/tickets").html
    page = browser("mai").open("/tickets")
    assert 'Chờ duyệt <span class="count">3</span>' in page.html
    page = browser("mai").open("/approvals")
    assert "3 kết quả chờ duyệt" in page.text
    for ticket in waiting:
        assert ticket.code in page.text
    assert "Đã làm xong, mời ông/bà xem." in page.text
    assert "0912345678" not in page.html


def test_several_are_approved_together_and_each_is_told_for_itself(
    world: World, browser: Open, waiting: list[Ticket]
) -> None:
    mai = browser("mai")
    page = mai.open("/approvals?all=1")
    assert page.html.count(" checked") == 3
    page = post(mai, "/approvals", page, 422)
    assert page.alerts == ["Anh/Chị chưa chọn kết quả nào để duyệt."]
    stale = f"{waiting[2].id}:{waiting[2].version - 1}"
    chosen = [key(waiting[0]), key(waiting[1]), stale, "999:1", "x", "1:"]
    page = post(mai, "/approvals", page, chosen=chosen)
    assert f"Đã duyệt 2 kết quả: {waiting[0].code}, {waiting[1].code}." in page.text
    assert any(f"Chưa duyệt {waiting[2].code}: Phản ánh vừa có thay đổi" in one for one in page.alerts)
    assert any("không còn chờ duyệt" in one for one in page.alerts)
    assert states(world, waiting) == [ANSWERED, ANSWERED, WAITING]
    page = post(mai, "/approvals", page, one=key(waiting[2]))
    assert states(world, waiting) == [ANSWERED] * 3
    assert "Không có kết quả nào chờ duyệt." in page.text
    assert "count" not in page.html.partition("</nav>")[0]


def test_a_result_is_returned_with_a_note_that_is_kept_until_it_is_long_enough(
    world: World, browser: Open, waiting: list[Ticket]
) -> None:
    mai = browser("mai")
    page = mai.open("/approvals")
    page = post(mai, "/approvals/returns", page, 422, one=key(waiting[1]), words="ngắn")
    assert "từ 10 đến" in page.alerts[0]
    assert page.form("/approvals/returns", one=key(waiting[1])).fields["words"].strip() == "ngắn"
    stale = f"{waiting[1].id}:{waiting[1].version - 1}"
    page = post(mai, "/approvals/returns", page, 409, one=stale, words="Chưa nói ngày nào xong việc.")
    page = post(mai, "/approvals/returns", page, 422, one="x", words="Chưa nói ngày nào xong việc.")
    page = post(mai, "/approvals/returns", page, one=key(waiting[1]), words="Chưa nói ngày nào xong việc.")
    assert "Đã trả lại để sửa" in page.text
    assert states(world, waiting) == [WAITING, AT_WORK, WAITING]
    assert "Chưa nói ngày nào xong việc." in browser("lan").open(f"/tickets/{waiting[1].id}").text


def test_each_that_was_approved_can_be_taken_back_for_a_moment(
    world: World, browser: Open, waiting: list[Ticket], clock: Clock
) -> None:
    with_settings(world, undo_seconds=10)
    mai = browser("mai")
    page = post(mai, "/approvals", mai.open("/approvals"), chosen=[key(waiting[0]), key(waiting[1])])
    forms = [form for form in page.forms if form.action == "/approvals/undoing"]
    assert [int(form.fields["ticket"]) for form in forms] == [waiting[1].id, waiting[0].id]
    page = mai.send(forms[1])
    assert "kết quả lại chờ duyệt" in page.text
    assert states(world, waiting) == [WAITING, ANSWERED, WAITING]
    assert "đã được hoàn tác trước đó" in mai.send(forms[1]).text
    clock.move(seconds=11)
    page = mai.open("/approvals")
    assert not page.has_form("/approvals/undoing")
    assert "2 kết quả chờ duyệt" in page.text
    page = post(mai, "/approvals", page, one=key(now(world, waiting[0])))
    assert states(world, waiting) == [ANSWERED, ANSWERED, WAITING]


def test_who_wrote_a_result_does_not_approve_it(world: World, browser: Open, waiting: list[Ticket]) -> None:
    with world.runtime.database.transaction() as session:
        session.get_one(Official, world.officials["lan"]).roles = [Role.RECEIVER.value, Role.LEADER.value]
    lan = browser("lan")
    page = lan.open("/approvals")
    assert page.text.count("cần một lãnh đạo khác duyệt") == 3
    assert f'value="{key(waiting[0])}"' not in page.html
    page = post(lan, "/approvals", page, one=key(waiting[0]))
    assert any("Người soạn không tự duyệt được" in one for one in page.alerts)
    assert states(world, waiting) == [WAITING] * 3


def test_what_is_sealed_or_of_others_stands_on_no_card_and_in_no_count(
    world: World, browser: Open, waiting: list[Ticket], reported: Callable[..., Ticket]
) -> None:
    secret = reported(DENUNCIATION, user="3000000000000000990")
    dao = official(world, "dao", world.commune_id, Role.SEALED_READER, agency="tiep-cong-dan")
    with world.runtime.database.transaction() as session:
        world.officials[dao] = session.scalars(sa.select(Official.id).where(Official.username == dao)).one()
        session.execute(sa.update(Ticket).where(Ticket.id == secret.id).values(state=WAITING))
        session.execute(sa.update(Ticket).where(Ticket.id == waiting[2].id).values(is_spam=True))
    mai = browser("mai")
    page = mai.open("/approvals")
    assert "2 kết quả chờ duyệt" in page.text
    assert secret.code not in page.html
    assert 'Chờ duyệt <span class="count">2</span>' in page.html
    page = post(mai, "/approvals", page, one=key(now(world, secret)))
    assert any("không còn chờ duyệt" in one for one in page.alerts)
    assert secret.code not in page.html
    assert states(world, [secret]) == [WAITING]
    drafts = [m for m in all_rows(world.runtime, Message) if m.template == "result_draft"]
    assert len(drafts) == 3
