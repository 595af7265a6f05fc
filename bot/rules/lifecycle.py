"""The life of a ticket as one pure state machine (domain §7): which moves there are, who may, what they need."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from storage.enums import Role, TicketState

S = TicketState

# Who keeps the sealed queue is the desk of it; `access.roles_on` says which roles count on which ticket.
DESK = frozenset({Role.RECEIVER, Role.LEADER, Role.SEALED_READER})
WORKERS = DESK | {Role.HANDLER}
LEADERS = frozenset({Role.LEADER})

SHORTEST_REASON, LONGEST_WORDS = 10, 2_000


class Need(StrEnum):
    """What must come with a move."""

    REASON = "reason"
    QUESTION = "question"
    BODY = "body"
    DATE = "date"
    AGENCY = "agency"
    TARGET = "target"


@dataclass(frozen=True)
class Move:
    """One allowed step: from where, to where, by whom, and what must come with it."""

    source: TicketState
    target: TicketState
    roles: frozenset[Role]
    needs: tuple[Need, ...] = ()


@dataclass(frozen=True)
class Given:
    """What an official gives with a step: a reason or a question in words, a body, a date, an agency, a ticket."""

    words: str = ""
    body: str = ""
    by_date: date | None = None
    agency_id: int | None = None
    target_code: str = ""


class NotAllowed(Exception):
    """The step is refused; `sentence` with its `values` says why and what to do, in Vietnamese."""

    def __init__(self, code: str, sentence: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.sentence = sentence
        self.values = values


@dataclass(frozen=True)
class _Table:
    moves: dict[tuple[TicketState, TicketState], Move] = field(default_factory=dict)

    def allow(self, source: TicketState, target: TicketState, roles: frozenset[Role], *needs: Need) -> None:
        self.moves[source, target] = Move(source, target, roles, needs)


def _moves() -> dict[tuple[TicketState, TicketState], Move]:
    table = _Table()
    allow = table.allow
    allow(S.NEW, S.RECEIVED, DESK)
    allow(S.NEW, S.DECLINED, LEADERS, Need.REASON)
    allow(S.NEW, S.MERGED, DESK, Need.TARGET)
    allow(S.RECEIVED, S.WAITING_CITIZEN, DESK, Need.QUESTION)
    allow(S.RECEIVED, S.ASSIGNED, DESK, Need.AGENCY)
    allow(S.RECEIVED, S.FORWARDED, DESK, Need.BODY, Need.DATE)
    allow(S.RECEIVED, S.DECLINED, LEADERS, Need.REASON)
    allow(S.RECEIVED, S.MERGED, DESK, Need.TARGET)
    allow(S.RECEIVED, S.WITHDRAWN, DESK)
    allow(S.RECEIVED, S.WAITING_APPROVAL, WORKERS)  # simple answers
    allow(S.WAITING_CITIZEN, S.RECEIVED, WORKERS)
    allow(S.WAITING_CITIZEN, S.CLOSED, DESK)
    allow(S.ASSIGNED, S.IN_PROGRESS, WORKERS)
    allow(S.ASSIGNED, S.RECEIVED, WORKERS, Need.REASON)
    allow(S.IN_PROGRESS, S.WAITING_APPROVAL, WORKERS)
    allow(S.IN_PROGRESS, S.WAITING_CITIZEN, WORKERS, Need.QUESTION)
    allow(S.IN_PROGRESS, S.FORWARDED, DESK, Need.BODY, Need.DATE)
    allow(S.IN_PROGRESS, S.ASSIGNED, DESK, Need.AGENCY)
    allow(S.WAITING_APPROVAL, S.ANSWERED, LEADERS)
    allow(S.WAITING_APPROVAL, S.IN_PROGRESS, LEADERS, Need.REASON)
    allow(S.ANSWERED, S.CLOSED, DESK)
    allow(S.ANSWERED, S.REOPENED, DESK, Need.REASON)
    allow(S.CLOSED, S.REOPENED, DESK, Need.REASON)  # at the reporter's wish
    allow(S.REOPENED, S.IN_PROGRESS, WORKERS)
    # §7 names no way out of "forwarded", yet §5 keeps such a ticket ours until the other body's answer is passed on.
    allow(S.FORWARDED, S.IN_PROGRESS, DESK)
    return table.moves


MOVES = _moves()
WITH_REPLY = frozenset({S.ANSWERED, S.WAITING_APPROVAL})  # reached by sending the result, not by a mere change

# The steps that sending a result takes on the way, before the look of a second person.
_ON_THE_WAY: dict[TicketState, tuple[TicketState, ...]] = {
    S.NEW: (S.RECEIVED,),
    S.RECEIVED: (),
    S.WAITING_CITIZEN: (S.RECEIVED,),
    S.ASSIGNED: (S.IN_PROGRESS,),
    S.IN_PROGRESS: (),
    S.REOPENED: (S.IN_PROGRESS,),
    S.FORWARDED: (S.IN_PROGRESS,),
}


def moves_from(state: TicketState, roles: Set[Role]) -> list[Move]:
    """The steps a holder of these roles may take now, in the order of the table."""
    return [move for move in MOVES.values() if move.source is state and move.roles & roles]


def check(state: TicketState, target: TicketState, roles: Set[Role], given: Given) -> Move:
    """The move, if it exists, the official may take it and everything it needs is there; NotAllowed otherwise."""
    move = MOVES.get((state, target))
    if move is None:
        raise NotAllowed(
            "no_such_move", "Phản ánh đang ở trạng thái khác nên không chuyển được. Anh/Chị vui lòng tải lại trang."
        )
    if not move.roles & roles:
        raise NotAllowed("not_yours", "Tài khoản của Anh/Chị không được phép thực hiện bước này.")
    for need in move.needs:
        _demand(need, given)
    return move


def _demand(need: Need, given: Given) -> None:
    words = " ".join(given.words.split())
    if need is Need.REASON and not SHORTEST_REASON <= len(words) <= LONGEST_WORDS:
        raise NotAllowed(
            "needs_reason",
            "Cần nêu lý do từ %(least)s đến %(most)s ký tự.",
            least=SHORTEST_REASON,
            most=LONGEST_WORDS,
        )
    if need is Need.QUESTION and not 0 < len(words) <= LONGEST_WORDS:
        raise NotAllowed(
            "needs_question", "Cần ghi rõ ông/bà phải bổ sung điều gì, tối đa %(most)s ký tự.", most=LONGEST_WORDS
        )
    if need is Need.BODY and not given.body.strip():
        raise NotAllowed("needs_body", "Cần ghi tên cơ quan nhận phản ánh.")
    if need is Need.DATE and given.by_date is None:
        raise NotAllowed("needs_date", "Cần ghi ngày dự kiến có kết quả.")
    if need is Need.AGENCY and given.agency_id is None:
        raise NotAllowed("needs_agency", "Cần chọn đơn vị xử lý.")
    if need is Need.TARGET and not given.target_code.strip():
        raise NotAllowed("needs_target", "Cần ghi mã của phản ánh được ghép vào.")


def result_path(state: TicketState, roles: Set[Role], *, needs_approval: bool) -> tuple[TicketState, ...]:
    """The states a ticket passes when its result is sent, ending with the one it stays in. NotAllowed when it cannot.

    Where a second person must look, the result waits for a leader; a leader's own result needs nobody else.
    """
    if not WORKERS & roles:
        raise NotAllowed("not_yours", "Tài khoản của Anh/Chị không được phép thực hiện bước này.")
    if state not in _ON_THE_WAY:
        raise NotAllowed(
            "not_answerable", "Phản ánh đã có kết quả, đang chờ duyệt hoặc đã kết thúc. Anh/Chị vui lòng tải lại trang."
        )
    ends = S.WAITING_APPROVAL if needs_approval and not LEADERS & roles else S.ANSWERED
    return (*_ON_THE_WAY[state], ends)


def may_answer(state: TicketState, roles: Set[Role]) -> bool:
    """Whether the result may be sent from this state by a holder of these roles."""
    return state in _ON_THE_WAY and bool(WORKERS & roles)
