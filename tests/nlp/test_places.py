"""Places are found under the names people give them, and never where a name means something else."""

from __future__ import annotations

import pytest

from nlp.reading import Home, KnownPlace
from tests.nlp.worlds import HOME, read


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("xóm 5 ngập", "1"),
        ("xom 5 ngap", "1"),
        ("xom5 ngap", "1"),
        ("Thôn 5 mất điện", "1"),
        ("XOM 05 mat nuoc", "1"),
        ("xóm số 5", "1"),
        ("tổ dân phố 7 mất nước", "2"),
        ("xóm bảy ngập", "2"),
        ("xoms 7 bij ngaapj", "2"),
        ("gan cho dinh", "3"),
        ("truong le loi day them", "4"),
        ("tiểu học Lê Lợi thu tiền", "4"),
        ("thôn Chùa ngập", "5"),
        ("kp3 mat dien", "6"),
        ("đường Trần Phú hư", "7"),
    ],
)
def test_a_place_of_the_commune_is_found(text, key):
    place = read(text).places[0]
    assert (place.level, place.key, place.is_here) == ("place", key, True)


@pytest.mark.parametrize("text", ["tổ 5 người đi thu tiền", "lớp 5 trường làng", "5 xóm đều ngập", "hàng xóm hát to"])
def test_a_number_beside_a_unit_word_is_not_always_a_place(text):
    assert all(place.level != "place" for place in read(text).places)


def test_the_exact_name_wins_over_an_equal_unit():
    home = Home("1", "A", "0", (KnownPlace("1", "Xóm 5", "xóm"), KnownPlace("2", "Tổ 5", "tổ")))
    assert [place.key for place in read("tổ 5 mất nước", home).places] == ["2"]


def test_a_name_that_means_two_places_is_unsure():
    home = Home("1", "A", "0", (KnownPlace("1", "Xóm 5", "xóm"), KnownPlace("2", "Tổ 5", "tổ")))
    places = read("thôn 5 mất nước", home).places
    assert {place.key for place in places} == {"1", "2"}
    assert all(place.probability < 0.5 for place in places)


def test_the_home_commune_is_here():
    place = read("xã Đức Huệ mất điện").places[0]
    assert (place.level, place.key, place.is_here) == ("commune", "27925", True)


@pytest.mark.parametrize("text", ["phường Ba Đình mất điện", "phuong ba dinh mat dien", "P. Ba Đình mất điện"])
def test_another_commune_is_not_here(text):
    place = read(text).places[0]
    assert (place.level, place.key, place.is_here) == ("commune", "00004", False)


def test_the_province_tells_communes_of_one_name_apart():
    assert read("xã Tân Thạnh, tỉnh Đồng Tháp ngập").places[0].key == "30003"


def test_a_name_borne_by_several_communes_is_a_question():
    place = read("xã Tân Hiệp ngập").places[0]
    assert (place.level, place.key, place.codes, place.question) == ("commune", "", ("30001", "30002"), "which")


@pytest.mark.parametrize("text", ["đường Bình Minh hư", "ông Bình Minh say rượu", "tới lúc bình minh", "binh minh len"])
def test_a_street_a_person_or_a_word_is_no_commune(text):
    assert all(place.level != "commune" for place in read(text).places)


def test_a_truck_coming_from_elsewhere_does_not_move_the_report():
    assert read("xe tải từ phường Ba Đình chạy qua làm hỏng đường").intent == "feedback"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rác cạnh trường tiểu học có mùi", "cạnh trường tiểu học"),
        ("rac canh truong tieu hoc", "canh truong tieu hoc"),
        ("gần chợ rác đầy", "gần chợ"),
        ("ngõ 12 tối om", "ngõ 12"),
        ("đường Nguyễn Huệ ngập", "đường Nguyễn Huệ"),
    ],
)
def test_words_that_say_where_are_kept(text, name):
    place = read(text).places[0]
    assert (place.level, place.key, place.name) == ("words", "", name)


def test_a_message_without_a_place_has_none():
    assert read("mất điện từ sáng tới giờ").places == ()


def test_a_home_without_places_or_name_is_read():
    assert read("xóm 5 ngập", Home("", "", "")).topic == "thoat-nuoc-ngap"


def test_names_written_decomposed_or_empty_do_no_harm():
    home = Home("1", "A", "0", (KnownPlace("1", "Xo\u0301m 5", "xo\u0301m", ("", " ")), KnownPlace("2", "", "")))
    assert read("xóm 5 ngập", home).places[0].key == "1"


def test_the_home_of_these_tests_is_hashable():
    assert hash(HOME)
