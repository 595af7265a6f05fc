"""Bulk: the same deed for many reports, each in a transaction of its own.

A run is a row with an item for each report, kept before anything is done. Each item is done together with its mark, so
a crash loses none and repeats none: whoever comes back to the run carries on. The deeds are those of single reports.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import NotFound, ticket_for
from bot.rules import lifecycle
from bot.rules.bulk import UNDO_TIME, Given, check
from bot.rules.lifecycle import NotAllowed
from bot.runtime import Runtime
from bot.usecases import incidents, snoozing, tickets, triage
from bot.usecases.bulk_facts import Made, facts_of, hold_back, noted
from bot.usecases.bulk_page import run_of
from bot.usecases.bulk_preview import Preview, Wish, preview, standing
from bot.usecases.communes import commune_book
from storage.bulk import BulkItem, BulkRun
from storage.database import OneTransaction, advisory_lock, insert_ignore
from storage.deliveries import Delivery
from storage.enums import BulkDeed, DeliveryState, ItemState, TicketState
from storage.officials import Official
from storage.tickets import Ticket


@dataclass
class _Later:
    """Nudges that are given when the transaction is over."""

    jobs: list[str] = field(default_factory=list)

    def __call__(self, job: str) -> None:
        self.jobs.append(job)


# ---- doing it -------------------------------------------------------------------------------------------------------


def begin(runtime: Runtime, official: Official, token: str, wish: Wish, versions: dict[int, int]) -> int:
    """Keep the wish, once for its form; gives the run's number. Nothing is done yet: `carry_on` does it.

    `versions`: of the reports as the preview showed them; one that has changed since will be left out.
    """
    of_this_form = sa.select(BulkRun).where(BulkRun.official_id == official.id, BulkRun.token == token)
    with runtime.database.reading() as session:
        known = session.scalar(of_this_form.with_only_columns(BulkRun.id))
    if known is not None:
        return known
    seen = preview(runtime, official, wish)
    if not wish.is_whole or not seen.many:
        raise NotAllowed("nothing_to_do", "Không có phản ánh nào làm được việc này.")
    lead = seen.lead
    given = {"agency": wish.agency_id, "topic": wish.topic, "lead": lead.id if lead else None}
    given["until"] = seen.until.isoformat() if seen.until else None
    with runtime.database.transaction() as session:
        row = {
            "commune_id": official.commune_id, "official_id": official.id, "token": token, "deed": wish.deed,
            "given": {name: value for name, value in given.items() if value is not None}, "created_at": runtime.now(),
        }  # fmt: skip
        is_mine = insert_ignore(session, BulkRun, [row]) == 1
        run = session.scalars(of_this_form).one()
        if is_mine:
            _add_items(session, run, seen, versions)
        return run.id


def _add_items(session: Session, run: BulkRun, seen: Preview, versions: dict[int, int]) -> None:
    for position, one in enumerate(seen.items):
        item = BulkItem(
            commune_id=run.commune_id,
            run_id=run.id,
            ticket_id=one.ticket.id,
            position=position,
            version=versions.get(one.ticket.id, 0),
        )
        if one.refusal is not None:
            item.state, item.why = ItemState.LEFT_OUT, why(one.refusal)
        elif one.is_lead:
            item.state = ItemState.DONE
        session.add(item)


def carry_on(runtime: Runtime, official: Official, run_id: int) -> None:
    """Do what is left of a run, one report after another; then it can be taken back for a while."""
    with runtime.database.reading() as session:
        run = run_of(session, official, run_id)
        waiting = sa.select(BulkItem.id).where(BulkItem.run_id == run_id, BulkItem.state == ItemState.WAITING)
        numbers = list(session.scalars(waiting.order_by(BulkItem.position)))
    for number in numbers:
        _do_one(runtime, official, run, number)
    with runtime.database.transaction() as session:
        run = session.get_one(BulkRun, run_id, with_for_update=True)
        if run.until is None:
            run.until = runtime.now() + UNDO_TIME
            _hold_all_until(session, run)


def _do_one(runtime: Runtime, official: Official, run: BulkRun, item_id: int) -> None:
    """One report, in a transaction of its own; what refuses it is written down instead."""
    later = _Later()
    try:
        with runtime.database.transaction() as session:
            if run.deed is BulkDeed.JOIN:
                advisory_lock(session, f"incidents:{run.commune_id}")  # before any ticket, as others take it
            item = session.get_one(BulkItem, item_id, with_for_update=True)
            if item.state is not ItemState.WAITING:
                return
            ticket = ticket_for(session, official, item.ticket_id, locked=True)
            _check_again(session, official, ticket, item, run, runtime.now())
            inside = replace(runtime, database=OneTransaction(runtime.database, session), nudge=later)
            item.before = facts_of(ticket)
            with noted(session, ticket) as made:
                _DEEDS[run.deed](inside, official, ticket, run.given)
                session.flush()
            _keep(session, item, ticket, made, runtime.now())
    except (NotAllowed, NotFound) as refusal:
        _leave_out(runtime, item_id, refusal)
    for job in dict.fromkeys(later.jobs):
        runtime.nudge(job)


def _check_again(
    session: Session, official: Official, ticket: Ticket, item: BulkItem, run: BulkRun, now: datetime
) -> None:
    if ticket.version != item.version:
        raise NotAllowed("changed", "Vừa có thay đổi sau khi Anh/Chị xem trước; chưa làm gì với phản ánh này.")
    until = run.given.get("until")
    given = Given(
        agency_id=run.given.get("agency"),
        topic=run.given.get("topic"),
        until=datetime.fromisoformat(until) if until else None,
    )
    check(run.deed, standing(session, official, ticket, commune_book(session, ticket.commune_id), now), given, now)


def _keep(session: Session, item: BulkItem, ticket: Ticket, made: Made, now: datetime) -> None:
    hold_back(made.deliveries, now + UNDO_TIME)
    item.after, item.version_after, item.made = facts_of(ticket), ticket.version, made.numbers()
    item.state = ItemState.DONE
    session.flush()


def _leave_out(runtime: Runtime, item_id: int, refusal: NotAllowed | NotFound) -> None:
    with runtime.database.transaction() as session:
        item = session.get_one(BulkItem, item_id, with_for_update=True)
        if item.state is ItemState.WAITING:
            item.state, item.why = ItemState.LEFT_OUT, why(refusal)


def why(refusal: NotAllowed | NotFound) -> dict[str, Any]:
    """A refusal as it is kept: the sentence and its values."""
    if isinstance(refusal, NotFound):
        return {"code": "gone"}
    return {
        "code": refusal.code,
        "sentence": refusal.sentence,
        "values": {k: str(v) for k, v in refusal.values.items()},
    }


def _hold_all_until(session: Session, run: BulkRun) -> None:
    """What was told waits until nothing can be taken back any more."""
    made = session.scalars(sa.select(BulkItem.made).where(BulkItem.run_id == run.id, BulkItem.state == ItemState.DONE))
    owed = list(itertools.chain.from_iterable(one.get("deliveries", ()) for one in made))
    is_waiting = (Delivery.state == DeliveryState.WAITING, Delivery.tries == 0)
    session.execute(
        sa.update(Delivery)
        .where(Delivery.id.in_(owed), *is_waiting)
        .values(next_attempt_at=run.until, held_until=run.until)
    )


# ---- the deeds ------------------------------------------------------------------------------------------------------


def _receive(inside: Runtime, official: Official, ticket: Ticket, _given: dict[str, Any]) -> None:
    target, nothing = TicketState.RECEIVED, lifecycle.Given()
    tickets.change_state(inside, official, ticket.id, version=ticket.version, target=target, given=nothing)


def _assign(inside: Runtime, official: Official, ticket: Ticket, given: dict[str, Any]) -> None:
    """Whoever gives a new report to an agency takes it into the book by that."""
    if ticket.state is TicketState.NEW:
        _receive(inside, official, ticket, given)
    agency = int(given["agency"])
    tickets.assign(inside, official, ticket.id, version=ticket.version, agency_id=agency, official_id=None)


def _set_topic(inside: Runtime, official: Official, ticket: Ticket, given: dict[str, Any]) -> None:
    tickets.set_topic(inside, official, ticket.id, version=ticket.version, topic=str(given["topic"]))


def _snooze(inside: Runtime, official: Official, ticket: Ticket, given: dict[str, Any]) -> None:
    until = datetime.fromisoformat(given["until"])
    snoozing.snooze(inside, official, ticket.id, version=ticket.version, until=until)


def _mark_spam(inside: Runtime, official: Official, ticket: Ticket, _given: dict[str, Any]) -> None:
    triage.mark_spam(inside, official, ticket.id, version=ticket.version)


def _join(inside: Runtime, official: Official, ticket: Ticket, given: dict[str, Any]) -> None:
    with inside.database.reading() as session:
        lead = ticket_for(session, official, int(given["lead"]), locked=True)
    incidents.join(inside, official, lead.id, version=lead.version, others=[ticket.id])


_DEEDS: dict[BulkDeed, Callable[[Runtime, Official, Ticket, dict[str, Any]], None]] = {
    BulkDeed.RECEIVE: _receive,
    BulkDeed.ASSIGN: _assign,
    BulkDeed.TOPIC: _set_topic,
    BulkDeed.SNOOZE: _snooze,
    BulkDeed.SPAM: _mark_spam,
    BulkDeed.JOIN: _join,
}
