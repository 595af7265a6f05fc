"""A model: the same answers after a trip through its file, none from a damaged one, and reasons that can be shown."""

from __future__ import annotations

import numpy as np
import pytest

from nlp.examples import Example
from nlp.model import BadModel, Head, Model
from nlp.training import QUESTIONS, Sample, sample, train

HEADS = (Head("topic", ("rac-thai", "dien")), Head("seal", ("open", "sealed"), 0.5))
WEIGHTS = np.array([[3.0001, -1, 0, 0], [-1, 3, 0, 0], [0, 0, -2, 2]], dtype=np.float32)


def small() -> Model:
    return Model(
        ("rac", "dien", "hoi lo"), np.ones(3, np.float32), WEIGHTS, np.zeros(4, np.float32), HEADS, note="for tests"
    )


def test_each_question_has_probabilities_of_its_own() -> None:
    answers = small().probabilities(["rac", "rac", "unknown"])
    assert answers["topic"].sum() == pytest.approx(1)
    assert answers["topic"][0] > 0.9
    assert answers["seal"] == pytest.approx([0.5, 0.5])


def test_a_lower_temperature_is_surer() -> None:
    warm = small()
    cool = Model(
        warm.features,
        np.ones(3, np.float32),
        WEIGHTS,
        np.zeros(4, np.float32),
        (HEADS[0], Head("seal", HEADS[1].labels, 2.0)),
    )
    assert warm.probabilities(["hoi lo"])["seal"][1] > cool.probabilities(["hoi lo"])["seal"][1] > 0.5


def test_the_words_that_decided_come_strongest_first() -> None:
    reasons = small().reasons(["rac", "dien"], "topic", "dien")
    assert [feature for feature, _ in reasons] == ["dien"]


def test_no_words_at_all_still_have_an_answer() -> None:
    assert small().probabilities([])["topic"] == pytest.approx([0.5, 0.5])


def test_a_file_gives_the_same_model_back() -> None:
    written = small().to_bytes()
    again = Model.from_bytes(written)
    assert (again.version, again.heads, again.note) == (small().version, HEADS, "for tests")
    assert np.array_equal(
        again.probabilities(["rac", "hoi lo"])["topic"], small().probabilities(["rac", "hoi lo"])["topic"]
    )
    assert again.to_bytes() == written


@pytest.mark.parametrize("at", [0, 20, 60, -1])
def test_a_damaged_file_is_refused(at: int) -> None:
    written = bytearray(small().to_bytes())
    written[at] ^= 1
    with pytest.raises(BadModel):
        Model.from_bytes(bytes(written))


@pytest.mark.parametrize("content", [b"", b"haichieu-model-1\n", b"something else entirely"])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(BadModel):
        Model.from_bytes(content)


def lessons() -> list[Sample]:
    known = {
        "rac-thai": ["rac khong ai don", "dong rac thoi", "xe rac khong toi", "vut rac bua bai"],
        "dien": ["mat dien ca xom", "cup dien hoai", "dien yeu qua", "cot dien nghieng"],
    }
    return [
        sample(Example(text, "feedback", (slug,), "thuong", False), text.split())
        for slug, texts in known.items()
        for text in texts
    ] + [
        sample(Example("hoi lo", "denunciation", ("to-cao-tham-nhung",), "thuong", True), ["hoi", "lo"]),
        sample(Example("chay nha", "emergency", ("pccc",), "khan_cap", False), ["chay", "nha"]),
    ]


def test_training_learns_what_the_lessons_say() -> None:
    model = train(lessons(), least=1)
    answers = model.probabilities(["rac", "thoi"])
    labels = {head.name: head.labels for head in model.heads}
    assert labels["topic"][int(answers["topic"].argmax())] == "rac-thai"
    assert labels["intent"][int(model.probabilities(["chay", "nha"])["intent"].argmax())] == "emergency"
    assert labels["seal"][int(model.probabilities(["hoi", "lo"])["seal"].argmax())] == "sealed"


def test_the_same_lessons_give_the_same_model() -> None:
    assert train(lessons(), least=1).to_bytes() == train(lessons(), least=1).to_bytes()


def test_every_answer_of_an_example_is_a_label() -> None:
    example = Example("x", "feedback", ("o-nhiem", "vat-nuoi"), "khan", False)
    for question in QUESTIONS:
        answers = question.answers(example)
        assert set(answers) <= set(question.labels)
        assert sum(answers.values()) == pytest.approx(1)
