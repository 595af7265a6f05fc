"""Reader: reads one message in a fixed order of steps; it never raises and takes time linear in the length."""

from __future__ import annotations

from nlp.intents import Message, find_intent
from nlp.localities import Gazetteer, find_places
from nlp.normalise import normalise
from nlp.personal_data import find_personal_data
from nlp.reading import Home, Reading, TopicGuess
from nlp.sealed import Sealing, find_sealing
from nlp.topics import find_topics
from nlp.urgency import find_urgency

VERSION = "lexicon-1"
# A report says what it is about long before this; masking looks further.
_READ, _MASKED = 6_000, 60_000
_SEALED_SURENESS = 0.9
_MOST_EVIDENCE = 60
# Courtesies and commands are about nothing, whatever their words look like.
_SUBJECTLESS = frozenset(
    {"unsubscribe", "subscribe", "status_lookup", "greeting", "thanks", "test", "human_handoff", "rating"}
)


class Reader:
    """Understands messages with the lexicons of this package and a gazetteer of the country."""

    version = VERSION

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer

    def read(self, text: str, home: Home) -> Reading:
        """Everything nlp has to say about a message sent to this home."""
        words = normalise(text[:_READ])
        places = find_places(words, home, self._gazetteer)
        topics = find_topics(words, places.asides)
        urgency = find_urgency(words)
        sealing = find_sealing(words, {guess.slug for guess in topics.guesses})
        personal_data = find_personal_data(text[:_MASKED])
        guesses = _with_sealed_topic(topics.guesses, sealing)
        intent = find_intent(Message(words, guesses, urgency.code, sealing.sealed, places, personal_data))
        return Reading(
            intent=intent,
            topics=() if intent in _SUBJECTLESS else guesses,
            urgency=urgency.code,
            sealed=sealing.sealed,
            places=places.guesses,
            evidence=(*sealing.evidence, *urgency.evidence, *topics.evidence, *places.evidence)[:_MOST_EVIDENCE],
            personal_data=personal_data,
            version=VERSION,
        )


def _with_sealed_topic(guesses: tuple[TopicGuess, ...], sealing: Sealing) -> tuple[TopicGuess, ...]:
    """What was sealed for a reason of its own has that topic first."""
    if not sealing.topic:
        return guesses
    known = max((guess.probability for guess in guesses if guess.slug == sealing.topic), default=0.0)
    first = TopicGuess(sealing.topic, max(known, _SEALED_SURENESS))
    return (first, *(guess for guess in guesses if guess.slug != sealing.topic))[:2]
