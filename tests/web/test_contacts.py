"""A contact's file: exported for the citizen, erased at their wish, and nothing of what is sealed for others."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.queue import REPLIES
from bot.usecases import chain, intake
from bot.usecases.erased import GONE
from bot.usecases.erasing import erase_let_go
from bot.usecases.legal_holds import hold, release
from storage.audit import AuditEntry
from storage.contacts import Contact, Urn
from storage.deliveries import Delivery
from storage.enums import DeliveryState
from storage.groups import Group
from storage.messages import InboundEvent, Message
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.usecases.test_retention import everything_said
from tests.web.pages import Browser
from tests.web.test_who_sees_what import with_file

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]
HOLE = "=cmd|' /C calc'!A0 Ổ gà to trên đường Xóm 5, chỗ ngosauzxq, gọi 0912345678"
DENUNCIATION = "Tôi tố cáo cán bộ địa chính nhận hối lộ mười triệu đồng ở ngosauzxq"


@pytest.fixture
def known(world: World, reported: Reported) -> Ticket:
    """Somebody with a name, an open report and a file."""
    ticket = reported(HOLE)
    with_file(world, ticket)
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Contact).values(name="Trần Thị Bưởi", phone="0987654321", address="12 ngõ 5"))
    return ticket


def exported(browser: Browser, contact_id: int, **given: str) -> zipfile.ZipFile:
    page = browser.open(f"/contacts/{contact_id}")
    form = page.form(f"/contacts/{contact_id}/export")
    answer = browser.client.post(form.action, data={**form.fields, "why": "nguoi_dan_yeu_cau", **given})
    assert answer.status_code == 200, answer.text[:500]
    assert answer.headers["Content-Type"] == "application/zip"
    return zipfile.ZipFile(io.BytesIO(answer.data))


def data_of(archive: zipfile.ZipFile) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = json.loads(archive.read("du-lieu.json"))
    return found


def erases(browser: Browser, contact_id: int, *, status: int = 200, **given: str) -> None:
    here = f"/contacts/{contact_id}"
    page = browser.open(here)
    page = browser.send(page.form(f"{here}/erasure/preview"), why="nguoi_dan_yeu_cau")
    browser.send(page.form(f"{here}/erasure"), status, sure="1", **given)


def audited(world: World, action: str) -> list[AuditEntry]:
    return [row for row in all_rows(world.runtime, AuditEntry) if row.action == action and row.official_id]


def test_the_page_masks_what_the_export_holds(world: World, browser: Open, known: Ticket) -> None:
    one = browser("lan")
    page = one.open(f"/tickets/{known.id}")
    assert f"/contacts/{known.contact_id}" in page.links
    page = one.open(f"/contacts/{known.contact_id}")
    assert "0987654321" not in page.html
    assert "12 ngõ 5" not in page.html
    archive = exported(one, known.contact_id)
    found = data_of(archive)
    assert found["person"]["phone"] == "0987654321"  # type: ignore[call-overload]
    assert HOLE in [message["text"] for message in found["messages"]]
    assert [ticket["code"] for ticket in found["tickets"]] == [known.code]
    assert archive.read(found["files"][0]["file"]) == b"%PDF-"
    read = archive.read("doc.html").decode()
    assert "Trần Thị Bưởi" in read
    assert audited(world, "contact.exported")[0].data == {"why": "nguoi_dan_yeu_cau"}
    assert [look["what"] for look in found["looks"]] == ["contact.exported"]


def test_a_spreadsheet_runs_nothing_that_a_citizen_wrote(browser: Open, known: Ticket) -> None:
    archive = exported(browser("lan"), known.contact_id)
    assert "\"'=cmd" in archive.read("tin-nhan.csv").decode("utf-8-sig")
    assert all("/" not in name.removeprefix("tep/") and ".." not in name for name in archive.namelist())


def test_words_stay_words_in_the_page_to_read(world: World, browser: Open, known: Ticket) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Contact).values(name="<script>alert(1)</script>"))
    assert "<script>" not in exported(browser("lan"), known.contact_id).read("doc.html").decode()


def test_nothing_is_exported_without_a_reason(world: World, browser: Open, known: Ticket) -> None:
    one = browser("lan")
    page = one.open(f"/contacts/{known.contact_id}")
    page = one.send(page.form(f"/contacts/{known.contact_id}/export"), 422, why="goi_lai")
    assert "Cần chọn lý do" in page.text
    assert audited(world, "contact.exported") == []


def test_what_is_sealed_is_in_no_export_but_its_readers(world: World, browser: Open, known: Ticket) -> None:
    world.says(DENUNCIATION)
    intake.drain(world.runtime)
    sealed = next(ticket for ticket in all_rows(world.runtime, Ticket) if ticket.is_sealed)
    assert sealed.contact_id == known.contact_id
    desk = browser("lan")
    everything = b"".join(desk_file for desk_file in _contents(exported(desk, known.contact_id)))
    assert sealed.code.encode() not in everything
    assert "hối lộ".encode() not in everything
    page = desk.open(f"/contacts/{known.contact_id}")
    assert sealed.code not in page.html
    assert "niêm phong" not in page.text
    found = data_of(exported(browser("mai"), known.contact_id))
    assert sealed.code in [ticket["code"] for ticket in found["tickets"]]
    assert DENUNCIATION in [said["text"] for said in found["messages"]]
    assert [row.target for row in audited(world, "ticket.sealed_viewed")] == [f"ticket:{sealed.id}"]


def _contents(archive: zipfile.ZipFile) -> list[bytes]:
    return [archive.read(name) for name in archive.namelist()]


def test_who_wrote_only_what_is_sealed_is_nobody_to_others(browser: Open, world: World, reported: Reported) -> None:
    ticket = reported(DENUNCIATION)
    browser("lan").open(f"/contacts/{ticket.contact_id}", 404)
    exported(browser("mai"), ticket.contact_id)
    assert f"số {ticket.contact_id}" not in browser("an").open("/personal-data/looks").text


@pytest.mark.parametrize(("who", "status"), [("hung", 403), ("hoa", 403), ("an", 403)])
def test_who_does_not_learn_names_has_no_files(browser: Open, known: Ticket, who: str, status: int) -> None:
    browser(who).open(f"/contacts/{known.contact_id}", status)


def test_the_desk_exports_but_does_not_erase(browser: Open, known: Ticket) -> None:
    one = browser("lan")
    here = f"/contacts/{known.contact_id}"
    page = one.open(here)
    assert not page.has_form(f"{here}/erasure/preview")
    token = page.form(f"{here}/export").fields["csrf_token"]
    for path in ("erasure/preview", "erasure"):
        assert one.client.post(f"{here}/{path}", data={"csrf_token": token}).status_code == 403


def test_erasure_is_looked_at_first_and_then_proven(world: World, browser: Open, known: Ticket) -> None:
    one = browser("mai")
    here = f"/contacts/{known.contact_id}"
    page = one.open(here)
    page = one.send(page.form(f"{here}/erasure/preview"), why="nguoi_dan_yeu_cau")
    assert "Sẽ xóa hẳn" in page.text
    assert "Hạn trả lời người dân: 17:00 09/10/2026" in page.text
    assert "ngosauzxq" in everything_said(world)
    page = one.send(page.form(f"{here}/erasure"), 422, sure=None)
    assert "Cần đánh dấu xác nhận" in page.text
    assert "ngosauzxq" in everything_said(world)
    world.clock.move(minutes=5)  # type: ignore[attr-defined]
    page = one.send(page.form(f"{here}/erasure"), sure="1")
    assert "Đã xóa dữ liệu lúc" in page.text
    assert "1 tin nhắn đến" in page.text
    assert "ngày yêu cầu: 07/10/2026" in page.text
    assert "<dt>Tin người dân nhắn</dt><dd>0</dd>" in page.html
    assert "<dt>Tin địa phương trả lời</dt><dd>1</dd>" in page.html, "what told them that it was done"
    erase_let_go(world.runtime)
    said = everything_said(world)
    for secret in ("ngosauzxq", "Bưởi", "0987654321", "0912345678"):
        assert secret not in said
    assert [path for path in world.runtime.blobs.store.root.rglob("*") if path.is_file()] == []  # type: ignore[attr-defined]
    (entry,) = audited(world, "contact.erased")
    assert (entry.data["asked_on"], entry.data["went"]["files"]) == ("2026-10-07", 1)


def test_the_chain_holds_after_an_erasure(world: World, browser: Open, known: Ticket) -> None:
    from bot.usecases import tickets

    tickets.add_note(
        world.runtime, world.official("lan"), known.id, version=known.version, text="Dân ở ngosauzxq"
    )  # fmt: skip
    world.clock.move(minutes=5)  # type: ignore[attr-defined]
    chain.extend(world.runtime)
    erases(browser("mai"), known.contact_id)
    world.clock.move(minutes=5)  # type: ignore[attr-defined]
    chain.extend(world.runtime)
    found = chain.verify(world.runtime)
    assert (found.problems, found.erased > 0) == ([], True)


def test_what_changed_since_is_looked_at_again(world: World, browser: Open, known: Ticket) -> None:
    one = browser("mai")
    here = f"/contacts/{known.contact_id}"
    page = one.open(here)
    page = one.send(page.form(f"{here}/erasure/preview"), why="nguoi_dan_yeu_cau")
    form = page.form(f"{here}/erasure")
    world.says("Thêm: ngay trước cổng trường")
    intake.drain(world.runtime)
    page = one.send(form, 422, sure="1")
    assert "Hồ sơ vừa thay đổi" in page.text
    assert "ngosauzxq" in everything_said(world)
    one.send(page.form(f"{here}/erasure"), sure="1")
    assert "ngosauzxq" not in everything_said(world)


@pytest.mark.parametrize("day", ["", "2027-01-01", "hôm nay"])
def test_a_day_that_is_none_is_refused(browser: Open, known: Ticket, day: str) -> None:
    one = browser("mai")
    here = f"/contacts/{known.contact_id}"
    page = one.open(here)
    page = one.send(page.form(f"{here}/erasure/preview"), 422, why="nguoi_dan_yeu_cau", asked_on=day)
    assert "Ngày người dân yêu cầu" in page.text or "Cần ghi ngày" in page.text


def test_all_linked_channels_are_erased(world: World, browser: Open, known: Ticket, reported: Reported) -> None:
    other = reported("Rác chất đống ở Chợ Đình, chỗ ngosauzxq", user="3000000000000000077")
    with world.runtime.database.transaction() as session:  # as a link leaves it
        for table in (Urn, Ticket):
            session.execute(sa.update(table).values(contact_id=known.contact_id))
        session.execute(sa.text("UPDATE conversations SET contact_id = :n"), {"n": known.contact_id})
    assert other.id != known.id
    erases(browser("mai"), known.contact_id)
    assert "ngosauzxq" not in everything_said(world)
    assert audited(world, "contact.erased")[0].data["went"]["channels"] == 2


def test_what_is_held_stays_until_it_is_released(world: World, browser: Open, known: Ticket) -> None:
    mai = world.official("mai")
    hold(world.runtime, mai, known.id, reason="Tòa án yêu cầu giữ hồ sơ")
    erases(browser("mai"), known.contact_id)
    assert HOLE in [message.text for message in all_rows(world.runtime, Message)]
    assert any(b"ngosauzxq" in event.body for event in all_rows(world.runtime, InboundEvent))
    assert {contact.phone for contact in all_rows(world.runtime, Contact)} == {None}
    world.clock.now += timedelta(days=1)  # type: ignore[attr-defined]
    release(world.runtime, mai, known.id)
    assert "ngosauzxq" not in everything_said(world)
    assert not all_rows(world.runtime, Ticket)[0].is_open


def test_the_citizen_is_told_once_that_it_was_done(world: World, browser: Open, known: Ticket) -> None:
    one = browser("mai")
    here = f"/contacts/{known.contact_id}"
    page = one.open(here)
    page = one.send(page.form(f"{here}/erasure/preview"), why="nguoi_dan_yeu_cau")
    assert "Người dân sẽ được báo một lần qua Zalo OA Đức Huệ là đã xóa" in page.text
    page = one.send(page.form(f"{here}/erasure"), sure="1")
    assert "Báo cho người dân qua Zalo OA Đức Huệ: đang chờ gửi." in page.text
    (owed,) = (row for row in all_rows(world.runtime, Delivery) if row.state is DeliveryState.WAITING)
    assert owed.text.startswith("Theo yêu cầu của ông/bà, ngày 07/10/2026")
    assert {row.text for row in all_rows(world.runtime, Delivery) if row.id != owed.id} <= {GONE}
    assert REPLIES in world.runtime.nudge.jobs  # type: ignore[attr-defined]


def test_who_cannot_be_reached_is_told_in_another_way(world: World, browser: Open, known: Ticket) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Urn).values(unreachable_at=world.runtime.now(), unreachable_code="blocked"))
    one = browser("mai")
    here = f"/contacts/{known.contact_id}"
    page = one.open(here)
    page = one.send(page.form(f"{here}/erasure/preview"), why="nguoi_dan_yeu_cau")
    assert "Không nhắn được cho người này qua kênh nào" in page.text
    page = one.send(page.form(f"{here}/erasure"), sure="1")
    assert "Không có kênh nào để báo cho người dân là đã xóa" in page.text
    assert not [row for row in all_rows(world.runtime, Delivery) if row.state is DeliveryState.WAITING]


def test_of_linked_channels_only_the_last_used_tells_it(world: World, browser: Open, known: Ticket) -> None:
    test_all_linked_channels_are_erased(world, browser, known, lambda words, user: _reported(world, words, user))
    told = [row for row in all_rows(world.runtime, Delivery) if row.state is DeliveryState.WAITING]
    assert [urn_value(world, row.urn_id) for row in told] == ["zalo:3000000000000000077"]


def _reported(world: World, words: str, user: str) -> Ticket:
    world.clock.move(minutes=3)  # type: ignore[attr-defined]
    world.says(words, user=user)
    intake.drain(world.runtime)
    return all_rows(world.runtime, Ticket)[-1]


def urn_value(world: World, urn_id: int) -> str:
    return next(urn.value for urn in all_rows(world.runtime, Urn) if urn.id == urn_id)


def test_what_was_sealed_and_is_erased_is_not_counted_as_held(world: World, browser: Open, known: Ticket) -> None:
    world.says(DENUNCIATION)
    intake.drain(world.runtime)
    one = browser("mai")
    assert "<dt>Tin người dân nhắn</dt><dd>2</dd>" in one.open(f"/contacts/{known.contact_id}").html
    assert "<dt>Tin người dân nhắn</dt><dd>1</dd>" in browser("lan").open(f"/contacts/{known.contact_id}").html
    erases(one, known.contact_id)
    page = one.open(f"/contacts/{known.contact_id}")
    assert "2 tin nhắn đến" in page.text
    assert "<dt>Tin người dân nhắn</dt><dd>0</dd>" in page.html
    assert "<dt>Tin địa phương trả lời</dt><dd>1</dd>" in page.html
    assert DENUNCIATION not in everything_said(world)


def test_a_citizen_is_put_into_a_group_and_taken_out_on_their_page(world: World, browser: Open) -> None:
    from bot.usecases import groups

    groups.add(world.runtime, world.official("tuan"), "Hộ nuôi lợn")
    [pigs] = all_rows(world.runtime, Group)
    world.says("Đèn đường hỏng ở xóm 5")
    intake.drain(world.runtime)
    [contact] = all_rows(world.runtime, Contact)
    lan = browser("lan")
    page = lan.open(f"/contacts/{contact.id}")
    form = page.form(f"/contacts/{contact.id}/groups")
    assert "Cần ghi người dân đồng ý" in lan.send(form, 422, group=str(pigs.id), reason="ừ").text
    shown = lan.send(form, group=str(pigs.id), reason="Đồng ý tại buổi họp thôn").text
    assert "Đồng ý tại buổi họp thôn" in shown
    out = lan.open(f"/contacts/{contact.id}").form(f"/contacts/{contact.id}/groups/{pigs.id}/removal")
    assert "Chưa ở nhóm nào" in lan.send(out).text
    lan.send(form, 404, group="987654", reason="Đồng ý tại buổi họp thôn")
