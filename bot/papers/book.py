"""The monthly book (sổ theo dõi): every report of a month on one line, and the sums, as a PDF and as a workbook."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import xlsxwriter
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import KeepTogether, LongTable, PageBreak, Spacer, TableStyle

from bot.papers.letterhead import Letterhead, Signature, foot, head, heading
from bot.papers.typeset import BOLD, ITALIC, About, Drawn, pages, para, style
from bot.rules.deadlines import VIETNAM
from bot.rules.periods import month_of
from bot.rules.spreadsheet import table

_MARGINS = (18 * mm, 12 * mm, 15 * mm, 15 * mm)
_WIDTH = A4[1] - _MARGINS[1] - _MARGINS[3]
COLUMNS = (
    "STT", "Mã", "Ngày nhận", "Kênh", "Lĩnh vực", "Nội dung tóm tắt", "Địa điểm", "Đơn vị xử lý", "Hạn",
    "Ngày trả lời", "Đúng hạn, quá hạn", "Kết quả", "Đánh giá",
)  # fmt: skip
_SHARES = (9, 19, 20, 19, 23, 46, 25, 24, 20, 20, 18, 17, 10)
SUMS = ("Tiếp nhận", "Đúng hạn", "Quá hạn", "Đang xử lý", "Không phải trả lời")


@dataclass(frozen=True)
class Line:
    """A report in the book. `ended`: when it was answered or refused; `timing`: on time or how late, in words."""

    number: int
    code: str
    opened: datetime
    channel: str
    topic: str
    summary: str
    place: str
    agency: str
    due: datetime | None
    ended: datetime | None
    timing: str
    result: str
    rating: str


@dataclass(frozen=True)
class Sum:
    """How many reports of one kind: all, ended on time, late, still open in time, and such as need no answer."""

    name: str
    received: int
    in_time: int
    late: int
    running: int
    without: int

    @property
    def figures(self) -> tuple[int, ...]:
        """The numbers in the order of the columns."""
        return (self.received, self.in_time, self.late, self.running, self.without)


@dataclass(frozen=True)
class Book:
    """A month. `sealed`: how many sealed reports came, of which nothing else is said. `carried`: open from before.

    `handed`: reports given on more than twice, with all who had them. `as_of`: the moment of the figures.
    """

    letterhead: Letterhead
    signature: Signature
    year: int
    month: int
    as_of: datetime
    lines: tuple[Line, ...]
    total: Sum
    topics: tuple[Sum, ...]
    agencies: tuple[Sum, ...]
    handed: tuple[tuple[str, str], ...]
    sealed: int
    carried: int

    @property
    def title(self) -> str:
        """What it is called."""
        return f"tháng {self.month} năm {self.year}"

    @property
    def share_in_time(self) -> float | None:
        """Of what was answered or is late, the share that was answered in time; None when there is nothing yet."""
        judged = self.total.in_time + self.total.late
        return self.total.in_time / judged if judged else None


def short(at: datetime | None) -> str:
    """An hour and date in a narrow column."""
    return f"{at.astimezone(VIETNAM):%H:%M %d/%m/%Y}" if at else ""


def remarks(book: Book) -> list[str]:
    """What stands under the sums."""
    share = f"{book.share_in_time * 100:.1f}".replace(".", ",") if book.share_in_time is not None else None
    in_time = f"{share} % (đúng hạn ÷ (đúng hạn + quá hạn))" if share else "chưa có"
    return [
        f"Tỷ lệ đúng hạn: {in_time}.",
        f"Tồn từ tháng trước chuyển sang: {book.carried} phản ánh.",
        f"Phản ánh niêm phong trong tháng: {book.sealed} (không ghi nội dung, không tính vào các bảng).",
        f"Chuyển trên hai lần: {len(book.handed)} phản ánh.",
        f"Số liệu tính đến {short(book.as_of)}; thời gian tính bằng giờ làm việc.",
    ]


# ---- PDF ------------------------------------------------------------------------------------------------------------


def draw(book: Book) -> bytes:
    """The book as PDF, on A4 lying down."""
    about = About(f"Sổ theo dõi phản ánh {book.title}", " ".join(book.letterhead.issuer))
    return pages(about, lambda: _body(book), is_landscape=True, margins=_MARGINS, footer=f"Sổ theo dõi {book.title}")


def _body(book: Book) -> Drawn:
    drawn = head(book.letterhead, _WIDTH)
    drawn += heading("SỔ THEO DÕI TIẾP NHẬN, XỬ LÝ PHẢN ÁNH, KIẾN NGHỊ", book.title.capitalize())
    drawn += grid(COLUMNS, [_cells(line) for line in book.lines], [share * _WIDTH / sum(_SHARES) for share in _SHARES])
    if not book.lines:
        drawn.append(para("Không có phản ánh nào được liệt kê trong tháng.", style(12, font=ITALIC, spaceBefore=4)))
    drawn.append(PageBreak() if book.lines else Spacer(0, 4 * mm))
    for name, sums in (("Theo lĩnh vực", book.topics), ("Theo đơn vị xử lý", book.agencies)):
        rows = [[one.name, *map(str, one.figures)] for one in (*sums, book.total)]
        widths = [_WIDTH * 0.4, *[_WIDTH * 0.12] * len(SUMS)]
        drawn += [_title(name), *grid((name.removeprefix("Theo ").capitalize(), *SUMS), rows, widths)]
    if book.handed:
        handed = grid(("Mã", "Các nơi đã nhận"), [list(one) for one in book.handed], [_WIDTH * 0.15, _WIDTH * 0.85])
        drawn += [_title("Chuyển trên hai lần"), *handed]
    drawn.append(Spacer(0, 3 * mm))
    remarked = [para(words, style(12, spaceAfter=2)) for words in remarks(book)]
    return [*drawn, KeepTogether([*remarked, *foot(book.signature, _WIDTH)])]  # nobody signs an empty page


def _title(words: str) -> Any:
    return para(words, style(13, font=BOLD, spaceBefore=8, spaceAfter=4))


def _cells(line: Line) -> list[str]:
    return [
        str(line.number), line.code, short(line.opened), line.channel, line.topic, line.summary, line.place,
        line.agency, short(line.due), short(line.ended), line.timing, line.result, line.rating,
    ]  # fmt: skip


def grid(columns: tuple[str, ...], rows: list[list[str]], widths: list[float]) -> Drawn:
    """A table over as many pages as it needs, its first row on each."""
    first, text, figure = style(9, font=BOLD, align="center"), style(9), style(9, align="center")
    cells = [
        [para(name, first) for name in columns],
        *([para(one, figure if one.isdecimal() else text) for one in row] for row in rows),
    ]
    looks = TableStyle([
        ("GRID", (0, 0), (-1, -1), 0.4, "black"),
        ("BACKGROUND", (0, 0), (-1, 0), "#e8eeec"),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("VALIGN", (0, 0), (-1, 0), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 2),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ])  # fmt: skip
    return [LongTable(cells, colWidths=widths, repeatRows=1, style=looks)]


# ---- tables for spreadsheet programs --------------------------------------------------------------------------------


def as_csv(book: Book) -> str:
    """The lines of the book as CSV."""
    return table([COLUMNS, *(_cells(line) for line in book.lines)])


def as_workbook(book: Book) -> bytes:
    """The book as XLSX: the lines, the sums, what was handed on; words are never taken for formulas."""
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    made.set_properties({"title": f"Sổ theo dõi phản ánh {book.title}", "created": _naive(book.as_of)})
    on_top = {"bold": True, "text_wrap": True, "valign": "vcenter", "border": 1, "bg_color": "#e8eeec"}
    forms = {
        "first": made.add_format(on_top),
        "text": made.add_format({"text_wrap": True, "valign": "top", "border": 1}),
        "moment": made.add_format({"num_format": "hh:mm dd/mm/yyyy", "valign": "top", "border": 1}),
    }  # fmt: skip
    _lines_sheet(made.add_worksheet("Sổ theo dõi"), book, forms)
    _sums_sheet(made.add_worksheet("Tổng hợp"), book, forms)
    if book.handed:
        sheet = made.add_worksheet("Chuyển trên hai lần")
        sheet.set_column(0, 0, 14)
        sheet.set_column(1, 1, 90)
        for at, row in enumerate((("Mã", "Các nơi đã nhận"), *book.handed)):
            for column, words in enumerate(row):
                sheet.write_string(at, column, words, forms["text" if at else "first"])
    made.close()
    return out.getvalue()


def _lines_sheet(sheet: Any, book: Book, forms: dict[str, Any]) -> None:
    sheet.freeze_panes(1, 2)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    for column, (name, share) in enumerate(zip(COLUMNS, _SHARES, strict=True)):
        sheet.set_column(column, column, max(6, share * 0.8))
        sheet.write_string(0, column, name, forms["first"])
    for at, line in enumerate(book.lines, start=1):
        for column, words in enumerate(_cells(line)):
            sheet.write_string(at, column, words, forms["text"])
        sheet.write_number(at, 0, line.number, forms["text"])
        for column, moment in ((2, line.opened), (8, line.due), (9, line.ended)):
            if moment is not None:
                sheet.write_datetime(at, column, _naive(moment), forms["moment"])
    if book.lines:
        sheet.autofilter(0, 0, len(book.lines), len(COLUMNS) - 1)


def _sums_sheet(sheet: Any, book: Book, forms: dict[str, Any]) -> None:
    sheet.set_column(0, 0, 44)
    sheet.set_column(1, len(SUMS), 14)
    at = 0
    for name, sums in (("Lĩnh vực", book.topics), ("Đơn vị xử lý", book.agencies)):
        for column, words in enumerate((name, *SUMS)):
            sheet.write_string(at, column, words, forms["first"])
        for row, one in enumerate((*sums, book.total), start=at + 1):
            sheet.write_string(row, 0, one.name, forms["text"])
            for column, figure in enumerate(one.figures, start=1):
                sheet.write_number(row, column, figure, forms["text"])
        at += len(sums) + 3
    for row, words in enumerate(remarks(book), start=at):
        sheet.write_string(row, 0, words)


def _naive(at: datetime) -> datetime:
    """The time in Vietnam as spreadsheets hold it, without a zone."""
    return at.astimezone(VIETNAM).replace(tzinfo=None, microsecond=0)


def days_of(year: int, month: int) -> tuple[datetime, datetime]:
    """When a month begins and ends in Vietnam."""
    span = month_of(year, month)
    return span.begins, span.ends
