"""The map: who finds what on it, what it never shows, and that picture, table and data agree."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from storage.communes import Commune, Locality, Place
from storage.enums import TicketState, Urgency
from storage.outlines import surroundings
from tests.builders import COMMUNE_CODE, World, all_rows
from tests.web.pages import Browser
from tests.web.test_inbox import many, shown
from tests.web.test_ticket_list import agency

Open = Callable[[str], Browser]
HERE = {"latitude": 10.80001, "longitude": 106.30004}
BY = re.compile(r'<th scope="row">([^<]+)</th>' + r"<td[^>]*>(?:<a[^>]*>)?(\d+)(?:</a>)?</td>" * 4)


def data(one: Browser, query: str = "") -> Any:
    return one.client.get(f"/map/tickets.json{query}").json


def on_map(one: Browser, query: str = "") -> dict[int, list[Any]]:
    return {pin[0]: pin for pin in data(one, query)["pins"]}


def test_pins_places_and_those_that_nobody_placed(world: World, browser: Open) -> None:
    village, market = all_rows(world.runtime, Place)[:2]
    soon = world.clock() + timedelta(days=3)
    pinned = many(world, 3, topic="dien", place_id=village.id, due_at=soon, **HERE)
    rough = many(world, 1, topic="dien", place_id=village.id, due_at=soon)  # three pins tell where the village is
    unknown = many(world, 2, topic="rac-thai", place_id=market.id, due_at=soon)
    nowhere = many(world, 1, topic=None, due_at=soon)
    away = many(world, 1, topic="dien", due_at=soon, latitude=21.03, longitude=105.85)
    loud = many(world, 1, urgency=Urgency.EMERGENCY, due_at=soon, latitude=10.81, longitude=106.31)
    late = many(world, 1, due_at=world.clock() - timedelta(hours=1), latitude=10.82, longitude=106.32)
    done = many(world, 1, state=TicketState.ANSWERED, is_open=False, answered_at=world.clock(), **HERE)
    lan = browser("lan")
    found = data(lan)
    pins = {pin[0]: pin for pin in found["pins"]}
    assert set(pins) == {*pinned, *rough, *loud, *late}
    assert pins[pinned[0]][2:4] == pins[rough[0]][2:4] == [108000, 1063000]  # ten metres are told, not one
    assert (pins[pinned[0]][7], pins[rough[0]][7]) == (0, 1)
    assert [found["looks"][pins[one][4]] for one in (loud[0], late[0], pinned[0])] == ["Khẩn cấp", "Quá hạn", "Đang mở"]
    assert [name for name, *_ in found["names"]] == [village.name]
    page = lan.open("/map")
    assert "10 phản ánh" in page.text
    assert "6 có trên bản đồ" in page.text
    table = {
        name: (int(total), int(urgent), int(over), int(drawn))
        for name, total, urgent, over, drawn in BY.findall(page.html)
    }
    assert table == {village.name: (4, 0, 0, 4), "Chưa rõ nơi": (4, 1, 1, 2), market.name: (2, 0, 0, 0)}
    assert "1 phản ánh có ghim nằm ngoài bản đồ" in page.text
    # Each number of the table opens its list, and the picture's squares theirs.
    assert sorted(shown(lan.open(f"/tickets?view=all&place={market.id}&figure=open"))) == unknown
    assert sorted(shown(lan.open("/tickets?view=all&place=-&figure=open"))) == sorted([*nowhere, *away, *loud, *late])
    assert shown(lan.open("/tickets?view=all&place=-&figure=loud")) == loud
    assert shown(lan.open("/tickets?view=all&place=-&figure=late_open")) == late
    assert {
        f"/tickets?view=all&place={market.id}&figure=open", "/tickets?view=all&place=-&figure=loud",
        "/tickets?view=all&place=-&figure=late_open",
    } <= set(page.links)  # fmt: skip
    assert f"/tickets?view=all&ids={away[0]}" in page.links
    squares = {link for link in page.links if "ids=" in link} - {f"/tickets?view=all&ids={away[0]}"}
    drawn = [int(number) for link in squares for number in link.split("ids=")[1].split(",")]
    assert sorted(drawn) == sorted(pins)
    assert set(on_map(lan, "?view=all")) == {*pins, *done}
    assert set(on_map(lan, "?view=urgent")) == {loud[0]}
    assert set(on_map(lan, "?view=all&topic=dien&figure=open")) == {*pinned, *rough}
    assert "Nơi: " + market.name in lan.open(f"/map?view=all&place={market.id}").text


def test_it_shows_each_official_what_the_list_shows_and_never_what_is_sealed(world: World, browser: Open) -> None:
    own = many(world, 1, agency_id=agency(world, "kinh-te"), state=TicketState.ASSIGNED, **HERE)
    other = many(world, 1, agency_id=agency(world, "van-phong"), state=TicketState.ASSIGNED, **HERE)
    secret = many(world, 1, is_sealed=True, due_at=None, **HERE)
    many(world, 1, is_spam=True, is_open=False, **HERE)
    with world.runtime.database.transaction() as session:
        session.execute(
            sa.text("UPDATE tickets SET place_text = 'nhà bà Bưởi 0912345678', summary = 'Rác nhà bà Bưởi'")
        )
    for who, expected in (("lan", {*own, *other}), ("hung", set(own)), ("mai", {*own, *other})):
        one = browser(who)
        assert set(on_map(one, "?view=all")) == expected, who
        page = one.open("/map?view=all")
        assert f"{len(expected)} phản ánh" in page.text
        assert "Bưởi" not in page.html + one.client.get("/map/tickets.json?view=all").text
        assert str(secret[0]) not in {number for link in page.links if "ids=" in link
                                      for number in link.split("ids=")[1].split(",")}  # fmt: skip
    for who in ("an", "hoa"):
        browser(who).open("/map", 403)
        assert browser(who).client.get("/map/tickets.json").status_code == 403


def test_a_place_is_not_told_from_one_or_two_pins(world: World, browser: Open) -> None:
    village = all_rows(world.runtime, Place)[0]
    many(world, 2, place_id=village.id, **HERE)
    bare = many(world, 1, place_id=village.id)
    assert bare[0] not in on_map(browser("lan"), "?view=all")


def test_a_commune_without_a_border_has_its_table(world: World, browser: Open) -> None:
    many(world, 1, **HERE)
    with world.runtime.database.transaction() as session:
        model = session.scalars(sa.select(Locality).where(Locality.code == COMMUNE_CODE)).one()
        values = {column.name: getattr(model, column.name) for column in Locality.__table__.columns}
        session.add(Locality(**{**values, "code": "99999"}))
        session.flush()
        session.get_one(Commune, world.commune_id).locality_code = "99999"
    try:
        lan = browser("lan")
        page = lan.open("/map")
        assert "Chưa có ranh giới" in page.text
        assert "Chưa rõ nơi" in page.text
        assert data(lan)["pins"] == []
    finally:
        with world.runtime.database.transaction() as session:
            session.get_one(Commune, world.commune_id).locality_code = COMMUNE_CODE
            session.flush()
            session.execute(sa.delete(Locality).where(Locality.code == "99999"))


def test_five_thousand_open_tickets_are_little_to_carry(world: World, browser: Open) -> None:
    many(world, 5_000, topic="dien")
    with world.runtime.database.transaction() as session:
        session.execute(sa.text("UPDATE tickets SET latitude = 10.74 + (id * 7919 % 1300) / 10000.0, "
                                "longitude = 106.22 + (id * 6007 % 1700) / 10000.0"))  # fmt: skip
    questions: list[str] = []
    lan = browser("lan")
    engine = world.runtime.database.engine
    sa.event.listen(engine, "before_cursor_execute", lambda *a: questions.append(a[2]))
    answer = lan.client.get("/map/tickets.json", headers={"Accept-Encoding": "gzip"})
    assert len(json.loads(gzip.decompress(answer.data))["pins"]) == 5_000
    assert len(answer.data) < 300_000
    assert len([one for one in questions if one.lstrip().upper().startswith("SELECT")]) <= 5


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_borders_are_known_for_communes_on_land_and_at_sea(engine_name: str) -> None:
    home = surroundings(COMMUNE_CODE)
    assert home is not None
    assert home.own.name == "xã Đức Huệ"
    assert home.view.holds(10.8, 106.3)
    assert "xã Hiệp Hoà" in {one.name for one in home.around}
    assert home.own.name not in {one.name for one in home.around}
    assert surroundings("99999") is None
