"""Words as a mobile network carries them: two alphabets, parts that are paid for one by one, numbers of citizens."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# GSM 03.38: the position in the string is the code; escape (0x1B) leads to the extension table.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65,
}  # fmt: skip
_ESCAPE = 0x1B
_GSM = {c: bytes([i]) for i, c in enumerate(_BASIC) if i != _ESCAPE} | {
    c: bytes([_ESCAPE, i]) for c, i in _EXTENSION.items()
}
_FROM_EXTENSION = {i: c for c, i in _EXTENSION.items()}

GSM7, UCS2 = 0, 8  # the data_coding of SMPP
_ROOM = {GSM7: (160, 153), UCS2: (70, 67)}  # in one part, in each of several
MOST_PARTS = 255

_TYPOGRAPHIC = str.maketrans(
    {
        "đ": "d", "Đ": "D", "‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "…": "...",
        "•": "-", "·": ",", "«": '"', "»": '"', "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\t": " ",
        "\u200b": "", "\u200c": "", "\u200d": "", "\ufeff": "", "\u2060": "",
    }
)  # fmt: skip
_NUMBER = re.compile(r"(?:\+?84|0084|0)(?P<rest>[35789]\d{8})", re.ASCII)


@dataclass(frozen=True)
class Segments:
    """A text as the network counts it: in which alphabet, how many units it has, and the parts it is paid for as."""

    coding: int
    units: int
    parts: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many parts are paid for."""
        return len(self.parts)

    @property
    def is_unicode(self) -> bool:
        """Whether a letter needed the wide alphabet, which has room for less than half as much."""
        return self.coding == UCS2


def needs_unicode(text: str) -> bool:
    """Whether a letter of the text is missing in GSM-7."""
    return not all(c in _GSM for c in text)


def segments(text: str) -> Segments:
    """Cut a text as telephones do, never inside an escaped letter or a surrogate pair; ValueError beyond 255 parts."""
    coding = UCS2 if needs_unicode(text) else GSM7
    sizes = [_units(c, coding) for c in text]
    one, many = _ROOM[coding]
    total = sum(sizes)
    if total <= one:
        return Segments(coding, total, (text,))
    parts, begin, filled = [], 0, 0
    for at, size in enumerate(sizes):
        if filled + size > many:
            parts.append(text[begin:at])
            begin, filled = at, 0
        filled += size
    parts.append(text[begin:])
    if len(parts) > MOST_PARTS:
        raise ValueError(f"{len(parts)} parts; a message has at most {MOST_PARTS}")
    return Segments(coding, total, tuple(parts))


def encoded(text: str, coding: int) -> bytes:
    """The bytes of a text in one of the two alphabets; KeyError for a letter that GSM-7 lacks."""
    if coding == UCS2:
        return text.encode("utf-16-be", "surrogatepass")
    return b"".join(_GSM[c] for c in text)


def gsm_decoded(data: bytes) -> str:
    """The text of unpacked GSM-7 bytes; what no letter has becomes U+FFFD."""
    out, rest = [], iter(data)
    for code in rest:
        if code == _ESCAPE:
            out.append(_FROM_EXTENSION.get(next(rest, 0), "\ufffd"))
        else:
            out.append(_BASIC[code] if code < len(_BASIC) else "\ufffd")
    return "".join(out)


def unmarked(text: str) -> str:
    """Tiếng Việt → Tieng Viet, typographic marks → those every telephone has. Letters and digits are never lost.

    What is neither and has no form in GSM-7 (an emoji) becomes a space: it would more than double the price of all.
    """
    bare = unicodedata.normalize("NFD", text.translate(_TYPOGRAPHIC))
    bare = unicodedata.normalize("NFC", "".join(c for c in bare if not unicodedata.combining(c)))
    return "".join(c if c in _GSM or unicodedata.category(c)[0] in "LN" else " " for c in bare).replace("\r\n", "\n")


def is_same_but_for_marks(text: str, without: str) -> bool:
    """Whether the second text has each letter and digit of the first, in order, at most without its marks."""
    return _skeleton(text) == _skeleton(without)


def mobile(number: str) -> str | None:
    """The digits 84… of a Vietnamese mobile number, however it is written; None for everything else.

    Short codes, sender names, landlines and the eleven digits of before 2018 are nobody we may answer by a machine.
    """
    found = _NUMBER.fullmatch(re.sub(r"[\s.\-()]", "", number)) if len(number) <= 30 else None
    return f"84{found['rest']}" if found else None


def urn_of(number: str) -> str | None:
    """`tel:+84…` of a citizen's mobile number; None when it is none."""
    digits = mobile(number)
    return f"tel:+{digits}" if digits else None


def digits_of(urn: str) -> str | None:
    """The digits 84… of a `tel:` address; None when it is no citizen's mobile."""
    scheme, _, number = urn.partition(":")
    return mobile(number) if scheme == "tel" else None


def _units(character: str, coding: int) -> int:
    if coding == GSM7:
        return len(_GSM[character])
    return 2 if character > "\uffff" else 1


def _skeleton(text: str) -> str:
    bare = unicodedata.normalize("NFD", text.translate(_TYPOGRAPHIC))
    return "".join(c for c in bare if unicodedata.category(c)[0] in "LN")
