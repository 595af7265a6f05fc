"""Incidents: what is proposed, joining and parting, and that everybody who joined hears all that is said."""

from __future__ import annotations

import secrets
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.access import NotFound
from bot.rules.lifecycle import Given, NotAllowed
from bot.usecases import comparing, extending, incidents, intake, replies, tickets, triage
from bot.usecases.desk import Changed
from bot.usecases.replies import Written
from storage.deliveries import Delivery
from storage.enums import TicketState, Urgency
from storage.incidents import Difference, Joining, Likeness
from storage.messages import Message
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.sms import an_sms_channel, texts
from tests.usecases.looking import BRIBE, history, messages_of, said_to_citizens

RUBBISH = (
    "Rác ở chợ Đình không ai thu gom cả tuần nay, hôi thối lắm",
    "rac cho Dinh chat dong boc mui",
    "Đống rác chợ Đình bốc mùi quá, xe gom không tới",
)
LAMP = "Đèn đường trước chợ Đình tắt mấy hôm nay"


def take_in(world: World) -> None:
    """What the inbox job does."""
    intake.drain(world.runtime)
    while comparing.compare_due(world.runtime):
        pass


def says(world: World, clock: Clock, words: str, user: int = 1) -> Ticket:
    """A citizen writes; gives the ticket it was filed under."""
    clock.move(minutes=2)
    world.says(words, user=str(3_000_000_000_000_000_000 + user))
    take_in(world)
    with world.runtime.database.reading() as session:
        query = sa.select(Message).where(Message.text == words, Message.ticket_id.is_not(None))
        message = session.scalars(query.order_by(Message.id.desc()).limit(1)).first()
        return session.get_one(Ticket, message.ticket_id) if message is not None else Ticket()


def three(world: World, clock: Clock) -> list[Ticket]:
    """Three people report the same rubbish."""
    return [says(world, clock, words, user) for user, words in enumerate(RUBBISH, 1)]


def now(world: World, ticket: Ticket | int) -> Ticket:
    with world.runtime.database.reading() as session:
        return session.get_one(Ticket, ticket if isinstance(ticket, int) else ticket.id)


def proposed(world: World) -> dict[int, int]:
    return {row.ticket_id: row.lead_id for row in all_rows(world.runtime, Likeness)}


def join(world: World, lead: Ticket, *others: Ticket, who: str = "lan") -> int:
    version = now(world, lead).version
    return incidents.join(
        world.runtime, world.official(who), lead.id, version=version, others=[one.id for one in others]
    )


def answer(world: World, ticket: Ticket, words: str = "đã dọn sạch.", who: str = "mai") -> None:
    written = Written(words, is_result=True, next_step="kiểm tra lại sau một tuần.")
    version = now(world, ticket).version
    replies.reply(
        world.runtime, world.official(who), ticket.id, version=version, token=secrets.token_hex(16), written=written
    )


def told(world: World, ticket: Ticket, key: str) -> list[str]:
    rows = all_rows(world.runtime, Message)
    return [m.text for m in rows if m.ticket_id == ticket.id and m.template == key]


# ---- proposing ------------------------------------------------------------------------------------------------------


def test_like_reports_are_proposed_with_reasons_and_nothing_is_merged(morning: World, clock: Clock) -> None:
    first, second, third = three(morning, clock)
    says(morning, clock, LAMP, 4)
    assert proposed(morning) == {second.id: first.id, third.id: first.id}
    (reasons, *_) = [row.reasons for row in all_rows(morning.runtime, Likeness)]
    assert [reason["kind"] for reason in reasons][:2] == ["topic", "place"]
    shared = [r.reasons[-1] for r in all_rows(morning.runtime, Likeness) if r.ticket_id == third.id]
    assert "bốc mùi" in shared[0]["words"]  # spelled as one of them did, though another wrote without accents
    assert {t.state for t in all_rows(morning.runtime, Ticket)} == {TicketState.NEW}


def test_a_proposal_is_withdrawn_when_an_official_says_it_is_elsewhere(morning: World, clock: Clock) -> None:
    first, second, _ = three(morning, clock)
    version = now(morning, second).version
    tickets.set_topic(morning.runtime, morning.official("lan"), second.id, version=version, topic="tieng-on")
    take_in(morning)
    assert second.id not in proposed(morning)
    assert first.id in proposed(morning).values()


@pytest.mark.parametrize("deed", ["seal", "spam", "answer"])
def test_what_is_over_or_closed_to_others_is_proposed_no_more(morning: World, clock: Clock, deed: str) -> None:
    first, second, third = three(morning, clock)
    version, lan = now(morning, first).version, morning.official("lan")
    if deed == "seal":
        tickets.seal(morning.runtime, lan, first.id, version=version, reason="nêu tên người bị tố cáo")
    elif deed == "spam":
        triage.mark_spam(morning.runtime, lan, first.id, version=version)
    else:
        answer(morning, first)
    take_in(morning)
    assert proposed(morning) == {third.id: second.id}


def test_a_denunciation_is_never_compared(morning: World, clock: Clock) -> None:
    for user in (1, 2):
        says(morning, clock, BRIBE, user)
    assert proposed(morning) == {}


def test_what_was_put_in_order_is_not_what_is_broken_today(morning: World, clock: Clock) -> None:
    first = says(morning, clock, RUBBISH[0], 1)
    answer(morning, first)
    clock.move(days=2)
    says(morning, clock, RUBBISH[1], 2)
    assert proposed(morning) == {}


def test_no_is_remembered_and_not_asked_again(morning: World, clock: Clock) -> None:
    first, second, third = three(morning, clock)
    version, lan = now(morning, first).version, morning.official("lan")
    incidents.differ(morning.runtime, lan, first.id, version=version, others=[second.id])
    take_in(morning)
    assert proposed(morning) == {third.id: first.id}
    says(morning, clock, "rác chợ Đình vẫn chất đống bốc mùi", 2)
    take_in(morning)
    assert second.id not in proposed(morning)
    assert {(d.first_id, d.second_id) for d in all_rows(morning.runtime, Difference)} >= {(first.id, second.id)}
    assert history(morning, first)[-1] == "differed"


# ---- joining --------------------------------------------------------------------------------------------------------


def test_joined_reports_have_one_owner_and_the_earliest_deadline(morning: World, clock: Clock) -> None:
    first, second, third = three(morning, clock)
    early = now(morning, first).due_at - timedelta(hours=9)
    with morning.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).where(Ticket.id == third.id).values(due_at=early, urgency=Urgency.URGENT))
    assert join(morning, second, first, third) == first.id
    lead = now(morning, first)
    assert (lead.due_at, lead.urgency) == (early, Urgency.URGENT)
    joined = [now(morning, one) for one in (second, third)]
    assert {(one.state, one.merged_into_id, one.is_open) for one in joined} == {(TicketState.MERGED, first.id, False)}
    assert proposed(morning) == {}
    assert [len(told(morning, one, "merged")) for one in (second, third)] == [1, 1]
    later = says(morning, clock, "rác ngập chợ Đình bốc mùi hôi", 9)
    assert proposed(morning) == {later.id: first.id}


def test_a_handler_does_not_join(morning: World, clock: Clock) -> None:
    first, second, _ = three(morning, clock)
    with pytest.raises((NotAllowed, NotFound)):
        join(morning, first, second, who="hung")


def test_who_looks_at_an_old_page_changes_nothing(morning: World, clock: Clock) -> None:
    first, second, third = three(morning, clock)
    seen = now(morning, first).version
    join(morning, first, second)
    with pytest.raises(Changed):
        incidents.join(morning.runtime, morning.official("lan"), first.id, version=seen, others=[third.id])
    with pytest.raises(NotAllowed) as refusal:
        join(morning, first, second)
    assert refusal.value.code == "changed"


def test_what_is_parted_gets_its_state_words_and_clock_back(morning: World, clock: Clock) -> None:
    first, second, third = three(morning, clock)
    lan = morning.official("lan")
    tickets.receive(morning.runtime, lan, third.id, version=now(morning, third).version)
    before = now(morning, third)
    early = now(morning, first).due_at - timedelta(hours=9)
    with morning.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).where(Ticket.id == third.id).values(due_at=early))
    own = now(morning, first).due_at
    join(morning, first, second, third)
    assert now(morning, first).due_at == early
    clock.move(days=29)
    incidents.part(morning.runtime, lan, third.id, version=now(morning, third).version)
    take_in(morning)
    after = now(morning, third)
    assert (after.state, after.is_open, after.merged_into_id) == (TicketState.RECEIVED, True, None)
    assert (after.due_at, after.accepted_at, after.acted_at) == (early, before.accepted_at, before.acted_at)
    assert after.next_notice_at is not None
    assert now(morning, first).due_at == own
    assert messages_of(morning, third) == [RUBBISH[2]]
    assert (history(morning, third)[-1], history(morning, first)[-1]) == ("parted", "parted")
    assert len(told(morning, third, "parted")) == 1
    assert proposed(morning) == {}  # whoever takes it out says that it is another matter
    with pytest.raises(NotAllowed) as refusal:
        incidents.part(morning.runtime, lan, third.id, version=after.version)
    assert refusal.value.code == "not_joined"


def test_after_thirty_days_nothing_is_parted(morning: World, clock: Clock) -> None:
    first, second, _ = three(morning, clock)
    join(morning, first, second)
    clock.move(days=30, minutes=1)
    with pytest.raises(NotAllowed) as refusal:
        incidents.part(morning.runtime, morning.official("lan"), second.id, version=now(morning, second).version)
    assert refusal.value.code == "too_late"


def test_an_incident_joined_to_another_takes_its_reporters_along_and_back(morning: World, clock: Clock) -> None:
    first, second, third = three(morning, clock)
    join(morning, second, third)
    join(morning, first, second)
    lead = now(morning, second).merged_into_id or second.id
    led = first if lead == first.id else second
    joined = {one.id for one in (first, second, third)} - {led.id}
    assert {now(morning, one).merged_into_id for one in joined} == {led.id}
    other = second if led.id == first.id else first
    incidents.part(morning.runtime, morning.official("lan"), other.id, version=now(morning, other).version)
    assert now(morning, third).merged_into_id == second.id


@pytest.mark.parametrize("deed", ["seal", "spam"])
def test_who_joined_what_cannot_answer_any_more_stands_alone_again(morning: World, clock: Clock, deed: str) -> None:
    first, second, third = three(morning, clock)
    join(morning, first, second, third)
    version, lan = now(morning, first).version, morning.official("lan")
    if deed == "seal":
        tickets.seal(morning.runtime, lan, first.id, version=version, reason="nêu tên người bị tố cáo")
    else:
        triage.mark_spam(morning.runtime, lan, first.id, version=version)
    assert [now(morning, one).state for one in (second, third)] == [TicketState.NEW, TicketState.NEW]
    assert {j.undone_at is not None for j in all_rows(morning.runtime, Joining)} == {True}


# ---- telling --------------------------------------------------------------------------------------------------------


def test_everything_said_of_the_work_reaches_everybody_in_their_own_form(morning: World, clock: Clock) -> None:
    first, second = (says(morning, clock, words, user) for user, words in enumerate(RUBBISH[:2], 1))
    channel = an_sms_channel(morning)
    texts(morning, channel, "rac cho Dinh boc mui hoi thoi, khong ai gom")
    take_in(morning)
    third = all_rows(morning.runtime, Ticket)[-1]
    join(morning, first, second, third)
    mai = morning.official("mai")
    written = Written("đang điều xe gom, xong trước tối nay.", is_for_all=True)
    replies.reply(morning.runtime, mai, first.id, version=now(morning, first).version, token="a" * 16, written=written)
    extending.ask(
        morning.runtime, mai, first.id, version=now(morning, first).version, days=2, reason="chờ xe của huyện về gom"
    )
    clock.move(days=30)
    extending.apologise(
        morning.runtime, mai, first.id, version=now(morning, first).version, reason="xe gom rác hỏng giữa đường",
        by_date=(clock() + timedelta(days=3)).date(),
    )  # fmt: skip
    answer(morning, first)
    for key in ("progress", "extended", "overdue", "result"):
        for one in (first, second, third):
            (words,) = told(morning, one, key)
            assert {t.code for t in all_rows(morning.runtime, Ticket) if t.code in words} == {one.code}, key
    assert all(m.text.isascii() for m in all_rows(morning.runtime, Message) if m.ticket_id == third.id and m.author_id)
    sent = [d for d in all_rows(morning.runtime, Delivery) if d.channel_id == channel and d.kind.value == "reply"]
    assert len({d.message_id for d in sent}) == 5  # joined, progress, extended, overdue, result


def test_an_officials_plain_word_goes_to_nobody_else(morning: World, clock: Clock) -> None:
    first, second, _ = three(morning, clock)
    join(morning, first, second)
    version = now(morning, first).version
    written = Written("Cho hỏi đống rác ở cổng nào ạ?")
    lan = morning.official("lan")
    replies.reply(morning.runtime, lan, first.id, version=version, token="b" * 16, written=written)
    asked = [m.ticket_id for m in all_rows(morning.runtime, Message) if m.text == written.text]
    assert asked == [first.id]


def test_each_judges_for_themselves_and_one_who_is_not_content_opens_it_again(morning: World, clock: Clock) -> None:
    first, second, third = three(morning, clock)
    join(morning, first, second, third)
    answer(morning, first)
    assert said_to_citizens(morning).count("rating") == 3
    clock.move(minutes=5)
    says(morning, clock, "3", 2)
    assert (now(morning, second).rating, now(morning, first).rating) == (3, None)
    assert now(morning, first).state is TicketState.ANSWERED
    says(morning, clock, "không hài lòng", 3)
    assert (now(morning, third).rating, now(morning, second).rating) == (1, 3)
    lead = now(morning, first)
    assert (lead.state, lead.reopened_count, lead.is_open) == (TicketState.REOPENED, 1, True)
    says(morning, clock, "rác vẫn còn nguyên sau chợ", 3)
    assert messages_of(morning, third)[-1] == "rác vẫn còn nguyên sau chợ"
    clock.move(hours=2)
    answer(morning, first, "đã dọn lại toàn bộ.")
    assert [len(told(morning, one, "result")) for one in (first, second, third)] == [2, 2, 2]


def test_who_is_joined_to_what_is_answered_gets_the_result_at_once(morning: World, clock: Clock) -> None:
    first, second, _ = three(morning, clock)
    answer(morning, first)
    lan, version = morning.official("lan"), now(morning, second).version
    given = Given(target_code=first.code)
    tickets.change_state(morning.runtime, lan, second.id, version=version, target=TicketState.MERGED, given=given)
    (words,) = told(morning, second, "result")
    assert second.code in words
    assert first.code not in words


def test_who_reported_first_cannot_withdraw_what_others_wait_for(morning: World, clock: Clock) -> None:
    first, second, _ = three(morning, clock)
    join(morning, first, second)
    says(morning, clock, f"rút {first.code}", 1)
    assert now(morning, first).is_open
    assert said_to_citizens(morning)[-1] == "withdraw_by_person"
