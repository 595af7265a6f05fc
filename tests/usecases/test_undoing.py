"""Undoing: what an official sends waits a moment, and until it leaves everything can be as it was."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from bot.access import NotFound
from bot.rules.lifecycle import Given, NotAllowed
from bot.usecases import chain, deliveries, replies, sweep, tickets, undoing
from bot.usecases.deliveries import Claimed, claim
from bot.usecases.drafts import save
from bot.usecases.erasing import erase_let_go
from bot.usecases.sending import PERSONAL
from storage.channels import Channel
from storage.communes import Commune
from storage.contacts import Conversation
from storage.deliveries import Delivery
from storage.drafts import Draft, DraftKind
from storage.enums import DeliveryKind, DeliveryState, Origin, TicketState
from storage.messages import Message
from storage.tickets import Ticket, TicketEvent
from storage.undo import UNDONE, Undoable
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import BRIBE, FIRE, OTHER, POTHOLE, RUBBISH, history, take_in, the_ticket
from tests.usecases.looking import tickets as all_tickets
from tests.usecases.test_answered import answer, says
from tests.usecases.test_citizens import does
from tests.usecases.test_replies import a_photo, say

S, WAITING, CANCELLED = TicketState, DeliveryState.WAITING, DeliveryState.CANCELLED


def with_time(world: World, **settings: object) -> None:
    """The commune lets its officials take back for ten seconds, as is usual."""
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Commune).values(settings={"after_photo": False, **settings}))


@pytest.fixture
def ticket(morning: World, clock: Clock) -> Ticket:
    """A report of a pothole whose acknowledgements have left."""
    with_time(morning)
    morning.says(POTHOLE)
    take_in(morning)
    claims(morning)
    clock.move(minutes=30)
    return the_ticket(morning)


def claims(world: World) -> list[Claimed]:
    """What leaves the house now, on every try."""
    found: list[Claimed] = []
    while True:
        with world.runtime.database.transaction() as session:
            channel = session.get_one(Channel, world.channel_id)
            batch = claim(session, channel, PERSONAL, 10, "me", world.clock())
        if not batch:
            return found
        with world.runtime.database.transaction() as session:
            session.execute(
                sa.update(Delivery)
                .where(Delivery.id.in_([one.id for one in batch]))
                .values(state=DeliveryState.SENT, sent_at=world.clock())
            )
        found += batch


def newest(world: World) -> Undoable:
    found: list[Undoable] = all_rows(world.runtime, Undoable)
    return found[-1]


def undo(world: World, who: str = "lan") -> None:
    """Press the button of the newest sending."""
    one = newest(world)
    undoing.undo(world.runtime, world.official(who), one.ticket_id, one.id)


def facts(ticket: Ticket) -> dict[str, Any]:
    """All that a sending may change, and nothing that only grows."""
    return {
        column.name: getattr(ticket, column.name)
        for column in Ticket.__table__.columns
        if column.name not in {"version", "is_touched"}
    }


def talk(world: World) -> tuple[Any, ...]:
    (one,) = all_rows(world.runtime, Conversation)
    return one.asked, one.asked_at, one.held_by_id, one.held_since, one.held_until, one.last_message_at


def by_officials(world: World) -> list[Message]:
    return [m for m in all_rows(world.runtime, Message) if m.origin is Origin.OFFICIAL]


def drafts(world: World) -> list[Draft]:
    return all_rows(world.runtime, Draft)


def test_a_reply_leaves_ten_seconds_later(morning: World, ticket: Ticket, clock: Clock) -> None:
    say(morning, "lan")
    clock.move(seconds=9)
    assert claims(morning) == []
    clock.move(seconds=1)
    assert [one.kind for one in claims(morning)] == [DeliveryKind.ACK, DeliveryKind.REPLY]


def test_where_the_commune_wants_no_waiting_a_reply_leaves_at_once(morning: World, ticket: Ticket) -> None:
    with_time(morning, undo_seconds=0)
    say(morning, "lan")
    assert len(claims(morning)) == 2
    assert all_rows(morning.runtime, Undoable) == []


def test_a_reply_is_taken_back_as_if_it_had_never_been_sent(morning: World, ticket: Ticket, clock: Clock) -> None:
    before = talk(morning)
    say(morning, "lan")
    clock.move(seconds=9)
    undo(morning)
    assert facts(the_ticket(morning)) == facts(ticket)
    assert talk(morning) == before
    assert the_ticket(morning).version > ticket.version + 1
    clock.move(minutes=5)
    assert claims(morning) == []
    assert history(morning, ticket)[-1] == "undone"


def test_the_words_stand_in_the_officials_composer_again_and_nowhere_else(morning: World, ticket: Ticket) -> None:
    say(morning, "lan")
    undo(morning)
    (draft,) = drafts(morning)
    assert (draft.text, draft.official_id, draft.fields) == ("Xã sẽ sửa trong tuần này.", morning.officials["lan"], {})
    assert [m.text for m in all_rows(morning.runtime, Message) if m.template == UNDONE] == ["", ""]
    assert "tuần này" not in str([d.text for d in all_rows(morning.runtime, Delivery)] + [newest(morning).written])


def test_what_was_begun_since_stays_behind_the_words_that_come_back(morning: World, ticket: Ticket) -> None:
    say(morning, "lan", "Một.")
    save(morning.runtime, morning.official("lan"), ticket.id, DraftKind.REPLY, text="Hai.", fields={})
    undo(morning)
    assert [draft.text for draft in drafts(morning)] == ["Một.\n\nHai."]


def test_a_result_is_taken_back_with_its_clocks_and_its_question(morning: World, ticket: Ticket) -> None:
    before = talk(morning)
    say(morning, "mai", "Đã vá mặt đường.", is_result=True, next_step="theo dõi sau mưa.")
    assert the_ticket(morning).state is S.ANSWERED
    undo(morning, "mai")
    assert facts(the_ticket(morning)) == facts(ticket)
    assert talk(morning) == before
    (draft,) = drafts(morning)
    assert draft.text == "Đã vá mặt đường."
    assert draft.fields == {"result": "1", "next_step": "theo dõi sau mưa."}


def test_a_result_that_was_taken_back_may_be_sent_after_all(morning: World, ticket: Ticket, clock: Clock) -> None:
    say(morning, "mai", "Đã vá.", is_result=True, next_step="theo dõi.", token="the-same-form")
    undo(morning, "mai")
    say(morning, "mai", "Đã vá xong.", is_result=True, next_step="theo dõi.", token="the-same-form")
    clock.move(seconds=10)
    assert "Đã vá xong." in claims(morning)[0].text


def test_everybody_who_reported_an_incident_is_spared(morning: World, clock: Clock) -> None:
    says(morning, clock, RUBBISH)
    says(morning, clock, "Rác chợ Đình chất đống hôi quá", user=OTHER)
    says(morning, clock, "ghép", user=OTHER)
    claims(morning)
    with_time(morning)
    before = [facts(one) for one in all_tickets(morning)]
    asked = [one.asked for one in all_rows(morning.runtime, Conversation)]
    answer(morning, "PA26-0001")
    assert len({d.urn_id for d in all_rows(morning.runtime, Delivery) if d.state is WAITING}) == 2
    undo(morning, "mai")
    assert [facts(one) for one in all_tickets(morning)] == before
    clock.move(minutes=5)
    assert claims(morning) == []
    assert [one.asked for one in all_rows(morning.runtime, Conversation)] == asked


def test_a_question_to_the_citizen_is_taken_back_and_the_clocks_run_on(morning: World, ticket: Ticket) -> None:
    tickets.receive(morning.runtime, morning.official("lan"), ticket.id, version=ticket.version)
    before = the_ticket(morning)
    tickets.change_state(
        morning.runtime, morning.official("lan"), ticket.id, version=before.version, target=S.WAITING_CITIZEN,
        given=Given(words="Ổ gà ở đoạn nào?"),
    )  # fmt: skip
    assert the_ticket(morning).paused_at is not None
    undo(morning)
    assert facts(the_ticket(morning)) == facts(before)
    assert [draft.text for draft in drafts(morning)] == ["Ổ gà ở đoạn nào?"]


def test_an_approval_is_taken_back_and_may_be_given_again(morning: World, ticket: Ticket, clock: Clock) -> None:
    with_time(morning, needs_approval=True)
    say(morning, "lan", "Đã vá.", is_result=True, next_step="theo dõi.")
    assert all_rows(morning.runtime, Undoable) == []  # nothing left yet
    waiting = the_ticket(morning)
    replies.approve(morning.runtime, morning.official("mai"), ticket.id, version=waiting.version)
    undo(morning, "mai")
    assert facts(the_ticket(morning)) == facts(waiting)
    assert [m.template for m in by_officials(morning)] == ["result_draft"]
    assert drafts(morning) == []
    replies.approve(morning.runtime, morning.official("mai"), ticket.id, version=the_ticket(morning).version)
    clock.move(seconds=10)
    assert "Đã vá." in claims(morning)[0].text


def test_who_took_back_an_approval_is_not_the_one_who_approved_before(morning: World, ticket: Ticket) -> None:
    with morning.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).values(reopened_count=1))
    with_time(morning, needs_approval=True)
    say(morning, "lan", "Đã vá.", is_result=True, next_step="theo dõi.")
    for _ in range(2):
        replies.approve(morning.runtime, morning.official("mai"), ticket.id, version=the_ticket(morning).version)
        undo(morning, "mai")


def test_what_has_left_is_not_taken_back(morning: World, ticket: Ticket, clock: Clock) -> None:
    say(morning, "lan")
    clock.move(seconds=10)
    assert claims(morning)
    before = the_ticket(morning)
    with pytest.raises(NotAllowed, match="left"):
        undo(morning)
    assert (facts(the_ticket(morning)), the_ticket(morning).version) == (facts(before), before.version)
    assert drafts(morning) == []


def test_what_a_colleague_went_on_from_is_not_taken_back(morning: World, ticket: Ticket, clock: Clock) -> None:
    say(morning, "mai", "Đã vá.", is_result=True, next_step="theo dõi.")
    tickets.change_state(
        morning.runtime, morning.official("lan"), ticket.id, version=the_ticket(morning).version, target=S.CLOSED,
        given=Given(),
    )  # fmt: skip
    with pytest.raises(NotAllowed, match="moved_on"):
        undo(morning, "mai")
    clock.move(seconds=10)
    assert claims(morning)


def test_a_plain_reply_is_taken_back_though_a_colleague_took_the_next_step(morning: World, ticket: Ticket) -> None:
    say(morning, "lan")
    now = the_ticket(morning)
    tickets.assign(
        morning.runtime, morning.official("mai"), ticket.id, version=now.version, agency_id=now.agency_id or 0,
        official_id=None,
    )  # fmt: skip
    undo(morning)
    assert the_ticket(morning).state is S.ASSIGNED
    assert the_ticket(morning).accepted_at == now.accepted_at
    assert [d for d in all_rows(morning.runtime, Delivery) if d.kind is DeliveryKind.REPLY and d.state is WAITING] == []


def test_a_colleagues_sending_is_theirs_to_take_back(morning: World, ticket: Ticket) -> None:
    say(morning, "lan")
    with pytest.raises(NotAllowed, match="left"):
        undo(morning, "mai")
    with pytest.raises(NotFound):
        undo(morning, "an")


def test_danger_is_answered_while_a_reply_waits(morning: World, ticket: Ticket, clock: Clock) -> None:
    say(morning, "lan")
    clock.move(seconds=2)
    morning.says(FIRE)
    take_in(morning)
    assert any("114" in one.text for one in claims(morning))
    clock.move(seconds=8)
    assert any("tuần này" in one.text for one in claims(morning))


def test_nobody_judges_a_result_they_have_not_been_told(morning: World, ticket: Ticket, clock: Clock) -> None:
    say(morning, "mai", "Đã vá.", is_result=True, next_step="theo dõi.")
    clock.move(seconds=5)
    morning.says("3")
    take_in(morning)
    assert the_ticket(morning).rating is None


def test_a_picture_that_was_taken_back_is_not_kept(morning: World, ticket: Ticket, clock: Clock) -> None:
    say(morning, "lan", image=a_photo())
    undo(morning)
    clock.move(days=2)
    erase_let_go(morning.runtime)
    assert not [path for path in (morning.runtime.settings.data_dir / "blobs").rglob("*") if path.is_file()]


def test_words_of_a_sealed_report_are_locked_on_every_way(morning: World) -> None:
    with_time(morning)
    morning.says(BRIBE)
    take_in(morning)
    say(morning, "mai", "Chúng tôi đang xác minh.")
    assert newest(morning).sealed is not None
    undo(morning, "mai")
    (draft,) = drafts(morning)
    assert (draft.text, draft.sealed is not None) == ("Chúng tôi đang xác minh.", True)
    with morning.runtime.database.engine.connect() as connection:
        rows = [
            str(row) for name in ("drafts", "undoables") for row in connection.execute(sa.text(f"SELECT * FROM {name}"))
        ]
    assert "xác minh" not in "".join(rows)


def test_sealing_a_report_locks_what_waits(morning: World, ticket: Ticket) -> None:
    say(morning, "lan")
    save(morning.runtime, morning.official("lan"), ticket.id, DraftKind.REPLY, text="Hai.", fields={})
    now = the_ticket(morning)
    tickets.seal(morning.runtime, morning.official("mai"), ticket.id, version=now.version, reason="Có tố cáo trong đó.")
    assert [row.sealed is not None for row in (*drafts(morning), *all_rows(morning.runtime, Undoable))] == [True] * 2


def test_two_clicks_at_the_same_moment_take_back_once(morning: World, ticket: Ticket) -> None:
    say(morning, "lan")
    met = at_once(lambda: undo(morning), lambda: undo(morning), lambda: undo(morning))
    assert sorted(getattr(error, "code", "") for error in met) == [UNDONE, UNDONE]
    assert history(morning, ticket).count("undone") == 1
    assert len(drafts(morning)) == 1


@pytest.mark.parametrize("turn", range(6))
def test_undo_and_the_worker_never_both_win(morning: World, ticket: Ticket, clock: Clock, turn: int) -> None:
    say(morning, "mai", "Đã vá.", is_result=True, next_step="theo dõi.")
    clock.move(seconds=10)
    sent: list[Claimed] = []
    both = [lambda: undo(morning, "mai"), lambda: sent.extend(claims(morning))]
    met = at_once(*(both if turn % 2 else reversed(both)))
    is_undone = the_ticket(morning).state is S.NEW
    assert (bool(sent), [error.code for error in met]) == ((False, []) if is_undone else (True, ["left"]))
    assert len(drafts(morning)) == is_undone


def at_once(*deeds: Any) -> list[NotAllowed]:
    """Do these at the same moment; gives what was refused."""
    met: list[NotAllowed] = []
    gate = threading.Barrier(len(deeds))

    def run(deed: Any) -> None:
        gate.wait()
        try:
            deed()
        except NotAllowed as error:
            met.append(error)

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return met


def test_nobody_can_send_what_was_taken_back_by_another_door(morning: World, ticket: Ticket, clock: Clock) -> None:
    say(morning, "lan")
    undo(morning)
    for delivery in all_rows(morning.runtime, Delivery):
        if delivery.code == UNDONE:
            deliveries.resend(morning.runtime, morning.officials["lan"], delivery)
    clock.move(minutes=1)
    assert claims(morning) == []


def test_history_and_chain_agree_with_how_it_stands(morning: World, ticket: Ticket, clock: Clock) -> None:
    say(morning, "mai", "Đã vá.", is_result=True, next_step="theo dõi.")
    undo(morning, "mai")
    clock.move(minutes=3)
    chain.extend(morning.runtime)
    assert chain.verify(morning.runtime).problems == []


def test_the_form_is_forgotten_when_nobody_can_want_it_any_more(morning: World, ticket: Ticket, clock: Clock) -> None:
    say(morning, "lan")
    sweep.sweep(morning.runtime)
    assert len(all_rows(morning.runtime, Undoable)) == 1
    clock.move(minutes=2)
    sweep.sweep(morning.runtime)
    assert all_rows(morning.runtime, Undoable) == []


def test_withdrawing_ones_data_leaves_no_word_in_drafts(morning: World, ticket: Ticket, clock: Clock) -> None:
    say(morning, "lan")
    undo(morning)
    say(morning, "lan", "Đã nhận.")
    does(morning, "user_withdraw")
    take_in(morning)
    clock.move(minutes=1)
    assert claims(morning) == []
    assert (drafts(morning), all_rows(morning.runtime, Undoable)) == ([], [])


def test_the_event_says_from_where_to_where_it_went_back(morning: World, ticket: Ticket) -> None:
    say(morning, "mai", "Đã vá.", is_result=True, next_step="theo dõi.")
    undo(morning, "mai")
    (event,) = [e for e in all_rows(morning.runtime, TicketEvent) if e.kind.value == "undone"]
    assert (event.data["from"], event.data["to"]) == (S.ANSWERED.value, S.NEW.value)


def test_to_take_back_the_first_of_two_leaves_standing_what_the_second_stands_on(
    morning: World, ticket: Ticket, clock: Clock
) -> None:
    say(morning, "lan")
    first = newest(morning)
    clock.move(seconds=3)
    say(morning, "lan", text="Tổ điện đã thay bóng xong.")
    before = talk(morning)
    undoing.undo(morning.runtime, morning.official("lan"), first.ticket_id, first.id)
    assert talk(morning) == before
    now = the_ticket(morning)
    assert (now.state, now.accepted_at is None) == (S.RECEIVED, False)
    clock.move(hours=5)
    sweep.sweep(morning.runtime)
    assert talk(morning)[2:5] == (None, None, None)
