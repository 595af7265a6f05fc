"""Count and split text the way channels do, never inside a character."""

from __future__ import annotations

import re
import unicodedata

# Tried in order; a break counts only when the part before it fills this share of the room, so that a
# short first paragraph does not become a message of its own.
_BREAKS: tuple[tuple[re.Pattern[str], float], ...] = (
    (re.compile(r"(?=\n[^\S\n]*\n)"), 0.5),
    (re.compile(r"(?=\n)"), 0.5),
    (re.compile(r"[.!?…][)\]\"'”’»]{0,3}(?=\s)"), 0.4),
    (re.compile(r"(?=[^\S\u00a0\u2007\u202f])"), 0.0),
)
_MOST_MARKS = 30  # on one letter; Unicode's own bound for text that is safe to stream
_JOINER = "\u200d"
_JOINING = {"\u200c", _JOINER}
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_HANGUL_PIECES = range(0x1100, 0x1200)


def length(text: str, units: str) -> int:
    """How long the channel thinks the text is, in "utf16" units or "codepoints"."""
    if units == "codepoints":
        return len(text)
    if units == "utf16":
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    raise ValueError(f'unknown text units {units!r}; use "utf16" or "codepoints"')


def split(text: str, limit: int, units: str) -> list[str]:
    """Cut NFC text into parts of at most `limit` units; only white space at the cuts is lost."""
    if limit < 2:
        raise ValueError(f"a part must have room for at least 2 units, not {limit}")
    text = _composed(text)
    parts = []
    at = _skip_space(text, 0)
    while at < len(text):
        end = _furthest(text, at, limit, units)
        cut = end if end == len(text) else _best_cut(text, at, end)
        if part := text[at:cut].rstrip():
            parts.append(part)
        at = _skip_space(text, cut)
    return parts


def printable(value: object, cap: int) -> str:
    """A string that every database and channel takes: capped, no NUL, no half characters; "" for other types."""
    if not isinstance(value, str):
        return ""
    text = value[:cap].replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _composed(text: str) -> str:
    # Composing sorts each run of marks by insertion: thousands in a row, never real writing, would take seconds.
    return text if _has_piled_marks(text) else unicodedata.normalize("NFC", text)


def _has_piled_marks(text: str) -> bool:
    run = 0
    for category in map(unicodedata.category, text):
        run = run + 1 if category[0] == "M" else 0
        if run > _MOST_MARKS:
            return True
    return False


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace() and not (at + 1 < len(text) and _extends(text[at + 1])):
        at += 1
    return at


def _furthest(text: str, at: int, limit: int, units: str) -> int:
    end = min(len(text), at + limit)
    excess = length(text[at:end], units) - limit
    while excess > 0:
        end -= 1
        excess -= 2 if text[end] > "\uffff" else 1
    return end


def _best_cut(text: str, at: int, end: int) -> int:
    room = text[at : end + 1]
    for pattern, least in _BREAKS:
        cuts = [m.end() for m in pattern.finditer(room) if 0 < m.end() <= end - at]
        if cuts and cuts[-1] >= least * (end - at):
            return at + cuts[-1]
    cut = end
    while cut > at and not _is_between_characters(text, at, cut):
        cut -= 1
    return cut if cut > at else end


def _is_between_characters(text: str, at: int, cut: int) -> bool:
    before, after = text[cut - 1], text[cut]
    if _extends(after) or before == _JOINER:
        return False
    if ord(before) in _HANGUL_PIECES and ord(after) in _HANGUL_PIECES:
        return False
    if "\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff":
        return False
    if ord(before) in _FLAG_LETTERS and ord(after) in _FLAG_LETTERS:
        begin = cut
        while begin > at and ord(text[begin - 1]) in _FLAG_LETTERS:
            begin -= 1
        return (cut - begin) % 2 == 0
    return True


def _extends(character: str) -> bool:
    if character < "\u0300":
        return False
    code = ord(character)
    return character in _JOINING or code in _SKIN_TONES or code in _TAGS or unicodedata.category(character)[0] == "M"
