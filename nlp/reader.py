"""Reader: reads one message in a fixed order of steps; it never raises and takes time linear in the length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from nlp.clues import Clues, find_clues
from nlp.deciding import Decision, Judge, Verdict, decide
from nlp.intents import find_command
from nlp.language import language_of
from nlp.localities import Gazetteer, PlacesFound, find_places
from nlp.model import MODEL_FILE, BadModel, Model
from nlp.normalise import Normalised, normalise
from nlp.parts import find_parts
from nlp.personal_data import find_personal_data
from nlp.reading import Home, Reading, Span, TopicGuess
from nlp.training import QUESTIONS

# A report says what it is about long before this; masking looks further.
_READ, _MASKED = 6_000, 60_000
_MOST_EVIDENCE = 60
_REASONS = 4
# A topic less likely than this needs no reasons.
_SHOWN = 0.1
_MAY_BE_BARE = frozenset({"feedback", "test", "chitchat", "greeting", "spam"})
_BARE_WORDS, _BARE_OUTSIDE = 15, 1
_MAY_BE_TWO = frozenset({"feedback", "proposal", "question"})


class ModelJudge:
    """The model that ships, or one trained here."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.version = model.version

    def judge(self, clues: Clues) -> Verdict:
        """What the model makes of a message."""
        return self.ask(clues.names)

    def ask(self, names: Sequence[str]) -> Verdict:
        """What the model makes of some of a message's clues."""
        return self._model.judge(names)


def judge_of(content: bytes) -> ModelJudge:
    """The judge in a model's file; raises BadModel when it is damaged or answers other questions than are asked here.

    A model trained by an earlier program may lack a question, or know topics by names they no longer have.
    """
    try:
        model = Model.from_bytes(content)
    except BadModel:
        raise
    except (ValueError, KeyError, TypeError) as error:  # the checksum holds, but what it guards cannot be read
        raise BadModel(f"its tables cannot be read: {type(error).__name__}") from error
    answered = {head.name: head.labels for head in model.heads}
    if answered != {question.name: question.labels for question in QUESTIONS}:
        raise BadModel("it answers other questions than this program asks")
    return ModelJudge(model)


@cache
def shipped_judge(path: Path = MODEL_FILE) -> ModelJudge:
    """The judge that ships with the program; raises BadModel when its file is damaged."""
    return judge_of(path.read_bytes())


class Reader:
    """Understands messages with a judge, the lexicons of this package and a gazetteer of the country."""

    def __init__(self, gazetteer: Gazetteer, judge: Judge | None = None) -> None:
        self._gazetteer = gazetteer
        self._judge = judge or shipped_judge()

    @property
    def version(self) -> str:
        """Of the judge; a reading keeps it."""
        return self._judge.version

    def read(self, text: str, home: Home) -> Reading:
        """Everything nlp has to say about a message sent to this home."""
        words = normalise(text[:_READ])
        clues = find_clues(words)
        verdict = self._judge.judge(clues)
        decision = decide(verdict, clues, find_command(words))
        places = find_places(words, home, self._gazetteer)
        personal = find_personal_data(text[:_MASKED])
        parts = find_parts(words, clues, self._judge.ask) if decision.intent in _MAY_BE_TWO else ()
        topics = tuple(TopicGuess(part.slug, part.probability) for part in parts) or decision.topics
        return Reading(
            intent=_settled(decision, words, places, personal),
            topics=topics,
            urgency=decision.urgency,
            sealed=decision.sealed,
            places=places.guesses,
            evidence=tuple(_evidence(words, clues, verdict, decision, topics, places))[:_MOST_EVIDENCE],
            personal_data=personal,
            version=self.version,
            abstains=decision.abstains and not parts,
            parts=parts,
            language=language_of(words),
        )


def _settled(decision: Decision, words: Normalised, places: PlacesFound, personal: tuple[Span, ...]) -> str:
    """The intent once it is known where: a report about another commune, or a place or a number sent when asked for."""
    if decision.intent not in _MAY_BE_BARE or decision.urgency != "thuong":
        return decision.intent
    if len(words.words) <= _BARE_WORDS:
        spans = (*places.evidence, *personal)
        outside = sum(not any(s.start <= start < s.end for s in spans) for start in words.starts) if spans else 0
        if spans and outside <= _BARE_OUTSIDE:
            return "add_info"
    return "out_of_area" if places.elsewhere and decision.intent == "feedback" else decision.intent


def _evidence(
    words: Normalised,
    clues: Clues,
    verdict: Verdict,
    decision: Decision,
    topics: Iterable[TopicGuess],
    places: PlacesFound,
) -> Iterator[Span]:
    """The words that decided, once each."""
    # Of clues of the same name, the first.
    where = dict(zip(reversed(clues.names), reversed(clues.spans), strict=True))

    def reasons(head: str, label: str, kind: str) -> Iterator[Span]:
        """The stretches of words that spoke for an answer, strongest first, those that overlap made one."""
        spans = [where.get(name, (0, 0)) for name, _ in verdict.reasons(head, label, 3 * _REASONS)]
        for first, last in _joined(spans):
            yield Span(*words.token_span(first, last), kind, label)

    if decision.sealed:
        yield from clues.sealing.evidence or reasons("seal", "sealed", "sealed")
    if decision.urgency != "thuong":
        yield from clues.urgency.evidence or reasons("urgency", decision.urgency, "urgency")
    for guess in topics:
        if guess.probability < _SHOWN:
            break
        yield from reasons("topic", guess.slug, "topic")
    yield from places.evidence


def _joined(found: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in found:
        if first == last:
            continue
        for at, (since, until) in enumerate(joined):
            if first < until and since < last:
                if first < since or until < last:
                    joined[at] = (min(first, since), max(last, until))
                break
        else:
            if len(joined) < _REASONS:
                joined.append((first, last))
    return joined
