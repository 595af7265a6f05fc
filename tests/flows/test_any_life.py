"""Any life of a ticket: officials and its citizen do what chance has them do, and the rules hold after each step."""

from __future__ import annotations

import os
import random
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.access import Forbidden, NotFound, roles_on
from bot.rules.deadlines import VIETNAM
from bot.rules.history import Past, deed_of, past_at, state_after
from bot.rules.lifecycle import Given, NotAllowed, moves_from
from bot.runtime import Runtime
from bot.texts import EmptyVariable
from bot.usecases import chain, clocks, extending, intake, replies, tickets, transfers, triage
from bot.usecases.desk import Changed
from bot.usecases.replies import Written
from bot.usecases.transfers import Wish
from nlp.topics import TOPICS
from storage.agencies import Agency
from storage.communes import Commune
from storage.enums import EventKind, TicketState
from storage.messages import Message
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.conftest import one_reader
from tests.usecases.looking import LIGHT, POTHOLE, RUBBISH, take_in
from tests.usecases.test_replies import a_photo

__all__ = ["one_reader"]

STEPS = int(os.environ.get("TEST_LIFE_STEPS", "60"))
PEOPLE = ("lan", "hung", "mai", "tuan")
REFUSALS = (NotAllowed, Forbidden, NotFound, Changed, EmptyVariable)
SAID = ("chưa xong, vẫn như cũ", "cảm ơn xã", "rút phản ánh", "ảnh đây ạ, cột số 7", "DG 3", "DG 1", "tra cứu")


@dataclass
class Life:
    """A commune in which anything may happen to three reports."""

    world: World
    clock: Clock
    chance: random.Random
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def runtime(self) -> Runtime:
        return self.world.runtime

    def one(self) -> Ticket:
        """Some ticket, as it is now."""
        return self.chance.choice(all_rows(self.runtime, Ticket))

    def step(self) -> None:
        """Somebody does something; whether it is allowed or not, the rules hold."""
        self.clock.move(minutes=self.chance.choice((1, 7, 45, 300, 1_500)))
        deeds: list[Callable[[Ticket, str], Any]] = [
            self.moves, self.moves, self.moves, self.assigns, self.replies, self.answers, self.answers, self.approves,
            self.names_topic, self.asks_for_time, self.decides, self.apologises, self.puts_aside, self.brings_back,
        ]  # fmt: skip
        if self.chance.random() < 0.2:
            self.world.says(self.chance.choice(SAID), at=self.clock())
            intake.drain(self.runtime)
            clocks.speak_up(self.runtime)
            return
        ticket, who, deed = self.one(), self.chance.choice(PEOPLE), self.chance.choice(deeds)
        before = self._events(ticket.id)
        try:
            deed(ticket, who)
        except REFUSALS:
            left = len(self._events(ticket.id)) - len(before)
            assert not left, f"{deed.__name__} was refused, yet left something"
            assert self._now(ticket.id).version == ticket.version
            return
        after = self._now(ticket.id)
        new = self._events(ticket.id)[len(before) :]
        assert new, f"{deed.__name__} left no event"
        assert {e.official_id for e in new} == {self.world.officials[who]}
        assert after.version == ticket.version + 1
        assert [deed_of(e.data) for e in new] == [after.version] * len(new), "one deed, one entry of the history"
        assert after.version not in [deed_of(e.data) for e in before]
        self.seen[deed.__name__] += 1

    # ---- what officials do ------------------------------------------------------------------------------------------

    def moves(self, ticket: Ticket, who: str) -> None:
        agency = self.chance.choice(all_rows(self.runtime, Agency))
        given = Given(
            words=self.chance.choice(("", "vì đã có đơn vị khác xử lý xong", "ảnh chụp cột đèn số 7")),
            body=self.chance.choice(("", "Điện lực Đức Huệ")),
            by_date=self.chance.choice((None, date(2026, 12, 1))),
            agency_id=self.chance.choice((None, agency.id)),
            target_code=self.chance.choice(("", self.one().code)),
        )
        official = self.world.official(who)
        allowed = [move.target for move in moves_from(ticket.state, roles_on(official, ticket))]
        target = self.chance.choice(allowed if allowed and self.chance.random() < 0.8 else list(TicketState))
        tickets.change_state(self.runtime, official, ticket.id, version=ticket.version, target=target, given=given)

    def assigns(self, ticket: Ticket, who: str) -> None:
        agency = self.chance.choice(all_rows(self.runtime, Agency))
        tickets.assign(
            self.runtime, self.world.official(who), ticket.id, version=ticket.version, agency_id=agency.id,
            official_id=None,
        )  # fmt: skip

    def replies(self, ticket: Ticket, who: str) -> None:
        self._says(ticket, who, Written("Xã đang cử người đến xem."))

    def answers(self, ticket: Ticket, who: str) -> None:
        today = self.clock().astimezone(VIETNAM).date()
        right = Written(
            "Đã thay bóng đèn mới.", is_result=True, next_step="theo dõi thêm.", checked_on=None, image=a_photo()
        )
        wrong: dict[str, Any] = self.chance.choice(
            (
                {"text": "Đã chuyển cơ quan chức năng."},
                {"text": ""},
                {"next_step": ""},
                {"checked_on": today + timedelta(days=3)},
                {"checked_on": today - timedelta(days=900)},
                {"image": None, "exemption": "việc làm ban đêm, trời mưa to"},
                {"image": None, "exemption": ""},
            )
        )
        self._says(ticket, who, replace(right, **wrong) if self.chance.random() < 0.4 else right)

    def _says(self, ticket: Ticket, who: str, written: Written) -> None:
        replies.reply(
            self.runtime, self.world.official(who), ticket.id, version=ticket.version, token=secrets.token_hex(8),
            written=written,
        )  # fmt: skip

    def approves(self, ticket: Ticket, who: str) -> None:
        replies.approve(self.runtime, self.world.official(who), ticket.id, version=ticket.version)

    def names_topic(self, ticket: Ticket, who: str) -> None:
        topic = self.chance.choice(sorted(TOPICS))
        tickets.set_topic(self.runtime, self.world.official(who), ticket.id, version=ticket.version, topic=topic)

    def asks_for_time(self, ticket: Ticket, who: str) -> None:
        extending.ask(
            self.runtime, self.world.official(who), ticket.id, version=ticket.version,
            days=self.chance.choice((0, 3, 20)), reason="Phải chờ bóng đèn mới từ kho.",
        )  # fmt: skip

    def decides(self, ticket: Ticket, who: str) -> None:
        is_granted = self.chance.random() < 0.5
        extending.decide(
            self.runtime, self.world.official(who), ticket.id, version=ticket.version, is_granted=is_granted
        )

    def apologises(self, ticket: Ticket, who: str) -> None:
        day = self.clock().astimezone(VIETNAM).date() + timedelta(days=self.chance.choice((-1, 4)))
        extending.apologise(
            self.runtime, self.world.official(who), ticket.id, version=ticket.version,
            reason="Kho chưa có bóng đèn mới.", by_date=day,
        )  # fmt: skip

    def puts_aside(self, ticket: Ticket, who: str) -> None:
        if self.chance.random() < 0.8:
            raise NotAllowed("seldom", "")
        triage.mark_spam(self.runtime, self.world.official(who), ticket.id, version=ticket.version)

    def brings_back(self, ticket: Ticket, who: str) -> None:
        triage.restore(self.runtime, self.world.official(who), ticket.id, version=ticket.version)

    # ---- what must be true ------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Each state is what the history tells, and nothing is answered that lacks what the citizen is owed."""
        for ticket in all_rows(self.runtime, Ticket):
            events = self._events(ticket.id)
            assert state_after([(e.kind, e.data) for e in events]) is ticket.state, ticket.code
            assert ticket.is_open == ticket.state.is_open
            assert sum(e.kind is EventKind.OPENED for e in events) == 1
            if ticket.state is TicketState.ANSWERED:
                self._is_owed_nothing(ticket, events)

    def _is_owed_nothing(self, ticket: Ticket, events: list[TicketEvent]) -> None:
        results = [e for e in events if e.kind is EventKind.REPLIED and e.data.get("is_result")]
        assert results, f"{ticket.code} is answered without a result"
        latest = results[-1]
        with self.runtime.database.reading() as session:
            message = session.get_one(Message, latest.data["message_id"])
        assert ticket.agency_id is not None
        assert message.template == "result"
        assert "Đã thay bóng đèn mới." in message.text
        assert "theo dõi thêm." in message.text
        assert latest.data["image"] or latest.note or not _was_on_site(ticket, events)
        approved = [e for e in events if e.data.get("to") == TicketState.ANSWERED.value]
        assert approved[-1].official_id is not None

    def _events(self, ticket_id: int) -> list[TicketEvent]:
        query = sa.select(TicketEvent).where(TicketEvent.ticket_id == ticket_id).order_by(TicketEvent.id)
        with self.runtime.database.reading() as session:
            return list(session.scalars(query))

    def _now(self, ticket_id: int) -> Ticket:
        with self.runtime.database.reading() as session:
            return session.get_one(Ticket, ticket_id)


@dataclass
class Remembered:
    """How each report stood at some moment, written down at that moment."""

    stood: dict[datetime, dict[int, Past]] = field(default_factory=dict)

    def write_down(self, world: World, at: datetime) -> None:
        self.stood[at] = {one.id: as_it_stands(one) for one in all_rows(world.runtime, Ticket)}


def as_it_stands(ticket: Ticket) -> Past:
    return Past(
        state=ticket.state, is_whole=True, topic=ticket.topic, urgency=ticket.urgency, agency_id=ticket.agency_id,
        official_id=ticket.official_id, place_id=ticket.place_id, due=_whole(ticket.due_at),
        promised=_whole(ticket.promised_at), paused=_whole(ticket.paused_at), is_sealed=ticket.is_sealed,
        is_spam=ticket.is_spam,
    )  # fmt: skip


def _whole(at: datetime | None) -> datetime | None:
    return at.replace(microsecond=0) if at else None


@pytest.mark.parametrize("seed", [int(os.environ.get("TEST_LIFE_SEED", "20261128")), 7])
def test_the_past_is_told_as_it_was(seed: int, world: World, clock: Clock) -> None:
    """What was written down at each moment is what history alone tells of it afterwards."""
    clock.move(hours=-3)
    remembered = Remembered()
    for number, words in enumerate((LIGHT, RUBBISH, POTHOLE)):
        world.says(words, user=f"300000000000000000{number + 3}")
    take_in(world)
    remembered.write_down(world, clock())
    life = Life(world, clock, random.Random(seed))
    for _ in range(STEPS):
        life.step()
        remembered.write_down(world, clock())
    differ = []
    for ticket in all_rows(world.runtime, Ticket):
        history = [(e.at, e.kind, e.data) for e in life._events(ticket.id)]
        assert past_at(history, clock() - timedelta(days=400)) is None
        for at, stood in remembered.stood.items():
            if ticket.id in stood:
                told = past_at(history, at)
                assert told is not None
                if replace(told, place_words=None) != stood[ticket.id]:
                    differ.append((ticket.code, at, told, stood[ticket.id]))
    assert differ == []
    states = {past.state for stood in remembered.stood.values() for past in stood.values()}
    assert len(states) > 4, f"hardly a life: {states}"


def _was_on_site(ticket: Ticket, events: list[TicketEvent]) -> bool:
    """Whether its topic when it was answered is known and one that can be seen on site."""
    from bot.rules.results import wants_photo

    changed_after = [e for e in events if e.kind is EventKind.TOPIC_CHANGED and e.at >= (ticket.answered_at or e.at)]
    return not changed_after and wants_photo(ticket.topic)


@pytest.mark.parametrize("seed", [int(os.environ.get("TEST_LIFE_SEED", "20261128"))])
@pytest.mark.parametrize("needs_approval", [False, True])
def test_the_rules_hold_whatever_happens(seed: int, needs_approval: bool, world: World, clock: Clock) -> None:
    clock.move(hours=-3)
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Commune).values(settings={"needs_approval": needs_approval}))
    for number, words in enumerate((LIGHT, RUBBISH, POTHOLE)):
        world.says(words, user=f"300000000000000000{number + 3}")
    take_in(world)
    life = Life(world, clock, random.Random(seed))
    for _ in range(STEPS):
        life.step()
        life.check()
    assert sum(life.seen.values()) > STEPS / 20, f"hardly anything was allowed: {life.seen}"
    clock.move(minutes=5)
    chain.extend(world.runtime)
    assert chain.verify(world.runtime).problems == []


S = TicketState
# How each state is reached: steps of a leader, "result" and "held result" of the form, or the citizen's words.
WAYS: dict[TicketState, tuple[TicketState | str, ...]] = {
    S.NEW: (),
    S.RECEIVED: (S.RECEIVED,),
    S.WAITING_CITIZEN: (S.RECEIVED, S.WAITING_CITIZEN),
    S.ASSIGNED: (S.RECEIVED, S.ASSIGNED),
    S.IN_PROGRESS: (S.RECEIVED, S.ASSIGNED, S.IN_PROGRESS),
    S.WAITING_APPROVAL: ("held result",),
    S.ANSWERED: ("result",),
    S.CLOSED: ("result", S.CLOSED),
    S.REOPENED: ("result", "chưa xong, vẫn như cũ"),
    S.DECLINED: (S.DECLINED,),
    S.FORWARDED: (S.RECEIVED, "transfer"),
    S.MERGED: (S.MERGED,),
    S.WITHDRAWN: ("rút {code}",),
}


@pytest.mark.parametrize("target", TicketState)
def test_every_state_is_reached(target: TicketState, world: World, clock: Clock) -> None:
    clock.move(hours=-3)
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Commune).values(settings={"needs_approval": True}))
    world.says(RUBBISH, user="3100000000000000001")
    take_in(world)
    world.says(LIGHT)
    take_in(world)
    other, ticket = all_rows(world.runtime, Ticket)
    given = Given("vì đã có đơn vị khác xử lý", "Điện lực Đức Huệ", date(2026, 12, 1), other.agency_id, other.code)
    for way in WAYS[target]:
        clock.move(minutes=5)
        now = all_rows(world.runtime, Ticket)[1]
        if isinstance(way, TicketState):
            mai = world.official("mai")
            tickets.change_state(world.runtime, mai, ticket.id, version=now.version, target=way, given=given)
        elif way == "transfer":
            wish = Wish(body="Điện lực Đức Huệ", by_date=date(2026, 12, 1), summary="Đèn đường", has_link=True)
            transfers.send(world.runtime, world.official("lan"), ticket.id, version=now.version, wish=wish)
        elif way.endswith("result"):
            who = world.official("lan" if way == "held result" else "mai")
            done = Written("Đã thay bóng đèn mới.", is_result=True, next_step="theo dõi thêm.", image=a_photo())
            replies.reply(world.runtime, who, ticket.id, version=now.version, token=secrets.token_hex(8), written=done)
        else:
            world.says(way.format(code=now.code), at=clock())
            take_in(world)
    assert all_rows(world.runtime, Ticket)[1].state is target
    clock.move(minutes=5)
    assert chain.verify(world.runtime).problems == []


def test_a_stolen_state_is_found(world: World, clock: Clock) -> None:
    clock.move(hours=-3)
    world.says(LIGHT)
    take_in(world)
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).values(state=TicketState.ANSWERED))
    (problem,) = chain.verify(world.runtime).problems
    assert "its history says moi" in problem


# ---- two at once ----------------------------------------------------------------------------------------------------

RACES = 25


def test_of_two_officials_at_once_one_wins_and_the_other_is_told(world: World, clock: Clock) -> None:
    """RACES races on two connections; `make races` runs a thousand of them on each engine."""
    clock.move(hours=-3)
    world.says(LIGHT)
    take_in(world)
    (ticket,) = all_rows(world.runtime, Ticket)
    lan, mai = world.official("lan"), world.official("mai")
    for number in range(int(os.environ.get("TEST_RACES", RACES))):
        version = all_rows(world.runtime, Ticket)[0].version
        outcomes: list[str] = []
        start = threading.Barrier(2)

        def act(who: Any, version: int = version, number: int = number, outcomes: list[str] = outcomes) -> None:
            start.wait()  # noqa: B023 - the threads of this round
            try:
                tickets.add_note(world.runtime, who, ticket.id, version=version, text=f"Ghi chú {number}")
                outcomes.append("won")
            except Changed:
                outcomes.append("told")

        threads = [threading.Thread(target=act, args=(who,)) for who in (lan, mai)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(outcomes) == ["told", "won"], (number, outcomes)
        assert all_rows(world.runtime, Ticket)[0].version == version + 1
    notes = [e for e in all_rows(world.runtime, TicketEvent) if e.kind is EventKind.NOTED]
    assert len(notes) == len({e.note for e in notes})
