"""A practice shift: invented reports, and tasks that are done when history says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from bot.access import Forbidden
from bot.rules.lifecycle import Given
from bot.usecases import intake, practising, replies, undoing
from bot.usecases.practising import PracticeProblem
from bot.usecases.replies import Written
from bot.usecases.setup import add_channel
from bot.usecases.tickets import add_note, assign, change_state, set_topic
from nlp.topics import TOPICS
from storage.agencies import Agency
from storage.channels import Channel
from storage.communes import Commune
from storage.deliveries import Delivery
from storage.enums import TicketState
from storage.officials import Official
from storage.tickets import Ticket
from storage.undo import Undoable
from tests.builders import World, all_rows


def rehearsal(world: World) -> None:
    add_channel(
        world.runtime, commune="duc-hue", type="web_form", slug="tap-duot", name="Trang", settings={}, secrets={}
    )  # fmt: skip
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Commune).values(is_demo=True, settings={"after_photo": False}))


def test_a_shift_is_ticked_off_by_what_was_done(world: World) -> None:
    rehearsal(world)
    runtime, lan = world.runtime, world.official("lan")
    assert practising.shift_of(runtime, lan).steps == ()
    practising.begin(runtime, lan)
    practising.understand(runtime, lan)  # nothing is there yet to be understood
    intake.drain(runtime)
    steps = {step.key: step for step in practising.shift_of(runtime, lan).steps}
    assert [step.is_done for step in steps.values()] == [False] * 8
    assert steps["sealed"].is_sealed
    assert steps["sealed"].ticket is None
    agency = next(one for one in all_rows(runtime, Agency) if one.slug == "kinh-te")

    def on(key: str, deed: Callable[..., object], **what: object) -> None:
        number = steps[key].ticket.id  # type: ignore[union-attr]
        with runtime.database.reading() as session:
            version = session.get_one(Ticket, number).version
        deed(runtime, lan, number, version=version, **what)
        done = {step.key for step in practising.shift_of(runtime, lan).steps if step.is_done}
        assert key in done or key == "undo", key

    topic = {key: step.ticket.topic for key, step in steps.items() if step.ticket}
    on("confirm", set_topic, topic=topic["confirm"])
    on("correct", set_topic, topic=next(one for one in TOPICS if one != topic["correct"]))
    on("assign", assign, agency_id=agency.id, official_id=None)
    for key in ("ask", "answer", "undo"):
        number = steps[key].ticket.id  # type: ignore[union-attr]
        with runtime.database.reading() as session:
            row = session.get_one(Ticket, number)
        if row.state is TicketState.NEW:
            change_state(runtime, lan, number, version=row.version, target=TicketState.RECEIVED, given=Given())
    on("ask", change_state, target=TicketState.WAITING_CITIZEN, given=Given(words="Rác ở đoạn nào, gần nhà ai ạ?"))
    result = Written("Đã kiểm tra, thay van xong sáng nay.", is_result=True, next_step="Không còn việc gì.")
    on("answer", replies.reply, token="t" * 32, written=result)
    on("undo", replies.reply, token="u" * 32, written=Written("Xã sẽ cử người thông cống sáng mai."))
    chance = max(all_rows(runtime, Undoable), key=lambda one: one.id)
    undoing.undo(runtime, lan, steps["undo"].ticket.id, chance.id)  # type: ignore[union-attr]
    on("emergency", add_note, text="Đã gọi 114 lúc 12:00")
    practising.understand(runtime, lan)
    assert practising.shift_of(runtime, lan).done == 8

    # Nothing of it ever goes to a channel that is not the page of the rehearsal.
    page = next(one.id for one in all_rows(runtime, Channel) if one.slug == "tap-duot")
    owed = {one.channel_id for one in all_rows(runtime, Delivery)}
    assert owed == {page}
    practising.begin(runtime, lan)
    assert practising.shift_of(runtime, lan).done == 0
    practising.end(runtime, lan)
    assert practising.shift_of(runtime, lan).steps == ()


def test_there_is_no_practice_in_a_real_commune_or_for_who_does_not_direct(world: World) -> None:
    runtime = world.runtime
    with pytest.raises(PracticeProblem):
        practising.begin(runtime, world.official("lan"))
    assert not practising.shift_of(runtime, world.official("lan")).is_here
    rehearsal(world)
    with pytest.raises(Forbidden):
        practising.begin(runtime, world.official("hung"))
    assert not practising.shift_of(runtime, world.official("hung")).may_practise
    assert all_rows(runtime, Ticket) == []
    assert len(all_rows(runtime, Official)) == 6
