"""Numbers as they are said: mốt, tư and lăm where they belong, linh for a missing ten, phẩy for a decimal comma."""

from __future__ import annotations

from itertools import pairwise

DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_THOUSANDS = ("", "nghìn", "triệu", "tỷ", "nghìn tỷ", "triệu tỷ")
_LONGEST = 3 * len(_THOUSANDS)
# What stands last after twenty, thirty…: hai mươi mốt, hai mươi tư, hai mươi lăm.
_AFTER_TENS = {"1": "mốt", "4": "tư", "5": "lăm"}


def said(written: str) -> str:
    """A number as it is written in Vietnam: 1.250 or 1250 or 37,5; with a foreign point (3.5) as well."""
    if "," in written:
        whole, _, part = written.replace(".", "").partition(",")
    elif "." in written and not _in_thousands(written):
        whole, _, part = written.partition(".")
    else:
        whole, part = written.replace(".", ""), ""
    part = part.replace(".", "").rstrip("0") if not part.strip("0") else part
    return f"{integer(whole)} phẩy {_decimals(part)}" if part else integer(whole)


def integer(digits: str) -> str:
    """A whole number; one that is too long for words is said digit by digit."""
    digits = digits.lstrip("0") or "0"
    if len(digits) > _LONGEST:
        return by_digit(digits)
    if digits == "0":
        return DIGITS[0]
    groups = [digits[max(0, end - 3) : end] for end in range(len(digits), 0, -3)][::-1]
    words: list[str] = []
    for place, group in zip(range(len(groups) - 1, -1, -1), groups, strict=True):
        lower_groups = groups[len(groups) - place :]
        if group.strip("0"):
            words.append(f"{_three(group, leading=not words)} {_THOUSANDS[place]}".strip())
        elif place and any(lower.strip("0") for lower in lower_groups):
            words.append(f"không trăm {_THOUSANDS[place]}")
    return " ".join(words)


def ordinal(digits: str) -> str:
    """What follows "thứ": nhất, hai, ba, tư…"""
    plain = digits.lstrip("0")
    return {"1": "nhất", "4": "tư"}.get(plain) or integer(digits)


def month(digits: str) -> str:
    """What follows "tháng": the fourth is tư."""
    return "tư" if digits.lstrip("0") == "4" else integer(digits)


def by_digit(digits: str) -> str:
    """One digit after the other, as telephone numbers and codes are said."""
    return " ".join(DIGITS[int(digit)] for digit in digits)


_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def roman(letters: str) -> int:
    """The value of a Roman numeral that is written as it must be; 0 for anything else."""
    values = [_ROMAN[letter] for letter in letters]
    total = sum(-one if one < after else one for one, after in pairwise([*values, 0]))
    return total if 0 < total < 90 and _as_roman(total) == letters else 0


def _as_roman(value: int) -> str:
    steps = ((50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
    letters = ""
    for step, sign in steps:
        letters += sign * (value // step)
        value %= step
    return letters


def _in_thousands(written: str) -> bool:
    first, *rest = written.split(".")
    return len(first) <= 3 and first != "0" and all(len(group) == 3 for group in rest)


def _decimals(digits: str) -> str:
    """After the comma zeros are said one by one, what follows them as a number; a long tail digit by digit."""
    rest = digits.lstrip("0")
    zeros = [DIGITS[0]] * (len(digits) - len(rest))
    return " ".join([*zeros, *([integer(rest) if len(rest) <= 3 else by_digit(rest)] if rest else [])])


def _three(group: str, *, leading: bool) -> str:
    """Up to three digits; hundreds that are missing are said unless nothing stands before them."""
    if leading:
        group = group.lstrip("0")
    hundreds, rest = ("", group) if len(group) < 3 else (group[0], group[1:])
    words = [f"{DIGITS[int(hundreds)]} trăm"] if hundreds else []
    tens, unit = ("", rest) if len(rest) < 2 else (rest[0], rest[1])
    if tens == "0":
        if unit != "0":
            words.append(f"linh {DIGITS[int(unit)]}")
    elif tens == "1":
        words.append("mười" if unit == "0" else f"mười {'lăm' if unit == '5' else DIGITS[int(unit)]}")
    elif tens:
        last = "" if unit == "0" else _AFTER_TENS.get(unit, DIGITS[int(unit)])
        words.append(f"{DIGITS[int(tens)]} mươi {last}".strip())
    elif unit:
        words.append(DIGITS[int(unit)])
    return " ".join(words)
