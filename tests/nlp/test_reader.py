"""The reader takes any text, keeps every offset inside it, is fast, and is right as often as was measured."""

from __future__ import annotations

import json
import statistics
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.characters import fold
from nlp.model import MODEL_FILE, Model
from nlp.reading import Reading
from tests.nlp.worlds import HOME, Labelled, labelled, read, reader

MESSAGES = labelled("messages.tsv")
WORDS = st.sampled_from([word for message in MESSAGES for word in message.text.split()])
ANY = st.one_of(
    st.text(max_size=120),
    st.text(alphabet=st.characters(), max_size=60),
    st.lists(WORDS, max_size=25).map(" ".join),
    st.lists(st.one_of(WORDS, st.text(max_size=4)), max_size=20).map(" ".join),
)


@given(ANY)
@settings(max_examples=250, deadline=None)
def test_any_text_is_read_with_every_offset_inside_it(text):
    reading = read(text)
    assert len(reading.topics) <= 2
    assert all(0 < guess.probability < 1 for guess in (*reading.topics, *reading.places))
    assert reading.urgency in {"khan_cap", "khan", "thuong"}
    for span in (*reading.evidence, *reading.personal_data):
        assert 0 <= span.start < span.end <= len(text)


@given(ANY)
@settings(max_examples=100, deadline=None)
def test_a_reading_comes_back_from_json_unchanged(text):
    reading = read(text)
    assert Reading.from_json(json.loads(json.dumps(reading.to_json()))) == reading


@pytest.mark.parametrize("text", ["\ud800", "a\u0301" * 3000, "\u0301" * 500, "\x00", "0" * 50000, "xóm 5 " * 9000])
def test_strange_and_huge_texts_are_read_in_time(text):
    start = time.thread_time()  # however busy the machine is
    reading = read(text)
    assert time.thread_time() - start < 2
    assert all(span.end <= len(text) for span in reading.evidence)


def test_evidence_points_at_the_words_of_the_original():
    text = "Kính gửi xã: ĐƯỜNG vào xóm 5 đầy Ổ  GÀ!"
    said = {(span.kind, text[span.start : span.end]) for span in read(text).evidence}
    assert {("topic", "Ổ  GÀ"), ("place", "xóm 5")} <= said


@pytest.mark.parametrize("message", MESSAGES[::9], ids=lambda m: m.text[:30])
def test_a_decomposed_message_reads_like_the_composed_one(message):
    composed = read(unicodedata.normalize("NFC", message.text))
    decomposed = read(unicodedata.normalize("NFD", message.text))
    assert (composed.topics, composed.intent, composed.urgency) == (
        decomposed.topics,
        decomposed.intent,
        decomposed.urgency,
    )


def test_a_reading_says_which_reader_made_it():
    assert read("ổ gà").version == reader().version == Model.load(MODEL_FILE).version


def test_a_typical_message_takes_less_than_two_milliseconds():
    read("ấm máy")
    times = []
    for message in MESSAGES:
        start = time.thread_time()
        reader().read(message.text, HOME)
        times.append(time.thread_time() - start)
    print(f"median {statistics.median(times) * 1e6:.0f} µs, longest {max(times) * 1e6:.0f} µs")
    assert statistics.median(times) < 0.002


def _shares(messages: list[Labelled], *, folded: bool) -> dict[str, float]:
    right = {"topic": 0, "sure": 0, "sure and right": 0, "intent": 0, "urgency": 0, "sealed": 0}
    with_topic = [m for m in messages if m.topic != "-"]
    for message in messages:
        reading = read(fold(message.text) if folded else message.text)
        is_right = message.topic != "-" and reading.topic == message.topic
        is_sure = message.topic != "-" and bool(reading.topics) and reading.topics[0].probability >= 0.7
        right["topic"] += is_right
        right["sure"] += is_sure
        right["sure and right"] += is_sure and is_right
        right["intent"] += reading.intent == message.intent
        right["urgency"] += reading.urgency == message.urgency
        right["sealed"] += reading.sealed == message.sealed
    shares = {name: right[name] / len(messages) for name in ("intent", "urgency", "sealed")}
    shares["topic"] = right["topic"] / len(with_topic)
    shares["answered"] = right["sure"] / len(with_topic)
    shares["right when sure"] = right["sure and right"] / max(1, right["sure"])
    return shares


# What was measured, less about three points. messages.tsv shared in shaping the lists; held_out.tsv's topics did not.
_SHARES = {"topic": 0.88, "right when sure": 0.94, "intent": 0.89, "urgency": 0.9, "sealed": 0.94}
FLOORS = [(table, folded, _SHARES) for table in ("messages.tsv", "held_out.tsv") for folded in (False, True)]


@pytest.mark.parametrize(("table", "folded", "floors"), FLOORS)
def test_it_is_right_as_often_as_was_measured(table, folded, floors):
    shares = _shares(labelled(table), folded=folded)
    print(table, "without accents" if folded else "as written", {k: round(v, 3) for k, v in sorted(shares.items())})
    assert {name: share for name, share in shares.items() if share < floors.get(name, 0)} == {}


def test_no_labelled_emergency_or_sealed_message_is_missed():
    rows = [*MESSAGES, *labelled("held_out.tsv")]
    missed = [m.text for m in rows if m.urgency == "khan_cap" and read(fold(m.text)).urgency != "khan_cap"]
    missed += [m.text for m in rows if m.sealed and not read(fold(m.text)).sealed]
    assert missed == []


def test_the_table_has_every_topic():
    assert len({m.topic for m in MESSAGES} - {"-"}) == 32
    assert len(MESSAGES) >= 120


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("Nước máy đục ngầu cả tuần, còn đèn đường thì tối thui", ["nuoc-sach", "chieu-sang"]),
        (
            "1/ Hố ga mất nắp, nước cống trào. 2/ Karaoke hát tới nửa đêm không ngủ được",
            ["thoat-nuoc-ngap", "tieng-on"],
        ),
        ("nuoc may yeu ca tuan, con em toi so benh", []),
        ("nước máy yếu cả tuần, con em tôi khóc", []),
    ],
)
def test_a_word_of_contrast_begins_another_problem_and_a_child_does_not(text: str, topics: list[str]) -> None:
    assert [part.slug for part in read(text).parts] == topics
