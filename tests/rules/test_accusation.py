"""Whom the words of a sealed report seem to accuse: every unit that is not merely spoken to, and surely the leaders."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from bot.rules.accusation import LEADERSHIP, Accused, accused
from nlp.normalise import fold

SURELY, PERHAPS, NOT = True, False, None


@pytest.mark.parametrize(
    "text",
    [
        "Tôi tố cáo chủ tịch xã nhận hối lộ của doanh nghiệp",
        "to cao chu tich xa nhan hoi lo 200 trieu",
        "Tố cáo ông Nguyễn Văn A, chủ tịch UBND xã, lấy đất công bán cho người nhà",
        "Ông phó chủ tịch xã ăn chặn tiền hỗ trợ lũ lụt",
        "pho chu tich xa an chan tien ho tro",
        "Bí thư đảng ủy xã bao che cho con trai đánh bạc",
        "bi thu xa bao ke cho song bac",
        "UBND xã lập khống hồ sơ để rút tiền dự án",
        "ubnd xa lap khong ho so rut tien",
        "Lãnh đạo xã chia chác đất công với nhau",
        "lanh dao xa an tien cua dan",
        "ct xã ăn tiền dự án đường bê tông",
        "pct xa nhan tien chay viec cho chau ruot",
        "Tôi đưa phong bì 20 triệu cho chủ tịch xã để được cấp sổ",
        "toi da dua 20 trieu cho ong chu tich xa",
        "Gia đình tôi bị chủ tịch xã đe dọa vì khiếu nại",
        "Sai phạm của chủ tịch xã trong việc thu hồi đất",
        "Đơn tố cáo bà Phó Chủ tịch phường tham ô quỹ khuyến học",
        "Tố cáo công an xã và chủ tịch xã thông đồng bắt người",
        "to cao truong thon, chu tich xa chia nhau tien den bu",
        "Chủ tịch xã vòi tiền doanh nghiệp mới ký giấy phép",
        "chủ tịch phường lợi dụng chức vụ chiếm đoạt đất của dân",
        "Tôi gửi đơn lên chủ tịch xã mà ông ấy ngâm đơn. Chủ tịch xã bao che cho cán bộ sai phạm",
        "Chủ tịch HĐND xã tham nhũng tiền quỹ vì người nghèo",
        "Đảng ủy xã bao che cán bộ ăn tiền",
        "chủ tịch xã và công an xã nhận hối lộ",
        "Cả ủy ban ăn tiền",
        "tố cáo Bí thư kiêm Chủ tịch UBND xã Đức Huệ lập quỹ đen",
    ],
)
def test_leaders_who_are_denounced_or_do_it_are_surely_accused(text: str) -> None:
    assert accused(fold(text)) == Accused(accused(fold(text)).units | {LEADERSHIP}, leaders=True), text


@pytest.mark.parametrize(
    "text",
    [
        "Con trai chủ tịch xã bán ma túy ở xóm 5",
        "em ruot chu tich xa bao ke bai xe",
        "hàng xóm là em chủ tịch xã đánh tôi",
        "Mấy ông trên xã ăn tiền hết",
        "Tài xế của chủ tịch xã đánh người rồi bỏ chạy",
        "Ai cũng bảo chủ tịch xã biết việc này mà im lặng",
        "Trưởng thôn ăn chặn tiền, nghe nói là người của bí thư xã",
        "Việc này có liên quan tới phó chủ tịch xã",
    ],
)
def test_leaders_who_are_named_otherwise_are_perhaps_accused(text: str) -> None:
    found = accused(fold(text))
    assert (LEADERSHIP in found.units, found.leaders) == (True, False), text


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("Kính gửi Chủ tịch UBND xã, tôi tố cáo ông Tám hàng xóm buôn ma túy", set()),
        ("Kinh gui chu tich xa, toi to giac nha ong Tam ban ma tuy", set()),
        ("Nhờ chủ tịch xã xử lý cán bộ địa chính nhận hối lộ", {"kinh-te"}),
        ("nho chu tich xa xu ly can bo dia chinh nhan hoi lo", {"kinh-te"}),
        ("Tôi đã báo UBND xã mà chưa ai xuống, nhà đó vẫn bán ma túy", set()),
        ("Mong lãnh đạo xã xem xét việc trưởng thôn Năm ăn chặn tiền hỗ trợ", {"thon"}),
        ("mong lanh dao xa xem xet truong thon 5 an chan tien", {"thon"}),
        ("Cán bộ địa chính UBND xã nhận hối lộ làm sổ đỏ", {"kinh-te"}),
        ("Tôi lên ủy ban xã làm giấy bị cán bộ một cửa vòi tiền", {"hcc"}),
        ("toi len uy ban lam giay bi nhan vien mot cua doi 500k", {"hcc"}),
        ("Công an xã đánh người vô cớ", {"cong-an"}),
        ("cong an xa nhan tien bao ke bai xe", {"cong-an"}),
        ("Đã báo công an xã, nhà ông Ba cho vay nặng lãi đòi giết tôi", set()),
        ("da bao cong an xa ma ho an tien bao ke luon", {"cong-an"}),
        ("Đề nghị công an xã vào cuộc, có người đánh vợ dã man", set()),
        ("Trạm trưởng trạm y tế bán thuốc bảo hiểm lấy tiền", {"tram-y-te"}),
        ("Trưởng ấp thu tiền làm đường không công khai", {"thon"}),
        ("Xã đội trưởng bắt dân đóng tiền thay nghĩa vụ quân sự", {"quan-su"}),
        ("Bí thư chi bộ thôn 3 ăn bớt xi măng làm đường", {"thon"}),
        ("Chủ tịch hội phụ nữ xã giữ tiền vay của chị em", set()),
        ("Chủ tịch UBND tỉnh chỉ đạo mà dưới này không làm, hàng xóm đánh bạc", set()),
        ("Tố cáo công an xã nhận tiền, nhờ chủ tịch xã làm rõ", {"cong-an"}),
        ("to cao cong an xa nhan tien, nho chu tich xa lam ro", {"cong-an"}),
        ("Tố cáo với chủ tịch xã việc địa chính đo sai đất để ăn tiền", {"kinh-te"}),
        ("Cán bộ văn hóa xã hội bớt xén tiền người khuyết tật", {"van-hoa-xa-hoi"}),
        ("Cháu bị chú dượng đánh đập hằng ngày", set()),
        ("Có người bán ma túy sau trụ sở UBND xã", set()),
        ("Tôi muốn chết", set()),
    ],
)
def test_who_is_only_spoken_to_is_not_accused(text: str, units: set[str]) -> None:
    assert accused(fold(text)) == Accused(frozenset(units)), text


def test_a_communes_own_agency_is_known_by_its_name() -> None:
    names = {"doi-thue": (fold("Đội thuế liên xã"),), "cong-an": (fold("Công an xã"),)}
    assert accused(fold("Đội thuế liên xã vòi tiền quán tôi"), names).units == {"doi-thue"}
    assert accused(fold("Công an viên ăn tiền"), names).units == {"cong-an"}
    assert accused("", names) == Accused()


@pytest.mark.parametrize(
    "text",
    [
        "Chủ tịch xã ơi chồng em cầm dao đòi giết em, cứu",
        "Ủy ban xã có biết chồng chị Lan đánh đập vợ con suốt không",
        "Gửi chủ tịch xã: ông Tư bán ma túy ở ấp 3, tôi xin giấu tên",
        "Báo chủ tịch xã biết ông Tư bán ma túy ở ấp 3",
        "Chủ tịch xã xem có ai xâm hại bé gái ở xóm 5 kìa, tội cháu quá",
        "Tôi xin báo với chủ tịch xã việc nhà thầu rút ruột công trình, xin giữ kín tên tôi",
        "Chủ tịch xã ơi, trưởng thôn ăn chặn tiền hộ nghèo, tôi tố cáo",
        "Chủ tịch xã ơi, công an xã đánh dân, tôi tố cáo",
        "Lãnh đạo xã cho hỏi vụ lừa đảo ở xóm 3 tới đâu rồi",
        "Ông Năm là bạn của chủ tịch xã, lấn chiếm đất công",
        "Chủ tịch xã mới về, ấp 2 đang có nạn đánh bạc",
        "hàng xóm lấn chiếm đất công, chủ tịch xã không giải quyết",
        "Tôi tố cáo ông Tư hàng xóm đánh bạc, chủ tịch xã biết mà im",
    ],
)
def test_who_is_called_upon_or_stands_beside_it_is_never_surely_accused(text: str) -> None:
    """Nobody could open such a report, and nobody could put the error right."""
    assert not accused(fold(text)).leaders, text
    assert not accused(fold(fold(text))).leaders, text


TEXTS = list(csv.DictReader((Path(__file__).parent / "accusations.tsv").open(encoding="utf-8"), delimiter="\t"))


def test_texts_by_another_hand_lock_nothing_in_error_and_hand_nothing_to_the_accused() -> None:
    """160 texts written and labelled by somebody who had not seen the rule: surely, perhaps or no leaders accused."""
    pairs = Counter()
    missed = 0
    for row in TEXTS:
        found = accused(fold(row["text"]))
        said = "surely" if found.leaders else "perhaps" if LEADERSHIP in found.units else "no"
        pairs[row["leaders"], said] += 1
        missed += len(set(filter(None, row["units"].split(","))) - found.units)
    assert sum(pairs.values()) == 160
    assert pairs["no", "surely"] == pairs["perhaps", "surely"] == 0, "nobody here could open it"
    assert pairs["surely", "no"] == 0
    assert pairs["perhaps", "no"] <= 2, pairs
    assert missed <= 3
