"""The parts that every administrative paper has (Decree 30/2020): who issues it, number, place and day, signature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from reportlab.lib.units import mm
from reportlab.platypus import Spacer, Table, TableStyle

from bot.papers.typeset import BOLD, BOLD_ITALIC, ITALIC, Drawn, Rule, para, style

NATION = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"
_SIGNATURE = 24 * mm
TIGHT = TableStyle([
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
])  # fmt: skip


@dataclass(frozen=True)
class Letterhead:
    """Who issues a paper, in lines; where and when. `number`: like "12/PC-UBND", "" for a paper without one."""

    issuer: tuple[str, ...]
    place: str
    day: date
    number: str = ""


@dataclass(frozen=True)
class Signature:
    """Who signs: the office in lines, and the name, "" when it is written by hand; to whom copies go."""

    office: tuple[str, ...]
    name: str
    copies: tuple[str, ...]


def day_in_words(day: date) -> str:
    """A date as papers have it: figures below ten, and the first two months, with a nought before them."""
    month = f"{day.month:02}" if day.month < 3 else str(day.month)
    return f"ngày {day.day:02} tháng {month} năm {day.year}"


def head(letterhead: Letterhead, width: float) -> Drawn:
    """The first lines of a paper."""
    centred = style(13, align="center")
    bold = style(13, font=BOLD, align="center")
    left: Drawn = [para(line, bold) for line in letterhead.issuer]
    left += [Rule(0.35), Spacer(0, 3 * mm)]
    if letterhead.number:
        left.append(para(f"Số: {letterhead.number}", centred))
    # "VIỆT NAM" at 12 points is as wide as the column; the decree allows 12 to 13.
    right: Drawn = [para(NATION, style(12, font=BOLD, align="center")), para(MOTTO, bold), Rule(0.6)]
    right += [Spacer(0, 3 * mm)]
    right.append(para(f"{letterhead.place}, {day_in_words(letterhead.day)}", style(13, font=ITALIC, align="center")))
    return [Table([[left, right]], colWidths=[width * 0.4, width * 0.6], style=TIGHT), Spacer(0, 6 * mm)]


def heading(kind: str, about: str) -> Drawn:
    """The kind of paper and what it is about, with the short line under them."""
    return [
        para(kind, style(14, font=BOLD, align="center")),
        para(about, style(14, font=BOLD, align="center")),
        Rule(0.2),
        Spacer(0, 5 * mm),
    ]


def foot(signature: Signature, width: float) -> Drawn:
    """To whom copies go, and room for a hand and a stamp."""
    small = style(11)
    left: Drawn = [para("Nơi nhận:", style(12, font=BOLD_ITALIC))]
    left += [para(f"- {one};", small) for one in signature.copies[:-1]]
    left += [para(f"- {one}.", small) for one in signature.copies[-1:]]
    bold = style(13, font=BOLD, align="center")
    right: Drawn = [para(line, bold) for line in signature.office]
    right.append(Spacer(0, _SIGNATURE))
    if signature.name:
        right.append(para(signature.name, bold))
    table = Table([[left, right]], colWidths=[width * 0.45, width * 0.55], style=TIGHT)
    return [Spacer(0, 6 * mm), table]
