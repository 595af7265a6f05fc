"""Forgetting: what citizens took back stays in no model, and old models are let go of."""

from __future__ import annotations

import pytest

from bot.usecases import tickets, triage
from bot.usecases.forgetting import MOST_KEPT, forget
from bot.usecases.learning import School, learn
from bot.usecases.lessons import gather, taught_by
from bot.usecases.trained import NoSuchModel, list_models, rollback
from storage.audit import AuditEntry
from storage.corrections import Correction
from storage.tickets import Ticket
from storage.trained import TrainedModel
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.learning.conftest import FLUMES, Report, active, set_topics
from tests.usecases.looking import POTHOLE, take_in, the_ticket
from tests.usecases.test_citizens import does

MANY = FLUMES[:40]


def a_model(world: World, version: str, taught: dict[str, list[int]] | None = None, *, is_active: bool = False) -> None:
    now = world.clock()
    with world.runtime.database.transaction() as session:
        session.add(
            TrainedModel(
                version=version,
                created_at=now,
                promoted_at=now,
                content=b"-",
                taught=taught or {},
                is_active=is_active,
            )
        )


def files(world: World) -> list[str | None]:
    """The versions whose files are kept."""
    return [m.version for m in all_rows(world.runtime, TrainedModel) if m.content is not None]


def taught(world: World) -> dict[str, list[int]]:
    return taught_by(gather(world.runtime.database))


def message_of(world: World, ticket: Ticket) -> int:
    return next(c.message_id or 0 for c in all_rows(world.runtime, Correction) if c.ticket_id == ticket.id)


def seal(world: World, ticket: Ticket) -> None:
    now = next(one for one in all_rows(world.runtime, Ticket) if one.id == ticket.id)
    tickets.seal(world.runtime, world.official("mai"), now.id, version=now.version, reason="đây là tố cáo thật sự")


def test_when_everything_was_erased_the_model_that_ships_reads_again(world: World, clock: Clock) -> None:
    world.says(POTHOLE)
    take_in(world)
    set_topics(world, "lan", [the_ticket(world)], "cay-xanh")
    a_model(world, "knows", taught(world), is_active=True)
    assert not forget(world.runtime, has_lessons=True)
    clock.move(minutes=5)
    does(world, "user_withdraw")
    take_in(world)
    outcome = learn(world.runtime)
    assert (outcome.state, outcome.is_forgotten) == ("nothing", True)
    assert (active(world), files(world)) == ([], [])
    assert [m.taught for m in all_rows(world.runtime, TrainedModel)] == [{}]
    assert all_rows(world.runtime, AuditEntry)[-1].action == "model.forgotten"
    assert not learn(world.runtime).is_forgotten
    with pytest.raises(NoSuchModel):
        rollback(world.runtime, "knows")


def test_when_all_spam_was_restored_the_model_that_ships_reads_again(world: World, reported: Report) -> None:
    (ticket,) = reported([POTHOLE])
    lan = world.official("lan")
    triage.mark_spam(world.runtime, lan, ticket.id, version=ticket.version)
    a_model(world, "knows", taught(world), is_active=True)
    triage.restore(world.runtime, lan, ticket.id, version=the_ticket(world).version)
    assert learn(world.runtime).is_forgotten
    assert (active(world), files(world)) == ([], ["knows"])


def test_a_dry_run_forgets_nothing(world: World) -> None:
    a_model(world, "knows", {"topic:dien": [1]}, is_active=True)
    assert not learn(world.runtime, is_dry=True).is_forgotten
    assert active(world) == files(world) == ["knows"]


def test_an_earlier_model_that_knows_what_was_sealed_is_let_go_of(world: World, reported: Report) -> None:
    first, second = reported(FLUMES[:2])
    set_topics(world, "lan", [first, second], "nong-nghiep")
    a_model(world, "both", taught(world))
    a_model(world, "second", {"topic:nong-nghiep": [message_of(world, second)]}, is_active=True)
    seal(world, first)
    assert not forget(world.runtime, has_lessons=True)
    assert active(world) == files(world) == ["second"]
    assert [one.version for one in list_models(world.runtime)][:-1] == ["second"]


def test_of_what_is_not_known_what_it_was_taught_nothing_is_kept(world: World) -> None:
    a_model(world, "before", is_active=True)
    with world.runtime.database.transaction() as session:
        session.execute(TrainedModel.__table__.update().values(taught=None))  # type: ignore[attr-defined]
    assert forget(world.runtime, has_lessons=True)
    assert files(world) == []


def test_only_the_latest_models_and_the_one_in_use_are_kept(world: World) -> None:
    versions = [f"v{number}" for number in range(MOST_KEPT + 3)]
    for version in versions:
        a_model(world, version, is_active=version == "v1")
    assert not forget(world.runtime, has_lessons=True)
    assert files(world) == ["v1", *versions[-MOST_KEPT:]]
    assert active(world) == ["v1"]


@pytest.mark.slow
def test_what_was_sealed_since_is_not_in_the_next_model(world: World, reported: Report, school: School) -> None:
    found = reported(MANY)
    set_topics(world, "lan", found, "nong-nghiep")
    first = learn(world.runtime, school=school)
    assert first.state == "promoted"
    assert learn(world.runtime, school=school).state == "nothing"
    secret = next(t for t in found if not t.is_sealed)
    number = message_of(world, secret)
    assert number in first.taught["topic:nong-nghiep"]
    seal(world, secret)
    second = learn(world.runtime, school=school)
    assert (second.state, second.is_forgotten) == ("promoted", False)
    assert number not in second.taught["topic:nong-nghiep"]
    assert active(world) == files(world) == [second.model.version if second.model else ""]
