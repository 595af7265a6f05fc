"""The chain over history, audit and sends: it grows, and one flipped byte breaks it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from bot.access import audit
from bot.usecases import chain, tickets
from bot.usecases.chain import anchor, extend, verify
from storage.audit import AuditEntry
from storage.chain import ChainLink
from storage.deliveries import Attempt, Delivery
from storage.enums import DeliveryState
from storage.tickets import TicketEvent
from tests.builders import OA, World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import LIGHT, take_in, the_ticket
from tests.usecases.telling import Phone, phone, run

__all__ = ["phone"]


@pytest.fixture
def lived(morning: World, phone: Phone, clock: Clock) -> World:
    """A report with a note, a seen secret and an acknowledgement that was sent, all under the chain."""
    from bot.usecases.sending import PERSONAL, send_due

    run(morning, rounds=1)
    morning.says(LIGHT)
    take_in(morning)
    send_due(morning.runtime, PERSONAL)
    ticket = the_ticket(morning)
    tickets.add_note(
        morning.runtime, morning.official("lan"), ticket.id, version=ticket.version, text="Đã gọi điện lực."
    )
    with morning.runtime.database.transaction() as session:
        audit(
            session, morning.official("lan"), "ticket.revealed", f"ticket:{ticket.id}", clock(), "10.0.0.7", why="gọi"
        )
    clock.move(hours=4)  # what was set up before the morning began lies behind, too
    assert extend(morning.runtime) == 3
    return morning


def tamper(world: World, statement: sa.Executable) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(statement)


def test_everything_settled_is_under_the_chain(lived: World) -> None:
    found = verify(lived.runtime)
    assert found.problems == []
    assert found.links == 3
    rows = sum(len(all_rows(lived.runtime, table)) for table in (AuditEntry, TicketEvent, Attempt))
    assert found.rows == rows > 3
    assert found.waiting == 0
    assert found.anchor == anchor(lived.runtime)
    assert extend(lived.runtime) == 0


def test_what_has_just_happened_waits_a_minute(lived: World) -> None:
    ticket = the_ticket(lived)
    tickets.add_note(lived.runtime, lived.official("lan"), ticket.id, version=ticket.version, text="Thợ đến chiều nay.")
    assert extend(lived.runtime) == 0
    assert verify(lived.runtime).waiting == 1


FLIPS: dict[str, tuple[Callable[[], sa.Executable], str]] = {
    "an official's note": (
        lambda: sa.update(TicketEvent).where(TicketEvent.note.is_not(None)).values(note="Đã gọi điện lựa."),
        "the words of ticket_event",
    ),
    "who did it": (lambda: sa.update(AuditEntry).values(official_id=None), "audit 1 was changed"),
    "from where": (lambda: sa.update(AuditEntry).values(address="10.0.0.8"), "was changed"),
    "what was done": (lambda: sa.update(AuditEntry).values(action="ticket.revealee"), "was changed"),
    "its particulars": (lambda: sa.update(AuditEntry).values(data={"why": "khác"}), "was changed"),
    "what was sent": (lambda: sa.update(Delivery).values(text="Chào"), "the words of attempt"),
    "what became of it": (
        lambda: sa.update(Attempt).values(outcome=DeliveryState.REFUSED.value),
        "attempt 1 was changed",
    ),
    "a seen secret removed": (lambda: sa.delete(AuditEntry), "audit 1 was removed"),
    "words passed off as erased": (
        lambda: (
            sa.update(TicketEvent)
            .where(TicketEvent.note.is_not(None))
            .values(note="[Đã xóa theo yêu cầu của người dân]")
        ),
        "but nobody asked for it",
    ),
    "a link's digest": (lambda: sa.update(ChainLink).where(ChainLink.id == 2).values(digest="0" * 64), "link 2"),
    "a link's rows": (lambda: sa.update(ChainLink).where(ChainLink.id == 1).values(rows=[]), "link 1"),
    "a link removed": (lambda: sa.delete(ChainLink).where(ChainLink.id == 2), "link 2 is missing"),
}


@pytest.mark.parametrize("what", FLIPS)
def test_one_change_breaks_it_and_is_named(lived: World, what: str) -> None:
    flip, told = FLIPS[what]
    tamper(lived, flip())
    found = verify(lived.runtime)
    assert not found.is_whole
    assert any(told.replace(" 1 ", " ") in problem or told in problem or _without_number(told, problem)
               for problem in found.problems), found.problems  # fmt: skip


def _without_number(told: str, problem: str) -> bool:
    return " ".join(w for w in problem.split() if not w.isdecimal()) == " ".join(
        w for w in told.split() if not w.isdecimal()
    )


def test_a_row_slipped_in_behind_the_chain_is_found(lived: World) -> None:
    row = all_rows(lived.runtime, AuditEntry)[0]
    tamper(lived, sa.update(AuditEntry).where(AuditEntry.id == row.id).values(id=-5))
    assert verify(lived.runtime).problems == [f"audit {row.id} was removed"]
    tamper(lived, sa.update(AuditEntry).where(AuditEntry.id == -5).values(id=row.id))
    link = all_rows(lived.runtime, ChainLink)[0]
    with lived.runtime.database.transaction() as session:
        rows = [entry for entry in link.rows if entry[0] != row.id]
        session.get_one(ChainLink, link.id).rows = rows
        session.get_one(ChainLink, link.id).digest = "0" * 64
    assert f"audit {row.id} was slipped in later" in verify(lived.runtime).problems


def test_a_chain_made_anew_does_not_hold_the_anchor_somebody_kept(lived: World, clock: Clock) -> None:
    kept = anchor(lived.runtime)
    assert verify(lived.runtime, expect=kept).is_whole
    tamper(lived, sa.delete(ChainLink))
    clock.move(minutes=1)
    tamper(lived, sa.update(AuditEntry).values(official_id=None))
    assert extend(lived.runtime) == 3  # whoever has the key can do that
    assert verify(lived.runtime).is_whole
    assert "is not in the chain" in verify(lived.runtime, expect=kept).problems[0]


def test_without_the_key_nobody_can_make_it_anew(lived: World) -> None:
    tamper(lived, sa.update(AuditEntry).values(official_id=None))
    lived.runtime.__dict__["_key"] = "another key than the one of this installation"
    tamper(lived, sa.delete(ChainLink))
    extend(lived.runtime)
    del lived.runtime.__dict__["_key"]
    assert not verify(lived.runtime).is_whole


def test_what_a_citizen_had_erased_is_lawful_and_counted(lived: World, clock: Clock) -> None:
    lived.event({"event_name": "user_withdraw", "oa_id": OA, "user_id": "3000000000000000003"})
    take_in(lived)
    clock.move(minutes=2)
    extend(lived.runtime)
    found = verify(lived.runtime)
    assert found.problems == []
    assert found.erased >= 2


def test_long_histories_take_more_links(lived: World, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "ROWS_A_LINK", 2)
    with lived.runtime.database.transaction() as session:
        for _ in range(5):
            audit(session, lived.official("lan"), "ticket.revealed", "ticket:1", clock())
    clock.move(minutes=2)
    assert extend(lived.runtime) == 3
    assert verify(lived.runtime).is_whole


def test_an_attempt_that_nobody_ended_holds_up_the_chain_for_a_day_at_most(lived: World, clock: Clock) -> None:
    (delivery, *_rest) = all_rows(lived.runtime, Delivery)
    with lived.runtime.database.transaction() as session:
        session.add(
            Attempt(commune_id=lived.commune_id, delivery_id=delivery.id, number=9, started_at=clock(), exchange=[])
        )
    clock.move(hours=2)
    assert extend(lived.runtime) == 0
    clock.move(hours=23)
    assert extend(lived.runtime) == 1
    tamper(lived, sa.update(Attempt).where(Attempt.number == 9).values(ended_at=clock(), outcome="unknown"))
    assert verify(lived.runtime).is_whole
