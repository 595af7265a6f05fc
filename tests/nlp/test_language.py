"""Vietnamese is told from other languages, with accents or without; nothing is said of a text without words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.characters import fold
from nlp.examples import shipped_examples
from nlp.language import language_of
from nlp.normalise import normalise

VIETNAMESE = [
    "đường vào xóm 5 đầy ổ gà", "duong vao xom 5 day o ga", "mat dien 3 ngay roi", "ko co nuoc k ai lo",
    "dduowngf ngaapj nuwowcs", "Kính göûi UÛy ban nhaân daân xaõ", "n g ậ p n ư ớ c", "mấtđiện", "alo", "ok ad",
    "Buôn Ma Thuột, buôn Akõ Dhông mất nước",
    "tôi là Ksor H'Bun ở buôn Krông, đường hư nặng",
    "wifi nhà văn hóa yếu quá", "sos cứu với", "to toi chua co nuoc", "the can cuoc cua toi bi mat",
]  # fmt: skip
OTHER = [
    "There is a big hole in the road near my house", "The street light does not work", "please help me, no water",
    "hello sir can you help me with my visa", "我家门口的路坏了", "ផ្លូវខូច", "도로가 파손되었습니다",
    "道路が壊れています",
    "Дорога разбита", "Bonjour, la rue est en mauvais état depuis longtemps", "Koj nyob qhov twg kuv xav paub",
    "Ơ awa, ih dôk hlei ŏh mâo êa mnăm ôh, ƀuôn sang drei čiăng", "mohon bantuan jalan rusak parah",
    "ꨀꨇꩉ ꨌꩌ", "saya mau lapor jalan berlubang",
]  # fmt: skip


@pytest.mark.parametrize("text", VIETNAMESE)
def test_vietnamese_is_known_with_accents_and_without(text):
    assert language_of(normalise(text)) == "vi"
    assert language_of(normalise(fold(text))) == "vi"


@pytest.mark.parametrize("text", OTHER)
def test_other_languages_are_told_apart(text):
    assert language_of(normalise(text)) == "other"


@pytest.mark.parametrize("text", ["", "  ", "👍👍", "0912345678", "...?!", "🚒🔥 114", "\u200b"])
def test_a_text_without_letters_has_no_language(text):
    assert language_of(normalise(text)) == "none"


def test_nearly_every_message_that_ships_is_vietnamese():
    texts = [example.text for example in shipped_examples()[::7] if len(example.text) > 12]
    for written in (texts, [fold(text) for text in texts]):
        wrong = [text for text in written if language_of(normalise(text)) != "vi"]
        assert len(wrong) <= 0.01 * len(written), wrong


@given(st.text(max_size=80))
def test_any_text_has_an_answer(text):
    assert language_of(normalise(text)) in {"vi", "other", "none"}
