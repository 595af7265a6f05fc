"""Beside a message without diacritics stands how it may read; what is masked in the message is masked there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.tickets import Ticket
from tests.web.pages import Browser

Open = Callable[[str], Browser]
BARE = "o ga to tren duong vao truong hoc xom 5, nho xa cho nguoi sua som. Goi toi so 0912345678"


def test_a_message_without_accents_is_read_in_a_quiet_line_that_masks_what_the_message_masks(
    browser: Open, reported: Callable[..., Ticket]
) -> None:
    ticket = reported(BARE)
    page = browser("lan").open(f"/tickets/{ticket.id}")
    assert "Có thể đọc là: ổ gà to trên đường vào trường học xóm 5" in page.text
    assert "máy đoán dấu" in page.text
    assert "0912345678" not in page.html
    assert ticket.summary.startswith("o ga to tren"), "the citizen's own words stay as they are"


@pytest.mark.parametrize("text", ["Đèn đường trước trường hỏng ba hôm nay", "rac o cho"])
def test_a_message_with_accents_or_hardly_any_words_has_no_such_line(
    browser: Open, reported: Callable[..., Ticket], text: str
) -> None:
    assert "Có thể đọc là" not in browser("lan").open(f"/tickets/{reported(text).id}").text
