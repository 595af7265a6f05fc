"""What tests look at in a PDF."""

from __future__ import annotations

import unicodedata

import pypdfium2


def pages_of(data: bytes) -> list[str]:
    """The words of each page, spaces and line ends as one space."""
    document = pypdfium2.PdfDocument(data)
    try:
        found = []
        for page in document:
            words = page.get_textpage().get_text_bounded()
            found.append(" ".join(unicodedata.normalize("NFC", words).split()))
        return found
    finally:
        document.close()


def words_of(data: bytes) -> str:
    """All words of a PDF."""
    return " ".join(pages_of(data))
