"""The life of a ticket as one pure state machine (domain §7): which moves there are, who may, what they need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from storage.enums import Role, TicketState

S = TicketState

DESK = frozenset({Role.RECEIVER, Role.LEADER})
WORKERS = frozenset({Role.RECEIVER, Role.HANDLER, Role.LEADER})
LEADERS = frozenset({Role.LEADER})

SHORTEST_REASON, LONGEST_REASON = 10, 2_000


@dataclass(frozen=True)
class Move:
    """One allowed step: from where, to where, by whom, and what must come with it."""

    source: TicketState
    target: TicketState
    roles: frozenset[Role]
    needs_reason: bool = False
    needs_agency: bool = False
    needs_date: bool = False


@dataclass(frozen=True)
class Given:
    """What an official gives with a step."""

    reason: str = ""
    agency_id: int | None = None
    by_date: date | None = None


class NotAllowed(Exception):
    """The step is refused; `code` for machines, `shown` in Vietnamese for the official."""

    def __init__(self, code: str, shown: str) -> None:
        super().__init__(code)
        self.code = code
        self.shown = shown


def _moves() -> dict[tuple[TicketState, TicketState], Move]:
    table = [
        Move(S.NEW, S.RECEIVED, WORKERS),
        Move(S.NEW, S.DECLINED, DESK, needs_reason=True),
        Move(S.NEW, S.MERGED, DESK),
        Move(S.RECEIVED, S.WAITING_CITIZEN, WORKERS, needs_reason=True),
        Move(S.RECEIVED, S.ASSIGNED, DESK, needs_agency=True),
        Move(S.RECEIVED, S.FORWARDED, DESK, needs_reason=True, needs_date=True),
        Move(S.RECEIVED, S.DECLINED, DESK, needs_reason=True),
        Move(S.RECEIVED, S.MERGED, DESK),
        Move(S.RECEIVED, S.WITHDRAWN, DESK),
        Move(S.RECEIVED, S.WAITING_APPROVAL, WORKERS),
        Move(S.RECEIVED, S.IN_PROGRESS, WORKERS),
        Move(S.WAITING_CITIZEN, S.RECEIVED, WORKERS),
        Move(S.WAITING_CITIZEN, S.CLOSED, DESK),
        Move(S.ASSIGNED, S.IN_PROGRESS, WORKERS),
        Move(S.ASSIGNED, S.RECEIVED, WORKERS, needs_reason=True),
        Move(S.IN_PROGRESS, S.WAITING_APPROVAL, WORKERS),
        Move(S.IN_PROGRESS, S.WAITING_CITIZEN, WORKERS, needs_reason=True),
        Move(S.IN_PROGRESS, S.FORWARDED, DESK, needs_reason=True, needs_date=True),
        Move(S.IN_PROGRESS, S.ASSIGNED, DESK, needs_agency=True),
        Move(S.WAITING_APPROVAL, S.ANSWERED, LEADERS),
        Move(S.WAITING_APPROVAL, S.IN_PROGRESS, LEADERS, needs_reason=True),
        Move(S.ANSWERED, S.CLOSED, DESK),
        Move(S.ANSWERED, S.REOPENED, DESK, needs_reason=True),
        Move(S.CLOSED, S.REOPENED, DESK, needs_reason=True),
        Move(S.REOPENED, S.IN_PROGRESS, WORKERS),
        Move(S.FORWARDED, S.IN_PROGRESS, DESK),
    ]
    return {(move.source, move.target): move for move in table}


MOVES = _moves()

# From here an answer with the result may leave where a commune asks for no second look (approval switched off).
ANSWERABLE = frozenset({S.NEW, S.RECEIVED, S.ASSIGNED, S.IN_PROGRESS, S.REOPENED, S.WAITING_CITIZEN, S.FORWARDED})


def moves_from(state: TicketState, roles: frozenset[Role]) -> list[Move]:
    """The steps a holder of these roles may take now, in the order of the table."""
    return [move for move in MOVES.values() if move.source is state and move.roles & roles]


def check(state: TicketState, target: TicketState, roles: frozenset[Role], given: Given) -> Move:
    """The move, if it exists, the official may take it and everything it needs is there; NotAllowed otherwise."""
    move = MOVES.get((state, target))
    if move is None:
        raise NotAllowed(
            "no_such_move", "Phản ánh đang ở trạng thái khác nên không chuyển được. Vui lòng tải lại trang."
        )
    if not move.roles & roles:
        raise NotAllowed("not_yours", "Tài khoản của Anh/Chị không được phép thực hiện bước này.")
    reason = " ".join(given.reason.split())
    if move.needs_reason and not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise NotAllowed(
            "needs_reason",
            f"Cần nêu lý do từ {SHORTEST_REASON} đến {LONGEST_REASON} ký tự; người dân sẽ đọc được lý do này.",
        )
    if move.needs_agency and given.agency_id is None:
        raise NotAllowed("needs_agency", "Cần chọn đơn vị xử lý.")
    if move.needs_date and given.by_date is None:
        raise NotAllowed("needs_date", "Cần ghi ngày dự kiến có kết quả.")
    return move


def may_answer(state: TicketState, roles: frozenset[Role]) -> bool:
    """Whether a holder of these roles may send the result from this state (approval switched off)."""
    return state in ANSWERABLE and bool(WORKERS & roles)
