"""Tickets and their events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from storage.agencies import Agency
from storage.base import Base, OfCommune, one_of
from storage.channels import Channel
from storage.contacts import Conversation
from storage.enums import THEN, EventKind, TicketState, Urgency
from storage.messages import Message
from storage.officials import Official
from storage.sealing import Sealable

OPEN_STATES = [state for state in TicketState if state.is_open]


THE_LEADERS = 0  # among proposed agencies: whoever leads, of whatever unit


class Ticket(OfCommune, Sealable, Base):
    """A report we owe an answer to. `version` grows with every change, so that two officials cannot collide.

    `is_spam`: put aside by an official, closed without a word; it can be restored. `urgency_set_at`: when an official
    decided how urgent it is; only what is said afterwards may raise it. `is_anonymous`: the body it is about does not
    learn the name. `rating`: 1 not satisfied, 2 acceptable, 3 satisfied. `reopened_count`: how often it was not over.

    Three clocks: taken in (`accept_due_at`, `accepted_at`), first action (`action_due_at`, `acted_at`), answer
    (`due_at`, `answered_at`). `paused_at`: they stand still while the citizen is asked, at most until `paused_until`.
    `promised_at`: the day promised after the answer was late. `extension`: {"days", "reason", "by", "state"}, once.
    `noticed_at`, `next_notice_at`: up to when the clocks were heard, and when they must be next.

    `compare_at`: since when it waits to be compared with others, as it may be the same piece of work.
    `snoozed_until`: put aside until then, for everybody; the lists of what is to be done leave it out.
    `words_gone_at`: when its words went because their time was over.

    `accused_agency_id`: of a sealed one, the unit that is accused; its people never see it. `proposed_agencies`: those
    that its words seem to accuse (",3,7,", `THE_LEADERS` among them), whose people do not see it until a reader has
    decided, which was at `accusation_decided_at`. `accuses_leaders`: the commune's leadership is, so nobody of the
    commune opens it.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        sa.UniqueConstraint("commune_id", "code"),
        sa.Index("ix_tickets_list", "commune_id", "is_open", "due_at", "id"),
        sa.Index("ix_tickets_agency", "commune_id", "agency_id", "is_open", "due_at"),
        sa.Index("ix_tickets_notice", "next_notice_at", sqlite_where=sa.text("next_notice_at IS NOT NULL"),
                 postgresql_where=sa.text("next_notice_at IS NOT NULL")),
        sa.Index("ix_tickets_compare", "compare_at", sqlite_where=sa.text("compare_at IS NOT NULL"),
                 postgresql_where=sa.text("compare_at IS NOT NULL")),
        sa.Index("ix_tickets_answered", "commune_id", "topic", "answered_at",
                 sqlite_where=sa.text("answered_at IS NOT NULL"), postgresql_where=sa.text("answered_at IS NOT NULL")),
        sa.Index("ix_tickets_waiting_approval", "commune_id", "due_at", sqlite_where=sa.text("state = 'cho_duyet'"),
                 postgresql_where=sa.text("state = 'cho_duyet'")),
        sa.Index("ix_tickets_opened", "commune_id", "opened_at"),
        sa.Index("ix_tickets_merged", "merged_into_id", sqlite_where=sa.text("merged_into_id IS NOT NULL"),
                 postgresql_where=sa.text("merged_into_id IS NOT NULL")),
        sa.Index("ix_tickets_of_leaders", "commune_id", "last_in_at", sqlite_where=sa.text("accuses_leaders = 1"),
                 postgresql_where=sa.text("accuses_leaders")),
        sa.Index("ix_tickets_spam", "commune_id", "id", sqlite_where=sa.text("is_spam = 1"),
                 postgresql_where=sa.text("is_spam")),
    )  # fmt: skip

    code: Mapped[str] = mapped_column(sa.String(20))
    conversation_id: Mapped[int] = mapped_column(sa.ForeignKey("conversations.id"), index=True)
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contacts.id"), index=True)
    state: Mapped[TicketState] = mapped_column(one_of(TicketState), default=TicketState.NEW)
    is_open: Mapped[bool] = mapped_column(default=True)
    topic: Mapped[str | None] = mapped_column(sa.String(40))
    topic_is_confirmed: Mapped[bool] = mapped_column(default=False)
    place_id: Mapped[int | None] = mapped_column(sa.ForeignKey("places.id"))
    place_text: Mapped[str | None] = mapped_column(sa.String(300))
    locality_code: Mapped[str | None] = mapped_column(sa.String(8))
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    urgency: Mapped[Urgency] = mapped_column(one_of(Urgency), default=Urgency.NORMAL)
    urgency_set_at: Mapped[datetime | None]
    agency_id: Mapped[int | None] = mapped_column(sa.ForeignKey("agencies.id"))
    official_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    summary: Mapped[str] = mapped_column(sa.String(300), default="")
    is_sealed: Mapped[bool] = mapped_column(default=False)
    is_restricted: Mapped[bool] = mapped_column(default=False)
    is_touched: Mapped[bool] = mapped_column(default=False)
    is_spam: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    is_anonymous: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    rating: Mapped[int | None]
    rated_at: Mapped[datetime | None]
    reopened_count: Mapped[int] = mapped_column(default=0, server_default="0")
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("tickets.id"))
    announcement_id: Mapped[int | None] = mapped_column(sa.ForeignKey("announcements.id"))
    opened_at: Mapped[datetime]
    last_in_at: Mapped[datetime]
    accept_due_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    action_due_at: Mapped[datetime | None]
    acted_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    paused_until: Mapped[datetime | None]
    promised_at: Mapped[datetime | None]
    extension: Mapped[dict[str, Any] | None]
    noticed_at: Mapped[datetime | None]
    next_notice_at: Mapped[datetime | None]
    compare_at: Mapped[datetime | None]
    snoozed_until: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    words_gone_at: Mapped[datetime | None]
    accused_agency_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    proposed_agencies: Mapped[str] = mapped_column(sa.String(400), default="", server_default="")
    accusation_decided_at: Mapped[datetime | None]
    accuses_leaders: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    version: Mapped[int] = mapped_column(default=1)

    WORDS = ("summary", "place_text", "latitude", "longitude")
    WATCHED = ("is_sealed",)

    def is_secret(self, session: Session) -> bool:  # noqa: ARG002 - others must ask
        """Whether it is sealed."""
        return self.is_sealed

    def belongings(self, session: Session) -> Iterable[Sealable]:
        """All that was said and done about it."""
        from storage.drafts import Draft
        from storage.papers import Paper, Transfer, TransferLine
        from storage.undo import Undoable

        if sa.inspect(self).key is None:
            return  # new: nothing hangs on it yet
        yield from session.scalars(sa.select(Message).where(Message.ticket_id == self.id))
        yield from session.scalars(sa.select(TicketEvent).where(TicketEvent.ticket_id == self.id))
        yield from session.scalars(sa.select(Paper).where(Paper.ticket_id == self.id))
        yield from session.scalars(sa.select(Draft).where(Draft.ticket_id == self.id))
        yield from session.scalars(sa.select(Undoable).where(Undoable.ticket_id == self.id))
        own = sa.select(Transfer.id).where(Transfer.ticket_id == self.id)
        yield from session.scalars(sa.select(TransferLine).where(TransferLine.transfer_id.in_(own)))

    @property
    def shut_out(self) -> set[int]:
        """The agencies whose people must not see it: those that are accused, or seem to be."""
        proposed = {int(number) for number in (self.proposed_agencies or "").split(",") if number}
        return proposed | ({self.accused_agency_id} if self.accused_agency_id is not None else set())

    @property
    def has_place(self) -> bool:
        """Whether anybody has said where, in words, by a place of the list or by a pin."""
        return self.place_text is not None or self.place_id is not None or self.latitude is not None


class TicketEvent(OfCommune, Sealable, Base):
    """One fact in a ticket's life; rows are only ever added, and lose their words when the citizen's are erased."""

    __tablename__ = "ticket_events"

    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"), index=True)
    kind: Mapped[EventKind] = mapped_column(one_of(EventKind))
    at: Mapped[datetime]
    official_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    note: Mapped[str | None] = mapped_column(sa.Text)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)

    WORDS = ("note", "data")

    @property
    def words(self) -> tuple[str, ...]:
        """What is noted, and where the citizen said it is; other facts are the machine's, and counted by it."""
        return self.WORDS if self.kind is EventKind.PLACE_CHANGED else ("note",)

    def is_secret(self, session: Session) -> bool:
        """Whether its ticket is."""
        ticket = session.get(Ticket, self.ticket_id)
        return ticket is not None and ticket.is_sealed


# ---- the past -------------------------------------------------------------------------------------------------------

# Every event says how its ticket stood after it, so that the past can be told from history alone. It is written as the
# session is flushed, whoever made the event; within a transaction the last event has the last word, and all of one
# ticket name the version that they made together: one deed. No words of citizens are in it: places by number, nothing
# of what was said.

_NOTED = "ticket_events_of_this_transaction"


def facts_of(ticket: Ticket) -> dict[str, Any]:
    """How the ticket stands, as small values; what is empty is left out."""
    found: dict[str, Any] = {
        "state": ticket.state.value,
        "topic": ticket.topic,
        "urgency": ticket.urgency.value if ticket.urgency else None,
        "agency": ticket.agency_id,
        "official": ticket.official_id,
        "place": ticket.place_id,
        "due": _seconds(ticket.due_at),
        "promised": _seconds(ticket.promised_at),
        "paused": _seconds(ticket.paused_at),
        "sealed": 1 if ticket.is_sealed else None,
        "spam": 1 if ticket.is_spam else None,
        "version": ticket.version,
    }
    return {name: value for name, value in found.items() if value is not None}


def _seconds(at: Any) -> int | None:
    return int(at.timestamp()) if at is not None else None


@sa.event.listens_for(Session, "before_flush", insert=True)
def _note_new(session: Session, _context: object, _instances: object) -> None:
    for event in [one for one in session.new if isinstance(one, TicketEvent)]:
        _note(session, event)
        session.info.setdefault(_NOTED, {}).setdefault(event.ticket_id, []).append(event)


@sa.event.listens_for(Session, "before_commit")
def _note_last(session: Session) -> None:
    if any(isinstance(one, TicketEvent) for one in session.new):
        session.flush()
    for *events, last in session.info.pop(_NOTED, {}).values():
        _note(session, last)
        for event in events:
            then = (event.data or {}).get(THEN)
            if then is not None:
                event.data = {**event.data, THEN: {**then, "version": last.data[THEN]["version"]}}


def _note(session: Session, event: TicketEvent) -> None:
    with session.no_autoflush:
        ticket = session.get(Ticket, event.ticket_id)
    if ticket is None:
        return
    facts = facts_of(ticket)
    if (event.data or {}).get(THEN) != facts:
        event.data = {**(event.data or {}), THEN: facts}


# ---- the list -------------------------------------------------------------------------------------------------------


class View(StrEnum):
    """The ways to look at the list.

    `REVIEW`: the reader was unsure and nobody has looked. `NOBODY`: taken in, and no person has it yet. `SNOOZED`: put
    aside until a moment that has not come; these are in no other list of what is to be done, but in `DUE`.
    """

    NEW = "new"
    REVIEW = "review"
    DUE = "due"
    MINE = "mine"
    NOBODY = "nobody"
    URGENT = "urgent"
    SNOOZED = "snoozed"
    ALL = "all"
    SPAM = "spam"


_OF_OPEN = (View.NEW, View.REVIEW, View.DUE, View.MINE, View.NOBODY, View.URGENT, View.SNOOZED)
_WITHOUT_SNOOZED = (View.NEW, View.REVIEW, View.MINE, View.NOBODY)
_SORTED_FIRST = (TicketState.NEW, TicketState.RECEIVED)
_WITH_AN_AGENCY = (TicketState.RECEIVED, TicketState.ASSIGNED, TicketState.IN_PROGRESS, TicketState.REOPENED)
COUNTED_AT_MOST = 1_000
_LOUD = (Urgency.EMERGENCY, Urgency.URGENT)
_Desk = aliased(Agency)  # the list joins agencies itself
_SPAM = sa.and_(sa.true(), Ticket.is_spam)  # as the partial index says it, or PostgreSQL does not see that it fits
_rank = sa.case((Ticket.urgency == Urgency.EMERGENCY, 0), else_=1)


@dataclass(frozen=True)
class Looker:
    """For whom the list is made: what they may see, what is theirs, and until when a deadline is near.

    `triage`: the slug of the agency that gets what the reader was unsure of.
    """

    seen_by: sa.ColumnElement[bool]
    official_id: int
    agency_id: int | None
    soon: datetime
    sees_sealed: bool
    triage: str
    now: datetime


@dataclass(frozen=True)
class Cursor:
    """The last row of a page: the next page begins behind it."""

    rank: int
    due_at: datetime | None
    id: int


@dataclass(frozen=True)
class Row:
    """A line of the list. `has_news`: the citizen wrote after the last official did anything."""

    ticket: Ticket
    agency: str | None
    official: str | None
    channel: str
    is_sandbox: bool
    has_news: bool

    @property
    def cursor(self) -> Cursor:
        """Where this line stands in the order."""
        return Cursor(0 if self.ticket.urgency is Urgency.EMERGENCY else 1, self.ticket.due_at, self.ticket.id)


def counts(session: Session, looker: Looker) -> dict[View, int]:
    """How many tickets each view holds, in one question; the last two are counted up to a limit."""
    many = [
        sa.select(sa.literal(1))
        .select_from(Ticket)
        .where(looker.seen_by, _SPAM if is_spam else sa.not_(_SPAM))
        .limit(COUNTED_AT_MOST)
        .subquery()
        for is_spam in (False, True)
    ]
    sums = [sa.func.coalesce(sa.func.sum(sa.case((_of_view(view, looker), 1), else_=0)), 0) for view in _OF_OPEN]
    counted = [sa.select(sa.func.count()).select_from(one).scalar_subquery() for one in many]
    query = sa.select(*sums, *counted).where(looker.seen_by, Ticket.is_open.is_(True))
    return dict(zip(View, (int(n) for n in session.execute(query).one()), strict=True))


def rows(
    session: Session,
    looker: Looker,
    view: View,
    *,
    after: Cursor | None,
    limit: int,
    only: Sequence[sa.ColumnElement[bool]] = (),
) -> list[Row]:
    """A page of the list. `only`: filters."""
    query = _rows().where(*listed(looker, view), *only)
    query = _in_order(query, view, looker, after).limit(limit)
    return [Row(*row) for row in session.execute(query)]


def rows_among(session: Session, chosen: sa.ColumnElement[bool]) -> list[Row]:
    """Lines for the tickets that this condition chooses, the newest first."""
    return [Row(*row) for row in session.execute(_rows().where(chosen).order_by(Ticket.id.desc()))]


def _rows() -> sa.Select[Any]:
    has_news = ~(
        sa.select(TicketEvent.id)
        .where(
            TicketEvent.ticket_id == Ticket.id,
            TicketEvent.official_id.is_not(None),
            TicketEvent.at >= Ticket.last_in_at,
        )
        .exists()
    )
    return (
        sa.select(Ticket, Agency.name, Official.name, Channel.name, Channel.is_sandbox, has_news)
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .join(Channel, Channel.id == Conversation.channel_id)
        .outerjoin(Agency, Agency.id == Ticket.agency_id)
        .outerjoin(Official, Official.id == Ticket.official_id)
    )


def total(session: Session, looker: Looker, view: View, only: Sequence[sa.ColumnElement[bool]]) -> int:
    """How many tickets of a view pass these filters, up to a limit."""
    some = sa.select(sa.literal(1)).select_from(Ticket).where(*listed(looker, view), *only).limit(10 * COUNTED_AT_MOST)
    return session.scalar(sa.select(sa.func.count()).select_from(some.subquery())) or 0


def listed(looker: Looker, view: View) -> list[sa.ColumnElement[bool]]:
    """What a ticket must be to stand in a view, without a search."""
    is_listed = [Ticket.is_spam.is_(False)] if view is View.ALL else []
    return [looker.seen_by, *_of_list(view, looker), *is_listed]


def _of_view(view: View, looker: Looker) -> sa.ColumnElement[bool]:
    if view is View.SNOOZED:
        return Ticket.snoozed_until > looker.now
    if view in _WITHOUT_SNOOZED:
        is_awake = sa.or_(Ticket.snoozed_until.is_(None), Ticket.snoozed_until <= looker.now)
        return sa.and_(is_awake, _of_view_awake(view, looker))
    return _of_view_awake(view, looker)


def _of_view_awake(view: View, looker: Looker) -> sa.ColumnElement[bool]:
    if view is View.NEW:
        return Ticket.state == TicketState.NEW
    if view is View.MINE:
        mine: sa.ColumnElement[bool] = Ticket.official_id == looker.official_id
        if looker.agency_id is None:
            return mine
        return sa.or_(mine, sa.and_(Ticket.official_id.is_(None), Ticket.agency_id == looker.agency_id))
    if view is View.REVIEW:
        desk = sa.select(_Desk.id).where(_Desk.commune_id == Ticket.commune_id, _Desk.slug == looker.triage)
        return sa.and_(
            Ticket.state.in_(_SORTED_FIRST),
            Ticket.is_sealed.is_(False),
            Ticket.topic_is_confirmed.is_(False),
            sa.or_(Ticket.topic.is_(None), Ticket.agency_id.is_(None), Ticket.agency_id.in_(desk)),
        )
    if view is View.NOBODY:
        return sa.and_(Ticket.state.in_(_WITH_AN_AGENCY), Ticket.is_sealed.is_(False), Ticket.official_id.is_(None))
    if view is View.DUE:
        return Ticket.due_at <= looker.soon
    if view is View.URGENT:
        return Ticket.urgency.in_(_LOUD)
    if view is View.SPAM:
        return _SPAM
    return sa.true()


def _of_list(view: View, looker: Looker) -> list[sa.ColumnElement[bool]]:
    if view in {View.ALL, View.SPAM}:
        return [_of_view(view, looker)]
    return [Ticket.is_open.is_(True), _of_view(view, looker)]


def _in_order(query: Any, view: View, looker: Looker, after: Cursor | None) -> Any:
    if view in {View.ALL, View.SPAM}:
        query = query.order_by(Ticket.id.desc())
        return query.where(Ticket.id < after.id) if after else query
    behind = _behind(after, looker) if after else None
    if view is View.NEW:
        query = query.order_by(_rank, Ticket.due_at.asc().nulls_last(), Ticket.id)
        if after is not None and behind is not None:
            query = query.where(sa.or_(_rank > after.rank, sa.and_(_rank == after.rank, behind)))
        return query
    query = query.order_by(Ticket.due_at.asc().nulls_last(), Ticket.id)
    return query.where(behind) if behind is not None else query


def _behind(after: Cursor, looker: Looker) -> sa.ColumnElement[bool]:
    if after.due_at is None:
        return sa.and_(Ticket.due_at.is_(None), Ticket.id > after.id)
    # The plain bound lets the index begin in the right place; only sealed tickets have no deadline.
    later = sa.and_(Ticket.due_at >= after.due_at, sa.or_(Ticket.due_at > after.due_at, Ticket.id > after.id))
    return sa.or_(later, Ticket.due_at.is_(None)) if looker.sees_sealed else later
