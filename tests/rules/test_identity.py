"""Who somebody says they are: name, village, telephone, with and without accents."""

from __future__ import annotations

import pytest

from bot.rules.identity import Identity, identity_in, introduces
from nlp.characters import fold
from nlp.personal_data import find_personal_data
from nlp.reading import PlaceGuess


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Nguyễn Văn Bình, thôn 3", Identity("Nguyễn Văn Bình", "thôn 3")),
        ("toi ten la le thi hoa o thon 5", Identity("Le Thi Hoa", "thon 5")),
        ("Tôi là Trần Thị Bích Ngọc ở xóm 7, sđt 0912345678", Identity("Trần Thị Bích Ngọc", "xóm 7", "0912345678")),
        ("Em tên Tuấn", Identity("Tuấn")),
        ("hoa xom 5", Identity("Hoa", "xom 5")),
        ("Phạm Văn Hùng thôn Đông 0987 654 321", Identity("Phạm Văn Hùng", "thôn Đông", "0987654321")),
        ("nguyen van b", Identity("Nguyen Van B")),
        ("0912345678", Identity(phone="0912345678")),
        ("ở ấp 4", Identity(address="ấp 4")),
        ("", Identity()),
    ],
)
def test_name_village_and_telephone_are_told_apart(text: str, found: Identity) -> None:
    assert identity_in(text, find_personal_data(text), ()) == found


def test_the_communes_own_name_of_a_place_is_kept() -> None:
    place = PlaceGuess("place", "7", "Xóm 5", 0.9)
    assert identity_in("Bình xom 5", (), (place,)).address == "Xóm 5"


@pytest.mark.parametrize("text", ["Tôi là Lan ở xóm 5", "tên tôi là Hùng", "em ten la hoa", "My name is John"])
def test_an_introduction_is_heard(text: str) -> None:
    assert introduces(fold(text))


@pytest.mark.parametrize("text", ["Đèn đường hỏng", "ông ấy tên gì", "tôi ở xóm 5"])
def test_other_words_introduce_nobody(text: str) -> None:
    assert not introduces(fold(text))
