"""Channel health in words: what an official reads, and what they are told to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from bot.usecases.channels import Overview, find, pause
from bot.usecases.gateways import Gate
from bot.usecases.links import LinkState
from bot.web.channel_health import Health, health_of
from storage.channels import Channel, ChannelToken
from storage.enums import TokenState
from tests.builders import World


@pytest.fixture
def engine_name() -> str:
    """Words do not depend on the engine."""
    return "sqlite"


def test_each_ill_says_what_is_so_and_what_to_do(world: World, app: Flask) -> None:
    now = world.clock()
    seen = find(world.runtime, world.official("mai"), world.channel_id)
    token = ChannelToken(state=TokenState.OK, expires_at=now + timedelta(days=60))
    well = replace(
        seen, token=token, last_event_at=now - timedelta(minutes=5), is_silent=False, waiting=0, can_consent=True
    )

    def told(channel: dict[str, Any] | None = None, **other: Any) -> Health:
        usual = {"name": "Zalo", "type": "zalo", "is_active": True, "quota": {}, "paused_at": None, "hold_until": None}
        row = Channel(id=1, **{**usual, **(channel or {})})
        return health_of(replace(well, channel=row, **other), now)

    with app.test_request_context():
        good = told()
        assert good.line == "nhận tin gần nhất 5 phút trước, gửi được, khóa còn 60 ngày, hệ thống tự làm mới."
        assert (good.level, good.deeds) == ("well", [])
        cases = [
            (told({"paused_at": now}, waiting=3), "ill", "đang tạm dừng gửi, 3 tin chờ"),
            (told(token=None), "ill", "khóa đã hết"),
            (told(last_event_at=None, is_silent=True), "look", "chưa nhận tin nào"),
            (told(is_silent=True), "look", "im lặng từ"),
            (told(gate=Gate(in_use="backup")), "look", "cổng dự phòng"),
            (told(link=LinkState(is_kept=True, is_up=False)), "ill", "đường nối đang đứt"),
            (told({"quota": {"quota_type": "sub_quota", "total": "100", "remain": "0"}}), "ill", "đã hết hạn mức"),
            (told({"quota": {"quota_type": "sub_quota", "total": "100", "remain": "5"}}), "look", "chỉ còn 5"),
        ]
        for health, level, words in cases:
            assert (health.level, words in health.line, bool(health.deeds)) == (level, True, True), health.line
        assert told({"quota": {"quota_type": "reply", "total": "8", "remain": "0"}}).level == "well"
        assert told({"hold_until": now + timedelta(minutes=1)}).level == "look"
        assert "chờ lượt" in told(waiting=2).line
        assert isinstance(well, Overview)


def test_the_page_leads_with_it(world: World, app: Flask) -> None:
    from tests.web.pages import Browser

    pause(world.runtime, world.official("mai"), world.channel_id, "đổi nhà mạng")
    page = Browser(world, app).sign_in("mai").open("/channels")
    assert "Đang hỏng · Zalo OA Đức Huệ: chưa nhận tin nào, đang tạm dừng gửi" in page.text
    assert "bấm Cho hoạt động lại" in page.text
