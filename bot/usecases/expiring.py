"""Expiring: how the rows of each kind are emptied once they are over, a batch at a time inside one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.rules.retention import Kind
from bot.runtime import Runtime
from bot.usecases.communes import CommuneBook
from bot.usecases.erased import EXPIRED
from bot.usecases.telling import Stage
from bot.usecases.words_gone import (
    empty_attachments,
    empty_deliveries,
    empty_drafts,
    empty_events,
    empty_files,
    empty_history,
    empty_messages,
    empty_papers,
    let_key_go,
)
from storage import expiry
from storage.channels import Channel
from storage.contacts import Contact, Conversation
from storage.deliveries import Attempt, Delivery
from storage.enums import EventKind, TicketState
from storage.exchange import SourceFeedback, SourceReport
from storage.expiry import Over
from storage.loudspeakers import LoudspeakerCluster, PlayLog, SourceBulletin
from storage.messages import Attachment, InboundEvent, Message
from storage.notices import SourceNotice
from storage.officials import SignInAttempt, SignInSession
from storage.search_index import note_contacts
from storage.tickets import Ticket, TicketEvent

CODE = "expired"


@dataclass
class Batch:
    """Rows that go together. `tickets`, `deliveries`: whose words went, for the audit, as the chain knows them."""

    runtime: Runtime
    session: Session
    book: CommuneBook
    now: datetime
    nudges: set[str] = field(default_factory=set)
    tickets: list[int] = field(default_factory=list)
    deliveries: list[int] = field(default_factory=list)

    def stage(self, channel_id: int) -> Stage:
        """The scene that files and papers of this channel are emptied in."""
        channel = self.session.get_one(Channel, channel_id)
        return Stage(self.runtime, self.session, channel, self.book, self.now, self.nudges)


@dataclass(frozen=True)
class Way:
    """How one kind goes: which rows are over, how they are emptied, and how many may go in one transaction.

    `locks`: rows of tickets are locked before they are looked at again, so that nobody opens one meanwhile.
    """

    due: Callable[[Over], sa.Select[tuple[int, datetime]]]
    empty: Callable[[Batch, list[int]], None]
    at_once: int = 200
    locks: bool = False


def _tickets(batch: Batch, ids: list[int]) -> None:
    session = batch.session
    rows = session.execute(
        sa.select(Ticket, Conversation.channel_id)
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .where(Ticket.id.in_(ids))
    ).all()
    for ticket, channel_id in rows:
        empty_ticket(batch, ticket, channel_id, EXPIRED)
        batch.tickets.append(ticket.id)
    session.flush()


def _leaders(batch: Batch, ids: list[int]) -> None:
    """Their words go and they are over: the commune has not taken them up."""
    _tickets(batch, ids)
    for ticket in batch.session.scalars(sa.select(Ticket).where(Ticket.id.in_(ids), Ticket.is_open.is_(True))):
        source, ticket.state = ticket.state, TicketState.DECLINED
        ticket.is_open, ticket.closed_at = False, batch.now
        moved = {"from": source.value, "to": ticket.state.value, "by": "retention"}
        event = TicketEvent(commune_id=ticket.commune_id, ticket_id=ticket.id, at=batch.now, data=moved)
        event.kind = EventKind.STATE_CHANGED
        batch.session.add(event)
    batch.session.flush()


def empty_ticket(batch: Batch, ticket: Ticket, channel_id: int, mark: str) -> None:
    """All words, files and papers of one ticket go."""
    session = batch.session
    said = list(session.scalars(sa.select(Message.id).where(Message.ticket_id == ticket.id)))
    _empty_said(batch, channel_id, said, mark)
    empty_papers(batch.stage(channel_id), [ticket.id], mark)
    empty_history(session, [ticket.id], mark)
    empty_drafts(session, [ticket.id])
    let_key_go(ticket)
    ticket.summary, ticket.place_text, ticket.latitude, ticket.longitude = mark, None, None, None
    ticket.words_gone_at = batch.now
    ticket.version += 1


def _loose(batch: Batch, ids: list[int]) -> None:
    of_channels: dict[int, list[int]] = {}
    rows = batch.session.execute(sa.select(Message.id, Message.channel_id).where(Message.id.in_(ids)))
    for number, channel_id in rows:
        of_channels.setdefault(channel_id, []).append(number)
    for channel_id, said in of_channels.items():
        _empty_said(batch, channel_id, said, EXPIRED)
    batch.session.execute(sa.update(Message).where(Message.id.in_(ids)).values(words_gone_at=batch.now))


def _empty_said(batch: Batch, channel_id: int, said: list[int], mark: str) -> None:
    session, sent = batch.session, Delivery.message_id.in_(said)
    batch.deliveries += session.scalars(sa.select(Delivery.id).where(sent).order_by(Delivery.id))
    empty_files(batch.stage(channel_id), said, sent, CODE if mark == EXPIRED else "erased")
    empty_deliveries(session, sent, mark)
    empty_events(session, said)
    empty_messages(session, said, mark)


def _files(batch: Batch, ids: list[int]) -> None:
    query = sa.select(Message.channel_id).join(Attachment, Attachment.message_id == Message.id)
    for channel_id in set(batch.session.scalars(query.where(Attachment.id.in_(ids)))):
        chosen = (
            sa.select(Attachment)
            .join(Message, Message.id == Attachment.message_id)
            .where(Attachment.id.in_(ids), Message.channel_id == channel_id)
        )
        empty_attachments(batch.stage(channel_id), chosen, CODE)


def _contacts(batch: Batch, ids: list[int]) -> None:
    nobody: dict[str, Any] = dict.fromkeys(("name", "phone", "address", "consent", "consent_at", "consent_asked_at"))
    batch.session.execute(sa.update(Contact).where(Contact.id.in_(ids)).values(**nobody, identity_asked_at=None))
    note_contacts(batch.session, ids)
    talks = Conversation.contact_id.in_(ids)
    batch.session.execute(sa.update(Conversation).where(talks).values(asked=None, asked_data=sa.null()))


def _events(batch: Batch, ids: list[int]) -> None:
    batch.session.execute(sa.update(InboundEvent).where(InboundEvent.id.in_(ids)).values(body=b"{}", sealed=sa.null()))


def _attempts(batch: Batch, ids: list[int]) -> None:
    batch.session.execute(sa.update(Attempt).where(Attempt.id.in_(ids)).values(exchange=[]))


def _receipts(batch: Batch, ids: list[int]) -> None:
    batch.session.execute(sa.update(Delivery).where(Delivery.id.in_(ids)).values(part_receipts=sa.null()))


def _sign_ins(batch: Batch, ids: list[int]) -> None:
    batch.session.execute(sa.delete(SignInAttempt).where(SignInAttempt.id.in_(ids)))


def _sessions(batch: Batch, ids: list[int]) -> None:
    batch.session.execute(sa.delete(SignInSession).where(SignInSession.id.in_(ids)))


def _spoken(batch: Batch, ids: list[int]) -> None:
    gone: dict[str, Any] = {"script": "", "summary": "", "lines": [], "attempts": []}
    batch.session.execute(sa.update(SourceBulletin).where(SourceBulletin.id.in_(ids)).values(**gone))


def _above(batch: Batch, ids: list[int]) -> None:
    """Which there were, and what was passed on of them, stays."""
    batch.session.execute(sa.update(SourceNotice).where(SourceNotice.id.in_(ids)).values(raw="", body=""))


def _rows_of(table: type[Any]) -> Callable[[Batch, list[int]], None]:
    def delete(batch: Batch, ids: list[int]) -> None:
        batch.session.execute(sa.delete(table).where(table.id.in_(ids)))

    return delete


WAYS: Mapping[Kind, Way] = {
    Kind.WORDS: Way(lambda over: expiry.ended_tickets(over, sealed=False), _tickets, 10, locks=True),
    Kind.SEALED: Way(lambda over: expiry.ended_tickets(over, sealed=True), _tickets, 10, locks=True),
    Kind.LEADERS: Way(expiry.leaders_tickets, _leaders, 10, locks=True),
    Kind.LOOSE: Way(lambda over: expiry.loose_messages(over, sealed=False), _loose, 50),
    Kind.SEALED_LOOSE: Way(lambda over: expiry.loose_messages(over, sealed=True), _loose, 50),
    Kind.FILES: Way(expiry.ended_files, _files, 50),
    Kind.CONTACTS: Way(expiry.idle_contacts, _contacts),
    Kind.EVENTS: Way(expiry.old_events, _events),
    Kind.EXCHANGES: Way(expiry.old_exchanges, _attempts),
    Kind.RECEIPTS: Way(expiry.old_receipts, _receipts),
    Kind.SIGN_INS: Way(expiry.old_sign_ins, _sign_ins),
    Kind.SESSIONS: Way(expiry.old_sessions, _sessions),
    Kind.PLAYED: Way(expiry.old_play_logs, _rows_of(PlayLog)),
    Kind.SPOKEN: Way(expiry.spoken_bulletins, _spoken),
    Kind.ABOVE: Way(expiry.old_notices, _above),
    Kind.CLUSTERS: Way(expiry.gone_clusters, _rows_of(LoudspeakerCluster)),
    Kind.FEEDBACK: Way(expiry.told_feedback, _rows_of(SourceFeedback)),
    Kind.HANDED_IN: Way(expiry.old_reports, _rows_of(SourceReport)),
}
TEACHING = (Kind.WORDS, Kind.SEALED, Kind.LEADERS, Kind.LOOSE, Kind.SEALED_LOOSE)  # models may have learned from these
