"""Name words: surnames and middle names of Vietnam, and the words around a name that tell a person from a street.

Own work, from common knowledge.
"""

from __future__ import annotations

import re

from nlp.characters import accent_key, fold


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class NameWords:
    """A set of words that a word of a text belongs to by its accents, or bare of them."""

    def __init__(self, words: str) -> None:
        self._keys = frozenset(accent_key(word) for word in words.split())
        self.folded = frozenset(fold(word) for word in words.split())

    def has(self, word: str, accented: str) -> bool:
        """Whether the word, given folded and with its accents, is in the set."""
        if word not in self.folded:
            return False
        return accented == word or accent_key(accented) in self._keys


SURNAMES = NameWords(
    """nguyễn trần lê phạm huỳnh hoàng phan vũ võ đặng bùi đỗ hồ ngô dương lý đinh đoàn trịnh trương lâm mai cao hà
    tạ tô tống thái thạch kim sơn danh châu quách lương lưu lục vương văn vi nông ma hứa triệu giàng sùng vàng
    thào lò lường quàng cà tòng đàm đào khổng kiều phùng tăng từ uông viên chu chử cù diệp doãn đồng đậu giang
    hàn kha la lại lạc mạc mã nghiêm nhâm ninh phí phó quan thân thiều tiêu tôn trà trang ung vòng âu bạch
    bành cam cát chế chung hạ hầu khúc khương lã khuất bế lộc lèo cầm hờ vừ mùa cháng ly lầu sầm bàn lự mông
    hoàn giáp ngụy đới nhan tưởng quản cung bá ksor rơ siu rmah nay kpă rcom rah h' y a k'sor niê mlô êban
    điểu lù phàn tẩn chảo mùng phượng trác cồ yên cáp nguyên đống mạch nhữ thi"""
)
# In lower case only these are taken for surnames; the others are ordinary words as well.
PLAIN_SURNAMES = NameWords(
    """nguyễn trần lê phạm huỳnh hoàng phan vũ võ đặng bùi đỗ hồ ngô dương lý đinh đoàn trịnh trương lâm mai cao hà
    tạ tô tống đào phùng lương lưu quách vương chu nông triệu thạch kim"""
)
SURE_SURNAMES = NameWords("nguyễn trần lê phạm huỳnh bùi trịnh vũ")
MIDDLES = NameWords("văn thị đức hữu minh ngọc thanh quốc xuân hoàng thùy đình công kim thu hồng quang đăng bá mạnh")
# With any middle name after them, these are names even in lower case.
CERTAIN_SURNAMES = NameWords("nguyễn trần phạm huỳnh phan trịnh")
GENDERED = NameWords("văn thị")

# What comes after a name and is none of it.
STOPS = _words(
    """o tai xom thon ap khu kp to tdp phuong xa quan huyen tinh duong so sdt dt dien nha sinh nam dia hien dang xin
    muon la co bi va voi cccd cmnd cmt da se duoc dc cho cua thi den toi tui em minh chau nay kia oi a ah nhe
    vang gui khong ko k lam trong ben tren duoi ngoai cung nhung ma vay roi gi nao ai day do dau ha hoi nho
    bao phan anh de nghi kinh thua gap stk tk cau goi ngay lien he que thuong tru tuoi ghi ten nop di ra vao
    noi thay dan buon ban tieu doi lo pho hem ngo kiet kiem truoc sau khi luc moi van chua cac nhieu mot ca
    nguoi chi bac chu ong ba luon het ngay thoi dum gium ho con vo chong bo me cai chinh rieng u uh da ve len
    xuong sao thi y nhu neu vi nen hay hoac thang rat qua dung sai khac cong nhan vien hang giay bien don that
    gia the trai gai ruot lon nho tren co giup voi ui nha nhen hen"""
)
# Of those, the ones that stand in second or third place of a name too.
STOPS_THAT_NAME = _words(
    """van thi nam ha anh chi a dan cung le nha thuong bao ngo sau kiet luc lam ca bac que dang hien sinh cau tai to
    tinh phuong nghi vang duong quan an cong nhan vien hang y moi thang the dung ba con chinh thoi khac minh
    hoi tuoi noi phan nhu vi em len do ho gai lon nho"""
)
ORDINALS = _words("hai ba tư năm sáu bảy bẩy tám chín mười út cả nhớn tu sau bay tam chin muoi ut")
TITLES = _words("ông bà anh chị cô chú bác em thầy cháu cụ dì cậu mợ bé mr ms")
TITLES_UNACCENTED = _words("ong ba anh chi co chu bac em thay chau mr ms")
OFFICES = re.compile(
    r"(?:chu tich|bi thu|truong|pho|can bo|cong an|cong chuc|dia chinh|tu phap|ke toan|van phong|bao ve|giao vien|hieu"
    r"|giam doc|bac si|y ta|y si|to truong|hoi|doan|dang uy|chu nha|chu quan|nguoi|hang xom|lanh dao|uy ban|ubnd|hdnd"
    r"|mttq|thu ky|tong|cuc|so|ban|to dan pho|to|phong|khu|thon|xom|ap|xa|phuong|huyen|tinh|toa|canh sat|csgt|trung tam"
    r"|quan ly|nhan vien|tho|tai xe|shipper|admin|ad|ai|nao|gi|ay|do|kia|nay|chua|dia|tao|trum|chi (?:hoi|bo|doan|cuc))"
    r"(?![^\W_])"
)
# Before a name that is a place's.
PLACES = re.compile(
    r"(?<![^\W_])(?:duong|pho|nga(?: (?:ba|tu|nam))?|hem|ngo|ngach|cau|cho|truong|thpt|thcs|tieu hoc|mam non|mau giao"
    r"|cap(?: (?:[123]|mot|hai|ba))?"
    r"|chua|benh vien|phuong|xa|xom|thon|ap|khu|kp|quan|tiem|cong vien|tuong dai|den|mieu|nui|song|kenh|rach|dap|bai|ho"
    r"|bun|tap hoa|dia chi|dai lo|quoc lo|kiet|dl|d\.|ql|goc|doan|tren|toa|lang|dot|cay xang|ben xe|cong|nghia trang"
    r"|vo|ra)"
    r"[ .:]{1,2}\Z"
)
STREETS = frozenset(
    name.replace("_", " ")
    for name in _words("""
    nguyen_van_cu nguyen_van_linh nguyen_van_troi nguyen_thi_minh_khai nguyen_van_dau le_van_sy le_van_viet
    le_van_luong le_van_khuong nguyen_van_luong nguyen_van_thoai nguyen_thi_dinh nguyen_thi_thap vo_thi_sau
    nguyen_van_nghi hoang_van_thu pham_van_dong vo_van_kiet tran_van_on phan_van_tri le_van_tam pham_van_chieu
    huynh_van_banh to_van_on nguyen_van_tao nguyen_van_bua le_van_quoi bui_thi_xuan doan_thi_diem nguyen_thi_nho
    nguyen_van_huyen nguyen_van_loc le_van_hien nguyen_van_tiet phan_van_hon nguyen_thi_ranh le_thi_rieng
    nguyen_van_giap mac_thi_buoi pham_van_thuan vo_van_ngan hoang_van_thai dang_van_bi le_van_thiem
    phan_van_khoe nguyen_van_cong tran_van_giau vo_van_tan pham_van_bach nguyen_van_tang nguyen_van_qua
    """)
)
