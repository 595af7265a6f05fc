"""What administrators do: officials, units, the calendar and settings, each with its refusals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
import sqlalchemy as sa

from bot.access import Forbidden, NotFound
from bot.rules.office_hours import DayOff, read_week
from bot.usecases import agency_list, intake, invitations, office_hours, official_list
from bot.usecases.administering import AdminProblem
from bot.usecases.agency_list import About as Unit
from bot.usecases.commune_settings import change_by, settings_of
from bot.usecases.office_hours import Wish
from bot.usecases.official_list import About
from bot.usecases.officials import OfficialError
from bot.usecases.sealed_readers import name
from bot.usecases.sign_in import WrongPassword, sign_in, signed_in
from bot.usecases.sweep import sweep
from storage.agencies import Agency, RoutingRule
from storage.audit import AuditEntry
from storage.enums import EventKind, Role
from storage.officials import Official
from storage.tickets import Ticket, TicketEvent
from tests.builders import PASSWORD, World, all_rows
from tests.conftest import Clock

PERSON = About("Lý Văn Mới", "0900 000 001", None, (Role.RECEIVER,))
ADDRESS = "127.0.0.1"


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(AdminProblem) as problem:
        act()
    return str(problem.value)


def agency(world: World, slug: str) -> Agency:
    return next(one for one in all_rows(world.runtime, Agency) if one.slug == slug)


def audited(world: World) -> list[str]:
    return [one.action for one in all_rows(world.runtime, AuditEntry) if one.official_id == world.officials["an"]]


def held_by(world: World, who: str, *words: str) -> list[Ticket]:
    """Reports that this official has."""
    for number, said in enumerate(words):
        world.says(said, user=f"30000000000000001{number:02d}")
    intake.drain(world.runtime)
    with world.runtime.database.transaction() as session:
        for ticket in session.scalars(sa.select(Ticket)):
            ticket.official_id = world.officials[who]
            ticket.agency_id = world.official(who).agency_id
    return all_rows(world.runtime, Ticket)


def test_a_new_official_chooses_a_password_that_nobody_else_knows(world: World, clock: Clock) -> None:
    runtime, an = world.runtime, world.official("an")
    number, secret = official_list.add(runtime, an, " Moi.LY ", PERSON, ADDRESS)
    with pytest.raises(WrongPassword):
        sign_in(runtime, "moi.ly", secret, ADDRESS)
    assert invitations.find_invited(runtime, secret).name == "Lý Văn Mới"
    with pytest.raises(OfficialError):
        invitations.accept(runtime, secret, "ngan", ADDRESS)
    assert invitations.accept(runtime, secret, PASSWORD, ADDRESS) == "moi.ly"
    with pytest.raises(NotFound):
        invitations.accept(runtime, secret, PASSWORD, ADDRESS)
    session = sign_in(runtime, "moi.ly", PASSWORD, ADDRESS)
    again = official_list.reset(runtime, an, number, ADDRESS)
    assert signed_in(runtime, session) is None
    clock.move(days=3, seconds=1)
    with pytest.raises(NotFound):
        invitations.find_invited(runtime, again)
    assert audited(world)[:2] == ["official.added", "official.access_reset"]
    assert secret not in repr([one.data for one in all_rows(runtime, AuditEntry)])


def test_what_may_not_be_is_refused_and_nothing_is_changed(world: World) -> None:
    runtime, an = world.runtime, world.official("an")
    lan, mai = world.officials["lan"], world.officials["mai"]
    whole = About("Đặng Văn An", "", None, (Role.ADMIN,))
    assert "đã có người dùng" in refused(lambda: official_list.add(runtime, an, "lan", PERSON, ADDRESS))
    assert "3–80" in refused(lambda: official_list.add(runtime, an, "Lý Văn", PERSON, ADDRESS))
    assert "họ tên" in refused(
        lambda: official_list.add(runtime, an, "a.b", About(" ", "", None, (Role.LEADER,)), ADDRESS)
    )
    assert "vai trò" in refused(lambda: official_list.add(runtime, an, "a.b", About("Lý", "", None, ()), ADDRESS))
    sealed = About("Lý Văn", "", None, (Role.SEALED_READER,))
    assert "vai trò" in refused(lambda: official_list.add(runtime, an, "a.b", sealed, ADDRESS))
    handler = About("Lý Văn", "", None, (Role.HANDLER,))
    assert "chọn đơn vị" in refused(lambda: official_list.add(runtime, an, "a.b", handler, ADDRESS))
    more = About("Đặng Văn An", "", None, (Role.ADMIN, Role.LEADER))
    assert "tự đổi vai trò" in refused(lambda: official_list.change(runtime, an, an.id, more, ADDRESS))
    assert "tự ngừng" in refused(
        lambda: official_list.switch_off(runtime, an, an.id, heir_id=None, seen=0, address=ADDRESS)
    )
    assert "tự đặt lại" in refused(lambda: official_list.reset(runtime, an, an.id, ADDRESS))
    moved = About("Lê Thị Mai", "", agency(world, "kinh-te").id, (Role.LEADER,))
    assert "giao mật" in refused(lambda: official_list.change(runtime, an, mai, moved, ADDRESS))
    for act in (
        lambda: official_list.overview(runtime, world.official("mai")),
        lambda: agency_list.overview(runtime, world.official("lan")),
    ):
        with pytest.raises(Forbidden):
            act()
    official_list.change(runtime, an, an.id, whole, ADDRESS)  # the same roles: a name may be put right
    second = official_list.add(runtime, an, "quan.tri", About("Quản Trị Hai", "", None, (Role.ADMIN,)), ADDRESS)[0]
    two = next(one for one in all_rows(runtime, Official) if one.id == second)
    official_list.switch_off(runtime, two, an.id, heir_id=None, seen=0, address=ADDRESS)
    less = About("Quản Trị Hai", "", None, (Role.RECEIVER,))
    assert "tự đổi" in refused(lambda: official_list.change(runtime, two, second, less, ADDRESS))
    assert world.official("lan").id == lan
    assert not world.official("an").is_active


def test_who_leaves_hands_over_what_is_open(world: World) -> None:
    runtime, an = world.runtime, world.official("an")
    heir, _ = official_list.add(
        runtime, an, "binh", About("Trần Bình", "", agency(world, "kinh-te").id, (Role.HANDLER,)), ADDRESS
    )
    held_by(world, "hung", "Ổ gà to trên đường Xóm 5", "Tôi tố cáo cán bộ địa chính nhận hối lộ mười triệu đồng")
    found = official_list.leaving(runtime, an, world.officials["hung"])
    assert [ticket.is_sealed for ticket in found.work] == [False]
    assert found.heirs == [(heir, "Trần Bình"), (an.id, "Đặng Văn An")][:1]
    assert "vừa thay đổi" in refused(
        lambda: official_list.switch_off(runtime, an, found.official.id, heir_id=heir, seen=5, address=ADDRESS)
    )
    wrong = world.officials["lan"]
    assert "Người nhận bàn giao" in refused(
        lambda: official_list.switch_off(runtime, an, found.official.id, heir_id=wrong, seen=1, address=ADDRESS)
    )
    assert official_list.switch_off(runtime, an, found.official.id, heir_id=heir, seen=1, address=ADDRESS) == 1
    plain, sealed = sorted(all_rows(runtime, Ticket), key=lambda one: one.is_sealed)
    assert plain.official_id == heir
    assert sealed.official_id is None
    with pytest.raises(WrongPassword):
        sign_in(runtime, "hung", PASSWORD, ADDRESS)
    assert [e.kind for e in all_rows(runtime, TicketEvent)].count(EventKind.ASSIGNED) == 2
    secret = official_list.switch_on(runtime, an, found.official.id, ADDRESS)
    assert invitations.find_invited(runtime, secret).username == "hung"


def test_who_gets_a_new_link_or_leaves_reads_nothing_sealed_any_more(world: World) -> None:
    runtime, an = world.runtime, world.official("an")
    official_list.reset(runtime, an, world.officials["mai"], ADDRESS)
    assert not world.official("mai").has(Role.SEALED_READER)
    name(runtime, an, world.officials["mai"], ADDRESS)
    official_list.switch_off(runtime, an, world.officials["mai"], heir_id=None, seen=0, address=ADDRESS)
    assert not world.official("mai").has(Role.SEALED_READER)
    assert audited(world).count("official.withdrawn_reader") == 2


def test_a_unit_that_ends_leaves_its_work_people_and_topics_to_another(world: World, clock: Clock) -> None:
    runtime, an = world.runtime, world.official("an")
    kinh_te, new = agency(world, "kinh-te"), agency_list.add(runtime, an, Unit("Phòng Kinh tế, Hạ tầng và Đô thị"))
    held_by(world, "hung", "Ổ gà to trên đường Xóm 5")
    tomorrow = date(2026, 10, 8)
    seen = agency_list.preview(runtime, an, kinh_te.id, new, tomorrow)
    assert (len(seen.work), seen.people) == (1, ["Trần Văn Hùng"])
    assert agency_list.close(runtime, an, kinh_te.id, new, tomorrow, seen=1) is False
    agency_list.keep_open(runtime, an, kinh_te.id)
    agency_list.close(runtime, an, kinh_te.id, new, tomorrow, seen=1)
    sweep(runtime)
    assert agency(world, "kinh-te").is_active
    clock.move(hours=12)
    sweep(runtime)
    assert not agency(world, "kinh-te").is_active
    assert [t.agency_id for t in all_rows(runtime, Ticket)] == [new]
    assert world.official("hung").agency_id == new
    rules = {one.topic: (one.agency_id, one.valid_from) for one in all_rows(runtime, RoutingRule)}
    topic = all_rows(runtime, Ticket)[0].topic
    assert rules[topic] == (new, tomorrow)
    world.says("Ổ gà to trên đường Xóm 7", user="3000000000000000077")
    intake.drain(runtime)
    assert {t.agency_id for t in all_rows(runtime, Ticket)} == {new}
    assert agency_list.overview(runtime, an).closed[0].successor == "Phòng Kinh tế, Hạ tầng và Đô thị"


def test_units_that_routing_needs_stay_and_names_are_not_given_twice(world: World) -> None:
    runtime, an = world.runtime, world.official("an")
    office, kinh_te = agency(world, "van-phong"), agency(world, "kinh-te")
    on = date(2026, 10, 7)
    assert "luôn cần" in refused(lambda: agency_list.preview(runtime, an, office.id, kinh_te.id, on))
    assert "đơn vị khác" in refused(lambda: agency_list.preview(runtime, an, kinh_te.id, kinh_te.id, on))
    assert "một năm" in refused(lambda: agency_list.preview(runtime, an, kinh_te.id, office.id, date(2026, 10, 6)))
    assert "mang tên này" in refused(lambda: agency_list.add(runtime, an, Unit("phong kinh te")))
    assert "tên đơn vị" in refused(lambda: agency_list.add(runtime, an, Unit(" ")))
    assert "điện thoại" in refused(lambda: agency_list.change(runtime, an, kinh_te.id, Unit("Kinh tế", phone="gọi em")))
    assert "ngày kết thúc nào" in refused(lambda: agency_list.keep_open(runtime, an, kinh_te.id))
    agency_list.change(runtime, an, kinh_te.id, Unit("Phòng Kinh tế", "Bà Sáu", "0236 3 111 222", "H36.12"))
    assert agency(world, "kinh-te").contact_name == "Bà Sáu"


def test_deadlines_follow_a_day_off_that_is_announced_late(world: World) -> None:
    runtime, an = world.runtime, world.official("an")
    world.says("Ổ gà to trên đường Xóm 5")
    world.says("Tôi tố cáo cán bộ địa chính nhận hối lộ mười triệu đồng", user="3000000000000000009")
    intake.drain(runtime)
    before = {t.id: (t.due_at, t.version) for t in all_rows(runtime, Ticket)}
    thursday = Wish(days=(DayOff(date(2026, 10, 8), "Nghỉ theo thông báo của tỉnh"),))
    seen = office_hours.look(runtime, an, thursday)
    assert [(move.after - move.before).days >= 1 for move in seen.moves] == [True]
    assert "vừa được người khác sửa" in refused(lambda: office_hours.keep(runtime, an, thursday, "x"))
    assert office_hours.keep(runtime, an, thursday, seen.seal) == 1
    plain, sealed = sorted(all_rows(runtime, Ticket), key=lambda one: one.is_sealed)
    assert plain.due_at == seen.moves[0].after
    assert plain.version == before[plain.id][1] + 1
    assert (sealed.due_at, sealed.version) == before[sealed.id]
    assert [e.kind for e in all_rows(runtime, TicketEvent)].count(EventKind.CALENDAR_MOVED) == 1
    removed = Wish(removed=(date(2026, 10, 8),))
    office_hours.keep(runtime, an, removed, office_hours.look(runtime, an, removed).seal)
    assert {t.id: t.due_at for t in all_rows(runtime, Ticket)}[plain.id] == before[plain.id][0]


def test_other_hours_move_deadlines_and_a_calendar_without_work_is_refused(world: World) -> None:
    runtime, an = world.runtime, world.official("an")
    world.says("Ổ gà to trên đường Xóm 5")
    intake.drain(runtime)
    mornings = Wish(hours=read_week({day: ["07:30", "11:30"] for day in range(5)}))
    seen = office_hours.look(runtime, an, mornings)
    assert len(seen.moves) == 1
    office_hours.keep(runtime, an, mornings, seen.seal)
    page = office_hours.overview(runtime, an, 2026)
    assert page.hours == mornings.hours
    assert office_hours.look(runtime, an, mornings).moves == []
    assert date(2026, 9, 2) in [line.day for line in page.lines]
    never = Wish(days=tuple(DayOff(date.fromordinal(date(2026, 10, 1).toordinal() + n), "Nghỉ") for n in range(800)))
    assert "không còn giờ làm việc" in refused(lambda: office_hours.look(runtime, an, never))


def test_settings_are_kept_all_or_none_and_those_of_the_operator_stay(world: World) -> None:
    runtime, an = world.runtime, world.official("an")
    wrong = change_by(runtime, an, {"undo_seconds": "999999", "duty_phone": "0900 111 222", "needs_approval": "maybe"})
    assert set(wrong) == {"undo_seconds", "needs_approval"}
    assert settings_of(runtime, "duc-hue")["undo_seconds"] == 0
    assert change_by(runtime, an, {"undo_seconds": "", "duty_phone": "0900 111 222", "leaders_days": "1"}) == {}
    own = settings_of(runtime, "duc-hue")
    assert own["duty_phone"] == "0900 111 222"
    assert "undo_seconds" not in own
    assert "leaders_days" not in own
    assert audited(world) == ["commune.settings"]
