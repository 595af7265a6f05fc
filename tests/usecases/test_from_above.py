"""Bulletins from above: kept once, shown, passed on word for word, and an emergency pushed to all exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapters import ADAPTERS
from bot.access import NotFound
from bot.runtime import utc_now
from bot.usecases import bulletin_following, bulletins, from_above, source_listening
from bot.usecases.announcements import expand_due
from bot.usecases.announcing import AnnouncementError
from storage.alerts import Alert
from storage.announcements import Announcement
from storage.audit import AuditEntry
from storage.bulletins import Bulletin
from storage.contacts import Urn
from storage.deliveries import Delivery
from storage.enums import AnnouncementState, BulletinKind, DeliveryState, Importance
from storage.notices import SourceNotice
from tests.builders import World, all_rows
from tests.loudspeakers import connect, listen_again
from tests.sandbox.villages import Villages, villages
from tests.usecases.bulletins import approve, submit, tried
from tests.usecases.telling import Phone, followers, phone

__all__ = ["phone"]

SOURCE = "UBND tỉnh Tập Dượt"
FLOOD = {"ref": "T.9", "urgency": "khan_cap", "title": "Lũ lên", "text": "Nước sông lên nhanh, bà con sơ tán ngay."}


@pytest.fixture
def loa(tmp_path: Path) -> Iterator[Villages]:
    """A pretend source system; what differs between conventions, the adapter's own tests look at."""
    with villages(tmp_path) as found:
        yield found


@pytest.fixture
def above(world: World, loa: Villages, phone: Phone) -> World:
    """The commune, its loudspeakers connected to the system, by the real clock."""
    world.runtime.adapters = {**ADAPTERS, **world.runtime.adapters}
    connect(world, loa)
    world.clock = utc_now
    return world


def deliveries(world: World) -> list[Delivery]:
    expand_due(world.runtime, budget_seconds=20)
    return [row for row in all_rows(world.runtime, Delivery) if row.announcement_id is not None]


def the_notice(world: World) -> SourceNotice:
    [row] = all_rows(world.runtime, SourceNotice)
    return row


def calls(world: World) -> list[Any]:
    return [alert.data["what"] for alert in all_rows(world.runtime, Alert)]


def test_a_bulletin_from_above_is_kept_whole_and_shown(above: World, loa: Villages) -> None:
    until = int((utc_now() + timedelta(days=2)).timestamp()) * 1000
    loa.hand_down(urgency="uu_tien", until=until)
    listen_again(above.runtime)
    row = the_notice(above)
    assert (row.ref, row.revision, row.urgency, row.source) == ("T.1", 1, Importance.PRIORITY, SOURCE)
    assert row.valid_until is not None
    assert int(row.valid_until.timestamp()) * 1000 == until
    assert "ThongTinChiTietBanTin" in row.raw
    [line] = from_above.listing(above.runtime, above.official("tuan"))
    assert (line.heading, line.holds, line.passed_on) == (f"Tin ưu tiên của {SOURCE}", True, [])
    assert deliveries(above) == []


def test_what_is_for_others_is_not_shown(above: World, loa: Villages) -> None:
    loa.hand_down(areas=["99999"], urgency="khan_cap")
    listen_again(above.runtime)
    assert all_rows(above.runtime, SourceNotice) == []
    assert deliveries(above) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop", "when": "after"}, {"kind": "malformed"}, {"kind": "status", "status": 500}, {"kind": "busy"},
        {"kind": "expired"}, {"kind": "token"},
        {"kind": "repeat", "applies_to": "notices_told"}, {"kind": "shuffle", "applies_to": "notices_told"},
        {"kind": "junk", "applies_to": "notices_told"},
    ],
    ids=str,
)  # fmt: skip
def test_an_emergency_reaches_every_follower_once_whatever_breaks(
    above: World, loa: Villages, fault: dict[str, Any]
) -> None:
    followers(above, 3)
    loa.fault(**{"applies_to": "notices", **fault})
    loa.hand_down()
    loa.hand_down(**FLOOD)
    for _ in range(3):
        listen_again(above.runtime)
        source_listening.ask_due(above.runtime)
    owed = deliveries(above)
    assert len(owed) == 3
    assert f"KHẨN CẤP: tin của {SOURCE}" in owed[0].text
    assert "Lũ lên" in owed[0].text
    assert len(all_rows(above.runtime, SourceNotice)) == 2


def test_nobody_can_mute_it_and_it_is_written_down(above: World, loa: Villages) -> None:
    followers(above, 2)
    with above.runtime.database.transaction() as session:
        session.execute(sa.update(Urn).values(opted_out_at=utc_now()))
    loa.hand_down(**FLOOD)
    listen_again(above.runtime)
    assert len(deliveries(above)) == 2
    [bulletin] = all_rows(above.runtime, Bulletin)
    assert (bulletin.author_id, bulletin.approver_id, bulletin.importance) == (None, None, Importance.EMERGENCY)
    assert bulletins.needs_review(bulletin)
    pushed = [row for row in all_rows(above.runtime, AuditEntry) if row.action == "bulletin.pushed"]
    assert [row.official_id for row in pushed] == [None]
    assert pushed[0].data["audience"] == 2
    assert calls(above) == ["pushed"]


def test_an_emergency_that_is_over_when_it_comes_is_only_shown(above: World, loa: Villages) -> None:
    followers(above, 1)
    loa.hand_down(**FLOOD, until=int((utc_now() - timedelta(hours=1)).timestamp()) * 1000)
    listen_again(above.runtime)
    assert deliveries(above) == []
    assert the_notice(above).urgency is Importance.EMERGENCY


def test_a_revision_takes_the_place_of_what_still_waits(above: World, loa: Villages) -> None:
    followers(above, 2)
    loa.hand_down(**FLOOD)
    listen_again(above.runtime)
    assert len(deliveries(above)) == 2
    loa.hand_down(**{**FLOOD, "text": "Nước đã qua đỉnh, vẫn ở nơi cao.", "urgency": "uu_tien"}, revision=2)
    listen_again(above.runtime)
    owed = deliveries(above)
    assert [row.state for row in owed] == [DeliveryState.CANCELLED] * 2 + [DeliveryState.WAITING] * 2
    assert "(bản 2)" in owed[-1].text
    first, second = all_rows(above.runtime, Announcement)
    assert (first.state, second.importance) == (AnnouncementState.STOPPED, Importance.EMERGENCY)


def test_an_earlier_revision_that_comes_late_changes_nothing(above: World, loa: Villages) -> None:
    followers(above, 1)
    loa.hand_down(**FLOOD, revision=2)
    listen_again(above.runtime)
    loa.hand_down(**{**FLOOD, "text": "Bản đầu"}, revision=1)
    listen_again(above.runtime)
    assert len(deliveries(above)) == 1
    [line] = from_above.listing(above.runtime, above.official("hoa"))
    assert line.notice.revision == 2


def test_a_cancellation_tells_everybody(above: World, loa: Villages) -> None:
    followers(above, 2)
    loa.hand_down(**FLOOD)
    listen_again(above.runtime)
    loa.hand_down(**FLOOD, revision=2, cancelled="Nước đã rút.")
    listen_again(above.runtime)
    owed = [row for row in deliveries(above) if row.state is DeliveryState.WAITING]
    assert len(owed) == 2
    assert "HẾT HIỆU LỰC" in owed[0].text
    assert "“Lũ lên” không còn hiệu lực. Nước đã rút." in owed[0].text


def test_a_cancelled_one_that_was_never_heard_of_tells_nobody(above: World, loa: Villages) -> None:
    followers(above, 1)
    loa.hand_down(**FLOOD, revision=2, cancelled="Nhầm.")
    loa.hand_down(**FLOOD)
    listen_again(above.runtime)
    assert deliveries(above) == []


def test_a_person_passes_it_on_word_for_word(above: World, loa: Villages) -> None:
    followers(above, 2)
    loa.hand_down(until=int((utc_now() + timedelta(days=2)).timestamp()) * 1000)
    listen_again(above.runtime)
    number = from_above.pass_on(above.runtime, above.official("tuan"), the_notice(above).id)
    row = all_rows(above.runtime, Bulletin)[0]
    changed = bulletins.written_in(row)
    later = utc_now() + timedelta(days=1)
    bulletins.edit(
        above.runtime, above.official("tuan"), number, version=row.version,
        written=type(changed)("Đổi tiêu đề", "Đổi lời", (above.channel_id,), later, importance=Importance.EMERGENCY),
    )  # fmt: skip
    row = all_rows(above.runtime, Bulletin)[0]
    assert (row.title, row.importance, row.valid_until) == (f"Tin của {SOURCE}", Importance.ROUTINE, later)
    assert row.body == "Lịch tiêm chủng\n\nTiêm chủng thứ Bảy."
    tried(above, number)
    submit(above, number)
    approve(above, number)
    assert [row.text.count("Tiêm chủng thứ Bảy.") for row in deliveries(above)] == [1, 1]


def test_an_author_cannot_approve_it_alone(above: World, loa: Villages) -> None:
    followers(above, 1)
    loa.hand_down(until=int((utc_now() + timedelta(days=2)).timestamp()) * 1000)
    listen_again(above.runtime)
    number = from_above.pass_on(above.runtime, above.official("tuan"), the_notice(above).id)
    tried(above, number)
    submit(above, number)
    with pytest.raises(AnnouncementError, match=r"không có quyền|không được tự duyệt"):
        approve(above, number, "tuan")


def test_what_was_revised_meanwhile_is_not_approved(above: World, loa: Villages) -> None:
    followers(above, 1)
    loa.hand_down(until=int((utc_now() + timedelta(days=2)).timestamp()) * 1000)
    listen_again(above.runtime)
    number = from_above.pass_on(above.runtime, above.official("tuan"), the_notice(above).id)
    tried(above, number)
    submit(above, number)
    loa.hand_down(text="Dời sang Chủ nhật.", revision=2)
    listen_again(above.runtime)
    with pytest.raises(AnnouncementError, match="bản mới"):
        approve(above, number)


def test_what_was_passed_on_and_is_taken_back_stops_and_calls_people(above: World, loa: Villages) -> None:
    followers(above, 1)
    loa.hand_down(until=int((utc_now() + timedelta(days=2)).timestamp()) * 1000)
    listen_again(above.runtime)
    number = from_above.pass_on(above.runtime, above.official("tuan"), the_notice(above).id)
    tried(above, number)
    submit(above, number)
    approve(above, number)
    loa.hand_down(revision=2, cancelled="Hoãn.")
    listen_again(above.runtime)
    assert [row.state for row in all_rows(above.runtime, Announcement)] == [AnnouncementState.STOPPED]
    assert calls(above) == ["taken_back"]
    with pytest.raises(AnnouncementError, match="địa phương không đính chính"):
        bulletin_following.follow_up(above.runtime, above.official("tuan"), number, BulletinKind.CORRECTION)
    bulletin_following.follow_up(above.runtime, above.official("tuan"), number, BulletinKind.RECALL)


def test_who_has_no_part_in_bulletins_sees_none(above: World, loa: Villages) -> None:
    loa.hand_down()
    listen_again(above.runtime)
    with pytest.raises(AnnouncementError):
        from_above.listing(above.runtime, above.official("hung"))
    with pytest.raises(NotFound):
        from_above.look_at(above.runtime, above.official("tuan"), 999)
