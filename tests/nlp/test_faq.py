"""Frequent questions are recognised however they are asked, and what no entry answers is left to people."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from nlp.clues import find_clues
from nlp.faq import FAQ_MODEL_FILE, FaqEntry, FaqFinder, FaqMatch, shipped_entries, shipped_faq
from nlp.faq_training import faq_digest
from nlp.model import Model
from nlp.normalise import fold, normalise
from nlp.reader import shipped_judge
from nlp.topics import TOPICS
from tests.nlp.worlds import read

HERE = Path(__file__).parent


@cache
def asked() -> tuple[tuple[str, str], ...]:
    """Questions by other people than those who wrote the entries: the right keys ("-": none), and the text."""
    lines = (HERE / "faq_questions.tsv").read_text(encoding="utf-8").splitlines()
    return tuple((key, text) for key, text in (line.split("\t") for line in lines))


def found(text: str, finder: FaqFinder | None = None) -> FaqMatch | None:
    subjects = shipped_judge().ask(find_clues(normalise(text)).names).probabilities("topic")
    return (finder or FaqFinder()).find(text, subjects)


def test_the_entries_that_ship_are_whole() -> None:
    entries = shipped_faq()
    assert len(entries) >= 40
    assert len({entry.key for entry in entries}) == len(entries)
    for entry in entries:
        assert entry.topic in TOPICS, entry.key
        assert entry.source.strip(), entry.key
        assert entry.as_of.strip(), entry.key
        assert 50 < len(entry.answer) <= 700, entry.key
        assert len(entry.variants) >= 5, entry.key


def test_the_model_that_ships_is_of_these_entries() -> None:
    assert Model.load(FAQ_MODEL_FILE).note == f"faq {faq_digest()}", "run make model: entries or word lists changed"


def test_what_is_learned_from_is_not_tested_with() -> None:
    taught = {fold(text) for entry in shipped_entries() for text in entry.phrasings}
    assert [text for _, text in asked() if fold(text) in taught] == []


def test_the_right_entry_comes_first_and_wrong_ones_are_seldom_sure() -> None:
    meant = [(keys.split("|"), found(text)) for keys, text in asked() if keys != "-"]
    first = [match is not None and match.key in keys for keys, match in meant]
    sure = [match.key in keys for keys, match in meant if match and match.is_sure]
    # What is a report, a courtesy or a secret is never taken for a question.
    others = [found(text) for keys, text in asked() if keys == "-" and read(text).intent == "question"]
    told = sum(match is not None and match.is_sure for match in others)
    wrong = sure.count(False) + told
    print({"first": sum(first) / len(first), "sure": len(sure) / len(first), "wrong": wrong, "of": len(asked())})
    assert sum(first) >= 0.85 * len(first)
    assert len(sure) >= 0.4 * len(first)
    assert wrong <= 0.03 * len(asked())


def test_a_question_without_accents_is_the_same_question() -> None:
    same = [
        (a and a.key) == (b and b.key)
        for a, b in ((found(text), found(fold(text))) for keys, text in asked() if keys != "-")
    ]
    assert sum(same) >= 0.85 * len(same)


def test_a_commune_adds_changes_and_hides_entries() -> None:
    own = FaqEntry(
        "cho-dem", "van-hoa-the-thao", ("Chợ đêm họp mấy giờ?", "cho dem mo cua luc nao", "chợ đêm tối nào họp")
    )
    match = found("cho hỏi chợ đêm họp tới mấy giờ vậy", FaqFinder([own]))
    assert match is not None
    assert (match.key, match.is_sure) == ("cho-dem", True)
    question = "Đăng ký khai sinh cho con cần giấy tờ gì?"
    assert getattr(found(question), "key", None) == "khai-sinh"
    assert getattr(found(question, FaqFinder(hidden={"khai-sinh"})), "key", None) != "khai-sinh"


@pytest.mark.parametrize("text", ["", "?", "👍", "alo", "zzzz qqqq", "chó nhà bên sủa cả đêm không ai ngủ được"])
def test_what_is_no_question_of_the_list_finds_nothing_sure(text: str) -> None:
    match = found(text)
    assert match is None or not match.is_sure
