"""Personal data: where numbers, plates, addresses of mail and names of people stand, to mask them.

Kinds: "phone", "id_number" (căn cước, chứng minh, hộ chiếu, health insurance), "bank_account" (cards too), "plate",
"email" and "name". Officials must see whom they talk to, so `mask` leaves names; nobody learns from a name, so
`mask_for_learning` does not.
"""

from __future__ import annotations

from collections.abc import Iterable

from nlp.number_runs import Seen
from nlp.personal_marks import find_marks
from nlp.personal_names import find_names
from nlp.personal_numbers import find_numbers
from nlp.reading import Span

HIDDEN_KINDS = frozenset({"phone", "id_number", "bank_account", "plate", "email"})
# One word each, which is no syllable, no shorthand and no keystrokes: the normaliser leaves it as it is.
PLACEHOLDERS = {
    "phone": "zphonez",
    "id_number": "zidz",
    "bank_account": "zbankz",
    "plate": "zplatez",
    "email": "zmailz",
    "name": "znamez",
}
_HIDDEN = "*"


def find_personal_data(text: str) -> tuple[Span, ...]:
    """Every piece of personal data, in the order of the text; numbers that overlap are one, names give way."""
    seen = Seen.of(text)
    found: list[tuple[int, int, str]] = []
    for start, end, kind in sorted((*find_marks(seen), *find_numbers(seen)), key=lambda f: (f[0], -f[1])):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end), found[-1][2])
        else:
            found.append((start, end, kind))
    found += find_names(seen, found)
    spans = [Span(*seen.span(start, end), kind) for start, end, kind in sorted(found)]
    # Two pieces of one letter's folding ("ǆ" is two letters) stand in the same place of the text.
    return tuple(span for at, span in enumerate(spans) if not at or span.start >= spans[at - 1].end)


def mask(text: str, spans: Iterable[Span]) -> str:
    """Hide the inner characters of each span of a hidden kind; names stay as they are.

    Lengths stay, so other offsets hold; masking twice changes nothing.
    """
    letters = list(text)
    for span in spans:
        if span.kind not in HIDDEN_KINDS:
            continue
        kept = 2 if span.end - span.start > 6 else 1
        for at in range(span.start + kept, span.end - kept):
            if letters[at].isalnum():
                letters[at] = _HIDDEN
    return "".join(letters)


def mask_for_learning(text: str, spans: Iterable[Span]) -> str:
    """Put one neutral word (`PLACEHOLDERS`) for every span, names as well: what is kept to learn from.

    The same text gives the same result; nothing of the spans is left, not even their length.
    """
    out: list[str] = []
    since = 0
    for span in sorted(spans, key=lambda s: s.start):
        if span.start < since:
            continue
        before, after = text[span.start - 1 : span.start], text[span.end : span.end + 1]
        word = PLACEHOLDERS.get(span.kind, PLACEHOLDERS["name"])
        out += text[since : span.start], " " * before.isalnum(), word, " " * after.isalnum()
        since = span.end
    return "".join((*out, text[since:]))
