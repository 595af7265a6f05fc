"""Practice: a guided shift of five minutes in the rehearsal commune, on invented reports, checked by what was done.

Invented citizens write on the rehearsal commune's own page, so nothing leaves this installation. What is ticked off
is what history tells, not what somebody says they did.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.web_form import WebForm, visitor_of
from bot.access import Forbidden, may_direct
from bot.runtime import Runtime
from bot.usecases.problems import Problem
from bot.usecases.web_form import Page, Written, new_link, write
from storage.channels import Channel
from storage.communes import Commune
from storage.contacts import Conversation, Urn
from storage.enums import EventKind, TicketState
from storage.officials import Official
from storage.practices import Practice
from storage.tickets import Ticket, TicketEvent

log = structlog.get_logger()

UNDERSTOOD = "understood"
Check = Callable[[list[TicketEvent]], bool]


class PracticeProblem(Problem):
    """Why there is no practice here just now."""


@dataclass(frozen=True)
class Task:
    """One thing to do: what the invented citizen writes, and how history shows that it was done."""

    key: str
    said: str
    is_done: Check


@dataclass(frozen=True)
class Step:
    """A task of a shift as it stands. `ticket`: None while it is being read, or where it is sealed."""

    key: str
    ticket: Ticket | None
    is_done: bool
    is_sealed: bool = False


@dataclass(frozen=True)
class Shift:
    """A shift under way: its tasks, since when, and whether there is a commune to practise in."""

    is_here: bool
    may_practise: bool
    begun_at: datetime | None = None
    steps: tuple[Step, ...] = ()

    @property
    def done(self) -> int:
        """How many tasks are done."""
        return sum(step.is_done for step in self.steps)


def _has(*kinds: EventKind) -> Check:
    return lambda events: any(event.kind in kinds for event in events)


def _moved_to(*states: TicketState) -> Check:
    wanted = {state.value for state in states}
    return lambda events: any(
        event.kind is EventKind.STATE_CHANGED and event.data.get("to") in wanted for event in events
    )


def _confirmed(events: list[TicketEvent]) -> bool:
    return any(e.kind is EventKind.TOPIC_CHANGED and e.data.get("from") == e.data.get("to") for e in events)


def _corrected(events: list[TicketEvent]) -> bool:
    return any(e.kind is EventKind.TOPIC_CHANGED and e.data.get("from") != e.data.get("to") for e in events)


TASKS = (
    Task("confirm", "duong vao xom 5 o ga nhieu qua, xe may nga may lan roi", _confirmed),
    Task("correct", "Loa phát thanh ở Xóm 3 sáng nào cũng kêu to quá, cháu nhỏ không ngủ được", _corrected),
    Task("assign", "Đèn đường Xóm 2 hỏng cả tuần nay, tối om", _has(EventKind.ASSIGNED)),
    Task("ask", "Rác nhiều quá mấy hôm nay không ai dọn", _moved_to(TicketState.WAITING_CITIZEN)),
    Task("answer", "Nước máy ở Xóm 7 yếu mấy hôm nay, nhờ xem giúp",
         _moved_to(TicketState.ANSWERED, TicketState.WAITING_APPROVAL)),
    Task("undo", "Cống ở Chợ Đình bị tắc, nước đen tràn ra đường", _has(EventKind.UNDONE)),
    Task("emergency", "Cháy nhà ở Chợ Đình, lửa lớn lắm!",
         _has(EventKind.STATE_CHANGED, EventKind.NOTED, EventKind.REPLIED, EventKind.ASSIGNED)),
    Task("sealed", "Tôi tố cáo cán bộ địa chính nhận tiền của dân khi làm sổ đỏ", lambda _events: False),
)  # fmt: skip


def shift_of(runtime: Runtime, official: Official) -> Shift:
    """How far the official's shift has come; without tasks when none was begun."""
    with runtime.database.reading() as session:
        commune = session.get_one(Commune, official.commune_id)
        if not commune.is_demo or not may_direct(official):
            return Shift(commune.is_demo, may_direct(official))
        practice = _running(session, official)
        if practice is None:
            return Shift(is_here=True, may_practise=True)
        steps = tuple(_step(session, official, practice, task) for task in TASKS)
    return Shift(is_here=True, may_practise=True, begun_at=practice.begun_at, steps=steps)


def begin(runtime: Runtime, official: Official) -> None:
    """Begin a shift anew: invented citizens write, and the former shift is over. PracticeProblem, Forbidden."""
    if not may_direct(official):
        raise Forbidden
    with runtime.database.reading() as session:
        commune = session.get_one(Commune, official.commune_id)
        channel = session.scalar(
            sa.select(Channel)
            .where(Channel.commune_id == commune.id, Channel.type == WebForm.type, Channel.is_active)
            .order_by(Channel.id)
            .limit(1)
        )
    if not commune.is_demo or channel is None:
        raise PracticeProblem("Chỉ tập dượt được ở địa phương tập dượt, có trang phản ánh đang mở.")
    links = {task.key: new_link() for task in TASKS}
    with runtime.database.transaction() as session:
        former = _running(session, official)
        if former is not None:
            former.ended_at = runtime.now()
        session.add(
            Practice(commune_id=commune.id, official_id=official.id, begun_at=runtime.now(), links=links)
        )  # fmt: skip
    for task in TASKS:
        # Each invented citizen comes from a network of their own.
        where = f"practice:{links[task.key]}"
        write(
            runtime,
            Page(channel, commune),
            links[task.key],
            Written(secrets.token_urlsafe(12), task.said),
            address=where,
        )
    log.info("practice.begun", official_id=official.id)


def understand(runtime: Runtime, official: Official) -> None:
    """The official has read what sealing means; counts once the sealed report of this shift is there."""
    with runtime.database.transaction() as session:
        practice = _running(session, official)
        if practice is not None and _sealed(session, practice):
            practice.links = {**practice.links, UNDERSTOOD: "1"}


def end(runtime: Runtime, official: Official) -> None:
    """The shift is over."""
    with runtime.database.transaction() as session:
        practice = _running(session, official)
        if practice is not None:
            practice.ended_at = runtime.now()


def _step(session: Session, official: Official, practice: Practice, task: Task) -> Step:
    if task.key == "sealed":
        is_there = _sealed(session, practice)
        return Step(task.key, None, is_there and UNDERSTOOD in practice.links, is_there)
    ticket = _ticket(session, practice, task.key)
    if ticket is None or ticket.is_sealed:
        return Step(task.key, None, is_done=False)
    events = session.scalars(
        sa.select(TicketEvent)
        .where(TicketEvent.ticket_id == ticket.id, TicketEvent.official_id == official.id)
        .order_by(TicketEvent.id)
    )
    return Step(task.key, ticket, task.is_done(list(events)))


def _sealed(session: Session, practice: Practice) -> bool:
    ticket = _ticket(session, practice, "sealed")
    return ticket is not None and ticket.is_sealed


def _ticket(session: Session, practice: Practice, key: str) -> Ticket | None:
    address = f"web:{visitor_of(str(practice.links[key]))}"
    return session.scalar(
        sa.select(Ticket)
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .join(Urn, Urn.id == Conversation.urn_id)
        .where(Ticket.commune_id == practice.commune_id, Urn.value == address)
        .order_by(Ticket.id)
        .limit(1)
    )


def _running(session: Session, official: Official) -> Practice | None:
    return session.scalar(
        sa.select(Practice)
        .where(Practice.official_id == official.id, Practice.ended_at.is_(None))
        .order_by(Practice.id.desc())
        .limit(1)
    )
