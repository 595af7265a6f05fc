"""Safety: what people answer when an emergency asks whether they are safe or need help, in their own words.

Danger wins: who says both is taken to need help. All functions take folded words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

# So long after an emergency has ended its answer is still recognised as one.
LATE = timedelta(days=7)
LABELS = ("An toàn", "Cần giúp")  # as they stand on buttons


class Meaning(StrEnum):
    """What somebody says about their own safety; UNCLEAR: they speak of it, but it could be either."""

    SAFE = "safe"
    HELP = "help"
    UNCLEAR = "unclear"


_WORDS = re.compile(r"[a-z0-9]+")
_SHORT: Mapping[str, str] = {
    **dict.fromkeys(("k", "ko", "kg", "kh", "khg", "hk", "hong", "hok", "hem", "hg", "khum", "hông"), "khong"),
    **dict.fromkeys(("antoan", "antona", "atoan"), "an toan"),
    **dict.fromkeys(("cangiup", "cgiup"), "can giup"),
    **dict.fromkeys(("gip", "jup", "giupp", "guip", "giu p", "giups", "giupd"), "giup"),
    **dict.fromkeys(("toang", "tona", "taon", "toann", "tian"), "toan"),
    "nc": "nuoc", "ng": "nguoi", "r": "roi", "rui": "roi", "dc": "duoc", "dk": "duoc", "vs": "voi", "hn": "hom nay",
    "bt": "binh thuong", "ch": "chua", "cug": "cung", "safe": "an toan", "help": "can giup", "sos": "can giup",
}  # fmt: skip
# "Không" in these denies no safety: they say that all is well.
_WELL = re.compile(
    r"\b(?:(?:khong|chua|chang|cha) (?:bi |co |lam |viec |van de |he )*(?:sao|gi|hong gi|van de|viec gi|chuyen gi)|"
    r"khong (?:can |phai )?lo(?: lang)?|dung lo|khong ai (?:bi |lam )?(?:sao|thuong|gi)|khong van de gi|"
    r"khong (?:bi |co |con )?(?:ngap|thuong|nguy hiem|nguoi (?:nao )?bi thuong|anh huong|thiet hai)|"
    r"chua (?:bi |co )?(?:ngap|thuong|nguy hiem|anh huong)|het nguy hiem|qua con nguy hiem|"
    r"(?:khong|khoi|chua|chang|deo|khoong) (?:can|phai|muon|nho)(?: ai| duoc| den| phai| ai den)? "
    r"(?:giup(?: do)?|cuu(?: ho| tro)?|ho tro|tro giup)(?: gi| nua| dau)*|het can giup)\b"
)
_NOT_SAFE = re.compile(
    r"\b(?:khong|chua|chang|cha|mat|kem|thieu|het|deo|dau co|dau)(?: (?:con|thay|duoc|he|the|dam bao|biet|he con)){0,2}"
    r" (?:an toan|binh an|binh yen|on)\b|\b(?:khong|chua) (?:duoc )?on\b|\blo (?:khong|mat) an toan\b"
)
_SAFE = re.compile(
    r"\b(?:an toan|binh an|binh yen|yen on|yen tam|on (?:ca|het|dinh|roi|thoi|lam|nhe|a|day)|"
    r"(?:van|deu|cung|nha|toi|em|nguoi|gio|tam|ca) on|^on$|tat ca on|binh thuong|van khoe|khoe (?:ca|het|manh)|"
    r"(?:da |di )?so tan (?:roi|xong|het)|da (?:so tan|di doi|duoc cuu|ve nha|len cao|ra khoi|thoat)|duoc cuu roi)\b"
)
_HELP = re.compile(
    r"\b(?:can (?:duoc |nguoi |xa |gap |su |cac anh |bo doi |moi nguoi )*"
    r"(?:giup|cuu|ho tro|tro giup|thuyen|xuong|ca no|di doi|so tan|cap cuu|luong thuc|nuoc uong|thuoc|bac si)|"
    r"giup (?:voi|toi|em|nha|gap|tui|minh|chau|chung|me|bo|ba|ong)|(?:xin|hay|mau|nho|mong) (?:\w+ )?(?:giup|cuu)|"
    r"cuu (?:voi|toi|em|nha|mang|gap|ho|tro|tui|minh|chau|me|bo|ba|ong|nguoi|con)|^cuu$|keu cuu|cap cuu|"
    r"mac ket|bi ket|ket (?:tren|trong|o|lai)|bi (?:thuong|vui|cuon|troi|sap|lut|co lap|ngat|dien giat)|"
    r"nha (?:toi )?(?:bi )?(?:sap|chay|do|troi|toc mai|cuon)|sap (?:nha|mai|tuong)|toc mai|sat lo|lo dat|"
    r"(?:nuoc|ngap|lut)(?: \w+){0,4} (?:mai|noc|nguc|gac|cua so|tran nha|giuong|that lung)|"
    r"(?:nuoc|ngap|lut)(?: \w+){0,3} (?:toi|den|ngang|qua|hon) (?:\w+ )?(?:co|dau|bung|goi|cam)|"
    r"nuoc (?:cuon|tran vao|vao nha|ngap nha|dang nhanh|len nhanh|chay xiet|dang cao)|ngap (?:nha|sau|lut|nang|het)|"
    r"nguy (?:hiem|cap|kich)|nguy roi|mat tich|duoi nuoc|chet|kho tho|chay nha|co lap|"
    r"(?:khong|chua) (?:the )?(?:ra|thoat|di|chay|len|xuong|ra khoi)(?: \w+)? (?:duoc|kip|noi|nha)|"
    r"(?:het|khong con|khong co) (?:luong thuc|gao|nuoc uong|do an|cai an|thuoc|dien thoai)|"
    r"(?:khong|chua) (?:co )?ai (?:den|toi|cuu|giup|ho tro)|co ai (?:den |toi |ra )?(?:cuu|giup))\b"
)
# Whether it may come to the worst is a question; whether nobody comes to help is none.
_WHETHER = re.compile(
    r"\b(?:co|lieu|da)(?: (?!ai\b|cuu\b|giup\b)\w+){1,7} (?:khong|chua)(?: (?:a|vay|ha|nhi|xa|ad|em|anh|chi|the|oi))*$"
)
# Long letters ("cứuuu") are one cry.
_DRAWN = re.compile(r"([a-z])\1{2,}")
_ASKS = re.compile(
    r"\b(?:(?:co |da )?(?:an toan|on) (?:khong|chua)(?: (?:a|vay|ha|nhi|xa|ad|em|anh|chi|can bo|the|oi))*$|"
    r"(?:cho|noi|diem|o|duong) (?:nao|dau)(?: \w+)? an toan|(?:khi nao|bao gio|lam sao|the nao)(?: \w+){0,4} an toan|"
    r"(?:co )?can (?:\w+ )?giup (?:gi|do gi|khong|ai)|ai (?:\w+ )?can giup|can giup (?:do )?(?:gi|ai|khong)(?: \w+)?$|"
    r"(?:toi|em|minh|chung toi|tui) (?:co the|muon|san sang|se)(?: \w+){0,2} giup|an toan (?:hay|hoac) can giup)\b"
)
_THEN = re.compile(r"\b(?:luc nay|hom qua|ban nay|truoc do|hoi nay|sang nay|dem qua)\b")
_NOW = re.compile(
    r"\b(?:gio|bay gio|hien|hien tai|nay) (?:thi |da |la |deu |nha |toi |moi nguoi |ca nha )*(?:an toan|on|khong sao)"
)
_FEW = 12


def meaning_of(folded: str) -> Meaning | None:
    """What the words say about their writer's safety; None when they do not speak of it."""
    bare = _spelt_out(folded)
    well = _WELL.search(bare) is not None
    bare = " ".join(_WELL.sub(" , ", bare).split())
    if _NOW.search(bare) and _THEN.search(bare) and not _NOT_SAFE.search(bare):
        return Meaning.SAFE
    if _ASKS.search(bare):
        return Meaning.HELP if _in_danger(_ASKS.sub(" ", bare)) else Meaning.UNCLEAR
    if _NOT_SAFE.search(bare) or _in_danger(_WHETHER.sub(" ", bare)):
        return Meaning.HELP
    return Meaning.SAFE if well or _SAFE.search(bare) else None


def is_wholly(folded: str) -> bool:
    """Whether the words say little else, so that they hold no report beside the answer."""
    return len(folded.split()) <= _FEW


def _in_danger(bare: str) -> bool:
    return _HELP.search(bare) is not None


def _spelt_out(folded: str) -> str:
    words = _WORDS.findall(_DRAWN.sub(r"\1\1", folded.replace("đ", "d")))
    return " ".join(_SHORT.get(word, word) for word in words)
