"""Deciding: one consistent answer from what a judge makes of a message and what the rules of danger and sealing say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from nlp.chances import in_columns
from nlp.clues import Clues
from nlp.cues import find_cues
from nlp.reading import TopicGuess
from nlp.topics import TOPICS
from nlp.urgency import EMERGENCY, NORMAL, URGENT
from nlp.word_lists import SEALED as SEALED_LIST
from nlp.word_lists import URGENCY as URGENCY_LIST

NO_TOPIC = "-"
SEALED = "sealed"
FEEDBACK = "feedback"
# Below this a topic is shown to officials but nothing is done by it (measured: see ARCHITECTURE.md).
ABSTAINS = 0.5
# So few words without any cue are no danger and no secret: "Ông Bảy", "đẹp rồi", "đúng vậy đó".
_FEW_WORDS = 4
# Recall comes first: how likely danger must be, by what the rules say; and a secret, alone and with the rules.
_DANGER = {EMERGENCY: 0.15, URGENT: 0.25, NORMAL: 0.15}
_DANGER_TAKEN_BACK = {"feared": 0.76, "unreal": 0.62, "runs": 0.85}
# And against "nothing urgent at all".
_DANGER_SHARE = 0.4
# What must be sealed and accuses nobody of a crime is about a life or a child.
_DANGER_OF_PROTECTED, _PROTECTED = 0.1, 0.5
_ACCUSING = ("to-cao-tham-nhung", "an-ninh-trat-tu")
_SURELY_NORMAL = 0.92
_SECRET, _SECRET_BY_RULE = 0.16, 0.11
_ACCUSES = 0.3
# What is obeyed or put aside without asking back must be plain.
_NEEDED = {"unsubscribe": 0.8, "spam": 0.75, "withdraw": 0.4, "data_request": 0.4}
_LEAST, _MOST = 0.001, 0.999
_NEVER = 1e-5
# Courtesies and commands are about nothing, whatever their words look like.
SUBJECTLESS = frozenset(
    {"unsubscribe", "subscribe", "status_lookup", "greeting", "thanks", "test", "human_handoff", "data_request"}
    | {"spam", "abuse", "chitchat", "out_of_scope"}
)
# What may as well have no subject of its own.
_MAY_LACK_SUBJECT = frozenset({"rating", "add_info", "withdraw", "praise", "announcement_request"})
_NO_REPORT = SUBJECTLESS - {"human_handoff", "data_request"} | {"rating", "add_info", "withdraw", "praise"}
_HINT = 0.04
_DOUBT = 0.05
# Thanks and insults beside a named subject are seldom all that is meant.
_COURTEOUS = frozenset({"thanks", "abuse", "greeting", "test", "chitchat"})
_SMALL_TALK = _COURTEOUS | {"out_of_scope", "spam"}
_NAMED, _DETAIL = 0.1, 0.3
_PRAISES = frozenset({"#wish praise part", "#wish ~done part"})
_UNSURE = 0.2
_STRONG_TOPICS = frozenset(f"#topic {slug} !" for slug in TOPICS)


class Verdict(Protocol):
    """What a judge makes of one message."""

    def probabilities(self, head: str) -> Mapping[str, float]:
        """The probability of each answer to one question: "topic", "intent", "urgency", "seal"."""

    def reasons(self, head: str, label: str, most: int = 8) -> list[tuple[str, float]]:
        """The names of the clues that spoke for an answer, strongest first."""


class Judge(Protocol):
    """Judges a message by its clues; the model that ships, or a larger one in its place."""

    version: str

    def judge(self, clues: Clues) -> Verdict:
        """What it makes of a message."""

    def ask(self, names: Sequence[str]) -> Verdict:
        """What it makes of some of a message's clues, by name."""


@dataclass(slots=True)
class Decision:
    """The answers, consistent with each other; `topics` best first, at most two."""

    intent: str
    topics: tuple[TopicGuess, ...]
    urgency: str
    sealed: bool
    abstains: bool


def decide(verdict: Verdict, clues: Clues, command: str | None) -> Decision:
    """Danger first, then what must be sealed, then what is wanted, then the subject.

    `command`: the intent of a message that is a command or a courtesy and nothing else.
    """
    if command:
        named = _subject(command, verdict.probabilities("topic"))
        return Decision(command, named, NORMAL, sealed=False, abstains=True)
    topics = verdict.probabilities("topic")
    urgency = _urgency(verdict, clues)
    sealed = _is_sealed(verdict.probabilities("seal"), clues)
    intent = "emergency" if urgency == EMERGENCY else _intent(*_agreeing(verdict, clues), is_sealed=sealed)
    # Whatever it sounds like, a secret or a hazard is never put aside without a ticket.
    if sealed and intent in _NO_REPORT:
        intent = "denunciation"
    elif urgency == URGENT and intent in _SMALL_TALK:
        intent = FEEDBACK
    guesses = _subject(intent, topics)
    return Decision(intent, guesses, urgency, sealed, not guesses or guesses[0].probability < ABSTAINS)


def _agreeing(verdict: Verdict, clues: Clues) -> tuple[list[str], list[float]]:
    """The intents and their chances once the subject is heard: about nothing means no report, and the other way."""
    no_subject = verdict.probabilities("topic").get(NO_TOPIC, 0.0)
    marks = clues.marks
    named = detail = 1.0
    if not marks.isdisjoint(_STRONG_TOPICS):
        # A report is never lost to a courtesy or taken for a detail of another.
        named, detail, no_subject = _NAMED, _DETAIL, min(0.5, no_subject)
    unpraised = named if marks.isdisjoint(_PRAISES) or "#wish ~but part" in marks else 1.0

    other = max(_DOUBT, 1 - no_subject)
    alone, courteous = max(_DOUBT, no_subject), max(_DOUBT, named * no_subject)
    fitting = (other, alone, courteous, 1.0, detail, unpraised)
    labels, chances = in_columns(verdict.probabilities("intent"))
    weighed = [chance * fitting[_SORTS.get(intent, 0)] for intent, chance in zip(labels, chances, strict=True)]
    total = sum(weighed)
    return labels, [chance / total for chance in weighed]


# Which of the factors above an intent is weighed with.
_SORTS = {
    **dict.fromkeys(SUBJECTLESS, 1),
    **dict.fromkeys(_COURTEOUS, 2),
    **dict.fromkeys(_MAY_LACK_SUBJECT, 3),
    "add_info": 4,
    "praise": 5,
}


def _says_too_little(clues: Clues, cues: str) -> bool:
    """Whether a few words without a single cue of the list are all there is: a name, a yes, a place."""
    return len(clues.text.words) <= _FEW_WORDS and not find_cues(clues.text, cues)


def _urgency(verdict: Verdict, clues: Clues) -> str:
    if _says_too_little(clues, URGENCY_LIST):
        return NORMAL
    chances = verdict.probabilities("urgency")
    danger = _danger(chances[EMERGENCY], verdict.probabilities("intent")["emergency"])
    needed = _DANGER_TAKEN_BACK.get(clues.urgency.taken_back, _DANGER[clues.urgency.code])
    if clues.urgency.code != EMERGENCY:
        needed = max(needed, _DANGER_SHARE * chances[NORMAL])
    if needed > _DANGER_OF_PROTECTED and _is_of_protected(verdict):
        needed = _DANGER_OF_PROTECTED
    if danger >= needed:
        return EMERGENCY
    if clues.urgency.code != NORMAL and chances[NORMAL] < _SURELY_NORMAL:
        return URGENT
    near = 0.0 if clues.urgency.taken_back else danger
    return URGENT if chances[URGENT] + near > chances[NORMAL] else NORMAL


def _danger(urgency: float, intent: float) -> float:
    """How likely danger is when two questions have asked for it; together they are surer than each (measured)."""
    odds = math.sqrt(_odds(urgency) * _odds(intent))
    return odds / (1 + odds)


def _odds(chance: float) -> float:
    chance = min(max(chance, _NEVER), 1 - _NEVER)
    return chance / (1 - chance)


def _is_of_protected(verdict: Verdict) -> bool:
    if verdict.probabilities("seal")[SEALED] < _PROTECTED:
        return False
    topics = verdict.probabilities("topic")
    return sum(topics.get(slug, 0.0) for slug in _ACCUSING) < _PROTECTED


def _is_sealed(chances: Mapping[str, float], clues: Clues) -> bool:
    if _says_too_little(clues, SEALED_LIST):
        return False
    return chances[SEALED] >= (_SECRET_BY_RULE if clues.sealing.sealed else _SECRET)


def _intent(intents: Sequence[str], chances: Sequence[float], *, is_sealed: bool) -> str:
    if is_sealed and chances[intents.index("denunciation")] >= _ACCUSES:
        return "denunciation"
    likely = list(chances)
    for intent in ("emergency",) if is_sealed else ("emergency", "denunciation"):
        if intent in intents:
            likely[intents.index(intent)] = -1.0
    chance = max(likely)
    best = intents[likely.index(chance)]
    return best if chance >= _NEEDED.get(best, _UNSURE) else FEEDBACK


def _subject(intent: str, chances: Mapping[str, float]) -> tuple[TopicGuess, ...]:
    """The two likeliest topics; of those who surely have a subject, the chance that they have none is left out."""
    if intent in SUBJECTLESS:
        return ()
    may_lack = intent in _MAY_LACK_SUBJECT
    rest = 1.0 if may_lack else max(_LEAST, 1 - chances.get(NO_TOPIC, 0.0))
    slugs, figures = in_columns(chances)
    if NO_TOPIC in slugs:
        figures[slugs.index(NO_TOPIC)] = -1.0
    second, first = sorted(figures)[-2:]
    at = figures.index(first)
    best = (slugs[at], slugs[figures.index(second, at + 1 if second == first else 0)])
    if may_lack and first < _HINT:
        return ()
    return tuple([TopicGuess(slug, _chance(chances[slug] / rest)) for slug in best])


def _chance(value: float) -> float:
    return round(min(_MOST, max(_LEAST, value)), 3)
