"""The pages of loudspeakers: how clusters are and how far bulletins are, in words; what the village square shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.runtime import utc_now
from bot.usecases import channels
from storage.channels import Channel
from storage.loudspeakers import LoudspeakerCluster, SourceBulletin, SourceLink
from tests.builders import World
from tests.loudspeakers import (
    an_emergency,
    an_order,
    connect,
    go_on,
    listen_again,
    ordered,
    recalled,
    tomorrow_at_five,
)
from tests.sandbox.villages import USERNAME, Villages, villages
from tests.web.test_announcements import Browser


@pytest.fixture
def loa(tmp_path: Path) -> Iterator[Villages]:
    """A pretend source system with fifteen clusters, one of them broken."""
    with villages(tmp_path) as found:
        yield found


@pytest.fixture
def channel_id(world: World, loa: Villages) -> int:
    """The commune's loudspeakers."""
    return connect(world, loa)


def read(world: World, who: str, path: str) -> str:
    response = Browser(world, who).get(path)
    assert response.status_code == 200, response.text
    return " ".join(response.text.split())


@pytest.mark.parametrize(
    ("who", "status"), [("an", 200), ("mai", 200), ("tuan", 200), ("hoa", 200), ("lan", 403), ("hung", 403)]
)
def test_who_may_see_loudspeakers(world: World, channel_id: int, who: str, status: int) -> None:
    assert Browser(world, who).get(f"/channels/{channel_id}/loudspeakers").status_code == status


def test_another_channel_has_no_loudspeakers(world: World) -> None:
    assert Browser(world, "an").get(f"/channels/{world.channel_id}/loudspeakers").status_code == 404
    assert Browser(world, "an").get("/channels/999999/loudspeakers").status_code == 404


def test_an_empty_page_says_what_will_come(world: World, channel_id: int) -> None:
    page = read(world, "tuan", f"/channels/{channel_id}/loudspeakers")
    assert "Chưa có bản tin nào gửi tới loa." in page
    assert "Danh sách tự hiện sau vài phút" in page


def test_a_bulletin_says_how_many_clusters_played_it(world: World, loa: Villages, channel_id: int) -> None:
    ordered(world.runtime, channel_id, an_order())
    go_on(world.runtime, 1)
    listen_again(world.runtime)
    path = f"/channels/{channel_id}/loudspeakers"
    assert "Chưa phát (15 cụm loa)." in read(world, "tuan", path)
    loa.play(tomorrow_at_five().timestamp())
    listen_again(world.runtime)
    page = read(world, "tuan", path)
    for words in (
        "Đã phát 14/15 cụm loa. 1 cụm báo không phát được.",
        "Bảng tin đã hiện.",
        "Cụm loa số 15: Cụm loa không phát ra tiếng",
        "Hệ thống thông tin nguồn đã nhận",
        "Kính thưa bà con",
        "Hỏng loa",
    ):
        assert words in page, words


def test_a_recalled_bulletin_says_why(world: World, channel_id: int) -> None:
    number = ordered(world.runtime, channel_id, an_order())
    go_on(world.runtime, 1)
    recalled(world.runtime, number, "Sai ngày")
    path = f"/channels/{channel_id}/loudspeakers"
    assert "Đang thu hồi" in read(world, "tuan", path)
    go_on(world.runtime, 1)
    page = read(world, "tuan", path)
    assert "Đã thu hồi" in page
    assert "Lý do thu hồi: Sai ngày" in page
    assert "Thu hồi trước khi phát." in page
    assert "Bảng tin đã hiện" not in page


def test_a_system_that_is_away_is_said_on_both_pages(world: World, loa: Villages, channel_id: int) -> None:
    loa.fault("status", applies_to="logs", status=503, count=5)
    listen_again(world.runtime)
    assert "Không hỏi được hệ thống thông tin nguồn từ" in read(world, "an", f"/channels/{channel_id}/loudspeakers")
    assert "không hỏi được hệ thống thông tin nguồn từ" in read(world, "an", "/channels")


def test_the_channels_page_tells_of_clusters_and_of_no_webhook(world: World, channel_id: int) -> None:
    assert "chưa có cụm loa nào" in read(world, "an", "/channels")
    listen_again(world.runtime)
    page = read(world, "an", "/channels").partition("Loa truyền thanh Đức Huệ")[2]
    assert "1 trong 15 cụm loa không hoạt động" in page
    assert f'href="/channels/{channel_id}/loudspeakers"' in page
    assert "webhook" not in page.lower()


def test_a_check_asks_the_system(world: World, loa: Villages, channel_id: int) -> None:
    response = Browser(world, "an").post(f"/channels/{channel_id}/check")
    assert "1 trong 15 cụm loa không hoạt động." in response.text
    loa.control("clusters", fate="well")
    assert channels.check(world.runtime, "loa-duc-hue").is_fine
    loa.fault("account", applies_to="login")
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(SourceLink).values(token=None))
    found = channels.check(world.runtime, "loa-duc-hue")
    assert not found.is_fine
    assert "source_4" in " ".join(one.detail for one in found.findings)


def test_the_desk_is_called_in_words(world: World, loa: Villages, channel_id: int) -> None:
    loa.fault("error", applies_to="bulletin", code=1)
    ordered(world.runtime, channel_id, an_emergency())
    go_on(world.runtime, 1)
    listen_again(world.runtime)
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(LoudspeakerCluster).values(out_since=utc_now() - timedelta(minutes=11)))
    listen_again(world.runtime)
    page = read(world, "lan", "/tickets")
    assert "hệ thống thông tin nguồn không nhận bản tin “Nước lên nhanh”" in page
    assert "1 cụm loa không hoạt động từ" in page
    assert "Cụm loa số 15" in page


def test_the_page_is_in_english_too(world: World, channel_id: int) -> None:
    ordered(world.runtime, channel_id, an_order())
    listen_again(world.runtime)
    browser = Browser(world, "tuan")
    browser.post("/language", locale="en", next="/announcements")
    page = browser.get(f"/channels/{channel_id}/loudspeakers").text
    assert "Not played yet (15 clusters)." in page
    assert "Waiting to be sent to the source information system" in page


def test_another_communes_loudspeakers_are_not_there(world: World, channel_id: int) -> None:
    from bot.usecases.setup import add_commune

    other = add_commune(world.runtime, code="00004", slug="xa-khac")
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Channel).where(Channel.id == channel_id).values(commune_id=other))
    assert Browser(world, "an").get(f"/channels/{channel_id}/loudspeakers").status_code == 404


# ---- the village square --------------------------------------------------------------------------------------------


def test_the_square_shows_what_is_read_out_and_what_stands_on_the_board(
    world: World, loa: Villages, channel_id: int
) -> None:
    square = f"/loa/{USERNAME}/"
    assert "Loa đang im." in loa.client.get(square).text
    ordered(world.runtime, channel_id, an_order(script="Ngày mai cúp điện từ tám giờ."))
    ordered(world.runtime, channel_id, an_emergency(script="Nước đang lên, bà con lên chỗ cao."))
    go_on(world.runtime, 1)
    page = loa.client.get(square).text
    for words in (
        "KHẨN CẤP",
        "Nước đang lên, bà con lên chỗ cao.",
        "CÚP ĐIỆN 8–11 GIỜ NGÀY MAI",
        "Ngày mai cúp điện từ tám giờ.",
        "đã phát 14/15 cụm loa",
        "Cụm loa không phát ra tiếng",
    ):
        assert words in page, words


def test_a_visitor_of_the_square_may_break_and_mend_a_cluster(world: World, loa: Villages, channel_id: int) -> None:
    first = loa.rows("clusters")[0]["id"]
    assert loa.client.get("/loa/").headers["Location"] == f"/loa/{USERNAME}/"
    answer = loa.client.post(f"/loa/{USERNAME}/{first}", data={"fate": "silent"})
    assert answer.status_code == 303
    assert loa.rows("clusters")[0]["fate"] == "silent"
    assert loa.client.post(f"/loa/{USERNAME}/{first}", data={"fate": "gone"}).status_code == 400
    assert loa.client.post(f"/loa/{USERNAME}/no-such", data={"fate": "well"}).status_code == 404
    headers = {"X-Forwarded-For": "203.0.113.5"}
    assert loa.client.post(f"/loa/{USERNAME}/{first}", data={"fate": "well"}, headers=headers).status_code == 403


def test_an_emergency_puts_off_what_was_planned_for_that_minute(world: World, loa: Villages, channel_id: int) -> None:
    ordered(world.runtime, channel_id, an_order(lines=()))
    ordered(world.runtime, channel_id, an_emergency(script="lời " * 260))
    go_on(world.runtime, 1)
    [emergency] = [row for row in loa.rows("plays") if row["played"]]
    with loa.box.store.writing() as db:
        db.execute("UPDATE loa_plays SET begin_ms = ?, end_ms = ? WHERE played = 0",
                   (emergency["begin_ms"] + 1_000, emergency["begin_ms"] + 61_000))  # fmt: skip
    loa.play(emergency["begin_ms"] / 1000 + 2)
    assert [row["played"] for row in loa.rows("plays")] == [1, 0]
    loa.play(emergency["end_ms"] / 1000 + 1)
    assert [(row["played"], row["begin_ms"]) for row in loa.rows("plays")][1] == (1, emergency["end_ms"])


def test_bulletins_of_another_channel_are_not_shown(world: World, channel_id: int) -> None:
    ordered(world.runtime, channel_id, an_order())
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(SourceBulletin).values(channel_id=world.channel_id))
    assert "Chưa có bản tin nào gửi tới loa." in read(world, "tuan", f"/channels/{channel_id}/loudspeakers")
