"""What a network makes of words: the narrow alphabet of GSM 03.38 or the wide one, units, and pieces.

Written from the table of the standard and not shared with the gateway, whose own reading is checked against it.
"""

from __future__ import annotations

from dataclasses import dataclass

NARROW, WIDE = "GSM-7", "UCS-2"
_ROWS = (
    "@Δ 0¡P¿p", "£_!1AQaq", "$Φ\"2BRbr", "¥Γ#3CScs", "èΛ¤4DTdt", "éΩ%5EUeu", "ùΠ&6FVfv", "ìΨ'7GWgw",
    "òΣ(8HXhx", "ÇΘ)9IYiy", "\nΞ*:JZjz", "Ø\0+;KÄkä", "øÆ,<LÖlö", "\ræ-=MÑmñ", "Åß.>NÜnü", "åÉ/?O§oà",
)  # fmt: skip
_ESCAPE = 0x1B
# The table is printed with the low half of the code down the page and the high half across it.
_LETTERS = {column << 4 | row: letter for row, line in enumerate(_ROWS) for column, letter in enumerate(line)}
_ESCAPED = dict(
    zip((0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65), "\f^{}\\[~]|€", strict=True)
)  # after the escape
_CODES = {letter: bytes([code]) for code, letter in _LETTERS.items() if code != _ESCAPE} | {
    letter: bytes([_ESCAPE, code]) for code, letter in _ESCAPED.items()
}
_BYTES = {NARROW: (160, 153), WIDE: (140, 134)}  # of one message, of a piece beside its header


@dataclass(frozen=True)
class Counted:
    """A text as it is paid for. `units`: septets, or UTF-16 units; `pieces`: the bytes of each message."""

    alphabet: str
    units: int
    pieces: tuple[bytes, ...]


def counted(text: str) -> Counted:
    """Cut a text as a telephone does: no letter is ever cut in two."""
    alphabet = NARROW if all(letter in _CODES for letter in text) else WIDE
    letters = [_CODES[c] if alphabet == NARROW else c.encode("utf-16-be", "replace") for c in text]
    one, many = _BYTES[alphabet]
    size = sum(map(len, letters))
    room, pieces = (one if size <= one else many), [b""]
    for letter in letters:
        if len(pieces[-1]) + len(letter) > room:
            pieces.append(b"")
        pieces[-1] += letter
    return Counted(alphabet, size if alphabet == NARROW else size // 2, tuple(pieces))


def words_of(data: bytes, alphabet: str) -> str:
    """The text of a message's bytes."""
    if alphabet == WIDE:
        return data.decode("utf-16-be", "replace")
    text, codes = "", iter(data)
    for code in codes:
        text += _ESCAPED.get(next(codes, 0), "\ufffd") if code == _ESCAPE else _LETTERS.get(code, "\ufffd")
    return text
