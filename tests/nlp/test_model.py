"""A model: the same answers after a trip through its file, none from a damaged one, and reasons that can be shown."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest

from nlp.examples import Example
from nlp.model import MODEL_FILE, BadModel, Head, Model
from nlp.reader import judge_of
from nlp.training import QUESTIONS, Sample, lessons_digest, phrase_samples, sample, train

HEADS = (Head("topic", ("rac-thai", "dien")), Head("seal", ("open", "sealed"), 0.5))
WEIGHTS = np.array([[3.0001, -1, 0, 0], [-1, 3, 0, 0], [0, 0, -2, 2]], dtype=np.float32)


def small() -> Model:
    return Model(
        ("rac", "dien", "hoi lo"), np.ones(3, np.float32), WEIGHTS, np.zeros(4, np.float32), HEADS, note="for tests"
    )


def chance(model: Model, words: list[str], head: str, label: str) -> float:
    return model.judge(words).probabilities(head)[label]


def best(model: Model, words: list[str], head: str) -> str:
    chances = model.judge(words).probabilities(head)
    return max(chances, key=lambda label: chances[label])


def test_each_question_has_probabilities_of_its_own() -> None:
    verdict = small().judge(["rac", "rac", "unknown"])
    assert sum(verdict.probabilities("topic").values()) == pytest.approx(1)
    assert verdict.probabilities("topic")["rac-thai"] > 0.9
    assert verdict.probabilities("seal") == pytest.approx({"open": 0.5, "sealed": 0.5})


def test_a_lower_temperature_is_surer() -> None:
    warm = small()
    cool = Model(
        warm.features,
        np.ones(3, np.float32),
        WEIGHTS,
        np.zeros(4, np.float32),
        (HEADS[0], Head("seal", HEADS[1].labels, 2.0)),
    )
    assert chance(warm, ["hoi lo"], "seal", "sealed") > chance(cool, ["hoi lo"], "seal", "sealed") > 0.5


def test_the_words_that_decided_come_strongest_first() -> None:
    reasons = small().judge(["rac", "dien"]).reasons("topic", "dien")
    assert [feature for feature, _ in reasons] == ["dien"]


def test_no_words_at_all_still_have_an_answer() -> None:
    assert small().judge([]).probabilities("topic") == pytest.approx({"rac-thai": 0.5, "dien": 0.5})


def test_a_file_gives_the_same_model_back() -> None:
    written = small().to_bytes()
    again = Model.from_bytes(written)
    assert (again.version, again.heads, again.note) == (small().version, HEADS, "for tests")
    words = ["rac", "hoi lo"]
    assert again.judge(words).probabilities("topic") == small().judge(words).probabilities("topic")
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


def shipped_with(heads: Sequence[Head]) -> bytes:
    """The model that ships, asked other questions."""
    shipped = Model.load(MODEL_FILE)
    columns = sum(len(head.labels) for head in heads)
    return Model(shipped.features, shipped._idf, shipped.weights[:, :columns], shipped.bias[:columns], heads).to_bytes()


def test_a_model_of_this_programs_questions_is_a_judge() -> None:
    shipped = Model.load(MODEL_FILE)
    assert judge_of(shipped.to_bytes()).version == shipped.version


@pytest.mark.parametrize("lacks", ["a question", "a topic's name"])
def test_a_model_of_other_questions_is_no_judge(lacks: str) -> None:
    topics, *others = Model.load(MODEL_FILE).heads
    if lacks == "a question":
        heads = [topics, *others[:-1]]
    else:
        heads = [Head(topics.name, tuple(f"{label}-cu" for label in topics.labels)), *others]
    content = shipped_with(heads)
    assert Model.from_bytes(content).heads == tuple(heads)
    with pytest.raises(BadModel, match="other questions"):
        judge_of(content)


def test_what_a_right_checksum_guards_is_checked_too() -> None:
    body = b"".join(len(part).to_bytes(4, "little") + part for part in (b"{}", b"", b"", b"", b""))
    with pytest.raises(BadModel):
        judge_of(b"haichieu-model-1\n" + hashlib.sha256(body).digest() + body)


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
    assert best(model, ["rac", "thoi"], "topic") == "rac-thai"
    assert best(model, ["chay", "nha"], "intent") == "emergency"
    assert best(model, ["hoi", "lo"], "seal") == "sealed"


def test_the_same_lessons_give_the_same_model() -> None:
    assert train(lessons(), least=1).to_bytes() == train(lessons(), least=1).to_bytes()


def test_every_answer_of_an_example_is_a_label() -> None:
    example = Example("x", "feedback", ("o-nhiem", "vat-nuoi"), "khan", False)
    assert all(question.answer(example) in question.labels for question in QUESTIONS)


def test_what_word_lists_say_of_a_phrase_is_a_label() -> None:
    labels = {question.name: question.labels for question in QUESTIONS}
    said = [(head, label) for one in phrase_samples() for head, label in one.answers.items()]
    assert {head for head, _ in said} == set(labels)
    assert all(label in labels[head] for head, label in said)


def test_the_model_that_ships_is_of_the_messages_and_lists_that_ship() -> None:
    assert Model.load(MODEL_FILE).note == f"lessons {lessons_digest()}", "run: make model"
