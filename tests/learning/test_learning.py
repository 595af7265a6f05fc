"""Learning from officials: what they correct moves the reader, what contradicts the lessons does not."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from bot.cli_learning import told
from bot.current_reader import LOOK_EVERY_SECONDS, CurrentReader
from bot.usecases import tickets
from bot.usecases.learning import Overtaken, School, _promote, learn
from bot.usecases.lessons import Lesson, Word, without_rare_words
from bot.usecases.trained import NoSuchModel, list_models, rollback
from nlp.clues import Clues
from nlp.model import MODEL_FILE, Model, Verdict
from nlp.reader import ModelJudge
from storage.audit import AuditEntry
from storage.corrections import Correction
from storage.enums import CorrectionKind, Urgency
from storage.tickets import Ticket
from storage.trained import TrainedModel, activate, take_turns
from tests.builders import World, all_rows
from tests.learning.conftest import FLUMES, HOME, Report, active, now, set_topics


@pytest.fixture
def corrected(world: World, reported: Report) -> list[Ticket]:
    """Two hundred reports of broken flumes, all said by Lan to be about farming."""
    found = reported(FLUMES)
    set_topics(world, "lan", found, "nong-nghiep")
    return found


@pytest.mark.slow
def test_corrections_of_one_kind_move_the_reader_until_it_is_rolled_back(
    world: World, corrected: list[Ticket], school: School
) -> None:
    before = now(world)
    assert [r.topic for r in before] != ["nong-nghiep"] * 3
    outcome = learn(world.runtime, school=school)
    assert (outcome.state, outcome.learned_from) == ("promoted", len(corrected))
    assert outcome.model is not None
    assert active(world) == [outcome.model.version]
    after = now(world)
    assert [(r.topic, r.version) for r in after] == [("nong-nghiep", outcome.model.version)] * 3
    assert learn(world.runtime, school=school).state == "nothing"

    shipped = before[0].version
    rollback(world.runtime, shipped)
    assert [r.to_json() for r in now(world)] == [r.to_json() for r in before]
    again = learn(world.runtime, school=school)
    assert (again.state, again.rolled_back) == ("rolled_back", outcome.model.version)
    assert active(world) == []
    assert f"model {outcome.model.version} of the same corrections was rolled back" in told(world.runtime, again)[0]
    rollback(world.runtime, outcome.model.version)
    assert [r.to_json() for r in now(world)] == [r.to_json() for r in after]
    assert [(one.version, one.is_active) for one in list_models(world.runtime)] == [
        (outcome.model.version, True),
        (shipped, False),
    ]
    actions = [a.action for a in all_rows(world.runtime, AuditEntry)]
    assert actions[-3:] == ["model.promoted", "model.rolled_back", "model.rolled_back"]


@pytest.mark.slow
def test_a_model_rolled_back_is_promoted_when_asked_for_again(world: World, reported: Report, school: School) -> None:
    set_topics(world, "lan", reported(FLUMES[:40]), "nong-nghiep")
    first = learn(world.runtime, school=school)
    rollback(world.runtime, list_models(world.runtime)[-1].version)
    second = learn(world.runtime, school=school, is_again=True)
    assert first.model is not None
    assert second.model is not None
    assert (second.state, second.model.version) == ("promoted", first.model.version)
    assert active(world) == [first.model.version]
    assert len(list_models(world.runtime)) == 2
    rollback(world.runtime, list_models(world.runtime)[-1].version)
    set_topics(world, "lan", reported(FLUMES[40:41]), "nong-nghiep")
    assert learn(world.runtime, school=school).state == "promoted"


def test_without_corrections_there_is_nothing_to_learn(world: World) -> None:
    assert learn(world.runtime).state == "nothing"


# ---- the model in use ------------------------------------------------------------------------------------------------


def promoted(world: World, content: bytes | None = None) -> Model:
    """A model of which every reader would notice, in use."""
    shipped = Model.load(MODEL_FILE)
    other = Model.from_bytes(shipped.to_bytes())
    made = Model(other.features, other._idf, other.weights, other.bias, other.heads, note="made for a test")
    with world.runtime.database.transaction() as session:
        session.add(
            TrainedModel(
                version=made.version,
                created_at=world.clock(),
                promoted_at=world.clock(),
                content=made.to_bytes() if content is None else content,
            )
        )
        session.flush()
        activate(session, made.version)
    return made


def a_reader(world: World, ticks: Callable[[], float]) -> CurrentReader:
    return CurrentReader(world.runtime.database, world.runtime.reader.gazetteer, ticks=ticks)


def test_a_worker_takes_up_a_promoted_model_within_a_minute(world: World) -> None:
    seconds = 1_000.0
    reader = a_reader(world, lambda: seconds)
    shipped = reader.version
    made = promoted(world)
    assert reader.read("xin chào", HOME).version == shipped
    seconds += LOOK_EVERY_SECONDS
    assert reader.read("xin chào", HOME).version == made.version
    assert LOOK_EVERY_SECONDS <= 60


def test_a_damaged_model_is_left_for_the_one_that_ships(world: World) -> None:
    shipped = world.runtime.reader.version
    made = promoted(world, b"not a model at all")
    with capture_logs() as logs:
        assert a_reader(world, lambda: 0.0).read("xin chào", HOME).version == shipped
    assert [(one["event"], one["version"]) for one in logs if one["log_level"] == "error"] == [
        ("model.unusable", made.version)
    ]
    with pytest.raises(NoSuchModel):
        rollback(world.runtime, made.version)


def without_a_question() -> bytes:
    """A whole, valid model of a program that did not ask whether to seal."""
    shipped = Model.load(MODEL_FILE)
    *kept, seal = shipped.heads
    columns = len(shipped.bias) - len(seal.labels)
    return Model(shipped.features, shipped._idf, shipped.weights[:, :columns], shipped.bias[:columns], kept).to_bytes()


def test_a_model_of_an_earlier_program_is_left_for_the_one_that_ships(world: World, reported: Report) -> None:
    shipped = world.runtime.reader.version
    made = promoted(world, without_a_question())
    with capture_logs() as logs:
        world.runtime.reader.look_again()
        (ticket,) = reported(["Cháy nhà ở xóm 5 rồi, cứu với"])
    assert ticket.urgency == Urgency.EMERGENCY
    assert world.runtime.reader.version == shipped
    assert [one["event"] for one in logs if one["log_level"] == "error"] == ["model.unusable"]
    with pytest.raises(NoSuchModel):
        rollback(world.runtime, made.version)


def test_a_model_that_fails_while_it_reads_does_not_stop_reading(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = promoted(world)
    judge = ModelJudge.judge

    def failing(self: ModelJudge, clues: Clues) -> Verdict:
        if self.version == made.version:
            raise KeyError("seal")
        return judge(self, clues)

    monkeypatch.setattr(ModelJudge, "judge", failing)
    reader = a_reader(world, lambda: 0.0)
    with capture_logs() as logs:
        assert reader.read("Cháy nhà ở xóm 5 rồi, cứu với", HOME).urgency == "khan_cap"
    assert [(one["event"], one["version"]) for one in logs if one["log_level"] == "error"] == [
        ("model.failed", made.version)
    ]


def test_nobody_rolls_back_to_what_never_was(world: World) -> None:
    with pytest.raises(NoSuchModel):
        rollback(world.runtime, "ffffffffffff")


def test_a_training_that_was_overtaken_changes_nothing(world: World, school: School) -> None:
    made = promoted(world)
    outcome = replace(learn(world.runtime), state="passed", model=school.of_all)
    with pytest.raises(Overtaken):
        _promote(world.runtime, outcome, school.of_all, parent=None)
    assert active(world) == [made.version]


def test_of_two_trainings_that_end_at_once_one_is_overtaken(world: World, school: School) -> None:
    runtime, model = world.runtime, school.of_all
    outcome = replace(learn(runtime), state="passed", model=model)
    with ThreadPoolExecutor(1) as other:
        with runtime.database.transaction() as session:
            take_turns(session)
            late = other.submit(_promote, runtime, outcome, model, None)
            assert not wait([late], timeout=0.5).done
            session.add(
                TrainedModel(
                    version="first", created_at=world.clock(), promoted_at=world.clock(), content=b"-", is_active=True
                )
            )
        with pytest.raises(Overtaken):
            late.result()
    assert active(world) == ["first"]


def test_words_of_one_person_alone_are_not_learned(world: World) -> None:
    word = Word(1, 1, CorrectionKind.TOPIC, "dien", 1, world.clock())
    lessons = [
        Lesson(number, contact, "", ("cot dien", "secret"[: 3 + number % 2], "shared"), (word,))
        for number, contact in enumerate((7, 7, 8, 9))
    ]
    kept = without_rare_words(lessons, {"cot dien"})
    assert {feature for lesson in kept for feature in lesson.features} == {"cot dien", "shared"}


def test_a_correction_made_on_a_page_is_kept(world: World, reported: Report) -> None:
    (ticket,) = reported(FLUMES[:1])
    tickets.set_topic(world.runtime, world.official("lan"), ticket.id, version=ticket.version, topic="nong-nghiep")
    with world.runtime.database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Correction)) == 1
