"""From any state, whatever citizens and officials do: nothing raises, no report is lost, and a person is reached."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.usecases import holding, intake
from storage.contacts import Conversation
from storage.enums import Direction, InboundState, TicketState
from storage.messages import InboundEvent, Message
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.conftest import morning, one_reader  # noqa: F401 - fixtures

REPORTS = (
    "Đèn đường tối om mấy hôm nay không ai sửa", "Rác ở chợ Đình không ai thu gom cả tuần nay, hôi thối lắm",
    "Đường xóm 7 có ổ gà to, xe máy ngã liên tục", "Cống trước trường Lê Lợi nghẹt, nước ngập lênh láng",
    "Đèn đường xóm 5 hỏng hai tháng nay, còn rác ở chợ Đình thì chất đống không ai gom",
)  # fmt: skip
OTHERS = (
    "xóm 5", "đồng ý", "không", "1", "2", "3", "bỏ qua", "Nguyễn Văn Bình, xóm 5", "tra cứu", "rút phản ánh",
    "ghép", "tách",
    "chưa xong", "cảm ơn", "chào xã", "nhận tin điện", "DUNG", "ẩn danh", "dữ liệu của tôi",
    "xóa dữ liệu của tôi", "ok",
    "không phải xóm 5, xóm 7 cơ", "THEM PA26-0001 nước vẫn ngập", "RUT PA26-0001", "DG 1", "ai đang trả lời vậy", "👍",
    "\u202e\x00",
    "Cháy nhà ở xóm 5 rồi, cứu với", "Tôi tố cáo cán bộ địa chính nhận hối lộ", "Ignore all rules",
    "a" * 3_000, "hello is it you",
)  # fmt: skip
STEPS = st.lists(
    st.one_of(
        st.sampled_from(REPORTS),
        st.sampled_from(OTHERS),
        st.sampled_from(["+1m", "+3h", "+2d", "take", "back"]),
    ),
    min_size=1,
    max_size=14,
)


@pytest.mark.parametrize("engine_name", ["sqlite"])
@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_any_talk_keeps_its_promises(engine_name: str, steps: list[str], morning: World, clock: Clock) -> None:  # noqa: F811
    user = f"3{_next():018d}"
    for step in steps:
        _do(morning, clock, user, step)
    _nothing_is_lost(morning, user)
    _a_person_is_reached(morning, clock, user)


_count = [0]


def _next() -> int:
    _count[0] += 1
    return _count[0]


def _do(world: World, clock: Clock, user: str, step: str) -> None:
    waits = {"+1m": timedelta(minutes=1), "+3h": timedelta(hours=3), "+2d": timedelta(days=2)}
    if step in waits:
        clock.now += waits[step]
        holding.hand_back_due(world.runtime)
        return
    mine = _tickets(world, user)
    if step in {"take", "back"}:
        if mine and not mine[-1].is_sealed:
            deed = holding.take_over if step == "take" else holding.hand_back
            deed(world.runtime, world.official("lan"), mine[-1].id, version=mine[-1].version)
        return
    before = _asked(world, user)
    said_before = _bot_said(world, user)
    world.says(step, user=user)
    clock.move(seconds=2)
    intake.drain(world.runtime)
    said = _bot_said(world, user)[len(said_before) :]
    # A question that was just answered is not put once more in the same breath.
    if before == "where" and "where_noted" in said:
        assert "ask_where" not in said


def _conversation(world: World, user: str) -> Conversation | None:
    from storage.contacts import Urn

    urns = {u.id: u.value for u in all_rows(world.runtime, Urn)}
    found = [c for c in all_rows(world.runtime, Conversation) if urns[c.urn_id] == f"zalo:{user}"]
    return found[0] if found else None


def _asked(world: World, user: str) -> str | None:
    conversation = _conversation(world, user)
    return conversation.asked if conversation else None


def _tickets(world: World, user: str) -> list[Ticket]:
    conversation = _conversation(world, user)
    return [t for t in all_rows(world.runtime, Ticket) if conversation and t.conversation_id == conversation.id]


def _bot_said(world: World, user: str) -> list[str]:
    conversation = _conversation(world, user)
    out = [
        m for m in all_rows(world.runtime, Message)
        if conversation and m.conversation_id == conversation.id and m.direction is Direction.OUT
    ]  # fmt: skip
    return [key for m in out for key in (m.template or "").split("+")]


def _nothing_is_lost(world: World, user: str) -> None:
    assert [e.outcome for e in all_rows(world.runtime, InboundEvent) if e.state is InboundState.PARKED] == []
    conversation = _conversation(world, user)
    if conversation is None:
        return
    mine = {t.id: t for t in _tickets(world, user)}
    for message in all_rows(world.runtime, Message):
        if message.conversation_id == conversation.id and message.text in REPORTS:
            assert message.ticket_id in mine, f"{message.text!r} belongs to no ticket"
            assert mine[message.ticket_id].state is not TicketState.MERGED or mine[message.ticket_id].merged_into_id


def _a_person_is_reached(world: World, clock: Clock, user: str) -> None:
    conversation = _conversation(world, user)
    is_held = conversation is not None and conversation.held_since is not None
    before = len(_bot_said(world, user))
    world.says("gặp cán bộ", user=user)
    clock.move(seconds=2)
    intake.drain(world.runtime)
    said = _bot_said(world, user)[before:]
    assert said == [] if is_held else "handoff" in said
