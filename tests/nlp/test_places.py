"""Places are found under the names people give them, and never where a name means something else."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from nlp import home_places
from nlp.characters import fold
from nlp.home_places import find_home_places, read_places
from nlp.normalise import normalise
from nlp.place_matcher import Matcher
from nlp.reading import Home, KnownPlace
from tests.nlp.worlds import HOME, read

HERE = Path(__file__).parent


@cache
def vinh_khe() -> Home:
    """An invented commune with some seventy places."""
    return Home("1", "Vĩnh Khê", "80", read_places(HERE / "vinh_khe.csv"))


@cache
def cam_giang() -> Home:
    """Another one, with places of other kinds."""
    return Home("2", "Cẩm Giàng", "30", read_places(HERE / "cam_giang.csv"))


class Row(NamedTuple):
    """A message, the names of its places, and whether they bear one name."""

    text: str
    names: frozenset[str]
    is_shared: bool


@cache
def table(file_name: str) -> list[Row]:
    """The rows of a labelled table."""
    lines = (HERE / file_name).read_text(encoding="utf-8").splitlines()
    split = [line.split("\t") for line in lines if not line.startswith("#")]
    return [
        Row(text, frozenset(filter(None, names.lstrip("?").split("|"))), names.startswith("?")) for text, names in split
    ]


def found(text: str, home: Home | None = None) -> dict[str, float]:
    """The keys of the places found, each with its probability."""
    return {hit.value.place.key: p for hit, p in find_home_places(normalise(text), home or vinh_khe())}


def names(text: str, home: Home | None = None) -> set[str]:
    """The names of the places found in an invented commune."""
    return {hit.value.place.name for hit, _ in find_home_places(normalise(text), home or vinh_khe())}


def a_home(*places: KnownPlace) -> Home:
    """A home with these places."""
    return Home("1", "A", "0", places)


def without_accents(text: str) -> str:
    """The text as typed without diacritics, capitals kept."""
    return "".join(fold(c).upper() if c.isupper() else fold(c) for c in text)


@pytest.mark.parametrize("form", [str, without_accents])
@pytest.mark.parametrize(
    ("file_name", "home"),
    [("places.tsv", vinh_khe), ("places_held_out.tsv", vinh_khe), ("places_second.tsv", cam_giang)],
)
def test_places_of_the_list_are_found_and_others_are_not(file_name, home, form):
    rows = table(file_name)
    read_names = [(row.names, names(form(row.text), home())) for row in rows]
    right = sum(len(wanted & got) for wanted, got in read_names)
    false = [got for wanted, got in read_names if not wanted]
    precision = right / sum(len(got) for _, got in read_names)
    recall = right / sum(len(wanted) for wanted, _ in read_names)
    print(f"{file_name} {form.__name__}: precision {precision:.3f}, recall {recall:.3f}, {sum(map(bool, false))} false")
    assert precision >= 0.95
    assert recall >= 0.90
    assert sum(map(bool, false)) < 0.02 * len(false) + 1


def test_names_that_differ_in_accents_only_share_the_probability():
    for row in (row for row in table("places.tsv") if row.is_shared):
        probabilities = list(found(row.text).values())
        assert len(probabilities) == len(row.names)
        assert sum(probabilities) <= 1


def test_looking_for_places_takes_no_longer_than_reading_the_words():
    texts = [row.text for row in table("places.tsv")]
    words = [normalise(text) for text in texts]
    home = vinh_khe()
    find_home_places(words[0], home)

    def took(act: Callable[[], object]) -> float:
        start = time.process_time()
        for _ in range(10):
            act()
        return time.process_time() - start

    looking = [took(lambda: [find_home_places(one, home) for one in words]) for _ in range(3)]
    reading = [took(lambda: list(map(normalise, texts))) for _ in range(3)]
    assert min(looking) < 3 * min(reading)


def test_a_place_has_a_few_dozen_spellings_at_most():
    home = vinh_khe()
    assert len(Matcher(home.places, home.commune_name)._phrases) < 40 * len(home.places)


TWO_THIRDS = a_home(
    KnownPlace("1", "Khu phố 1", "khu phố"),
    KnownPlace("2", "Khu phố 2", "khu phố", ("phố Chài",)),
    KnownPlace("31", "Tổ 3", "tổ", (), "Khu phố 1"),
    KnownPlace("32", "Tổ 3", "tổ dân phố", (), "Khu phố 2"),
)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("tổ 3 khu phố 2 mất nước", {"2", "32"}),
        ("to 3 kp1 mat nuoc", {"1", "31"}),
        ("ở phố Chài, tổ 3 mất nước", {"2", "32"}),
        ("tổ 3 mất nước", {"31", "32"}),
        ("tổ 3 khu phố 1 và khu phố 2", {"1", "2", "31"}),
    ],
)
def test_the_place_it_belongs_to_tells_two_of_one_name_apart(text, keys):
    assert set(found(text, TWO_THIRDS)) == keys


def test_a_parent_that_is_not_of_the_list_tells_two_apart_as_well():
    home = a_home(KnownPlace("1", "Ngõ 5", "ngõ", (), "Phố Cau"), KnownPlace("2", "Ngõ 5", "ngõ", (), "Phố Bưởi"))
    assert found("ngo 5 pho buoi ngap", home).keys() == {"2"}


def test_an_alley_by_its_number_alone_may_be_of_several_streets():
    home = a_home(KnownPlace("1", "Hẻm 9 Nghĩa Sĩ", "hẻm"), KnownPlace("2", "Hẻm 9 Lê Lai", "hẻm"))
    assert found("hẻm 9 tối om", home) == {"1": 0.4, "2": 0.4}
    assert found("hẻm 9 Lê Lai tối om", home) == {"2": 0.95}


def test_a_street_called_after_a_lakes_namesake_is_a_street():
    home = a_home(KnownPlace("1", "Hồ Tùng Mậu", "đường"), KnownPlace("2", "Đội Cấn", "đường"))
    assert found("đường Hồ Tùng Mậu ngập", home).keys() == {"1"}
    assert found("phố Đội Cấn ngập", home).keys() == {"2"}


@pytest.mark.parametrize(
    "text", ["Trần Phú Quý nộp đơn", "em Nguyễn Trần Phú bị lạc", "trường Liên Xuân", "xã Khe Ngang"]
)
def test_a_bare_name_within_another_name_is_no_place(text):
    assert not names(text)


def test_another_correctly_spelled_name_is_not_a_slip():
    assert not names("thôn Liên Xuyên ngập")
    assert names("thôn Liên Xuna ngập") == {"Thôn Liên Xuân"}


@pytest.mark.parametrize(
    "text", ["", "   ", "\u0301", "thôn", "tổ 3,", "xóm 7 và", "hẻm", "x.", "ở", "thôn " * 500, "7, " * 500]
)
def test_a_text_cut_short_or_without_end_is_read(text):
    assert isinstance(find_home_places(normalise(text), vinh_khe()), list)


@pytest.mark.parametrize(
    "name", ["", " ", "-", "Thôn", "5", "Hẻm", "Hẻm Cụt", "Trường", "đ", "😀", "x" * 160, "th", "Trường TH"]
)
def test_a_strange_name_in_the_list_does_no_harm(name):
    home = a_home(KnownPlace("1", name, ""), KnownPlace("2", "Xóm 7", "xóm", (name, "|")))
    assert "2" in found("xóm 7 ngập", home)


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


def test_where_both_kinds_are_numbered_one_is_not_called_the_other():
    home = a_home(
        KnownPlace("1", "Khu phố 1", "khu phố"), KnownPlace("2", "Tổ 5", "tổ"), KnownPlace("3", "Xóm 8", "xóm")
    )
    assert not found("khu phố 5 mất nước", home)
    assert found("thôn 8 mất nước", home).keys() == {"3"}


@pytest.mark.parametrize(
    "text",
    [
        "nhà ông Tư đối diện", "cạnh cây xăng cũ", "quanh lò gạch bỏ hoang", "sân vận động Mỹ Đình", "chợ Cầu Đá đông",
        "nông thôn mới", "ca xom nghe tieng no", "kênh Tám Cửa cạn", "siêu thị mini Hoa Mai", "len tan thanh pho",
    ],
)  # fmt: skip
def test_everyday_words_and_others_names_are_no_places(text):
    assert not names(text)


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


BANK = Home(
    "3",
    "Diên Khê",
    "80",
    (
        KnownPlace("1", "Ấp Tầm Vu", "ap"),
        KnownPlace("2", "Cống Hai Lai", "cong"),
        KnownPlace("3", "Cầu Ông Mười", "cau"),
        KnownPlace("4", "Thôn Thượng Đáp", "thôn"),
        KnownPlace("5", "Thôn Hạ Đáp", "thôn"),
        KnownPlace("6", "Kiệt 27 Hùng Vương", "kiệt"),
        KnownPlace("7", "Đường Hùng Vương", "đường"),
        KnownPlace("8", "Ấp Bờ Xoài", "ap"),
        KnownPlace("9", "Trường Tiểu học Diên Khê số 1", "trường"),
        KnownPlace("10", "Đường 3 Tháng 2", "duong"),
    ),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nước máy ấp Tầm Vu yếu", {"Ấp Tầm Vu"}),
        ("nuoc may ap tam vu yeu xiu", {"Ấp Tầm Vu"}),
        ("không chịu mở cống hai lai", {"Cống Hai Lai"}),
        ("ngay dốc cầu ông 10", {"Cầu Ông Mười"}),
        ("ngập đường ba tháng hai", {"Đường 3 Tháng 2"}),
        ("thôn Thượng Đáp và Hạ Đáp mất điện", {"Thôn Thượng Đáp", "Thôn Hạ Đáp"}),
        ("kiệt hai bảy hùng vương tối om", {"Kiệt 27 Hùng Vương"}),
        ("trường tiểu học số 1 dột", {"Trường Tiểu học Diên Khê số 1"}),
        ("tổ 9 bờ xoài mất nước", {"Ấp Bờ Xoài"}),
        ("bà con bờ xoài kêu quá", {"Ấp Bờ Xoài"}),
        ("nó chặt cái bờ xoài của tui", set()),
    ],
)
def test_a_name_is_known_however_its_numbers_and_kind_are_written(text: str, expected: set[str]) -> None:
    assert names(text, BANK) == expected


def test_an_alleys_street_is_part_of_its_name() -> None:
    assert names("kiệt 27 Hùng Vương ngập", BANK) == {"Kiệt 27 Hùng Vương"}
    assert names("kiệt 27 và đường Hùng Vương ngập", BANK) == {"Kiệt 27 Hùng Vương", "Đường Hùng Vương"}


def test_a_new_list_takes_the_old_ones_place_in_memory() -> None:
    before = len(home_places._matchers)
    for number in range(20):
        home = Home("remembered", "Một Xã", "80", (KnownPlace("1", f"Chợ Nhớ {number}", "chợ"),))
        assert names(f"gần chợ nhớ {number}", home) == {f"Chợ Nhớ {number}"}
    assert len(home_places._matchers) <= before + 1
