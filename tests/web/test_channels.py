"""The channels page, as a browser sees it."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from bot.usecases import channels
from storage.catching_up import CatchUp
from storage.channels import Channel, ChannelPoll, ChannelToken
from storage.communes import Counter
from storage.enums import CatchUpState, TokenState
from tests.bots import a_bot
from tests.builders import OA, World, all_rows, text_event
from tests.conftest import NOON, Clock
from tests.sandbox.running import Running
from tests.usecases.test_channels import grant, zalo
from tests.web.test_announcements import Browser

__all__ = ["zalo"]


def change(world: World, model: type, **values: object) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(model).values(**values))


@pytest.mark.parametrize(
    ("who", "status"), [("an", 200), ("mai", 200), ("lan", 403), ("hung", 403), ("tuan", 403), ("hoa", 403)]
)
def test_who_may_see_channels(world: World, who: str, status: int) -> None:
    assert Browser(world, who).get("/channels").status_code == status


def test_a_channel_shows_all_there_is_to_know(world: World, clock: Clock) -> None:
    world.event(text_event("Xin chào"))
    change(world, Channel, quota={"quota_type": "sub_quota", "remain": "7", "total": "500", "new_thing": "1"})
    with world.runtime.database.transaction() as session:
        session.add(Counter(scope=f"channel:{world.channel_id}", name="accepted", period="2026-10-07", value=41))
        session.add(Counter(scope=f"channel:{world.channel_id}", name="forged", period="2026-10-07", value=2))
    page = Browser(world, "an").get("/channels").text
    for words in (
        "Zalo OA Đức Huệ",
        "TẬP DƯỢT",
        f"zalo · {OA}",
        "http://127.0.0.1:8000/webhooks/zalo-duc-hue",
        "Đang hoạt động",
        "Còn hiệu lực đến",
        "12:00 07/10/2026",
        "Loại: tin trong gói đã đăng ký · còn 7 trên 500 tin · và 1 mục khác của kênh",
        "Đã nhận: <strong>41</strong>",
        "Chữ ký sai: <strong>2</strong>",
    ):
        assert words in page, words
    assert "Chưa nhận sự kiện nào" not in page
    for name in ("quota_type", "sub_quota", "remain", "new_thing"):
        assert name not in page


def test_a_silent_channel_is_pointed_out(world: World, clock: Clock) -> None:
    assert "Chưa nhận sự kiện nào" in Browser(world, "an").get("/channels").text
    world.event(text_event("Xin chào"))
    clock.move(hours=30)
    assert "Không có sự kiện nào từ 12:00 07/10/2026" in Browser(world, "an").get("/channels").text


def test_no_secret_is_on_the_page(world: World) -> None:
    page = Browser(world, "an").get("/channels").text
    for secret in ("an-access-token", "a-refresh-token", "example-oa-secret", "example-app-secret"):
        assert secret not in page


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"state": TokenState.NEEDS_CONSENT, "last_error": "zalo_oauth_-14014"}, "Đã hết hiệu lực, cần cấp quyền lại."),
        ({}, "Còn hiệu lực đến"),
    ],
)
def test_the_state_of_the_token_is_told_in_words(world: World, values: dict[str, object], words: str) -> None:
    if values:
        change(world, ChannelToken, **values)
    assert words in Browser(world, "an").get("/channels").text


def test_a_token_that_has_just_run_out_is_told_in_words(world: World, clock: Clock) -> None:
    an = Browser(world, "an")
    change(world, ChannelToken, expires_at=clock.now - timedelta(minutes=1))
    assert "Vừa hết hạn" in an.get("/channels").text


def test_a_channel_is_paused_with_a_reason_and_resumed(world: World) -> None:
    an = Browser(world, "an")
    assert an.post(f"/channels/{world.channel_id}/pause", reason="Bảo trì").status_code == 303
    page = an.get("/channels").text
    assert "Tạm dừng từ" in page
    assert "Đặng Văn An: Bảo trì" in page
    assert an.post(f"/channels/{world.channel_id}/resume").status_code == 303
    assert "Đang hoạt động" in an.get("/channels").text


def test_a_pause_without_a_reason_is_refused_in_words(world: World) -> None:
    answer = Browser(world, "an").post(f"/channels/{world.channel_id}/pause", reason="")
    assert answer.status_code == 422
    assert "Chưa ghi lý do tạm dừng" in answer.text
    assert world.channel.paused_at is None


def test_a_form_without_its_token_changes_nothing(world: World) -> None:
    an = Browser(world, "an")
    assert an.client.post(f"/channels/{world.channel_id}/pause", data={"reason": "x"}).status_code == 400
    assert world.channel.paused_at is None


@pytest.mark.parametrize("act", ["pause", "resume", "check"])
def test_another_communes_channel_is_not_found(world: World, act: str) -> None:
    assert Browser(world, "an").post(f"/channels/999999/{act}", reason="x").status_code == 404


def test_a_check_tells_each_finding(world: World, zalo: Running) -> None:
    world.event(text_event("Xin chào"))
    page = Browser(world, "an").post(f"/channels/{world.channel_id}/check").text
    assert "Kiểm tra xong: kênh hoạt động tốt." in page
    assert "Tốt: Quyền truy cập còn hiệu lực." in page


def test_a_check_that_fails_says_so(world: World) -> None:
    page = Browser(world, "an").post(f"/channels/{world.channel_id}/check").text
    assert "có mục cần xử lý" in page
    assert "Lỗi: Kênh không trả lời" in page


# ---- consent --------------------------------------------------------------------------------------------------------


def went_to(world: World, browser: Browser) -> channels.Consent:
    answer = browser.get(f"/channels/{world.channel_id}/consent")
    assert answer.status_code == 303
    url = answer.headers["Location"]
    return channels.Consent(url, parse_qs(urlsplit(url).query)["state"][0], "")


def back(**answer: str) -> str:
    return "/channels/zalo/callback?" + "&".join(f"{name}={value}" for name, value in answer.items())


def test_an_administrator_grants_permission_and_comes_back(world: World, zalo: Running) -> None:
    change(world, ChannelToken, state=TokenState.NEEDS_CONSENT)
    change(world, Channel, paused_at=world.clock(), paused_reason="Cần cấp quyền lại.")
    an = Browser(world, "an")
    assert "Cần cấp quyền lại" in an.get("/channels").text
    answer = grant(zalo, went_to(world, an))
    done = an.get(back(**answer))
    assert (done.status_code, done.headers["Location"]) == (303, "/channels")
    page = an.get("/channels").text
    assert "Đã cấp quyền. Kênh gửi được trở lại." in page
    assert "Đang hoạt động" in page


def test_a_consent_is_used_once(world: World, zalo: Running) -> None:
    an = Browser(world, "an")
    answer = grant(zalo, went_to(world, an))
    an.get(back(**answer))
    again = an.get(back(**answer))
    assert again.status_code == 422
    assert "không bắt đầu từ đây" in again.text


@pytest.mark.parametrize("state", ["", "another-state", "ký-tự-lạ"])
def test_an_answer_nobody_here_asked_for_is_refused(world: World, zalo: Running, state: str) -> None:
    an = Browser(world, "an")
    answer = grant(zalo, went_to(world, an))
    refused = an.get(back(**answer | {"state": state}))
    assert refused.status_code == 422
    assert "không bắt đầu từ đây" in refused.text


def test_an_answer_in_another_browser_is_refused(world: World, zalo: Running) -> None:
    answer = grant(zalo, went_to(world, Browser(world, "an")))
    assert Browser(world, "mai").get(back(**answer)).status_code == 422


def test_a_refused_permission_is_told_in_words(world: World) -> None:
    an = Browser(world, "an")
    asked = went_to(world, an)
    refused = an.get(back(state=asked.state, error="access_denied"))
    assert refused.status_code == 422
    assert "Quyền chưa được cấp" in refused.text


def test_a_permission_for_another_account_is_told_in_words(world: World, zalo: Running) -> None:
    an = Browser(world, "an")
    answer = grant(zalo, went_to(world, an))
    refused = an.get(back(**answer | {"oa_id": "2000000000000000999"}))
    assert refused.status_code == 422
    assert "tài khoản khác" in refused.text


def test_the_secret_of_a_consent_never_leaves_in_an_address(world: World) -> None:
    an = Browser(world, "an")
    asked = went_to(world, an)
    with an.client.session_transaction() as cookie:
        verifier = cookie["consent"]["verifier"]
    assert verifier not in asked.url
    assert re.fullmatch(r"[\w-]{43,}", verifier)


def test_who_may_not_keep_channels_cannot_bring_an_answer_back(world: World) -> None:
    assert Browser(world, "tuan").get(back(state="x", code="y")).status_code == 403


# ---- a bot that is asked --------------------------------------------------------------------------------------------


def test_a_bot_that_is_asked_has_no_address_to_paste_anywhere(world: World) -> None:
    a_bot(world)
    page = Browser(world, "an").get("/channels").text
    assert "Hệ thống tự hỏi kênh; chưa hỏi lần nào." in page
    assert "/webhooks/telegram-duc-hue" not in page
    for secret in ("AAExample", "example-webhook-secret"):
        assert secret not in page


@pytest.mark.parametrize(
    ("error", "words"),
    [("asked_elsewhere", "Có chương trình khác đang nhận tin"), ("telegram_502", "(telegram_502)"), (None, "")],
)
def test_what_is_wrong_with_asking_stands_on_the_page(world: World, error: str | None, words: str) -> None:
    bot = a_bot(world)
    with world.runtime.database.transaction() as session:
        poll = ChannelPoll(commune_id=world.commune_id, channel_id=bot.channel_id, polled_at=world.clock(), error=error)
        session.add(poll)
    page = Browser(world, "an").get("/channels").text
    assert words in page
    assert "lần gần nhất 12:00 07/10/2026" in page
    assert ("notice-problem" in page) == (error is not None)


def caught_up(world: World, **values: object) -> None:
    at = world.clock()
    known = {"since": at - timedelta(hours=3), "next_try_at": at, "created_at": at, **values}
    with world.runtime.database.transaction() as session:
        session.add(CatchUp(commune_id=world.commune_id, channel_id=world.channel_id, **known))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"looked_at": ["zalo:1", "zalo:2"]}, "Đang hỏi: đã xem 2 cuộc trao đổi."),
        ({"error": "needs_consent"}, "Chờ cấp quyền lại rồi hệ thống tự hỏi tiếp."),
        ({"error": "zalo_-32", "reason": "Kênh đang quá tải."}, "Kênh đang quá tải. Hỏi tiếp lúc 12:00 07/10/2026."),
        (
            {"state": CatchUpState.DONE, "finished_at": NOON},
            "Đã đối chiếu xong lúc 12:00 07/10/2026: không lỡ tin nào.",
        ),
        (
            {"state": CatchUpState.STOPPED, "error": "zalo_-212", "reason": "Chưa được cấp quyền."},
            "Chưa hỏi được. Chưa được cấp quyền.",
        ),
        (
            {
                "state": CatchUpState.DONE,
                "said": 12,
                "echoes": 2,
                "unshown": ["m1"],
                "first_at": NOON - timedelta(hours=4),
                "last_at": NOON - timedelta(hours=2, minutes=20),
            },
            (
                "Đã lấy lại 12 tin nhắn của người dân, từ 08:00 07/10/2026 đến 09:40 07/10/2026. "
                "Có thêm 2 tin của địa phương gửi ngoài hệ thống này. "
                "1 tin kênh không cho đọc lại; Anh/Chị xem trong ứng dụng của kênh."
            ),
        ),
    ],
)
def test_what_a_catch_up_found_stands_on_the_page(world: World, values: dict[str, object], words: str) -> None:
    caught_up(world, **values)
    page = " ".join(re.sub(r"<[^>]+>", " ", Browser(world, "an").get("/channels").text).split())
    assert words in page
    assert "hỏi lại kênh từ 09:00 07/10/2026" in page


def test_the_button_has_the_channel_asked(world: World) -> None:
    browser = Browser(world, "an")
    browser.get("/channels")
    answer = browser.post(f"/channels/{world.channel_id}/catch-up", hours="72")
    assert answer.status_code == 303
    assert "Đang hỏi lại kênh" in browser.get("/channels").text
    [row] = all_rows(world.runtime, CatchUp)
    assert row.since == world.clock() - timedelta(hours=72)
    assert browser.post(f"/channels/{world.channel_id}/catch-up", hours="9000").status_code == 422
    assert browser.post(f"/channels/{world.channel_id + 1}/catch-up", hours="72").status_code == 404
