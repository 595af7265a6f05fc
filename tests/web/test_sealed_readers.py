"""Named readers on a page: two at most, named by another, withdrawn after a yes, and each change written down."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.usecases.sealed_readers import list_readers, name_reader
from storage.audit import AuditEntry
from storage.enums import Role
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.web.pages import Browser
from tests.web.test_who_sees_what import DENUNCIATION, neighbour, official

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]
HERE = "/personal-data/sealed-readers"


def readers(world: World) -> list[str]:
    return [one.username for one in list_readers(world.runtime, "duc-hue")]


def changes(world: World) -> list[tuple[str, int | None, str | None]]:
    rows = [e for e in all_rows(world.runtime, AuditEntry) if e.action.endswith("_reader")]
    return [(e.action, e.official_id, e.target) for e in rows]


def withdrawal(world: World, who: str) -> str:
    return f"{HERE}/{world.officials[who]}/withdrawal"


def test_an_administrator_is_led_there_and_names_a_reader(world: World, browser: Open, reported: Reported) -> None:
    ticket = reported(DENUNCIATION)
    browser("lan").open(f"/tickets/{ticket.id}", 404)
    one = browser("an")
    assert HERE in one.open("/personal-data/looks").links
    page = one.open(HERE)
    page = one.send(page.form(HERE), official=str(world.officials["lan"]), sure="1")
    assert "Đã giao mật" in page.text
    name = world.official("an").name
    assert f"{name} giao lúc" in page.text
    assert readers(world) == ["lan", "mai"]
    number = world.officials["lan"]
    assert changes(world) == [("official.named_reader", world.officials["an"], f"official:{number}")]
    assert "Đã có đủ 2 người" in page.text
    assert not page.has_form(HERE)
    browser("lan").open(f"/tickets/{ticket.id}")
    browser("an").open(f"/tickets/{ticket.id}", 403)


def test_nobody_is_named_or_withdrawn_without_a_yes(world: World, browser: Open) -> None:
    one = browser("mai")
    page = one.open(HERE)
    page = one.send(page.form(HERE), 422, official=str(world.officials["lan"]), sure=None)
    assert "Cần đánh dấu xác nhận" in page.text
    page = one.send(page.form(HERE), 422, official="", sure="1")
    assert "Cần chọn một cán bộ" in page.text
    page = one.send(page.form(withdrawal(world, "mai")), 422, sure=None)
    assert "Cần đánh dấu xác nhận" in page.text
    assert readers(world) == ["mai"]
    assert changes(world) == []


def test_the_last_reader_goes_after_a_warning(world: World, browser: Open, reported: Reported) -> None:
    ticket = reported(DENUNCIATION)
    one = browser("mai")
    page = one.open(HERE)
    assert "Đây là người cuối cùng" in page.text
    page = one.send(page.form(withdrawal(world, "mai")), sure="1")
    assert "không ai ở địa phương mở được" in page.text
    assert readers(world) == []
    one.open(f"/tickets/{ticket.id}", 404)
    assert "thôi được giao mật" in one.open(HERE).text


def test_nobody_names_themselves(world: World, browser: Open) -> None:
    one = browser("an")
    page = one.open(HERE)
    form = page.form(HERE)
    assert f'<option value="{world.officials["an"]}"' not in page.html
    page = one.send(form, 422, official=str(world.officials["an"]), sure="1")
    assert "Không ai tự giao mật" in page.text
    assert readers(world) == ["mai"]


def test_a_third_reader_is_refused_also_to_an_old_form(world: World, browser: Open) -> None:
    one = browser("an")
    form = one.open(HERE).form(HERE)
    name_reader(world.runtime, "hung")
    page = one.send(form, 422, official=str(world.officials["lan"]), sure="1")
    assert "Đã có đủ 2 người" in page.text
    assert "Người quản trị máy chủ giao lúc" in page.text
    assert readers(world) == ["hung", "mai"]


@pytest.mark.parametrize("who", ["lan", "hung", "tuan", "hoa"])
def test_who_is_no_leader_or_administrator_has_no_such_page(world: World, browser: Open, who: str) -> None:
    one = browser(who)
    token = one.open(HERE, 403).form("/language").fields["csrf_token"]
    for path in (HERE, withdrawal(world, "mai")):
        data = {"csrf_token": token, "official": str(world.officials[who]), "sure": "1"}
        assert one.client.post(path, data=data).status_code == 403
    assert readers(world) == ["mai"]


def test_another_communes_officials_are_nobody(world: World, browser: Open) -> None:
    other = browser(neighbour(world, Role.ADMIN, Role.LEADER))
    page = other.open(HERE)
    assert world.official("mai").name not in page.text
    token = page.form("/language").fields["csrf_token"]
    for path in (HERE, withdrawal(world, "mai")):
        data = {"csrf_token": token, "official": str(world.officials["lan"]), "sure": "1"}
        assert other.client.post(path, data=data).status_code == 404
    assert readers(world) == ["mai"]


def test_who_left_cannot_be_named(world: World, browser: Open) -> None:
    gone = official(world, "gone", world.commune_id, Role.RECEIVER)
    one = browser("an")
    page = one.open(HERE)
    form = page.form(HERE)
    assert "Cán bộ gone" in page.text
    from storage.officials import Official

    with world.runtime.database.transaction() as session:
        row = session.query(Official).filter_by(username=gone).one()
        row.is_active = False
        number = row.id
    one.send(form, 404, official=str(number), sure="1")
    assert "Cán bộ gone" not in one.open(HERE).text
