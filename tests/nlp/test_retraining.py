"""Retraining: what is heard moves the model, what is not heard of stays exactly as it was."""

from __future__ import annotations

import numpy as np
import pytest

from nlp.examples import Example
from nlp.model import Model
from nlp.neighbours import Neighbours
from nlp.retraining import OtherSamples, retrain
from nlp.training import Sample, train
from tests.nlp.test_model import best, chance, lessons

NEWS = [Sample(("may", "bom", "chay"), {"topic": "dien"}), Sample(("may", "bom", "hong"), {"topic": "dien"})]


def before() -> Model:
    return train(lessons(), least=2)


def test_what_is_heard_is_learned() -> None:
    old = before()
    new = retrain(old, lessons(), NEWS * 5)
    words = ["may", "bom"]
    assert chance(new, words, "topic", "dien") > chance(old, words, "topic", "dien") + 0.2
    assert best(new, words, "topic") == "dien"


def test_questions_nothing_was_said_of_answer_as_before() -> None:
    old = before()
    new = retrain(old, lessons(), NEWS)
    for head in ("intent", "urgency", "seal"):
        _, columns = old.head(head)
        assert np.array_equal(new.weights[: len(old.features), columns], old.weights[:, columns])
        assert np.array_equal(new.bias[columns], old.bias[columns])


def test_without_news_the_model_reads_as_it_did() -> None:
    old = before()
    new = retrain(old, lessons(), [], old.note)
    assert new.version == old.version


def test_the_same_news_give_the_same_model() -> None:
    assert retrain(before(), lessons(), NEWS).to_bytes() == retrain(before(), lessons(), NEWS).to_bytes()


def test_a_model_of_other_samples_is_refused() -> None:
    with pytest.raises(OtherSamples):
        retrain(before(), lessons()[2:], NEWS)


def test_a_label_against_a_sure_model_and_every_neighbour_contradicts() -> None:
    samples = [s for s in lessons() for _ in range(30)]
    model = train(samples)
    examples = [Example("x", s.answers["intent"], (s.answers["topic"],), s.answers["urgency"], False) for s in samples]
    known = Neighbours(model, examples, samples, [])
    words = ("rac", "khong", "ai", "don")
    wrong, right = (Sample(words, {"topic": slug}) for slug in ("dien", "rac-thai"))
    assert known.contradicted([wrong, right], "topic") == [True, False]
    assert [known.differs(one, "topic") for one in (wrong, right)] == [True, False]
