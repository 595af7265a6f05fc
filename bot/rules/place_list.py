"""A commune's list of places as a table: read from whatever a spreadsheet saved, checked, compared with the present."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from nlp.characters import fold
from nlp.place_names import UNITS

COLUMNS = ("name", "kind", "aliases", "parent")
NAME_AT_MOST, KIND_AT_MOST, ALIASES_AT_MOST, ROWS_AT_MOST, BYTES_AT_MOST = 160, 40, 20, 5_000, 1_000_000
# What the columns may be called besides, without accents.
_HEADINGS = {
    "name": ("name", "ten", "ten dia danh", "dia danh"),
    "kind": ("kind", "loai", "loai hinh"),
    "aliases": ("aliases", "alias", "ten khac", "ten goi khac"),
    "parent": ("parent", "thuoc", "truc thuoc"),
}
_COLUMN_OF = {heading: column for column, headings in _HEADINGS.items() for heading in headings}
_BETWEEN_ALIASES = re.compile(r"[|;,\n]")
_MARKED_FORMULA = re.compile(r"'(?=[=+\-@＝＋－＠])")
_PROBLEMS_AT_MOST = 200
_ZERO_WIDTH_SPACE = "\u200b"
_TONES = "\u0300\u0301\u0303\u0309\u0323"
# What Vietnamese is written with besides ASCII: letters, and marks that spreadsheets put in by themselves.
_VIETNAMESE = frozenset(
    unicodedata.normalize("NFC", letter + tone) for letter in "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY" for tone in ("", *_TONES)
) | frozenset("đĐ“”‘’–—…•\u00a0")


@dataclass(frozen=True)
class Entry:
    """A place as written in a list."""

    name: str
    kind: str = ""
    aliases: tuple[str, ...] = ()
    parent: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from every other place of the list."""
        return self.name.casefold(), self.kind.casefold(), self.parent.casefold()


class RowProblem(Exception):
    """What is wrong with a line of the table, in Vietnamese with `values`; line 0 is the file as a whole."""

    def __init__(self, line: int, sentence: str, **values: object) -> None:
        super().__init__(sentence)
        self.line, self.sentence, self.values = line, sentence, values


@dataclass(frozen=True)
class Table:
    """The places of a file and what is wrong with it."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[RowProblem, ...] = ()


@dataclass
class Comparison:
    """A list beside the present one; `changed` holds pairs of the present place's number and what it becomes."""

    new: list[Entry] = field(default_factory=list)
    changed: list[tuple[int, Entry]] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)


def read_table(data: bytes) -> Table:
    """The places of a CSV file: UTF-8, UTF-16 or Windows-1258; between columns a comma, a semicolon or a tab."""
    try:
        if len(data) > BYTES_AT_MOST:
            raise RowProblem(0, "Tệp lớn hơn 1 MB. Vui lòng chia danh sách thành nhiều tệp nhỏ hơn.")
        rows = list(islice(_rows(_decoded(data)), ROWS_AT_MOST + 2))
        if not rows:
            raise RowProblem(0, "Tệp không có dòng nào. Vui lòng chọn tệp có dòng tiêu đề và ít nhất một địa danh.")
        columns = _columns(*rows[0])
        if len(rows) - 1 > ROWS_AT_MOST:
            raise RowProblem(
                0,
                "Tệp có hơn %(n)s dòng. Vui lòng chia thành nhiều tệp nhỏ hơn.",
                n=f"{ROWS_AT_MOST:_}".replace("_", "."),
            )
    except RowProblem as problem:
        return Table(problems=(problem,))
    return _checked((line, _entry_of(cells, columns), cells, len(columns)) for line, cells in rows[1:])


def clean_entry(name: str, kind: str, aliases: str | Iterable[str], parent: str) -> Entry:
    """A place with spaces and letters put in order; `aliases` may be one text with commas, "|" or new lines."""
    many = _BETWEEN_ALIASES.split(aliases) if isinstance(aliases, str) else aliases
    others = [alias for alias in map(_tidy, many) if alias and alias.casefold() != _tidy(name).casefold()]
    unique = {alias.casefold(): alias for alias in reversed(others)}
    return Entry(_tidy(name), _tidy(kind), tuple(reversed(unique.values())), _tidy(parent))


def problem_of(entry: Entry, line: int = 0) -> RowProblem | None:
    """Why a place cannot be kept; None when it can."""
    if not any(c.isalnum() for c in entry.name):
        return RowProblem(line, "Chưa có tên địa danh.")
    if len(entry.name) > NAME_AT_MOST:
        return RowProblem(line, "Tên dài hơn %(n)s ký tự.", n=NAME_AT_MOST)
    if len(entry.kind) > KIND_AT_MOST:
        return RowProblem(line, "Loại dài hơn %(n)s ký tự.", n=KIND_AT_MOST)
    if len(entry.parent) > NAME_AT_MOST:
        return RowProblem(line, "Tên nơi trực thuộc dài hơn %(n)s ký tự.", n=NAME_AT_MOST)
    if len(entry.aliases) > ALIASES_AT_MOST:
        return RowProblem(line, "Có hơn %(n)s tên gọi khác.", n=ALIASES_AT_MOST)
    if any(len(alias) > NAME_AT_MOST for alias in entry.aliases):
        return RowProblem(line, "Có tên gọi khác dài hơn %(n)s ký tự.", n=NAME_AT_MOST)
    return None


def compare(entries: Iterable[Entry], present: dict[int, Entry], retired: frozenset[int]) -> Comparison:
    """What a list would change; a place keeps its number when its name stays, though kind or parent change."""
    entries = list(entries)
    matched = _matched(entries, present)
    found = Comparison()
    for at, entry in enumerate(entries):
        number = matched.get(at)
        if number is None:
            found.new.append(entry)
        elif present[number] == entry and number not in retired:
            found.unchanged.append(number)
        else:
            found.changed.append((number, entry))
    taken = set(matched.values())
    found.missing = [number for number in present if number not in taken and number not in retired]
    return found


def _decoded(data: bytes) -> str:
    """The text of a file as spreadsheets save it."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return _strictly(data, encoding)
    if data[:200].count(0) > len(data[:200]) // 4:
        return _strictly(data, "utf-16-le" if data[1:2] == b"\0" else "utf-16-be")
    try:
        return _strictly(data, "utf-8")
    except RowProblem:
        return _vietnamese(_strictly(data, "cp1258"))


def _strictly(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise _unreadable()
    return text


def _vietnamese(text: str) -> str:
    """The text, if it is one: any bytes at all mean something in Windows-1258, damaged UTF-8 and TCVN3 too."""
    composed = unicodedata.normalize("NFC", text)
    if not all(c.isascii() or c in _VIETNAMESE for c in composed):
        raise _unreadable()
    return composed


def _unreadable() -> RowProblem:
    return RowProblem(0, "Không đọc được chữ trong tệp. Vui lòng lưu lại ở dạng CSV UTF-8 rồi tải lên.")


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold anything, each with the number of the line where it begins."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    skipped = 0
    told = re.match(r"sep=(.)\n", text, re.IGNORECASE)
    if told:
        text, skipped = text[told.end() :], 1
    heading = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = told[1] if told else max(",;\t", key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "limit" in str(error):
                raise RowProblem(line + skipped, "Có ô quá dài, thường do thiếu dấu ngoặc kép đóng.") from None
            raise RowProblem(line + skipped, "Dấu ngoặc kép không khớp: thiếu dấu đóng hoặc đặt giữa ô.") from None
        if any(cell.strip() for cell in cells):
            yield line + skipped, cells
        line = reader.line_num + 1


def _columns(line: int, cells: list[str]) -> list[str]:
    """The meaning of each column by its heading; empty columns at the end are passed over."""
    columns: list[str] = []
    for cell in cells:
        heading = _tidy(cell) if cell else ""
        column = _COLUMN_OF.get(_plain(heading), "")
        if heading and not column:
            raise RowProblem(
                line, "Không có cột tên “%(ten)s”. Các cột dùng được: name, kind, aliases, parent.", ten=heading[:40]
            )
        if column and column in columns:
            raise RowProblem(line, "Cột “%(ten)s” có hai lần.", ten=heading)
        columns.append(column)
    if "name" not in columns:
        raise RowProblem(line, "Dòng đầu phải là tiêu đề và có cột name.")
    return columns


def _plain(heading: str) -> str:
    decomposed = unicodedata.normalize("NFD", heading.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).replace("đ", "d").replace("_", " ")


def _entry_of(cells: list[str], columns: Sequence[str]) -> Entry:
    values = {
        column: _MARKED_FORMULA.sub("", cell.strip(), count=1) if cell.strip().startswith("'") else cell
        for column, cell in zip(columns, cells, strict=False)
    }
    return clean_entry(*(values.get(column, "") for column in COLUMNS))


def _checked(rows: Iterable[tuple[int, Entry, list[str], int]]) -> Table:
    entries: list[Entry] = []
    problems: list[RowProblem] = []
    lines: dict[tuple[str, str, str], int] = {}
    for line, entry, cells, width in rows:
        problem = problem_of(entry, line)
        if any(cell.strip() for cell in cells[width:]):
            problem = RowProblem(line, "Dòng có nhiều ô hơn số cột; tên có dấu phân cách cần đặt trong ngoặc kép.")
        elif problem is None and entry.key in lines:
            problem = RowProblem(line, "Trùng với dòng %(dong)s.", dong=lines[entry.key])
        if problem is not None:
            problems.append(problem)
            continue
        lines[entry.key] = line
        entries.append(entry)
    if not entries and not problems:
        problems.append(RowProblem(0, "Tệp chỉ có dòng tiêu đề, chưa có địa danh nào."))
    return Table(tuple(entries), tuple(problems[:_PROBLEMS_AT_MOST]))


def _matched(entries: list[Entry], present: dict[int, Entry]) -> dict[int, int]:
    """Which present place each entry is: by name, kind and parent; then by name and kind; then by name alone.

    Of present places that differ only in capitals an entry is the one written just so, or else the oldest.
    """
    matched: dict[int, int] = {}
    same = _by_key(present.items(), 3)
    for at, entry in enumerate(entries):
        if entry.key in same:
            matched[at] = min(
                same[entry.key], key=lambda number: (not _is_written_alike(present[number], entry), number)
            )
    for size in (2, 1):
        taken = set(matched.values())
        here = _by_key(((n, e) for n, e in present.items() if n not in taken), size)
        there = _by_key(((at, e) for at, e in enumerate(entries) if at not in matched), size)
        for key, ats in there.items():
            numbers = here.get(key, [])
            if len(ats) == 1 and len(numbers) == 1:
                matched[ats[0]] = numbers[0]
    return matched


def _is_written_alike(one: Entry, other: Entry) -> bool:
    return (one.name, one.kind, one.parent) == (other.name, other.kind, other.parent)


def _by_key(entries: Iterable[tuple[int, Entry]], size: int) -> dict[tuple[str, ...], list[int]]:
    found: dict[tuple[str, ...], list[int]] = {}
    for number, entry in entries:
        found.setdefault(entry.key[:size], []).append(number)
    return found


def _tidy(text: str) -> str:
    """One line in composed letters, without characters that cannot be seen; those between letters part no words."""
    shown = "".join(c for c in text if c == _ZERO_WIDTH_SPACE or unicodedata.category(c) != "Cf")
    composed = unicodedata.normalize("NFC", "".join(c if c.isprintable() else " " for c in shown))
    return " ".join(composed.split())


def in_order(name: str) -> tuple[tuple[int, str], ...]:
    """Names in the order people expect: tổ 2 before tổ 10."""
    return tuple(
        (int(word), "") if word.isdecimal() and len(word) < 9 else (10**9, word) for word in fold(name).split()
    )


def is_settlement(kind: str) -> bool:
    """Whether people live at a place of this kind: a thôn, an ấp, a tổ dân phố; not a school or a bridge."""
    return fold(kind) in _SETTLEMENTS


_SETTLEMENTS = frozenset(map(fold, UNITS))
