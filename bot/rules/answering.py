"""Answering: what people say when they are asked something, in their own words: yes, no, a number, a place, a name.

All functions take folded words without punctuation (`bare`); `accented` is the same message as it was typed, in small
letters, where accents decide ("đúng" is a yes, "đừng" a no).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_POLITE = frozenset({
    "a", "da", "vang", "thua", "nhe", "nha", "nghen", "nhen", "hen", "em", "ad", "ban", "oi", "luon", "di", "roi",
    "chu", "thoi",
    "giup", "gium", "dum", "toi", "tui", "minh", "chau", "con", "cho", "voi", "can", "bo", "xa", "ne", "ha", "nua",
    "do", "day",
    "ah", "u", "uh", "um", "uhm", "anh", "chi", "ong", "ba", "co", "bac", "qua", "lam", "nhieu", "het", "cung",
    "thi", "la",
    "muon", "nay", "vay", "the", "please", "se", "xin", "cam", "on", "cai", "duoc", "ok", "oke", "okay", "ra",
    "vao", "lai", "phai",
})  # fmt: skip
_NEGATIONS = frozenset(
    {"khong", "ko", "k", "hong", "hok", "hem", "hổng", "khoi", "chua", "chang", "cha", "dung", "no", "not"}
)
_YES = re.compile(
    r"(?:da |vang |u |uh |ừ )*(?:co|dong y|ok|oke|okay|okie|duoc|dc|vang|da|u|uh|um|uhm|yes|y|dung|phai|chac|"
    r"chac chan|nhat tri|"
    r"i agree|agree|co chu|sao cung duoc)"
    r"(?: (?:a|nhe|nha|nghen|em|ad|ban|luon|di|roi|chu|thoi|do|day|het|vay|can bo|anh|chi|ong|ba|toi|oi|nhen|"
    r"hen|cung duoc))*"
)
_NO = re.compile(
    r"(?:da |thoi |thua )*(?:(?:toi|em|tui|minh) )?(?:khong|ko|k|hong|hok|thoi|khoi|no|n|chua|khoan|khoan da|de sau)"
    r"(?: (?:a|nhe|nha|nghen|em|ad|ban|can|dau|dong y|muon|thich|cho|phai|dc|duoc|biet|co|nua|oi|can bo|di|khoi))*"
)
_NUMBER = re.compile(r"(?:so |chon |phuong an |dap an |muc |cai |thu |ma )?(\d)(?: (?:a|nhe|nha|em|di))*")
# What an answer to a question is about: words that mean one of the values it offers.
_MEANINGS: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    "split": {
        "split": re.compile(r"\b(?:tach|rieng|hai ma|2 ma|chia|two reports|two|separate|split)\b"),
        "together": re.compile(r"\b(?:chung|gop|mot ma|1 ma|nguyen|together|one report|keep one)\b"),
    },
    "merge": {
        "keep": re.compile(r"\b(?:rieng|tao moi|moi|tach|apart|separate|new one)\b"),
        "merge": re.compile(r"\b(?:ghep|gop|chung|nhap|join|cung bi|cung (?:vay|the)|me too)\b"),
    },
    "forward": {
        "forward": re.compile(r"\b(?:chuyen|gui|pass it on|forward)\b"),
        "no": re.compile(r"\b(?:de do|tu goi|tu lien he)\b"),
    },
    "consent": {
        "more": re.compile(r"\b(?:xem them|them|chi tiet|quyen rieng tu|de lam gi|lam gi|lo ten|bi lo|bao mat|"
            r"la sao|tai sao|sao vay|"
                           r"luu gi|an toan|tell me more|more)\b"),
        "yes": re.compile(r"\b(?:dong y|luu|agree)\b"),
    },
    "withdraw": {"no": re.compile(r"\b(?:giu|de lai|de do|khoan|keep)\b"), "yes": re.compile(r"\b(?:rut|huy|bo di|"
        r"bo phan anh|withdraw)\b")},
    "erase": {"no": re.compile(r"\b(?:giu|de lai|de do|khoan|keep)\b"), "yes": re.compile(r"\b(?:xoa|delete)\b")},
    "who": {
        "anonymous": re.compile(
            r"\b(?:an danh|giau ten|giu kin|bi mat|(?:khong|dung|ko) (?:dam |muon )?(?:neu|noi|cho biet) ten)\b"
        ),
    },
    "rating": {
        "low": re.compile(r"\b(?:te|that vong|buc|kem|1 diem|chan)\b"),
        "fair": re.compile(r"\b(?:tam|chap nhan|binh thuong|(?:kha|tam|cung) on|on (?:roi|thoi)|2 diem|"
            r"cung duoc|dong y|ok)\b"),
        "good": re.compile(r"\b(?:hai long|tot|tuyet|ung|xuat sac|3 diem|10 diem|rat tot|satisfied|good|dep|hay)\b"),
    },
}  # fmt: skip
# "không" before these turns them into the other answer.
_OPPOSITE = {
    "split": {"split": "together", "together": "split"},
    "merge": {"merge": "keep", "keep": "merge"},
    "forward": {"forward": "no"},
    "consent": {"yes": "no"},
    "withdraw": {"yes": "no", "no": "yes"},
    "erase": {"yes": "no", "no": "yes"},
    "who": {},
    "rating": {"good": "low", "fair": "low", "low": "good"},
}
_YES_MEANS = {
    "split": "split", "merge": "merge", "forward": "forward", "consent": "yes", "withdraw": "yes", "erase": "yes",
    "rating": "good",
}  # fmt: skip
_NO_MEANS = {
    "split": "together", "merge": "keep", "forward": "no", "consent": "no", "withdraw": "no", "erase": "no",
    "rating": "low",
}  # fmt: skip
_MOST_WORDS, _MOST_OWN = 9, 3
_NOT_OVER = re.compile(r"\b(?:chua (?:xong|dat|duoc|sua|lam|giai quyet)|van (?:con|chua|the|vay))\b")
_SKIPS = re.compile(
    r"(?:(?:da|thua|thoi|a|u|toi|em|tui|minh|chau|con) )*(?:bo qua|gui luon|gui di|de sau|khong can|khong|ko|"
    r"thoi|khoi|chiu|skip|thoi khoi|"
    r"(?:khong|ko|k|hong|hok|hem|chua|chang) (?:biet|bik|bit|ro|ranh|nho|can|chac|muon|thich|co|noi|tien|"
    r"cho biet|tra loi)|"
    r"khoi (?:can|noi|ghi|luu)|dung hoi)"
    r"(?: (?:a|nhe|nha|nghen|di|em|ad|ban|oi|roi|luon|cung duoc|nua|dau|o dau|cho nao|ro|lam|cu the|ten|noi|can|"
    r"cho|khoi))*"
)
_PLACES = (
    r"(?:o|tai|gan|truoc|sau|sat|canh|ke|doi dien|duoi|tren|trong|ngoai|doan|khuc|nga ba|nga tu|nga nam|dau|"
    r"cuoi|giua|duong|pho|hem|"
    r"ngo|ngach|xom|thon|ap|to|khu|kp|buon|lang|ban|cau|cho|truong|nha|chua|dinh|mieu|dia chi|so|cot|ngay|phia|"
    r"ben|khap|tu|kinh|kenh|"
    r"muong|song|bo|san|cong ty|quan|tram|uy ban|cay xang|near|at|next to|in front of|toi o|em o|nha toi|nha em|"
    r"chinh cho|trc|dg|day)"
)
_SPOT = re.compile(rf"(?:(?:da|thua|a|u|la|no|cai do|cho do) )*{_PLACES}\b")
# What says that something is wrong: a place does not.
_TROUBLE = re.compile(
    r"\b(?:khong|ko|hong ai|chua (?:ai|thay|co|duoc|sua|lam|xu|don|xong|giai|biet)|bi|hu|hong roi|tat|toi om|"
    r"ngap|tac|nghet|chay|vo (?:roi|ong|duong|nat|be)|nut|lun|sap|do nga|mat (?:nuoc|dien|mang|nap)|"
    r"thieu|hoi (?:thoi|qua|lam)|boc mui|on ao|lan chiem|trom|danh nhau|dien giat|o ga|ro ri|gay|nghieng|xin|"
    r"de nghi|bao gio|"
    r"khi nao|chat dong|cuu)\b"
)
_NO_NAMES = frozenset({
    "khong", "ko", "hong", "cam", "on", "de", "sau", "thoi", "khoi", "bo", "qua", "duoc", "vang", "da", "chua",
    "biet", "sao", "gi",
    "ai", "ten", "ok", "lam", "vay", "xin", "chao", "hok", "hem", "so", "lo", "ngai", "muon", "can",
})  # fmt: skip
_CONTENT = re.compile(
    r"\b(?:hai long|chap nhan|tuyet|cam on|cam on|10 diem|tot|dep|ung|on roi|dong y|tam duoc|cung duoc|khen|"
    r"hoan nghenh|vui|"
    r"(?:sua|xong|sang|don|lam|het|duoc|on|sach|co|thong|tot|kip)(?: \w+)? roi|da (?:sua|xong|sang|don|lam|het|"
    r"duoc|on|sach|co))\b"
)
_DISCONTENT = re.compile(r"\b(?:khong|ko|hong|chua|van|lai|nhung|ma|moi|nua|con|te|tat|hong|hu)\b")


def number_of(bare: str, most: int) -> int | None:
    """The number of an answer that was listed, 1 to `most`; also where the whole line was copied ("3 hai long")."""
    found = _NUMBER.fullmatch(bare) or re.match(r"(\d) ", bare)
    number = int(found[1]) if found and len(bare.split()) <= _MOST_OWN + 1 else 0
    return number if 1 <= number <= most else None


def meaning_of(question: str, bare: str, accented: str) -> str | None:
    """Which of the values a question offers is meant, in whatever words; None when it is about something else."""
    words = bare.split()
    if not words or len(words) > _MOST_WORDS:
        return None
    if question == "rating" and _NOT_OVER.search(bare):
        return "low"
    is_denied = _is_denied(words, accented)
    for value, pattern in _MEANINGS.get(question, {}).items():
        if pattern.search(bare) and _says_little_else(pattern, bare):
            if value == "more":
                return value
            return _OPPOSITE[question].get(value, value) if is_denied else value
    if _NO.fullmatch(bare) and "đúng" not in accented:
        return _NO_MEANS.get(question)
    if _YES.fullmatch(bare):
        return _YES_MEANS.get(question)
    return None


def begins_with_consent(bare: str) -> bool:
    """Whether somebody agrees and goes on in the same breath, as with their name."""
    return re.match(r"(?:(?:da|vang|u|ok|toi|em|tui) )*dong y\b", bare) is not None


def _is_denied(words: list[str], accented: str) -> bool:
    denials = [word for word in words if word in _NEGATIONS]
    if denials == ["dung"] or denials == ["no"]:
        return "đừng" in accented or accented.split()[:1] == ["no"]
    return bool(denials)


def _says_little_else(pattern: re.Pattern[str], bare: str) -> bool:
    left = [word for word in pattern.sub(" ", bare).split() if word not in _POLITE | _NEGATIONS]
    return len(left) <= _MOST_OWN


def is_skip(bare: str) -> bool:
    """Whether an answer is declined: "bỏ qua", "không biết nữa", "hok bik"."""
    return _SKIPS.fullmatch(bare) is not None


def is_spot(bare: str) -> bool:
    """Whether a few words say where something is and nothing about what is wrong there."""
    words = bare.split()
    return 0 < len(words) <= _MOST_WORDS + 3 and _SPOT.match(bare) is not None and _TROUBLE.search(bare) is None


def has_trouble(bare: str) -> bool:
    """Whether words say that something is wrong or wanted."""
    return _TROUBLE.search(bare) is not None


def is_no_name(bare: str) -> bool:
    """Whether a few words asked for a name hold none: "không", "cảm ơn", "để sau"."""
    return all(word in _NO_NAMES | _POLITE for word in bare.split())


def is_content(bare: str) -> bool:
    """Whether words about a result only say that it is good."""
    words = bare.split()
    left = _CONTENT.sub(" ", bare)
    return 0 < len(words) <= _MOST_WORDS + 3 and _CONTENT.search(bare) is not None and not _DISCONTENT.search(left)


_FOLLOWS = re.compile(
    r"(?:(?:da|a|u|oi|thua|va|ma) )*(?:no|cai (?:do|nay|ay)|(?:vu|viec|cho|chuyen) (?:do|nay|ay|hoi nay|hom qua)|"
    r"(?:tat|tanh|het|xong|khoi|do|ngung|im|on|dap) (?:duoc )?roi|khong sao|mui (?:hoi|thoi|nong)|gio (?:no|van|lai))\b"
)


def follows_on(folded: str) -> bool:
    """Whether words follow on what was said just before: "nó bị từ thứ bảy", "tắt rồi, không sao nữa"."""
    return _FOLLOWS.match(" ".join(re.findall(r"[a-z0-9]+", folded[:200]))) is not None
