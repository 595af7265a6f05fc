"""The chain of digests: grown over the history of tickets, the audit and what was sent; checked link by link.

Whoever changes, removes or slips in a row behind it breaks it, unless they have this installation's key; and whoever
has the key cannot make an earlier anchor true again that somebody wrote down. What a citizen had erased stays provable:
its words are gone, and the audit must say so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.rules import history
from bot.runtime import Runtime
from bot.usecases.erased import EXPIRY, MARKS
from storage.audit import AuditEntry
from storage.chain import ChainLink
from storage.contacts import Conversation, Urn
from storage.database import advisory_lock
from storage.deliveries import Attempt, Delivery
from storage.enums import EventKind
from storage.links import Link
from storage.messages import Message
from storage.sealing import Look, open_words
from storage.tickets import Ticket, TicketEvent

ROWS_A_LINK = 200
LINKS_AT_ONCE = 50
SETTLED = timedelta(seconds=60)  # a transaction that began before and ends later than this would look slipped in
NEVER_ENDED = timedelta(days=1)
SHORT = 32  # hexadecimal digits of a row's digest
ERASURE = "contact.erased"


@dataclass(frozen=True)
class Fact:
    """A row as the chain sees it: what stays, what may lawfully be erased, when it was settled (None: not yet).

    `is_shut`: its words are sealed with a key that this machine does not have.
    """

    id: int
    stays: str
    words: str | None
    settled_at: datetime | None
    is_shut: bool = False


@dataclass
class Verdict:
    """What checking the chain found; `problems` say what is wrong, in order."""

    links: int = 0
    rows: int = 0
    erased: int = 0
    shut: int = 0
    waiting: int = 0
    anchor: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether nothing was changed, removed or slipped in."""
        return not self.problems


def extend(runtime: Runtime) -> int:
    """Put what is settled since the last link under new ones; gives how many were made."""
    made = 0
    before = runtime.now() - SETTLED
    with runtime.database.reading() as session:
        open_words(session)  # digests are over words, however they are kept
        if not any(_new(session, source, before) for source in _SOURCES):
            return 0
    with runtime.database.transaction() as session:
        open_words(session)
        advisory_lock(session, "audit-chain")
        for source in _SOURCES:
            while made < LINKS_AT_ONCE and (facts := _new(session, source, before)):
                _link(session, runtime, source, facts)
                made += 1
    return made


def anchor(runtime: Runtime) -> str:
    """The last link as one can write it down elsewhere: "812:9f…"; "0:" before the first."""
    with runtime.database.reading() as session:
        last = _last(session)
    return _anchor(last)


def verify(runtime: Runtime, *, expect: str = "") -> Verdict:
    """Check every link and every row under it. `expect`: an anchor written down earlier, which must be in the chain."""
    verdict = Verdict()
    with runtime.database.reading() as session:
        open_words(session)
        previous, number = "", 0
        reached = dict.fromkeys(_SOURCES, 0)
        is_met = not expect
        for link in _links(session):
            number += 1
            verdict.links += 1
            if link.id != number:
                verdict.problems.append(f"link {number} is missing")
                number = link.id
            if link.previous != previous or link.digest != _digest(runtime, link):
                verdict.problems.append(f"link {link.id} does not hold what it held when it was made")
            _check_rows(session, runtime, link, reached.get(link.source, 0), verdict)
            reached[link.source] = max(reached.get(link.source, 0), link.last_id)
            previous = link.digest
            is_met = is_met or _anchor(link) == expect
            verdict.anchor = _anchor(link)
        if not is_met:
            verdict.problems.append(f"the anchor {expect} is not in the chain: it was cut off or made anew")
        _check_states(session, verdict)
        verdict.waiting = sum(_count_after(session, source, last) for source, last in reached.items())
    return verdict


def _check_rows(session: Session, runtime: Runtime, link: ChainLink, reached: int, verdict: Verdict) -> None:
    source = link.source
    if source not in _SOURCES:
        verdict.problems.append(f"link {link.id} is over an unknown table")
        return
    found = {fact.id: fact for fact in _SOURCES[source].between(session, reached, link.last_id)}
    erased: list[int] = []
    for number, stays, words in link.rows:
        fact = found.pop(number, None)
        verdict.rows += 1
        if fact is None:
            verdict.problems.append(f"{source} {number} was removed")
        elif _row_digest(runtime, _stays(fact, is_open=words == _OPEN)) != stays:
            verdict.problems.append(f"{source} {number} was changed")
        elif fact.is_shut:
            verdict.shut += 1
        elif words not in (_OPEN, _words_digest(runtime, fact.words)):
            if fact.words in MARKS:
                erased.append(number)
            else:
                verdict.problems.append(f"the words of {source} {number} were changed")
    verdict.problems += [f"{source} {number} was slipped in later" for number in found]
    verdict.erased += len(erased)
    if erased:
        unlawful = sorted(set(erased) - _asked_for(session, source, erased) - _expired(session, source, erased))
        verdict.problems += [f"the words of {source} {n} are gone, but nobody asked for it" for n in unlawful]


def _asked_for(session: Session, source: str, ids: list[int]) -> set[int]:
    """Those of the rows whose citizen has asked for erasure, as the audit tells, whoever they are linked with now."""
    of = _SOURCES[source].urns_of
    if of is None:
        return set()
    query = sa.select(AuditEntry.target).where(AuditEntry.action == ERASURE)
    contacts = {int(target.removeprefix("contact:")) for target in session.scalars(query) if target}
    urns = set(session.scalars(sa.select(Urn.id).where(Urn.contact_id.in_(contacts))))
    was_theirs = sa.or_(Link.from_contact_id.in_(contacts), Link.to_contact_id.in_(contacts))
    urns |= set(session.scalars(sa.select(Link.urn_id).where(was_theirs)))
    return {number for number, *met in session.execute(of(ids)) if urns & set(met)}


def _expired(session: Session, source: str, ids: list[int]) -> set[int]:
    """Those of the rows that the audit says were emptied because their time was over."""
    owners: dict[str, tuple[Any, Any, str]] = {
        "ticket_event": (TicketEvent, TicketEvent.ticket_id, "tickets"),
        "attempt": (Attempt, Attempt.delivery_id, "deliveries"),
    }
    if source not in owners:
        return set()
    table, belongs_to, name = owners[source]
    over: set[int] = set()
    for data in session.scalars(sa.select(AuditEntry.data).where(AuditEntry.action == EXPIRY)):
        over.update(data.get(name, ()))
    rows = session.execute(sa.select(table.id, belongs_to).where(table.id.in_(ids)))
    return {number for number, owned_by in rows if owned_by in over}


def _check_states(session: Session, verdict: Verdict) -> None:
    """Where each ticket stands must be what its history tells."""
    tells = (
        EventKind.STATE_CHANGED,
        EventKind.MERGED,
        EventKind.PARTED,
        EventKind.MARKED_SPAM,
        EventKind.RESTORED,
        EventKind.WITHDRAWN,
        EventKind.UNDONE,
    )
    after = 0
    while tickets := session.execute(
        sa.select(Ticket.id, Ticket.code, Ticket.state).where(Ticket.id > after).order_by(Ticket.id).limit(500)
    ).all():
        after = tickets[-1].id
        histories: dict[int, list[history.Fact]] = {ticket.id: [] for ticket in tickets}
        rows = session.execute(
            sa.select(TicketEvent.ticket_id, TicketEvent.kind, TicketEvent.data)
            .where(TicketEvent.ticket_id.in_(histories), TicketEvent.kind.in_(tells))
            .order_by(TicketEvent.id)
        )
        for ticket_id, kind, data in rows:
            histories[ticket_id].append((kind, data))
        for ticket in tickets:
            told = history.state_after(histories[ticket.id])
            if told is not ticket.state:
                verdict.problems.append(f"ticket {ticket.code} stands in {ticket.state}, its history says {told}")


_OPEN = "open"  # an attempt that nobody ever ended: how it began is all that is held


def _link(session: Session, runtime: Runtime, source: str, facts: list[Fact]) -> None:
    last = _last(session)
    link = ChainLink(
        id=(last.id if last else 0) + 1,
        source=source,
        first_id=facts[0].id,
        last_id=facts[-1].id,
        rows=[_entry(runtime, fact) for fact in facts],
        linked_at=runtime.now(),
        previous=last.digest if last else "",
        digest="",
    )
    link.digest = _digest(runtime, link)
    session.add(link)
    session.flush()


def _entry(runtime: Runtime, fact: Fact) -> list[Any]:
    is_open = fact.settled_at is None
    words = _OPEN if is_open else _words_digest(runtime, fact.words)
    return [fact.id, _row_digest(runtime, _stays(fact, is_open=is_open)), words]


def _stays(fact: Fact, *, is_open: bool) -> str:
    return fact.stays.partition("\n")[0] if is_open else fact.stays


def _row_digest(runtime: Runtime, content: str) -> str:
    return runtime.digest("chain-row", content)[:SHORT]


def _words_digest(runtime: Runtime, words: str | None) -> str:
    return runtime.digest("chain-words", json.dumps(words))[:SHORT]


def _digest(runtime: Runtime, link: ChainLink) -> str:
    held = [link.id, link.source, link.first_id, link.last_id, link.rows, link.linked_at.isoformat(), link.previous]
    return runtime.digest("chain", json.dumps(held))


def _last(session: Session) -> ChainLink | None:
    return session.scalar(sa.select(ChainLink).order_by(ChainLink.id.desc()).limit(1))


def _links(session: Session) -> Iterator[ChainLink]:
    after = 0
    while links := list(
        session.scalars(sa.select(ChainLink).where(ChainLink.id > after).order_by(ChainLink.id).limit(100))
    ):
        yield from links
        after = links[-1].id
        session.expunge_all()


def _anchor(link: ChainLink | None) -> str:
    return f"{link.id}:{link.digest}" if link else "0:"


def _new(session: Session, source: str, before: datetime) -> list[Fact]:
    """The next rows of a table that are settled, up to the first that is not."""
    last = session.scalar(sa.select(sa.func.max(ChainLink.last_id)).where(ChainLink.source == source)) or 0
    facts = []
    for fact in _SOURCES[source].after(session, last, ROWS_A_LINK, before - NEVER_ENDED):
        if fact.settled_at is not None and fact.settled_at > before:
            break
        facts.append(fact)
    return facts


def _count_after(session: Session, source: str, last: int) -> int:
    table = _SOURCES[source].table
    return int(session.scalar(sa.select(sa.func.count()).select_from(table).where(table.id > last)) or 0)


# ---- the tables -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Source:
    """A table under the chain. `fact`: a row as the chain sees it; `urns_of`: at whose URNs the words of rows were."""

    table: Any
    query: Callable[[], sa.Select[Any]]
    fact: Callable[[Any], Fact]
    urns_of: Callable[[list[int]], sa.Select[Any]] | None

    def between(self, session: Session, after: int, last: int) -> Iterator[Fact]:
        """The rows behind one and up to another."""
        rows = session.execute(self.query().where(self.table.id > after, self.table.id <= last).order_by(self.table.id))
        return (self.fact(row) for row in rows)

    def after(self, session: Session, last: int, limit: int, long_ago: datetime) -> Iterator[Fact]:
        """The next rows; one that was never ended counts from `long_ago` on, and nothing behind a younger one."""
        rows = session.execute(self.query().where(self.table.id > last).order_by(self.table.id).limit(limit))
        for row in rows:
            fact = self.fact(row)
            if fact.settled_at is None and row[0].started_at > long_ago:
                return
            yield fact


def _plain(*values: object) -> str:
    def shown(value: object) -> str:
        return value.isoformat() if isinstance(value, datetime) else str(value)

    return json.dumps(values, sort_keys=True, ensure_ascii=False, default=shown)


def _of_audit(row: Any) -> Fact:
    (entry,) = row
    content = _plain(
        entry.id, entry.commune_id, entry.official_id, entry.at, entry.action, entry.target, entry.address, entry.data
    )
    return Fact(entry.id, content, None, entry.at)


def _of_event(row: Any) -> Fact:
    event, has_words = row[0], row[0].kind.value == "place_changed"
    words = _plain(event.data) if has_words else event.note
    if has_words and event.data.keys() == {"to"} and event.data["to"] in MARKS:
        words = event.data["to"]
    data = None if has_words else event.data
    content = _plain(event.id, event.commune_id, event.ticket_id, event.kind.value, event.at, event.official_id, data)
    return Fact(event.id, content, words, event.at, is_shut=event.look is Look.LOST)


def _of_attempt(row: Any) -> Fact:
    attempt, delivery = row
    begun = _plain(attempt.id, attempt.commune_id, attempt.delivery_id, attempt.number, attempt.started_at)
    ended = _plain(attempt.ended_at, attempt.outcome, attempt.code)
    return Fact(attempt.id, f"{begun}\n{ended}", delivery.text, attempt.ended_at, is_shut=delivery.look is Look.LOST)


def _urns_of_events(ids: list[int]) -> sa.Select[Any]:
    return (
        sa.select(TicketEvent.id, Conversation.urn_id)
        .join(Ticket, Ticket.id == TicketEvent.ticket_id)
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .where(TicketEvent.id.in_(ids))
    )


def _urns_of_attempts(ids: list[int]) -> sa.Select[Any]:
    return (
        sa.select(Attempt.id, Delivery.urn_id, Conversation.urn_id)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .outerjoin(Message, Message.id == Delivery.message_id)
        .outerjoin(Conversation, Conversation.id == Message.conversation_id)
        .where(Attempt.id.in_(ids))
    )


_SOURCES: dict[str, _Source] = {
    "audit": _Source(AuditEntry, lambda: sa.select(AuditEntry), _of_audit, None),
    "ticket_event": _Source(TicketEvent, lambda: sa.select(TicketEvent), _of_event, _urns_of_events),
    "attempt": _Source(
        Attempt,
        lambda: sa.select(Attempt, Delivery).join(Delivery, Delivery.id == Attempt.delivery_id),
        _of_attempt,
        _urns_of_attempts,
    ),
}
