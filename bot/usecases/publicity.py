"""Publicity: a citizen says by a word or a press whether the result of their report may be public; no holds at once."""

from __future__ import annotations

import sqlalchemy as sa

from bot.rules.commands import Command, Verb
from bot.usecases import own_tickets
from bot.usecases.filing import Filed
from bot.usecases.publishing import keep_answer
from bot.usecases.related import note
from bot.usecases.turns import Turn
from bot.usecases.work import Work
from storage.enums import EventKind
from storage.publications import PublicAnswer, Publicity
from storage.tickets import Ticket


def take_answer(turn: Turn, command: Command) -> Filed:
    """Their yes or no to publishing; without a code it means the report they were asked about last."""
    ticket = _meant(turn, command)
    if ticket is None or ticket.is_sealed:
        turn.tell("publish_nothing")
        return Filed(None)
    answer = PublicAnswer.AGREED if command.verb is Verb.PUBLISH else PublicAnswer.REFUSED
    _keep(turn.work, ticket, answer)
    turn.tell("publish_agreed" if answer is PublicAnswer.AGREED else "publish_refused", ticket=ticket)
    return Filed(None)


def refuse_all(work: Work, contact_id: int) -> None:
    """They took back their consent altogether: nothing of theirs stays public."""
    query = (
        sa.select(Ticket)
        .join(Publicity, Publicity.ticket_id == Ticket.id)
        .where(Ticket.contact_id == contact_id, Publicity.answer != PublicAnswer.REFUSED)
    )
    for ticket in work.session.scalars(query):
        _keep(work, ticket, PublicAnswer.REFUSED)


def _keep(work: Work, ticket: Ticket, answer: PublicAnswer) -> None:
    if keep_answer(work.runtime, work.session, ticket, answer, "chat", work.now):
        ticket.version += 1
        note(work, ticket, EventKind.PUBLICITY, {"answer": answer.value, "by": "citizen"})


def _meant(turn: Turn, command: Command) -> Ticket | None:
    if command.code:
        return own_tickets.of_code(turn.work, turn.person, command.code)
    query = own_tickets.own(turn.work, turn.person).join(Publicity, Publicity.ticket_id == Ticket.id)
    return turn.work.session.scalar(query.order_by(None).order_by(Publicity.at.desc()).limit(1))
