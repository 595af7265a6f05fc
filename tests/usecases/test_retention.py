"""Retention: what is over goes in proven runs, what is alive stays, and nothing of the words is left anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.rules.lifecycle import NotAllowed
from bot.rules.retention import LIMITS, Kind
from bot.usecases import chain, tickets
from bot.usecases.erased import EXPIRED
from bot.usecases.erasing import erase_let_go
from bot.usecases.forgetting import forget
from bot.usecases.legal_holds import hold, release
from bot.usecases.lessons import gather, taught_by
from bot.usecases.media import fetch_due
from bot.usecases.retention import begin_due, dry_run, keep, keep_rules, rules, run_all, runs, seal_of
from bot.usecases.sending import PERSONAL, send_due
from storage.audit import AuditEntry
from storage.contacts import Contact
from storage.deliveries import Attempt, Delivery
from storage.enums import DeliveryState, Role, TicketState
from storage.messages import Attachment, InboundEvent, Message
from storage.models import Base
from storage.officials import Official, SignInAttempt
from storage.retention import RetentionRun
from storage.sealing import Seals
from storage.tickets import Ticket, TicketEvent
from storage.trained import TrainedModel
from tests.adapters.channels import answer, behaving
from tests.builders import OA, World, all_rows, text_event
from tests.conftest import Clock
from tests.usecases.looking import BRIBE, OTHER, RUBBISH, take_in
from tests.usecases.telling import Phone, phone, run
from tests.usecases.test_media import allow, picture

__all__ = ["phone"]
SECRET = "ngosauzxq"
SAID = f"Đèn đường xóm 5 tối om mấy hôm nay, ngay trước {SECRET} nhà tôi, mong xã sửa giúp"
USUAL = {kind: limits.usual for kind, limits in LIMITS.items()}
PLAIN = {kind: days for kind, days in USUAL.items() if kind is not Kind.SEALED}


@pytest.fixture
def lived(morning: World, phone: Phone, clock: Clock) -> World:
    """A report with a photo, a note that repeats it and an answer, ended; a greeting outside of it; under the chain."""
    run(morning, rounds=1)
    with behaving(answer(picture())) as cdn:
        image = {"type": "image", "payload": {"url": allow(morning, cdn), "thumbnail": ""}}
        morning.says(SAID)
        morning.event(text_event("", attachments=[image]) | {"event_name": "user_send_image"})
        morning.says(f"chào cán bộ {SECRET}", user=OTHER)
        take_in(morning)
        fetch_due(morning.runtime)
    send_due(morning.runtime, PERSONAL)
    (ticket,) = all_rows(morning.runtime, Ticket)
    words = f"Dân nói ở {SECRET}"
    tickets.add_note(morning.runtime, morning.official("lan"), ticket.id, version=ticket.version, text=words)
    with morning.runtime.database.transaction() as session:
        session.execute(sa.update(Contact).values(name=f"Bưởi {SECRET}", phone="0912345678"))
        session.execute(sa.update(Attempt).values(exchange=[{"response": SECRET}]))
    end(morning, ticket.id)
    clock.move(hours=4)
    while chain.extend(morning.runtime):
        pass
    return morning


def end(world: World, number: int, **more: object) -> None:
    """It is over, as far as the row tells."""
    values = {"is_open": False, "closed_at": world.clock(), **more}
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).where(Ticket.id == number).values(**values))


def settle(world: World, **days: int) -> None:
    """The administrator keeps the usual rules, or these, after looking at them; the leader that of what is sealed."""
    given = PLAIN | {Kind(name): number for name, number in days.items()}
    for who, part in (("an", given), ("mai", {Kind.SEALED: given.pop(Kind.SEALED, USUAL[Kind.SEALED])})):
        keep(world.runtime, world.official(who), part, seal_of(world.runtime, part))


def keeps_rules(world: World) -> None:
    """A day's work of the sweep."""
    begin_due(world.runtime)
    while keep_rules(world.runtime, budget_seconds=5.0):
        pass
    erase_let_go(world.runtime)


def everything_said(world: World) -> str:
    """All values of all tables, as the database gives them back."""
    found = []
    with world.runtime.database.reading() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(sa.select(table)):
                found += [
                    bytes(v).decode("utf-8", "replace") if isinstance(v, bytes | memoryview) else str(v) for v in row
                ]
    return "\n".join(found)


def bytes_on_disk(world: World) -> bytes:
    """The database's files, its log included, and every file of the store."""
    folder: Path = world.runtime.settings.data_dir
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_nothing_goes_before_somebody_has_decided(lived: World, clock: Clock) -> None:
    clock.move(days=4_000)
    assert begin_due(lived.runtime) == 0
    assert {rule.is_kept for rule in rules(lived.runtime, lived.official("an"))} == {False}
    assert SECRET in everything_said(lived)


def test_what_is_over_is_nowhere_any_more(lived: World, clock: Clock) -> None:
    assert SECRET in everything_said(lived)
    (kept,) = [row.blob for row in all_rows(lived.runtime, Attachment)]
    settle(lived)
    clock.move(days=2_000)
    keeps_rules(lived)
    assert SECRET not in everything_said(lived)
    assert lived.runtime.blobs.read(kept) is None
    if lived.runtime.database.is_sqlite:
        assert SECRET.encode() not in bytes_on_disk(lived)
    (ticket,) = all_rows(lived.runtime, Ticket)
    assert (ticket.summary, ticket.place_text, ticket.state) == (EXPIRED, None, TicketState.NEW)
    assert {m.text for m in all_rows(lived.runtime, Message)} == {EXPIRED}
    assert {a.missing_code for a in all_rows(lived.runtime, Attachment)} == {"expired"}
    assert {c.phone for c in all_rows(lived.runtime, Contact)} == {None}
    assert all(a.exchange == [] for a in all_rows(lived.runtime, Attempt))
    assert [e for e in all_rows(lived.runtime, TicketEvent) if e.note] != []  # that there was a note stays


def test_the_chain_holds_and_tells_what_went(lived: World, clock: Clock) -> None:
    settle(lived)
    clock.move(days=2_000)
    keeps_rules(lived)
    found = chain.verify(lived.runtime)
    assert found.problems == []
    assert found.erased > 0
    clock.move(minutes=5)
    chain.extend(lived.runtime)
    assert chain.verify(lived.runtime).problems == []


def test_words_passed_off_as_over_break_the_chain(lived: World) -> None:
    with lived.runtime.database.transaction() as session:
        session.execute(sa.update(TicketEvent).where(TicketEvent.note.is_not(None)).values(note=EXPIRED))
    assert any("nobody asked" in problem for problem in chain.verify(lived.runtime).problems)


def test_each_run_is_proven_by_its_row(lived: World, clock: Clock) -> None:
    settle(lived)
    clock.move(days=2_000)
    keeps_rules(lived)
    found = {row.kind: row for row in runs(lived.runtime, lived.official("mai"))}
    words = found["words"]
    assert (words.count, words.days, words.ended_at is not None) == (1, USUAL[Kind.WORDS], True)
    assert words.oldest_at == words.newest_at
    (told,) = [
        a for a in all_rows(lived.runtime, AuditEntry) if a.action == "retention.ran" and a.data["kind"] == "words"
    ]
    assert told.data["digest"] == words.digest
    again = {row.id for row in runs(lived.runtime, lived.official("mai"))}
    clock.move(days=1)
    keeps_rules(lived)
    assert {row.id for row in runs(lived.runtime, lived.official("mai"))} == again  # what is gone goes no second time


ALIVE = {
    "open": {"is_open": True},
    "spoken of lately": {"last_in_at": "now"},
    "answered lately": {"answered_at": "now"},
    "not accepted lately": {"rating": 1, "rated_at": "now"},
}


@pytest.mark.parametrize("what", ALIVE)
def test_what_is_alive_stays(lived: World, clock: Clock, what: str) -> None:
    settle(lived)
    clock.move(days=2_000)
    (ticket,) = all_rows(lived.runtime, Ticket)
    end(lived, ticket.id, **{name: clock.now if value == "now" else value for name, value in ALIVE[what].items()})
    keeps_rules(lived)
    (ticket,) = all_rows(lived.runtime, Ticket)
    assert SECRET in " ".join(m.text for m in all_rows(lived.runtime, Message) if m.ticket_id == ticket.id)
    end(lived, ticket.id, last_in_at=clock.now, answered_at=None, rating=None, rated_at=None)
    clock.move(days=2_000)
    keeps_rules(lived)
    assert SECRET not in everything_said(lived)


def test_what_is_held_stays_until_it_is_released(lived: World, clock: Clock) -> None:
    settle(lived)
    (ticket,) = all_rows(lived.runtime, Ticket)
    lan, mai = lived.official("lan"), lived.official("mai")
    with pytest.raises(NotAllowed):
        hold(lived.runtime, lan, ticket.id, reason="vì")
    assert hold(lived.runtime, lan, ticket.id, reason="Thanh tra huyện yêu cầu giữ")
    assert not hold(lived.runtime, lan, ticket.id, reason="Thanh tra huyện yêu cầu giữ")
    clock.move(days=4_000)
    keeps_rules(lived)
    assert any(SECRET in m.text for m in all_rows(lived.runtime, Message) if m.ticket_id == ticket.id)
    assert any(SECRET.encode() in e.body for e in all_rows(lived.runtime, InboundEvent))
    assert all(row.blob for row in all_rows(lived.runtime, Attachment))
    assert release(lived.runtime, mai, ticket.id)
    clock.move(days=1)
    keeps_rules(lived)
    assert SECRET not in everything_said(lived)


def test_what_is_held_of_one_keeps_nothing_of_another(lived: World) -> None:
    """The answers in a held report belong to no event of a channel."""
    (ticket,) = all_rows(lived.runtime, Ticket)
    hold(lived.runtime, lived.official("lan"), ticket.id, reason="Thanh tra huyện yêu cầu giữ")
    lived.event({"event_name": "user_withdraw", "oa_id": OA, "user_id": OTHER})
    take_in(lived)
    said = [event.body for event in all_rows(lived.runtime, InboundEvent) if event.event_name == "user_send_text"]
    assert [SECRET.encode() in body for body in said] == [True, False]


def test_a_citizens_own_wish_leaves_what_is_held(lived: World) -> None:
    (ticket,) = all_rows(lived.runtime, Ticket)
    end(lived, ticket.id, is_open=True, closed_at=None)
    hold(lived.runtime, lived.official("lan"), ticket.id, reason="Thanh tra huyện yêu cầu giữ")
    lived.event({"event_name": "user_withdraw", "oa_id": OA, "user_id": "3000000000000000003"})
    take_in(lived)
    assert SAID in [m.text for m in all_rows(lived.runtime, Message)]
    release(lived.runtime, lived.official("mai"), ticket.id)
    lived.event({"event_name": "user_withdraw", "oa_id": OA, "user_id": OTHER})
    take_in(lived)
    assert SECRET not in everything_said(lived)
    assert chain.verify(lived.runtime).problems == []


def locked(world: World) -> set[bytes]:
    """The locked words as they stand in the database."""
    tables = ("messages", "inbound_events", "tickets", "deliveries")
    with world.runtime.database.engine.connect() as connection:
        found = [
            row for table in tables for row in connection.execute(sa.text(f"SELECT sealed FROM {table}")).scalars()
        ]
    return {bytes(one) for one in found if one is not None}


@pytest.mark.parametrize("key", ["here", "lost"])
def test_sealed_reports_go_by_their_own_rule_alone(morning: World, clock: Clock, key: str) -> None:
    morning.says(f"{BRIBE}, ở {SECRET}")
    take_in(morning)
    (ticket,) = all_rows(morning.runtime, Ticket)
    assert ticket.is_sealed
    end(morning, ticket.id)
    settle(morning, words=365, files=90, loose=90, events=30, contacts=180, sealed=1_000)
    clock.move(days=800)
    keeps_rules(morning)
    assert SECRET in all_rows(morning.runtime, Message)[0].text
    assert SECRET.encode() in all_rows(morning.runtime, InboundEvent)[0].body
    before = locked(morning)
    assert len(before) >= 3
    if key == "lost":
        door = morning.runtime.vault.derived("door")
        morning.runtime.database.seals = Seals(lambda: ["another-key-" + "z" * 30], door)
    clock.move(days=300)
    keeps_rules(morning)
    assert SECRET not in everything_said(morning)
    assert before & locked(morning) == set(), "what was locked goes, too, whether its key is here or lost"


def test_who_does_not_read_what_is_sealed_learns_nothing_of_it(morning: World, clock: Clock) -> None:
    morning.says(BRIBE)
    take_in(morning)
    end(morning, all_rows(morning.runtime, Ticket)[0].id)
    settle(morning)
    clock.move(days=2_000)
    an, mai = morning.official("an"), morning.official("mai")
    assert [line.kind for line in dry_run(morning.runtime, an, USUAL) if "sealed" in line.kind] == []
    assert {line.kind: line.count for line in dry_run(morning.runtime, mai, USUAL)}[Kind.SEALED] == 1
    assert sum(line.count for line in dry_run(morning.runtime, an, USUAL)) == 0
    keeps_rules(morning)
    assert runs(morning.runtime, an) == []
    assert "sealed" in {row.kind for row in runs(morning.runtime, mai)}


def test_a_dry_run_counts_what_then_goes_and_changes_nothing(lived: World, clock: Clock) -> None:
    clock.move(days=2_000)
    before = everything_said(lived)
    lines = {line.kind: line for line in dry_run(lived.runtime, lived.official("an"), PLAIN)}
    assert everything_said(lived) == before
    assert lines[Kind.WORDS].count == 1
    assert lines[Kind.WORDS].oldest_at == lines[Kind.WORDS].newest_at == all_rows(lived.runtime, Ticket)[0].last_in_at
    settle(lived)
    run_all(lived.runtime, lived.commune_id)
    went = {row.kind: row.count for row in all_rows(lived.runtime, RetentionRun)}
    # Files and originals go with the words when those are first; what is left for their own rule is the rest.
    for kind in (Kind.WORDS, Kind.LOOSE, Kind.SIGN_INS, Kind.CONTACTS):
        assert went[kind.value] == lines[kind].count, kind


WRONG = {
    "shorter than may be": {Kind.WORDS: 10},
    "longer than may be": {Kind.EVENTS: 4_000},
    "files longer than the words": {Kind.WORDS: 365, Kind.FILES: 400},
    "originals longer than what they are of": {Kind.LOOSE: 90, Kind.EVENTS: 100},
}


@pytest.mark.parametrize("what", WRONG)
def test_rules_that_make_no_sense_are_refused(world: World, what: str) -> None:
    given = PLAIN | WRONG[what]
    with pytest.raises(NotAllowed):
        keep(world.runtime, world.official("an"), given, seal_of(world.runtime, given))
    assert not any(rule.is_kept for rule in rules(world.runtime, world.official("an")))


def test_only_what_was_tried_is_kept(world: World) -> None:
    with pytest.raises(NotAllowed):
        keep(world.runtime, world.official("an"), PLAIN, seal_of(world.runtime, {**PLAIN, Kind.WORDS: 365}))


def test_models_forget_what_is_over(lived: World, clock: Clock) -> None:
    (ticket,) = all_rows(lived.runtime, Ticket)
    tickets.set_topic(lived.runtime, lived.official("lan"), ticket.id, version=ticket.version, topic="cay-xanh")
    with lived.runtime.database.transaction() as session:
        session.add(
            TrainedModel(
                version="knows", created_at=clock.now, promoted_at=clock.now, content=SECRET.encode(),
                taught=taught_by(gather(lived.runtime.database)), is_active=True,
            )
        )  # fmt: skip
    assert not forget(lived.runtime, has_lessons=True)
    settle(lived)
    clock.move(days=2_000)
    keeps_rules(lived)
    assert [model.content for model in all_rows(lived.runtime, TrainedModel)] == [None]


def test_a_run_cut_short_goes_on_where_it_stopped(morning: World, clock: Clock) -> None:
    for number in range(25):
        morning.says(RUBBISH, user=f"5{number:018d}")
    take_in(morning)
    for ticket in all_rows(morning.runtime, Ticket):
        end(morning, ticket.id, merged_into_id=None)
    settle(morning)
    clock.move(days=2_000)
    begin_due(morning.runtime)
    keep_rules(morning.runtime, budget_seconds=0.0)
    assert not any(row.count for row in all_rows(morning.runtime, RetentionRun))
    keeps_rules(morning)
    (row,) = [row for row in all_rows(morning.runtime, RetentionRun) if row.kind == "words"]
    assert row.count == 25
    assert row.ended_at is not None
    assert (
        len([a for a in all_rows(morning.runtime, AuditEntry) if a.data.get("kind") == "words"]) >= 4
    )  # small batches


def test_what_is_still_on_its_way_stays(lived: World, clock: Clock) -> None:
    settle(lived)
    with lived.runtime.database.transaction() as session:
        session.execute(sa.update(Delivery).values(state=DeliveryState.UNKNOWN, part_receipts={"1": "sent"}))
        session.execute(sa.update(Ticket).values(is_open=True))
    clock.move(days=2_000)
    keeps_rules(lived)
    assert all(row.part_receipts for row in all_rows(lived.runtime, Delivery))
    assert any(row.exchange for row in all_rows(lived.runtime, Attempt))


def test_sign_ins_go_by_the_rule_of_the_commune_they_are_of(world: World, clock: Clock) -> None:
    from bot.usecases.sweep import forget_old_sessions

    settle(world, sign_ins=60)
    with world.runtime.database.transaction() as session:
        for account in ("lan", "nobody"):
            session.add(SignInAttempt(account=account, address="10.0.0.1", at=clock.now, succeeded=False))
    clock.move(days=45)
    forget_old_sessions(world.runtime)
    keeps_rules(world)
    assert [row.account for row in all_rows(world.runtime, SignInAttempt)] == ["lan"]
    clock.move(days=20)
    keeps_rules(world)
    assert all_rows(world.runtime, SignInAttempt) == []


def test_another_communes_rules_touch_nothing_here(lived: World, clock: Clock) -> None:
    from tests.web.test_who_sees_what import neighbour

    neighbour(lived, Role.ADMIN)
    with lived.runtime.database.reading() as session:
        other = session.scalars(sa.select(Official).where(Official.username == "ben")).one()
    keep(lived.runtime, other, PLAIN, seal_of(lived.runtime, PLAIN))
    clock.move(days=2_000)
    keeps_rules(lived)
    assert SECRET in everything_said(lived)
