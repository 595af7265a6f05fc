"""The phiếu chuyển as Decree 30/2020 has it."""

from __future__ import annotations

import io
import json
import unicodedata
from dataclasses import replace
from datetime import date

import pypdfium2
import pytest
from PIL import Image

from bot.papers.letterhead import Letterhead, Signature, day_in_words
from bot.papers.transfer_slip import Slip, draw
from tests.papers.looking import pages_of, words_of


def jpeg(colour: str = "red", size: tuple[int, int] = (384, 288)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG")
    return out.getvalue()


def a_slip(**changes: object) -> Slip:
    """A slip about a broken wire."""
    slip = Slip(
        letterhead=Letterhead(("ỦY BAN NHÂN DÂN", "XÃ ĐỨC HUỆ"), "Đức Huệ", date(2026, 2, 7), "12/PC-UBND"),
        signature=Signature(
            ("TM. ỦY BAN NHÂN DÂN", "KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH"), "Lê Thị Mai", ("Như trên", "Lưu: VT")
        ),
        sender="Ủy ban nhân dân xã Đức Huệ",
        to="Điện lực Đức Huệ",
        code="PA26-0001",
        topic="Điện",
        place="Xóm 5",
        pin="10.88123, 106.29345",
        received=date(2026, 2, 6),
        summary="Dây điện đứt sà xuống đường",
        said=(("06/02/2026", "Dây điện đứt, nguy hiểm lắm"),),
        reporter=(),
        photos=(7,),
        more="",
        request="",
        expected=date(2026, 2, 20),
        contact=("Văn phòng HĐND và UBND", "điện thoại 0900 000 000"),
    )
    return replace(slip, **changes)  # type: ignore[arg-type]


def test_it_has_every_part_the_decree_asks_for() -> None:
    words = words_of(draw(a_slip(), [jpeg()]))
    for part in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "ỦY BAN NHÂN DÂN", "XÃ ĐỨC HUỆ",
        "Số: 12/PC-UBND", "Đức Huệ, ngày 07 tháng 02 năm 2026", "PHIẾU CHUYỂN", "Kính gửi: Điện lực Đức Huệ",
        "PA26-0001", "Xóm 5", "10.88123, 106.29345", "Dây điện đứt sà xuống đường", "nguy hiểm lắm", "1 ảnh",
        "trước ngày 20/02/2026", "điện thoại 0900 000 000", "Nơi nhận:", "Như trên", "PHÓ CHỦ TỊCH", "Lê Thị Mai",
    ):  # fmt: skip
        assert part in words, part


def test_it_is_a4_with_the_decrees_margins() -> None:
    document = pypdfium2.PdfDocument(draw(a_slip(), []))
    page = document[0]
    assert [round(length / 72 * 25.4) for length in page.get_size()] == [210, 297]
    boxes = [one.get_bounds() for one in page.get_objects() if one.type == 1]
    left, right = min(b[0] for b in boxes), max(b[2] for b in boxes)
    assert 29.9 <= left / 72 * 25.4 <= 35.5
    assert (page.get_width() - right) / 72 * 25.4 >= 15
    document.close()


def test_made_again_it_is_the_same_to_the_byte() -> None:
    kept = json.loads(json.dumps(a_slip().to_json()))
    first = draw(a_slip(), [jpeg()])
    assert draw(Slip.from_json(kept), [jpeg()]) == first
    assert draw(a_slip(summary="Khác"), [jpeg()]) != first


def test_who_reported_stands_there_only_when_it_was_decided() -> None:
    assert "Không nêu danh tính" in words_of(draw(a_slip(), []))
    words = words_of(draw(a_slip(reporter=("Trần Thị Bưởi", "Điện thoại: 0900 000 001")), []))
    assert "Trần Thị Bưởi" in words
    assert "Không nêu danh tính" not in words


def test_what_a_citizen_wrote_is_text_whatever_it_looks_like() -> None:
    said = (("06/02/2026", "<b>đậm</b> & <img src='/etc/passwd'/> 😀 Ðường"),)
    words = words_of(draw(a_slip(said=said), []))
    assert "<b>đậm</b> & <img src='/etc/passwd'/> □" in words


def test_decomposed_letters_are_composed() -> None:
    assert "Đường ngập" in words_of(draw(a_slip(summary=unicodedata.normalize("NFD", "Đường ngập")), []))


def test_a_long_one_has_numbered_pages_and_the_signature_stays_whole() -> None:
    said = tuple(("06/02/2026", f"Lời thứ {n}. " * 30) for n in range(24))
    pages = pages_of(draw(a_slip(said=said), []))
    assert len(pages) >= 3
    assert [page.split()[0] for page in pages[1:]] == [str(n) for n in range(2, len(pages) + 1)]
    assert "Nơi nhận:" in pages[-1]
    assert "Lê Thị Mai" in pages[-1]


@pytest.mark.parametrize(
    ("day", "words"),
    [(date(2026, 1, 3), "ngày 03 tháng 01 năm 2026"), (date(2026, 10, 12), "ngày 12 tháng 10 năm 2026"),
     (date(2026, 3, 30), "ngày 30 tháng 3 năm 2026")],
)  # fmt: skip
def test_days_are_written_as_the_decree_says(day: date, words: str) -> None:
    assert day_in_words(day) == words
