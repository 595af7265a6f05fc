"""Personal data: where phone numbers, identity numbers, accounts, plates and addresses of mail stand, to mask them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from nlp.reading import Span

# "*" before a piece: the rest of it is masked already.
_PHONE = re.compile(r"(?<![0-9*])(?:\+?84|0)(?:[ .\-]{0,2}[0-9]){8,10}(?![0-9])")
_TWELVE = re.compile(
    r"(?<![0-9*])0(?:[0-9]{11}|[0-9]{2}(?:[ .][0-9]{3}){3}|[0-9]{3}(?:[ .][0-9]{4}){2}|[0-9]{2} [0-9]{9})(?![0-9])"
)
_OLD_NUMBER = re.compile(r"(?:cmnd|cmt|cmtnd|chứng minh|chung minh)[^0-9\n]{0,20}([0-9]{9})(?![0-9])", re.IGNORECASE)
_ACCOUNT = re.compile(
    r"(?<![\w*])(?:stk|số tài khoản|so tai khoan|tài khoản|tai khoan|tk|số thẻ|so the|vietcombank|agribank|bidv"
    r"|vietinbank|mbbank|techcombank|sacombank|acb|vpbank|tpbank)[^0-9\n]{0,25}([0-9](?:[ .\-]?[0-9]){5,18})(?![0-9])",
    re.IGNORECASE,
)
_PLATE = re.compile(
    r"(?<![\w*])[1-9][0-9][ \-]?[A-ZĐ]{1,2}[0-9]?[ \-.]?(?:[0-9]{3}[. ]?[0-9]{2}|[0-9]{4})(?![\w])"
    r"|(?<![\w*])[1-9][0-9][a-zđ]{1,2}[0-9]?[\-.](?:[0-9]{3}\.?[0-9]{2}|[0-9]{4})(?![\w])"
    r"|(?<![\w*])[1-9][0-9][a-zđ][0-9]? ?[0-9]{3}\.[0-9]{2}(?![\w])"
    r"|(?<![\w*])[1-9][0-9][a-gi-zđ][0-9]?[0-9]{5}(?![\w])"
)
_MAIL = re.compile(r"(?<![\w.+\-*])[\w.+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,4}")
_HIDDEN = "*"


def find_personal_data(text: str) -> tuple[Span, ...]:
    """Every piece to be masked, in the order of the text; pieces that overlap are one."""
    found: list[Span] = []
    for span in sorted(_candidates(text), key=lambda s: (s.start, -s.end)):
        if found and span.start < found[-1].end:
            found[-1] = replace(found[-1], end=max(found[-1].end, span.end))
        else:
            found.append(span)
    return tuple(found)


def _candidates(text: str) -> Iterator[Span]:
    for match in _ACCOUNT.finditer(text):
        yield Span(match.start(1), match.end(1), "bank_account")
    for match in _TWELVE.finditer(text):
        yield Span(match.start(), match.end(), "id_number")
    for match in _OLD_NUMBER.finditer(text):
        yield Span(match.start(1), match.end(1), "id_number")
    for match in _PHONE.finditer(text):
        if _is_phone(match[0]):
            yield Span(match.start(), match.end(), "phone")
    for match in _PLATE.finditer(text):
        yield Span(match.start(), match.end(), "plate")
    for match in _MAIL.finditer(text):
        yield Span(match.start(), match.end(), "email")


def _is_phone(written: str) -> bool:
    digits = "".join(c for c in written if c.isdigit())
    national = digits[2:].removeprefix("0") if digits.startswith("84") else digits[1:]
    mobile = len(national) == 9 and national[0] in "35789"
    return mobile or (len(national) == 10 and national[0] == "2")


def mask(text: str, spans: Iterable[Span]) -> str:
    """Hide the inner characters of each span; lengths stay, so other offsets hold; masking twice changes nothing."""
    letters = list(text)
    for span in spans:
        kept = 2 if span.end - span.start > 6 else 1
        for at in range(span.start + kept, span.end - kept):
            if letters[at].isalnum():
                letters[at] = _HIDDEN
    return "".join(letters)
