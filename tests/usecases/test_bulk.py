"""Many reports in one go: each by itself, nothing lost or repeated, and back again where nobody went on."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from bot.access import NotFound
from bot.rules.lifecycle import NotAllowed
from bot.usecases import bulk, bulk_page, bulk_preview, bulk_undo, tickets
from bot.usecases.bulk_preview import Wish
from storage.agencies import Agency
from storage.bulk import BulkItem, BulkRun
from storage.corrections import Correction
from storage.database import OneTransaction
from storage.deliveries import Delivery
from storage.enums import BulkDeed, DeliveryState, TicketState
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import BRIBE, FIRE, LIGHT, POTHOLE, RUBBISH, history, said_to_citizens, take_in
from tests.usecases.test_undoing import facts

D, S = BulkDeed, TicketState


@pytest.fixture
def four(morning: World, clock: Clock) -> list[Ticket]:
    """A lamp, rubbish, a pothole and a fire, each by somebody else."""
    for user, words in enumerate((LIGHT, RUBBISH, POTHOLE, FIRE), 1):
        morning.says(words, user=str(3_000_000_000_000_000_000 + user))
    take_in(morning)
    clock.move(minutes=5)
    return seen(morning)


def seen(world: World) -> list[Ticket]:
    return all_rows(world.runtime, Ticket)


def agency(world: World, slug: str) -> int:
    return next(a.id for a in all_rows(world.runtime, Agency) if a.slug == slug)


def begin(world: World, deed: BulkDeed, chosen: list[Ticket], who: str = "lan", token: str = "", **more: Any) -> int:
    wish = Wish(deed, tuple(one.id for one in chosen), **more)
    versions = {one.id: one.version for one in chosen}
    return bulk.begin(world.runtime, world.official(who), token or secrets.token_hex(8), wish, versions)


def run(world: World, deed: BulkDeed, chosen: list[Ticket], who: str = "lan", **more: Any) -> int:
    number = begin(world, deed, chosen, who, **more)
    bulk.carry_on(world.runtime, world.official(who), number)
    return number


def states(world: World, number: int) -> list[tuple[str, str]]:
    items = [one for one in all_rows(world.runtime, BulkItem) if one.run_id == number]
    return [(one.state.value, one.why.get("code", "")) for one in sorted(items, key=lambda one: one.position)]


def undo(world: World, number: int, who: str = "lan") -> None:
    bulk_undo.undo(world.runtime, world.official(who), number)


@pytest.mark.parametrize("deed", ["receive", "assign", "topic", "snooze", "spam"])
def test_it_is_done_with_each_that_can_be_and_taken_back_as_if_it_had_never_been(
    morning: World, four: list[Ticket], clock: Clock, deed: str
) -> None:
    more: dict[str, Any] = {
        "assign": {"agency_id": agency(morning, "cong-an")}, "topic": {"topic": "tieng-on"},
        "snooze": {"until": "tomorrow"},
    }.get(deed, {})  # fmt: skip
    owed = [(d.state, d.code) for d in all_rows(morning.runtime, Delivery)]
    number = run(morning, D(deed), four, **more)
    fire_is_out = deed in {"snooze", "spam"}
    assert states(morning, number) == [*[("done", "")] * 3, ("left_out", "urgent") if fire_is_out else ("done", "")]
    changed = {
        "receive": lambda t: t.state is S.RECEIVED and t.accepted_at == clock.now,
        "assign": lambda t: t.state is S.ASSIGNED and t.agency_id == more["agency_id"],
        "topic": lambda t: t.topic == "tieng-on" and t.topic_is_confirmed,
        "snooze": lambda t: t.snoozed_until is not None,
        "spam": lambda t: t.is_spam and not t.is_open,
    }[deed]
    assert [changed(one) for one in seen(morning)] == [True, True, True, not fire_is_out]
    clock.move(seconds=29)
    undo(morning, number)
    assert states(morning, number)[:3] == [("undone", "")] * 3
    ignored = {"next_notice_at", "compare_at"}  # follow from the others; it is compared anew
    for before, after in zip(four, seen(morning), strict=True):
        assert {k: v for k, v in facts(after).items() if k not in ignored} == {
            k: v for k, v in facts(before).items() if k not in ignored
        }
    assert history(morning, four[0])[-1] == "undone"
    assert all_rows(morning.runtime, Correction) == []
    assert [(d.state, d.code) for d in all_rows(morning.runtime, Delivery)] == owed


def test_one_incident_is_made_of_them_and_nobody_hears_of_it_while_it_can_be_taken_back(
    morning: World, four: list[Ticket], clock: Clock
) -> None:
    lamp, rubbish, pothole, _ = four
    number = run(morning, D.JOIN, [pothole, rubbish, lamp])
    assert states(morning, number) == [("done", "")] * 3
    merged = [t for t in seen(morning) if t.state is S.MERGED]
    assert [(t.id, t.merged_into_id) for t in merged] == [(rubbish.id, lamp.id), (pothole.id, lamp.id)]
    told = [d for d in all_rows(morning.runtime, Delivery) if d.held_until is not None]
    assert len(told) >= 2
    assert {d.next_attempt_at for d in told} == {all_rows(morning.runtime, BulkRun)[0].until}
    undo(morning, number)
    assert states(morning, number) == [("undone", "")] * 3
    assert [t.state for t in seen(morning)] == [S.NEW] * 4
    assert {d.state for d in all_rows(morning.runtime, Delivery) if d.held_until is not None} == {
        DeliveryState.CANCELLED
    }
    assert "merged" not in said_to_citizens(morning)
    assert "parted" not in said_to_citizens(morning)


def test_what_was_told_already_is_not_taken_back(morning: World, four: list[Ticket]) -> None:
    number = run(morning, D.JOIN, four[:2])
    with morning.runtime.database.transaction() as session:
        session.execute(sa.update(Delivery).where(Delivery.held_until.is_not(None)).values(state=DeliveryState.SENT))
    undo(morning, number)
    assert states(morning, number) == [("undone", ""), ("kept", "sent")]
    assert [t.state for t in seen(morning)][:2] == [S.NEW, S.MERGED]


def test_who_went_on_keeps_what_they_did(morning: World, four: list[Ticket]) -> None:
    number = run(morning, D.RECEIVE, four[:2])
    first = seen(morning)[0]
    tickets.add_note(morning.runtime, morning.official("mai"), first.id, version=first.version, text="Đã gọi thợ")
    undo(morning, number)
    assert states(morning, number) == [("kept", "touched"), ("undone", "")]
    assert [t.state for t in seen(morning)][:2] == [S.RECEIVED, S.NEW]
    undo(morning, number)  # a second press changes nothing
    assert states(morning, number) == [("kept", "touched"), ("undone", "")]


def test_what_changed_after_the_preview_is_left_out(morning: World, four: list[Ticket]) -> None:
    first = four[0]
    tickets.add_note(morning.runtime, morning.official("mai"), first.id, version=first.version, text="Đã gọi thợ")
    number = run(morning, D.RECEIVE, four[:2])
    assert states(morning, number) == [("left_out", "changed"), ("done", "")]


def test_a_crash_in_the_middle_loses_nothing_and_repeats_nothing(
    morning: World, four: list[Ticket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies when the second is done and not yet kept; the same form is sent again."""
    whole, kept = bulk._keep, []

    def dies(*given: Any) -> None:
        whole(*given)
        kept.append(given)
        if len(kept) == 2:
            raise SystemExit

    monkeypatch.setattr(bulk, "_keep", dies)
    with pytest.raises(SystemExit):
        run(morning, D.RECEIVE, four, token="a-form")
    monkeypatch.setattr(bulk, "_keep", whole)
    number = begin(morning, D.RECEIVE, seen(morning)[1:], token="a-form")
    assert states(morning, number) == [("done", ""), *[("waiting", "")] * 3]
    assert bulk_page.open_run(morning.runtime, morning.official("lan"), number).may_undo is False
    bulk.carry_on(morning.runtime, morning.official("lan"), number)
    bulk.carry_on(morning.runtime, morning.official("lan"), number)
    assert states(morning, number) == [("done", "")] * 4
    assert len(all_rows(morning.runtime, BulkRun)) == 1
    steps = [e.ticket_id for e in all_rows(morning.runtime, TicketEvent) if e.kind == "state_changed"]
    assert sorted(steps) == [one.id for one in four]


def test_it_is_ones_own_and_for_a_while(morning: World, four: list[Ticket], clock: Clock) -> None:
    number = run(morning, D.RECEIVE, four[:1])
    for deed in (bulk_page.open_run, bulk.carry_on, bulk_undo.undo):
        with pytest.raises(NotFound):
            deed(morning.runtime, morning.official("mai"), number)
    clock.move(seconds=31)
    with pytest.raises(NotAllowed) as late:
        undo(morning, number)
    assert late.value.code == "left"
    bulk_page.forget_over(morning.runtime)
    assert len(all_rows(morning.runtime, BulkItem)) == 1
    clock.move(days=1)
    bulk_page.forget_over(morning.runtime)
    assert all_rows(morning.runtime, BulkItem) == all_rows(morning.runtime, BulkRun) == []


@pytest.mark.parametrize(
    ("deed", "more", "code"),
    [
        (D.ASSIGN, {"agency_id": 999_999}, "no_such_agency"),
        (D.ASSIGN, {}, "nothing_to_do"),
        (D.SNOOZE, {"until": "x"}, "nothing_to_do"),
        (D.JOIN, {}, "nothing_to_do"),
    ],
)
def test_a_wish_that_cannot_be_is_no_run(
    morning: World, four: list[Ticket], deed: BulkDeed, more: dict[str, Any], code: str
) -> None:
    with pytest.raises(NotAllowed) as refused:
        run(morning, deed, four[:1], **more)
    assert refused.value.code == code
    assert all_rows(morning.runtime, BulkRun) == []


def test_nothing_chosen_and_too_much_are_told(morning: World) -> None:
    for chosen, code in (((), "none_chosen"), (tuple(range(101)), "too_many")):
        with pytest.raises(NotAllowed) as refused:
            bulk_preview.preview(morning.runtime, morning.official("lan"), Wish(D.RECEIVE, chosen))
        assert refused.value.code == code


def test_what_is_sealed_is_never_among_them(morning: World, four: list[Ticket]) -> None:
    morning.says(BRIBE, user="3000000000000000077")
    take_in(morning)
    sealed = seen(morning)[-1]
    wish = Wish(D.RECEIVE, (four[0].id, sealed.id))
    theirs = bulk_preview.preview(morning.runtime, morning.official("lan"), wish)
    assert ([one.ticket.id for one in theirs.items], theirs.unseen) == ([four[0].id], 1)
    readers = bulk_preview.preview(morning.runtime, morning.official("mai"), wish)
    assert [one.refusal and one.refusal.code for one in readers.items] == [None, "sealed"]
    number = run(morning, D.RECEIVE, [four[0]])
    tickets.seal(
        morning.runtime, morning.official("lan"), four[0].id, version=seen(morning)[0].version, reason="Có lời tố cáo"
    )
    page = bulk_page.open_run(morning.runtime, morning.official("lan"), number)
    assert (page.items, page.unseen) == ([], 1)
    undo(morning, number)
    assert states(morning, number) == [("kept", "gone")]


def test_what_fails_inside_one_transaction_leaves_nothing(morning: World, four: list[Ticket]) -> None:
    database, first = morning.runtime.database, four[0]

    def fails() -> None:
        with database.transaction() as session:
            inside = replace(morning.runtime, database=OneTransaction(database, session))
            tickets.receive(inside, morning.official("lan"), first.id, version=first.version)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert seen(morning)[0].version == first.version
    assert seen(morning)[0].state is S.NEW
