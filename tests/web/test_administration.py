"""Pages of administration: forms as they stand, refusals that lose nothing, and who is let in."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from flask import Flask

from bot.usecases import intake
from bot.usecases.commune_settings import OF_OPERATOR, SETTINGS
from bot.usecases.setup import add_channel
from bot.web.commune_settings import GROUPS, OF_OPERATOR_WORDS
from bot.web.officials import MAY, ROLES
from storage.agencies import Agency
from storage.communes import Commune
from storage.enums import Role
from storage.officials import Official
from storage.tickets import Ticket
from tests.builders import PASSWORD, World, all_rows
from tests.web.pages import Browser

Open = Callable[[str], Browser]
PEOPLE, UNITS, HOURS = "/administration/officials", "/administration/agencies", "/administration/hours"


def number_of(world: World, slug: str) -> int:
    return next(one.id for one in all_rows(world.runtime, Agency) if one.slug == slug)


def test_every_setting_and_role_has_its_words() -> None:
    shown = {name for _, fields in GROUPS for name, _, _ in fields}
    assert shown | set(OF_OPERATOR_WORDS) == set(SETTINGS)
    assert set(OF_OPERATOR_WORDS) == OF_OPERATOR
    assert set(ROLES) == set(MAY) == set(Role)


def test_administration_is_for_administrators(world: World, browser: Open) -> None:
    for who in ("lan", "mai"):
        one = browser(who)
        for path in ("/administration", PEOPLE, UNITS, HOURS, "/administration/settings"):
            one.open(path, 403)
    an = browser("an")
    page = an.open("/administration")
    assert "Cán bộ và vai trò" in page.text
    for path in {link for link in page.links if link.startswith("/") and not link.startswith("/accessibility")}:
        assert an.client.get(path, follow_redirects=True).status_code == 200, path


def test_a_person_is_added_gets_a_link_and_comes_in(world: World, app: Flask, browser: Open) -> None:
    an = browser("an")
    form = an.open(f"{PEOPLE}/new").form(PEOPLE)
    page = an.send(form, 422, name="Lý Văn Mới", username="moi", phone="gọi em", roles="tiep_nhan")
    assert "Số điện thoại" in page.alerts[0]
    assert page.form(PEOPLE).fields["name"] == "Lý Văn Mới"
    page = an.send(
        page.form(PEOPLE), phone="0900 000 111", roles="tiep_nhan", agency=str(number_of(world, "van-phong"))
    )
    link = re.search(r"/welcome/[\w-]+", page.html)
    assert link
    assert link[0] not in an.open(PEOPLE).html
    assert "Chưa đặt mật khẩu" in an.page.text
    new = Browser(world, app)
    new.open(link[0])
    wrong = new.send(new.page.form(link[0]), 422, password=PASSWORD, again="khác")
    assert "chưa giống nhau" in wrong.alerts[0]
    assert "quá dễ đoán" in new.send(wrong.form(link[0]), 422, password="1234567890", again="1234567890").alerts[0]
    new.send(new.page.form(link[0]), password=PASSWORD, again=PASSWORD)
    new.sign_in("moi")
    assert new.page.title.startswith("Phản ánh")
    new.open(link[0], 404)


def test_the_form_of_an_official_never_gives_the_sealed_role(world: World, browser: Open) -> None:
    an, lan = browser("an"), world.officials["lan"]
    page = an.open(f"{PEOPLE}/{lan}")
    assert 'value="giao_mat"' not in page.html
    an.send(page.form(f"{PEOPLE}/{lan}"), 422, roles="giao_mat")
    assert not world.official("lan").has(Role.SEALED_READER)
    page = an.open(f"{PEOPLE}/{world.officials['an']}")
    assert "Không ai tự đổi vai trò" in page.text
    assert not page.has_form(f"{PEOPLE}/{world.officials['an']}/link")


def test_leaving_shows_what_is_open_and_hands_it_over(
    world: World, browser: Open, reported: Callable[..., Ticket]
) -> None:
    ticket = reported("Ổ gà to trên đường Xóm 5")
    with world.runtime.database.transaction() as session:
        session.get_one(Ticket, ticket.id).official_id = world.officials["hung"]
    an, path = browser("an"), f"{PEOPLE}/{world.officials['hung']}/leaving"
    page = an.open(path)
    assert ticket.code in page.text
    assert "0912" not in page.text
    page = an.send(page.form(path))
    assert "Số phản ánh đã bàn giao: 1" in page.text
    assert "Đã ngừng: 1" in page.text
    page = an.send(page.form(f"{PEOPLE}/{world.officials['hung']}/return"))
    assert "/welcome/" in page.text


def test_a_unit_is_renamed_added_and_closed_after_a_preview(world: World, browser: Open) -> None:
    an, kinh_te = browser("an"), number_of(world, "kinh-te")
    page = an.open(f"{UNITS}/{kinh_te}")
    page = an.send(page.form(f"{UNITS}/{kinh_te}"), head="Bà Sáu", phone="0236 3 111 222")
    assert "Bà Sáu" in page.text
    page = an.send(an.open(f"{UNITS}/new?kind=outside").form(UNITS), name="Sở Xây dựng")
    assert "Sở Xây dựng" in page.text
    path = f"{UNITS}/{kinh_te}/closing"
    heir = str(number_of(world, "van-hoa-xa-hoi"))
    page = an.open(path)
    page = an.send(page.form(f"{path}/preview"), 422, heir="")
    page = an.send(page.form(f"{path}/preview"), heir=heir)
    assert "Cán bộ chuyển theo" in page.text
    page = an.send(page.form(path))
    assert "Đã kết thúc: 1" in page.text
    assert "luôn cần" in an.open(f"{UNITS}/{number_of(world, 'van-phong')}/closing").text


def test_hours_days_and_a_file_are_looked_at_before_they_count(world: World, browser: Open) -> None:
    world.says("Ổ gà to trên đường Xóm 5")
    intake.drain(world.runtime)
    code = all_rows(world.runtime, Ticket)[0].code
    an = browser("an")
    form = an.open(HOURS).form(f"{HOURS}/days")
    page = an.send(form, 422, day="", name="Nghỉ")
    page = an.send(page.form(f"{HOURS}/days"), day="2026-10-08", name="Nghỉ bão")
    assert code in page.text
    page = an.send(page.form(HOURS))
    assert "Số phản ánh đổi hạn: 1" in page.text
    assert "Nghỉ bão" in page.text
    assert an.send(page.form(f"{HOURS}/days/removal", day="2026-10-08")).has_form(HOURS)
    bad = (io.BytesIO("ngày,tên\n32/13/2027,Tết\n".encode()), "lich.csv")
    page = an.send(an.open(HOURS).form(f"{HOURS}/file"), 422, file=bad)
    assert "Dòng 2:" in page.text
    good = (io.BytesIO("ngày,tên,làm bù\n05/02/2027,Tết,\n".encode()), "lich.csv")
    page = an.send(page.form(f"{HOURS}/file"), file=good)
    assert "năm 2027 được thay" in page.text
    forged = page.form(HOURS)
    assert "không còn nguyên" in an.send(forged, 422, wish="{}").alerts[0]
    week = an.open(HOURS).form(f"{HOURS}/week")
    page = an.send(week, 422, w0=["07:30", "", "", ""])
    assert page.alerts[0].startswith("Thứ Hai:")
    page = an.send(
        an.open(HOURS).form(f"{HOURS}/week"),
        w5=["07:30", "11:30", "", ""],
        **{f"w{n}": ["07:30", "11:30", "13:30", "17:00"] for n in range(5)},
    )
    assert "07:30–11:30" in page.text
    assert an.client.get(f"{HOURS}/template.csv?year=2026").data.decode("utf-8-sig").startswith('"ngày"')


def test_settings_say_what_is_wrong_beside_the_field_and_keep_what_was_typed(world: World, browser: Open) -> None:
    an = browser("an")
    form = an.open("/administration/settings").form("/administration/settings")
    page = an.send(form, 422, undo_seconds="nhiều", duty_phone="0900 111 222")
    assert "số nguyên" in " ".join(page.alerts)
    assert page.form("/administration/settings").fields["duty_phone"] == "0900 111 222"
    page = an.send(page.form("/administration/settings"), undo_seconds="10")
    assert "Đã lưu cài đặt" in page.text
    assert page.form("/administration/settings").fields["undo_seconds"] == "10"


@pytest.mark.parametrize("path", [PEOPLE, UNITS])
def test_another_communes_people_and_units_do_not_exist(world: World, browser: Open, path: str) -> None:
    from tests.web.test_who_sees_what import neighbour

    neighbour(world, Role.ADMIN)
    one = browser("ben")
    own = world.officials["lan"] if path == PEOPLE else number_of(world, "kinh-te")
    one.open(f"{path}/{own}", 404)
    assert len(all_rows(world.runtime, Official)) == 7


def test_anybody_reads_the_accessibility_statement_and_whom_to_tell(world: World, app: Flask) -> None:
    page = Browser(world, app).open("/accessibility")
    assert "WCAG 2.2" in page.text
    assert "UBND xã Đức Huệ" in page.text


def test_practice_is_shown_in_pieces_and_told_apart_from_real_work(world: World, browser: Open) -> None:
    one = browser("lan")
    assert "địa phương thật" in one.open("/training").text
    assert "Luôn nhớ" in one.open("/training/guide").text
    browser("an").open("/training", 403)
    with world.runtime.database.transaction() as session:
        session.get_one(Commune, world.commune_id).is_demo = True
    add_channel(world.runtime, commune="duc-hue", type="web_form", slug="tap", name="Trang", settings={}, secrets={})
    assert "người tiếp nhận và lãnh đạo" in browser("hung").open("/training").text
    page = one.send(one.open("/training").form("/training"))
    intake.drain(world.runtime)
    assert "Đã xong 0 trên 8 việc" in page.text
    part = one.fragment("/training?poll=1", "training-tasks").text
    assert part.count("<section") == 1
    assert "tố cáo cán bộ địa chính" not in part
    assert "Đã xong 1 trên 8" in one.send(one.open("/training").form("/training/sealed")).text
    assert "Bắt đầu ca" in one.send(one.page.form("/training/end")).text
