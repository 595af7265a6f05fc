"""Every sentence a citizen may receive, as a function; the first texts are domain §10's.

A sentence whose variable is empty is never sent: `EmptyVariable` names it and a person is told instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.rules.deadlines import VIETNAM


class EmptyVariable(Exception):
    """A text cannot be said because one of its variables is empty."""

    def __init__(self, key: str, variable: str) -> None:
        super().__init__(f"text {key!r} lacks {variable!r}")
        self.key = key
        self.variable = variable


@dataclass(frozen=True)
class Text:
    """A sentence ready to send, and the key it was made from."""

    key: str
    words: str


def moment(at: datetime) -> str:
    """A date and hour as people say them here."""
    return at.astimezone(VIETNAM).strftime("%H:%M ngày %d/%m/%Y")


def day(at: datetime) -> str:
    """A date as people write it here."""
    return at.astimezone(VIETNAM).strftime("%d/%m/%Y")


def month(written: str) -> str:
    """A month kept as "2026-11" as people write it here; what is written otherwise stays."""
    year, dash, number = written.partition("-")
    is_month = dash and len(year) == 4 and year.isdecimal() and number.isdecimal() and len(number) == 2
    return f"tháng {int(number)}/{year}" if is_month else written


_TEXTS = {
    "welcome": (
        "Kính chào ông/bà! Đây là kênh tiếp nhận phản ánh, kiến nghị của {xa}. Ông/bà cứ nhắn sự việc bằng lời "
        "của mình: việc gì, ở đâu; có thể gửi kèm ảnh, ghi âm hoặc vị trí.\n"
        "Nội dung, hình ảnh được lưu để giải quyết và trả lời, không công khai họ tên, số điện thoại. Chúng tôi không "
        "hỏi mã OTP, tài khoản ngân hàng hay ảnh căn cước.\n"
        'Có việc khẩn xin gọi 113 / 114 / 115 / 112. Nhắn "gặp cán bộ" để nói chuyện với người trực; nhắn '
        '"ngừng nhận tin" nếu không muốn nhận thông báo. (Tin nhắn tự động)'
    ),
    "ack": (
        "{xa} đã tiếp nhận phản ánh của ông/bà, mã {ma}, lúc {gio}. Lĩnh vực: {linhvuc}. Hạn trả lời: {han}. "
        'Ông/bà có thể nhắn thêm chi tiết, gửi ảnh; nhắn "tra cứu {ma}" để xem tiến độ. Xin cảm ơn. (Tin nhắn tự động)'
    ),
    "ask_where": (
        "Để cán bộ đến đúng chỗ, xin ông/bà cho biết cụ thể ở đâu: thôn/tổ, tên đường, gần công trình nào? (có thể bấm gửi "
        'vị trí). Nếu không rõ, nhắn "bỏ qua"; phản ánh {ma} vẫn được xử lý.'
    ),
    "where_noted": 'Đã ghi địa điểm "{diadiem}" cho phản ánh {ma}. Xin cảm ơn ông/bà. (Tin nhắn tự động)',
    "pin_noted": "Đã ghi vị trí ông/bà gửi cho phản ánh {ma}. Xin cảm ơn ông/bà. (Tin nhắn tự động)",
    "skipped": "Vâng, phản ánh {ma} được gửi như vậy. Khi nhớ ra, ông/bà cứ nhắn thêm. (Tin nhắn tự động)",
    "added": "Đã bổ sung vào phản ánh {ma}. Xin cảm ơn ông/bà. (Tin nhắn tự động)",
    "emergency": (
        "KHẨN CẤP: xin gọi ngay {so} (công an 113, chữa cháy – cứu nạn 114, cấp cứu 115, thiên tai – tìm kiếm cứu nạn "
        "112). Trực ban {xa}: {sdttruc}. Ông/bà đang ở đâu ạ? Chúng tôi đang báo người trực."
    ),
    "denunciation_guide": (
        "Cảm ơn ông/bà đã tin tưởng. Nội dung này cần được bảo mật và giải quyết theo quy định của pháp luật, không xử lý "
        "qua tin nhắn. Ông/bà có thể gửi đơn hoặc trình bày trực tiếp tại: {noitiep}. Xin không gửi họ tên, giấy tờ của "
        "người khác tại đây. Chúng tôi không tiết lộ thông tin của ông/bà."
    ),
    "complaint_guide": (
        "Nội dung này là khiếu nại, cần gửi bằng đơn đến cơ quan đã ban hành quyết định trong thời hạn luật định (thông "
        "thường 90 ngày). Tin nhắn này chưa phải là đơn khiếu nại. Nơi tiếp công dân: {noitiep}."
    ),
    "handoff": (
        "Cán bộ {xa} sẽ trả lời ông/bà trong giờ làm việc ({gio}). Có việc khẩn xin gọi {sdttruc}. Mã để theo dõi: {ma}."
    ),
    "faq": (
        "{cautraloi}\n(Theo {nguon}; cập nhật {ngay}.)\n"
        'Nếu chưa đúng điều ông/bà hỏi, xin nhắn "chưa đúng" để cán bộ trả lời. (Tin nhắn tự động)'
    ),
    "status": "Phản ánh {ma}: {trangthai}. Đơn vị: {donvi}. Hạn trả lời: {han}. Cập nhật lần cuối: {ngay}.",
    "status_none": (
        "Chúng tôi chưa thấy phản ánh nào gửi từ tài khoản này. Ông/bà cho biết sự việc và địa điểm, chúng tôi sẽ tiếp nhận ngay."
    ),
    "status_unknown_code": (
        "Không tìm thấy mã {ma} trong các phản ánh gửi từ tài khoản này. Ông/bà vui lòng xem lại mã, hoặc nhắn "
        '"tra cứu" để xem phản ánh gần nhất.'
    ),
    "thanks": "{xa} cảm ơn ông/bà. Chúc ông/bà và gia đình mạnh khỏe.",
    "not_understood": (
        'Tôi chưa hiểu rõ ý ông/bà. Xin cho biết sự việc gì, ở đâu; hoặc nhắn "tra cứu" để xem tiến độ, "gặp cán bộ" '
        "để nói chuyện với người trực. (Tin nhắn tự động)"
    ),
    "data_rights": (
        "Yêu cầu về dữ liệu cá nhân của ông/bà đã được ghi nhận ngày {ngay}, mã {ma}. Chúng tôi phản hồi trong 2 ngày làm việc."
    ),
    "unsubscribed": (
        'Ông/bà đã ngừng nhận thông báo của {xa}. Trả lời cho phản ánh của ông/bà vẫn được gửi. Nhắn "nhận tin" để đăng ký lại.'
    ),
    "subscribed": 'Ông/bà đã đăng ký nhận thông báo của {xa}. Nhắn "ngừng nhận tin" khi không muốn nhận nữa.',
    "after_hours": (
        "Hiện ngoài giờ làm việc ({gio}). Chúng tôi đã ghi nhận và sẽ xử lý từ {mo}. Việc khẩn xin gọi {sdttruc}."
    ),
    "need_more": (
        "Để xử lý phản ánh {ma}, xin ông/bà bổ sung: {can}. Nếu sau 5 ngày làm việc chưa nhận được, chúng tôi xin phép tạm "
        "dừng; ông/bà có thể mở lại bất cứ lúc nào."
    ),
    "routed": "Phản ánh {ma} đã chuyển {donvi} xử lý (phụ trách: {nguoi}, {dt}). Hạn trả lời: {han}.",
    "refused": (
        "Phản ánh {ma} chưa được tiếp nhận vì: {lydo}\nNếu cần trao đổi thêm, ông/bà có thể nhắn lại tại đây hoặc đến {noitiep}."
    ),
    "forwarded": (
        "Nội dung phản ánh {ma} thuộc thẩm quyền của {coquan}. {xa} đã gửi phiếu chuyển ngày {ngay} và tiếp tục theo dõi giúp "
        "ông/bà; dự kiến có trả lời trước ngày {han}. Khi có trả lời chúng tôi sẽ nhắn lại."
    ),
    "merged": "Đã có phản ánh {ma0} cùng sự việc, {donvi} đang xử lý. Chúng tôi đã ghép phản ánh {ma} và sẽ báo kết quả cho ông/bà.",
    "reopened": "Phản ánh {ma} đã được mở lại. {xa} sẽ xem xét và trả lời ông/bà.",
    "result": (
        "Kính gửi ông/bà. Về phản ánh {ma}: ngày {ngay}, {donvi} đã kiểm tra và trả lời như sau.\n{ketqua}\n"
        "Việc tiếp theo: {tieptheo}\n"
        'Nếu ông/bà chưa đồng ý, xin nhắn "chưa đồng ý" kèm lý do. {xa} trân trọng cảm ơn.'
    ),
    "announcement": '{tieude}\n\n{noidung}\n\n{xa}. Nhắn tin lại để phản ánh; nhắn "ngừng nhận tin" để thôi nhận thông báo.',
}

STATE_WORDS = {
    "moi": "Đã gửi, chờ tiếp nhận",
    "da_tiep_nhan": "Đã tiếp nhận",
    "cho_bo_sung": "Cần ông/bà bổ sung thông tin",
    "da_chuyen": "Đã chuyển đơn vị xử lý",
    "dang_xu_ly": "Đang xử lý",
    "cho_duyet": "Đang hoàn thiện trả lời",
    "da_tra_loi": "Đã có kết quả",
    "da_dong": "Đã kết thúc",
    "mo_lai": "Đang xem xét lại",
    "khong_tiep_nhan": "Không tiếp nhận",
    "chuyen_cap_tren": "Đã chuyển cơ quan có thẩm quyền",
    "trung_lap": "Đã ghép với phản ánh cùng sự việc",
    "rut": "Ông/bà đã rút phản ánh",
}


def say(key: str, **variables: str) -> Text:
    """The sentence of this key with its variables; EmptyVariable if one of them is missing or empty."""
    template = _TEXTS[key]
    for name in _variables(template):
        if not variables.get(name, "").strip():
            raise EmptyVariable(key, name)
    return Text(key, template.format(**variables))


def filled(words: str, **variables: str) -> str:
    """An official's own sentence with these variables put in; braces that name none of them stay as they are."""
    for name, value in variables.items():
        words = words.replace("{" + name + "}", value)
    return words


def keys() -> list[str]:
    """All texts there are, for tests that look at every one of them."""
    return list(_TEXTS)


def _variables(template: str) -> list[str]:
    from string import Formatter

    return [name for _, name, _, _ in Formatter().parse(template) if name]
