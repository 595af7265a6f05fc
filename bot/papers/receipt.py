"""The slip for somebody without a telephone: the code of their report, and a way to its page that others can scan."""

from __future__ import annotations

from dataclasses import dataclass

import segno
from reportlab.lib.pagesizes import A5
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer, Table, TableStyle

from bot.papers.letterhead import TIGHT
from bot.papers.typeset import BOLD, ITALIC, About, Drawn, Rule, pages, para, style

_MARGINS = (12 * mm, 14 * mm, 10 * mm, 14 * mm)
_WIDTH = A5[0] - _MARGINS[1] - _MARGINS[3]
_QR = 48 * mm


@dataclass(frozen=True)
class Receipt:
    """What the slip says. `code`: "" when the report has none yet; `due`: until when it is answered, in words."""

    issuer: str
    code: str
    given_on: str
    due: str
    address: str
    hours: str
    reception: str
    duty_phone: str


def draw(receipt: Receipt) -> bytes:
    """The slip as PDF, on one sheet of A5."""
    about = About(f"Phiếu tiếp nhận {receipt.code}".strip(), receipt.issuer)
    return pages(about, lambda: _body(receipt), size=A5, margins=_MARGINS)


class Code(Flowable):  # type: ignore[misc]
    """An address as a QR code of this size, with the quiet zone scanners need."""

    def __init__(self, address: str, size: float) -> None:
        super().__init__()
        self.matrix = [list(row) for row in segno.make(address, error="m", micro=False).matrix_iter(border=4)]
        self.size = size

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """How much room it takes."""
        return self.size, self.size

    def draw(self) -> None:
        """Draw each dark square."""
        side = self.size / len(self.matrix)
        path = self.canv.beginPath()
        for y, row in enumerate(self.matrix):
            for x, is_dark in enumerate(row):
                if is_dark:
                    path.rect(x * side, self.size - (y + 1) * side, side, side)
        self.canv.drawPath(path, stroke=0, fill=1)


def _body(receipt: Receipt) -> Drawn:
    small, text = style(10, align="center"), style(12, spaceAfter=3)
    drawn: Drawn = [
        para(receipt.issuer.upper(), style(12, font=BOLD, align="center")),
        Rule(0.25),
        Spacer(0, 3 * mm),
        para("PHIẾU TIẾP NHẬN PHẢN ÁNH, KIẾN NGHỊ", style(13, font=BOLD, align="center", spaceAfter=4)),
    ]
    if receipt.code:
        drawn.append(para(f"Mã số: {receipt.code}", style(20, font=BOLD, align="center", spaceAfter=4)))
    drawn.append(para(f"Ngày tiếp nhận: {receipt.given_on}", small))
    if receipt.due:
        drawn.append(para(f"Hạn trả lời: {receipt.due}", style(12, font=BOLD, align="center", spaceBefore=2)))
    centre = TableStyle([*TIGHT.getCommands(), ("ALIGN", (0, 0), (-1, -1), "CENTER")])
    drawn += [Spacer(0, 2 * mm), Table([[Code(receipt.address, _QR)]], colWidths=[_WIDTH], style=centre)]
    drawn.append(para(receipt.address, style(8, align="center", spaceAfter=6, splitLongWords=1)))
    drawn.append(
        para(
            "Quét mã bằng điện thoại (của người nhà, của trưởng thôn) để xem tiến độ, trả lời và viết thêm. "
            "Không có điện thoại: mang phiếu này đến nơi tiếp nhận, hoặc gọi số trực và đọc mã số.",
            style(12, align="justify", spaceAfter=6),
        )
    )
    drawn.append(para("Ai có phiếu đều xem được trao đổi; xin giữ kín.", style(11, font=ITALIC, spaceAfter=6)))
    drawn.append(para(f"Nơi tiếp nhận: {receipt.reception}", text))
    drawn.append(para(f"Giờ làm việc: {receipt.hours}", text))
    drawn.append(para(f"Điện thoại trực: {receipt.duty_phone}", style(12, font=BOLD, spaceAfter=3)))
    return [*drawn, para("Việc khẩn cấp: gọi ngay 113, 114, 115 hoặc 112.", style(12, font=BOLD))]
