"""The life of a ticket: every state is reachable, and nothing moves outside the table."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.lifecycle import (
    LEADERS,
    MOVES,
    WORKERS,
    Given,
    Need,
    NotAllowed,
    check,
    may_answer,
    moves_from,
    result_path,
)
from storage.enums import Role, TicketState

S = TicketState
FULL = Given(
    words="một lý do đủ dài để đọc", body="Sở Xây dựng", by_date=date(2026, 12, 1), agency_id=1, target_code="PA26-0001"
)
EVERYBODY = frozenset(Role)

# Domain §7, word for word; the last line is ours: what was forwarded comes back with the other body's answer.
DOMAIN = """
moi→da_tiep_nhan|khong_tiep_nhan|trung_lap
da_tiep_nhan→cho_bo_sung|da_chuyen|chuyen_cap_tren|khong_tiep_nhan|trung_lap|rut|cho_duyet
cho_bo_sung→da_tiep_nhan|da_dong
da_chuyen→dang_xu_ly|da_tiep_nhan
dang_xu_ly→cho_duyet|cho_bo_sung|chuyen_cap_tren|da_chuyen
cho_duyet→da_tra_loi|dang_xu_ly
da_tra_loi→da_dong|mo_lai
da_dong→mo_lai
mo_lai→dang_xu_ly
chuyen_cap_tren→dang_xu_ly
"""


def test_the_table_is_the_domains() -> None:
    told = {
        (S(source), S(target))
        for source, targets in (line.split("→") for line in DOMAIN.split())
        for target in targets.split("|")
    }
    assert set(MOVES) == told


def test_every_state_is_reached_from_a_new_ticket() -> None:
    reached = {S.NEW}
    while True:
        further = {target for source, target in MOVES if source in reached} - reached
        if not further:
            break
        reached |= further
    assert reached == set(S)


def test_every_open_state_has_a_way_to_an_end() -> None:
    for state in S:
        seen, edge = {state}, {state}
        while edge and all(s.is_open for s in seen):
            edge = {t for s, t in MOVES if s in edge} - seen
            seen |= edge
        assert any(not s.is_open for s in seen), state


@given(st.sampled_from(S), st.sampled_from(S), st.sets(st.sampled_from(Role)))
def test_a_move_outside_the_table_or_the_roles_is_refused(source: S, target: S, roles: set[Role]) -> None:
    move = MOVES.get((source, target))
    if move is not None and move.roles & roles:
        assert check(source, target, roles, FULL) is move
        assert move in moves_from(source, roles)
        return
    with pytest.raises(NotAllowed):
        check(source, target, roles, FULL)
    assert all(m.target is not target for m in moves_from(source, roles))


@given(st.lists(st.tuples(st.sampled_from(S), st.sets(st.sampled_from(Role), min_size=1)), max_size=30))
def test_whatever_officials_try_a_ticket_only_walks_along_the_table(tries: list[tuple[S, set[Role]]]) -> None:
    state = S.NEW
    for target, roles in tries:
        try:
            check(state, target, roles, FULL)
        except NotAllowed:
            continue
        assert (state, target) in MOVES
        state = target


@pytest.mark.parametrize(
    ("need", "lacking", "code"),
    [
        (Need.REASON, Given(words="ngắn"), "needs_reason"),
        (Need.REASON, Given(words="x" * 2_001), "needs_reason"),
        (Need.REASON, Given(words="   \n  " * 20), "needs_reason"),
        (Need.QUESTION, Given(words=" "), "needs_question"),
        (Need.BODY, Given(by_date=date(2026, 12, 1)), "needs_body"),
        (Need.DATE, Given(body="Sở Y tế"), "needs_date"),
        (Need.AGENCY, Given(), "needs_agency"),
        (Need.TARGET, Given(), "needs_target"),
    ],
)
def test_what_a_move_needs_must_come_with_it(need: Need, lacking: Given, code: str) -> None:
    moves = [move for move in MOVES.values() if need in move.needs]
    assert moves
    for move in moves:
        with pytest.raises(NotAllowed) as refusal:
            check(move.source, move.target, EVERYBODY, lacking)
        assert refusal.value.code == code


@pytest.mark.parametrize("length", [10, 2_000])
def test_a_reason_of_the_shortest_and_the_longest_length_is_taken(length: int) -> None:
    check(S.NEW, S.DECLINED, LEADERS, Given(words="x" * length))


def test_only_a_leader_declines() -> None:
    declining = [move for move in MOVES.values() if move.target is S.DECLINED]
    assert {move.roles for move in declining} == {LEADERS}


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("needs_approval", [True, False])
@pytest.mark.parametrize("role", sorted(WORKERS))
def test_a_result_takes_only_steps_of_the_table(state: S, needs_approval: bool, role: Role) -> None:
    if not may_answer(state, {role}):
        with pytest.raises(NotAllowed):
            result_path(state, {role}, needs_approval=needs_approval)
        return
    path = result_path(state, {role}, needs_approval=needs_approval)
    waits = needs_approval and role is not Role.LEADER
    assert path[-1] is (S.WAITING_APPROVAL if waits else S.ANSWERED)
    # Where nobody else must look, submitting and approving are one step.
    steps = [state, *path[:-1], S.WAITING_APPROVAL, *([] if waits else [S.ANSWERED])]
    assert all(pair in MOVES for pair in pairwise(steps))


def test_nobody_answers_what_is_answered_closed_or_waits_for_a_leader() -> None:
    ended = {S.ANSWERED, S.CLOSED, S.DECLINED, S.MERGED, S.WITHDRAWN, S.WAITING_APPROVAL}
    assert {s for s in S if not may_answer(s, EVERYBODY)} == ended
