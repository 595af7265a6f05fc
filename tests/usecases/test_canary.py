"""A denunciation leaves no trace where others look: list, search, other roles' pages, exports, logs, alerts."""

from __future__ import annotations

import pytest
import structlog

from bot.usecases import alerts
from bot.usecases.ticket_list import listing
from storage.alerts import Alert
from storage.communes import Commune
from storage.messages import Message
from storage.tickets import View
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import LIGHT, take_in, tickets
from tests.web.pages import Browser, app_on

CANARY = "bachtuyetcanary"
SECRET = f"Tôi tố cáo ông {CANARY} cán bộ địa chính nhận hối lộ hai mươi triệu của dân để làm sổ đỏ"
BADLY_TYPED = f"toi to cao ong {CANARY} dia chinh vòi tiền dân 20tr moi lam so do"
CHILD = f"Con bé {CANARY} nhà bên bị bố dượng xâm hại, cứu cháu với"


@pytest.mark.parametrize("words", [SECRET, BADLY_TYPED, CHILD])
def test_a_secret_stands_nowhere_but_before_its_readers(
    morning: World, clock: Clock, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with structlog.testing.capture_logs() as logged:
        morning.says(words)
        take_in(morning)
        clock.move(minutes=3)
        morning.says("tôi có ảnh chụp làm bằng chứng, giữ kín giúp tôi")
        take_in(morning)
    assert all(ticket.is_sealed for ticket in tickets(morning))
    assert CANARY not in repr(logged)
    out = capsys.readouterr()
    assert CANARY not in out.out + out.err
    for who in ("lan", "hung", "tuan", "hoa"):
        _sees_nothing(morning, who)
    assert any(m.is_sealed and CANARY in m.text for m in all_rows(morning.runtime, Message))
    assert [m for m in all_rows(morning.runtime, Message) if CANARY in m.text and m.direction.value == "out"] == []
    assert CANARY not in repr([a.data for a in all_rows(morning.runtime, Alert)])


def _sees_nothing(world: World, who: str) -> None:
    official = world.official(who)
    (commune,) = all_rows(world.runtime, Commune)
    for view in View:
        for search in ("", CANARY, "tố cáo", "PA26-0001"):
            assert listing(world.runtime, official, commune, view, search=search).rows == []
    assert alerts.unseen(world.runtime, official) == []
    browser = Browser(world, app_on(world.runtime)).sign_in(who)
    for path in (
        "/",
        "/tickets?view=all",
        f"/tickets?view=all&q={CANARY}",
        f"/tickets/{tickets(world)[0].id}",
        "/quality",
    ):
        answer = browser.client.get(path, follow_redirects=True)
        repeated = path.count(CANARY)  # the page says what was searched for
        assert answer.text.count(CANARY) <= 8 * repeated, path
        assert "PA26-0001" not in answer.text, path


def test_what_follows_a_secret_stays_with_it(morning: World, clock: Clock) -> None:
    morning.says(SECRET)
    take_in(morning)
    clock.move(minutes=10)
    morning.says("tôi có giấy tờ chứng minh")
    take_in(morning)
    assert len(tickets(morning)) == 1
    clock.move(hours=2)
    morning.says(LIGHT)
    take_in(morning)
    assert [t.is_sealed for t in tickets(morning)] == [True, False]


def test_the_citizens_own_lookup_repeats_nothing_of_it(morning: World, clock: Clock) -> None:
    morning.says(SECRET)
    take_in(morning)
    clock.move(minutes=10)
    for words in ("tra cứu", "dữ liệu của tôi", "rút phản ánh"):
        morning.says(words)
        take_in(morning)
    told = [m.text for m in all_rows(morning.runtime, Message) if m.direction.value == "out"]
    assert all(CANARY not in text for text in told)
