"""Announcements by SMS: to nobody who did not ask for them, in words every telephone shows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.usecases.broadcast import words_for
from storage.channels import Channel
from storage.contacts import Urn
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.sms import an_sms_channel, texts
from tests.usecases.looking import take_in


@pytest.fixture
def channel(morning: World) -> int:
    return an_sms_channel(morning)


def listens(world: World) -> bool:
    (urn,) = all_rows(world.runtime, Urn)
    return urn.is_following and urn.opted_out_at is None


def test_who_only_reported_gets_no_announcements(morning: World, channel: int) -> None:
    texts(morning, channel, "Den duong hong o xom 5")
    take_in(morning)
    assert not listens(morning)


@pytest.mark.parametrize("words", ["NHAN tin", "nhan tin dien"])
def test_asking_for_news_is_the_consent(morning: World, channel: int, clock: Clock, words: str) -> None:
    texts(morning, channel, words)
    take_in(morning)
    assert listens(morning)
    clock.move(minutes=1)
    texts(morning, channel, "DUNG tin")
    take_in(morning)
    assert not listens(morning)


def test_an_announcement_is_said_without_marks_in_few_parts(morning: World, channel: int) -> None:
    with morning.runtime.database.reading() as session:
        row = session.scalars(sa.select(Channel).where(Channel.id == channel)).one()
    parts = words_for(morning.runtime, row, "UBND xã Đức Huệ", "Cúp điện", "Ngày 10/10 cúp điện từ 8 giờ tại xóm 5.")
    assert len(parts) == 1
    assert parts[0].isascii()
