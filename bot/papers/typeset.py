"""Typesetting: the font of administrative papers, the styles of Decree 30/2020, and pages of A4.

Tinos has the widths of Times New Roman, which the decree names, and every Vietnamese letter. It is embedded.
"""

from __future__ import annotations

import functools
import io
import threading
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY, TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, NextPageTemplate, PageTemplate, Paragraph

from bot.papers import FONTS

FAMILY = "Tinos"
REGULAR, BOLD, ITALIC, BOLD_ITALIC = FAMILY, f"{FAMILY}-Bold", f"{FAMILY}-Italic", f"{FAMILY}-BoldItalic"
_FILES = {
    REGULAR: "Tinos_400Regular.ttf",
    BOLD: "Tinos_700Bold.ttf",
    ITALIC: "Tinos_400Regular_Italic.ttf",
    BOLD_ITALIC: "Tinos_700Bold_Italic.ttf",
}
# Top, right, bottom, left, as the decree has them: 20-25, 15-20, 20-25 and 30-35 mm.
MARGINS = (20 * mm, 20 * mm, 20 * mm, 30 * mm)
_MISSING = "□"
_one_at_a_time = threading.RLock()

Drawn = list[Any]  # what platypus calls flowables


class FontsMissing(Exception):
    """The fonts of papers were not copied at set-up."""


@dataclass(frozen=True)
class About:
    """What a reader's window says of a paper."""

    title: str
    author: str
    subject: str = ""


def style(size: float = 13, *, font: str = REGULAR, align: str = "left", **more: float) -> ParagraphStyle:
    """A paragraph's looks. `align`: "left", "center", "right" or "justify"; sizes in points."""
    sides = {"left": 0, "center": TA_CENTER, "right": TA_RIGHT, "justify": TA_JUSTIFY}
    return ParagraphStyle("own", fontName=font, fontSize=size, leading=size * 1.25, alignment=sides[align], **more)


def para(text: str, looks: ParagraphStyle, *, before: str = "", after: str = "") -> Paragraph:
    """Words as a paragraph: whatever they hold is text. `before`, `after`: markup of our own around them."""
    return Paragraph(f"{before}{plain(text)}{after}", looks)


def plain(text: str) -> str:
    """Words ready for a paragraph: composed letters, no markup, a box for each character the font lacks."""
    known = _letters()
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\t", " "))
    kept = (c if c == "\n" or ord(c) in known else _stand_in(c) for c in composed)
    return escape("".join(kept)).replace("\n", "<br/>")


def _stand_in(character: str) -> str:
    # Marks that change the look of an emoji, joiners and the like have no width: nothing stands for them.
    is_invisible = unicodedata.category(character) in {"Cf", "Cc", "Mn", "Me", "Cs", "Co", "Cn"}
    return "" if is_invisible else " " if character.isspace() else _MISSING


class Rule(Flowable):  # type: ignore[misc]
    """A line in the middle of its column, as wide as this share of it."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        """How much room it takes."""
        self.room = width
        return width, 4

    def draw(self) -> None:
        """Draw it."""
        length = self.room * self.share
        self.canv.setLineWidth(0.7)
        self.canv.line((self.room - length) / 2, 2, (self.room + length) / 2, 2)


def pages(
    about: About,
    draw: Callable[[], Drawn],
    *,
    is_landscape: bool = False,
    margins: Sequence[float] = MARGINS,
    size: tuple[float, float] = A4,
    footer: str = "",
) -> bytes:
    """A paper of as many pages as it needs, numbered from the second on. FontsMissing before set-up."""
    top, right, bottom, left = margins
    out = io.BytesIO()
    with _one_at_a_time:
        _register()
        sheet = landscape(size) if is_landscape else size
        document = BaseDocTemplate(
            out,
            pagesize=sheet,
            title=about.title,
            author=about.author,
            subject=about.subject,
            lang="vi",
            invariant=1,
            pageCompression=1,
        )
        area = (left, bottom, sheet[0] - left - right, sheet[1] - top - bottom, 0, 0, 0, 0)
        number = functools.partial(_number, footer=footer, right=sheet[0] - right)
        document.addPageTemplates([
            PageTemplate("first", [Frame(*area)]),
            PageTemplate("later", [Frame(*area)], onPage=number),
        ])  # fmt: skip
        document.build([NextPageTemplate("later"), *draw()])
    return out.getvalue()


def _number(canvas: Any, document: Any, *, footer: str, right: float) -> None:
    width, height = document.pagesize
    canvas.saveState()
    canvas.setFont(REGULAR, 13)
    canvas.drawCentredString(width / 2, height - 12 * mm, str(canvas.getPageNumber()))
    if footer:
        canvas.setFont(ITALIC, 9)
        canvas.drawRightString(right, 8 * mm, footer)
    canvas.restoreState()


@functools.cache
def _letters() -> frozenset[int]:
    with _one_at_a_time:
        _register()
        return frozenset(pdfmetrics.getFont(REGULAR).face.charToGlyph)


@functools.cache
def _register() -> None:
    try:
        for name, file in _FILES.items():
            pdfmetrics.registerFont(TTFont(name, FONTS / file))
    except (TTFError, OSError):
        raise FontsMissing(f"the fonts of papers are not in {FONTS}: run npm ci && python -m bot.web.assets") from None
    pdfmetrics.registerFontFamily(FAMILY, REGULAR, BOLD, ITALIC, BOLD_ITALIC)
