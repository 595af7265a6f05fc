"""Approvals: results that wait for a leader, gathered to be read, approved or returned one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import Forbidden, NotFound, seen_by
from bot.rules.lifecycle import LEADERS, Given, NotAllowed
from bot.runtime import Runtime
from bot.texts import EmptyVariable
from bot.usecases import replies, tickets
from bot.usecases.desk import Changed
from storage.agencies import Agency
from storage.enums import AttachmentState, Direction, TicketState
from storage.messages import Attachment, Message
from storage.officials import Official
from storage.tickets import Ticket

SHOWN_AT_MOST = 20
MOST_PHOTOS = 4

__all__ = ["LEADERS"]


@dataclass
class Waiting:
    """A result that waits: what the citizen said first, what would go out, who wrote it, photos of both.

    `more`: how many further messages the citizen wrote. `is_own`: whoever looks wrote it, and cannot approve it.
    """

    ticket: Ticket
    agency: str | None
    said: Message | None = None
    draft: Message | None = None
    author: str | None = None
    more: int = 0
    is_own: bool = False
    before: list[Attachment] = field(default_factory=list)
    after: list[Attachment] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What became of one of several: `refusal` says why it was not approved."""

    ticket_id: int
    code: str
    refusal: NotAllowed | None = None


_CHANGED = NotAllowed("changed", "Phản ánh vừa có thay đổi. Anh/Chị đọc lại rồi duyệt.")
_GONE = NotAllowed("gone", "Phản ánh không còn chờ duyệt.")
_INCOMPLETE = NotAllowed("incomplete", "Còn thiếu thông tin nên chưa gửi được. Anh/Chị mở phản ánh để xem.")


def may_approve(official: Official) -> bool:
    """Whether results wait for this official at all."""
    return official.has(*LEADERS)


def count(runtime: Runtime, official: Official) -> int:
    """How many wait. What is sealed is approved on its own page and counted nowhere."""
    with runtime.database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Ticket).where(*_wait_for(official))) or 0


def waiting(runtime: Runtime, official: Official) -> tuple[list[Waiting], int]:
    """The results that wait, the most pressing first, as many as one page holds; and how many there are. Forbidden."""
    if not may_approve(official):
        raise Forbidden
    query = (
        sa.select(Ticket, Agency.name, sa.func.count().over())
        .outerjoin(Agency, Agency.id == Ticket.agency_id)
        .where(*_wait_for(official))
        .order_by(Ticket.due_at.asc().nulls_last(), Ticket.id)
        .limit(SHOWN_AT_MOST)
    )
    with runtime.database.reading() as session:
        rows = session.execute(query).all()
        cards = {ticket.id: Waiting(ticket, agency) for ticket, agency, _ in rows}
        if cards:
            _add_words(session, official, cards)
    return list(cards.values()), rows[0][2] if rows else 0


def approve_all(runtime: Runtime, official: Official, chosen: Sequence[tuple[int, int]]) -> list[Outcome]:
    """Approve each of these (number and version as seen), each for itself: one that is refused holds up no other."""
    if not may_approve(official):
        raise Forbidden
    codes = _codes(runtime, official, [number for number, _ in chosen])
    return [_approve(runtime, official, number, version, codes.get(number, "")) for number, version in chosen]


def send_back(runtime: Runtime, official: Official, ticket_id: int, *, version: int, words: str) -> None:
    """The result goes back to whoever works on it, with what is to be changed. NotAllowed, Changed, NotFound."""
    if not may_approve(official):
        raise Forbidden
    given = Given(words=words)
    tickets.change_state(
        runtime, official, ticket_id, version=version, target=TicketState.IN_PROGRESS, given=given
    )  # fmt: skip


def _wait_for(official: Official) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        seen_by(official),
        Ticket.state == TicketState.WAITING_APPROVAL,
        Ticket.is_sealed.is_(False),
        Ticket.is_spam.is_(False),
    )


def _codes(runtime: Runtime, official: Official, numbers: list[int]) -> dict[int, str]:
    query = sa.select(Ticket.id, Ticket.code).where(
        seen_by(official), Ticket.is_sealed.is_(False), Ticket.id.in_(numbers)
    )
    with runtime.database.reading() as session:
        return dict(session.execute(query).tuples().all())


def _approve(runtime: Runtime, official: Official, number: int, version: int, code: str) -> Outcome:
    if not code:
        return Outcome(number, code, _GONE)
    try:
        replies.approve(runtime, official, number, version=version)
    except NotAllowed as refusal:
        return Outcome(number, code, refusal)
    except Changed:
        return Outcome(number, code, _CHANGED)
    except EmptyVariable:
        return Outcome(number, code, _INCOMPLETE)
    except (NotFound, Forbidden):
        return Outcome(number, code, _GONE)
    return Outcome(number, code)


def _add_words(session: Session, official: Official, cards: dict[int, Waiting]) -> None:
    rows = session.execute(
        sa.select(Message, Official.name, Attachment)
        .outerjoin(Official, Official.id == Message.author_id)
        .outerjoin(
            Attachment,
            sa.and_(
                Attachment.message_id == Message.id,
                Attachment.state == AttachmentState.STORED,
                Attachment.mime.like("image/%"),
            ),
        )
        .where(
            Message.ticket_id.in_(cards),
            sa.or_(Message.direction == Direction.IN, Message.template == "result_draft"),
        )
        .order_by(Message.occurred_at, Message.id, Attachment.position, Attachment.id)
    )
    heard: set[int] = set()
    for message, author, photo in rows:
        card = cards[message.ticket_id or 0]
        is_first = message.id not in heard
        heard.add(message.id)
        if message.direction is Direction.OUT:
            if card.draft is not message:  # the latest counts
                card.draft, card.author, card.after = message, author, []
                card.is_own = message.author_id == official.id
            card.after += [photo] if photo is not None else []
            continue
        if is_first and card.said is None and message.text:
            card.said = message
        elif is_first and message.text:
            card.more += 1
        if photo is not None and len(card.before) < MOST_PHOTOS:
            card.before.append(photo)
