"""A channel that is asked for its events, over real HTTP, through every fault of a pretend Bot API server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.http import Http
from bot.queue import INBOX
from bot.runtime import utc_now
from bot.usecases import channels, connecting, polling
from bot.usecases.ledger import balance
from bot.usecases.polling import CONFLICT, Poll, Pollers, release, take_lease
from bot.usecases.setup import SetupError
from bot.web.sandbox import SandboxBot
from bot.web.sandbox.bots import memory
from storage.channels import Channel, ChannelPoll
from storage.communes import Counter
from storage.enums import InboundState
from storage.ingest import Ingest
from storage.messages import InboundEvent, Message
from tests.bots import BOT, TOKEN, Bot, a_bot, events_of
from tests.builders import World, a_world, all_rows
from tests.conftest import Clock, NoticedNudges
from tests.sandbox.bots import BotApi, bot_api
from tests.sandbox.running import until
from tests.usecases.looking import LIGHT, POTHOLE, said_to_citizens, take_in, the_ticket, tickets


@pytest.fixture
def api(tmp_path: Path) -> Iterator[BotApi]:
    with bot_api(tmp_path / "telegram") as found:
        yield found


@pytest.fixture
def bot(runtime: Any, clock: Clock, api: BotApi) -> Bot:
    """A bot of the commune, by the real clock: the pretend server dates messages with it."""
    runtime.now = utc_now
    return a_bot(a_world(runtime, utc_now), api_base=api.url)


@pytest.fixture
def world(bot: Bot) -> World:
    return bot.world


@pytest.fixture
def poll(bot: Bot) -> Iterator[Poll]:
    http = Http(read_seconds=2, call_seconds=3)
    found = Poll(bot.world.runtime, http, bot.channel_id, "mine", wait_seconds=0)
    yield found
    found.close()
    http.close()


def row(world: World) -> ChannelPoll:
    [found] = all_rows(world.runtime, ChannelPoll)
    return found


def counts(bot: Bot) -> dict[str, int]:
    query = sa.select(Counter.name, Counter.value).where(Counter.scope == f"channel:{bot.channel_id}")
    with bot.world.runtime.database.reading() as session:
        return dict(session.execute(query).all())


def levels(world: World) -> dict[str, str]:
    return {f.what: f.level for f in channels.check(world.runtime, "telegram-duc-hue").findings}


# ---- asking ---------------------------------------------------------------------------------------------------------


def test_what_is_asked_for_becomes_a_report(api: BotApi, bot: Bot, world: World, poll: Poll) -> None:
    hoa = api.person()
    api.says(hoa, "/start")
    api.says(hoa, LIGHT)
    assert poll.once() == 0.0
    assert isinstance(world.runtime.nudge, NoticedNudges)
    assert INBOX in world.runtime.nudge.jobs
    take_in(world)
    assert the_ticket(world).summary == LIGHT
    assert said_to_citizens(world)[:2] == ["welcome", "ack"]
    assert counts(bot) == {"accepted": 2}
    assert balance(world.runtime).is_balanced


def test_an_event_is_given_up_only_after_it_is_durable(
    api: BotApi, bot: Bot, world: World, poll: Poll, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.says(api.person(), LIGHT)

    def away(*_: object) -> dict[int, int]:
        raise sa.exc.OperationalError("the database is away", {}, Exception())

    with monkeypatch.context() as patched:
        patched.setattr(Ingest, "write", away)
        for _ in range(3):
            with pytest.raises(sa.exc.OperationalError):
                poll.once()
    assert events_of(world, bot.channel_id) == []
    poll.once()
    poll.once()
    assert len(events_of(world, bot.channel_id)) == 1
    assert api.api("getUpdates")["result"] == []


def test_what_a_channel_gives_only_once_is_held_until_it_is_durable(
    api: BotApi, bot: Bot, world: World, poll: Poll, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.says(api.person(), LIGHT)

    def away(*_: object) -> dict[int, int]:
        raise sa.exc.OperationalError("the database is away", {}, Exception())

    with monkeypatch.context() as patched:
        patched.setattr(Ingest, "write", away)
        with pytest.raises(sa.exc.OperationalError):
            poll.once()
    [given] = api.api("getUpdates")["result"]
    api.api("getUpdates", offset=given["update_id"] + 1)  # the channel knows nothing of it any more
    poll.once()
    assert len(events_of(world, bot.channel_id)) == 1
    assert poll.held == ()


def test_what_a_dead_process_had_stored_is_not_taken_in_twice(api: BotApi, bot: Bot, world: World, poll: Poll) -> None:
    api.says(api.person(), LIGHT)
    poll.once()  # and the process dies before it gives the event up
    again = Poll(world.runtime, poll.http, bot.channel_id, "mine", wait_seconds=0)
    again.once()
    again.close()
    take_in(world)
    assert len(tickets(world)) == 1
    assert counts(bot) == {"accepted": 1, "duplicate": 1}


def test_numbers_that_begin_anew_after_a_quiet_week_are_heard(api: BotApi, bot: Bot, world: World, poll: Poll) -> None:
    hoa = api.person()
    api.says(hoa, LIGHT)
    poll.once()
    poll.once()
    with api.box.store.writing() as db:  # the next update has a smaller number
        db.execute("UPDATE bot_updates SET update_id = update_id + 1000")
        db.execute("DELETE FROM sqlite_sequence WHERE name = 'bot_updates'")
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('bot_updates', 5)")
        db.execute("DELETE FROM bot_updates")
    api.says(hoa, "ngay trước nhà văn hóa ạ")
    poll.once()
    assert len(events_of(world, bot.channel_id)) == 2


def test_events_that_are_given_again_are_taken_in_once(api: BotApi, bot: Bot, world: World, poll: Poll) -> None:
    api.says(api.person(), LIGHT)
    poll.once()
    api.fault("repeat", applies_to="fetch", count=2)
    poll.once()
    poll.once()
    take_in(world)
    assert len(events_of(world, bot.channel_id)) == 1
    assert len(tickets(world)) == 1


def test_events_in_the_wrong_order_are_one_report(api: BotApi, world: World, poll: Poll) -> None:
    hoa = api.person()
    api.says(hoa, LIGHT)
    api.says(hoa, "ngay trước nhà văn hóa ạ")
    api.control("swap")
    poll.once()
    take_in(world)
    assert len(tickets(world)) == 1
    assert the_ticket(world).summary == LIGHT


def test_an_album_is_one_report(api: BotApi, world: World, poll: Poll) -> None:
    picture = {"name": "a.jpg", "hex": "ffd8ff00"}
    api.says(api.person(), POTHOLE, kind="photo", files=[picture, picture])
    poll.once()
    take_in(world)
    assert the_ticket(world).summary == POTHOLE
    assert len(all_rows(world.runtime, Message)) >= 2


def test_an_address_that_stood_before_goes_first(api: BotApi, bot: Bot, world: World, poll: Poll) -> None:
    assert api.api("setWebhook", url="https://former.example.vn/x")["ok"]
    api.says(api.person(), LIGHT)
    poll.once()
    assert len(events_of(world, bot.channel_id)) == 1
    assert api.api("getWebhookInfo")["result"]["url"] == ""


def test_what_people_say_in_groups_is_counted_and_not_kept(api: BotApi, bot: Bot, world: World, poll: Poll) -> None:
    chat = {"id": -77, "type": "group", "title": "Tổ dân phố"}
    with api.box.store.writing() as db:
        message = {"message_id": 1, "date": 1_791_000_000, "chat": chat, "text": "chào cả nhà"}
        memory.update(db, str(BOT), "message", message)
    poll.once()
    poll.once()
    assert events_of(world, bot.channel_id) == []
    assert counts(bot) == {"foreign": 1}
    assert api.api("getUpdates")["result"] == []


# ---- what can go wrong ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 502}, "telegram_502"),
        ({"kind": "malformed"}, "telegram_unclear"),
        ({"kind": "drop", "when": "after"}, "no_answer"),
        ({"kind": "status", "status": 429, "retry_after": 7}, "telegram_429"),
        ({"kind": "status", "status": 401}, "telegram_401"),
    ],
    ids=["out of order", "malformed", "the answer is lost", "too much at once", "another token"],
)
def test_a_question_that_fails_loses_nothing(
    api: BotApi, bot: Bot, world: World, poll: Poll, fault: dict[str, Any], code: str
) -> None:
    api.says(api.person(), LIGHT)
    api.fault(**fault, applies_to="fetch")
    pause = poll.once()
    assert pause is not None
    assert pause >= (7 if fault.get("retry_after") else 1)
    assert (row(world).error, row(world).failed_at is not None) == (code, True)
    assert levels(world)["polling"] == "FAIL"
    poll.once()
    assert len(events_of(world, bot.channel_id)) == 1
    assert row(world).error is None
    assert levels(world)["polling"] == "ok"


def test_somebody_else_who_asks_is_a_problem_that_people_see(api: BotApi, bot: Bot, world: World, poll: Poll) -> None:
    poll.once()
    poll.wait_seconds = 20
    is_over = threading.Event()

    def asks_again_and_again() -> None:  # a question before ours would end nothing
        while not is_over.wait(0.1):
            api.api("getUpdates", timeout=0)

    other = threading.Thread(target=asks_again_and_again)
    other.start()
    assert poll.once() == 30.0
    is_over.set()
    other.join()
    assert row(world).error == CONFLICT
    [finding] = [f for f in channels.check(world.runtime, "telegram-duc-hue").findings if f.what == "polling"]
    assert (finding.level, "@BotFather" in finding.detail) == ("FAIL", True)
    assert "chương trình khác" in finding.shown
    seen = channels.overview(world.runtime, world.official("an"))[-1]
    assert seen.is_asked
    assert seen.poll is not None
    assert seen.poll.error == CONFLICT


# ---- one process at a time ------------------------------------------------------------------------------------------


def test_one_process_asks_at_a_time(bot: Bot, world: World) -> None:
    channel = bot.channel
    assert take_lease(world.runtime, channel, "mine")
    assert take_lease(world.runtime, channel, "mine"), "it may go on"
    assert not take_lease(world.runtime, channel, "other")
    release(world.runtime, channel.id, "other")
    assert not take_lease(world.runtime, channel, "other"), "only its holder gives a lease back"
    release(world.runtime, channel.id, "mine")
    assert take_lease(world.runtime, channel, "other")


def test_a_dead_process_s_lease_runs_out(bot: Bot, world: World) -> None:
    assert take_lease(world.runtime, bot.channel, "dead")
    world.runtime.now = lambda: utc_now() + polling.LEASE + timedelta(seconds=1)
    assert take_lease(world.runtime, bot.channel, "mine")


def test_the_only_process_takes_over_at_once(bot: Bot, world: World) -> None:
    assert take_lease(world.runtime, bot.channel, "dead")
    polling.expire_leases(world.runtime)
    assert take_lease(world.runtime, bot.channel, "mine")


def test_whoever_lost_the_lease_stops_asking(bot: Bot, world: World, poll: Poll) -> None:
    poll.once()
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(ChannelPoll).values(lease_id="other", lease_until=utc_now() + polling.LEASE))
    assert poll.once() is None


@pytest.mark.parametrize("change", [{"is_active": False}, {"settings": "webhook"}])
def test_a_channel_that_is_not_asked_any_more_is_left_alone(
    bot: Bot, world: World, poll: Poll, change: dict[str, Any]
) -> None:
    poll.once()
    if change.get("settings"):
        change = {"settings": {**bot.channel.settings, "receive": "webhook"}}
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Channel).where(Channel.id == bot.channel_id).values(**change))
    assert poll.once() is None


def test_threads_ask_and_end(api: BotApi, bot: Bot, world: World) -> None:
    pollers = Pollers(world.runtime, wait_seconds=1)
    pollers.start()
    try:
        until(lambda: all_rows(world.runtime, ChannelPoll))
        api.says(api.person(), LIGHT)
        until(lambda: events_of(world, bot.channel_id), 10)
    finally:
        pollers.stop()
    assert not any(thread.is_alive() for thread in pollers._threads.values())
    until(lambda: row(world).lease_id is None)


# ---- connecting and checking ----------------------------------------------------------------------------------------


def test_an_address_behind_https_is_told_to_the_bot(api: BotApi, bot: Bot, world: World) -> None:
    world.runtime.settings = replace(world.runtime.settings, public_url="https://cong.example.vn")
    url = "https://cong.example.vn/webhooks/telegram-duc-hue"
    assert connecting.connect(world.runtime, "telegram-duc-hue").url == url
    info = api.api("getWebhookInfo")["result"]
    assert info["url"] == url
    assert info["allowed_updates"] == ["message", "edited_message", "callback_query", "my_chat_member"]
    assert levels(world)["webhook"] == "ok"


def test_an_address_that_somebody_changed_is_noticed(api: BotApi, bot: Bot, world: World) -> None:
    world.runtime.settings = replace(world.runtime.settings, public_url="https://cong.example.vn")
    api.api("setWebhook", url="https://elsewhere.example.vn/x")
    assert levels(world)["webhook"] == "FAIL"
    connecting.connect(world.runtime, "telegram-duc-hue")
    assert levels(world)["webhook"] == "ok"


def test_without_https_the_bot_is_asked(api: BotApi, bot: Bot, world: World) -> None:
    api.api("setWebhook", url="https://former.example.vn/x")
    assert connecting.connect(world.runtime, "telegram-duc-hue").url == ""
    assert api.api("getWebhookInfo")["result"]["url"] == ""
    assert levels(world)["polling"] == "warn", "nobody has asked yet"


def test_a_webhook_that_fails_is_noticed(api: BotApi, bot: Bot, world: World) -> None:
    world.runtime.settings = replace(world.runtime.settings, public_url="https://cong.example.vn")
    connecting.connect(world.runtime, "telegram-duc-hue")
    with api.box.store.writing() as db:
        failed = (int(utc_now().timestamp()), "Wrong response from the webhook: 503")
        db.execute("UPDATE bots SET failed_at = ?, failure = ?", failed)
    assert levels(world)["delivery"] == "warn"


def test_a_token_that_was_taken_back_is_said_in_words(api: BotApi, bot: Bot, world: World) -> None:
    api.fault("status", status=401, applies_to="any")
    [finding] = [f for f in channels.check(world.runtime, "telegram-duc-hue").findings if f.what == "token"]
    assert finding.level == "FAIL"
    assert "@BotFather" in finding.shown


def test_a_new_token_opens_the_channel_again(api: BotApi, bot: Bot, world: World) -> None:
    with world.runtime.database.transaction() as session:
        stopped = {"paused_at": utc_now(), "paused_reason": "token"}
        session.execute(sa.update(Channel).where(Channel.id == bot.channel_id).values(**stopped))
    fresh = f"{BOT}:AAFresh-token-from-the-bot-father"
    api.box.settings = replace(api.box.settings, bots=[SandboxBot(fresh, "Xã Đức Huệ", "duc_hue_bot")])
    assert levels(world)["token"] == "FAIL"
    connecting.replace_token(world.runtime, "telegram-duc-hue", fresh)
    assert levels(world)["token"] == "ok"
    assert bot.channel.paused_at is None


def test_the_token_of_another_bot_is_not_taken(api: BotApi, bot: Bot, world: World) -> None:
    other = "7000000099:AAToken-of-quite-another-bot"
    api.box.settings = replace(api.box.settings, bots=[*api.box.settings.bots, SandboxBot(other)])
    with pytest.raises(SetupError, match="not of this channel"):
        connecting.replace_token(world.runtime, "telegram-duc-hue", other)
    assert levels(world)["token"] == "ok"


def test_a_channel_with_a_console_of_its_own_is_not_told(world: World) -> None:
    with pytest.raises(SetupError, match="own console"):
        connecting.connect(world.runtime, "zalo-duc-hue")


def test_the_token_alone_is_enough(api: BotApi, world: World) -> None:
    adapter = world.runtime.adapters["telegram"]
    settings, secrets = connecting.completed(
        world.runtime, adapter, {"is_sandbox": True, "api_base": api.url}, {"token": TOKEN}
    )
    assert settings["username"] == "duc_hue_bot"
    assert len(secrets["webhook_secret"]) >= 32
    assert adapter.config(settings, secrets).account == str(BOT)


@pytest.mark.parametrize("token", ["nonsense", f"{BOT}:AAAnother-token-that-is-wrong"])
def test_a_wrong_token_is_refused_without_being_repeated(api: BotApi, world: World, token: str) -> None:
    settings = {"is_sandbox": True, "api_base": api.url}
    with pytest.raises(SetupError) as caught:
        connecting.completed(world.runtime, world.runtime.adapters["telegram"], settings, {"token": token})
    assert token not in str(caught.value)


def test_updates_that_are_brought_go_through_the_door(api: BotApi, bot: Bot, world: World) -> None:
    from bot.web.replay import post

    hoa = api.person()
    api.says(hoa, LIGHT)
    [update] = api.api("getUpdates")["result"]
    body = json.dumps(update).encode()
    header = {"x-telegram-bot-api-secret-token": "example-webhook-secret-not-real"}
    assert post(world.runtime, "telegram-duc-hue", body, header).startswith("200")
    assert post(world.runtime, "telegram-duc-hue", body, header).startswith("200")
    assert post(world.runtime, "telegram-duc-hue", body, {}).startswith("401")
    [event] = all_rows(world.runtime, InboundEvent)
    assert event.state is InboundState.WAITING
    take_in(world)
    assert the_ticket(world).summary == LIGHT
