"""The clocks of tickets at work: who is called when, what stands still, and a year in which nothing slips unsaid."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.rules.clocks import Clock as Promise
from bot.rules.clocks import deadlines
from bot.rules.deadlines import VIETNAM
from bot.rules.lifecycle import Given, NotAllowed
from bot.runtime import Runtime
from bot.usecases import alerts, clocks, extending, tickets
from bot.usecases.clocks import calendar_of, speak_up
from bot.usecases.communes import CommuneBook, commune_book
from bot.usecases.replies import Written, reply
from bot.usecases.sweep import sweep
from nlp.topics import TOPICS
from storage.alerts import Alert
from storage.contacts import Conversation
from storage.enums import AlertKind, EventKind, Role, TicketState, Urgency
from storage.officials import Official
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import BRIBE, FIRE, LIGHT, history, said_to_citizens, take_in, texts_of, the_ticket

YEAR_TICKETS = int(os.environ.get("TEST_YEAR_TICKETS", "60"))


@pytest.fixture
def ticket(morning: World) -> Ticket:
    """A street light is out, Wednesday at nine: an S2 matter."""
    morning.says(LIGHT)
    take_in(morning)
    return the_ticket(morning)


def local(at: datetime | None) -> str:
    return f"{at.astimezone(VIETNAM):%d/%m %H:%M}" if at else "-"


def book_of(world: World) -> CommuneBook:
    with world.runtime.database.reading() as session:
        return commune_book(session, world.commune_id)


def called(world: World) -> list[str]:
    """Which clocks called whom, in order."""
    rows = [a for a in all_rows(world.runtime, Alert) if a.kind is AlertKind.DEADLINE]
    return [f"{a.data['clock']} {a.data['level']} {a.audience}" for a in rows]


def until(clock: Clock, moment: str) -> None:
    """Move the clock to a moment of October 2026, as it is said here."""
    day, hour = moment.split()
    target = datetime.strptime(f"{day}/2026 {hour}", "%d/%m/%Y %H:%M").replace(tzinfo=VIETNAM)
    seconds = (target - clock()).total_seconds()
    assert seconds >= 0
    clock.move(seconds=seconds)


def step(world: World, target: TicketState, who: str = "lan", **given: object) -> None:
    now = the_ticket(world)
    tickets.change_state(
        world.runtime, world.official(who), now.id, version=now.version, target=target, given=Given(**given)  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_report_starts_three_clocks(ticket: Ticket) -> None:
    assert [local(at) for at in (ticket.accept_due_at, ticket.action_due_at, ticket.due_at)] == [
        "07/10 15:00", "08/10 09:00", "12/10 09:00",
    ]  # fmt: skip
    assert local(ticket.next_notice_at) == "07/10 14:00"


def test_each_level_calls_others_and_takes_the_place_of_the_one_before(
    ticket: Ticket, morning: World, clock: Clock
) -> None:
    until(clock, "07/10 13:59")
    speak_up(morning.runtime)
    assert called(morning) == []
    until(clock, "07/10 14:01")
    speak_up(morning.runtime)
    assert called(morning) == ["accept near owner"]
    until(clock, "07/10 15:01")
    speak_up(morning.runtime)
    assert called(morning) == ["accept near owner", "accept due desk"]
    unseen = [a for a in all_rows(morning.runtime, Alert) if a.seen_at is None]
    assert [a.data["level"] for a in unseen] == ["due"]
    until(clock, "08/10 15:01")
    speak_up(morning.runtime)
    assert "accept late leaders" in called(morning)


def test_nothing_is_said_twice_however_often_one_looks(ticket: Ticket, morning: World, clock: Clock) -> None:
    until(clock, "07/10 15:01")
    for _ in range(3):
        sweep(morning.runtime)
        clock.move(seconds=5)
    assert called(morning) == ["accept due desk"]


def test_who_is_called(ticket: Ticket, morning: World, clock: Clock) -> None:
    step(morning, TicketState.RECEIVED)
    with morning.runtime.database.transaction() as session:
        session.get_one(Ticket, ticket.id).official_id = morning.officials["hung"]
    until(clock, "12/10 08:00")  # three quarters of the answer have passed, the first action is late
    speak_up(morning.runtime)

    def calls(who: str) -> set[str]:
        return {f"{c.alert.data['clock']} {c.alert.data['level']}" for c in
                alerts.unseen(morning.runtime, morning.official(who))}  # fmt: skip

    assert calls("hung") == {"answer near"}
    assert calls("mai") == {"action late"}
    assert calls("lan") == set()
    until(clock, "12/10 10:00")
    speak_up(morning.runtime)
    assert calls("lan") == {"answer due"}
    assert calls("hung") == set()


def test_an_answered_report_calls_nobody_any_more(ticket: Ticket, morning: World, clock: Clock) -> None:
    until(clock, "07/10 15:01")
    speak_up(morning.runtime)
    written = Written("Đã thay bóng.", is_result=True, next_step="theo dõi.")
    lan = morning.official("lan")
    assert reply(morning.runtime, lan, ticket.id, version=ticket.version, token="form-of-lan", written=written)
    assert alerts.unseen(morning.runtime, lan) == []
    assert the_ticket(morning).next_notice_at is None
    clock.move(days=30)
    assert speak_up(morning.runtime) == 0


def test_taking_in_and_speaking_stop_their_clocks(ticket: Ticket, morning: World, clock: Clock) -> None:
    lan = morning.official("lan")
    clock.move(minutes=10)
    assert reply(
        morning.runtime,
        lan,
        ticket.id,
        version=ticket.version,
        token="form-of-lan",
        written=Written("Xã cử người đến."),
    )
    now = the_ticket(morning)
    assert local(now.accepted_at) == local(now.acted_at) == "07/10 09:10"
    until(clock, "09/10 10:00")
    speak_up(morning.runtime)
    assert called(morning) == []


def test_danger_calls_within_a_quarter_of_an_hour_at_night(morning: World, clock: Clock) -> None:
    until(clock, "10/10 23:50")
    morning.says(FIRE)
    take_in(morning)
    clock.move(minutes=16)
    speak_up(morning.runtime)
    assert called(morning) == ["accept due desk", "action due desk"]


def test_what_is_sealed_has_no_clock_that_others_hear(morning: World, clock: Clock) -> None:
    morning.says(BRIBE)
    take_in(morning)
    clock.move(days=30)
    speak_up(morning.runtime)
    assert called(morning) == []


def test_sealing_silences_the_clocks(ticket: Ticket, morning: World, clock: Clock) -> None:
    tickets.seal(
        morning.runtime, morning.official("lan"), ticket.id, version=ticket.version, reason="Có lời tố cáo cán bộ."
    )
    clock.move(days=30)
    speak_up(morning.runtime)
    assert called(morning) == []


def test_while_the_citizen_is_asked_the_clocks_stand_still(ticket: Ticket, morning: World, clock: Clock) -> None:
    step(morning, TicketState.RECEIVED)
    step(morning, TicketState.WAITING_CITIZEN, words="ảnh chụp cột đèn")
    until(clock, "08/10 15:00")
    assert speak_up(morning.runtime) == 0
    morning.says("Dạ đây ạ, cột số 7 trước nhà ông Ba", at=clock())
    take_in(morning)
    now = the_ticket(morning)
    assert now.state is TicketState.RECEIVED
    assert now.paused_at is None
    assert local(now.due_at) == "13/10 15:00"  # 6 hours of Wednesday and 5.5 of Thursday later
    assert history(morning, now)[-1] == EventKind.STATE_CHANGED.value


def test_who_says_nothing_for_five_working_days_is_told_that_it_ends(
    ticket: Ticket, morning: World, clock: Clock
) -> None:
    step(morning, TicketState.RECEIVED)
    step(morning, TicketState.WAITING_CITIZEN, words="ảnh chụp cột đèn")
    until(clock, "14/10 08:59")
    speak_up(morning.runtime)
    assert the_ticket(morning).state is TicketState.WAITING_CITIZEN
    until(clock, "14/10 09:00")
    speak_up(morning.runtime)
    now = the_ticket(morning)
    assert now.state is TicketState.CLOSED
    assert said_to_citizens(morning)[-1] == "closed_unanswered"
    assert now.code in texts_of(morning, "closed_unanswered")[0]
    assert speak_up(morning.runtime) == 0


def test_more_time_is_asked_once_and_a_leader_decides(ticket: Ticket, morning: World, clock: Clock) -> None:
    lan, mai = morning.official("lan"), morning.official("mai")
    why = "Phải chờ bóng đèn mới từ kho của huyện."
    assert extending.ask(morning.runtime, lan, ticket.id, version=ticket.version, days=3, reason=why) is False
    now = the_ticket(morning)
    assert local(now.due_at) == "12/10 09:00"
    assert [c.alert.kind for c in alerts.unseen(morning.runtime, mai)] == [AlertKind.EXTENSION]
    with pytest.raises(NotAllowed, match="nothing_to_decide"):
        extending.decide(morning.runtime, lan, ticket.id, version=now.version, is_granted=True)
    extending.decide(morning.runtime, mai, ticket.id, version=now.version, is_granted=True)
    now = the_ticket(morning)
    assert local(now.due_at) == "15/10 09:00"
    assert why in texts_of(morning, "extended")[0]
    with pytest.raises(NotAllowed, match="not_extendable"):
        extending.ask(morning.runtime, lan, ticket.id, version=now.version, days=3, reason=why)


def test_a_leaders_own_wish_needs_nobody_else_and_survives_another_topic(ticket: Ticket, morning: World) -> None:
    mai = morning.official("mai")
    why = "Phải chờ bóng đèn mới từ kho của huyện."
    assert extending.ask(morning.runtime, mai, ticket.id, version=ticket.version, days=2, reason=why)
    now = the_ticket(morning)
    tickets.set_topic(morning.runtime, mai, ticket.id, version=now.version, topic="dien")
    assert local(the_ticket(morning).due_at) == "14/10 09:00"


def test_a_refused_extension_leaves_the_deadline(ticket: Ticket, morning: World) -> None:
    lan, mai = morning.official("lan"), morning.official("mai")
    extending.ask(morning.runtime, lan, ticket.id, version=ticket.version, days=3, reason="Phải chờ bóng đèn mới.")
    extending.decide(morning.runtime, mai, ticket.id, version=the_ticket(morning).version, is_granted=False)
    assert local(the_ticket(morning).due_at) == "12/10 09:00"
    assert "extended" not in said_to_citizens(morning)


@pytest.mark.parametrize(
    ("days", "reason"), [(0, "Phải chờ bóng đèn mới."), (11, "Phải chờ bóng đèn mới."), (3, "bận")]
)
def test_an_extension_needs_days_and_a_reason(ticket: Ticket, morning: World, days: int, reason: str) -> None:
    with pytest.raises(NotAllowed):
        extending.ask(
            morning.runtime, morning.official("lan"), ticket.id, version=ticket.version, days=days, reason=reason
        )


def test_what_is_late_is_not_extended_but_apologised_for(ticket: Ticket, morning: World, clock: Clock) -> None:
    lan = morning.official("lan")
    why = "Kho của huyện chưa có bóng đèn mới."
    today = clock().astimezone(VIETNAM).date()
    with pytest.raises(NotAllowed, match="not_late"):
        extending.apologise(
            morning.runtime, lan, ticket.id, version=ticket.version, reason=why, by_date=today + timedelta(days=9)
        )
    until(clock, "13/10 08:00")
    with pytest.raises(NotAllowed, match="not_extendable"):
        extending.ask(morning.runtime, lan, ticket.id, version=ticket.version, days=3, reason=why)
    version = the_ticket(morning).version
    extending.apologise(morning.runtime, lan, ticket.id, version=version, reason=why, by_date=today + timedelta(days=9))
    assert why in texts_of(morning, "overdue")[0]
    assert "16/10/2026" in texts_of(morning, "overdue")[0]
    until(clock, "16/10 17:01")
    speak_up(morning.runtime)
    assert "promise due desk" in called(morning)
    assert local(the_ticket(morning).due_at) == "12/10 09:00"  # a breach stays a breach


def test_a_breach_is_heard_though_the_citizen_is_asked_at_that_moment(
    ticket: Ticket, morning: World, clock: Clock
) -> None:
    assert local(ticket.due_at) == "12/10 09:00"
    until(clock, "12/10 08:59")
    speak_up(morning.runtime)
    clock.move(minutes=1, seconds=20)
    with morning.runtime.database.transaction() as session:
        row = session.get_one(Ticket, ticket.id)
        source, row.state = row.state, TicketState.WAITING_CITIZEN
        clocks.moved(row, source, row.state, book_of(morning), clock())
    speak_up(morning.runtime)
    assert "answer due desk" in called(morning)
    assert the_ticket(morning).next_notice_at == the_ticket(morning).paused_until


def test_a_reopened_report_has_a_new_promise(ticket: Ticket, morning: World, clock: Clock) -> None:
    lan = morning.official("lan")
    written = Written("Đã thay bóng.", is_result=True, next_step="theo dõi.")
    reply(morning.runtime, lan, ticket.id, version=ticket.version, token="form-of-lan", written=written)
    until(clock, "09/10 09:00")
    morning.says("chưa xong, đèn vẫn tắt", at=clock())
    take_in(morning)
    now = the_ticket(morning)
    assert now.state is TicketState.REOPENED
    assert (local(now.action_due_at), local(now.due_at)) == ("12/10 09:00", "14/10 09:00")
    until(clock, "12/10 09:01")
    speak_up(morning.runtime)
    assert called(morning) == ["action due desk"]


# ---- a year ---------------------------------------------------------------------------------------------------------


def test_in_a_year_no_promise_slips_unsaid(runtime: Runtime, world: World, clock: Clock) -> None:
    """Thousands of tickets, taken in, paused, extended and answered when chance has it: each breach was announced.

    TEST_YEAR_TICKETS=5000 plays the whole year (`make year`); the suite plays a part of it.
    """
    chance = random.Random(20261128)
    book = book_of(world)
    begun = clock()
    with runtime.database.transaction() as session:
        session.execute(sa.update(Conversation).values(asked=None))
    deeds = _a_year_of_reports(world, chance, begun, book)
    made: dict[int, int] = {}
    step_minutes = 30
    while deeds or _waits(runtime):
        due = [deed for deed in deeds if deed[0] <= clock()]
        deeds = deeds[len(due) :]
        with runtime.database.transaction() as session:
            for at, number, what in due:
                _do(session, world, book, made, number, what, at)
        while speak_up(runtime):
            pass
        clock.move(minutes=step_minutes)
        if not due and deeds:
            wait = _next_moment(runtime, deeds[0][0])
            clock.move(seconds=max(0.0, (wait - clock()).total_seconds()))
    slipped = _unannounced(runtime, book, timedelta(minutes=step_minutes))
    assert slipped == []
    counted = _breaches(runtime)
    assert counted > YEAR_TICKETS / 20, "a year without breaches shows nothing"


def _a_year_of_reports(
    world: World, chance: random.Random, begun: datetime, book: CommuneBook
) -> list[tuple[datetime, int, str]]:
    deeds: list[tuple[datetime, int, str]] = []
    for number in range(YEAR_TICKETS):
        at = begun + timedelta(seconds=chance.randrange(365 * 86_400))
        deeds.append((at, number, f"open {chance.choice(sorted(TOPICS))} {chance.choice(list(Urgency)).value}"))
        later = at
        for what in ("receive", "act", "pause", "resume", "answer"):
            if chance.random() < {"pause": 0.15, "resume": 0.8}.get(what, 0.9):
                later += timedelta(hours=chance.expovariate(1 / 20))
                deeds.append((later, number, what))
    return sorted(deeds)


def _do(
    session: sa.orm.Session, world: World, book: CommuneBook, made: dict[int, int], number: int, what: str, at: datetime
) -> None:
    verb, *rest = what.split()
    if verb == "open":
        conversation = _a_conversation(session, world, at)
        ticket = Ticket(
            commune_id=world.commune_id, code=f"PA26-{number:04d}", conversation_id=conversation.id,
            contact_id=conversation.contact_id, state=TicketState.NEW, is_open=True, topic=rest[0],
            urgency=Urgency(rest[1]), opened_at=at, last_in_at=at, is_sealed=False, is_spam=False,
        )  # fmt: skip
        clocks.set_deadlines(ticket, book)
        session.add(ticket)
        session.flush()
        made[number] = ticket.id
        return
    ticket = session.get_one(Ticket, made[number])
    target = {
        "receive": TicketState.RECEIVED,
        "act": TicketState.IN_PROGRESS,
        "pause": TicketState.WAITING_CITIZEN,
        "resume": TicketState.RECEIVED,
        "answer": TicketState.ANSWERED,
    }[verb]
    if not ticket.is_open or (verb == "resume" and ticket.paused_at is None):
        return
    source, ticket.state = ticket.state, target
    ticket.is_open = target.is_open
    if target is TicketState.ANSWERED:
        ticket.answered_at = at
    clocks.moved(ticket, source, target, book, at)


def _a_conversation(session: sa.orm.Session, world: World, at: datetime) -> Conversation:
    from storage.contacts import Contact, Urn

    found = session.scalar(sa.select(Conversation).limit(1))
    if found is not None:
        return found
    contact = Contact(commune_id=world.commune_id, created_at=at)
    session.add(contact)
    session.flush()
    urn = Urn(commune_id=world.commune_id, channel_id=world.channel_id, contact_id=contact.id, value="zalo:77")
    session.add(urn)
    session.flush()
    found = Conversation(
        commune_id=world.commune_id, channel_id=world.channel_id, contact_id=contact.id, urn_id=urn.id, created_at=at
    )
    session.add(found)
    session.flush()
    return found


def _waits(runtime: Runtime) -> bool:
    with runtime.database.reading() as session:
        return session.scalar(sa.select(Ticket.id).where(Ticket.next_notice_at.is_not(None)).limit(1)) is not None


def _next_moment(runtime: Runtime, deed: datetime) -> datetime:
    with runtime.database.reading() as session:
        notice = session.scalar(sa.select(sa.func.min(Ticket.next_notice_at)))
    return min(deed, notice) if notice else deed


def _promises(ticket: Ticket) -> list[tuple[Promise, datetime | None, datetime | None]]:
    ended = ticket.answered_at or ticket.closed_at
    return [
        (Promise.ACCEPT, ticket.accept_due_at, ticket.accepted_at or ended),
        (Promise.ACTION, ticket.action_due_at, ticket.acted_at or ended),
        (Promise.ANSWER, ticket.due_at, ended),
    ]


def _unannounced(runtime: Runtime, book: CommuneBook, late: timedelta) -> list[str]:
    """Promises that were broken without somebody having been called, before and at the moment."""
    said: dict[tuple[int, str, int], dict[str, datetime]] = {}
    warned: dict[tuple[int, str], list[datetime]] = {}  # a short pause moves the deadline, and nobody is warned twice
    for alert in all_rows(runtime, Alert):
        if alert.kind is AlertKind.DEADLINE:
            _, ticket_id, clock_name, due, level = alert.key.split(":")
            said.setdefault((int(ticket_id), clock_name, int(due)), {})[level] = alert.at
            if level == "near":
                warned.setdefault((int(ticket_id), clock_name), []).append(alert.at)
    slipped = []
    for ticket in all_rows(runtime, Ticket):
        for clock_name, due, kept in _promises(ticket):
            if due is None or (kept is not None and kept <= due + late):
                continue
            if ticket.state is TicketState.CLOSED:
                continue  # the citizen was asked and did not answer: nobody was late
            levels = said.get((ticket.id, clock_name.value, int(due.timestamp())), {})
            told = levels.get("due") or levels.get("late")
            if told is None or told > due + 2 * late:
                slipped.append(f"{ticket.code} {clock_name.value} due {due} kept {kept} said {levels}")
            elif (
                not any(at < due for at in warned.get((ticket.id, clock_name.value), []))
                and calendar_of(book).between(ticket.opened_at, due) > 240
            ):
                slipped.append(f"{ticket.code} {clock_name.value}: nobody was called before {due}")
    return slipped


def _breaches(runtime: Runtime) -> int:
    return sum(
        due is not None and (kept or datetime.max.replace(tzinfo=UTC)) > due
        for ticket in all_rows(runtime, Ticket)
        for _, due, kept in _promises(ticket)
    )


def test_the_year_counts_deadlines_as_the_rules_do(ticket: Ticket, morning: World) -> None:
    book = book_of(morning)
    found = deadlines(ticket.opened_at, "S2", calendar_of(book))
    assert (found.accept, found.action, found.answer) == (ticket.accept_due_at, ticket.action_due_at, ticket.due_at)
    assert not any(o.has(Role.LEADER) for o in all_rows(morning.runtime, Official) if o.username.startswith("lan"))
    assert [e.kind for e in all_rows(morning.runtime, TicketEvent)] == [EventKind.OPENED]
