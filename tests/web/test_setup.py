"""The first set-up: from an empty database to an answered message, left and resumed, closed afterwards for ever."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask

from bot.runtime import Runtime
from bot.usecases import first_setup, intake, web_form
from bot.usecases.sending import PERSONAL, send_due
from bot.web.app import create_app
from storage.agencies import Agency
from storage.audit import AuditEntry
from storage.communes import Commune, Place
from storage.enums import Role
from storage.officials import Official
from storage.setups import Setup
from tests.builders import PASSWORD, World, all_rows
from tests.web.pages import Browser

NOBODY: Any = None
WEEK = {f"w{day}": ["07:00", "11:00", "13:00", "17:00"] for day in range(5)} | {"w5": ["7h30", "11h30", "", ""]}


@pytest.fixture
def empty(runtime: Runtime) -> Flask:
    return create_app(runtime)


def through_the_door(runtime: Runtime, app: Flask) -> Browser:
    code = first_setup.announce(runtime)
    assert code
    one = Browser(NOBODY, app)
    page = one.open("/setup")
    assert "chưa đúng" in one.send(page.form("/setup"), 422, code="AAAA-AAAA").alerts[0]
    one.send(one.page.form("/setup"), code=code.lower().replace("-", " "))
    return one


def test_a_commune_is_set_up_from_nothing_to_an_answered_message(runtime: Runtime, empty: Flask) -> None:
    one = through_the_door(runtime, empty)
    assert one.page.headings == ["Thiết lập: Địa phương"]
    page = one.open("/setup/commune?q=duc+hue")
    form = next(f for f in page.forms if f.method == "post" and f.action == "/setup/commune")
    page = one.send(form, 422, code="27925", duty_phone="gọi em")
    form = next(f for f in page.forms if f.method == "post" and f.action == "/setup/commune")
    one.send(form, code="27925", name="UBND xã Đức Huệ", duty_phone="0272 3 111 222")
    form = one.page.form("/setup/admin")
    typed = {"name": "Đặng Văn An", "username": "an.dang", "leads": "1", "receives": "1"}
    page = one.send(form, 422, **typed, password=PASSWORD, again="khác")
    assert page.form("/setup/admin").fields["name"] == "Đặng Văn An"
    one.send(page.form("/setup/admin"), 422, **typed, password="ngan", again="ngan")
    one.send(one.page.form("/setup/admin"), **typed, password=PASSWORD, again=PASSWORD)
    # Left here, taken up again in another browser after a restart, with the new code only.
    one = through_the_door(runtime, empty)
    page = one.send(one.page.form("/setup/hours"), 422, w0=["17:00", "07:00", "", ""])
    assert page.alerts[0].startswith("Thứ Hai")
    one.send(page.form("/setup/hours"), **WEEK)
    units = {a.slug: a for a in all_rows(runtime, Agency)}
    used = [str(a.id) for slug, a in units.items() if slug not in {"quan-su", "vien-thong"}]
    renamed = {f"name-{units['kinh-te'].id}": "Phòng Kinh tế, Hạ tầng và Đô thị"}
    twice = {f"name-{units['kinh-te'].id}": "tram y te"}
    page = one.send(one.page.form("/setup/agencies"), 422, used=used, **twice)
    one.send(page.form("/setup/agencies"), used=used, **renamed)
    bad = (io.BytesIO("cột lạ\nx\n".encode()), "dia-danh.csv")
    page = one.send(one.page.form("/setup/places"), 422, file=bad, later=None)
    good = (io.BytesIO("tên,loại,tên gọi khác,thuộc\nXóm 5,xóm,,\n".encode()), "dia-danh.csv")
    page = one.send(next(f for f in page.forms if "later" not in f.fields and f.action == "/setup/places"), file=good)
    assert page.headings == ["Thiết lập: Kênh"]
    page = one.send(page.form("/setup/channel"), page="1")
    assert "Chờ tin tới" in page.text
    assert one.fragment("/setup/test?poll=1&seen=000", "test-state").status_code == 204
    assert one.fragment("/setup/test?poll=1&seen=x", "test-state").text.count("<section") == 1

    opened = web_form.page_of(runtime, "duc-hue")
    assert opened
    web_form.write(
        runtime, opened, web_form.new_link(), web_form.Written(once="o" * 16, text="Ổ gà to trên đường Xóm 5")
    )
    intake.drain(runtime)
    send_due(runtime, PERSONAL)
    page = one.open("/setup/test")
    assert "Hai chiều đã thông" in page.text
    page = one.send(page.form("/setup/test"))
    assert "Đã thiết lập xong" in page.text

    for path in ("/setup", "/setup/test", "/setup/commune"):
        one.open(path, 404)
    assert first_setup.announce(runtime) is None
    assert (
        one.client.post(
            "/setup", data={"code": "x", "csrf_token": page.form("/sign-in").fields["csrf_token"]}
        ).status_code
        == 404
    )
    one.sign_in("an.dang")
    assert one.page.title.startswith("Phản ánh")
    commune, an = all_rows(runtime, Commune)[0], all_rows(runtime, Official)[0]
    assert commune.settings["special_shifts"] == {"5": [["07:30", "11:30"]]}
    assert an.roles == [Role.ADMIN, Role.LEADER, Role.RECEIVER]
    units = {a.slug: a for a in all_rows(runtime, Agency)}
    assert (units["kinh-te"].name, units["quan-su"].is_active) == ("Phòng Kinh tế, Hạ tầng và Đô thị", False)
    assert [p.name for p in all_rows(runtime, Place)] == ["Xóm 5"]
    assert "setup.finished" in [a.action for a in all_rows(runtime, AuditEntry)]


def test_a_stranger_without_the_code_sees_nothing_and_is_stopped_from_guessing(runtime: Runtime, empty: Flask) -> None:
    first_setup.announce(runtime)
    stranger = Browser(NOBODY, empty)
    assert stranger.open("/setup").has_form("/setup")
    assert stranger.client.get("/sign-in").headers["Location"] == "/setup"
    for step in first_setup.STEPS:
        assert stranger.client.get(f"/setup/{step}").headers["Location"] == "/setup"
    for _ in range(first_setup.MOST_TRIES):
        stranger.send(stranger.page.form("/setup"), 422, code="AAAA-AAAA")
    assert "quá nhiều lần" in stranger.send(stranger.page.form("/setup"), 422, code="AAAA-AAAA").alerts[0]
    assert all_rows(runtime, Setup)[0].commune_id is None
    again = first_setup.announce(runtime)
    stranger.send(stranger.page.form("/setup"), code=again)
    stranger.open("/setup/no-such-step", 404)
    assert stranger.client.get("/setup/test").headers["Location"] == "/setup/commune"


def test_steps_can_be_put_off_and_what_is_needed_cannot(runtime: Runtime, empty: Flask) -> None:
    one = through_the_door(runtime, empty)
    first_setup.choose_commune(runtime, "27925", "UBND xã Đức Huệ", "113")
    with pytest.raises(first_setup.AdminProblem):
        first_setup.finish(runtime)
    first_setup.add_admin(runtime, username="an.dang", name="Đặng An", password=PASSWORD, leads=False, receives=False)
    for step in ("hours", "places"):
        page = one.open(f"/setup/{step}")
        form = next(f for f in page.forms if f.fields.get("later") == "1")
        one.send(form)
    assert {"hours", "places"} <= set(all_rows(runtime, Setup)[0].done)
    assert "Kết thúc mà chưa nhắn thử" in one.open("/setup/test").text


def test_where_a_commune_is_served_there_is_nothing_to_set_up(world: World) -> None:
    assert first_setup.announce(world.runtime) is None
    Browser(world, create_app(world.runtime)).open("/setup", 404)


def test_communes_are_found_by_name_with_or_without_accents(runtime: Runtime) -> None:
    first_setup.announce(runtime)
    found = [one.code for one in first_setup.find_communes(runtime, "xã Đức Huệ", "")]
    assert found[0] == "27925"
    assert "27925" in [one.code for one in first_setup.find_communes(runtime, "duc hue", "")]
    assert first_setup.find_communes(runtime, "", "") == []
    assert first_setup.find_communes(runtime, "khong dau co", "") == []
    province = next(code for code, name in first_setup.provinces(runtime) if name == "Đà Nẵng")
    assert 1 < len(first_setup.find_communes(runtime, "", province)) <= first_setup.MOST_FOUND
