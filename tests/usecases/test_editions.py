"""The week's questions and answers: what is proposed, made good, sent; and that a no takes it out at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.messages import Withdrawal
from bot.access import NotFound
from bot.usecases import bulletin_following, edition_reading, editions, intake, publishing
from bot.usecases.announcing import AnnouncementError, NoSuchAnnouncement
from bot.usecases.citizens import take_withdrawal
from bot.usecases.communes import commune_book
from bot.usecases.editions import Worded
from bot.usecases.setup import add_channel
from bot.usecases.sweep import sweep
from bot.usecases.taking_out import NOTE, take_out_due
from bot.usecases.web_form import page_of
from bot.usecases.work import Work
from storage.bulletins import Bulletin
from storage.communes import Commune, Locality
from storage.contacts import Conversation, Urn
from storage.deliveries import Delivery
from storage.editions import Edition, EditionItem
from storage.enums import AnnouncementState, BulletinKind, BulletinState, DeliveryState, TicketState
from storage.messages import InboundEvent
from storage.publications import PublicAnswer, Publication, Publicity
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.bulletins import approve, bulletin, legs, submit, tried
from tests.usecases.editions import ANSWERS, has_list, items, made, proposed, published, the_edition
from tests.usecases.telling import Phone, followers, phone, run

__all__ = ["phone"]


@pytest.fixture
def friday(world: World, clock: Clock) -> World:
    """Friday 9 October 2026, ten in the morning: an hour after proposals are made."""
    clock.now = datetime(2026, 10, 9, 3, tzinfo=UTC)
    return world


def refuse(world: World, ticket_id: int) -> None:
    """The citizen says no after all."""
    with world.runtime.database.transaction() as session:
        ticket = session.get_one(Ticket, ticket_id)
        publishing.keep_answer(world.runtime, session, ticket, PublicAnswer.REFUSED, "chat", world.clock())


def erase(world: World, ticket: Ticket) -> None:
    """The writer has their data erased."""
    with world.runtime.database.transaction() as session:
        row = session.scalars(sa.select(InboundEvent).limit(1)).one()
        work = Work(
            world.runtime, session, world.channel, commune_book(session, world.commune_id), row, world.clock(), set()
        )
        urn = session.scalars(
            sa.select(Urn.value)
            .join(Conversation, Conversation.urn_id == Urn.id)
            .where(Conversation.id == ticket.conversation_id)
        ).one()
        take_withdrawal(work, Withdrawal(urn, world.clock()))


def change(world: World, ticket_id: int, **values: Any) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).where(Ticket.id == ticket_id).values(**values))


def reports(world: World) -> list[int]:
    return [ticket.id for ticket in sorted(all_rows(world.runtime, Ticket), key=lambda one: one.id)]


def told(world: World) -> list[str]:
    look = edition_reading.look_at(world.runtime, world.official("tuan"), the_edition(world).id)
    return [entry.item.question for entry in look.kept]


def edited(world: World, *, who: str = "tuan", **changes: Any) -> None:
    """The first item is changed, the others stay."""
    edition, rows = the_edition(world), items(world)
    worded = [Worded(row.id, row.question, row.answer, row.position) for row in rows]
    first = worded[0]
    worded[0] = Worded(**{**first.__dict__, **changes})
    editions.edit(world.runtime, world.official(who), edition.id, version=edition.version, worded=worded)


# ---- proposing ------------------------------------------------------------------------------------------------------


def test_a_week_is_proposed_once(friday: World) -> None:
    proposed(friday)
    assert len(items(friday)) == 4
    published(friday, "giao-thong-duong-sa")
    sweep(friday.runtime)
    assert editions.propose_due(friday.runtime) == 0
    assert len(all_rows(friday.runtime, Edition)) == 1
    assert len(items(friday)) == 4


def test_nothing_is_proposed_before_its_hour_or_where_nobody_wants_it(friday: World, clock: Clock) -> None:
    clock.move(hours=-2)
    has_list(friday)
    published(friday)
    assert editions.propose_due(friday.runtime) == 0
    clock.move(hours=2)
    has_list(friday, editions_day=0)
    assert editions.propose_due(friday.runtime) == 0
    has_list(friday, on=False, editions_day=6)
    assert editions.propose_due(friday.runtime) == 0
    has_list(friday)
    assert editions.propose_due(friday.runtime) == 1


def test_a_week_without_results_is_an_empty_proposal(friday: World) -> None:
    has_list(friday)
    editions.propose_due(friday.runtime)
    assert the_edition(friday).bulletin_id is None
    assert told(friday) == []


def test_what_is_sealed_accused_refused_reopened_or_spam_is_never_proposed(friday: World) -> None:
    has_list(friday)
    for values in (
        {"is_sealed": True}, {"is_restricted": True}, {"is_spam": True}, {"accuses_leaders": True},
        {"proposed_agencies": ",3,"}, {"accused_agency_id": 3}, {"is_open": True, "state": TicketState.IN_PROGRESS},
    ):  # fmt: skip
        change(friday, published(friday), **values)
    published(friday, "to-cao-tham-nhung", words=("Cán bộ nhận tiền của dân.", "Đã chuyển cơ quan có thẩm quyền."))
    refuse(friday, published(friday))
    published(friday, rating=1)
    editions.propose_due(friday.runtime)
    assert items(friday) == []


def test_what_was_told_is_not_told_again_in_the_next_week(friday: World, clock: Clock) -> None:
    proposed(friday)
    made(friday)
    clock.move(days=7)
    published(
        friday, "giao-thong-duong-sa", words=("Cầu tre ở xóm 7 đã mục.", "Đã thay bằng cầu bê tông, đi lại an toàn.")
    )
    editions.propose_due(friday.runtime)
    assert told(friday) == ["Cầu tre ở xóm 7 đã mục."]


# ---- making it good -------------------------------------------------------------------------------------------------


def test_an_author_changes_words_and_order_and_leaves_something_out(friday: World) -> None:
    proposed(friday)
    _first, second, third, fourth = items(friday)
    edited(friday, question="Câu hỏi đã viết lại cho gọn?", position=9)
    assert told(friday) == [second.question, third.question, fourth.question, "Câu hỏi đã viết lại cho gọn?"]
    with pytest.raises(AnnouncementError, match="tải lại trang"):
        editions.edit(friday.runtime, friday.official("tuan"), the_edition(friday).id, version=1, worded=[])
    edited(friday, is_kept=False)
    assert second.question not in told(friday)


@pytest.mark.parametrize(
    "answer", ["Bà Nguyễn Thị Hoa đã sửa xong đường dây.", "Gọi 0912 345 678 để biết.", "Đã sửa tại số nhà 12, xóm 5."]
)
def test_what_names_or_finds_a_person_is_refused(friday: World, answer: str) -> None:
    proposed(friday)
    with pytest.raises(AnnouncementError, match="chỉ đến một người"):
        edited(friday, answer=answer)
    assert answer not in [item.answer for item in items(friday)]


def test_only_an_author_of_the_commune_works_on_it(friday: World) -> None:
    proposed(friday)
    with pytest.raises(AnnouncementError, match="không có quyền"):
        edited(friday, who="hoa")
    stranger = friday.official("tuan")
    stranger.commune_id = friday.commune_id + 1
    with pytest.raises(NoSuchAnnouncement):
        editions.make_bulletin(friday.runtime, stranger, the_edition(friday).id, version=1)
    with pytest.raises(NoSuchAnnouncement):
        edition_reading.look_at(friday.runtime, stranger, the_edition(friday).id)


def test_two_are_too_few_for_a_bulletin(friday: World) -> None:
    proposed(friday, "giao-thong-duong-sa", "rac-thai")
    with pytest.raises(AnnouncementError, match="ít nhất 3"):
        made(friday)


def test_a_small_proposal_is_made_anew_when_there_is_more(friday: World) -> None:
    edition = proposed(friday, "giao-thong-duong-sa", "rac-thai")
    published(friday, "nuoc-sach")
    editions.propose_anew(friday.runtime, friday.official("tuan"), edition.id, version=edition.version)
    assert len(told(friday)) == 3
    assert bulletin(friday, made(friday)).state is BulletinState.DRAFT


# ---- its bulletin ---------------------------------------------------------------------------------------------------


def test_it_becomes_a_bulletin_for_every_medium_that_a_second_person_approves(friday: World, phone: Phone) -> None:
    followers(friday, 2)
    proposed(friday)
    number = made(friday)
    row = bulletin(friday, number)
    question, answer = ANSWERS["chieu-sang"]
    assert f"Hỏi: {question}\nĐáp: {answer}" in row.body
    assert f"Hỏi: {question}\nĐáp: {answer}" in row.texts["radio"]
    assert len(row.texts["board"].split("\n")) == 2
    with pytest.raises(AnnouncementError, match="gửi thử"):
        submit(friday, number)
    tried(friday, number)
    submit(friday, number)
    with pytest.raises(AnnouncementError, match="không sửa được nữa"):
        edited(friday)
    assert phone.sent == [one for one in phone.sent if "Hỏi – đáp" in one[1]]
    approve(friday, number)
    run(friday)
    assert len(phone.sent) == 3
    assert all(answer in text for _, text in phone.sent)


def test_words_edited_after_a_bulletin_was_made_reach_it_and_need_a_new_test(friday: World, phone: Phone) -> None:
    followers(friday, 1)
    proposed(friday)
    number = made(friday)
    tried(friday, number)
    edited(friday, question="Câu hỏi đã viết lại cho gọn?")
    assert "Câu hỏi đã viết lại cho gọn?" in bulletin(friday, number).body
    with pytest.raises(AnnouncementError, match="gửi thử"):
        submit(friday, number)


def test_a_week_has_one_bulletin_until_that_is_given_up(friday: World) -> None:
    proposed(friday)
    number = made(friday)
    with pytest.raises(AnnouncementError, match="Đã soạn"):
        made(friday)
    from bot.usecases import bulletins

    bulletins.stop(friday.runtime, friday.official("tuan"), number)
    assert made(friday) != number


# ---- taking out -----------------------------------------------------------------------------------------------------


def test_a_no_takes_the_question_out_of_a_proposal_and_a_later_yes_does_not_bring_it_back(friday: World) -> None:
    proposed(friday)
    number = reports(friday)[0]
    refuse(friday, number)
    assert ANSWERS["giao-thong-duong-sa"][0] not in told(friday)
    with friday.runtime.database.transaction() as session:
        ticket = session.get_one(Ticket, number)
        publishing.keep_answer(friday.runtime, session, ticket, PublicAnswer.AGREED, "chat", friday.clock())
        session.execute(sa.text("UPDATE publications SET withdrawn_at = NULL"))
    assert ANSWERS["giao-thong-duong-sa"][0] not in told(friday)


@pytest.mark.parametrize("is_submitted", [False, True])
def test_a_no_takes_the_question_out_of_what_waits_for_approval(
    friday: World, phone: Phone, is_submitted: bool
) -> None:  # fmt: skip
    followers(friday, 1)
    proposed(friday)
    number = made(friday)
    tried(friday, number)
    if is_submitted:
        submit(friday, number)
    refuse(friday, reports(friday)[0])
    row = bulletin(friday, number)
    assert row.state is BulletinState.DRAFT
    assert row.returned_note == NOTE
    for words in (row.body, *row.texts.values()):
        assert ANSWERS["giao-thong-duong-sa"][0] not in words
    assert ANSWERS["nuoc-sach"][0] in row.body
    with pytest.raises(AnnouncementError):
        approve(friday, number)


def test_a_no_stops_what_is_being_sent(friday: World, phone: Phone) -> None:
    followers(friday, 2)
    proposed(friday)
    number = made(friday)
    tried(friday, number)
    submit(friday, number)
    approve(friday, number)
    before = len(phone.sent)
    from bot.usecases.broadcast import expand_due

    expand_due(friday.runtime)
    refuse(friday, reports(friday)[0])
    run(friday)
    assert len(phone.sent) == before
    assert [leg.state for leg in legs(friday, number)] == [AnnouncementState.STOPPED]
    states = {row.state for row in all_rows(friday.runtime, Delivery) if row.announcement_id}
    assert states == {DeliveryState.CANCELLED}
    assert made(friday) != number  # without that question, it can be told after all


@pytest.mark.parametrize(
    "values", [{"is_sealed": True}, {"is_open": True, "state": TicketState.IN_PROGRESS}, {"is_spam": True}]
)
def test_whatever_else_ends_a_publication_is_seen_by_the_sweep_and_by_an_approval(
    friday: World, phone: Phone, values: dict[str, Any]
) -> None:  # fmt: skip
    followers(friday, 1)
    proposed(friday)
    number = made(friday)
    tried(friday, number)
    submit(friday, number)
    change(friday, reports(friday)[0], **values)
    assert ANSWERS["giao-thong-duong-sa"][0] not in told(friday)
    with pytest.raises(AnnouncementError, match="không còn được công khai"):
        approve(friday, number)
    assert take_out_due(friday.runtime) == 1
    assert take_out_due(friday.runtime) == 0
    row = bulletin(friday, number)
    assert row.state is BulletinState.DRAFT
    assert ANSWERS["giao-thong-duong-sa"][0] not in row.body


def test_a_closed_list_tells_nothing(friday: World) -> None:
    proposed(friday)
    has_list(friday, on=False)
    assert told(friday) == []


def test_erased_data_leave_no_words_in_editions(friday: World) -> None:
    has_list(friday)
    friday.says("Đường vào Xóm 5 nhiều ổ gà quá")
    intake.drain(friday.runtime)
    [ticket] = all_rows(friday.runtime, Ticket)
    change(friday, ticket.id, state=TicketState.CLOSED, is_open=False, topic="giao-thong-duong-sa")
    with friday.runtime.database.transaction() as session:
        ours = {"commune_id": friday.commune_id, "ticket_id": ticket.id}
        question, answer = ANSWERS["giao-thong-duong-sa"]
        session.add(Publicity(**ours, answer=PublicAnswer.AGREED, how="chat", at=friday.clock()))
        session.add(
            Publication(
                **ours, summary=question, result=answer, published_at=friday.clock(),
                published_by_id=friday.officials["lan"],
            )
        )  # fmt: skip
    proposed(friday, "rac-thai", "nuoc-sach", "chieu-sang")
    number = made(friday)
    assert question in bulletin(friday, number).body
    erase(friday, ticket)
    assert all(question not in item.question and answer not in item.answer for item in items(friday))
    assert question not in bulletin(friday, number).body
    assert len(told(friday)) == 3


def test_a_correction_says_only_what_may_still_be_told(friday: World, phone: Phone) -> None:
    followers(friday, 1)
    proposed(friday)
    number = made(friday)
    tried(friday, number)
    submit(friday, number)
    approve(friday, number)
    run(friday)
    refuse(friday, reports(friday)[0])
    official = friday.official("tuan")
    follow_up = bulletin_following.follow_up(friday.runtime, official, number, BulletinKind.CORRECTION)
    assert ANSWERS["giao-thong-duong-sa"][0] not in bulletin(friday, follow_up).body
    assert ANSWERS["nuoc-sach"][0] in bulletin(friday, follow_up).body


def test_a_no_is_heard_in_a_correction_too(friday: World, phone: Phone) -> None:
    followers(friday, 1)
    proposed(friday)
    number = made(friday)
    tried(friday, number)
    submit(friday, number)
    approve(friday, number)
    run(friday)
    official = friday.official("tuan")
    follow_up = bulletin_following.follow_up(friday.runtime, official, number, BulletinKind.CORRECTION)
    assert ANSWERS["giao-thong-duong-sa"][0] in bulletin(friday, follow_up).body
    refuse(friday, reports(friday)[0])
    assert ANSWERS["giao-thong-duong-sa"][0] not in bulletin(friday, follow_up).body
    assert bulletin(friday, follow_up).returned_note


# ---- the commune's page ---------------------------------------------------------------------------------------------


def test_the_page_tells_what_was_approved_and_may_still_be_told(friday: World) -> None:
    add_channel(
        friday.runtime, commune="duc-hue", type="web_form", slug="duc-hue-online", name="Trang", settings={}, secrets={}
    )
    edition = proposed(friday)
    number = made(friday)
    page = page_of(friday.runtime, "duc-hue-online")
    assert page is not None
    assert bulletin(friday, number).texts["sms"].endswith(f"/phan-anh/duc-hue-online/hoi-dap/{edition.week}")
    assert edition_reading.told(friday.runtime, page) == []
    with friday.runtime.database.transaction() as session:
        session.execute(sa.update(Bulletin).values(state=BulletinState.APPROVED, approved_at=friday.clock()))
    [one] = edition_reading.told(friday.runtime, page)
    assert len(one.entries) == 4
    with friday.runtime.database.transaction() as session:
        session.execute(sa.update(Bulletin).values(ended_at=friday.clock()))  # recalled after all had it
    assert edition_reading.told(friday.runtime, page) == []
    with friday.runtime.database.transaction() as session:
        session.execute(sa.update(Bulletin).values(ended_at=None))
    change(friday, reports(friday)[0], is_sealed=True)
    assert len(edition_reading.told_in(friday.runtime, page, edition.week).entries) == 3
    with pytest.raises(NotFound):
        edition_reading.told_in(friday.runtime, page, edition.week - timedelta(days=7))


def test_another_communes_results_are_not_proposed(friday: World) -> None:
    has_list(friday)
    number = published(friday)
    with friday.runtime.database.transaction() as session:
        code = session.scalar(sa.select(Locality.code).where(Locality.level == "commune", Locality.code != "27925"))
        other = Commune(locality_code=code, slug="xa-khac", name="Xã khác", settings={})
        session.add(other)
        session.flush()
        session.execute(
            sa.text("UPDATE publications SET commune_id = :c WHERE ticket_id = :t"), {"c": other.id, "t": number}
        )
    editions.propose_due(friday.runtime)
    assert [row.commune_id for row in all_rows(friday.runtime, EditionItem)] == []
