"""Word lists are searched together, and what is told of a phrase at a glance is what a close look tells."""

from __future__ import annotations

import pytest

from nlp.characters import fold
from nlp.cues import find_cues
from nlp.normalise import normalise
from nlp.phrases import PhraseMatcher, is_settled, rows
from nlp.word_lists import CONCEPTS, INTENTS, LANDMARKS, LEXICON, SEALED, URGENCY, find_listed, phrases_of

LISTS = (LEXICON, INTENTS, URGENCY, SEALED, LANDMARKS, *CONCEPTS)
EVERY = 7


@pytest.mark.parametrize("name", LISTS)
def test_a_phrase_taken_as_it_stands_is_what_the_normaliser_writes(name):
    phrases = [row[1].removeprefix("=") for row in rows(name)][::EVERY]
    settled = [phrase for phrase in phrases if is_settled(phrase)]
    assert len(settled) > len(phrases) / 2
    for phrase in settled:
        tokens = normalise(phrase).tokens
        assert " ".join(token.accented for token in tokens) == phrase
        assert " ".join(token.word for token in tokens) == fold(phrase)


@pytest.mark.parametrize(
    "phrase", ["đường hư", "xóm bảy", "n g ậ p", "ngậpnước", "bhyt", "ql 5", "Xã", "nga65p", "", "a  b"]
)
def test_a_phrase_that_may_be_rewritten_is_not_taken_as_it_stands(phrase):
    assert not is_settled(phrase)


def test_lists_searched_together_find_what_each_finds_alone():
    text = normalise("Nhà cháy ở đầu ngõ 12, cán bộ đòi tiền, cho em hỏi làm giấy khai sinh ở đâu, cảm ơn, khói mù mịt")
    found = 0
    for name in (LEXICON, INTENTS, URGENCY, SEALED, LANDMARKS):
        alone = PhraseMatcher(phrases_of(name)).find(text)
        assert list(find_listed(text, name)) == alone
        found += len(alone)
    assert found > 10


def test_what_was_found_once_is_not_looked_for_again():
    text = normalise("Nhà hàng xóm đang cháy lớn, có người kẹt bên trong")
    assert find_cues(text, URGENCY) is find_cues(text, URGENCY)
    assert find_listed(text, URGENCY) is find_listed(text, URGENCY)
