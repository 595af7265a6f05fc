"""Spelling does not change what is read: accents, composition, shorthand and raw keystrokes."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.normalise import fold, normalise

VIETNAMESE = st.text(
    alphabet="aăâbcdđeêghiklmnoôơpqrstuưvxyàáảãạằắẳẵặầấẩẫậòóỏõọừứửữựÀÁĐƯ 0123456789.,!?\n", max_size=60
)


@given(st.text(max_size=80))
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


@given(VIETNAMESE)
def test_normalising_the_folded_view_changes_nothing(text):
    once = normalise(text).folded
    assert normalise(once).folded == once


@given(VIETNAMESE)
def test_composed_and_decomposed_spellings_read_the_same(text):
    composed = normalise(unicodedata.normalize("NFC", text))
    decomposed = normalise(unicodedata.normalize("NFD", text))
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))
    assert composed.folded == decomposed.folded
    assert [(t.word, t.accented) for t in composed.tokens] == [(t.word, t.accented) for t in decomposed.tokens]


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Đường", "duong"),
        ("dduowngf", "duong"),
        ("ko dc", "khong duoc"),
        ("p. Dĩ An", "phuong di an"),
        ("xóm bảy", "xom 7"),
        ("kp3", "khu pho 3"),
    ],
)
def test_what_people_type_is_written_out(text, folded):
    assert normalise(text).folded == folded
