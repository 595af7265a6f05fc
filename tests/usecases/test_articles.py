"""Articles: only what was approved goes to all, once, at a decent hour, and what is known of it is what is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.usecases import articles
from bot.usecases.announcements import EVERYBODY, AnnouncementError, stop
from storage.announcements import About, Announcement
from storage.articles import Article
from storage.channels import Channel
from storage.communes import Commune
from storage.contacts import Urn
from storage.enums import ArticleState
from tests.builders import World, all_rows
from tests.sandbox.running import Running
from tests.usecases.telling import approved as announced
from tests.usecases.test_windows import change, configure, live, reported, zalo

__all__ = ["live", "zalo"]

TITLE, BODY = "Cúp điện ngày mai", "Cúp điện từ 8 giờ đến 11 giờ tại xóm 5.\n\nBà con chủ động sắp xếp."


def approved(world: World, zalo: Running, *, about: About = EVERYBODY, hours_ago: float = 1) -> int:
    """An announcement that a second person has approved, with one follower on both sides."""
    reported(world, zalo, hours_ago=hours_ago)
    change(world, Urn, is_following=True)
    return announced(world, TITLE, BODY, about)


def go_on(world: World, times: int = 6) -> Article:
    for _ in range(times):
        change(world, Article, next_try_at=datetime(2020, 1, 1, tzinfo=UTC))
        articles.run_due(world.runtime)
    return the_article(world)


def the_article(world: World) -> Article:
    [row] = all_rows(world.runtime, Article)
    return row


def shown(zalo: Running) -> list[dict[str, Any]]:
    return [row for row in zalo.ledger() if row["kind"] == "article"]


def test_an_approved_text_goes_to_everybody_who_follows(live: World, zalo: Running) -> None:
    others = [zalo.citizen() for _ in range(3)]
    zalo.control(f"citizens/{others[0]}", idle_days=90)
    articles.ask(live.runtime, live.official("hoa"), approved(live, zalo))
    states = []
    for _ in range(4):
        states.append(the_article(live).state)
        go_on(live, 1)
    assert states == [ArticleState.WAITING, ArticleState.VERIFYING, ArticleState.VERIFYING, ArticleState.READY]
    row = the_article(live)
    assert (row.state, row.code) == (ArticleState.SENT, None)
    assert row.external_id
    assert len(shown(zalo)) == 4
    assert go_on(live).state is ArticleState.SENT
    assert len(shown(zalo)) == 4
    seen = zalo.client.get(f"/control/citizens/{others[0]}/messages").json()["messages"][-1]
    assert seen["attachments"][0]["payload"]["title"] == TITLE
    found = articles.publication(live.runtime, live.official("hoa"), row.announcement_id)
    assert found is not None
    assert (found.this_month, found.a_month) == (1, 1)


def test_what_goes_is_the_approved_text_in_paragraphs(live: World, zalo: Running) -> None:
    articles.ask(live.runtime, live.official("hoa"), approved(live, zalo))
    go_on(live, 1)
    with zalo.box.store.reading() as db:
        content = db.execute("SELECT content FROM articles").fetchone()["content"]
    for words in (TITLE, "Cúp điện từ 8 giờ đến 11 giờ tại xóm 5.", "Bà con chủ động sắp xếp.", "UBND xã Đức Huệ"):
        assert words in content


def test_only_who_approves_may_publish(live: World, zalo: Running) -> None:
    number = approved(live, zalo)
    for who in ("tuan", "lan", "an"):
        with pytest.raises(AnnouncementError):
            articles.ask(live.runtime, live.official(who), number)
    assert all_rows(live.runtime, Article) == []


def test_a_text_that_was_changed_past_the_approval_is_stopped(live: World, zalo: Running) -> None:
    articles.ask(live.runtime, live.official("hoa"), approved(live, zalo))
    change(live, Announcement, body="Một nội dung khác")
    assert go_on(live).state is ArticleState.STOPPED
    assert shown(zalo) == []


def test_stopping_the_announcement_stops_its_article(live: World, zalo: Running) -> None:
    number = approved(live, zalo)
    articles.ask(live.runtime, live.official("hoa"), number)
    go_on(live, 2)
    stop(live.runtime, live.official("hoa"), number)
    assert go_on(live).state is ArticleState.STOPPED
    assert shown(zalo) == []


def test_what_is_for_some_only_is_not_sent_to_all(live: World, zalo: Running) -> None:
    number = approved(live, zalo, about=About("chieu-sang"))
    with pytest.raises(AnnouncementError, match="cả địa phương"):
        articles.ask(live.runtime, live.official("hoa"), number)


def test_it_is_published_once(live: World, zalo: Running) -> None:
    number = approved(live, zalo)
    articles.ask(live.runtime, live.official("hoa"), number)
    with pytest.raises(AnnouncementError, match="đã được đăng"):
        articles.ask(live.runtime, live.official("hoa"), number)


def test_a_package_has_so_many_a_month(live: World, zalo: Running) -> None:
    articles.ask(live.runtime, live.official("hoa"), approved(live, zalo))
    go_on(live)
    with pytest.raises(AnnouncementError, match="hết 1 lượt"):
        articles.ask(live.runtime, live.official("hoa"), approved(live, zalo))
    configure(live, broadcasts_a_month="4")
    articles.ask(live.runtime, live.official("hoa"), approved_again(live))


def approved_again(world: World) -> int:
    return max(row.id for row in all_rows(world.runtime, Announcement))


def test_a_follower_gets_one_a_day(live: World, zalo: Running) -> None:
    configure(live, broadcasts_a_month="4")
    articles.ask(live.runtime, live.official("hoa"), approved(live, zalo))
    go_on(live)
    articles.ask(live.runtime, live.official("hoa"), approved(live, zalo))
    for _ in range(5):
        change(live, Article, next_try_at=datetime(2020, 1, 1, tzinfo=UTC))
        articles.run_due(live.runtime)
    second = all_rows(live.runtime, Article)[1]
    assert second.state is ArticleState.READY
    assert second.next_try_at > live.runtime.now()


def test_the_night_is_kept(live: World, zalo: Running) -> None:
    change(live, Commune, settings={})
    number = approved(live, zalo)
    articles.ask(live.runtime, live.official("hoa"), number)
    go_on(live, 3)
    assert the_article(live).state is ArticleState.READY
    midnight = datetime(2026, 12, 1, 16, 30, tzinfo=UTC)  # half past eleven in the evening in Vietnam
    live.runtime.now = lambda: midnight
    change(live, Article, next_try_at=midnight)
    articles.run_due(live.runtime)
    row = the_article(live)
    assert row.state is ArticleState.READY
    assert row.next_try_at == datetime(2026, 12, 1, 23, 30, tzinfo=UTC)  # 6:30
    assert shown(zalo) == []


def test_zalos_own_night_puts_it_off(live: World, zalo: Running) -> None:
    articles.ask(live.runtime, live.official("hoa"), approved(live, zalo))
    go_on(live, 3)
    zalo.fault("error", code=-234)
    row = go_on(live, 1)
    assert (row.state, row.code, row.sent_at) == (ArticleState.READY, "zalo_-234", None)
    assert row.next_try_at > live.runtime.now()


def test_an_answer_that_gets_lost_is_unknown_and_never_repeated(live: World, zalo: Running) -> None:
    articles.ask(live.runtime, live.official("hoa"), approved(live, zalo))
    go_on(live, 3)
    zalo.fault("drop", when="after")
    row = go_on(live)
    assert (row.state, len(shown(zalo))) == (ArticleState.UNKNOWN, 1)
    found = articles.publication(live.runtime, live.official("hoa"), row.announcement_id)
    assert found is not None
    assert found.this_month == 1  # it may have gone, so it counts


def test_a_crash_between_asking_and_hearing_is_unknown(live: World, zalo: Running) -> None:
    articles.ask(live.runtime, live.official("hoa"), approved(live, zalo))
    change(live, Article, state=ArticleState.SENDING, lease_id="dead", lease_until=datetime(2020, 1, 1, tzinfo=UTC))
    assert go_on(live, 1).state is ArticleState.UNKNOWN
    assert shown(zalo) == []


@pytest.mark.parametrize("code", [-221, -223, -224, -235])
def test_an_account_that_may_not_publish_says_what_to_do(live: World, zalo: Running, code: int) -> None:
    articles.ask(live.runtime, live.official("hoa"), approved(live, zalo))
    zalo.fault("error", code=code)
    row = go_on(live, 1)
    assert (row.state, row.code) == (ArticleState.REFUSED, f"zalo_{code}")
    assert "oa.zalo.me" in (row.reason or "")
    assert live.channel.paused_at is None


def test_a_transient_failure_is_tried_again(live: World, zalo: Running) -> None:
    articles.ask(live.runtime, live.official("hoa"), approved(live, zalo))
    zalo.fault("status", status=503)
    row = go_on(live, 1)
    assert (row.state, row.tries) == (ArticleState.WAITING, 1)
    assert go_on(live).state is ArticleState.SENT


def test_a_token_that_has_run_out_is_renewed(live: World, zalo: Running) -> None:
    articles.ask(live.runtime, live.official("hoa"), approved(live, zalo))
    zalo.fault("token_expired")
    assert go_on(live).state is ArticleState.SENT


def test_a_channel_without_articles_has_none(live: World, zalo: Running) -> None:
    number = approved(live, zalo)
    change(live, Channel, type="web_form")
    assert articles.publication(live.runtime, live.official("hoa"), number) is None
    with pytest.raises(AnnouncementError, match="không đăng bài viết"):
        articles.ask(live.runtime, live.official("hoa"), number)


def test_articles_are_brought_forward_by_the_sweep(live: World, zalo: Running) -> None:
    articles.ask(live.runtime, live.official("hoa"), approved(live, zalo))
    with live.runtime.database.reading() as session:
        assert articles.has_due(session, live.runtime.now() + timedelta(seconds=1))
    go_on(live)
    with live.runtime.database.reading() as session:
        assert not articles.has_due(session, live.runtime.now() + timedelta(days=1))
