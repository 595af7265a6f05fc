"""Shorthand: teencode, dialect words and administrative abbreviations, and what they stand for.

Own work, from words in everyday use. Only what is safe is expanded: one-letter forms other than k r j z stay as
they are, and words that mean two things ("tui": I, or a bag) only where the accents tell which.
"""

from __future__ import annotations

# By folded form, whatever the accents. No expansion contains a key of this table.
ALWAYS = {
    "k": "không", "ko": "không", "kh": "không", "hok": "không", "khg": "không",
    "dc": "được", "dk": "được", "r": "rồi", "j": "gì", "z": "gì", "vs": "với", "mn": "mọi người",
    "cb": "cán bộ", "tthc": "thủ tục hành chính", "hcc": "hành chính công", "cccd": "căn cước công dân",
    "bhyt": "bảo hiểm y tế", "bhxh": "bảo hiểm xã hội", "ubnd": "ủy ban nhân dân", "dvc": "dịch vụ công",
    "kp": "khu phố", "kdc": "khu dân cư", "tdp": "tổ dân phố", "tp": "thành phố", "dg": "đường",
    "tphcm": "thành phố hồ chí minh", "hcm": "hồ chí minh", "nvh": "nhà văn hóa", "sxh": "sốt xuất huyết",
    "atgt": "an toàn giao thông", "attp": "an toàn thực phẩm", "vsmt": "vệ sinh môi trường",
    "pccc": "phòng cháy chữa cháy", "thcs": "trung học cơ sở", "thpt": "trung học phổ thông",
    "gcn": "giấy chứng nhận", "ntn": "như thế nào", "bik": "biết", "cskv": "cảnh sát khu vực",
    "dzay": "vậy", "zay": "vậy", "zui": "vui", "dzui": "vui", "wa": "quá", "wen": "quen", "hum": "hôm",
    "bjo": "bây giờ", "bgio": "bây giờ", "trc": "trước", "ngta": "người ta", "cx": "cũng", "lm": "làm",
    "gplx": "giấy phép lái xe", "csgt": "cảnh sát giao thông", "qsdd": "quyền sử dụng đất",
}  # fmt: skip

# By exact accents, and only in a text that has accents; the words that must not come before or after.
EXACT: dict[str, tuple[str, frozenset[str], frozenset[str]]] = {
    "mô": ("đâu", frozenset({"quy", "vi"}), frozenset({"hinh"})),
    "tê": ("kia", frozenset({"te"}), frozenset({"te", "liet", "giac"})),
    "rứa": ("thế", frozenset(), frozenset()),
    "ri": ("thế này", frozenset(), frozenset()),
    "chừ": ("bây giờ", frozenset(), frozenset()),
    "hổng": ("không", frozenset({"lo", "bi"}), frozenset()),
    "hông": ("không", frozenset({"ben", "xuong", "ngang"}), frozenset({"xe"})),
    "tui": ("tôi", frozenset(), frozenset()),
    "dzậy": ("vậy", frozenset(), frozenset()),
    "zậy": ("vậy", frozenset(), frozenset()),
    "bể": ("vỡ", frozenset({"thanh"}), frozenset({"nuoc", "boi", "phot", "ca", "chua", "tu", "bon", "loc"})),
    "té": ("ngã", frozenset(), frozenset({"nuoc"})),
    "rùi": ("rồi", frozenset(), frozenset()),
    "hư": ("hỏng", frozenset({"con", "mang"}), frozenset()),
    # the south
    "mần": ("làm", frozenset(), frozenset()),
    "bịnh": ("bệnh", frozenset(), frozenset()),
    "giựt": ("giật", frozenset(), frozenset()),
    "gởi": ("gửi", frozenset(), frozenset()),
    "nhứt": ("nhất", frozenset(), frozenset()),
    "kiếng": ("kính", frozenset({"kinh"}), frozenset()),
    "dìa": ("về", frozenset(), frozenset()),
    # the centre
    "nác": ("nước", frozenset(), frozenset()),
    "lả": (
        "lửa",
        frozenset({"met", "doi", "lac", "la", "nguoi", "kiet"}),
        frozenset({"luot", "la", "lay", "di", "roi", "ta", "nguoi", "vi"}),
    ),
    "ni": ("này", frozenset({"su", "bo", "me"}), frozenset({"co", "long", "su"})),
    "đàng": ("đường", frozenset({"dang", "xuan"}), frozenset({"hoang", "trai", "gai", "ay", "trong", "ngoai", "dang"})),
    "cươi": ("sân", frozenset(), frozenset()),
    "chộ": ("thấy", frozenset(), frozenset()),
    # the north
    "giời": ("trời", frozenset(), frozenset({"leo"})),
    "lước": ("nước", frozenset(), frozenset()),
    "nụt": ("lụt", frozenset(), frozenset()),
    "nàm": ("làm", frozenset(), frozenset()),
    "nuôn": ("luôn", frozenset(), frozenset()),
    "nhớn": ("lớn", frozenset(), frozenset()),
}
RANG_AFTER = frozenset({"rứa", "mà", "chừ", "ri", "không", "hông"})

# Before a full stop and a name or number ("p. Dĩ An", "x.Tân Hiệp"); or straight before a number.
BEFORE_NAME = {"p": "phường", "f": "phường", "x": "xã", "q": "quận", "h": "huyện", "tx": "thị xã", "tt": "thị trấn",
               "t": "tỉnh", "d": "đường"}  # fmt: skip
BEFORE_NUMBER = {
    "p": "phường", "q": "quận", "ql": "quốc lộ", "tl": "tỉnh lộ", "dt": "đường tỉnh", "kv": "khu vực",
}  # fmt: skip
JOINED_TO_NUMBER = {
    "kp": "khu phố", "tdp": "tổ dân phố", "to": "tổ", "xom": "xóm", "thon": "thôn", "ap": "ấp", "ngo": "ngõ",
    "hem": "hẻm", "kiet": "kiệt", "khom": "khóm", "doi": "đội", "p": "phường", "q": "quận", "ql": "quốc lộ",
    "tl": "tỉnh lộ", "dt": "đường tỉnh", "kv": "khu vực",
}  # fmt: skip

UNITS = frozenset({"xom", "thon", "to", "pho", "ap", "doi", "khom", "ban", "buon", "lang", "vuc"})
NUMBER_WORDS = {"mot": "1", "bon": "4", "bay": "7", "tam": "8", "chin": "9", "muoi": "10"}
# Their accents; "ấp Tầm Vu" is no ấp 8.
NUMBER_SPELLINGS = frozenset({"một", "mốt", "bốn", "bảy", "bẩy", "tám", "chín", "mười", "mươi"})
# These are also other words ("sau": after), so they are numbers only where the accents say so.
NUMBER_WORDS_EXACT = {"hai": "2", "ba": "3", "tư": "4", "năm": "5", "sáu": "6"}
NOT_COUNTED = frozenset(
    {"nay", "ngoai", "truoc", "qua", "ben", "dau", "mat", "nguoi", "nha", "gio", "ngay", "thang", "mot", "muoi"}
)
