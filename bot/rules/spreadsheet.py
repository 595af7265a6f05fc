"""Tables that spreadsheet programs open right, without running anything that a citizen wrote."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

# Excel reads UTF-8 as such only when the file begins with this mark.
MARK = "\ufeff"
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(value: object) -> str:
    """A value as a cell shows it; what a spreadsheet would take for a formula is marked as text."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text


def table(rows: Iterable[Sequence[object]]) -> str:
    """The rows as a CSV file, every cell quoted."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([cell(value) for value in row] for row in rows)
    return MARK + file.getvalue()
