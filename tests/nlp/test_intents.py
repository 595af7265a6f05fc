"""What a message wants is told with and without accents, and a report is never lost to a command."""

from __future__ import annotations

import pytest

from tests.nlp.worlds import read


@pytest.mark.parametrize(
    "text",
    ["DUNG", "dung", "Dừng", "DỪNG", "TC", "tc", "ngừng nhận tin", "ngung nhan tin", "huy dang ky", "Hủy đăng ký ạ",
     "không nhận thông báo nữa", "stop"],
)  # fmt: skip
def test_an_opt_out_alone_unsubscribes(text):
    assert read(text).intent == "unsubscribe"


@pytest.mark.parametrize(
    "text",
    ["dung xe tren via he", "dừng xe trên vỉa hè chắn hết lối đi", "đúng", "dung roi", "đúng rồi ạ",
     "tôi muốn dừng nhận tin vì loa xã ồn quá, đề nghị sửa loa", "đừng đổ rác nữa", "hủy đăng ký kinh doanh ở đâu"],
)  # fmt: skip
def test_a_stop_word_inside_a_message_does_not_unsubscribe(text):
    assert read(text).intent != "unsubscribe"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("nhận tin", "subscribe"),
        ("dang ky nhan tin", "subscribe"),
        ("Xin chào", "greeting"),
        ("alo", "greeting"),
        ("em chào ad ạ", "greeting"),
        ("cảm ơn xã nhiều", "thanks"),
        ("cam on ad nha", "thanks"),
        ("test", "test"),
        ("tra cuu", "status_lookup"),
        ("Tra cứu PA26-0342", "status_lookup"),
        ("PA26-0342", "status_lookup"),
        ("tra cứu PA 26-1", "status_lookup"),
        ("tra cứu quy hoạch đất ở đâu", "question"),
        ("phản ánh của tôi đến đâu rồi", "status_lookup"),
        ("gap can bo", "human_handoff"),
        ("cho toi gap can bo voi", "human_handoff"),
        ("tôi muốn xóa dữ liệu của tôi", "data_request"),
        ("rút phản ánh", "withdraw"),
        ("chưa hài lòng", "rating"),
        ("5 sao", "rating"),
        ("cán bộ một cửa rất nhiệt tình", "praise"),
        ("cảm ơn xã đã sửa đèn đường", "praise"),
        ("cảm ơn xã đã sửa đèn đường nhưng đường vẫn ngập", "feedback"),
        ("Rác 3 ngày nay hôi quá, xin cảm ơn", "feedback"),
        ("làm khai sinh cần giấy tờ gì", "question"),
        ("lam khai sinh can giay to gi", "question"),
        ("Bao giờ phát tiền trợ cấp người cao tuổi?", "question"),
        ("xã nên lắp thêm đèn ở xóm 7", "proposal"),
        ("nhờ loa thông báo giúp em mất ví", "announcement_request"),
        ("tôi khiếu nại quyết định xử phạt số 12", "complaint"),
        ("phường Ba Đình rác đầy đường", "out_of_area"),
        ("vay tiền nhanh lãi suất thấp liên hệ zalo 0912345678", "spam"),
        ("đm lũ ăn hại", "abuse"),
        ("đm đường hỏng mãi không sửa", "feedback"),
        ("tôi tên Nguyễn Văn A", "add_info"),
        ("0912 345 678", "add_info"),
        ("xóm 5 nhé", "add_info"),
    ],
)
def test_what_a_message_wants(text, intent):
    assert read(text).intent == intent


@pytest.mark.parametrize("text", ["", "   ", "👍", "❤️❤️", "ok", "OK ạ", "oke", "vâng", "dạ", "?", "...", "\u200b"])
def test_an_empty_message_or_a_nod_opens_no_ticket(text):
    assert read(text).intent in {"greeting", "thanks"}


def test_a_long_message_nobody_understands_is_taken_as_a_report():
    assert read("bữa giờ bên kia họ làm vậy hoài mà chúng tôi thấy bực lắm").intent == "feedback"
