"""The phiếu chuyển: what another body needs to act on a report of our people, and to answer us."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Self

from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Image, KeepTogether, Spacer, Table, TableStyle

from bot.papers.letterhead import TIGHT, Letterhead, Signature, foot, head, heading
from bot.papers.typeset import BOLD, ITALIC, MARGINS, About, Drawn, pages, para, plain, style

_WIDTH = 210 * mm - MARGINS[1] - MARGINS[3]
_PHOTO = (50 * mm, 50 * mm)
_A_ROW = 3
_GALLERY = TableStyle([*TIGHT.getCommands(), ("BOTTOMPADDING", (0, 0), (-1, -1), 6)])


@dataclass(frozen=True)
class Slip:
    """All that a phiếu chuyển says; every word in it is meant for the body that gets it.

    `sender`: who issues it, as one says it. `said`: the citizen's words with their days, personal data masked.
    `reporter`: how they are called and reached, only where that was decided. `photos`: the numbers of the attachments
    shown. `more`: what else came, in words. `expected`: the last day of the answer. `contact`: whom to answer.
    """

    letterhead: Letterhead
    signature: Signature
    sender: str
    to: str
    code: str
    topic: str
    place: str
    pin: str
    received: date
    summary: str
    said: tuple[tuple[str, str], ...]
    reporter: tuple[str, ...]
    photos: tuple[int, ...]
    more: str
    request: str
    expected: date
    contact: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The facts as they are kept, so that the paper can be made again."""
        made = asdict(self)
        made["received"], made["expected"] = self.received.isoformat(), self.expected.isoformat()
        made["letterhead"]["day"] = self.letterhead.day.isoformat()
        return made

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The facts that were kept."""
        names = {field.name for field in fields(cls)}
        values = {name: _frozen(value) for name, value in kept.items() if name in names}
        on_top = {name: _frozen(value) for name, value in kept["letterhead"].items()}
        values["letterhead"] = Letterhead(**{**on_top, "day": date.fromisoformat(str(on_top["day"]))})
        values["signature"] = Signature(**{name: _frozen(value) for name, value in kept["signature"].items()})
        values["received"] = date.fromisoformat(kept["received"])
        values["expected"] = date.fromisoformat(kept["expected"])
        return cls(**values)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value


def draw(slip: Slip, photos: Sequence[bytes]) -> bytes:
    """The paper as PDF. `photos`: small JPEGs in the order of the slip's numbers; those that are gone are left out."""
    about = About(f"Phiếu chuyển {slip.letterhead.number}", " ".join(slip.letterhead.issuer), slip.code)
    return pages(about, lambda: _body(slip, photos), footer=f"{slip.code} · {slip.letterhead.number}")


def _body(slip: Slip, photos: Sequence[bytes]) -> Drawn:
    text = style(13, align="justify", firstLineIndent=10 * mm, spaceAfter=6)
    drawn = head(slip.letterhead, _WIDTH)
    drawn += heading("PHIẾU CHUYỂN", "Phản ánh, kiến nghị của người dân")
    drawn += [para(f"Kính gửi: {slip.to}", style(14, align="center", spaceAfter=10))]
    drawn.append(
        para(
            f"Ngày {slip.received:%d/%m/%Y}, {slip.sender} tiếp nhận phản ánh mã số {slip.code} của người dân. Sau khi "
            f"xem xét, nội dung phản ánh thuộc thẩm quyền giải quyết của {slip.to}. {slip.sender} chuyển phản ánh này "
            "để xem xét, giải quyết theo quy định.",
            text,
        )
    )
    drawn.append(_facts(slip))
    drawn += _words(slip)
    drawn += _pictures(photos, slip.more)
    *drawn, last = [*drawn, *_request(slip, text)]
    return [*drawn, KeepTogether([last, *foot(slip.signature, _WIDTH)])]  # nobody signs an empty page


def _facts(slip: Slip) -> Table:
    rows = [
        ("Mã phản ánh", slip.code),
        ("Lĩnh vực", slip.topic),
        ("Địa điểm", slip.place),
        ("Tọa độ", slip.pin),
        ("Nội dung tóm tắt", slip.summary),
        ("Người phản ánh", "\n".join(slip.reporter) or "Không nêu danh tính theo quy định bảo vệ dữ liệu cá nhân"),
    ]
    label, value = style(12, font=BOLD), style(12)
    cells = [[para(name, label), para(words, value)] for name, words in rows if words]
    looks = TableStyle([
        ("GRID", (0, 0), (-1, -1), 0.5, "black"),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ])  # fmt: skip
    return Table(cells, colWidths=[38 * mm, _WIDTH - 38 * mm], style=looks, spaceAfter=8)


def _words(slip: Slip) -> Drawn:
    if not slip.said:
        return []
    quoted = style(12, font=ITALIC, align="justify", leftIndent=8 * mm, spaceAfter=4)
    drawn: Drawn = [para("Lời người dân (đã che dữ liệu cá nhân):", style(13, font=BOLD, spaceAfter=4, spaceBefore=4))]
    return [*drawn, *(para(words, quoted, before=f"{plain(day)}: ") for day, words in slip.said)]


def _pictures(photos: Sequence[bytes], more: str) -> Drawn:
    drawn: Drawn = []
    if photos:
        cells = [_picture(photo) for photo in photos]
        rows = [[*cells[at : at + _A_ROW], *[""] * (_A_ROW - len(cells[at : at + _A_ROW]))]
                for at in range(0, len(cells), _A_ROW)]  # fmt: skip
        table = Table(rows, colWidths=[_WIDTH / _A_ROW] * _A_ROW, style=_GALLERY)
        title = para(f"Tài liệu kèm theo: {len(photos)} ảnh", style(13, font=BOLD, spaceAfter=4, spaceBefore=4))
        drawn.append(KeepTogether([title, table]))
    if more:
        drawn.append(para(more, style(12, spaceAfter=4)))
    return drawn


def _picture(photo: bytes) -> Image:
    width, height = ImageReader(io.BytesIO(photo)).getSize()
    scale = min(_PHOTO[0] / width, _PHOTO[1] / height)
    return Image(io.BytesIO(photo), width * scale, height * scale)


def _request(slip: Slip, text: Any) -> Drawn:
    asked = (
        f"Đề nghị {slip.to} giải quyết và gửi kết quả trước ngày {slip.expected:%d/%m/%Y} để "
        "thông báo cho người dân; nếu không thuộc thẩm quyền, đề nghị cho biết ngay để chuyển đúng cơ quan."
    )
    drawn: Drawn = [Spacer(0, 2 * mm)]
    if slip.request:
        drawn.append(para(slip.request, text))
    drawn.append(para(asked, text))
    contact = "; ".join(slip.contact)
    return [*drawn, para(f"Mọi trao đổi xin gửi về: {contact}.", text)] if contact else drawn
