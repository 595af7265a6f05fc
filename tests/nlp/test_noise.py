"""The same message in the forms that people type."""

from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.characters import fold
from nlp.noise import FORMS, chat, misspelt, noisy, stripped, telex
from nlp.normalise import normalise
from tests.nlp.worlds import labelled

MESSAGES = [message.text for message in labelled("messages.tsv")]


@pytest.mark.parametrize("form", FORMS)
def test_a_message_always_comes_out_the_same(form):
    assert [noisy(form, text) for text in MESSAGES] == [noisy(form, text) for text in MESSAGES]


@pytest.mark.parametrize("form", FORMS)
@given(text=st.text(alphabet=st.characters(), max_size=60))
def test_any_text_has_every_form(form, text):
    assert isinstance(noisy(form, text), str)


def test_as_written_is_as_written():
    assert [noisy("as written", text) for text in MESSAGES] == MESSAGES


def test_raw_telex_is_what_the_keys_type():
    assert telex("Đường vào xóm Đoài ngập, người ướt hết") == "dduwowngf vaof xoms ddoaif ngaapj, nguwowif uwowts heets"


def test_nearly_all_words_in_raw_telex_are_understood_again():
    said = [[token.word for token in normalise(text).tokens] for text in MESSAGES]
    again = [[token.word for token in normalise(telex(text)).tokens] for text in MESSAGES]
    right = sum(
        word == other
        for words, others in zip(said, again, strict=True)
        for word, other in zip(words, others, strict=False)
    )
    assert right >= 0.9 * sum(map(len, said))


def test_without_accents_only_plain_letters_are_left():
    said = [stripped(text) for text in MESSAGES]
    assert all(unicodedata.normalize("NFD", text).isascii() for text in map(stripped, ["Đường ướt Ắ ỹ", "ổ gà"]))
    assert [fold(text) for text in said] == [fold(text) for text in MESSAGES]
    assert all(len(text) == len(unicodedata.normalize("NFC", was)) for text, was in zip(said, MESSAGES, strict=True))


def test_chat_shortens_words_in_small_letters():
    text = "Anh ơi, không biết ĐƯỜNG này bao giờ được sửa."
    said = {chat(text, random.Random(seed)) for seed in range(20)}
    assert len(said) > 1
    assert any("ko" in one.split() for one in said)
    assert all(one == one.lower() and not one.endswith(".") for one in said)


def test_misspelling_changes_some_words_and_leaves_most():
    for text in ["Đường vào xóm trước chợ sụt lún, xe chở đá chạy suốt ngày đêm, trẻ con đi học rất nguy hiểm " * 3]:
        words = text.split()
        wrong = [misspelt(text, random.Random(seed)).split() for seed in range(20)]
        changed = [sum(a != b for a, b in zip(words, other, strict=True)) / len(words) for other in wrong]
        assert 0.03 < sum(changed) / len(changed) < 0.3


@pytest.mark.parametrize("form", ["without accents", "chat", "misspelt", "telex"])
def test_numbers_are_never_touched(form):
    text = "gọi 0912345678 lúc 7h30, thửa 12/3"
    kept = noisy(form, text)
    assert all(number in kept for number in ("0912345678", "12/3"))
