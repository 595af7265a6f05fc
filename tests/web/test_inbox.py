"""The list of tickets, as a browser sees it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.runtime import Runtime
from bot.usecases.tickets import add_note
from storage.contacts import Contact, Conversation, Urn
from storage.enums import TicketState, Urgency
from storage.officials import Official
from storage.tickets import Ticket
from tests.builders import World
from tests.web.pages import Browser

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]


@contextmanager
def counted(runtime: Runtime) -> Iterator[list[str]]:
    """The questions asked of the database meanwhile."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            asked.append(statement)

    sa.event.listen(runtime.database.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        sa.event.remove(runtime.database.engine, "before_cursor_execute", note)


def many(world: World, number: int, **values: object) -> list[int]:
    """Tickets without a story, due one after another."""
    now = world.clock()
    with world.runtime.database.transaction() as session:
        contact = Contact(commune_id=world.commune_id, created_at=now)
        session.add(contact)
        session.flush()
        urn = Urn(
            commune_id=world.commune_id, channel_id=world.channel_id, contact_id=contact.id, value=f"many{contact.id}"
        )
        session.add(urn)
        session.flush()
        conversation = Conversation(
            commune_id=world.commune_id,
            channel_id=world.channel_id,
            contact_id=contact.id,
            urn_id=urn.id,
            created_at=now,
        )
        session.add(conversation)
        session.flush()
        taken = session.scalar(sa.select(sa.func.count()).select_from(Ticket)) or 0
        rows = [
            Ticket(
                commune_id=world.commune_id,
                code=f"PA26-{taken + n + 1:04d}",
                conversation_id=conversation.id,
                contact_id=contact.id,
                summary=f"Việc thứ {n}",
                **{"opened_at": now, "last_in_at": now, "due_at": now + timedelta(hours=n // 3), **values},
            )
            for n in range(number)
        ]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def shown(page_or_text: object) -> list[int]:
    html = getattr(page_or_text, "html", page_or_text)
    return [int(n) for n in re.findall(r'class="code" id="ticket-(\d+)"', str(html))]


def test_a_new_report_shows_what_it_is_about(world: World, browser: Open, reported: Reported) -> None:
    ticket = reported("Rác chất đống trước Trường Tiểu học Lê Lợi ba ngày nay")
    page = browser("lan").open("/tickets")
    assert shown(page) == [ticket.id]
    for words in ("PA26-0001", "Rác chất đống", "Rác thải, vệ sinh môi trường", "Trường Tiểu học Lê Lợi", "Tin mới"):
        assert words in page.text
    assert "còn 3 ngày làm việc" in page.text or "còn 2 ngày làm việc" in page.text


def test_reports_of_a_rehearsal_channel_cannot_be_mistaken(world: World, browser: Open, reported: Reported) -> None:
    ticket = reported("Đèn đường Xóm 5 không sáng")
    one = browser("lan")
    assert "KÊNH TẬP DƯỢT" in one.open("/tickets").text
    assert "KÊNH TẬP DƯỢT" in one.open(f"/tickets/{ticket.id}").text


def test_an_empty_list_says_so(world: World, browser: Open) -> None:
    one = browser("lan")
    for view in ("new", "mine", "due", "urgent", "all"):
        assert "card empty" in one.open(f"/tickets?view={view}").html


def test_emergencies_stand_first_and_are_called_so_in_words(world: World, browser: Open, reported: Reported) -> None:
    calm = reported("Ổ gà to trên đường Xóm 5", user="1")
    loud = reported("Cháy lớn ở Chợ Đình, có người mắc kẹt", user="2")
    page = browser("lan").open("/tickets?view=new")
    assert shown(page) == [loud.id, calm.id]
    assert "KHẨN CẤP" in page.text


def test_each_view_counts_what_it_shows(world: World, browser: Open) -> None:
    with world.runtime.database.reading() as session:
        lan = session.scalar(sa.select(Official).where(Official.username == "lan"))
    assert lan is not None
    many(world, 3, state=TicketState.RECEIVED, due_at=world.clock() + timedelta(days=30), official_id=lan.id)
    many(world, 2, state=TicketState.NEW, due_at=world.clock() + timedelta(days=30))
    many(world, 4, state=TicketState.IN_PROGRESS, due_at=world.clock() - timedelta(days=1), urgency=Urgency.URGENT)
    many(world, 5, state=TicketState.CLOSED, is_open=False)
    one = browser("lan")
    for view, number in {"new": 2, "mine": 3, "due": 4, "urgent": 4, "all": 14}.items():
        page = one.open(f"/tickets?view={view}")
        assert len(shown(page)) == number, view
        assert re.search(rf'id="view-{view}".*?class="count">{number}<', page.html, re.DOTALL), view


def test_pages_follow_each_other_without_a_gap_or_a_repeat(world: World, browser: Open) -> None:
    ids = many(world, 120, state=TicketState.NEW)
    ids += many(world, 3, state=TicketState.NEW, due_at=None, is_sealed=True)
    for view in ("new", "all", "mine"):
        one = browser("mai")
        if view == "mine":
            with world.runtime.database.transaction() as session:
                session.execute(sa.update(Ticket).values(official_id=world.officials["mai"]))
        seen: list[int] = []
        path = f"/tickets?view={view}"
        while path:
            page = one.open(path)
            seen += shown(page)
            path = next((link for link in page.links if link.startswith("/tickets?") and "after=" in link), "")
        assert sorted(seen) == sorted(ids)
        assert len(seen) == len(set(seen))
        assert seen == (ids[::-1] if view == "all" else ids)


def test_search_finds_words_without_their_accents_and_codes(world: World, browser: Open, reported: Reported) -> None:
    waste = reported("Rác chất đống ở Chợ Đình", user="1")
    light = reported("Đèn đường Xóm 5 không sáng", user="2")
    one = browser("lan")
    assert shown(one.open("/tickets?view=all&q=den duong")) == [light.id]
    assert shown(one.open("/tickets?view=all&q=RÁC")) == [waste.id]
    assert shown(one.open("/tickets?view=all&q=pa26-0002")) == [light.id]
    assert shown(one.open("/tickets?view=all&q=khong co tu nay")) == []
    assert "Không có phản ánh nào khớp" in one.page.text


@pytest.mark.parametrize("wild", ["%", "_", "100%", "\\", "'", "%%%"])
def test_search_takes_signs_for_what_they_are(world: World, browser: Open, reported: Reported, wild: str) -> None:
    reported("Rác chất đống ở Chợ Đình")
    assert shown(browser("lan").open("/tickets?view=all&q=" + wild.replace("%", "%25"))) == []


def test_what_a_citizen_types_never_becomes_markup(world: World, browser: Open, reported: Reported) -> None:
    ticket = reported("Rác ở Xóm 5 <script>alert(1)</script> <b onclick=x>")
    one = browser("lan")
    for path in ("/tickets", f"/tickets/{ticket.id}", "/tickets?view=all&q=<script>"):
        assert "<script>alert" not in one.open(path).html
        assert "<b onclick" not in one.page.html


def test_a_ticket_somebody_answered_is_no_news_until_the_citizen_writes_again(
    world: World, browser: Open, reported: Reported
) -> None:
    ticket = reported("Rác chất đống ở Chợ Đình")
    world.clock.move(minutes=5)  # type: ignore[attr-defined]
    add_note(world.runtime, world.official("lan"), ticket.id, version=ticket.version, text="Đã gọi tổ thu gom")
    one = browser("lan")
    assert "Tin mới" not in one.open("/tickets").text
    world.clock.move(minutes=5)  # type: ignore[attr-defined]
    reported("Rác vẫn còn ở Chợ Đình")
    assert "Tin mới" in one.open("/tickets").text


def test_the_part_that_refreshes_itself_is_part_of_the_page(world: World, browser: Open, reported: Reported) -> None:
    reported("Rác chất đống ở Chợ Đình")
    one = browser("lan")
    part = one.fragment("/tickets?view=new&poll=1", "list")
    assert "<html" not in part.text
    assert " ".join(part.text.split()) in " ".join(one.open("/tickets?view=new").html.split())


def test_nothing_is_sent_while_nothing_changed(world: World, browser: Open, reported: Reported) -> None:
    reported("Rác chất đống ở Chợ Đình", user="1")
    one = browser("lan")
    mark = one.fragment("/tickets?poll=1", "list").headers["X-Seen"]
    assert one.fragment("/tickets?poll=1", "list", **{"X-Seen": mark}).status_code == 204
    reported("Đèn đường Xóm 5 không sáng", user="2")
    assert one.fragment("/tickets?poll=1", "list", **{"X-Seen": mark}).status_code == 200


def test_the_list_works_without_javascript(world: World, browser: Open) -> None:
    page = browser("lan").open("/tickets")
    assert "Tải lại" in page.text
    assert "<noscript" not in page.html


def test_a_full_page_asks_few_questions(world: World, browser: Open) -> None:
    many(world, 60, state=TicketState.NEW)
    one = browser("lan")
    for path in ("/tickets?view=new", "/tickets?view=all&q=viec"):
        with counted(world.runtime) as asked:
            one.open(path)
        assert len(asked) <= 6, asked


def test_personal_numbers_are_masked_in_the_list(world: World, browser: Open, reported: Reported) -> None:
    reported("Ổ gà ở Xóm 5, gọi tôi số 0912345678")
    page = browser("lan").open("/tickets")
    assert "0912345678" not in page.html
    assert "Ổ gà" in page.text
