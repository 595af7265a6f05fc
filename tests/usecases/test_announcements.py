"""One official writes, another approves."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.queue import BROADCAST
from bot.rules.audience import CHECKLIST, text_hash
from bot.usecases import announcements
from bot.usecases.announcements import AnnouncementError, NoSuchAnnouncement
from bot.usecases.setup import add_commune
from storage.announcements import Announcement
from storage.audit import AuditEntry
from storage.communes import Commune
from storage.enums import AnnouncementState
from tests.builders import World, all_rows
from tests.usecases.telling import BODY, TITLE, a_draft, approve, approved, followers, submitted, the

# ---- writing --------------------------------------------------------------------------------------------------------


def test_a_draft_can_be_changed_by_its_author(world: World) -> None:
    number = a_draft(world)
    announcements.edit(
        world.runtime,
        world.official("tuan"),
        number,
        version=1,
        channel_id=world.channel_id,
        title="Mới",
        body="Nội dung",
    )
    row = the(world, number)
    assert (row.title, row.body, row.version) == ("Mới", "Nội dung", 2)


def test_a_change_made_in_another_window_is_not_overwritten(world: World) -> None:
    number = a_draft(world)
    change = {"channel_id": world.channel_id, "title": "Một", "body": BODY}
    announcements.edit(world.runtime, world.official("tuan"), number, version=1, **change)
    with pytest.raises(AnnouncementError, match="cửa sổ khác"):
        announcements.edit(world.runtime, world.official("tuan"), number, version=1, **change | {"title": "Hai"})
    assert the(world, number).title == "Một"


def test_somebody_without_the_right_cannot_write(world: World) -> None:
    with pytest.raises(AnnouncementError, match="không có quyền"):
        announcements.draft(world.runtime, world.official("lan"), channel_id=world.channel_id, title=TITLE, body=BODY)


def test_only_the_author_changes_a_draft(world: World) -> None:
    number = a_draft(world)
    with world.runtime.database.transaction() as session:
        session.execute(sa.text("UPDATE officials SET roles = '[\"soan_tin\"]' WHERE username = 'lan'"))
    with pytest.raises(AnnouncementError, match="Chỉ người soạn"):
        announcements.edit(
            world.runtime, world.official("lan"), number, version=1, channel_id=world.channel_id, title="x", body="y"
        )


def test_what_was_submitted_cannot_be_changed(world: World) -> None:
    followers(world, 1)
    number = submitted(world)
    with pytest.raises(AnnouncementError, match="không sửa được"):
        announcements.edit(
            world.runtime, world.official("tuan"), number, version=2, channel_id=world.channel_id, title="x", body="y"
        )


def test_the_checklist_must_be_ticked(world: World) -> None:
    followers(world, 1)
    number = a_draft(world)
    with pytest.raises(AnnouncementError, match="mục cần kiểm tra"):
        announcements.submit(world.runtime, world.official("tuan"), number, version=1, confirmed=CHECKLIST[:2])
    assert the(world, number).state is AnnouncementState.DRAFT


def test_the_ticked_checklist_is_kept_in_the_audit(world: World) -> None:
    followers(world, 1)
    number = submitted(world)
    entry = next(e for e in all_rows(world.runtime, AuditEntry) if e.action == "announcement.submitted")
    assert entry.target == f"announcement:{number}"
    assert entry.data["confirmed"] == list(CHECKLIST)


@pytest.mark.parametrize(("title", "body", "says"), [("Cắt điện", "  ", "nội dung"), (" ", "Mai cắt điện", "tiêu đề")])
def test_an_announcement_with_a_gap_is_not_submitted(world: World, title: str, body: str, says: str) -> None:
    followers(world, 1)
    number = a_draft(world, title, body)
    with pytest.raises(AnnouncementError, match=f"Chưa có {says}"):
        announcements.submit(world.runtime, world.official("tuan"), number, version=1, confirmed=CHECKLIST)


def test_the_whole_message_must_fit_into_a_thousand_characters(world: World) -> None:
    followers(world, 1)
    room = (
        1_000
        - announcements.preview(
            world.runtime, world.official("tuan"), channel_id=world.channel_id, title=TITLE, body="x"
        ).length
        + 1
    )
    fits, too_long = a_draft(world, TITLE, "x" * room), a_draft(world, TITLE, "x" * (room + 1))
    announcements.submit(world.runtime, world.official("tuan"), fits, version=1, confirmed=CHECKLIST)
    with pytest.raises(AnnouncementError, match="dài 1001 ký tự"):
        announcements.submit(world.runtime, world.official("tuan"), too_long, version=1, confirmed=CHECKLIST)


def test_a_title_of_more_than_eighty_characters_is_refused(world: World) -> None:
    a_draft(world, "x" * 80)
    with pytest.raises(AnnouncementError, match="80"):
        a_draft(world, "x" * 81)


def test_an_announcement_to_nobody_is_not_submitted(world: World) -> None:
    followers(world, 2, is_following=False)
    number = a_draft(world)
    with pytest.raises(AnnouncementError, match="chưa có ai"):
        announcements.submit(world.runtime, world.official("tuan"), number, version=1, confirmed=CHECKLIST)


def test_a_preview_shows_what_will_arrive_and_to_how_many(world: World) -> None:
    followers(world, 3)
    followers(world, 1, last_interaction_at=world.clock() - timedelta(days=9))
    seen = announcements.preview(
        world.runtime, world.official("tuan"), channel_id=world.channel_id, title=TITLE, body=BODY
    )
    assert seen.parts[0].startswith(f"{TITLE}\n\n{BODY}")
    assert "ngừng nhận tin" in seen.parts[0]
    assert (seen.audience.count, seen.audience.reachable, seen.problems) == (4, 3, [])


def test_a_preview_of_an_unfinished_text_says_what_is_missing(world: World) -> None:
    seen = announcements.preview(world.runtime, world.official("tuan"), channel_id=world.channel_id, title="", body="")
    assert [str(p)[:17] for p in seen.problems] == ["Chưa có tiêu đề. ", "Chưa có nội dung.", "Trên kênh này chư"]


def test_a_channel_of_another_commune_does_not_exist(world: World) -> None:
    with pytest.raises(AnnouncementError, match="Không có kênh"):
        announcements.draft(world.runtime, world.official("tuan"), channel_id=999, title=TITLE, body=BODY)


# ---- two people -----------------------------------------------------------------------------------------------------


def test_a_second_person_approves(world: World) -> None:
    followers(world, 3)
    number = approved(world)
    row = the(world, number)
    assert row.state is AnnouncementState.APPROVED
    assert (row.approver_id, row.audience_count) == (world.officials["hoa"], 3)
    assert row.approved_hash == text_hash(TITLE, BODY, world.channel_id)
    assert BROADCAST in world.runtime.nudge.jobs  # type: ignore[attr-defined]


def test_nobody_approves_their_own_words(world: World) -> None:
    followers(world, 1)
    with world.runtime.database.transaction() as session:
        session.execute(
            sa.text('UPDATE officials SET roles = \'["soan_tin", "duyet_tin", "lanh_dao"]\' WHERE username = \'tuan\'')
        )
    number = submitted(world)
    with pytest.raises(AnnouncementError, match="không được tự duyệt"):
        approve(world, number, "tuan")
    assert the(world, number).state is AnnouncementState.SUBMITTED


def test_even_the_database_refuses_one_person_for_both(world: World) -> None:
    number = a_draft(world)
    with pytest.raises(sa.exc.IntegrityError), world.runtime.database.transaction() as session:
        session.execute(
            sa.update(Announcement).where(Announcement.id == number).values(approver_id=Announcement.author_id)
        )


@pytest.mark.parametrize("who", ["lan", "an"])
def test_somebody_without_the_right_cannot_approve(world: World, who: str) -> None:
    followers(world, 1)
    number = submitted(world)
    with pytest.raises(AnnouncementError, match="không có quyền"):
        approve(world, number, who)


def test_a_leader_may_approve(world: World) -> None:
    followers(world, 1)
    number = submitted(world)
    approve(world, number, "mai")
    assert the(world, number).state is AnnouncementState.APPROVED


def test_words_that_changed_while_the_approver_read_are_not_approved(world: World) -> None:
    followers(world, 1)
    number = submitted(world)
    seen = text_hash(TITLE, BODY, world.channel_id)
    announcements.return_to_author(world.runtime, world.official("tuan"), number, note="")
    announcements.edit(
        world.runtime, world.official("tuan"), number, version=3, channel_id=world.channel_id, title=TITLE, body="Khác"
    )
    announcements.submit(world.runtime, world.official("tuan"), number, version=4, confirmed=CHECKLIST)
    with pytest.raises(AnnouncementError, match="đã thay đổi"):
        announcements.approve(world.runtime, world.official("hoa"), number, seen_hash=seen)
    assert the(world, number).state is AnnouncementState.SUBMITTED


def test_a_draft_cannot_be_approved(world: World) -> None:
    followers(world, 1)
    number = a_draft(world)
    with pytest.raises(AnnouncementError, match="không còn chờ duyệt"):
        approve(world, number)


def test_an_announcement_is_approved_once(world: World) -> None:
    followers(world, 1)
    number = approved(world)
    with pytest.raises(AnnouncementError, match="không còn chờ duyệt"):
        approve(world, number, "mai")


def test_a_returned_announcement_carries_the_reason(world: World) -> None:
    followers(world, 1)
    number = submitted(world)
    announcements.return_to_author(world.runtime, world.official("hoa"), number, note="Ghi rõ ngày.")
    row = the(world, number)
    assert (row.state, row.returned_note) == (AnnouncementState.DRAFT, "Ghi rõ ngày.")


def test_returning_needs_a_reason(world: World) -> None:
    followers(world, 1)
    number = submitted(world)
    with pytest.raises(AnnouncementError, match="lý do"):
        announcements.return_to_author(world.runtime, world.official("hoa"), number, note="  ")


def test_another_communes_announcement_does_not_exist(world: World) -> None:
    number = a_draft(world)
    add_commune(world.runtime, code="27931", slug="xa-khac")
    with world.runtime.database.transaction() as session:
        other = session.scalar(sa.select(Commune.id).where(Commune.slug == "xa-khac"))
        session.execute(sa.text("UPDATE officials SET commune_id = :c WHERE username = 'mai'"), {"c": other})
    with pytest.raises(NoSuchAnnouncement):
        announcements.stop(world.runtime, world.official("mai"), number)
