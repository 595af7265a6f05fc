"""A ticket's page as it stood at a past minute: what was known then, by today's rights."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from bot.usecases import intake, tickets
from storage.agencies import Agency
from storage.audit import AuditEntry
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import BRIBE, LIGHT
from tests.web.pages import Browser

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]


@pytest.fixture
def lived(world: World, reported: Reported, clock: Clock) -> Ticket:
    """Reported at 12:00, said to be rubbish at 12:10, given to the economy office at 12:20, more said at 12:30."""
    ticket = reported(LIGHT)
    mai = world.official("mai")
    clock.move(minutes=10)
    tickets.set_topic(world.runtime, mai, ticket.id, version=version(world, ticket), topic="rac-thai")
    clock.move(minutes=10)
    with world.runtime.database.reading() as session:
        office = session.scalars(sa.select(Agency.id).where(Agency.slug == "van-phong")).one()
    tickets.assign(
        world.runtime, mai, ticket.id, version=version(world, ticket), agency_id=office,
        official_id=world.officials["lan"],
    )  # fmt: skip
    tickets.add_note(world.runtime, mai, ticket.id, version=version(world, ticket), text="Hỏi lại tổ điện")
    clock.move(minutes=10)
    world.says("Bóng số 7 cũng hỏng rồi, mong xã xem", at=clock())
    intake.drain(world.runtime)
    return ticket


def version(world: World, ticket: Ticket) -> int:
    with world.runtime.database.reading() as session:
        return session.get_one(Ticket, ticket.id).version


def as_of(one: Browser, ticket: Ticket, clock: str, day: str = "2026-10-07", status: int = 200) -> str:
    return one.open(f"/tickets/{ticket.id}/past?day={day}&clock={clock}", status).text


def test_each_minute_shows_what_was_known_then(browser: Open, lived: Ticket) -> None:
    lan = browser("lan")
    assert f"/tickets/{lived.id}/past" in lan.open(f"/tickets/{lived.id}").links
    first = as_of(lan, lived, "12:05")
    assert "Đây là quá khứ: phản ánh như lúc 12:05 07/10/2026" in first
    assert "Chiếu sáng công cộng" in first
    assert "Rác thải" not in first
    assert LIGHT in first
    second = as_of(lan, lived, "12:10")
    assert "Rác thải" in second, "what happened within the minute is in it"
    assert "Văn phòng HĐND" not in second
    third = as_of(lan, lived, "12:25")
    assert "Văn phòng HĐND" in third
    assert "Nguyễn Thị Lan" in third
    assert "Hỏi lại tổ điện" in third
    assert "Bóng số 7" not in third
    assert "Bóng số 7" in as_of(lan, lived, "12:30")


def test_before_it_came_there_was_none_and_the_future_is_refused(browser: Open, lived: Ticket) -> None:
    lan = browser("lan")
    assert "Lúc ấy chưa có phản ánh này" in as_of(lan, lived, "11:00")
    for day, clock in (("2027-01-01", "08:00"), ("", "08:00"), ("2026-10-07", ""), ("x", "99:99")):
        assert "trong quá khứ" in as_of(lan, lived, clock, day, 422)
    assert "Đây là quá khứ" in lan.open(f"/tickets/{lived.id}/past").text


def test_what_older_rows_do_not_say_is_called_unknown(world: World, browser: Open, lived: Ticket) -> None:
    with world.runtime.database.transaction() as session:
        for event in session.scalars(sa.select(TicketEvent)):
            data = {name: value for name, value in event.data.items() if name != "then"}
            session.execute(sa.update(TicketEvent).where(TicketEvent.id == event.id).values(data=data))
    shown = as_of(browser("lan"), lived, "12:25")
    assert "chỉ chắc trạng thái" in shown
    assert "không rõ: việc này xảy ra trước khi hệ thống bắt đầu ghi" in shown
    assert "Rác thải" in shown
    assert "Văn phòng HĐND" in shown


@pytest.mark.parametrize(("who", "status"), [("lan", 200), ("mai", 200), ("hung", 404), ("hoa", 403), ("an", 403)])
def test_the_past_is_for_whom_the_present_is(browser: Open, lived: Ticket, who: str, status: int) -> None:
    assert browser(who).client.get(f"/tickets/{lived.id}/past").status_code == status


def test_the_past_of_what_is_sealed_now_is_for_its_readers_and_written_down(
    world: World, browser: Open, reported: Reported
) -> None:
    ticket = reported(BRIBE)
    assert browser("lan").client.get(f"/tickets/{ticket.id}/past").status_code == 404
    browser("mai").open(f"/tickets/{ticket.id}/past")
    assert "ticket.sealed_viewed" in [entry.action for entry in all_rows(world.runtime, AuditEntry)]


def test_no_words_of_citizens_are_kept_with_how_it_stood(world: World, lived: Ticket) -> None:
    for event in all_rows(world.runtime, TicketEvent):
        then = event.data["then"]
        assert set(then) <= {"state", "topic", "urgency", "agency", "official", "place", "due", "promised", "paused",
                             "sealed", "spam", "version"}  # fmt: skip
        assert "Xóm" not in str(then)
