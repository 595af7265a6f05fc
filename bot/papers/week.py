"""The week's list: what is late and what falls due, unit by unit and official by official, to print and as CSV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import KeepTogether, Spacer

from bot.papers.book import grid, short
from bot.papers.letterhead import Letterhead, Signature, foot, head, heading
from bot.papers.typeset import BOLD, ITALIC, About, Drawn, pages, para, style
from bot.rules.spreadsheet import table

_MARGINS = (18 * mm, 12 * mm, 15 * mm, 15 * mm)
_WIDTH = A4[1] - _MARGINS[1] - _MARGINS[3]
COLUMNS = ("STT", "Mã", "Lĩnh vực", "Nội dung tóm tắt", "Đơn vị", "Cán bộ", "Hạn", "Số ngày quá hạn", "Ghi chú")
_SHARES = (9, 20, 30, 60, 36, 30, 24, 18, 43)


@dataclass(frozen=True)
class Line:
    """A report that is late or falls due. `late_days`: whole and half working days, "" when it is not late."""

    ticket_id: int
    code: str
    topic: str
    summary: str
    unit: str
    official: str
    due: datetime
    late_days: str
    why: str


@dataclass(frozen=True)
class Sum:
    """How many are late and fall due with a unit, or with one of its officials."""

    name: str
    late: int
    due: int


@dataclass(frozen=True)
class Week:
    """The list of a week. `sealed`: how many sealed reports are open, for those who may know; None for others."""

    letterhead: Letterhead
    signature: Signature
    begins: date
    ends: date
    as_of: datetime
    late: tuple[Line, ...]
    due: tuple[Line, ...]
    units: tuple[Sum, ...]
    officials: tuple[Sum, ...]
    sealed: int | None

    @property
    def title(self) -> str:
        """What it is called."""
        return f"tuần từ {self.begins:%d/%m/%Y} đến {self.ends:%d/%m/%Y}"


def draw(week: Week) -> bytes:
    """The list as PDF, on A4 lying down."""
    about = About(f"Danh sách quá hạn, đến hạn {week.title}", " ".join(week.letterhead.issuer))
    return pages(about, lambda: _body(week), is_landscape=True, margins=_MARGINS, footer=week.title.capitalize())


def as_csv(week: Week) -> str:
    """The lines of the list as CSV: the late ones first."""
    return table([COLUMNS, *_rows(week.late), *_rows(week.due, len(week.late))])


def _body(week: Week) -> Drawn:
    drawn = head(week.letterhead, _WIDTH)
    drawn += heading("DANH SÁCH PHẢN ÁNH QUÁ HẠN VÀ ĐẾN HẠN TRONG TUẦN", week.title.capitalize())
    widths = [share * _WIDTH / sum(_SHARES) for share in _SHARES]
    for name, lines, start in (("Quá hạn", week.late, 0), ("Đến hạn trong tuần", week.due, len(week.late))):
        drawn.append(para(f"{name}: {len(lines)}", style(13, font=BOLD, spaceBefore=6, spaceAfter=4)))
        if lines:
            drawn += grid(COLUMNS, _rows(lines, start), widths)
        else:
            drawn.append(para("Không có phản ánh nào.", style(12, font=ITALIC)))
    for name, sums in (("Theo đơn vị", week.units), ("Theo cán bộ", week.officials)):
        if sums:
            rows = [[one.name, str(one.late), str(one.due)] for one in sums]
            drawn.append(para(name, style(13, font=BOLD, spaceBefore=8, spaceAfter=4)))
            drawn += grid(("Tên", "Quá hạn", "Đến hạn trong tuần"), rows, [_WIDTH * 0.6, _WIDTH * 0.2, _WIDTH * 0.2])
    drawn.append(Spacer(0, 3 * mm))
    notes = [f"Tính đến {short(week.as_of)}, theo ngày làm việc."]
    if week.sealed is not None:
        notes.append(f"Phản ánh niêm phong đang mở: {week.sealed} (không có trong danh sách).")
    drawn += [para(words, style(12, spaceAfter=2)) for words in notes]
    return [*drawn, KeepTogether(foot(week.signature, _WIDTH))]


def _rows(lines: tuple[Line, ...], start: int = 0) -> list[list[str]]:
    return [
        [str(number), one.code, one.topic, one.summary, one.unit, one.official, short(one.due), one.late_days, one.why]
        for number, one in enumerate(lines, start=start + 1)
    ]
