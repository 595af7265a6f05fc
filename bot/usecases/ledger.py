"""The ledger: on live data, prove that every accepted event and every owed message is accounted for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.runtime import Runtime
from bot.usecases import deliveries, intake
from storage.announcements import Announcement, miscounted
from storage.channels import Channel
from storage.contacts import Contact, Conversation
from storage.deliveries import Attempt, Delivery
from storage.enums import AnnouncementState, DeliveryState, EventKind, InboundState
from storage.messages import Attachment, InboundEvent, Message
from storage.tickets import Ticket, TicketEvent

GRACE = timedelta(seconds=60)  # beyond a lease: the sweep has had its chance


@dataclass
class Ledger:
    """Counts of everything, and the sentences that say what does not add up."""

    events: dict[str, int] = field(default_factory=dict)
    exceptions: dict[str, int] = field(default_factory=dict)
    deliveries: dict[str, int] = field(default_factory=dict)
    attachments: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def is_balanced(self) -> bool:
        """Whether nothing is missing, doubled or stuck."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """The ledger as plain JSON types."""
        return {"balanced": self.is_balanced, **self.__dict__}

    def in_words(self) -> str:
        """The ledger as an operator reads it."""
        lines = [
            f"events      {_sum(self.events)} accepted: {_list(self.events)}",
            f"exceptions  {_list(self.exceptions)}",
            f"kept        {_list(self.people)}",
            f"deliveries  {_sum(self.deliveries)} owed: {_list(self.deliveries)}",
            f"attachments {_list(self.attachments)}",
            *(f"PROBLEM     {problem}" for problem in self.problems),
            "balanced" if self.is_balanced else "NOT balanced",
        ]
        return "\n".join(lines)


def balance(runtime: Runtime) -> Ledger:
    """Count and compare, in one consistent picture; changes nothing."""
    ledger = Ledger()
    late = runtime.now() - GRACE
    with runtime.database.reading() as session:
        ledger.events = _by(session, InboundEvent.state)
        parked = sa.select(InboundEvent.outcome, sa.func.count()).where(InboundEvent.state == InboundState.PARKED)
        ledger.exceptions = {str(o): n for o, n in session.execute(parked.group_by(InboundEvent.outcome))}
        ledger.deliveries = _by(session, Delivery.state)
        ledger.attachments = _by(session, Attachment.state)
        tables: dict[str, Any] = {
            "contacts": Contact,
            "conversations": Conversation,
            "messages": Message,
            "tickets": Ticket,
        }
        ledger.people = {n: _count(session, sa.select(t.id)) for n, t in tables.items()}
        for sentence, query in _questions(late).items():
            found = _count(session, query)
            if found:
                ledger.problems.append(sentence.format(found))
        if wrong := miscounted(session):
            ledger.problems.append(f"the counts of announcements {wrong} are not those of their deliveries")
    return ledger


def _questions(late: Any) -> dict[str, sa.Select[Any]]:
    """Each query selects rows that must not exist."""
    event_lease, send_lease = late - intake.LEASE, late - deliveries.LEASE
    has_message = sa.select(Message.id).where(Message.inbound_event_id == InboundEvent.id).exists()
    opened = sa.select(TicketEvent.id).where(TicketEvent.ticket_id == Ticket.id, TicketEvent.kind == EventKind.OPENED)
    sent_twice = (
        sa.select(Attempt.delivery_id)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .where(Attempt.outcome == DeliveryState.SENT.value)
        .group_by(Attempt.delivery_id, Delivery.resends)
        # What the network could not deliver a person may send anew.
        .having(sa.func.count() > 1 + Delivery.resends)
    )
    unfinished = (
        sa.select(Delivery.id)
        .where(
            Delivery.announcement_id == Announcement.id,
            Delivery.state.in_([DeliveryState.WAITING, DeliveryState.SENDING]),
        )
        .exists()
    )
    reached = [DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ]
    return {
        "{} events were handled as messages, but no message was kept": sa.select(InboundEvent.id).where(
            InboundEvent.state == InboundState.DONE, InboundEvent.outcome.like("message:%"), ~has_message
        ),
        "{} events are leased by nobody alive and not taken up again": sa.select(InboundEvent.id).where(
            InboundEvent.state == InboundState.WAITING, InboundEvent.lease_until < event_lease
        ),
        "{} finished events have no time of finishing": sa.select(InboundEvent.id).where(
            InboundEvent.state != InboundState.WAITING, InboundEvent.done_at.is_(None)
        ),
        "{} messages opened or joined a ticket, but stand in none": sa.select(Message.id)
        .join(InboundEvent, InboundEvent.id == Message.inbound_event_id)
        .where(InboundEvent.outcome.in_(["message:opened", "message:added"]), Message.ticket_id.is_(None)),
        "{} tickets have no opening in their history": sa.select(Ticket.id).where(~opened.exists()),
        "{} deliveries are being sent by nobody alive": sa.select(Delivery.id).where(
            Delivery.state == DeliveryState.SENDING, Delivery.lease_until < send_lease
        ),
        "{} deliveries count as sent, but the channel never named them": sa.select(Delivery.id).where(
            Delivery.state.in_(reached), Delivery.external_id.is_(None)
        ),
        "{} deliveries were handed over more than once": sent_twice,
        "{} announcements count as sent while something still waits": sa.select(Announcement.id).where(
            Announcement.state == AnnouncementState.SENT, unfinished
        ),
        "{} waiting deliveries belong to no channel that exists": sa.select(Delivery.id)
        .outerjoin(Channel, Channel.id == Delivery.channel_id)
        .where(Delivery.state == DeliveryState.WAITING, Channel.id.is_(None)),
    }


def outbox_rows(runtime: Runtime, channel_slug: str | None, limit: int) -> list[tuple[str, ...]]:
    """Unfinished and failed deliveries, newest first: id, channel, kind, state, tries, next try, code."""
    states = [DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.REFUSED, DeliveryState.UNKNOWN]
    query = (
        sa.select(Delivery, Channel.slug)
        .join(Channel, Channel.id == Delivery.channel_id)
        .where(Delivery.state.in_(states))
        .order_by(Delivery.id.desc())
        .limit(limit)
    )
    if channel_slug:
        query = query.where(Channel.slug == channel_slug)
    with runtime.database.reading() as session:
        return [
            (
                str(row.id),
                slug,
                row.kind.value,
                row.state.value,
                f"tries={row.tries}",
                f"next={row.next_attempt_at:%Y-%m-%dT%H:%M:%SZ}",
                row.code or "-",
            )
            for row, slug in session.execute(query)
        ]


def _by(session: Session, column: Any) -> dict[str, int]:
    rows = session.execute(sa.select(column, sa.func.count()).group_by(column))
    return {value.value: count for value, count in rows}


def _count(session: Session, query: sa.Select[Any]) -> int:
    return int(session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0)


def _sum(counts: dict[str, int]) -> int:
    return sum(counts.values())


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
