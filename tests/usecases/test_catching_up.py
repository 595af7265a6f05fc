"""After an outage: what was said meanwhile is asked for, comes once, and stands where it was said."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.errors import OutcomeUnknown
from adapters.http import Http
from adapters.messages import Tokens, WebhookRequest
from adapters.zalo import Zalo
from bot.runtime import Runtime, utc_now
from bot.usecases import catching_up, intake, outages, silence
from bot.usecases.catching_up import MARGIN, begin, begin_where_quiet, run_due
from bot.usecases.channels import ChannelProblem, NoSuchChannel, overview
from bot.usecases.ledger import balance
from bot.usecases.sending import PERSONAL, send_due
from bot.usecases.tokens import channel_config, keep_first_tokens
from storage.catching_up import CatchUp
from storage.channels import Channel, ChannelToken
from storage.enums import CatchUpState, Direction, TokenState
from storage.ingest import Ingest, NewEvent
from storage.messages import Attachment, InboundEvent, Message
from tests.builders import OA, World, all_rows
from tests.live import live_on
from tests.sandbox.running import ACCESS, REFRESH, Listener, Running, listening, running, until
from tests.usecases.looking import tickets

JPG = base64.b64encode(b"\xff\xd8\xff" + b"x" * 60).decode()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as found:
        yield found


@pytest.fixture
def zalo(tmp_path: Path, listener: Listener) -> Iterator[Running]:
    with running(tmp_path / "sandbox", webhook_url=listener.url, receipts=False) as found:
        yield found


@pytest.fixture
def live(runtime: Runtime, zalo: Running) -> World:
    """The commune's channel speaks to the pretend Zalo, by the real clock; nothing is brought by itself."""
    return live_on(runtime, zalo, rate=500.0)


def change(world: World, model: type, **values: Any) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(model).values(**values))


def bring(world: World, *requests: WebhookRequest) -> int:
    """Webhooks that do get through; gives how many were new."""
    runtime, channel = world.runtime, world.channel
    config = channel_config(runtime, channel)
    ingest = Ingest(runtime.database)
    try:
        return sum(
            sum(ingest.write([_event(world, channel, runtime.adapters["zalo"].admit(r, config), r.body)], {}).values())
            for r in requests
        )
    finally:
        ingest.close()


def _event(world: World, channel: Channel, envelope: Any, body: bytes) -> NewEvent:
    return NewEvent(
        channel.commune_id, channel.id, envelope.key, envelope.event_name, envelope.conversation, body,
        envelope.occurred_at, world.runtime.now(),
    )  # fmt: skip


def catch_up(world: World, hours: float = 2) -> CatchUp:
    begin(world.runtime, world.channel, since=utc_now() - timedelta(hours=hours))
    run_due(world.runtime)
    intake.drain(world.runtime)
    return the_row(world)


def the_row(world: World) -> CatchUp:
    return all_rows(world.runtime, CatchUp)[-1]


def said(world: World, direction: Direction = Direction.IN) -> list[str]:
    query = sa.select(Message.text).where(Message.direction == direction).order_by(Message.occurred_at, Message.id)
    with world.runtime.database.reading() as session:
        return list(session.scalars(query))


def is_balanced(world: World) -> bool:
    ledger = balance(world.runtime)
    assert ledger.is_balanced, ledger.in_words()
    return True


# --- what is missing comes, once --------------------------------------------------------------------------------------


def test_what_was_said_during_an_outage_is_found_once(live: World, zalo: Running, listener: Listener) -> None:
    lan, ba = zalo.citizen(), zalo.citizen()
    zalo.says(lan, "Đèn đường xóm 5 tối om mấy hôm nay")
    listener.wait_for(1)
    assert bring(live, listener.received[0]) == 1  # this one got through
    intake.drain(live.runtime)
    for number in range(12):
        zalo.says(lan, f"Lan nói điều thứ {number}")
    zalo.says(ba, "Chợ Đình rác không ai thu gom cả tuần nay")
    row = catch_up(live)
    assert (row.state, row.said, row.echoes) == (CatchUpState.DONE, 13, 0)
    assert row.first_at is not None
    assert row.last_at is not None
    assert row.first_at <= row.last_at <= utc_now()
    assert sorted(said(live)) == sorted(
        ["Đèn đường xóm 5 tối om mấy hôm nay", "Chợ Đình rác không ai thu gom cả tuần nay"]
        + [f"Lan nói điều thứ {number}" for number in range(12)]
    )
    again = catch_up(live)
    assert (again.state, again.said) == (CatchUpState.DONE, 0)
    assert is_balanced(live)


def test_a_webhook_that_comes_late_changes_nothing(live: World, zalo: Running, listener: Listener) -> None:
    user = zalo.citizen()
    for act in (
        {"text": "Đèn đường xóm 5 tối om"},
        {"kind": "image", "text": "ảnh đây", "files": [{"name": "a.jpg", "base64": JPG}]},
        {"kind": "voice"},
        {"kind": "sticker"},
        {"kind": "file"},
        {"kind": "location", "latitude": "10.7412", "longitude": "106.2871"},
        {"kind": "link", "description": "Báo đăng", "url": "https://tin.example.vn/bai"},
        {"kind": "business_card", "phone": "84100000002", "text": "Cô Ba"},
    ):
        zalo.says(user, **act)
    listener.wait_for(8)
    assert catch_up(live).said == 8
    texts, files = said(live), len(all_rows(live.runtime, Attachment))
    late = bring(live, *listener.received)
    intake.drain(live.runtime)
    assert late == 0
    assert (said(live), len(all_rows(live.runtime, Attachment))) == (texts, files)
    assert is_balanced(live)


def test_what_is_caught_up_is_what_the_webhook_would_have_told(live: World, zalo: Running, listener: Listener) -> None:
    user = zalo.citizen()
    acts = (
        {"kind": "image", "text": "ảnh đây", "files": [{"name": "a.jpg", "base64": JPG}]},
        {"kind": "voice"},
        {"kind": "file"},
        {"kind": "location", "latitude": "10.7412", "longitude": "106.2871"},
        {"kind": "business_card", "phone": "84100000002", "text": "Cô Ba"},
    )
    first = zalo.says(user, "Đèn đường xóm 5 tối om")
    zalo.says(user, "ở đầu xóm", quote_msg_id=first["msg_id"])
    for act in acts:
        zalo.says(user, **act)
    listener.wait_for(7)
    catch_up(live)
    adapter = live.runtime.adapters["zalo"]
    brought = {word.external_id: word for r in listener.received for word in adapter.parse(r.body)}
    found = {word.external_id: word for row in all_rows(live.runtime, InboundEvent) for word in adapter.parse(row.body)}
    assert found.keys() == brought.keys()
    for external_id, word in brought.items():
        other = found[external_id]
        assert (other.text, other.urn, other.occurred_at, other.quoted_external_id) == (
            word.text, word.urn, word.occurred_at, word.quoted_external_id,
        )  # fmt: skip
        for one, two in zip(word.attachments, other.attachments, strict=True):
            kept = ("kind", "url", "name", "latitude", "longitude", "phone", "mime_hint")
            assert [getattr(one, name) for name in kept] == [getattr(two, name) for name in kept]


def test_one_that_was_brought_under_another_name_stands_there_once(live: World, zalo: Running) -> None:
    """A kind that Zalo tells differently when it is asked has another key; the message is the same."""
    user = zalo.citizen()
    shown = zalo.says(user, kind="image", files=[{"name": "a.jpg", "base64": JPG}])
    catch_up(live)
    picture = {"type": "gif", "payload": {"url": "https://photo.zdn.vn/a.gif"}}
    message = {"msg_id": shown["msg_id"], "attachments": [picture]}
    live.event({"event_name": "user_send_gif", "sender": {"id": user}, "recipient": {"id": OA}, "message": message})
    intake.drain(live.runtime)
    assert len(said(live)) == 1
    assert all_rows(live.runtime, InboundEvent)[-1].outcome == "known:message"
    assert is_balanced(live)


def test_our_own_words_are_not_told_to_us_twice(live: World, zalo: Running) -> None:
    user = zalo.citizen()
    zalo.says(user, "Đèn đường xóm 5 tối om mấy hôm nay")
    catch_up(live)
    assert send_due(live.runtime, PERSONAL) >= 1
    ours = said(live, Direction.OUT)
    row = catch_up(live)
    assert (row.said, row.echoes) == (0, 0)
    assert said(live, Direction.OUT) == ours


def test_what_a_colleague_wrote_in_zalos_app_is_found_too(live: World, zalo: Running) -> None:
    user = zalo.citizen()
    zalo.says(user, "Đèn đường xóm 5 tối om mấy hôm nay")
    catch_up(live)
    zalo.text_to(user, "Chào bà, xã đã cử thợ điện ra xem")
    row = catch_up(live)
    assert (row.said, row.echoes) == (0, 1)
    assert "Chào bà, xã đã cử thợ điện ra xem" in said(live, Direction.OUT)
    assert is_balanced(live)


def test_an_unknown_outcome_is_settled_by_what_zalo_kept(live: World, zalo: Running) -> None:
    from storage.deliveries import Delivery
    from storage.enums import DeliveryState

    user = zalo.citizen()
    zalo.says(user, "Đèn đường xóm 5 tối om mấy hôm nay")
    catch_up(live)
    zalo.fault("drop", when="after")
    live.runtime.http = Http(connect_seconds=1, read_seconds=0.5, call_seconds=1)
    send_due(live.runtime, PERSONAL)
    states = [d.state for d in all_rows(live.runtime, Delivery)]
    assert DeliveryState.UNKNOWN in states
    catch_up(live)
    settled = [d for d in all_rows(live.runtime, Delivery) if d.code == "settled_by_echo"]
    assert [d.state for d in settled] == [DeliveryState.SENT]


def test_what_was_said_before_the_outage_is_left_alone(live: World, zalo: Running) -> None:
    user = zalo.citizen()
    zalo.says(user, "Chuyện của tháng trước")
    until(lambda: zalo.lookup("/v2.0/oa/listrecentchat")["data"])
    after = utc_now()
    until(lambda: utc_now() - after > timedelta(milliseconds=5))
    zalo.says(user, "Đèn đường xóm 5 tối om mấy hôm nay")
    begin(live.runtime, live.channel, since=after)
    run_due(live.runtime)
    intake.drain(live.runtime)
    assert said(live) == ["Đèn đường xóm 5 tối om mấy hôm nay"]


def test_what_zalo_does_not_show_is_counted_in_words(live: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from adapters import _zalo_history

    at = str(int(utc_now().timestamp() * 1000))
    entry = {"src": 1, "time": int(at), "type": "nosupport", "message": "", "message_id": "m1", "from_id": "u1",
             "to_id": OA}  # fmt: skip

    def looked_up(*given: Any) -> list[dict[str, Any]]:
        return [entry] if given[-1]["offset"] == 0 else []

    monkeypatch.setattr(_zalo_history, "looked_up", looked_up)
    row = catch_up(live)
    assert (row.state, row.said, row.unshown) == (CatchUpState.DONE, 0, ["m1"])
    assert all_rows(live.runtime, InboundEvent) == []


def test_messages_of_an_outage_are_filed_in_the_order_they_were_said(
    live: World, zalo: Running, listener: Listener
) -> None:
    user = zalo.citizen()
    zalo.says(user, "Đèn đường xóm 5 tối om mấy hôm nay")
    zalo.says(user, "tối quá té xe hoài")
    listener.wait_for(2)
    bring(live, listener.received[1])
    intake.drain(live.runtime)
    catch_up(live)
    with live.runtime.database.reading() as session:
        query = sa.select(Message.text).where(Message.ticket_id == tickets(live)[0].id, Message.direction == "in")
        texts = list(session.scalars(query.order_by(Message.occurred_at)))
    assert texts == ["Đèn đường xóm 5 tối om mấy hôm nay", "tối quá té xe hoài"]


# --- whatever stops it ------------------------------------------------------------------------------------------------


class Breaks(Zalo):
    """Zalo, until the question of this number."""

    def __init__(self, at: int) -> None:
        self.left = at

    def said_in(self, *given: Any) -> Any:
        """What was said, while there are questions left."""
        self.left -= 1
        if self.left == 0:
            raise RuntimeError("the process died here")
        return super().said_in(*given)


@pytest.mark.parametrize("at", [1, 2, 5, 9])
def test_one_that_is_interrupted_goes_on_where_it_stood(live: World, zalo: Running, at: int) -> None:
    users = [zalo.citizen() for _ in range(7)]
    for user in users:
        for number in range(3):
            zalo.says(user, f"{user} nói điều thứ {number}")
    begin(live.runtime, live.channel, since=utc_now() - timedelta(hours=2))
    live.runtime.adapters = {"zalo": Breaks(at)}
    with pytest.raises(RuntimeError):
        run_due(live.runtime)
    assert the_row(live).state is CatchUpState.WAITING
    assert run_due(live.runtime) == 0  # whoever died may be alive for all we know
    catching_up.expire_leases(live.runtime)
    live.runtime.adapters = {"zalo": Zalo()}
    run_due(live.runtime)
    intake.drain(live.runtime)
    row = the_row(live)
    assert (row.state, row.said) == (CatchUpState.DONE, 21)
    assert len(said(live)) == 21
    assert is_balanced(live)


def test_a_short_slice_of_time_does_a_part_and_the_next_the_rest(live: World, zalo: Running) -> None:
    for _ in range(13):  # more than a page of conversations
        zalo.says(zalo.citizen(), "Đèn đường xóm 5 tối om mấy hôm nay")
    begin(live.runtime, live.channel, since=utc_now() - timedelta(hours=2))
    slices = 0
    while the_row(live).state is CatchUpState.WAITING:
        assert run_due(live.runtime, budget_seconds=1e-6 + 1e-9 * slices) >= 0
        catching_up.go_on(live.runtime, the_row(live).id, time.monotonic())
        slices += 1
        assert slices < 60
    assert slices > 1
    assert the_row(live).said == 13


def test_who_writes_meanwhile_is_not_passed_by(live: World, zalo: Running) -> None:
    """A conversation that moves to the front of the list while we read on is found by looking once more."""
    users = [zalo.citizen() for _ in range(12)]
    for user in users:
        zalo.says(user, f"{user} nói trong lúc mất mạng")

    class Moves(Zalo):
        def recent_chats(self, http: Any, config: Any, token: Any, offset: int) -> Any:
            found = super().recent_chats(http, config, token, offset)
            if offset == 0 and users:
                zalo.says(users.pop(0), "nói thêm một câu")  # the last of the list is now the first
            return found

    live.runtime.adapters = {"zalo": Moves()}
    everybody = set(users)
    catch_up(live)
    heard = {text.split()[0] for text in said(live) if "mất mạng" in text}
    assert heard == everybody


def test_a_token_that_has_run_out_is_renewed_on_the_way(live: World, zalo: Running) -> None:
    zalo.says(zalo.citizen(), "Đèn đường xóm 5 tối om mấy hôm nay")
    zalo.fault("token_expired")
    row = catch_up(live)
    assert (row.state, row.said) == (CatchUpState.DONE, 1)


def test_without_permission_it_waits_for_it(live: World, zalo: Running) -> None:
    zalo.says(zalo.citizen(), "Đèn đường xóm 5 tối om mấy hôm nay")
    change(live, ChannelToken, state=TokenState.NEEDS_CONSENT, expires_at=utc_now() - timedelta(hours=1))
    row = catch_up(live)
    assert (row.state, row.error, row.said) == (CatchUpState.WAITING, "needs_consent", 0)
    keep_first_tokens(live.runtime, live.channel, Tokens(ACCESS, REFRESH, utc_now() + timedelta(hours=25)))
    change(live, CatchUp, next_try_at=utc_now())
    run_due(live.runtime)
    row = the_row(live)
    assert (row.state, row.error, row.said) == (CatchUpState.DONE, None, 1)


def test_too_many_questions_wait_for_the_next_minute_and_so_do_messages(live: World, zalo: Running) -> None:
    zalo.says(zalo.citizen(), "Đèn đường xóm 5 tối om mấy hôm nay")
    zalo.fault("error", applies_to="lookup", code=-32)
    row = catch_up(live)
    assert (row.state, row.error) == (CatchUpState.WAITING, "zalo_-32")
    assert row.next_try_at > utc_now()
    assert live.channel.hold_until == row.next_try_at
    change(live, CatchUp, next_try_at=utc_now())
    run_due(live.runtime)
    assert the_row(live).error == "held"  # the channel's pause holds for everybody
    change(live, CatchUp, next_try_at=utc_now())
    change(live, Channel, hold_until=None)
    run_due(live.runtime)
    assert (the_row(live).state, the_row(live).said) == (CatchUpState.DONE, 1)


def test_an_answer_that_never_comes_is_asked_for_again(live: World, zalo: Running) -> None:
    zalo.says(zalo.citizen(), "Đèn đường xóm 5 tối om mấy hôm nay")
    zalo.fault("status", applies_to="lookup", status=502)
    row = catch_up(live)
    assert (row.state, row.error, row.tries) == (CatchUpState.WAITING, "zalo_http_502", 1)
    change(live, CatchUp, next_try_at=utc_now())
    run_due(live.runtime)
    assert (the_row(live).state, the_row(live).said, the_row(live).tries) == (CatchUpState.DONE, 1, 0)


def test_a_channel_that_never_answers_is_given_up_in_words(live: World) -> None:
    class Mute(Zalo):
        def recent_chats(self, *_: Any) -> Any:
            raise OutcomeUnknown("read_timeout")

    live.runtime.adapters = {"zalo": Mute()}
    begin(live.runtime, live.channel, since=utc_now())
    for _ in range(catching_up.MOST_TRIES):
        change(live, CatchUp, next_try_at=utc_now())
        run_due(live.runtime)
    row = the_row(live)
    assert (row.state, row.error) == (CatchUpState.STOPPED, "read_timeout")
    assert row.reason


def test_an_app_that_may_not_read_conversations_is_told_so(live: World, zalo: Running) -> None:
    zalo.fault("error", applies_to="lookup", code=-212)
    row = catch_up(live)
    assert (row.state, row.error) == (CatchUpState.STOPPED, "zalo_-212")
    assert "cấp quyền" in (row.reason or "")


def test_one_conversation_that_is_not_told_does_not_hide_the_others(live: World, zalo: Running) -> None:
    zalo.says(zalo.citizen(), "Đèn đường xóm 5 tối om mấy hôm nay")
    zalo.says(zalo.citizen(), "Chợ Đình rác không ai thu gom")

    class Refuses(Zalo):
        refused = False

        def said_in(self, *given: Any) -> Any:
            if not Refuses.refused:
                Refuses.refused = True
                from adapters._zalo_errors import send_error

                raise send_error(-201)
            return super().said_in(*given)

    live.runtime.adapters = {"zalo": Refuses()}
    row = catch_up(live)
    assert (row.state, row.said) == (CatchUpState.DONE, 1)


# --- when it begins ---------------------------------------------------------------------------------------------------


def brought_before(world: World, zalo: Running, listener: Listener, **ago: float) -> None:
    """One webhook came, so long ago."""
    zalo.says(zalo.citizen(), "Đèn đường xóm 5 tối om mấy hôm nay")
    listener.wait_for(1)
    bring(world, listener.received[0])
    change(world, InboundEvent, received_at=utc_now() - timedelta(**ago))


def test_a_quiet_channel_is_asked_from_an_hour_before(live: World, zalo: Running, listener: Listener) -> None:
    brought_before(live, zalo, listener, hours=3)
    assert begin_where_quiet(live.runtime) == 1
    expected = utc_now() - timedelta(hours=3) - MARGIN
    assert abs(the_row(live).since - expected) < timedelta(minutes=1)
    assert begin_where_quiet(live.runtime) == 0  # it is owed already


def test_a_channel_that_spoke_just_now_is_not_asked(live: World, zalo: Running, listener: Listener) -> None:
    brought_before(live, zalo, listener, minutes=5)
    assert begin_where_quiet(live.runtime) == 0


def test_a_channel_that_never_brought_anything_is_not_asked(live: World, zalo: Running) -> None:
    zalo.says(zalo.citizen(), "Chuyện của năm ngoái")
    assert begin_where_quiet(live.runtime) == 0


def test_an_hourly_look_leaves_one_row_not_many(live: World, zalo: Running, listener: Listener) -> None:
    brought_before(live, zalo, listener, hours=3)
    for _ in range(3):
        begin_where_quiet(live.runtime)
        run_due(live.runtime)
        change(live, CatchUp, created_at=utc_now() - timedelta(hours=1))
    assert len(all_rows(live.runtime, CatchUp)) == 1


def test_what_was_caught_up_does_not_make_a_silent_channel_speak(
    live: World, zalo: Running, listener: Listener
) -> None:
    from storage.alerts import Alert

    user = zalo.citizen()
    for number in range(silence.BUSY_A_WEEK):
        zalo.says(user, f"điều thứ {number}")
    listener.wait_for(silence.BUSY_A_WEEK)
    bring(live, *listener.received)
    long_ago = utc_now() - timedelta(days=6)
    change(live, InboundEvent, received_at=long_ago)
    change(live, Channel, is_sandbox=False)
    zalo.says(user, "nói lúc mất mạng")
    row = catch_up(live)
    assert row.said == 1
    assert silence.call_for_silent(live.runtime) == 1
    assert len(all_rows(live.runtime, Alert)) == 1
    [seen] = overview(live.runtime, live.official("an"))
    assert seen.last_event_at is not None
    assert abs(seen.last_event_at - long_ago) < timedelta(seconds=1)


def test_an_official_asks_for_the_last_day(live: World, zalo: Running) -> None:
    zalo.says(zalo.citizen(), "Đèn đường xóm 5 tối om mấy hôm nay")
    outages.ask(live.runtime, live.official("an"), live.channel_id, 24)
    outages.ask(live.runtime, live.official("an"), live.channel_id, 24)
    assert len(all_rows(live.runtime, CatchUp)) == 1
    run_due(live.runtime)
    assert (the_row(live).said, the_row(live).asked_by_id) == (1, live.official("an").id)


def test_asking_further_back_begins_anew(live: World, zalo: Running) -> None:
    outages.ask(live.runtime, live.official("an"), live.channel_id, 2)
    change(live, CatchUp, offset=30, looked_at=["zalo:1"], again=True, lease_id="x")
    outages.ask(live.runtime, live.official("an"), live.channel_id, 24)
    row = the_row(live)
    assert (row.offset, row.looked_at, row.again, row.lease_id) == (0, [], False, None)


def test_only_a_keeper_of_the_channel_asks_and_only_for_what_there_is(live: World) -> None:
    with pytest.raises(ChannelProblem):
        outages.ask(live.runtime, live.official("lan"), live.channel_id, 24)
    with pytest.raises(ChannelProblem):
        outages.ask(live.runtime, live.official("an"), live.channel_id, 9_000)
    with pytest.raises(NoSuchChannel):
        outages.ask(live.runtime, live.official("an"), live.channel_id + 1, 24)
    assert all_rows(live.runtime, CatchUp) == []


def test_an_operator_waits_for_it_and_reads_what_came(live: World, zalo: Running) -> None:
    zalo.says(zalo.citizen(), "Đèn đường xóm 5 tối om mấy hôm nay")
    row = outages.catch_up_now(live.runtime, live.channel.slug, 24)
    assert row.state is CatchUpState.DONE
    assert outages.in_words(row).startswith("done: 1 messages of citizens and 0 of ours were missing, said from ")


def test_an_operator_whose_channel_has_no_permission_is_told_what_it_waits_for(live: World) -> None:
    change(live, ChannelToken, state=TokenState.NEEDS_CONSENT, expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    words = outages.in_words(outages.catch_up_now(live.runtime, live.channel.slug, 24))
    assert words.startswith("not finished (needs_consent): 0 messages")
