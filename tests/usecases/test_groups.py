"""Groups: citizens join and leave by a word on every channel, officials put in and take out with a reason."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.rules.lifecycle import NotAllowed
from bot.usecases import contact_erasure, contact_export, groups
from bot.usecases.announcing import AnnouncementError, NoSuchAnnouncement
from bot.usecases.contact_files import open_file
from storage.audiences import About, Narrowing
from storage.audit import AuditEntry
from storage.contacts import Contact, Urn
from storage.deliveries import Delivery
from storage.groups import Group, Membership
from storage.subscriptions import Subscription
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.sms import an_sms_channel, texts
from tests.usecases.bulletins import approved
from tests.usecases.looking import take_in
from tests.usecases.telling import Phone, followers, phone, run

__all__ = ["phone"]


def a_group(world: World, name: str = "Hộ nuôi lợn") -> int:
    return groups.add(world.runtime, world.official("tuan"), name)


def says(world: World, words: str, user: str = "3000000000000000003") -> str:
    """A citizen says it on Zalo; gives what the bot answered last."""
    world.says(words, user=user)
    take_in(world)
    return last_told(world)


def last_told(world: World) -> str:
    told = [row for row in all_rows(world.runtime, Delivery) if row.kind.value != "announcement"]
    return max(told, key=lambda row: row.id).text if told else ""


def members(world: World) -> list[Membership]:
    return [one for one in all_rows(world.runtime, Membership) if one.left_at is None]


@pytest.mark.parametrize(
    "words", ["tham gia nhóm hộ nuôi lợn", "NHOM 1", "cho tôi vào nhóm hộ nuôi lợn với", "join group 1"]
)
def test_a_word_joins_and_the_answer_says_how_to_leave(morning: World, words: str) -> None:
    a_group(morning)
    answer = says(morning, words)
    [one] = members(morning)
    assert one.joined_by_id is None
    assert "Hộ nuôi lợn" in answer
    assert "rời nhóm 1" in answer
    assert all_rows(morning.runtime, Ticket) == []


@pytest.mark.parametrize(
    "words", ["rời nhóm 1", "rời nhóm hộ nuôi lợn", "cho tôi ra khỏi nhóm hộ nuôi lợn", "thôi nhóm"]
)
def test_a_word_leaves(morning: World, clock: Clock, words: str) -> None:
    a_group(morning)
    says(morning, "nhóm 1")
    clock.move(minutes=1)
    answer = says(morning, words)
    assert members(morning) == []
    assert "đã rời nhóm Hộ nuôi lợn" in answer


def test_a_group_nobody_knows_changes_nothing_and_lists_those_there_are(morning: World) -> None:
    a_group(morning)
    answer = says(morning, "tham gia nhóm phi hành gia")
    assert members(morning) == []
    assert "1. Hộ nuôi lợn" in answer


def test_by_sms_joining_is_the_consent_to_that_groups_news_only(morning: World, clock: Clock) -> None:
    sms = an_sms_channel(morning)
    a_group(morning)
    texts(morning, sms, "NHOM 1")
    take_in(morning)
    [urn] = all_rows(morning.runtime, Urn)
    assert urn.is_following
    assert [row.topic for row in all_rows(morning.runtime, Subscription)] == ["nhom"]
    assert "ROI NHOM 1" in last_told(morning)
    clock.move(minutes=1)
    texts(morning, sms, "ROI NHOM 1")
    take_in(morning)
    [urn] = all_rows(morning.runtime, Urn)
    assert urn.opted_out_at is not None  # who came for a group only hears nothing once they left
    assert members(morning) == []


def test_what_is_said_to_a_group_reaches_its_members_whatever_subjects_they_chose(world: World, phone: Phone) -> None:
    group = a_group(world)
    inside, outside = followers(world, 2)
    with world.runtime.database.transaction() as session:
        urn = session.scalars(sa.select(Urn).where(Urn.value == inside)).one()
        session.add(Membership(commune_id=world.commune_id, group_id=group, urn_id=urn.id, since=world.clock()))
        session.add(Subscription(commune_id=world.commune_id, urn_id=urn.id, topic="nhom", since=world.clock()))
    about = About("vat-nuoi", (), Narrowing(group_ids=(group,)))
    approved(world, about=about)
    phone.sent.clear()
    run(world)
    assert phone.readers == [inside]
    assert outside not in phone.readers


def reporter(world: World) -> int:
    says(world, "Đèn đường hỏng ở xóm 5")
    [contact] = all_rows(world.runtime, Contact)
    return contact.id


def test_an_official_puts_in_with_a_reason_that_is_kept(morning: World) -> None:
    group, contact = a_group(morning), reporter(morning)
    lan = morning.official("lan")
    with pytest.raises(NotAllowed):
        groups.put_in(morning.runtime, lan, contact, group, reason="ừ", address="127.0.0.1")
    groups.put_in(morning.runtime, lan, contact, group, reason="Đồng ý tại buổi họp thôn", address="127.0.0.1")
    [one] = members(morning)
    assert one.joined_by_id == lan.id
    assert one.reason == "Đồng ý tại buổi họp thôn"
    [belonging] = groups.belongings(morning.runtime, lan, contact)
    assert belonging.official == lan.name
    groups.take_out(morning.runtime, lan, contact, group, address="127.0.0.1")
    assert members(morning) == []
    actions = [row.action for row in all_rows(morning.runtime, AuditEntry) if row.target == f"contact:{contact}"]
    assert actions == ["group.joined", "group.left"]


def test_whom_their_own_word_took_out_no_official_puts_back(morning: World, clock: Clock) -> None:
    group, contact = a_group(morning), reporter(morning)
    clock.move(minutes=1)
    says(morning, "rời nhóm 1")
    with pytest.raises(NotAllowed, match="own_word"):
        groups.put_in(
            morning.runtime, morning.official("lan"), contact, group, reason="Đồng ý qua điện thoại", address=""
        )
    clock.move(minutes=1)
    says(morning, "nhóm 1")
    assert len(members(morning)) == 1


def test_an_erased_contact_belongs_nowhere_and_an_export_tells_of_groups(morning: World) -> None:
    import json
    import zipfile

    group, contact = a_group(morning), reporter(morning)
    lan = morning.official("lan")
    groups.put_in(morning.runtime, lan, contact, group, reason="Đồng ý tại trụ sở", address="")
    made = contact_export.export(morning.runtime, lan, contact, why="nguoi_dan_yeu_cau", words="", address="127.0.0.1")
    with zipfile.ZipFile(made) as archive:
        found = json.loads(archive.read("du-lieu.json"))
    assert found["groups"][0]["group"] == "Hộ nuôi lợn"
    assert found["groups"][0]["why"] == "Đồng ý tại trụ sở"
    mai, now = morning.official("mai"), morning.clock()
    seal = contact_erasure.seal_of(morning.runtime, open_file(morning.runtime, mai, contact))
    contact_erasure.erase_contact(
        morning.runtime, mai, contact, why="nguoi_dan_yeu_cau", words="", day=now.date(), seal=seal, address=""
    )
    assert all_rows(morning.runtime, Membership) == []


def test_a_group_is_named_once_renamed_and_ended_but_not_under_a_bulletin(world: World, phone: Phone) -> None:
    group = a_group(world)
    tuan = world.official("tuan")
    with pytest.raises(AnnouncementError, match="Đã có nhóm"):
        groups.add(world.runtime, tuan, "Hộ  nuôi lợn")
    groups.rename(world.runtime, tuan, group, "Hộ nuôi heo")
    [value] = followers(world, 1)
    with world.runtime.database.transaction() as session:
        urn = session.scalars(sa.select(Urn).where(Urn.value == value)).one()
        session.add(Membership(commune_id=world.commune_id, group_id=group, urn_id=urn.id, since=world.clock()))
    approved(world, about=About("", (), Narrowing(group_ids=(group,))))
    with pytest.raises(AnnouncementError, match="đang gửi"):
        groups.end(world.runtime, tuan, group)
    run(world)
    groups.end(world.runtime, tuan, group)
    assert all_rows(world.runtime, Membership) == []
    [row] = all_rows(world.runtime, Group)
    assert row.ended_at is not None
    with pytest.raises(NoSuchAnnouncement):
        groups.rename(world.runtime, tuan, group, "Khác")


def test_groups_of_another_commune_are_not_there(world: World) -> None:
    group = a_group(world)
    stranger = replace_commune(world)
    with pytest.raises(NoSuchAnnouncement):
        groups.rename(world.runtime, stranger, group, "Khác")


def replace_commune(world: World) -> object:
    from types import SimpleNamespace

    tuan = world.official("tuan")
    return SimpleNamespace(id=tuan.id, commune_id=tuan.commune_id + 1, is_active=True, has=tuan.has)


def test_a_sentence_that_speaks_of_some_group_is_a_report(morning: World) -> None:
    a_group(morning)
    says(morning, "vào nhóm zalo thôn chửi nhau hoài, nhờ xã nhắc nhở")
    assert members(morning) == []
    assert len(all_rows(morning.runtime, Ticket)) == 1
