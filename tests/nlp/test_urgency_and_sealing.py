"""Danger is told by what happens, not by how loud it is said; what must be sealed is sealed first."""

from __future__ import annotations

import pytest

from nlp.clues import find_clues
from nlp.deciding import decide
from nlp.normalise import normalise
from tests.nlp.worlds import read


@pytest.mark.parametrize(
    "text",
    ["cháy nhà ở xóm 5", "chay nha o xom 5 cuu voi", "nha ong Tu dang chay to lam", "có người đuối nước",
     "hai cháu bị nước cuốn", "dây điện tóe lửa", "chém nhau ngoài chợ", "cháu bé bị lạc", "em không muốn sống nữa",
     "nước ngập tới cổ, cả nhà mắc kẹt", "nuoc ngap toi co ca nha mac ket", "Ông cụ bị điện giật",
     "xe khách lật ở đèo nhiều người kẹt bên trong", "nước tràn đê rồi bà con ơi", "mùi gas nồng nặc cả dãy trọ",
     "co nguoi nam bat dong ben duong", "thằng nghiện cầm dao rượt cha mẹ nó khắp xóm"],
)  # fmt: skip
def test_danger_to_life_is_an_emergency(text):
    reading = read(text)
    assert (reading.urgency, reading.intent) == ("khan_cap", "emergency")


@pytest.mark.parametrize(
    "text",
    ["cột điện nghiêng sắp đổ", "mất nắp cống giữa đường", "heo chết hàng loạt", "có đối tượng lừa đảo bà con",
     "sạt lở bờ sông", "hôm qua có đánh nhau ở chợ", "trẻ em dễ đuối nước ở ao này", "nguy cơ cháy nổ kho gas"],
)  # fmt: skip
def test_a_hazard_is_urgent(text):
    assert read(text).urgency == "khan"


@pytest.mark.parametrize(
    "text",
    ["xe chết máy", "cháy bóng đèn đường", "den duong chay bong", "cháy hàng", "nóng muốn chết", "chết cười", "bão giá",
     "tiền cứu trợ chưa nhận", "chó nhà em đi lạc", "xin sua mau giup",
     "va quẹt nhẹ thôi, không ai bị thương", "kẹt xe"],
)  # fmt: skip
def test_an_everyday_phrase_with_a_danger_word_is_not_danger(text):
    assert read(text).urgency == "thuong"


@pytest.mark.parametrize("text", ["xe tai dang chay qua lang", "nuoc bi ban"])
def test_what_runs_does_not_burn_and_what_is_dirty_is_not_shot(text):
    assert read(text).urgency != "khan_cap"


def test_a_shouted_message_is_not_urgent():
    assert read("KHẨN CẤP!!! RÁC ĐẦY ĐƯỜNG XỬ LÝ NGAY ĐI!!!").urgency == "thuong"


def test_an_insult_makes_nothing_urgent():
    assert read("đm rác ngập đầu mà đéo ai dọn").urgency == "thuong"


@pytest.mark.parametrize(
    "text",
    ["Tôi tố cáo chủ tịch xã nhận hối lộ", "toi to cao chu tich xa nhan hoi lo", "cán bộ đòi tiền mới ký giấy",
     "trưởng thôn ăn chặn tiền hỗ trợ", "truong thon an chan tien ho tro", "địa chính vòi vĩnh dân",
     "kê khống khối lượng", "Tôi xin tố giác tội phạm",
     "có điểm bán ma túy, xin giấu tên giúp em", "chủ tịch cho em ruột trúng thầu hết công trình",
     "ban quản lý chợ thu thêm 20 nghìn bỏ túi", "cán bộ thu tiền mà không đưa biên lai"],
)  # fmt: skip
def test_a_denunciation_is_sealed(text):
    reading = read(text)
    assert reading.sealed
    assert reading.intent == "denunciation"


@pytest.mark.parametrize(
    "text", ["cô giáo đánh học sinh bầm tay", "cháu bị xâm hại", "cha dượng hay đánh bé Na bầm người"]
)
def test_the_abuse_of_a_child_is_sealed(text):
    assert read(text).sealed


@pytest.mark.parametrize(
    "text",
    ["cán bộ một cửa quát dân", "nhân viên thái độ hách dịch", "lớp bồi dưỡng nghiệp vụ", "ăn bớt phần cơm của con",
     "cây to cao che đèn", "cay to cao che den", "lam chung chi o dau"],
)  # fmt: skip
def test_rudeness_and_everyday_phrases_are_not_sealed(text):
    assert not read(text).sealed


class Told:
    """A judge's verdict as a test wants it."""

    def __init__(self, **chances: dict[str, float]) -> None:
        self._chances = chances

    def probabilities(self, head: str) -> dict[str, float]:
        return self._chances[head]

    def reasons(self, head: str, label: str, most: int = 8) -> list[tuple[str, float]]:
        return []


@pytest.mark.parametrize(
    ("sealed", "khan", "intent"), [(0.9, 0.0, "denunciation"), (0.0, 0.9, "feedback"), (0.0, 0.0, "chitchat")]
)
def test_a_secret_or_a_hazard_that_sounds_like_a_chat_is_a_report_all_the_same(sealed, khan, intent):
    verdict = Told(
        topic={"-": 0.9, "khac": 0.06, "dien": 0.04},
        intent={"chitchat": 0.8, "denunciation": 0.1, "feedback": 0.1, "emergency": 0.0},
        urgency={"khan_cap": 0.0, "khan": khan, "thuong": 1 - khan},
        seal={"sealed": sealed, "open": 1 - sealed},
    )
    decision = decide(verdict, find_clues(normalise("ai cũng biết vì sao")), None)
    assert (decision.intent, decision.sealed) == (intent, sealed > 0.5)


def test_rudeness_is_restricted_by_its_topic():
    assert read("cán bộ một cửa quát mắng dân").topic == "thai-do-can-bo"


def test_self_harm_is_an_emergency_and_sealed():
    reading = read("em chỉ muốn chết cho xong")
    assert (reading.intent, reading.urgency, reading.sealed) == ("emergency", "khan_cap", True)
