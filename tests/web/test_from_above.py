"""The pages of bulletins from above: who sees them, what they say, and passing one on without touching its words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.runtime import utc_now
from storage.bulletins import Bulletin
from storage.notices import SourceNotice
from tests.builders import World, all_rows
from tests.loudspeakers import connect, listen_again
from tests.sandbox.villages import USERNAME, Villages, villages
from tests.web.test_announcements import Browser

HERE = "/announcements/from-above"


@pytest.fixture
def loa(tmp_path: Path) -> Iterator[Villages]:
    """A pretend source system."""
    with villages(tmp_path) as found:
        yield found


@pytest.fixture
def above(world: World, loa: Villages) -> World:
    """The commune, to which the province has handed a bulletin down."""
    connect(world, loa)
    world.clock = utc_now
    loa.hand_down(urgency="uu_tien")
    listen_again(world.runtime)
    return world


def read(world: World, who: str, path: str) -> str:
    response = Browser(world, who).get(path)
    assert response.status_code == 200, response.text
    return " ".join(response.text.split())


@pytest.mark.parametrize(
    ("who", "status"), [("an", 200), ("mai", 200), ("tuan", 200), ("hoa", 200), ("lan", 403), ("hung", 403)]
)
def test_who_may_see_them(above: World, who: str, status: int) -> None:
    number = all_rows(above.runtime, SourceNotice)[0].id
    assert Browser(above, who).get(HERE).status_code == status
    assert Browser(above, who).get(f"{HERE}/{number}").status_code == status


def test_the_list_says_whose_they_are(above: World) -> None:
    assert 'href="/announcements/from-above"' in read(above, "tuan", "/announcements")
    page = read(above, "tuan", HERE)
    for words in ("Lịch tiêm chủng", "Ưu tiên", "UBND tỉnh Tập Dượt", "Tiêm chủng thứ Bảy."):
        assert words in page
    assert Browser(above, "tuan").get(f"{HERE}/99999").status_code == 404


def test_without_a_source_system_it_says_what_to_do(world: World) -> None:
    assert "Địa phương chưa kết nối hệ thống thông tin nguồn" in read(world, "tuan", HERE)
    assert HERE not in read(world, "tuan", "/announcements")


def test_passing_on_leads_to_a_form_without_words(above: World) -> None:
    number = all_rows(above.runtime, SourceNotice)[0].id
    browser = Browser(above, "tuan")
    answer = browser.post(f"{HERE}/{number}/passing-on")
    [bulletin] = all_rows(above.runtime, Bulletin)
    assert answer.headers["Location"] == f"/announcements/bulletins/{bulletin.id}/edit"
    page = " ".join(browser.get(answer.headers["Location"]).text.split())
    assert "không sửa nội dung" in page
    assert "Tin ưu tiên của UBND tỉnh Tập Dượt" in page
    assert 'name="title"' not in page
    assert 'name="importance"' not in page
    changed = browser.post(
        f"/announcements/bulletins/{bulletin.id}",
        version=bulletin.version, title="Khác", body="Khác", channel=above.channel_id,
    )  # fmt: skip
    assert changed.status_code == 303
    assert all_rows(above.runtime, Bulletin)[0].body == bulletin.body
    assert "Đã chuyển tiếp" in browser.get(f"{HERE}/{number}").text


def test_only_authors_pass_on(above: World) -> None:
    number = all_rows(above.runtime, SourceNotice)[0].id
    assert "Chuyển tiếp tin này" not in read(above, "hoa", f"{HERE}/{number}")
    assert Browser(above, "hoa").post(f"{HERE}/{number}/passing-on").status_code == 403


def test_what_was_cancelled_says_so_and_cannot_be_passed_on(above: World, loa: Villages) -> None:
    loa.hand_down(revision=2, cancelled="Hoãn.")
    listen_again(above.runtime)
    first, second = all_rows(above.runtime, SourceNotice)
    page = read(above, "tuan", f"{HERE}/{first.id}")
    assert "Đã hủy" in page
    assert "không còn hiệu lực. Hoãn." in page
    assert "Chuyển tiếp tin này" not in page
    answer = Browser(above, "tuan").post(f"{HERE}/{second.id}/passing-on")
    assert answer.status_code == 422
    assert "đã hủy tin này" in answer.text


def test_a_pushed_emergency_reads_as_the_systems_own(above: World, loa: Villages) -> None:
    loa.hand_down(ref="T.2", urgency="khan_cap", title="Lũ lên", text="Sơ tán ngay.")
    listen_again(above.runtime)
    [bulletin] = all_rows(above.runtime, Bulletin)
    page = read(above, "mai", f"/announcements/bulletins/{bulletin.id}")
    assert "Hệ thống" in page
    assert "hệ thống chuyển ngay, không chờ duyệt" in page
    assert "hệ thống đã chuyển ngay tin khẩn cấp “Lũ lên”" in read(above, "lan", "/tickets")
    assert "Hệ thống" in read(above, "mai", "/announcements")


def test_the_village_square_hands_down_revises_and_cancels(above: World, loa: Villages) -> None:
    square = f"/loa/{USERNAME}/"
    loa.client.post(
        f"{square}province/notices", data={"title": "Mưa lớn", "text": "Mưa đến 200 mm.", "urgency": "uu_tien"}
    )
    ref = loa.rows("notices")[-1]["ref"]
    loa.client.post(f"{square}province/notices", data={"ref": ref, "urgency": "uu_tien", "cancel": "1"})
    listen_again(above.runtime)
    kept = [(row.revision, row.is_cancelled) for row in all_rows(above.runtime, SourceNotice) if row.ref == ref]
    assert kept == [(1, False), (2, True)]
    assert "Mưa lớn" in loa.client.get(square).text
