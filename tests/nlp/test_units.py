"""Administrative units are found under today's names and former ones, and never where a name means something else."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.localities import find_places
from nlp.normalise import normalise
from nlp.reading import Home, KnownPlace, PlaceGuess, Reading
from nlp.units import Gazetteer, UnitGuess
from tests.nlp.worlds import HERE, build_country, seeded_rows, whole_country

NOWHERE = Home("", "", "")
GO_VAP = Home("26890", "Gò Vấp", "79")
TAY_NINH = Home("", "", "80")


def find(text: str, home: Home = NOWHERE, taken: tuple[tuple[int, int], ...] = ()) -> tuple[UnitGuess, ...]:
    return whole_country().find(normalise(text), home, taken)


def codes(text: str, home: Home = NOWHERE) -> list[str]:
    return [",".join(unit.codes) for unit in find(text, home)]


@pytest.mark.parametrize("text", ["phường 15 quận Tân Bình", "p15 q tan binh", "P.15, Q.Tân Bình, TP.HCM"])
def test_an_address_is_one_unit_with_its_parents_consumed(text):
    (unit,) = find(text)
    assert (unit.level, unit.codes, unit.is_former) == ("commune", ("27004", "27007"), True)
    assert (unit.first, unit.last) == (0, len(normalise(text).tokens))


def test_a_named_quan_means_the_old_system():
    assert find("P. Tân An, Q. Ninh Kiều")[0].name == "Phường Tân An, Quận Ninh Kiều"
    assert codes("P. Tân An, Q. Ninh Kiều") == ["31135"]


def test_todays_name_is_meant_when_nothing_tells():
    (unit,) = find("phường Ninh Kiều")
    assert (unit.codes, unit.is_former, unit.name) == (("31135",), False, "Phường Ninh Kiều")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Q1 ngập", "26737,26740,26743,26758"),
        ("quận Mười Hai ngập", "26767,26773,26782,26785,26791"),
        ("q gv ngap", "26876,26878,26882,26884,26890,26898"),
        ("tx Sơn Tây cũ", "09574,09604,09616,09988"),
        ("quận 9 ngập", "26833,26842,26848,26857,26860"),
        ("tỉnh Hà Nam", "37"),
        ("bà rịa vũng tàu", "79"),
        ("TPHCM", "79"),
        ("ở Sài Gòn", "79"),
        ("tỉnh Đăk Nông", "68"),
        ("P5Q3", "27154"),
        ("phường15 quận tân bình", "27004,27007"),
        ("huyện đảo Lý Sơn", "21548"),
        ("phường Vĩ Dạ, Huế", "19777"),
        ("Huyện Đắk R'Lấp", "24733,24751,24760"),
        ("TP. Tam Kỳ, Quảng Nam", "20335,20341,20350,20356"),
        ("tan binh hcm", "27004"),
        ("hoà khánh bắc liên chiểu đà nẵng", "20197"),
        ("quận Hải Châu, phường Bình Hiên", "20242"),
        ("xã cũ Gia Canh, huyện Định Quán", "26206"),
    ],
)
def test_people_write_units_in_many_ways(text, expected):
    assert codes(text) == [expected]


def test_two_wards_joined_by_and_share_the_district_behind_them():
    assert codes("phường 5 và phường 7 quận 3") == ["27154", "27139"]


def test_a_split_unit_is_a_question():
    (unit,) = find("phường Đa Kao, Q.1")
    assert (unit.codes, unit.question) == (("26737", "26740"), "split")


def test_a_name_borne_by_several_is_a_question():
    (unit,) = find("xã Châu Thành")
    assert (len(unit.codes), unit.question) == (5, "which")
    assert unit.probability < 0.5


def test_the_home_province_decides_between_units_of_one_name():
    (unit,) = find("xã Châu Thành", TAY_NINH)
    assert (unit.codes, unit.question) == (("25585",), "")


def test_the_home_commune_wins_over_all_others_of_its_name():
    (unit,) = find("phường 3 ngập", GO_VAP)
    assert (unit.codes, unit.is_here) == (("26890",), True)


def test_a_district_around_the_home_is_neither_here_nor_elsewhere():
    assert find("quận Gò Vấp", GO_VAP)[0].is_here is None
    assert find("quận Tân Bình", GO_VAP)[0].is_here is False


@pytest.mark.parametrize(
    "text",
    [
        "đường Nguyễn Trãi ngập",
        "chợ Bến Thành đông", "trường Tân Thành thu tiền", "anh Minh Khai nói", "cầu Bình Triệu",
        "bệnh viện Chợ Rẫy", "công ty TNHH Tân Thành", "bến xe Miền Tây", "ga Sài Gòn", "chùa Vĩnh Nghiêm",
        "12 Nguyễn Huệ", "bác Hồ Chí Minh", "xa lắm", "xa lam", "phương án đền bù", "phuong an den bu",
        "xã hội phức tạp",
        "phố xá đông đúc", "thành phố nhiều rác", "tổ 5 khu phố 3", "lên phường 3 lần rồi", "xa minh co to tu van",
        "xã chỉ đạo rồi", "nha xa hoi", "hợp tác xã cho vay", "tinh la gi", "quan ba Bich", "an toàn thực phẩm ATTP",
    ],
)  # fmt: skip
def test_streets_people_and_everyday_words_are_no_units(text):
    assert find(text) == ()


def test_accents_tell_two_units_apart():
    assert codes("xã Cẩm Giang, Hải Phòng") == ["10888"]
    assert codes("xã Cẩm Giàng, Hải Phòng") == ["10903"]
    assert codes("xa cam giang, hai phong") == ["10888,10903"]


def test_the_place_of_a_tone_mark_tells_nothing():
    assert codes("phường Tuy Hoà") == codes("phường Tuy Hòa") != []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("phường Hiệp Bihn Chánh", "26809"),
        ("thi tran dong ahn", "00454,00466,00475"),
        ("xã Trung Lập Hạj, huyện Củ Chi", "27511"),
        ("quân Gò Vấpp", "26876,26878,26882,26884,26890,26898"),
    ],
)
def test_one_wrong_letter_after_a_type_word_is_forgiven(text, expected):
    assert codes(text) == [expected]


def test_words_that_only_resemble_a_name_are_not_forgiven():
    assert find("xa minh cho hoi") == find("phuong an boi thuong") == find("nhờ xã cho vay") == ()


def test_a_taken_name_is_left_to_the_place_it_is():
    assert find("trường Lê Lợi, xã Tân Thành", taken=((3, 6),)) == ()


def test_a_home_place_inside_an_address_stays_a_place():
    home = Home("27925", "Đức Huệ", "80", (KnownPlace("7", "Đường Lê Lợi", "đường"),))
    places = find_places(normalise("đường Lê Lợi, xã Đức Huệ ngập"), home, whole_country()).guesses
    assert [(place.level, place.key) for place in places] == [("place", "7"), ("commune", "27925")]


def test_a_former_unit_elsewhere_moves_the_report():
    found = find_places(normalise("phường 15 quận Tân Bình ngập"), GO_VAP, whole_country())
    (place,) = found.guesses
    assert found.elsewhere
    assert (place.key, place.codes, place.is_former, place.question) == ("", ("27004", "27007"), True, "split")
    assert place.words == "Phường 15, Quận Tân Bình (nay: Phường Tân Bình, Phường Tân Sơn)"


def test_a_former_name_is_read_with_todays_beside_it():
    place = PlaceGuess("commune", "1", "Phường 15, Quận Tân Bình", 0.9, is_former=True, now="Phường Tân Sơn")
    assert place.words == "Phường 15, Quận Tân Bình (nay: Phường Tân Sơn)"


def test_readings_kept_before_and_after_are_understood():
    old = {"intent": "feedback", "places": [{"level": "commune", "key": "1", "name": "A", "probability": 0.9}]}
    assert Reading.from_json(old).places[0].codes == ()
    new = Reading("feedback", places=(PlaceGuess("commune", "", "A", 0.5, None, ("1", "2"), True, "split", "B"),))
    assert Reading.from_json(new.to_json()) == new


def test_a_gazetteer_without_history_still_knows_today():
    today = Gazetteer(seeded_rows())
    assert today.find(normalise("phường Ninh Kiều"), NOWHERE)[0].codes == ("31135",)
    assert Gazetteer([]).find(normalise("phường Ninh Kiều"), NOWHERE) == ()


PIECES = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["p", "15", " ", ", ", "q.", "xã", "thị", "tp", "Tân Bình", "p5q3", "cũ", "Đắk R'", "hcm", "r'", "ATTP"]
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=14).map(" ".join))
def test_any_text_is_read(text):
    words = normalise(text)
    for unit in whole_country().find(words, GO_VAP):
        assert 0 <= unit.first < unit.last <= len(words.tokens)
        assert unit.codes == tuple(sorted(set(unit.codes))) != ()
        assert 0 < unit.probability < 1


def labelled(file_name: str) -> list[list[str]]:
    lines = (HERE / file_name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def _home(code: str) -> Home:
    parent = {row[0]: row[3] for row in seeded_rows()}.get(code)
    if code == "-":
        return NOWHERE
    return Home(code, "", parent) if parent else Home("", "", code)


@pytest.mark.parametrize("file_name", ["units.tsv", "units_held_out.tsv"])
def test_most_units_of_real_messages_are_found_exactly(file_name):
    right: Counter[str] = Counter()
    rows = labelled(file_name)
    for kind, home, expected, text in rows:
        found = sorted(codes(text, _home(home))) or ["-"]
        right[kind] += found == sorted(expected.split(";"))
    totals = Counter(row[0] for row in rows)
    print({kind: f"{right[kind]}/{totals[kind]}" for kind in totals})
    assert right.total() >= 0.95 * len(rows)
    assert totals["none"] - right["none"] < 0.02 * totals["none"]


def test_the_whole_country_is_built_fast_and_read_fast():
    rows = seeded_rows()
    assert len(rows) == 34 + 3321
    start = time.process_time()
    build_country(rows)
    assert time.process_time() - start < 1
    texts = [normalise(row[3]) for row in labelled("units.tsv")]
    find("khởi động")
    start = time.process_time()
    for text in texts:
        whole_country().find(text, GO_VAP)
    assert (time.process_time() - start) / len(texts) < 0.001


def test_a_long_text_takes_no_more_than_its_length():
    start = time.process_time()
    find("xa tan thanh, p5 q3 " * 2000)
    assert time.process_time() - start < 2


def _commune(code: str) -> Home:
    name, parent = next((row[2], row[3]) for row in seeded_rows() if row[0] == code)
    return Home(code, name, parent)


@pytest.mark.parametrize(
    ("home", "text", "expected"),
    [
        ("08866", "song lo lo ben duc bac khong ai lo", ["08848"]),  # a former commune nearby
        ("28159", "cần giuộc ơi kho mút bốc khói", ["28159"]),  # the home itself
        ("08866", "nha em o ben phong binh", []),  # far away: "phong bình" may be anything
        ("08866", "xa cho binh minh len song", []),
        ("-", "ga chet hang loat ben tu du lap thach", ["08761"]),
        ("-", "Độc lập - Tự do - Hạnh phúc", []),
        ("-", "mẹ tôi ở A Lưới 2", ["20044"]),
        ("-", "nhà ở Thạch Khê ngoài Hà Tĩnh mất điện", ["18604"]),
    ],
)
def test_a_name_alone_counts_near_home_or_where_it_can_be_nothing_else(home, text, expected):
    assert codes(text, NOWHERE if home == "-" else _commune(home)) == expected
