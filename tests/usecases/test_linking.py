"""Linking: two channels of one citizen belong together by a code said on both, and part again."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from bot.access import Forbidden, NotFound
from bot.usecases import linking, parting
from bot.usecases.replies import Written, reply
from storage.audit import AuditEntry
from storage.contacts import Contact, Conversation, Urn
from storage.deliveries import Delivery
from storage.enums import Consent
from storage.links import Link, LinkCode
from storage.messages import Message
from storage.tickets import Ticket
from tests.bots import Bot, a_bot
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import BRIBE, LIGHT, RUBBISH, said_to_citizens, take_in, the_ticket

ON_ZALO, ON_TELEGRAM = "zalo:3000000000000000003", "telegram:5000000005"


@pytest.fixture
def bot(morning: World) -> Bot:
    return a_bot(morning)


def latest(world: World, urn: str) -> tuple[str, str]:
    """The key and the words of what was last owed there."""
    with world.runtime.database.reading() as session:
        query = (
            sa.select(Message.template, Delivery.text)
            .join(Message, Message.id == Delivery.message_id)
            .join(Urn, Urn.id == Delivery.urn_id)
            .where(Urn.value == urn)
        )
        row = session.execute(query.order_by(Delivery.id.desc()).limit(1)).one()
        return str(row[0]), str(row[1])


def contact_at(world: World, urn: str) -> Contact:
    with world.runtime.database.reading() as session:
        return session.scalars(sa.select(Contact).join(Urn, Urn.contact_id == Contact.id).where(Urn.value == urn)).one()


def a_code(world: World, words: str = "liên kết") -> str:
    """The citizen asks for a code on Zalo."""
    world.says(words)
    take_in(world)
    key, told = latest(world, ON_ZALO)
    assert key == "link_code"
    return re.findall(r"LK (\d{4} \d{4})", told)[0]


def linked(world: World, bot: Bot) -> None:
    """The citizen's Telegram belongs to their Zalo."""
    bot.says(f"LK {a_code(world)}")
    take_in(world)
    assert latest(world, ON_TELEGRAM)[0] == "linked"


def test_a_code_told_on_one_channel_and_said_on_another_links_them(bot: Bot, morning: World) -> None:
    morning.says(LIGHT)
    take_in(morning)
    linked(morning, bot)
    assert contact_at(morning, ON_ZALO).id == contact_at(morning, ON_TELEGRAM).id
    assert "Zalo OA Đức Huệ" in latest(morning, ON_TELEGRAM)[1]
    key, told = latest(morning, ON_ZALO)
    assert key == "linked_here"
    assert "Telegram Đức Huệ" in told
    assert "5000000005" not in told


@pytest.mark.parametrize("words", ["LK {}", "lk {}", "Liên kết {}", "lien ket ma {}", "LK{}", "link {}"])
def test_the_code_may_be_written_as_people_do(bot: Bot, morning: World, words: str) -> None:
    if words == "LK{}":
        words = "LK {} "
    bot.says(words.format(a_code(morning).replace(" ", "" if words != "lk {}" else "-")))
    take_in(morning)
    assert latest(morning, ON_TELEGRAM)[0] == "linked"


def test_reports_are_found_on_both_channels_afterwards(bot: Bot, morning: World) -> None:
    morning.says(LIGHT)
    take_in(morning)
    linked(morning, bot)
    bot.says("tra cứu")
    take_in(morning)
    key, told = latest(morning, ON_TELEGRAM)
    assert key == "status"
    assert the_ticket(morning).code in told


def test_what_is_sealed_is_seen_only_where_it_was_said(bot: Bot, morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    linked(morning, bot)
    bot.says(f"tra cứu {the_ticket(morning).code}")
    take_in(morning)
    assert latest(morning, ON_TELEGRAM)[0] == "status_unknown_code"
    bot.says("tra cứu")
    take_in(morning)
    assert latest(morning, ON_TELEGRAM)[0] == "status_none"


def test_a_code_serves_once_and_for_a_quarter_of_an_hour(bot: Bot, morning: World, clock: Clock) -> None:
    code = a_code(morning)
    clock.move(minutes=16)
    bot.says(f"LK {code}")
    take_in(morning)
    assert latest(morning, ON_TELEGRAM)[0] == "link_wrong"
    code = a_code(morning)
    for who in (5000000005, 5000000006):
        bot.says(f"LK {code}", who=who)
        take_in(morning)
    assert latest(morning, "telegram:5000000006")[0] == "link_wrong"
    assert contact_at(morning, "telegram:5000000006").id != contact_at(morning, ON_ZALO).id


def test_a_new_code_ends_the_one_before(bot: Bot, morning: World) -> None:
    first = a_code(morning)
    second = a_code(morning, "LK")
    assert first != second
    bot.says(f"LK {first}")
    take_in(morning)
    assert latest(morning, ON_TELEGRAM)[0] == "link_wrong"


def test_the_code_said_where_it_was_told_links_nothing_and_stays_good(bot: Bot, morning: World) -> None:
    code = a_code(morning)
    morning.says(f"LK {code}")
    take_in(morning)
    assert latest(morning, ON_ZALO)[0] == "link_same"
    bot.says(f"LK {code}")
    take_in(morning)
    assert latest(morning, ON_TELEGRAM)[0] == "linked"


def test_guessing_ends_for_one_person(bot: Bot, morning: World) -> None:
    for number in range(linking.WRONG_A_DAY):
        bot.says(f"LK 0000 000{number}")
    take_in(morning)
    bot.says(f"LK {a_code(morning)}")
    take_in(morning)
    assert latest(morning, ON_TELEGRAM)[0] == "link_too_often"
    assert not all_rows(morning.runtime, Link)


def test_guessing_ends_for_many_who_guess_as_one(bot: Bot, morning: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linking, "WRONG_AN_HOUR", 3)
    for number in range(3):
        bot.says(f"LK 0000 000{number}", who=5000000100 + number)
    take_in(morning)
    bot.says(f"LK {a_code(morning)}")
    take_in(morning)
    assert latest(morning, ON_TELEGRAM)[0] == "link_too_often"


def test_codes_are_told_a_few_times_a_day(morning: World) -> None:
    for _ in range(linking.CODES_A_DAY):
        a_code(morning)
    morning.says("liên kết")
    take_in(morning)
    assert latest(morning, ON_ZALO)[0] == "link_too_often"


def test_no_row_holds_the_code_itself(morning: World) -> None:
    code = a_code(morning).replace(" ", "")
    (row,) = all_rows(morning.runtime, LinkCode)
    assert code not in row.digest
    assert len(row.digest) == 64


def test_the_citizen_parts_them_from_either_side(bot: Bot, morning: World) -> None:
    morning.says(LIGHT)
    bot.says(RUBBISH)
    take_in(morning)
    mine = contact_at(morning, ON_TELEGRAM).id
    for where in ("zalo", "telegram"):
        linked(morning, bot)
        (morning if where == "zalo" else bot).says("hủy liên kết")
        take_in(morning)
        assert latest(morning, ON_ZALO)[0] == latest(morning, ON_TELEGRAM)[0] == "unlinked"
        assert contact_at(morning, ON_TELEGRAM).id == mine != contact_at(morning, ON_ZALO).id
    owners = {t.contact_id for t in all_rows(morning.runtime, Ticket)}
    assert owners == {mine, contact_at(morning, ON_ZALO).id}
    assert [link.undone_by for link in all_rows(morning.runtime, Link)] == ["citizen", "citizen"]


def test_there_may_be_nothing_to_part(morning: World) -> None:
    morning.says("bỏ liên kết")
    take_in(morning)
    assert said_to_citizens(morning)[-1] == "unlink_nothing"


def test_what_one_side_lacks_it_gets_and_gives_back(bot: Bot, morning: World) -> None:
    bot.says(RUBBISH)
    take_in(morning)
    with morning.runtime.database.transaction() as session:
        contact = session.get_one(Contact, contact_at(morning, ON_TELEGRAM).id)
        contact.name, contact.phone = "Nguyễn Thị Hoa", "0912345678"
        contact.consent, contact.consent_at = Consent.GIVEN.value, morning.clock()
    linked(morning, bot)
    assert contact_at(morning, ON_ZALO).name == "Nguyễn Thị Hoa"
    assert contact_at(morning, ON_ZALO).consent == Consent.GIVEN.value
    morning.says("hủy liên kết")
    take_in(morning)
    theirs = contact_at(morning, ON_ZALO)
    assert (theirs.name, theirs.phone, theirs.consent, theirs.consent_at) == (None, None, None, None)
    assert contact_at(morning, ON_TELEGRAM).name == "Nguyễn Thị Hoa"


def test_without_consent_a_name_does_not_wander(bot: Bot, morning: World) -> None:
    bot.says(RUBBISH)
    take_in(morning)
    with morning.runtime.database.transaction() as session:
        session.get_one(Contact, contact_at(morning, ON_TELEGRAM).id).name = "Nguyễn Thị Hoa"
    linked(morning, bot)
    assert contact_at(morning, ON_ZALO).name is None


def test_who_withdraws_their_data_takes_nothing_from_the_other_channel(bot: Bot, morning: World) -> None:
    morning.says(LIGHT)
    bot.says(RUBBISH)
    take_in(morning)
    linked(morning, bot)
    morning.event({"event_name": "user_withdraw", "oa_id": "2000000000000000002", "user_id": ON_ZALO[5:]})
    take_in(morning)
    assert contact_at(morning, ON_ZALO).erased_at is not None
    assert contact_at(morning, ON_TELEGRAM).erased_at is None
    kept = {m.text for m in all_rows(morning.runtime, Message)}
    assert RUBBISH in kept
    assert LIGHT not in kept


def test_who_asks_for_their_data_hears_of_linked_channels(bot: Bot, morning: World) -> None:
    linked(morning, bot)
    morning.says("dữ liệu của tôi")
    take_in(morning)
    key, told = latest(morning, ON_ZALO)
    assert key == "data_linked"
    assert "Telegram Đức Huệ" in told


def test_what_is_said_there_about_a_report_from_here_is_added_to_it(bot: Bot, morning: World) -> None:
    morning.says(LIGHT)
    take_in(morning)
    linked(morning, bot)
    ticket = the_ticket(morning)
    bot.says(f"thêm {ticket.code} cột đèn trước nhà văn hóa")
    take_in(morning)
    said = [m for m in all_rows(morning.runtime, Message) if "nhà văn hóa" in m.text]
    assert [m.ticket_id for m in said] == [ticket.id]
    bot.says(RUBBISH)  # filing that conversation again leaves it where it is
    take_in(morning)
    said = [m for m in all_rows(morning.runtime, Message) if "nhà văn hóa" in m.text]
    assert [m.ticket_id for m in said] == [ticket.id]
    assert len(all_rows(morning.runtime, Ticket)) == 2


def test_a_ticket_reopens_from_the_other_channel(bot: Bot, morning: World) -> None:
    morning.says(LIGHT)
    take_in(morning)
    linked(morning, bot)
    ticket = the_ticket(morning)
    done = Written("Đã thay bóng đèn mới.", is_result=True, next_step="theo dõi thêm.")
    official = morning.official("lan")
    assert reply(morning.runtime, official, ticket.id, version=ticket.version, token="a-form-of-lan", written=done)
    assert not the_ticket(morning).is_open
    bot.says(f"chưa xong {ticket.code}")
    take_in(morning)
    assert the_ticket(morning).is_open


def test_an_official_parts_what_does_not_belong_together(bot: Bot, morning: World) -> None:
    morning.says(LIGHT)
    take_in(morning)
    linked(morning, bot)
    ticket = the_ticket(morning)
    with morning.runtime.database.reading() as session:
        (one,) = parting.linked_with(session, ticket.contact_id)
    with pytest.raises(Forbidden):
        parting.undo(morning.runtime, morning.official("hung"), ticket.id, one.link_id)
    with pytest.raises(NotFound):
        parting.undo(morning.runtime, morning.official("lan"), ticket.id, one.link_id + 1)
    parting.undo(morning.runtime, morning.official("lan"), ticket.id, one.link_id)
    assert contact_at(morning, ON_ZALO).id != contact_at(morning, ON_TELEGRAM).id
    assert latest(morning, ON_ZALO)[0] == latest(morning, ON_TELEGRAM)[0] == "unlinked"
    assert "link.undone" in {entry.action for entry in all_rows(morning.runtime, AuditEntry)}
    assert {c.contact_id for c in all_rows(morning.runtime, Conversation)} == {
        contact_at(morning, ON_ZALO).id,
        contact_at(morning, ON_TELEGRAM).id,
    }
