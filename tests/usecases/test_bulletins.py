"""One official writes for all channels, another approves, and every channel says exactly that."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.rules.bulletins import FULL_CHECKLIST
from bot.usecases import bulletin_previews, bulletin_trying, bulletins
from bot.usecases.announcements import AnnouncementError, NoSuchAnnouncement
from bot.usecases.bulletins import plan_of
from bot.usecases.setup import add_commune
from storage.audiences import About
from storage.audit import AuditEntry
from storage.bulletins import Bulletin
from storage.communes import Commune
from storage.contacts import Urn
from storage.enums import AnnouncementState, BulletinState
from storage.subscriptions import Subscription
from tests.builders import World, all_rows
from tests.usecases.bulletins import (
    a_bulletin,
    approve,
    approved,
    bulletin,
    legs,
    on,
    second_channel,
    submit,
    submitted,
    tried,
    written,
)
from tests.usecases.telling import BODY, TITLE, Phone, counts, followers, phone, run

__all__ = ["phone"]


@pytest.fixture
def both(world: World, phone: Phone) -> list[int]:
    """Two channels with followers: three on the first, two on the second."""
    other = second_channel(world)
    followers(world, 3)
    followers(on(world, other), 2)
    return [world.channel_id, other]


# ---- writing --------------------------------------------------------------------------------------------------------


def test_a_change_made_in_another_window_is_not_overwritten(world: World) -> None:
    number = a_bulletin(world)
    tuan = world.official("tuan")
    bulletins.edit(world.runtime, tuan, number, version=1, written=written(world, title="Một"))
    with pytest.raises(AnnouncementError, match="cửa sổ khác"):
        bulletins.edit(world.runtime, tuan, number, version=1, written=written(world, title="Hai"))
    assert bulletin(world, number).title == "Một"


def test_somebody_without_the_right_cannot_write(world: World) -> None:
    with pytest.raises(AnnouncementError, match="không có quyền"):
        bulletins.draft(world.runtime, world.official("lan"), written(world))


def test_a_channel_of_another_commune_does_not_exist(world: World) -> None:
    with pytest.raises(AnnouncementError, match="Không có kênh"):
        a_bulletin(world, [999])


def test_the_whole_checklist_must_be_ticked(world: World, both: list[int]) -> None:
    number = a_bulletin(world, both)
    tried(world, number)
    with pytest.raises(AnnouncementError, match="mục cần kiểm tra"):
        bulletins.submit(world.runtime, world.official("tuan"), number, version=1, confirmed=FULL_CHECKLIST[:-1])
    assert bulletin(world, number).state is BulletinState.DRAFT


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"body": "  "}, "Chưa có nội dung"),
        ({"title": " "}, "Chưa có tiêu đề"),
        ({"body": "x" * 1_000}, "tối đa 1000"),
        ({"about": About("y-te")}, "chưa có ai"),
    ],
)
def test_a_bulletin_with_a_gap_is_not_submitted(
    world: World, both: list[int], words: dict[str, Any], says: str
) -> None:
    with world.runtime.database.transaction() as session:  # everybody chose other news
        for urn in session.scalars(sa.select(Urn).where(Urn.is_following)):
            session.add(Subscription(commune_id=world.commune_id, urn_id=urn.id, topic="dien", since=world.clock()))
    number = a_bulletin(world, both, **words)
    with pytest.raises(AnnouncementError, match=says):
        submit(world, number)
    assert bulletin(world, number).state is BulletinState.DRAFT


def test_a_title_of_more_than_eighty_characters_is_refused(world: World) -> None:
    a_bulletin(world, title="x" * 80)
    with pytest.raises(AnnouncementError, match="80"):
        a_bulletin(world, title="x" * 81)


def test_the_whole_message_may_have_a_thousand_characters(world: World, both: list[int]) -> None:
    plan = plan_of(bulletin(world, a_bulletin(world, body="x")))
    seen = bulletin_previews.preview(world.runtime, world.commune_id, plan)
    room = 1_001 - max(part.length for part in seen.channels)
    tried(world, fits := a_bulletin(world, body="x" * room))
    submit(world, fits)
    with pytest.raises(AnnouncementError, match="dài 1001 ký tự"):
        submit(world, a_bulletin(world, body="x" * (room + 1)))


def test_only_the_author_changes_a_draft_and_nobody_what_was_submitted(world: World, both: list[int]) -> None:
    number = a_bulletin(world, both)
    with world.runtime.database.transaction() as session:
        session.execute(sa.text("UPDATE officials SET roles = '[\"soan_tin\"]' WHERE username = 'lan'"))
    with pytest.raises(AnnouncementError, match="Chỉ người soạn"):
        bulletins.edit(world.runtime, world.official("lan"), number, version=1, written=written(world, both))
    tried(world, number)
    submit(world, number)
    version = bulletin(world, number).version
    with pytest.raises(AnnouncementError, match="không sửa được"):
        bulletins.edit(world.runtime, world.official("tuan"), number, version=version, written=written(world, both))


def test_a_bulletin_is_approved_once_and_not_before_it_was_submitted(world: World, both: list[int]) -> None:
    number = a_bulletin(world, both)
    with pytest.raises(AnnouncementError, match="không còn chờ duyệt"):
        approve(world, number)
    tried(world, number)
    submit(world, number)
    approve(world, number)
    with pytest.raises(AnnouncementError, match="không còn chờ duyệt"):
        approve(world, number, "mai")


@pytest.mark.parametrize(("hours", "says"), [(None, "Chưa có thời hạn"), (-1, "phải sau lúc gửi"), (9_000, "một năm")])
def test_how_long_it_holds_must_be_said(world: World, both: list[int], hours: int | None, says: str) -> None:
    until = None if hours is None else world.clock() + timedelta(hours=hours)
    number = a_bulletin(world, both, valid_until=until)
    tried(world, number)
    with pytest.raises(AnnouncementError, match=says):
        submit(world, number)


def test_words_of_a_channel_take_the_place_of_the_source_there_only(world: World, both: list[int]) -> None:
    number = approved(world, both, texts={"zalo": "Riêng cho Zalo.", "sms": "Rieng cho SMS.", "fax": "Không có."})
    assert [leg.body for leg in legs(world, number)] == ["Riêng cho Zalo."] * 2
    assert bulletin(world, number).texts == {"zalo": "Riêng cho Zalo.", "sms": "Rieng cho SMS."}


# ---- trying ---------------------------------------------------------------------------------------------------------


def test_what_its_author_has_not_read_on_a_phone_is_not_submitted(world: World, both: list[int]) -> None:
    number = a_bulletin(world, both)
    with pytest.raises(AnnouncementError, match="Chưa gửi thử"):
        submit(world, number)
    tried(world, number)
    submit(world, number)
    assert bulletin(world, number).state is BulletinState.SUBMITTED


def test_a_changed_text_is_tried_again(world: World, both: list[int]) -> None:
    number = a_bulletin(world, both)
    tried(world, number)
    tuan = world.official("tuan")
    bulletins.edit(world.runtime, tuan, number, version=1, written=written(world, both, body="Chữ khác."))
    with pytest.raises(AnnouncementError, match="Chưa gửi thử"):
        submit(world, number)


def test_a_test_that_did_not_arrive_is_none(world: World, both: list[int], phone: Phone) -> None:
    from adapters.errors import MessageRefused

    number = a_bulletin(world, both)
    phone.before_each = lambda: (_ for _ in ()).throw(MessageRefused("no", "Không nhận."))
    tried(world, number)
    with pytest.raises(AnnouncementError, match="Chưa gửi thử"):
        submit(world, number)


def test_a_test_reads_as_followers_will_read_it(world: World, both: list[int], phone: Phone) -> None:
    number = approved(world, both)
    [(_, tested)] = phone.sent
    phone.sent.clear()
    run(world)
    assert {text for _, text in phone.sent} == {tested}
    assert tested.startswith(f"{TITLE}\n\n{BODY}")
    assert bulletin(world, number).state is BulletinState.APPROVED


def test_a_test_goes_to_nobody_but_its_author(world: World, both: list[int]) -> None:
    number = a_bulletin(world, both)
    with pytest.raises(AnnouncementError, match="địa chỉ nhận tin thử"):
        bulletin_trying.send(world.runtime, world.official("tuan"), number, version=1, channel_id=world.channel_id)


# ---- two people -----------------------------------------------------------------------------------------------------


def test_one_approval_reaches_the_followers_of_every_channel(world: World, both: list[int], phone: Phone) -> None:
    number = approved(world, both)
    parts = legs(world, number)
    assert [(leg.channel_id, leg.audience_count) for leg in parts] == [(both[0], 3), (both[1], 2)]
    phone.sent.clear()
    run(world)
    assert len(set(phone.readers)) == len(phone.readers) == 5
    assert [counts(world, leg.id) for leg in parts] == [{"sent": 3}, {"sent": 2}]
    assert {leg.state for leg in legs(world, number)} == {AnnouncementState.SENT}


def test_nobody_approves_their_own_words(world: World, both: list[int]) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(
            sa.text('UPDATE officials SET roles = \'["soan_tin", "duyet_tin", "lanh_dao"]\' WHERE username = \'tuan\'')
        )
    number = submitted(world, both)
    with pytest.raises(AnnouncementError, match="không được tự duyệt"):
        approve(world, number, "tuan")
    assert legs(world, number) == []


def test_even_the_database_refuses_one_person_for_both(world: World) -> None:
    number = a_bulletin(world)
    with pytest.raises(sa.exc.IntegrityError), world.runtime.database.transaction() as session:
        session.execute(sa.update(Bulletin).where(Bulletin.id == number).values(approver_id=Bulletin.author_id))


@pytest.mark.parametrize("who", ["lan", "an"])
def test_somebody_without_the_right_cannot_approve(world: World, both: list[int], who: str) -> None:
    number = submitted(world, both)
    with pytest.raises(AnnouncementError, match="không có quyền"):
        approve(world, number, who)


@pytest.mark.parametrize(
    "change",
    [
        {"body": "Khác."},
        {"importance": "uu_tien"},
        {"texts": {"sms": "Khac."}},
        {"valid": 5},
        {"send": 1},
        {"channels": 1},
        {"topic": "dien"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_changed_while_the_approver_read_is_not_approved(
    world: World, both: list[int], change: dict[str, object]
) -> None:
    from storage.audiences import About
    from storage.enums import Importance

    number = submitted(world, both)
    seen = plan_of(bulletin(world, number)).digest
    tuan = world.official("tuan")
    bulletins.return_to_author(world.runtime, tuan, number, note="")
    anew = written(world, both)
    kind, value = next(iter(change.items()))
    anew = {
        "body": lambda: replace(anew, body="Khác."),
        "importance": lambda: replace(anew, importance=Importance.PRIORITY),
        "texts": lambda: replace(anew, texts={"sms": "Khac."}),
        "valid": lambda: replace(anew, valid_until=world.clock() + timedelta(days=5)),
        "send": lambda: replace(anew, send_at=world.clock() + timedelta(hours=1)),
        "channels": lambda: replace(anew, channel_ids=(both[0],)),
        "topic": lambda: replace(anew, about=About(str(value))),
    }[kind]()
    bulletins.edit(world.runtime, tuan, number, version=3, written=anew)
    tried(world, number)
    submit(world, number)
    with pytest.raises(AnnouncementError, match="đã thay đổi"):
        bulletins.approve(world.runtime, world.official("hoa"), number, seen_hash=seen)
    assert legs(world, number) == []


def test_of_two_who_approve_at_once_one_does(world: World, both: list[int]) -> None:
    number = submitted(world, both)
    seen, outcomes = plan_of(bulletin(world, number)).digest, []
    barrier = threading.Barrier(2)

    def decide(official: object) -> None:
        barrier.wait(10)
        try:
            bulletins.approve(world.runtime, official, number, seen_hash=seen)  # type: ignore[arg-type]
            outcomes.append("approved")
        except AnnouncementError:
            outcomes.append("refused")

    people = [threading.Thread(target=decide, args=(world.official(who),)) for who in ("hoa", "mai")]
    for person in people:
        person.start()
    for person in people:
        person.join(30)
    assert sorted(outcomes) == ["approved", "refused"]
    assert len(legs(world, number)) == 2


def test_a_part_that_was_changed_behind_our_back_is_not_sent(world: World, both: list[int], phone: Phone) -> None:
    number = approved(world, both)
    phone.sent.clear()
    with world.runtime.database.transaction() as session:
        session.execute(
            sa.text("UPDATE announcements SET importance = 'khan_cap' WHERE channel_id = :c"), {"c": both[0]}
        )
    run(world)
    assert len(phone.readers) == 2
    assert [leg.state for leg in legs(world, number)] == [AnnouncementState.STOPPED, AnnouncementState.SENT]


def test_a_returned_bulletin_carries_the_reason(world: World, both: list[int]) -> None:
    number = submitted(world, both)
    hoa = world.official("hoa")
    with pytest.raises(AnnouncementError, match="lý do"):
        bulletins.return_to_author(world.runtime, hoa, number, note="  ")
    bulletins.return_to_author(world.runtime, hoa, number, note="Ghi rõ ngày.")
    row = bulletin(world, number)
    assert (row.state, row.returned_note) == (BulletinState.DRAFT, "Ghi rõ ngày.")


def test_who_did_what_is_kept_in_the_audit(world: World, both: list[int]) -> None:
    number = approved(world, both)
    entries = [e for e in all_rows(world.runtime, AuditEntry) if e.target == f"bulletin:{number}"]
    assert [e.action for e in entries] == [
        "bulletin.drafted",
        "bulletin.tried",
        "bulletin.submitted",
        "bulletin.approved",
    ]
    assert entries[2].data["confirmed"] == list(FULL_CHECKLIST)
    assert entries[3].data["audience"] == 5


def test_another_communes_bulletin_does_not_exist(world: World) -> None:
    number = a_bulletin(world)
    add_commune(world.runtime, code="27931", slug="xa-khac")
    with world.runtime.database.transaction() as session:
        other = session.scalar(sa.select(Commune.id).where(Commune.slug == "xa-khac"))
        session.execute(sa.text("UPDATE officials SET commune_id = :c WHERE username = 'mai'"), {"c": other})
    with pytest.raises(NoSuchAnnouncement):
        bulletins.stop(world.runtime, world.official("mai"), number)


# ---- stopping -------------------------------------------------------------------------------------------------------


def test_a_stop_stops_every_channel(world: World, both: list[int], phone: Phone) -> None:
    number = approved(world, both)
    phone.sent.clear()
    bulletins.stop(world.runtime, world.official("hoa"), number)
    run(world)
    assert phone.sent == []
    assert {leg.state for leg in legs(world, number)} == {AnnouncementState.STOPPED}
    assert bulletin(world, number).state is BulletinState.STOPPED


def test_what_is_put_on_hold_goes_on_where_it_stood(world: World, both: list[int], phone: Phone) -> None:
    from bot.usecases import announcements
    from bot.usecases.sending import MANY, send_due

    number = approved(world, both)
    announcements.expand_due(world.runtime)
    phone.sent.clear()
    bulletins.pause(world.runtime, world.official("hoa"), number)
    assert send_due(world.runtime, MANY) == 0
    assert phone.sent == []
    bulletins.resume(world.runtime, world.official("tuan"), number)
    run(world)
    assert len(set(phone.readers)) == len(phone.readers) == 5


def test_what_was_put_on_hold_before_it_began_owes_nothing_meanwhile(world: World, both: list[int]) -> None:
    number = approved(world, both)
    bulletins.pause(world.runtime, world.official("hoa"), number)
    run(world)
    assert [counts(world, leg.id) for leg in legs(world, number)] == [{}, {}]


def test_only_what_is_going_out_is_put_on_hold(world: World, both: list[int]) -> None:
    number = submitted(world, both)
    with pytest.raises(AnnouncementError, match="không còn đang gửi"):
        bulletins.pause(world.runtime, world.official("hoa"), number)
