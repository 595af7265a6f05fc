"""Search index: what every ticket can be found by, kept up to date in the transaction that changes it.

A part of the index holds the ticket's code and place and the words of some of its messages; a long talk has several.
Parts are numbered by their ticket, so that the newest tickets stand last. Nothing sealed is in it: what a flush has
locked away is read back empty, and a sealed ticket has no part at all. On PostgreSQL a part is a `tsvector`, on SQLite
text that an FTS5 table (`search_words`) indexes by triggers.

The words of citizens change in a few places by statements of their own (`words_gone`): these say so by `note_messages`
and `note_contacts`. Everything else the session sees as it flushes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, BigId
from storage.contacts import Contact, Conversation, Urn
from storage.enums import Origin
from storage.messages import Message
from storage.sealing import SealingSession, leave_traces
from storage.tickets import Ticket
from storage.undo import was_meant

PARTS = 4_096  # numbers there are for the parts of one ticket
FULL = 30_000  # letters of a part; with more a new one begins
BATCH = 200  # tickets that are indexed by one question
LONGEST_WORD, LAST_PLACE = 100, 16_383
GAP = "\ue002"  # between two messages: no phrase goes over it
_SEARCHABLE, _TOUCHED = "searchable", "to_index"
_OF_MESSAGE = {"text", "ticket_id", "is_sealed", "sealed", "template"}
_OF_TICKET = {"summary", "place_text", "place_id", "is_sealed", "contact_id", "code"}


class SearchPart(Base):
    """What a ticket can be found by: `words`, of its messages from number `since` on."""

    __tablename__ = "search_parts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"), index=True)
    since: Mapped[int] = mapped_column(BigId)
    words: Mapped[str] = mapped_column(TSVECTOR().with_variant(sa.Text(), "sqlite"))


class SearchBacklog(Base):
    """Tickets of an earlier release that are not in the index yet: those with a number below `before`."""

    __tablename__ = "search_backlog"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    before: Mapped[int] = mapped_column(BigId)


@dataclass(frozen=True)
class Searchable:
    """How words become words of the index: a text, telephone numbers, and the number of a place."""

    text: Callable[[str], str]
    phones: Callable[[Iterable[str | None]], list[str]]
    place: Callable[[int], str]


@dataclass
class _Touched:
    """What changed in this transaction. `tickets`: from which message on each must be read again."""

    tickets: dict[int, int] = field(default_factory=dict)
    messages: set[int] = field(default_factory=set)
    contacts: set[int] = field(default_factory=set)

    def ticket(self, number: int | None, since: int = 0) -> None:
        if number is not None:
            self.tickets[number] = min(since, self.tickets.get(number, since))


def note_messages(session: Session, message_ids: Iterable[int]) -> None:
    """The words of these messages went by a statement."""
    _touched(session).messages.update(message_ids)
    leave_traces(session)


def note_contacts(session: Session, contact_ids: Iterable[int]) -> None:
    """The telephone number of these contacts, or which tickets are theirs, was changed by a statement."""
    _touched(session).contacts.update(contact_ids)
    leave_traces(session)


def note_tickets(session: Session, ticket_ids: Iterable[int]) -> None:
    """These tickets must be read again whole."""
    for number in ticket_ids:
        _touched(session).ticket(number)


def index_backlog(session: Session, most: int) -> int:
    """Put tickets of an earlier release into the index, the newest first; gives how many."""
    row = session.scalar(sa.select(SearchBacklog).with_for_update())
    if row is None:
        return 0
    query = sa.select(Ticket.id).where(Ticket.id < row.before).order_by(Ticket.id.desc()).limit(most)
    numbers = list(session.scalars(query))
    note_tickets(session, numbers)
    if numbers:
        row.before = numbers[-1]
    else:
        session.delete(row)
    return len(numbers)


def _touched(session: Session) -> _Touched:
    found: _Touched = session.info.setdefault(_TOUCHED, _Touched())
    return found


# ---- what changed ---------------------------------------------------------------------------------------------------


def _after_flush(session: Session, _context: object) -> None:
    for row in [*session.new, *session.dirty, *session.deleted]:
        if isinstance(row, Message):
            _see_message(session, row)
        elif isinstance(row, Ticket) and _changed(row, _OF_TICKET):
            _touched(session).ticket(row.id)
        elif isinstance(row, Contact) and _changed(row, {"phone"}):
            _touched(session).contacts.add(row.id)


def _see_message(session: Session, message: Message) -> None:
    if not _changed(message, _OF_MESSAGE):
        return
    former = sa.inspect(message).attrs.ticket_id.history.deleted
    for number in {message.ticket_id, *(former or ())}:
        _touched(session).ticket(number, message.id)


def _changed(row: Any, names: set[str]) -> bool:
    state = sa.inspect(row)
    return not state.persistent or state.key is None or bool(state.committed_state.keys() & names)


def _before_commit(session: Session) -> None:
    if session.in_nested_transaction():
        return  # what is sealed later in the same transaction must not stand in the index meanwhile
    session.flush()
    touched: _Touched | None = session.info.pop(_TOUCHED, None)
    if touched is None:
        return
    if touched.messages:
        query = sa.select(Message.ticket_id, Message.id).where(Message.id.in_(touched.messages))
        for ticket_id, number in session.execute(query):
            touched.ticket(ticket_id, number)
    if touched.contacts:
        for ticket_id in session.scalars(sa.select(Ticket.id).where(Ticket.contact_id.in_(touched.contacts))):
            touched.ticket(ticket_id)
    numbers = sorted(touched.tickets)
    for start in range(0, len(numbers), BATCH):
        _index(session, {number: touched.tickets[number] for number in numbers[start : start + BATCH]})


# ---- what is written ------------------------------------------------------------------------------------------------


def _index(session: Session, since: dict[int, int]) -> None:
    """Write the parts of these tickets anew, from the one that holds the message they are named with."""
    searchable: Searchable | None = session.info.get(_SEARCHABLE)
    if searchable is None:
        raise RuntimeError("this database was opened without knowing what words are searched for")
    heads = _heads(session, since, searchable)
    begin = _beginnings(session, {number: at for number, at in since.items() if number in heads})
    gone = [SearchPart.id.between(n * PARTS, n * PARTS + PARTS - 1) for n in since if n not in begin]
    gone += [SearchPart.id.between(part, n * PARTS + PARTS - 1) for n, (part, _) in begin.items()]
    session.connection().execute(sa.delete(SearchPart).where(sa.or_(*gone)))
    said = _said(session, {number: at for number, (_, at) in begin.items()})
    rows: list[dict[str, Any]] = []
    for number, (part, at) in begin.items():
        for offset, (first, words) in enumerate(_parts(said.get(number, []), at, searchable)):
            if part + offset < (number + 1) * PARTS:
                text = f"{heads[number]} {GAP} {words}" if words else heads[number]
                rows.append({"id": part + offset, "ticket_id": number, "since": first, "words": text})
    if rows:
        for row in rows:
            row["words"] = as_kept(row["words"], is_postgres=_is_postgres(session))
        session.connection().execute(sa.insert(SearchPart), rows)


def _heads(session: Session, numbers: Iterable[int], searchable: Searchable) -> dict[int, str]:
    """What each part of a ticket begins with; sealed ones have none. They are held until the transaction ends, so
    that two who change one ticket do not write over each other's words."""
    query = (
        sa.select(Ticket.id, Ticket.code, Ticket.summary, Ticket.place_text, Ticket.place_id, Contact.phone, Urn.value)
        .join(Contact, Contact.id == Ticket.contact_id)
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .join(Urn, Urn.id == Conversation.urn_id)
        .where(Ticket.id.in_(numbers), Ticket.is_sealed.is_(False), Ticket.sealed.is_(None))
        .order_by(Ticket.id)
        .with_for_update(of=Ticket, key_share=True)
    )
    heads = {}
    for number, code, summary, place, place_id, *phones in session.connection().execute(query):
        words = [*code.lower().split("-"), GAP, searchable.text(summary), GAP, searchable.text(place or "")]
        words += [searchable.place(place_id)] if place_id is not None else []
        words += searchable.phones(phone for phone in phones if _is_phone(phone))
        heads[number] = " ".join(words)
    return heads


def _is_phone(value: str | None) -> bool:
    digits = (value or "").removeprefix("tel:").removeprefix("+").replace(" ", "").replace(".", "").replace("-", "")
    return digits.isascii() and digits.isdecimal() and digits.startswith(("0", "84")) and 9 <= len(digits) <= 12


def _beginnings(session: Session, since: dict[int, int]) -> dict[int, tuple[int, int]]:
    """For each ticket the part to begin with, and the message that this part begins with."""
    found = {number: (number * PARTS, 0) for number in since}
    query = (
        sa.select(SearchPart.id, SearchPart.ticket_id, SearchPart.since)
        .where(SearchPart.ticket_id.in_([number for number, at in since.items() if at]))
        .order_by(SearchPart.id)
    )
    for part, number, first in session.connection().execute(query):
        if first <= since[number]:
            found[number] = (part, first)
    return found


def _said(session: Session, begin: dict[int, int]) -> dict[int, list[tuple[int, str]]]:
    """The messages of each ticket that people wrote, as they stand in the database: sealed ones are empty there."""
    if not begin:
        return {}
    whole = [number for number, at in begin.items() if not at]
    of_these: list[sa.ColumnElement[bool]] = [Message.ticket_id.in_(whole)] if whole else []
    of_these += [sa.and_(Message.ticket_id == number, Message.id >= at) for number, at in begin.items() if at]
    query = (
        sa.select(Message.ticket_id, Message.id, Message.text)
        .where(sa.or_(*of_these), *is_searched())
        .order_by(Message.ticket_id, Message.id)
    )
    found: dict[int, list[tuple[int, str]]] = {}
    for ticket_id, number, text in session.connection().execute(query):
        found.setdefault(ticket_id, []).append((number, text))
    return found


def is_searched() -> tuple[sa.ColumnElement[bool], ...]:
    """Of messages: whether somebody looks for them. What the machine says is the same everywhere."""
    return (
        Message.is_sealed.is_(False),
        Message.sealed.is_(None),
        Message.origin != Origin.BOT,
        was_meant(Message.template),
    )


def _parts(said: Sequence[tuple[int, str]], at: int, searchable: Searchable) -> list[tuple[int, str]]:
    """The words of messages in parts, each with the number of its first message; there is always one."""
    parts: list[tuple[int, list[str]]] = [(at, [])]
    size = 0
    for number, text in said:
        words = searchable.text(text)
        if size > FULL:
            parts.append((number, []))
            size = 0
        parts[-1][1].append(words)
        size += len(words)
    return [(first, f" {GAP} ".join(words)) for first, words in parts]


def as_kept(words: str, *, is_postgres: bool) -> str:
    """The words of a part as its column takes them: on PostgreSQL each with its places."""
    kept = [word[:LONGEST_WORD] for word in words.split()]
    if not is_postgres:
        return " ".join(kept)
    return " ".join(f"{word}:{min(at, LAST_PLACE)}" for at, word in enumerate(kept, 1) if word != GAP)


def _is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


sa.event.listen(SealingSession, "after_flush", _after_flush)
sa.event.listen(SealingSession, "before_commit", _before_commit)
