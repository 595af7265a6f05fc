"""A reply that did not arrive goes by another channel of the citizen, once, and stays one message."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.errors import ContactUnreachable, MessageRefused, OutcomeUnknown
from adapters.http import Http
from adapters.messages import OutboundMessage, SendResult
from adapters.secret import Secret
from adapters.telegram import Telegram
from adapters.zalo import Zalo
from bot.access import NotFound
from bot.rules.lifecycle import NotAllowed
from bot.usecases import fallback, ledger, replies
from bot.usecases.fallback import reroute_due, send_elsewhere
from bot.usecases.replies import Written
from bot.usecases.sending import PERSONAL, send_due
from bot.usecases.sweep import sweep
from storage.channels import Channel
from storage.communes import Commune
from storage.contacts import Urn
from storage.deliveries import Delivery
from storage.enums import DeliveryKind, DeliveryState
from storage.messages import Message
from storage.tickets import Ticket
from tests.bots import Bot, a_bot
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import BRIBE, LIGHT, RUBBISH, take_in, tickets
from tests.usecases.test_linking import linked

BLOCKED = ContactUnreachable("zalo_blocked", "Người dân đã chặn kênh.")
TOO_LONG = MessageRefused("zalo_too_long", "Zalo không nhận tin này.")
WORDS = "Xã sẽ sửa đèn trong tuần này."


class _Noting:
    """A channel that notes what it is told, and fails with an official's words as it was asked to."""

    def __init__(self) -> None:
        self.sent: list[OutboundMessage] = []
        self.answers: list[OutboundMessage] = []
        self.failures: list[Exception] = []

    def send(self, http: Http, config: Any, token: Secret, message: OutboundMessage) -> SendResult:
        if self.failures and WORDS in message.text:
            raise self.failures.pop(0)
        self.sent.append(message)
        self.answers = [m for m in self.sent if WORDS in m.text]
        return SendResult(external_id=f"{type(self).__name__}-{len(self.sent)}")


class ByZalo(_Noting, Zalo):
    """Zalo that only notes."""


class ByTelegram(_Noting, Telegram):
    """Telegram that only notes."""


@pytest.fixture
def bot(morning: World) -> Bot:
    bot = a_bot(morning)
    with morning.runtime.database.transaction() as session:
        for channel in session.query(Channel):
            channel.rate_per_second = 5_000
    return bot


@pytest.fixture
def zalo(morning: World, bot: Bot) -> ByZalo:
    zalo, telegram = ByZalo(), ByTelegram()
    morning.runtime.adapters = {**morning.runtime.adapters, "zalo": zalo, "telegram": telegram}
    morning.says(LIGHT)
    take_in(morning)
    linked(morning, bot)
    send_due(morning.runtime, PERSONAL)
    zalo.sent.clear()
    telegram.sent.clear()
    return zalo


@pytest.fixture
def telegram(morning: World, zalo: ByZalo) -> ByTelegram:
    found: Any = morning.runtime.adapters["telegram"]
    assert isinstance(found, ByTelegram)
    return found


def say(world: World, words: str = WORDS, *, token: str = "a-form-of-lan", official: str = "lan") -> None:
    ticket = tickets(world)[0]
    written = Written(words)
    assert replies.reply(
        world.runtime, world.official(official), ticket.id, version=ticket.version, token=token, written=written
    )


def answers(world: World) -> list[Delivery]:
    return [d for d in all_rows(world.runtime, Delivery) if d.kind is DeliveryKind.REPLY]


def states(world: World) -> list[tuple[str, str]]:
    names = {c.id: c.type for c in all_rows(world.runtime, Channel)}
    return [(names[d.channel_id], d.state.value) for d in answers(world)]


def test_what_the_channel_surely_refused_goes_by_the_other_one(
    morning: World, zalo: ByZalo, telegram: ByTelegram
) -> None:
    zalo.failures = [BLOCKED]
    say(morning)
    send_due(morning.runtime, PERSONAL)
    send_due(morning.runtime, PERSONAL)
    assert states(morning) == [("zalo", "refused"), ("telegram", "sent")]
    (message,) = telegram.answers
    code = tickets(morning)[0].code
    assert message.text == f"Trả lời phản ánh {code} (không gửi được qua Zalo OA Đức Huệ):\n{WORDS}"
    assert len([m for m in all_rows(morning.runtime, Message) if m.text == WORDS]) == 1
    assert ledger.balance(morning.runtime).is_balanced


def test_it_goes_once_however_often_one_looks(morning: World, zalo: ByZalo, telegram: ByTelegram) -> None:
    zalo.failures = [TOO_LONG]
    say(morning)
    for _ in range(3):
        send_due(morning.runtime, PERSONAL)
        reroute_due(morning.runtime)
        sweep(morning.runtime)
    assert len(telegram.answers) == 1
    assert len(answers(morning)) == 2


def test_when_every_way_fails_it_is_shown_and_nothing_circles(
    morning: World, zalo: ByZalo, telegram: ByTelegram
) -> None:
    zalo.failures, telegram.failures = [BLOCKED], [ContactUnreachable("telegram_blocked", "Người dân đã chặn bot.")]
    say(morning)
    for _ in range(4):
        send_due(morning.runtime, PERSONAL)
        reroute_due(morning.runtime)
    assert states(morning) == [("zalo", "refused"), ("telegram", "refused")]


def test_what_may_have_arrived_is_not_sent_elsewhere_by_a_machine(
    morning: World, zalo: ByZalo, telegram: ByTelegram, clock: Clock
) -> None:
    zalo.failures = [OutcomeUnknown("timeout")]
    say(morning)
    send_due(morning.runtime, PERSONAL)
    clock.move(days=1)
    assert reroute_due(morning.runtime) == 0
    assert states(morning) == [("zalo", "unknown")]


def test_a_person_may_send_what_is_unknown_elsewhere(morning: World, zalo: ByZalo, telegram: ByTelegram) -> None:
    zalo.failures = [OutcomeUnknown("timeout")]
    say(morning)
    send_due(morning.runtime, PERSONAL)
    (first,) = answers(morning)
    other = next(u.id for u in all_rows(morning.runtime, Urn) if u.value.startswith("telegram:"))
    send_elsewhere(morning.runtime, morning.official("lan"), first.id, other)
    send_due(morning.runtime, PERSONAL)
    assert states(morning) == [("zalo", "unknown"), ("telegram", "sent")]
    with pytest.raises(NotAllowed, match="no_way"):
        send_elsewhere(morning.runtime, morning.official("lan"), first.id, other)
    with pytest.raises(NotAllowed, match="not_failed"):
        send_elsewhere(morning.runtime, morning.official("lan"), answers(morning)[1].id, other)


def test_who_may_not_reply_may_not_send_elsewhere(morning: World, zalo: ByZalo) -> None:
    zalo.failures = [OutcomeUnknown("timeout")]
    say(morning)
    send_due(morning.runtime, PERSONAL)
    (first,) = answers(morning)
    with pytest.raises(NotFound):
        send_elsewhere(morning.runtime, morning.official("an"), first.id, first.urn_id)
    assert len(answers(morning)) == 1


def test_what_waits_longer_than_the_commune_bears_goes_elsewhere_and_not_twice(
    morning: World, zalo: ByZalo, telegram: ByTelegram, clock: Clock
) -> None:
    with morning.runtime.database.transaction() as session:
        session.get_one(Channel, morning.channel_id).paused_at = clock()
    say(morning)
    clock.move(minutes=59)
    assert reroute_due(morning.runtime) == 0
    clock.move(minutes=2)
    assert reroute_due(morning.runtime) == 1
    send_due(morning.runtime, PERSONAL)
    with morning.runtime.database.transaction() as session:
        session.get_one(Channel, morning.channel_id).paused_at = None
    send_due(morning.runtime, PERSONAL)
    assert states(morning) == [("zalo", "cancelled"), ("telegram", "sent")]
    assert zalo.answers == []
    assert "Telegram Đức Huệ" in (answers(morning)[0].reason or "")


def test_what_waits_stays_when_there_is_no_other_way_yet(
    morning: World, zalo: ByZalo, telegram: ByTelegram, clock: Clock
) -> None:
    with morning.runtime.database.transaction() as session:
        for channel in session.query(Channel):
            channel.paused_at = clock()
    say(morning)
    clock.move(hours=2)
    assert reroute_due(morning.runtime) == 0
    with morning.runtime.database.transaction() as session:
        session.query(Channel).filter(Channel.type == "telegram").one().paused_at = None
    assert reroute_due(morning.runtime) == 1


def test_what_nobody_saw_goes_elsewhere_only_where_the_commune_wants_it(
    morning: World, zalo: ByZalo, telegram: ByTelegram, clock: Clock
) -> None:
    say(morning)
    send_due(morning.runtime, PERSONAL)
    clock.move(hours=13)
    assert reroute_due(morning.runtime) == 0
    with morning.runtime.database.transaction() as session:
        commune = session.get_one(Commune, morning.commune_id)
        commune.settings = {**commune.settings, "fallback_unseen_hours": 12}
    assert reroute_due(morning.runtime) == 1
    send_due(morning.runtime, PERSONAL)
    assert states(morning) == [("zalo", "sent"), ("telegram", "sent")]


def test_a_sealed_report_is_answered_where_it_was_sent_or_not_at_all(
    morning: World, bot: Bot, zalo: ByZalo, telegram: ByTelegram
) -> None:
    morning.says(BRIBE)
    take_in(morning)
    sealed = next(t for t in tickets(morning) if t.is_sealed)
    zalo.failures = [BLOCKED]
    with morning.runtime.database.transaction() as session:
        session.query(Delivery).filter(Delivery.state == DeliveryState.WAITING).delete()
    assert replies.reply(
        morning.runtime, morning.official("mai"), sealed.id, version=sealed.version, token="a-form-of-mai",
        written=Written(WORDS),
    )  # fmt: skip
    for _ in range(2):
        send_due(morning.runtime, PERSONAL)
        reroute_due(morning.runtime)
    assert states(morning) == [("zalo", "refused")]
    other = next(u.id for u in all_rows(morning.runtime, Urn) if u.value.startswith("telegram:"))
    with pytest.raises(NotAllowed, match="sealed"):
        send_elsewhere(morning.runtime, morning.official("mai"), answers(morning)[0].id, other)


def test_who_has_one_channel_only_sees_it_refused(morning: World) -> None:
    morning.runtime.adapters = {"zalo": ByZalo()}
    morning.says(LIGHT)
    take_in(morning)
    send_due(morning.runtime, PERSONAL)
    morning.runtime.adapters["zalo"].failures = [BLOCKED]  # type: ignore[attr-defined, index]
    say(morning)
    send_due(morning.runtime, PERSONAL)
    (only,) = answers(morning)
    assert only.state is DeliveryState.REFUSED
    assert only.rerouted_at is not None


def test_sending_again_looks_for_another_way_again(
    morning: World, zalo: ByZalo, telegram: ByTelegram, bot: Bot
) -> None:
    zalo.failures, telegram.failures = [BLOCKED], [TOO_LONG]
    say(morning)
    for _ in range(2):
        send_due(morning.runtime, PERSONAL)
    from bot.usecases.tickets import resend

    resend(morning.runtime, morning.official("lan"), answers(morning)[1].id)
    send_due(morning.runtime, PERSONAL)
    assert states(morning) == [("zalo", "refused"), ("telegram", "sent")]


def test_what_they_say_to_it_belongs_to_the_report(
    morning: World, zalo: ByZalo, telegram: ByTelegram, bot: Bot, clock: Clock
) -> None:
    zalo.failures = [BLOCKED]
    say(morning)
    for _ in range(2):
        send_due(morning.runtime, PERSONAL)
    clock.move(minutes=1)
    bot.says("dạ cột đèn ở ngay trước nhà văn hóa xóm 5 ạ")
    take_in(morning)
    (said,) = [m for m in all_rows(morning.runtime, Message) if "nhà văn hóa" in m.text]
    assert said.ticket_id == tickets(morning)[0].id
    bot.says(RUBBISH)
    take_in(morning)
    assert len(all_rows(morning.runtime, Ticket)) == 2


def test_withdrawn_data_goes_from_every_way_it_took(morning: World, zalo: ByZalo, telegram: ByTelegram) -> None:
    zalo.failures = [BLOCKED]
    say(morning)
    for _ in range(2):
        send_due(morning.runtime, PERSONAL)
    morning.event({"event_name": "user_withdraw", "oa_id": "2000000000000000002", "user_id": "3000000000000000003"})
    take_in(morning)
    assert not [d for d in answers(morning) if WORDS in d.text]


def test_the_most_that_is_looked_at_in_one_go_is_bounded() -> None:
    assert fallback.AT_ONCE <= 100
