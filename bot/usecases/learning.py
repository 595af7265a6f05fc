"""Learning: a candidate is trained from what officials said, tried against the model in use, and promoted or not."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from bot.rules.promotion import Batch, Vote, suspicious
from bot.runtime import Runtime
from bot.usecases.forgetting import forget
from bot.usecases.lessons import Lesson, as_samples, gather, taught_by, without_rare_words
from bot.usecases.trials import Trial, is_frozen, try_out
from nlp.examples import Example, shipped_examples
from nlp.model import MODEL_FILE, BadModel, Model
from nlp.neighbours import Neighbours
from nlp.retraining import OtherSamples, retrain
from nlp.training import Sample, lessons_digest, message_samples, phrase_samples, train
from storage.audit import AuditEntry
from storage.trained import TrainedModel, activate, active_version, let_go, take_turns

LATEST = 500
# A candidate that loses is taught once more, more gently, before it is refused.
FORCES = (1.0, 0.4)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What came of a training. `state`: "nothing" new to learn, "promoted", "passed" (a dry run), "refused" or
    "rolled_back": the same corrections were learned before, and people went back from that model (`rolled_back`).

    `batches` were left out, and each says whose and which; `lost`: what the candidate was worse at. `is_forgotten`: the
    model in use had learned what may not be learned from any more, so the one that ships reads again.
    """

    state: str
    model: Model | None = None
    batches: tuple[Batch, ...] = ()
    lost: tuple[str, ...] = ()
    learned_from: int = 0
    figures: dict[str, Any] = field(default_factory=dict)
    taught: dict[str, list[int]] = field(default_factory=dict)
    is_forgotten: bool = False
    rolled_back: str = ""


class Overtaken(Exception):
    """Another training or a rollback changed the model in use meanwhile; nothing was changed by this one."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Fit on one core: more threads than free cores take three times as long, and one always sums in the same order."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    for library in ("scipy.optimize", "sklearn.linear_model"):  # only what is loaded already can be held
        importlib.import_module(library)
    with threadpool_limits(1):
        yield


class School:
    """The messages and lists that ship, and models of them; what is dear to make is made when first asked for."""

    def __init__(self, examples: Sequence[Example] | None = None, digest: str = "") -> None:
        self.is_shipped = examples is None
        self.examples = list(shipped_examples() if examples is None else examples)
        self.digest = digest or lessons_digest()

    @cached_property
    def taught(self) -> list[Sample]:
        """The messages as samples."""
        return message_samples(self.examples)

    @cached_property
    def listed(self) -> list[Sample]:
        """The phrases of the word lists as samples."""
        return phrase_samples()

    @cached_property
    def frozen(self) -> list[Example]:
        """The messages that no model of a trial has learned from."""
        return [example for number, example in enumerate(self.examples) if is_frozen(number)]

    @cached_property
    def fewer(self) -> list[Sample]:
        """All samples but those of the frozen messages."""
        return [*(one for number, one in enumerate(self.taught) if not is_frozen(number)), *self.listed]

    @cached_property
    def of_fewer(self) -> Model:
        """The model that has not seen the frozen messages."""
        with one_thread():
            return train(self.fewer)

    @cached_property
    def of_all(self) -> Model:
        """The model of everything that ships."""
        if self.is_shipped:
            try:
                shipped = Model.load(MODEL_FILE)
            except (BadModel, OSError):
                pass
            else:
                if shipped.note == f"lessons {self.digest}":
                    return shipped
        with one_thread():
            return train(self.all, note=f"lessons {self.digest}")

    @property
    def all(self) -> list[Sample]:
        """Every sample."""
        return [*self.taught, *self.listed]

    def taught_more(self, lessons: Sequence[Lesson], note: str, force: float) -> Model:
        """The model of everything that ships, once it has heard these lessons with this force."""
        more = as_samples(lessons, force)
        try:
            return retrain(self.of_all, self.all, more, note)
        except OtherSamples:  # the file that ships is of an older program
            return retrain(train(self.all), self.all, more, note)


def learn(
    runtime: Runtime,
    *,
    is_dry: bool = False,
    is_again: bool = False,
    school: School | None = None,
    say: Say = lambda _: None,
) -> Outcome:
    """Train a candidate with everything officials said until now, and promote it when it loses nowhere.

    `is_again`: even if people went back from the model of these corrections. What was taken back since is forgotten,
    whether a candidate is promoted or not.
    """
    lessons = gather(runtime.database)
    school = school or School()
    used = next(iter(_promoted(runtime, TrainedModel.is_active.is_(True))), Promoted())
    undone = [] if is_again else _promoted(runtime, TrainedModel.rolled_back_at.is_not(None))
    made_of = {"said": _digest(lessons), "digest": school.digest}
    outcome = Outcome("nothing")
    if lessons and made_of != {name: used.figures.get(name) for name in made_of}:
        with one_thread():
            outcome = _trained(school, lessons, used, undone, say)
        told = {"batches": _told(outcome.batches, lessons), "lost": list(outcome.lost), "lessons": outcome.learned_from}
        outcome = replace(outcome, figures={**outcome.figures, **made_of, **told})
    if is_dry:
        return outcome
    if outcome.state == "refused":
        _keep_refusal(runtime, outcome, used.version)
    elif outcome.model is not None:
        _promote(runtime, outcome, outcome.model, used.version)
        outcome = replace(outcome, state="promoted")
    return replace(outcome, is_forgotten=forget(runtime, has_lessons=bool(lessons)))


@dataclass(frozen=True)
class Promoted:
    """A model promoted earlier, as far as training must know it; the one that ships was taught nothing here."""

    version: str | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    taught: dict[str, list[int]] = field(default_factory=dict)

    def is_of(self, taught: dict[str, list[int]], school: School) -> bool:
        """Whether it was made of exactly this."""
        return self.taught == taught and self.figures.get("digest") == school.digest


def _promoted(runtime: Runtime, which: sa.ColumnElement[bool]) -> list[Promoted]:
    query = sa.select(TrainedModel.version, TrainedModel.figures, TrainedModel.taught).where(which)
    with runtime.database.reading() as session:
        return [Promoted(version, figures, taught or {}) for version, figures, taught in session.execute(query)]


def _digest(lessons: Sequence[Lesson]) -> str:
    """Tells whether anything else was said, by anybody else, or was taken back."""
    said = sorted((lesson.message_id, word.answer, word.official_id) for lesson in lessons for word in lesson.words)
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def _trained(
    school: School, lessons: Sequence[Lesson], used: Promoted, undone: Sequence[Promoted], say: Say
) -> Outcome:
    say(f"{len(lessons)} messages with the word of an official; reading {len(school.examples)} that ship")
    known = {feature for one in school.fewer for feature in one.features}
    lessons = without_rare_words(lessons, known)
    say("training without the frozen messages")
    plain = school.of_fewer
    batches = _contradicting(school, lessons)
    trusted = without_batches(lessons, batches)
    taught = taught_by(trusted)
    if used.is_of(taught, school):
        return Outcome("refused" if batches else "nothing", batches=tuple(batches))
    if not trusted:
        return Outcome("refused", batches=tuple(batches))
    rolled_back = next((one.version for one in undone if one.is_of(taught, school)), None)
    if rolled_back is not None:
        return Outcome("rolled_back", batches=tuple(batches), rolled_back=rolled_back)
    shares = divided(trusted, _heard_by(used, lessons))
    tried = _Tried(school, shares.heard, shares.held_out)
    if shares.earlier:
        say("training the model in use without what is held out")
        tried.in_use = retrain(plain, school.fewer, as_samples(shares.earlier, used.figures.get("force", FORCES[0])))
    for force in FORCES:
        say(f"trying a candidate of {len(trusted)} messages, force {force}")
        trials = tried.at(force)
        if not any(trial.lost for trial in trials):
            break
    figures = {"trials": [trial.to_json() for trial in trials], "force": force}
    lost = tuple(sentence for trial in trials for sentence in trial.lost)
    if lost:
        return Outcome("refused", None, tuple(batches), lost, len(trusted), figures)
    say("training on everything")
    newest = max(lesson.newest for lesson in trusted)
    model = school.taught_more(trusted, f"lessons {school.digest}, {len(trusted)} corrected until {newest}", force)
    return Outcome("passed", model, tuple(batches), (), len(trusted), figures, taught)


@dataclass(frozen=True)
class Shares:
    """Who hears what in a trial: the candidate `heard`, the model in use `earlier`; neither what is `held_out`."""

    heard: list[Lesson]
    earlier: list[Lesson]
    held_out: list[Lesson]


def divided(trusted: Sequence[Lesson], earlier: Sequence[Lesson]) -> Shares:
    """Hold out a fifth of the latest messages that may be learned from, whatever was learned of them `earlier`."""
    held_out = [lesson for lesson in trusted[-LATEST:] if lesson.is_held_out]
    kept = {lesson.message_id for lesson in held_out}
    heard, before = ([one for one in lessons if one.message_id not in kept] for lessons in (trusted, earlier))
    return Shares(heard, before, held_out)


@dataclass
class _Tried:
    """A candidate's lessons, those held out, and the model in use that was taught without them, when there is one."""

    school: School
    lessons: Sequence[Lesson]
    held_out: Sequence[Lesson]
    in_use: Model | None = None

    def at(self, force: float) -> list[Trial]:
        """How a candidate that hears the lessons with this force does, against what ships and what is in use."""
        school = self.school
        candidate = retrain(school.of_fewer, school.fewer, as_samples(self.lessons, force))
        trials = [try_out(school.of_fewer, candidate, school.frozen, self.held_out)]
        if self.in_use is not None:
            name = "against the model in use, "
            trials.append(try_out(self.in_use, candidate, school.frozen, self.held_out, name=name))
        return trials


def _contradicting(school: School, lessons: Sequence[Lesson]) -> list[Batch]:
    """The batches whose labels contradict both the model of what ships and the messages nearest to them."""
    among = Neighbours(school.of_fewer, *_seen(school), school.listed)
    votes: list[Vote] = []
    for head in sorted({word.head for lesson in lessons for word in lesson.words}):
        told = [(lesson, word) for lesson in lessons for word in lesson.words if word.head == head]
        samples = [Sample(lesson.features, {head: word.label}) for lesson, word in told]
        objected = among.contradicted(samples, head)
        votes += [
            Vote(word.official_id, word.kind.value, word.label, contradicts)
            for (_, word), one, contradicts in zip(told, samples, objected, strict=True)
            if among.differs(one, head)
        ]
    return suspicious(votes)


def _seen(school: School) -> tuple[list[Example], list[Sample]]:
    seen = [number for number in range(len(school.examples)) if not is_frozen(number)]
    return [school.examples[n] for n in seen], [school.taught[n] for n in seen]


def without_batches(lessons: Sequence[Lesson], batches: Sequence[Batch]) -> list[Lesson]:
    """The lessons without the words that belong to a refused batch."""
    found = []
    for lesson in lessons:
        words = tuple(
            w for w in lesson.words if not any(b.holds(w.official_id, w.kind.value, w.label) for b in batches)
        )
        if words:
            found.append(replace(lesson, words=words))
    return found


def _heard_by(used: Promoted, lessons: Sequence[Lesson]) -> list[Lesson]:
    """The lessons that the model in use has learned from, as far as they stand."""
    known = {answer: set(messages) for answer, messages in used.taught.items()}
    found = []
    for lesson in lessons:
        words = tuple(word for word in lesson.words if lesson.message_id in known.get(word.answer, ()))
        if words:
            found.append(replace(lesson, words=words))
    return found


def _told(batches: Sequence[Batch], lessons: Sequence[Lesson]) -> list[dict[str, Any]]:
    """Batches in plain values, with the commune of the official, who must not be named elsewhere."""
    commune = {word.official_id: word.commune_id for lesson in lessons for word in lesson.words}
    return [
        {
            "official_id": batch.official_id,
            "commune_id": commune.get(batch.official_id or 0),
            "kind": batch.kind,
            "label": batch.label,
            "contradicting": batch.contradicting,
            "of": batch.of,
        }
        for batch in batches
    ]


def _keep_refusal(runtime: Runtime, outcome: Outcome, parent: str | None) -> None:
    with runtime.database.transaction() as session:
        latest = session.scalar(sa.select(TrainedModel).order_by(TrainedModel.id.desc()).limit(1))
        if latest is not None and latest.promoted_at is None and latest.figures == outcome.figures:
            return  # nothing has changed since it was refused the last time
        session.add(
            TrainedModel(
                created_at=runtime.now(), figures=outcome.figures, parent_version=parent, note="; ".join(outcome.lost)
            )
        )


def _promote(runtime: Runtime, outcome: Outcome, model: Model, parent: str | None) -> None:
    with runtime.database.transaction() as session:
        take_turns(session)
        if active_version(session) != parent:
            raise Overtaken
        earlier = sa.select(TrainedModel.id).where(TrainedModel.version == model.version)
        let_go(session, session.scalars(earlier).all())  # rolled back and asked for again: one file is enough
        session.add(
            TrainedModel(
                version=model.version,
                created_at=runtime.now(),
                content=model.to_bytes(),
                taught=outcome.taught,
                note=model.note,
                figures=outcome.figures,
                promoted_at=runtime.now(),
                parent_version=parent,
            )
        )
        session.flush()
        activate(session, model.version)
        session.add(AuditEntry(at=runtime.now(), action="model.promoted", target=f"model:{model.version}", data={}))
