"""Sending and fetching over real HTTP to a pretend Bot API server: what went wrong is told as it was."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image

from adapters.http import Http
from bot.runtime import Runtime, utc_now
from bot.usecases.deliveries import owe
from bot.usecases.media import fetch_due
from bot.usecases.polling import Poll
from bot.usecases.sending import PERSONAL, send_due
from storage.channels import Channel
from storage.contacts import Urn
from storage.deliveries import Attempt, Delivery
from storage.enums import AttachmentState, DeliveryKind, DeliveryState
from storage.messages import Attachment
from tests.bots import TOKEN, Bot, a_bot
from tests.builders import World, a_world, all_rows
from tests.sandbox.bots import BotApi, bot_api
from tests.sandbox.running import until
from tests.usecases.looking import LIGHT, POTHOLE, take_in, the_ticket


@pytest.fixture
def api(tmp_path: Path) -> Iterator[BotApi]:
    with bot_api(tmp_path / "telegram") as found:
        yield found


@pytest.fixture
def bot(runtime: Runtime, api: BotApi) -> Bot:
    runtime.now = utc_now
    runtime.http.close()
    runtime.http = Http(connect_seconds=1, read_seconds=0.6, call_seconds=1.5)
    return a_bot(a_world(runtime, utc_now), api_base=api.url)


@pytest.fixture
def world(bot: Bot) -> World:
    return bot.world


def ask(bot: Bot) -> None:
    """Fetch what waits at the pretend server and take it in."""
    poll = Poll(bot.world.runtime, bot.world.runtime.http, bot.channel_id, "mine", wait_seconds=0)
    poll.once()
    poll.close()
    take_in(bot.world)


def begun(api: BotApi, bot: Bot) -> int:
    """A citizen has begun the chat; the welcome waits to be sent."""
    hoa = api.person()
    api.says(hoa, "/start")
    ask(bot)
    return hoa


def the_delivery(world: World) -> Delivery:
    [found] = all_rows(world.runtime, Delivery)
    return found


def test_a_report_goes_in_and_its_answer_comes_out_with_buttons(api: BotApi, bot: Bot, world: World) -> None:
    hoa = api.person()
    api.says(hoa, LIGHT)
    ask(bot)
    send_due(world.runtime, PERSONAL)
    answer = api.heard(hoa)[0]
    assert the_ticket(world).code in answer["text"]
    labels = [b["text"] for line in answer["reply_markup"]["inline_keyboard"] for b in line]
    assert labels
    api.says(hoa, labels[-1], kind="tap", message_id=answer["message_id"])
    ask(bot)
    assert "callback_query" in {e.event_name for e in _events(world)}
    until(lambda: api.client.get("/control/telegram/taps").json() == {"pressed": 1, "answered": 1})


def _events(world: World) -> list[Any]:
    from storage.messages import InboundEvent

    return all_rows(world.runtime, InboundEvent)


@pytest.mark.parametrize(
    ("fault", "state", "code", "heard"),
    [
        ({"kind": "status", "status": 502}, DeliveryState.UNKNOWN, "telegram_502", 0),
        ({"kind": "drop", "when": "after"}, DeliveryState.UNKNOWN, "no_answer", 1),
        ({"kind": "slow", "when": "after", "seconds": 1.0}, DeliveryState.UNKNOWN, "no_answer", 1),
        ({"kind": "malformed"}, DeliveryState.UNKNOWN, "telegram_unclear", 1),
        ({"kind": "status", "status": 403}, DeliveryState.REFUSED, "telegram_403", 0),
        ({"kind": "status", "status": 400}, DeliveryState.REFUSED, "telegram_400", 0),
        ({"kind": "status", "status": 429, "retry_after": 9}, DeliveryState.WAITING, "telegram_429", 0),
    ],
    ids=["out of order", "the answer is lost", "the answer is late", "malformed", "blocked", "refused", "too much"],
)
def test_a_fault_is_told_as_it_was(
    api: BotApi, bot: Bot, world: World, fault: dict[str, Any], state: DeliveryState, code: str, heard: int
) -> None:
    hoa = begun(api, bot)
    api.fault(**fault)
    send_due(world.runtime, PERSONAL)
    delivery = the_delivery(world)
    assert (delivery.state, delivery.code) == (state, code)
    send_due(world.runtime, PERSONAL)
    assert len(api.heard(hoa)) == heard, "nothing is sent again on a guess"
    hold = bot.channel.hold_until
    assert (hold is not None) == (code == "telegram_429")
    if hold is not None:
        assert 5 < (hold - utc_now()).total_seconds() <= 9


def test_a_citizen_who_blocks_the_bot_is_not_written_to_again(api: BotApi, bot: Bot, world: World) -> None:
    hoa = begun(api, bot)
    api.says(hoa, kind="block")
    send_due(world.runtime, PERSONAL)
    assert the_delivery(world).code == "telegram_403"
    [urn] = [u for u in all_rows(world.runtime, Urn) if u.channel_id == bot.channel_id]
    assert urn.unreachable_code == "telegram_403"
    assert api.heard(hoa) == []


def test_a_token_that_was_taken_back_stops_the_channel_and_keeps_what_waits(
    api: BotApi, bot: Bot, world: World
) -> None:
    begun(api, bot)
    api.fault("status", status=401)
    send_due(world.runtime, PERSONAL)
    assert the_delivery(world).state is DeliveryState.WAITING
    assert bot.channel.paused_at is not None
    assert "@BotFather" in (bot.channel.paused_reason or "")


def test_a_photo_is_asked_for_and_kept_and_its_address_is_written_nowhere(
    api: BotApi, bot: Bot, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "#446655").save(out, "JPEG")
    api.says(api.person(), POTHOLE, kind="photo", files=[{"name": "a.jpg", "hex": out.getvalue().hex()}])
    ask(bot)
    assert fetch_due(world.runtime) == 1
    [row] = all_rows(world.runtime, Attachment)
    assert (row.state, row.mime) == (AttachmentState.STORED, "image/jpeg")
    assert world.runtime.blobs.read(row.blob or "") == out.getvalue()
    assert TOKEN not in (row.url or "")
    shown = capsys.readouterr()
    assert "AAExample" not in shown.out + shown.err


@pytest.mark.parametrize("words", ["Đã sửa xong.", "Đã sửa xong. " * 100], ids=["short", "long"])
def test_an_official_s_picture_goes_out_with_its_words(api: BotApi, bot: Bot, world: World, words: str) -> None:
    hoa = begun(api, bot)
    send_due(world.runtime, PERSONAL)
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "#446655").save(out, "JPEG")
    blob = world.runtime.blobs.keep(out.getvalue())
    with world.runtime.database.transaction() as session:
        owe(
            session,
            world.runtime,
            channel=session.get_one(Channel, bot.channel_id),
            urn=session.scalars(sa.select(Urn).where(Urn.channel_id == bot.channel_id)).one(),
            text=words.strip(),
            kind=DeliveryKind.REPLY,
            key="reply",
            priority=1,
            image_blob=blob,
        )
    send_due(world.runtime, PERSONAL)
    said = api.heard(hoa)[1:]
    picture = api.client.get(f"/telegram/files/{said[0]['photo'][0]['file_id']}")
    assert picture.content == out.getvalue()
    assert [one.get("caption") or one.get("text") for one in said][-1] == words.strip()
    assert len(said) == (1 if len(words) < 1_000 else 2)
    assert {d.state for d in all_rows(world.runtime, Delivery)} == {DeliveryState.SENT}


def test_a_file_that_telegram_does_not_know_is_tried_again_and_then_said_to_be_missing(
    api: BotApi, bot: Bot, world: World
) -> None:
    api.says(api.person(), POTHOLE, kind="photo", files=[{"name": "a.jpg", "hex": "ffd8ff"}])
    ask(bot)
    with api.box.store.writing() as db:
        db.execute("DELETE FROM bot_files")
    fetch_due(world.runtime)
    [row] = all_rows(world.runtime, Attachment)
    assert (row.state, row.missing_code) == (AttachmentState.WAITING, "unreachable")


def test_no_row_of_the_database_holds_the_token(api: BotApi, bot: Bot, world: World) -> None:
    hoa = begun(api, bot)
    for fault in ("malformed", "drop"):
        api.fault(fault)
        api.says(hoa, LIGHT)
        ask(bot)
        send_due(world.runtime, PERSONAL)
    kept = [json.dumps(a.exchange) for a in all_rows(world.runtime, Attempt)]
    assert kept
    assert all("/bot***/" in one for one in kept)
    with world.runtime.database.reading() as session:
        for table in ("attempts", "deliveries", "channel_polls", "audit_log", "messages", "attachments"):
            if sa.inspect(session.connection()).has_table(table):
                rows = session.execute(sa.text(f"SELECT * FROM {table}")).all()
                assert not any("AAExample" in str(value) for one in rows for value in one), table
