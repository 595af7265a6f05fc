"""Accusation: which unit of the commune the words of a sealed report seem to accuse (domain §8.2, points 2 and 5).

It is only ever proposed: until a reader has decided, the unit's people do not see the report. To shut a unit out in
error costs a reader one look, to overlook it may cost somebody their safety, so every mention counts but one: who is
merely spoken to ("kính gửi Chủ tịch xã", "đã báo công an xã", "nhờ xã xử lý") accuses nobody.

The commune's leaders are different, as nobody there may open what accuses them and so nobody can put an error right.
That needs more than their name (`Accused.leaders`): they are what is denounced, they do the wrong, or it is done for
them, and nobody else stands in between who may have done it. Named otherwise they are a unit like others: shut out
until a reader of another unit has decided.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LEADERSHIP = "lanh-dao"


@dataclass(frozen=True)
class Accused:
    """The agencies that seem to be accused, by slug; `leaders`: surely the commune's leadership is."""

    units: frozenset[str] = frozenset()
    leaders: bool = False


_OF_HERE = r"(?: (?:xa|phuong|dac khu|thi tran|dia phuong))?"
# People who lead the commune, and the bodies that are meant for them.
_LEADER = (
    r"(?:pho )?(?:chu tich|chu tick|bi thu)(?: (?:kiem|uy ban nhan dan|uy ban|ubnd|ub|hdnd"
    r"|hoi dong nhan dan|dang uy))*"
    r"|(?:pct|ct|pbt|bt|pctich|ctich)(?= (?:xa|phuong|ubnd|ub|uy ban|hdnd|dang uy)\b)"
    r"|(?:ban )?lanh dao(?= (?:xa|phuong|dia phuong|uy ban|ubnd|ub|dang uy)\b)"
    r"|sep(?: lon| to)? (?=xa\b|phuong\b|uy ban\b|ubnd\b)|(?:thuong vu )?dang uy"
)
_BODY = r"uy ban nhan dan|ubnd|uy ban|ub(?= (?:xa|phuong)\b)|chinh quyen|hdnd|hoi dong nhan dan"
_SOME = (
    r"(?:may|cac|nhung) (?:ong|bac|vi|[sx]ep|quan)(?: lon| to)? (?:o |tren |tai )?(?:xa|phuong|uy ban|ubnd)"
    r"|(?:[sx]ep(?: lon| to)?|o du|lam (?:to|lon)|chong lung) (?:o |tren |tai )(?:xa|phuong|uy ban|ubnd)"
    r"|(?:hinh nhu|co khi|phai chang|nghe noi|chac) (?:xa|phuong)"
)
# Of another place or kind: "chủ tịch tỉnh", "chủ tịch hội phụ nữ", "bí thư chi bộ", "bí thư đoàn".
_OTHERS = (
    r"(?: (?:cua|thuoc|ben|o))?(?: (?:xa|phuong))? (?:tinh|huyen|quan(?! su)|thanh pho|tp|nuoc|quoc hoi"
    r"|trung uong|hoi (?!dong)"
    r"[a-z]+|mat tran|mttq|cong doan|cong ty|hop tac xa|htx|chi bo|thon|ap|xom|doan|to dan pho|khu pho|hoi)\b"
)
# Agencies a commune begins with (storage has the names of its own), by what people call them and who works there.
_UNITS: Mapping[str, str] = {
    "cong-an": (
        r"(?:truong |pho )?(?:ca(?= (?:xa|phuong)\b)|cong an)(?: (?:xa|phuong|vien|khu vuc"
        r"|chinh quy))?(?! (?:tinh|huyen|tp|thanh pho|nhan dan))"
        r"|canh sat khu vuc|dan phong|csgt"
    ),
    "quan-su": r"(?:ban chi huy )?quan su(?: (?:xa|phuong))?|xa doi(?: truong)?|chi huy truong|dan quan",
    "kinh-te": (
        r"phong kinh te|dia chinh(?: (?:xa|phuong))?|(?:can bo )?nong nghiep|xay dung(?= (?:xa|phuong))"
        r"|ke toan(?= (?:xa|phuong|ubnd|uy ban))"
    ),
    "van-hoa-xa-hoi": (
        r"(?:phong|can bo) van hoa|van hoa xa hoi|van xa|(?:can bo )?(?:lao dong )?thuong binh(?: xa hoi)?|ldtbxh"
        r"|chinh sach xa hoi|can bo chinh sach"
    ),
    "hcc": r"mot cua|hcc|trung tam (?:phuc vu )?hanh chinh(?: cong)?|ttpvhcc|ho tich|tu phap(?: ho tich)?",
    "van-phong": r"van phong (?:hdnd|ubnd|uy ban|hoi dong|dang uy)|van phong xa|van thu",
    "tram-y-te": r"(?:truong |pho )?tram (?:y te|xa)|tram truong|y te (?:xa|phuong)|y si xa",
    "tiep-cong-dan": r"tiep (?:cong )?dan",
    "thon": (
        r"(?:pho )?(?:truong|truog) (?:thon|ap|xom|ban|buon|khu pho|khom|to dan pho)|to truong(?: dan pho)?"
        r"|bi thu chi bo"
    ),
}
_ACCUSING = (
    r"to cao|to giac|khieu to|don to|vach tran|lat tay|len an|to(?= (?:ong|ba|anh|chi|thang|cha"
    r"|dich danh|chu tich|pho|bi thu|cong an|truong|can bo))"
)
_WRONG = (
    r"hoi lo|tham (?:nhung|o)|bien thu|an (?:tien|chan|bot|chia|hoi lo|cua dut|do cua)|bot xen|rut ruot|quy den"
    r"|(?:nhan|lay|doi|voi|thu|om|xin|cam|giu|nuot|xai|tieu)(?: \w+){0,2} (?:tien|phong bi|quy|cua dan)"
    r"|voi vinh|phong bi|lot tay|chung chi|chia chac|bo tui"
    r"|bao (?:ke|che)|(?:lam|lam dung|loi dung) (?:quyen|chuc)|lam quyen|loi dung|truc loi|vu loi"
    r"|tu loi|nhung nhieu|thong dong"
    r"|moc (?:ngoac|noi)|tieu cuc|sai pham|vi pham|lam (?:sai|an gian doi|kho)|gian lan|lua(?: dao| dan| ga[tr])?"
    r"|chiem (?:dat|doat|dung|cong|doan)|lan chiem|(?:ban|cuop|an|chia|thau tom) dat|lay dat|khai khong"
    r"|(?:ke|lap|ky|lam) khong|khong ho so"
    r"|(?:danh|hanh|uc hiep|ep|bat|doa|de doa|hanh hung|chui|xuc pham|tru dap|tra thu|hach sach"
    r"|quat nat) (?:dan|nguoi|toi|em|dap|hiep|ba con|chau)"
    r"|danh dap|de doa|doa giet|hanh hung|tru dap|tra thu|hach sach|quat nat|uc hiep"
    r"|quay roi|xam hai|cuong (?:dam|buc)|hiep dam|dam o|sam so|goi (?:y|tinh)|danh bac|ma tuy"
    r"|nhan nguoi nha|cho nguoi nha|chay (?:chot|viec|chuc|an)"
    r"|vo \w+ trach nhiem|bien chat|tha hoa|khong minh bach|an chan|tham lam|nhan cua|hut chich|buon lau"
)
_DEMANDING = (
    r"(?:nhan|lay|doi|voi) (?:dan |toi |em |cua \w+ |them )?(?:\d+|muoi|hai|ba|bon|nam|may|vai"
    r"|mot)?(?: \w+){0,2} ?(?:trieu|tr|ty|dong|k|ngan|cu)\b"
)
_HONORIFIC = r"(?:(?:ong|ba|anh|chi|dong chi|d c|bac|chu|co|cac|cac bac|nhung|quy|thay|ban|vi|ngai) )*"
# Who is spoken to, or asked for help.
_ADDRESSING = (
    r"(?:kinh|kinh gui|kinh thua|kinh mong|kinh de nghi|thua|bam|kinh trinh|mong|mong muon|nho|nho co"
    r"|nho ca|de nghi|yeu cau|kien nghi|xin|cau mong|cau xin"
    r"|trinh(?: bao| bay)?|bao(?: cao| tin| len| den| voi| cho| toi)|(?:da|se|phai|toi|em|co|len|di"
    r"|tung) bao|noi(?: voi| cho)|goi(?: dien| bao)?(?: cho| len| den)?|hoi|nhan(?: tin)? cho"
    r"|gui(?: don| thu)?(?: \w+)?(?: len| den| toi| cho)|gui|phan anh(?: voi| len| den| toi| cho)|gap|len gap|den gap"
    r"|(?:to cao|to giac|khieu nai|khieu to|to|don|keu|keu cuu|trinh bao|nop don)(?: \w+){0,1} (?:len"
    r"|voi|den|toi|cho|ra)|cho (?=biet))"
)
_PURPOSE = (
    r"xu ly|xem xet|xet|kiem tra|giai quyet|lam ro|dieu tra|can thiep|chi dao|vao cuoc|xac minh"
    r"|thanh tra|cuu|giup|bao ve|xuong (?:xem|ktra)"
)
# Who belongs to a body or a leader without being it.
_STAFF = (
    r"(?:can bo|cong chuc|nhan vien|vien chuc|nguoi|may|dia chinh|tu phap|ke toan|van thu|mot cua"
    r"|bo phan|phong|anh|chi|ong|ba|thang|con|cha|thu quy|thu ky|bao ve|lai xe|tai xe"
    r"|tru so|san|cong|hoi truong|nha|trong|ngoai|truoc|sau|o|tai|den|ra|len|toi|vao|tu|gan|canh"
    r"|doi dien|ve|qua|cong an|quan su|lam|khu|duong)"
)
_KIN = (
    r"(?:con(?: trai| gai| re| dau| ruot| nuoi)?|chau|vo|chong|em (?:trai|gai|ruot|vo|re|ho)"
    r"|anh (?:trai|ruot|ho|re|em)|chi (?:gai|ruot|ho|dau)|nguoi (?:nha|than|quen|tinh)"
    r"|ho hang|ba con|than nhan|tai xe|lai xe|thu ky|dan em|de tu|san sau|be ban|nhan tinh"
    r"|bo nhi)(?: cua)? |la (?:em|con|anh|chi|ba con)(?: cua)? "
)
_MENTION = re.compile(
    rf"\b(?:(?P<leader>(?>(?:{_LEADER}){_OF_HERE}))|(?P<body>(?>(?:{_BODY}){_OF_HERE}))"
    rf"|(?P<some>{_SOME}))\b(?!{_OTHERS})"
)
_BEFORE, _AFTER, _NEAR = 60, 70, 30
_JOINS = re.compile(r"(?:,|\bva|\bcung|\bvoi|\bcung nhu|\bket hop)(?: (?:voi|ca|la|ten))* ?$")
_STOP = re.compile(rf"\b(?:{_PURPOSE}|toi|tui|em|minh|chung (?:toi|em|tui)|{_ACCUSING})\b")
# What is only feared, asked or heard, what stands beside their house, and those to whom something is done.
_DOUBTED = re.compile(
    r"\b(?:nghe (?:noi|don)|don (?:la|rang|dai|thoi|am)|hinh nhu|co phai|phai chang|co that|neu that|nghi"
    r"|(?:khong|ko|k|hong|chua) (?:biet|chac|dam noi|ro)|chac (?:la|cung))\b"
)
_AT_THEIR_HOUSE = re.compile(rf"\b(?:nha|trang trai|ruong|dat|vuon|xe|quan)(?: cua)? {_HONORIFIC}$")
_VICTIM = re.compile(
    rf"\b(?:danh(?: dap)?|hanh hung|(?:de )?doa(?: giet)?|giet|tan cong|xuc pham|vu khong|boi nho|noi xau"
    rf"|gia danh|mao danh|chui(?: boi)?|bat coc|bao vay|tra thu) {_HONORIFIC}$"
)
_ALL_UNITS = re.compile(r"\b(?:" + "|".join(_UNITS.values()) + r"|can bo|cong chuc|nhan vien|hang xom)\b")
_JOINED = re.compile(rf"\b(?:va|cung|cung voi) (?:{'|'.join(_UNITS.values())})\b")
# Who is called to ("chủ tịch xã ơi", "chủ tịch xã có biết …"), and whoever else may have done the wrong.
_CALLED = re.compile(r"^(?:,? (?:oi|a|cho hoi|cho em|cho toi|giup|cuu|xem|co (?:biet|ai|thay|nghe|hay)))\b")
_ELSE = re.compile(
    r"\b(?:oi|biet|xem|thay|nghe|cho hoi|co ai|nao do|ong|ba|anh|chi|chu|bac|chong|vo|hang xom|nha thau|chau"
    r"|em|thang|dua|nguoi|ke|truong|doi|nhom|gia dinh|dang co|khong (?:giai quyet|xu ly|lam gi)|im lang|moi ve|de)\b"
)
_SUFFERED = re.compile(r"\b(?:bi|boi|do|ma|nhung|thi) $")
_WRONGS = re.compile(rf"\b(?:{_WRONG})\b|\b{_DEMANDING}")
_ADDRESSED = re.compile(rf"\b{_ADDRESSING} {_HONORIFIC}$")
_OF_KIN = re.compile(rf"\b{_KIN}{_HONORIFIC}$")
_OF_STAFF = re.compile(rf"\b{_STAFF}(?: \w+){{0,2}} (?:cua )?$")
_DENOUNCED = re.compile(rf"\b(?:{_ACCUSING})\b")
_DONE_FOR = re.compile(
    rf"(?:\b(?:{_WRONG})(?: (?:cua|cho|boi|boi vi|tu|do|la|vao|tay|tien|vao tay|voi))*|\bbi) {_HONORIFIC}$"
    rf"|\b(?:dua|gui|nop|bieu|chuyen|dut|cong|chay) (?:\w+ ){{0,3}}(?:tien|phong bi|trieu|tr"
    rf"|qua)(?: \w+){{0,2}} cho {_HONORIFIC}$"
)


def accused(folded: str, names: Mapping[str, Iterable[str]] | None = None) -> Accused:
    """Which units these words seem to accuse. `names`: what a commune's own agencies are called, folded, by slug."""
    units: set[str] = set()
    leaders = False
    for sentence in re.split(r"[.!?;\n]+", folded):
        words = " ".join(re.findall(r"[a-z0-9]+|,", sentence)).replace(" ,", ",")
        for found in _MENTION.finditer(words):
            grade = _grade(words, found)
            if grade is None:
                continue
            units.add(LEADERSHIP)
            leaders = leaders or grade
        units |= set(_units_in(words, names or {}))
    return Accused(frozenset(units), leaders)


def _grade(words: str, found: re.Match[str]) -> bool | None:
    """Whether the leaders are accused here: True surely, False perhaps, None: they are only spoken to or a place."""
    before, after = words[max(0, found.start() - _BEFORE) : found.start()], words[found.end() : found.end() + _AFTER]
    if _ADDRESSED.search(before) or _CALLED.search(after):
        return False if _does_wrong(after.partition(",")[0], surely=True) else None
    if found["body"] and _OF_STAFF.search(before) and not _SUFFERED.search(before):
        return None
    if found["some"] or _OF_KIN.search(before) or _AT_THEIR_HOUSE.search(before) or _VICTIM.search(before):
        return False
    if _DOUBTED.search(before) or _DOUBTED.search(after):
        return False
    if _DONE_FOR.search(before):
        return True
    if before.endswith(" cua "):  # somebody or something of theirs
        return False
    return _does_wrong(after, surely=True) or _is_denounced(before)


def _does_wrong(after: str, *, surely: bool = False) -> bool:
    """Whether a wrong follows, before somebody else or what is asked for does. `surely`: nobody else at all."""
    wrong = _WRONGS.search(after)
    if wrong is None:
        return False
    between = _JOINED.sub(" ", after[: wrong.start()])
    if surely and _ELSE.search(between):
        return False
    return not (_STOP.search(between) or _ALL_UNITS.search(between))


def _is_denounced(before: str) -> bool:
    """Whether they are what is denounced, alone or joined to others."""
    verbs = list(_DENOUNCED.finditer(before))
    if not verbs:
        return False
    between = before[verbs[-1].end() :]
    others = _ALL_UNITS.sub(" ", re.sub(rf"(?:^|,) {_HONORIFIC}|{_HONORIFIC}$", " ", between))
    if _ELSE.search(others):
        return False
    return not _ALL_UNITS.search(between) or _JOINS.search(between) is not None


def _units_in(words: str, names: Mapping[str, Iterable[str]]) -> Iterable[str]:
    for slug in {*_UNITS, *names}:
        called = [*(re.escape(name) for name in names.get(slug, ()) if name), *filter(None, [_UNITS.get(slug)])]
        for found in re.finditer(rf"\b(?:{'|'.join(called)})\b", words):
            before = words[max(0, found.start() - _BEFORE) : found.start()]
            after = words[found.end() : found.end() + _NEAR]
            if not _ADDRESSED.search(before) or _does_wrong(after.partition(",")[0]):
                yield slug
