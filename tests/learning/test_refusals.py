"""What training refuses, and what a dry run leaves alone; none of it depends on the engine."""

from __future__ import annotations

import pytest

from bot.cli_learning import told
from bot.rules.promotion import Batch
from bot.usecases import triage
from bot.usecases.learning import Outcome, School, learn
from storage.trained import TrainedModel
from tests.builders import World, all_rows
from tests.learning.conftest import FLUMES, Report, active, now, poison, set_topics


@pytest.fixture
def engine_name() -> str:
    """Which corrections are refused is decided without a database."""
    return "sqlite"


@pytest.mark.slow
def test_a_poisoned_batch_is_left_out_by_name(world: World, reported: Report, school: School) -> None:
    set_topics(world, "lan", reported(FLUMES[::4]), "nong-nghiep")
    first = learn(world.runtime, school=school)
    assert first.state == "promoted"
    set_topics(world, "tuan", reported(poison()), "dien")
    outcome = learn(world.runtime, school=school)
    assert outcome.state == "refused"
    (batch,) = outcome.batches
    assert (batch.official_id, batch.kind) == (world.officials["tuan"], "topic")
    assert batch.contradicting > 0.3 * batch.of
    assert active(world) == [first.model.version if first.model else ""]
    lines = "\n".join(told(world.runtime, outcome))
    assert "Phạm Anh Tuấn (tuan)" in lines
    assert "nothing was changed" in lines


def test_a_batch_of_one_label_is_said_of_nobody(world: World) -> None:
    (line, *_) = told(world.runtime, Outcome("refused", batches=(Batch(None, "topic", "dien", 12, 20),)))
    assert line.startswith('left out: corrections of topic "dien", whoever gave them: 12 of 20 contradict')


@pytest.mark.slow
def test_poison_alone_changes_nothing(world: World, reported: Report, school: School) -> None:
    before = [r.to_json() for r in now(world)]
    set_topics(world, "lan", reported(poison()), "dien")
    outcome = learn(world.runtime, school=school)
    assert outcome.state == "refused"
    assert active(world) == []
    assert [r.to_json() for r in now(world)] == before
    learn(world.runtime, school=school)
    assert [m.promoted_at for m in all_rows(world.runtime, TrainedModel)] == [None]


@pytest.mark.slow
def test_real_reports_called_spam_are_refused(world: World, reported: Report, school: School) -> None:
    lan = world.official("lan")
    for ticket in reported(FLUMES[:60]):
        triage.mark_spam(world.runtime, lan, ticket.id, version=ticket.version)
    outcome = learn(world.runtime, school=school)
    assert outcome.state == "refused"
    assert [(b.official_id, b.kind) for b in outcome.batches] == [(lan.id, "spam")]


@pytest.mark.slow
def test_a_dry_run_changes_nothing(world: World, reported: Report, school: School) -> None:
    set_topics(world, "lan", reported(FLUMES[:30]), "nong-nghiep")
    outcome = learn(world.runtime, is_dry=True, school=school)
    assert outcome.state == "passed"
    assert outcome.model is not None
    assert all_rows(world.runtime, TrainedModel) == []
