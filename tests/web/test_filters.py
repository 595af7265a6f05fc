"""The list, narrowed: by what an address says, in words that can be taken away again, and never to what is sealed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from storage.communes import Place
from storage.enums import TicketState
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.web.pages import Browser
from tests.web.test_inbox import many, shown
from tests.web.test_ticket_list import agency

Open = Callable[[str], Browser]


def test_a_list_shows_what_its_address_says_and_says_it(world: World, browser: Open) -> None:
    economy, village = agency(world, "kinh-te"), all_rows(world.runtime, Place)[0]
    lit = many(world, 2, topic="dien", agency_id=economy)
    dirty = many(world, 3, topic="rac-thai", place_id=village.id)
    old = many(world, 1, topic="dien", opened_at=world.clock() - timedelta(days=40))
    done = many(world, 1, topic="dien", state=TicketState.ANSWERED, is_open=False, answered_at=world.clock())
    nowhere = many(world, 1, topic=None)
    many(world, 1, topic="dien", agency_id=economy, is_sealed=True, due_at=None)
    many(world, 1, topic="dien", agency_id=economy, is_spam=True, is_open=False)
    for asked, expected, words in [
        ("topic=dien", [*lit, *old, *done], "4 phản ánh"),
        (f"agency={economy}", lit, "Đơn vị: Phòng Kinh tế"),
        (f"place={village.id}", dirty, f"Nơi: {village.name}"),
        ("agency=-&topic=rac-thai", dirty, "Đơn vị: chưa phân công"),
        ("topic=-", nowhere, "Chưa rõ lĩnh vực"),
        (f"ids={dirty[0]},{lit[1]},x,{10**30}", [dirty[0], lit[1]], "4 phản ánh đã chọn"),
        ("from=2026-10-07&to=2026-10-07&topic=dien", [*lit, *done], "Nhận: 07/10/2026"),
        ("to=2026-10-06", old, "Nhận: đến 06/10/2026"),
        ("from=2026-10-01T12:00&on=answered", done, "Có kết quả: từ 12:00 01/10/2026"),
        ("figure=answered", done, "Đã có kết quả"),
        ("figure=nonsense&from=x&on=y&topic=dien", [*lit, *old, *done], "4 phản ánh"),
        (f"channel={world.channel_id}&topic=rac-thai", dirty, "Kênh: Zalo OA Đức Huệ"),
        ("place=99999", [], "không có ở đây"),
        ("ids=x", [], "Anh/Chị bỏ bớt điều kiện"),
    ]:
        page = browser("lan").open(f"/tickets?view=all&{asked}")
        wanted = [number for number in expected if number]
        assert sorted(shown(page)) == sorted(wanted), asked
        assert words.replace("4 phản ánh đã", "2 phản ánh đã") in page.text, asked
    # Whoever reads what is sealed finds it in no narrowed list either.
    assert sorted(shown(browser("mai").open("/tickets?view=all&topic=dien"))) == sorted([*lit, *old, *done])


def test_a_chip_takes_its_condition_away_and_keeps_the_others(world: World, browser: Open) -> None:
    many(world, 1, topic="dien", agency_id=agency(world, "kinh-te"))
    both = f"/tickets?view=new&topic=dien&agency={agency(world, 'kinh-te')}"
    page = browser("lan").open(both)
    assert {"/tickets?view=new&topic=dien", f"/tickets?view=new&agency={agency(world, 'kinh-te')}"} <= set(page.links)
    form = browser("lan").open(both.replace("?", "/narrowing?")).form("/tickets")
    assert (form.fields["topic"], form.fields["agency"]) == ("dien", str(agency(world, "kinh-te")))


def test_pages_and_next_ticket_stay_within_what_was_chosen(world: World, browser: Open) -> None:
    many(world, 30, topic="rac-thai")
    lit = many(world, 52, topic="dien")
    many(world, 30, topic="rac-thai")
    lan = browser("lan")
    first = lan.open("/tickets?view=new&topic=dien")
    assert "52 phản ánh" in first.text
    onward = next(link for link in first.links if "after=" in link and link.startswith("/tickets?"))
    assert "topic=dien" in onward
    second = lan.open(onward)
    assert [*shown(first), *shown(second)] == lit
    opened = lan.open(f"/tickets/{lit[0]}?view=new&topic=dien")
    assert f"/tickets/{lit[1]}?view=new&topic=dien" in opened.links
    # A form of the ticket has a topic of its own: the list it came from is not mistaken for it.
    after = lan.send(opened.form(f"/tickets/{lit[0]}/topic"), topic="rac-thai")
    assert f"/tickets/{lit[1]}?view=new&topic=dien" in after.links
    with world.runtime.database.reading() as session:
        assert session.scalar(sa.select(Ticket.topic).where(Ticket.id == lit[0])) == "rac-thai"


def test_another_communes_place_and_agency_have_no_name_here(world: World, browser: Open) -> None:
    from tests.web.test_who_sees_what import neighbour

    neighbour(world)
    with world.runtime.database.reading() as session:
        foreign = session.execute(sa.text("SELECT id FROM agencies WHERE commune_id <> :own LIMIT 1"),
                                  {"own": world.commune_id}).scalar_one()  # fmt: skip
    page = browser("lan").open(f"/tickets?view=all&agency={foreign}")
    assert "Đơn vị: không có ở đây" in page.text
    assert shown(page) == []
