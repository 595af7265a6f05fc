"""Access, walked through every page: another commune, every role, sealed and restricted tickets."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from bot.usecases.setup import add_commune
from storage.agencies import Agency
from storage.audit import AuditEntry
from storage.deliveries import Delivery
from storage.enums import AttachmentState, Role
from storage.messages import Attachment, Message
from storage.officials import Official
from storage.tickets import Ticket
from tests.builders import World, _password_hash, all_rows
from tests.web.pages import Browser

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]
DENUNCIATION = "Tôi tố cáo cán bộ địa chính nhận hối lộ mười triệu đồng"
CONDUCT = "Cán bộ một cửa quát nạt dân, thái độ không tốt"


def neighbour(world: World, *roles: Role) -> str:
    """An official of another commune with these roles."""
    with world.runtime.database.reading() as session:
        code = session.scalar(
            sa.text("SELECT code FROM localities WHERE level = 'commune' AND code <> '27925' ORDER BY code LIMIT 1")
        )
    other = add_commune(world.runtime, code=str(code), slug="xa-ben")
    return official(world, "ben", other, *roles)


def official(world: World, username: str, commune_id: int, *roles: Role, agency: str | None = None) -> str:
    with world.runtime.database.transaction() as session:
        agency_id = session.scalar(sa.select(Agency.id).where(Agency.commune_id == commune_id, Agency.slug == agency))
        session.add(
            Official(
                commune_id=commune_id,
                agency_id=agency_id,
                username=username,
                name=f"Cán bộ {username}",
                password_hash=_password_hash(),
                roles=[role.value for role in roles],
                created_at=world.clock(),
            )
        )
    return username


def with_file(world: World, ticket: Ticket) -> int:
    """A stored photo on the ticket's first message; gives its number."""
    blob = world.runtime.blobs.keep(b"%PDF-")
    with world.runtime.database.transaction() as session:
        message = session.scalars(sa.select(Message).where(Message.ticket_id == ticket.id).order_by(Message.id)).first()
        assert message is not None
        row = Attachment(
            commune_id=message.commune_id,
            message_id=message.id,
            kind="file",
            state=AttachmentState.STORED,
            mime="application/pdf",
            size=5,
            blob=blob,
            name="đơn.pdf",
        )
        session.add(row)
        session.flush()
        return row.id


def every_path(app: Flask, ticket: Ticket, file: int, delivery: int) -> list[tuple[str, str]]:
    """Each route that names a ticket, a file or a delivery, with this one's number."""
    found = []
    for rule in app.url_map.iter_rules():
        number = {"/tickets": ticket.id, "/files": file, "/deliveries": delivery}.get("/" + rule.rule.split("/")[1])
        if number is None or "<" not in rule.rule:
            continue
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        found.append((method, re.sub(r"<[^>]+>", str(number), rule.rule)))
    assert len(found) > 12
    return found


def walk(one: Browser, paths: list[tuple[str, str]], version: int) -> set[int]:
    """Try every path as this official; gives the answers' status codes."""
    one.open("/sign-in") if one.page.html == "" else None
    token = re.search(r'name="csrf_token" value="([^"]+)"', one.page.html)
    assert token
    fields = {
        "csrf_token": token[1],
        "version": str(version),
        "token": "t" * 32,
        "text": "x",
        "words": "mười ký tự trở lên",
        "kind": "reply",
    }
    fields |= {"topic": "rac-thai", "agency": "1", "state": "da_tiep_nhan"}
    return {one.client.open(path, method=method, data=fields if method == "POST" else None).status_code
            for method, path in paths}  # fmt: skip


def untouched(world: World, ticket: Ticket) -> bool:
    with world.runtime.database.reading() as session:
        now = session.get_one(Ticket, ticket.id)
    return (now.version, now.state, now.is_touched, now.is_sealed) == (
        ticket.version,
        ticket.state,
        ticket.is_touched,
        ticket.is_sealed,
    )


@pytest.mark.parametrize("role", [*Role])
def test_another_communes_ticket_does_not_exist(
    world: World, app: Flask, browser: Open, reported: Reported, role: Role
) -> None:
    ticket = reported("Rác chất đống ở Chợ Đình")
    paths = every_path(app, ticket, with_file(world, ticket), all_rows(world.runtime, Delivery)[0].id)
    one = browser(neighbour(world, role))
    works_here = role in {Role.RECEIVER, Role.HANDLER, Role.LEADER, Role.SEALED_READER}
    assert walk(one, paths, ticket.version) == {404 if works_here else 403}
    assert untouched(world, ticket)
    if works_here:
        assert "Chợ Đình" not in one.open("/tickets?view=all&q=cho dinh").html.replace("q=cho", "")


@pytest.mark.parametrize(
    ("who", "status"), [("lan", 404), ("hung", 404), ("tuan", 404), ("hoa", 403), ("an", 403)]
)  # fmt: skip
def test_a_sealed_ticket_is_invisible_to_all_but_its_keepers(
    world: World, app: Flask, browser: Open, reported: Reported, who: str, status: int
) -> None:
    ticket = reported(DENUNCIATION)
    assert ticket.is_sealed
    paths = every_path(app, ticket, with_file(world, ticket), all_rows(world.runtime, Delivery)[0].id)
    one = browser(who)
    assert walk(one, paths, ticket.version) == {status}
    assert untouched(world, ticket)
    if status == 404:
        for view in ("new", "mine", "due", "urgent", "all"):
            page = one.open(f"/tickets?view={view}")
            assert ticket.code not in page.html
            assert not re.search(r'class="count">[1-9]', page.html)
        told = one.open(f"/tickets?view=all&q={ticket.code}").html
        for echo in (f"q={ticket.code}", f'value="{ticket.code}"', f"“{ticket.code}”", f"mã {ticket.code}"):
            told = told.replace(echo, "")  # what was asked is said again, whether there is such a ticket or not
        assert ticket.code not in told
        assert one.page.html.count('class="code"') == 0
        assert one.open("/tickets?view=all&q=hoi lo").html.count('class="code"') == 0


@pytest.mark.parametrize("role", [*Role])
def test_who_reads_what_is_sealed_is_for_leaders_and_administrators_to_see(
    world: World, browser: Open, role: Role
) -> None:
    one = browser(official(world, "moi", world.commune_id, role))
    page = one.open("/personal-data/sealed-readers", 200 if role in {Role.LEADER, Role.ADMIN} else 403)
    assert (world.official("mai").name in page.text) is (role in {Role.LEADER, Role.ADMIN})


def test_a_reader_sees_whom_the_words_seem_to_accuse_and_decides(
    world: World, browser: Open, reported: Reported
) -> None:
    ticket = reported(DENUNCIATION)
    one = browser("mai")
    page = one.open(f"/tickets/{ticket.id}")
    assert "có thể tố cáo: Phòng Kinh tế" in page.text
    form = page.form(f"/tickets/{ticket.id}/accusation")
    page = one.send(form)
    assert "Đã ghi đơn vị bị tố cáo" in page.text
    assert "có thể tố cáo" not in page.text
    with world.runtime.database.reading() as session:
        marked = session.get_one(Agency, session.get_one(Ticket, ticket.id).accused_agency_id)
    assert marked.slug == "kinh-te"


def test_what_accuses_the_leaders_exists_for_nobody_here(
    world: World, app: Flask, browser: Open, reported: Reported
) -> None:
    official(world, "dao", world.commune_id, Role.SEALED_READER, agency="tiep-cong-dan")
    ticket = reported("Tôi tố cáo chủ tịch xã nhận hối lộ mười triệu đồng")
    paths = every_path(app, ticket, with_file(world, ticket), all_rows(world.runtime, Delivery)[0].id)
    for who in ("mai", "dao", "lan", "hung"):
        one = browser(who)
        assert walk(one, paths, ticket.version) == {404}, who
        page = one.open("/tickets?view=all")
        assert ticket.code not in page.html
        assert ("chỉ cấp tỉnh mở được" in page.text) is (who == "dao"), who
    assert untouched(world, ticket)


def test_every_look_at_a_sealed_ticket_is_written_down(world: World, browser: Open, reported: Reported) -> None:
    ticket = reported(DENUNCIATION)
    file = with_file(world, ticket)
    one = browser("mai")
    one.open(f"/tickets/{ticket.id}")
    one.open(f"/tickets/{ticket.id}")
    assert one.client.get(f"/files/{file}").status_code == 200
    looks = [a for a in all_rows(world.runtime, AuditEntry) if a.action.endswith("sealed_viewed")]
    assert [a.target for a in looks] == [f"ticket:{ticket.id}", f"ticket:{ticket.id}", f"attachment:{file}"]
    assert {a.official_id for a in looks} == {world.officials["mai"]}


def test_the_list_shows_a_leader_that_there_is_something_sealed_but_not_what(
    world: World, browser: Open, reported: Reported
) -> None:
    ticket = reported(DENUNCIATION)
    page = browser("mai").open("/tickets")
    assert ticket.code in page.text
    assert "hối lộ" not in page.html


def test_who_keeps_sealed_reports_sees_nothing_else(world: World, browser: Open, reported: Reported) -> None:
    sealed = reported(DENUNCIATION, user="1")
    plain = reported("Rác chất đống ở Chợ Đình", user="2")
    one = browser(official(world, "mat", world.commune_id, Role.SEALED_READER))
    one.open(f"/tickets/{sealed.id}")
    one.open(f"/tickets/{plain.id}", 404)


def test_a_handler_sees_the_tickets_of_the_own_agency_only(world: World, browser: Open, reported: Reported) -> None:
    own = reported("Ổ gà to trên đường Xóm 5", user="1")
    other = reported("Trạm y tế không có thuốc", user="2")
    one = browser("hung")
    one.open(f"/tickets/{own.id}")
    one.open(f"/tickets/{other.id}", 404)
    page = one.open("/tickets?view=all")
    assert own.code in page.html
    assert other.code not in page.html


def test_the_accused_unit_never_sees_a_complaint_about_conduct(world: World, browser: Open, reported: Reported) -> None:
    ticket = reported(CONDUCT)
    assert ticket.is_restricted
    with world.runtime.database.transaction() as session:
        kinh_te = session.scalar(sa.select(Agency.id).where(Agency.slug == "kinh-te"))
        session.execute(
            sa.update(Ticket)
            .where(Ticket.id == ticket.id)
            .values(agency_id=kinh_te, official_id=world.officials["hung"])
        )
    browser("hung").open(f"/tickets/{ticket.id}", 404)
    browser("lan").open(f"/tickets/{ticket.id}")


def test_who_does_not_work_with_tickets_is_told_so(world: World, browser: Open) -> None:
    one = browser("an")
    page = one.open("/tickets", 403)
    assert "không có quyền" in page.text


def test_a_handler_does_not_learn_who_reported(world: World, browser: Open, reported: Reported) -> None:
    ticket = reported("Ổ gà to trên đường Xóm 5")
    with world.runtime.database.transaction() as session:
        session.execute(sa.text("UPDATE contacts SET name = 'Trần Thị Bưởi', phone = '0912345678'"))
    assert "Trần Thị Bưởi" not in browser("hung").open(f"/tickets/{ticket.id}").html
    page = browser("lan").open(f"/tickets/{ticket.id}")
    assert "Trần Thị Bưởi" in page.text
    assert "0912345678" not in page.html


def test_masked_numbers_are_shown_for_minutes_and_the_look_is_written_down(
    world: World, browser: Open, reported: Reported
) -> None:
    ticket = reported("Ổ gà to trên đường Xóm 5, gọi 0912345678")
    one = browser("lan")
    page = one.open(f"/tickets/{ticket.id}")
    assert "0912345678" not in page.html
    page = one.send(page.form(f"/tickets/{ticket.id}/revealing"), why="goi_lai")
    assert "0912345678" in page.text
    looks = [a for a in all_rows(world.runtime, AuditEntry) if a.action == "contact.revealed"]
    assert [(a.official_id, a.target) for a in looks] == [(world.officials["lan"], f"ticket:{ticket.id}")]
    world.clock.now += timedelta(minutes=6)  # type: ignore[attr-defined]
    assert "0912345678" not in one.open(f"/tickets/{ticket.id}").html


def test_a_handler_who_does_not_hold_the_ticket_cannot_reveal(world: World, browser: Open, reported: Reported) -> None:
    ticket = reported("Ổ gà to trên đường Xóm 5, gọi 0912345678")
    one = browser("hung")
    page = one.open(f"/tickets/{ticket.id}")
    assert not page.has_form(f"/tickets/{ticket.id}/revealing")
    token = page.form("/sign-out").fields["csrf_token"]
    assert one.client.post(f"/tickets/{ticket.id}/revealing", data={"csrf_token": token}).status_code == 403
