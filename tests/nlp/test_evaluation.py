"""Figures are those counted by hand, and their intervals hold what resampling gives."""

from __future__ import annotations

import random
import statistics

import numpy as np
import pytest

from nlp import bootstrap
from nlp.bootstrap import figure, share
from nlp.evaluation import Gold, calibration_error, differences, macro_f1, measure, misread, risk_coverage
from nlp.reading import Part, PlaceGuess, Reading, Span, TopicGuess


def a_gold(**known) -> Gold:
    usual = {"text": "a", "home": "", "intent": "feedback", "topics": ("dien",), "urgency": "thuong", "sealed": False}
    return Gold(**{**usual, **known})


def a_reading(topic="dien", chance=0.9, **known) -> Reading:
    topics = (TopicGuess(topic, chance), TopicGuess("cay-xanh", 0.05)) if topic else ()
    return Reading(**{"intent": "feedback", "topics": topics, **known})


def figures(*pairs):
    return {one.name: one.value for one in measure(pairs)}


def place(name):
    return PlaceGuess("place", "1", name, 0.9, True)


def unit(*codes):
    return PlaceGuess("commune", "", "A", 0.9, False, codes)


def test_any_accepted_topic_is_right():
    told = figures(
        (a_gold(topics=("dien", "nuoc-sach")), a_reading("nuoc-sach")),
        (a_gold(), a_reading("nuoc-sach")),
    )
    assert told["topic accuracy"] == 0.5


def test_macro_f1_is_the_mean_over_the_labels_wanted():
    # a: 2 wanted, 1 got right, 1 got in all: 2/3. b: 1 wanted, 1 right, 2 got: 2/3. c is never wanted.
    assert macro_f1([("a", "a"), ("a", "b"), ("b", "b"), ("a", "c")]) == pytest.approx((0.5 + 2 / 3) / 2)


def test_the_second_topic_counts_in_the_first_two():
    told = figures((a_gold(topics=("cay-xanh",)), a_reading("dien")), (a_gold(topics=("y-te",)), a_reading("dien")))
    assert (told["topic accuracy"], told["topic in the first two"]) == (0, 0.5)


def test_messages_without_a_subject_do_not_count_for_the_topic():
    told = figures((a_gold(), a_reading()), (a_gold(topics=(), intent="greeting"), a_reading("", intent="greeting")))
    assert (told["topic accuracy"], told["intent accuracy"]) == (1, 1)


def test_danger_and_sealing_have_recall_and_precision():
    told = figures(
        (a_gold(urgency="khan_cap", sealed=True), a_reading(urgency="khan_cap")),
        (a_gold(urgency="khan_cap"), a_reading(urgency="khan", sealed=True)),
        (a_gold(), a_reading(urgency="khan_cap")),
        (a_gold(sealed=True), a_reading(sealed=True)),
    )
    assert (told["danger recall"], told["danger precision"]) == (0.5, 0.5)
    assert (told["sealed recall"], told["sealed precision"]) == (0.5, 0.5)


def test_places_are_compared_by_name_and_words_are_none():
    told = figures(
        (a_gold(places=("Xóm 5", "Cầu Đá")), a_reading(places=(place("Xóm 5"),))),
        (a_gold(), a_reading(places=(PlaceGuess("words", "", "gần cầu", 0.5),))),
        (a_gold(), a_reading(places=(place("Xóm 5"),))),
    )
    assert (told["places recall"], told["places precision"], told["false place"]) == (0.5, 0.5, 0.5)


def test_a_unit_is_right_only_with_exactly_its_codes():
    told = figures(
        (a_gold(units=(("1", "2"),)), a_reading(places=(unit("2", "1"),))),
        (a_gold(units=(("1", "2"),)), a_reading(places=(unit("1"),))),
        (a_gold(), a_reading(places=(unit("1"),))),
        (a_gold(), a_reading()),
    )
    assert (told["units exact"], told["false unit"]) == (0.5, 0.5)


def test_personal_data_is_found_when_all_its_letters_are_inside():
    gold = a_gold(text="gọi 0912 345 678 nhé", personal=(("phone", "0912 345 678"),))
    whole, half = Span(4, 16, "phone"), Span(4, 12, "phone")
    told = figures(
        (gold, a_reading(personal_data=(whole,))), (gold, a_reading(personal_data=(half, Span(17, 20, "x"))))
    )
    assert told["personal data recall"] == 0.5
    assert told["personal data precision"] == pytest.approx(2 / 3)


def test_two_problems_are_found_when_there_are_parts():
    parts = (Part("dien", 0.9, 0, 1), Part("nuoc-sach", 0.9, 1, 2))
    told = figures((a_gold(parts=2), a_reading(parts=parts)), (a_gold(parts=2), a_reading()), (a_gold(), a_reading()))
    assert (told["two problems recall"], told["two problems precision"]) == (0.5, 1)


def test_probabilities_that_come_true_have_no_calibration_error():
    assert calibration_error([(0.75, True)] * 3 + [(0.75, False)]) == 0
    assert calibration_error([(0.9, False)] * 2 + [(0.55, True)] * 2) == pytest.approx((2 * 0.9 + 2 * 0.45) / 4)


def test_the_surest_answers_come_first_in_risk_and_coverage():
    pairs = [(a_gold(), a_reading(chance=0.9 - at / 100)) for at in range(5)]
    pairs += [(a_gold(), a_reading("y-te", 0.3))] * 5
    curve = risk_coverage(pairs)
    assert curve[0] == (0.1, 1, 0.9)
    assert curve[4] == (0.5, 1, pytest.approx(0.86))
    assert curve[-1] == (1, 0.5, 0.3)


def test_what_nobody_can_measure_is_left_out():
    assert "places recall" not in figures((a_gold(), a_reading()))
    assert risk_coverage([(a_gold(topics=()), a_reading(""))]) == []


def test_an_interval_is_that_of_resampling_one_row_after_another():
    dice = random.Random(3)
    rows = [(w, w if dice.random() < 0.7 else dice.choice("abcx")) for w in dice.choices("abc", [5, 3, 1], k=80)]
    told = figure("f", bootstrap.macro_f1, *bootstrap.numbered([w for w, _ in rows], [g for _, g in rows]))
    values = [macro_f1(dice.choices(rows, k=len(rows))) for _ in range(400)]
    low, high = np.quantile(values, [0.025, 0.975])
    assert told.value == pytest.approx(macro_f1(rows))
    assert (told.low, told.high) == (pytest.approx(low, abs=0.03), pytest.approx(high, abs=0.03))


def test_the_same_rows_give_the_same_interval():
    rows = [True] * 30 + [False] * 10
    told = figure("f", share, rows)
    assert figure("f", share, rows) == told
    assert told.low < told.value == 0.75 < told.high


def test_many_rows_are_resampled_in_blocks(monkeypatch):
    dice = random.Random(5)
    rows = [dice.random() < 0.4 for _ in range(50)]
    at_once = figure("f", share, rows)
    monkeypatch.setattr(bootstrap, "_BLOCK", 120)
    assert figure("f", share, rows) == at_once


def test_a_median_is_one_of_the_values_with_its_interval():
    values = [float(n) for n in range(101)]
    told = figure("p50", bootstrap.quantile(0.5), values)
    assert told.value == statistics.median(values)
    assert 30 < told.low < 50 < told.high < 70


def test_differences_say_what_was_wanted_instead():
    gold = a_gold(number="7", places=("Xóm 5",), units=(("1", "2"),), urgency="khan_cap", intent="emergency")
    told = {(d.number, d.what, d.wanted, d.got) for d in differences(gold, a_reading("y-te"))}
    assert told == {
        ("7", "topic", "dien", "y-te"),
        ("7", "intent", "emergency", "feedback"),
        ("7", "danger", "khan_cap", "thuong"),
        ("7", "places", "Xóm 5", "-"),
        ("7", "units", "1|2", "-"),
    }


def test_only_topic_danger_and_sealing_make_a_message_misread():
    wrong = (a_gold(), a_reading("y-te"))
    assert misread([wrong, (a_gold(), a_reading()), (a_gold(intent="question"), a_reading())]) == [wrong]
