"""The board of an emergency and the lists behind it, as officials see them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.usecases.safety_board import board, remind_open
from storage.alerts import Alert
from storage.audit import AuditEntry
from storage.communes import Place
from storage.contacts import Contact, Urn
from storage.enums import AlertKind
from storage.safety_board import FIGURES
from storage.subscriptions import Subscription
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.bulletins import bulletin
from tests.usecases.telling import Phone, followers, phone
from tests.usecases.test_safety import a_flood, says
from tests.web.test_announcements import Browser

__all__ = ["phone"]
HERE = "/announcements/bulletins"


@pytest.fixture
def people(world: World, phone: Phone) -> list[str]:
    """Four neighbours; the first two chose the news of Xóm 5, and the first said her name and number."""
    values = followers(world, 4)
    with world.runtime.database.transaction() as session:
        place = session.scalars(sa.select(Place).where(Place.name == "Xóm 5")).one()
        for value in values[:2]:
            urn = session.scalars(sa.select(Urn).where(Urn.value == value)).one()
            session.add(
                Subscription(commune_id=world.commune_id, urn_id=urn.id, place_id=place.id, since=world.clock())
            )
        contact = session.get_one(Contact, session.scalar(sa.select(Urn.contact_id).where(Urn.value == values[0])))
        contact.name, contact.phone = "Nguyễn Thị Hoa", "0912345678"
    return [value.removeprefix("zalo:") for value in values]


@pytest.fixture
def flood(world: World, people: list[str], clock: Clock) -> int:
    """Hoa needs help, her neighbour is safe, somebody of whom no place is known is silent, another is safe."""
    number = a_flood(world)
    says(world, people[1], "nhà tôi an toàn")
    says(world, people[0], "cần giúp", clock)
    says(world, people[2], "an toàn", clock)
    return number


def test_each_village_is_counted_and_the_unknown_stand_apart(world: World, flood: int) -> None:
    found = board(world.runtime, world.official("hoa"), flood)
    lines = {one.name: [one.counts[figure] for figure in FIGURES] for one in found.villages}
    assert lines == {"Xóm 5": [2, 2, 1, 1, 0], "": [2, 2, 1, 0, 1]}
    assert [person.name for person in found.in_need] == ["Nguyễn Thị Hoa"]


def test_the_board_shows_who_needs_help_with_code_and_masked_name(world: World, flood: int) -> None:
    page = Browser(world, "mai").get(f"{HERE}/{flood}/board").text
    [ticket] = all_rows(world.runtime, Ticket)
    assert ticket.code in page
    assert f'href="/tickets/{ticket.id}"' in page
    assert "N. T. Hoa" in page
    assert "Nguyễn Thị Hoa" not in page
    assert "0912345678" not in page
    assert "Chưa ai xử lý" in page
    assert "30 phút trước" in page


def test_each_number_opens_the_list_of_so_many(world: World, flood: int) -> None:
    mai = Browser(world, "mai")
    page = mai.get(f"{HERE}/{flood}/board").text
    links = re.findall(r'<td><a [^>]*href="([^"]+)"[^>]*>(\d+)</a>', page)
    assert len(links) == 13
    for address, number in links:
        assert mai.get(address.replace("&amp;", "&")).text.count('<li class="row">') == int(number), address


def test_names_and_numbers_are_shown_for_a_reason_which_is_written_down(world: World, flood: int) -> None:
    lan = Browser(world, "lan")
    where = f"{HERE}/{flood}/people?figure=help"
    assert "0912345678" not in lan.get(where).text
    assert lan.post(where, why="").status_code == 422
    assert lan.post(where, why="goi_lai").status_code == 303
    page = lan.get(where).text
    assert "Nguyễn Thị Hoa" in page
    assert "0912345678" in page
    [entry] = [one for one in all_rows(world.runtime, AuditEntry) if one.action == "contact.revealed"]
    assert (entry.target, entry.data) == (f"bulletin:{flood}", {"why": "goi_lai"})
    assert "0912345678" not in Browser(world, "mai").get(where).text


def test_what_was_sealed_is_neither_shown_nor_counted(world: World, flood: int) -> None:
    with world.runtime.database.transaction() as session:
        session.scalars(sa.select(Ticket)).one().is_sealed = True
    found = board(world.runtime, world.official("hoa"), flood)
    assert found.total["help"] == 0
    assert found.in_need == []
    assert found.total["silent"] == 2  # somebody phones her like the others
    assert all_rows(world.runtime, Ticket)[0].code not in Browser(world, "mai").get(f"{HERE}/{flood}/board").text


@pytest.mark.parametrize(("who", "status"), [("tuan", 200), ("hoa", 200), ("lan", 200), ("an", 403), ("hung", 403)])
def test_who_sees_the_board(world: World, flood: int, who: str, status: int) -> None:
    browser = Browser(world, who)
    for path in ("board", "people?figure=silent"):
        assert browser.get(f"{HERE}/{flood}/{path}").status_code == status


def test_there_is_no_board_where_nobody_was_asked(world: World, people: list[str]) -> None:
    number, mai = a_flood(world, asks_safety=False), Browser(world, "mai")
    assert mai.get(f"{HERE}/{number}/board").status_code == 404
    assert mai.get(f"{HERE}/999/board").status_code == 404
    assert mai.post(f"{HERE}/999/people", why="goi_lai").status_code == 404


def test_the_board_refreshes_itself_and_is_silent_while_nothing_changed(world: World, flood: int) -> None:
    mai = Browser(world, "mai")
    assert 'hx-trigger="every 5s"' in mai.get(f"{HERE}/{flood}/board").text
    headers = {"HX-Request": "true", "HX-Target": "board"}
    first = mai.client.get(f"{HERE}/{flood}/board?poll=1", headers=headers)
    assert "<html" not in first.text
    again = {**headers, "X-Seen": first.headers["X-Seen"]}
    assert mai.client.get(f"{HERE}/{flood}/board?poll=1", headers=again).status_code == 204


def test_repeats_and_the_end_are_pressed_on_the_page_of_the_bulletin(world: World, flood: int) -> None:
    tuan = Browser(world, "tuan")
    assert "Nhắc lại người chưa trả lời" in tuan.get(f"{HERE}/{flood}").text
    answer = tuan.post(f"{HERE}/{flood}/repeats", whom="silent")
    assert answer.status_code == 303
    page = Browser(world, "hoa").get(answer.headers["Location"]).text
    assert "chỉ người chưa trả lời" in page
    assert "Cộng: 1 lượt nhận" in page
    assert "/approval" in page
    answer = tuan.post(f"{HERE}/{flood}/endings")
    page = tuan.get(answer.headers["Location"]).text
    assert "Soạn tin hết hiệu lực" in page
    assert "asks_safety" not in page


def test_nobody_is_called_before_the_time_is_over_and_then_once(world: World, flood: int, clock: Clock) -> None:
    assert remind_open(world.runtime) == 0
    clock.move(days=4)
    assert remind_open(world.runtime) == 1
    assert remind_open(world.runtime) == 0
    calls = [one for one in all_rows(world.runtime, Alert) if one.kind is AlertKind.EMERGENCY_OPEN]
    assert len(calls) == 1
    page = Browser(world, "mai").get("/tickets").text
    assert "chưa có tin HẾT HIỆU LỰC" in page
    assert f"{HERE}/{flood}/board" in page
    assert bulletin(world, flood).ended_at is None


def test_a_thousand_answers_cost_a_handful_of_questions(world: World, people: list[str]) -> None:
    followers(world, 40)
    number = a_flood(world)
    asked: list[str] = []
    engine = world.runtime.database.engine
    note = lambda *args: asked.append(args[2])  # noqa: E731 - one word for both ends
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        found = board(world.runtime, world.official("mai"), number)
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    assert found.total["told"] == 44
    assert len(asked) < 15
    assert found.now - (found.begun_at or found.now) < timedelta(days=1)
