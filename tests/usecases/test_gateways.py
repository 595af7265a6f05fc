"""Sending SMS through one gateway or two, over real HTTP to a pretend provider: once, and by the one that works."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from adapters.http import Http
from bot.usecases import channels, gateways, sending
from bot.usecases.deliveries import owe
from bot.usecases.gateways import BACKUP, MAIN, Gate
from storage.channels import Channel
from storage.contacts import Contact, Urn
from storage.deliveries import Attempt, Delivery
from storage.enums import DeliveryKind, DeliveryState
from tests.adapters.channels import BadChannel, answer, behaving, reset
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.sms import an_sms_channel, reported
from tests.usecases.looking import owed, take_in

OK = json.dumps({"CodeResult": "100", "SMSID": "c5a1"}).encode()


@dataclass
class Provider:
    """A pretend provider that answers as it is told to."""

    listener: BadChannel
    says: list[Callable[..., None]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.listener.url

    @property
    def asked(self) -> list[str]:
        """The names of the messages it was given."""
        names = []
        for raw in self.listener.requests:
            head, _, body = raw.partition(b"\r\n\r\n")
            if b"GetBalance" in head:
                continue
            if body:
                names.append(json.loads(body)["RequestId"])
            else:
                query = parse_qs(urlsplit(head.split(b" ")[1].decode()).query)
                names.append(query["dlr-url"][0].split("id=")[1].split("&")[0])
        return names


@pytest.fixture
def providers() -> Iterator[tuple[Provider, Provider]]:
    """A main one that speaks as eSMS does, and a Kannel behind it."""
    with ExitStack() as stack:
        made = []
        for usual in (answer(OK), answer(b"0: Accepted for delivery", "202 Accepted")):
            says = [usual]
            listener = stack.enter_context(behaving(lambda connection, raw, says=says: says[-1](connection, raw)))
            made.append(Provider(listener, says))
        yield made[0], made[1]


@pytest.fixture
def number(morning: World, providers: tuple[Provider, Provider]) -> int:
    """A channel with both, and nobody to be told anything yet."""
    main, backup = providers
    morning.runtime.http.close()
    morning.runtime.http = Http(connect_seconds=1, read_seconds=0.5, call_seconds=1)
    return an_sms_channel(
        morning, "esms", send_url=main.url, is_sandbox=True, backup_profile="kannel", backup_send_url=backup.url
    )


def owes(world: World, number: int, count: int = 1) -> None:
    """The commune owes as many citizens a message each."""
    with world.runtime.database.transaction() as session:
        channel = session.get_one(Channel, number)
        channel.rate_per_second = 500.0
        for n in range(count):
            contact = Contact(commune_id=channel.commune_id, created_at=world.clock())
            session.add(contact)
            session.flush()
            known = session.scalar(sa.select(sa.func.count()).select_from(Urn)) or 0
            value = f"tel:+8491{known:07d}"
            urn = Urn(commune_id=channel.commune_id, channel_id=number, contact_id=contact.id, value=value)
            session.add(urn)
            session.flush()
            owe(
                session, world.runtime, channel=channel, urn=urn, text="Đã sửa xong.", kind=DeliveryKind.REPLY,
                key=f"r:{known}:{n}", priority=1,
            )  # fmt: skip


def send(world: World, times: int = 1) -> None:
    for _ in range(times):
        sending.send_due(world.runtime, sending.PERSONAL)
        world.clock.move(minutes=1)  # type: ignore[attr-defined]


def gate(world: World, number: int) -> Gate:
    with world.runtime.database.reading() as session:
        return Gate.of(session.get_one(Channel, number))


def states(world: World) -> list[DeliveryState]:
    return [delivery.state for delivery in owed(world)]


def test_as_long_as_the_main_one_works_the_other_hears_nothing(
    morning: World, number: int, providers: tuple[Provider, Provider]
) -> None:
    owes(morning, number, 5)
    send(morning, 2)
    assert states(morning) == [DeliveryState.SENT] * 5
    assert (len(providers[0].asked), len(providers[1].asked)) == (5, 0)
    assert [delivery.external_id for delivery in owed(morning)] == sorted(providers[0].asked)


@pytest.mark.parametrize(
    "refusal", [answer(b"", "503 Service Unavailable"), answer(b'{"CodeResult": "101"}'), answer(b"", "302 Found")]
)
def test_a_gateway_that_keeps_refusing_is_left(
    morning: World, number: int, providers: tuple[Provider, Provider], refusal: Callable[..., None]
) -> None:
    providers[0].says.append(refusal)
    owes(morning, number, 4)
    send(morning, 4)
    assert states(morning) == [DeliveryState.SENT] * 4
    assert (gate(morning, number).in_use, gate(morning, number).reason) == (BACKUP, "refused")
    assert set(providers[1].asked) == {d.external_id for d in owed(morning)}
    with morning.runtime.database.reading() as session:
        assert session.get_one(Channel, number).paused_at is None


def test_one_refusal_alone_changes_nothing(morning: World, number: int, providers: tuple[Provider, Provider]) -> None:
    providers[0].says.append(answer(b"", "503 Service Unavailable"))
    owes(morning, number)
    send(morning)
    providers[0].says.pop()
    send(morning)
    assert states(morning) == [DeliveryState.SENT]
    assert (gate(morning, number).in_use, gate(morning, number).failures) == (MAIN, 0)


def test_a_fault_of_the_message_is_none_of_the_gateway(
    morning: World, number: int, providers: tuple[Provider, Provider]
) -> None:
    providers[0].says.append(answer(b'{"CodeResult": "146"}'))
    owes(morning, number, 6)
    send(morning)
    assert states(morning) == [DeliveryState.REFUSED] * 6
    assert gate(morning, number).in_use == MAIN


def test_a_slow_gateway_is_left(morning: World, number: int, providers: tuple[Provider, Provider]) -> None:
    with morning.runtime.database.transaction() as session:
        row = session.get_one(Channel, number)
        row.settings = {**row.settings, "slow_seconds": 0.1}
    morning.runtime.http.close()
    morning.runtime.http = Http(connect_seconds=10, read_seconds=10, call_seconds=20)  # slow, but it answers

    def slowly(connection: object, raw: bytes) -> None:
        time.sleep(0.15)
        answer(OK)(connection, raw)  # type: ignore[arg-type]

    providers[0].says.append(slowly)
    owes(morning, number, 12)
    send(morning, 3)
    assert states(morning) == [DeliveryState.SENT] * 12
    found = gate(morning, number)
    assert (found.in_use, found.reason) == (BACKUP, "slow")
    assert found.code.startswith("p95_")


def test_what_may_have_arrived_never_goes_through_the_other(
    morning: World, number: int, providers: tuple[Provider, Provider]
) -> None:
    """The main one takes the message, its answer is lost, and then it goes away for good."""
    owes(morning, number)
    providers[0].says.append(reset)
    send(morning)
    assert (states(morning), owed(morning)[0].via) == ([DeliveryState.WAITING], MAIN)
    with morning.runtime.database.transaction() as session:
        row = session.get_one(Channel, number)
        away = Gate()
        away.switch(BACKUP, morning.clock(), "refused", "esms_101")
        row.gateway = away.to_json()
    providers[0].says.append(answer(b"", "503 Service Unavailable"))
    owes(morning, number, 2)
    send(morning, 40)
    assert states(morning)[0] is DeliveryState.UNKNOWN
    assert states(morning)[1:] == [DeliveryState.SENT] * 2
    assert owed(morning)[0].external_id not in providers[1].asked


def test_a_lost_answer_is_asked_for_again_under_the_same_name(
    morning: World, number: int, providers: tuple[Provider, Provider]
) -> None:
    owes(morning, number)
    providers[0].says.append(reset)
    send(morning)
    providers[0].says.append(answer(b'{"CodeResult": "124", "ErrorMessage": "Duplicate RequestId"}'))
    send(morning)
    (delivery,) = owed(morning)
    assert delivery.state is DeliveryState.SENT
    assert providers[0].asked == [delivery.external_id] * 2
    assert len(all_rows(morning.runtime, Attempt)) == 2


def test_a_lost_answer_of_kannel_is_for_people_until_a_receipt_comes(
    morning: World, providers: tuple[Provider, Provider]
) -> None:
    morning.runtime.http = Http(connect_seconds=1, read_seconds=0.5, call_seconds=1)
    number = an_sms_channel(morning, "kannel", send_url=providers[1].url)
    owes(morning, number)
    providers[1].says.append(reset)
    send(morning, 3)
    (delivery,) = owed(morning)
    assert (delivery.state, len(providers[1].asked)) == (DeliveryState.UNKNOWN, 1)
    reported(morning, number, delivery.external_id or "", 1)
    take_in(morning)
    assert states(morning) == [DeliveryState.DELIVERED]


# --- the way back -----------------------------------------------------------------------------------------------------


@pytest.fixture
def turned(morning: World, number: int, providers: tuple[Provider, Provider]) -> int:
    """The main one has been left."""
    providers[0].says.append(answer(b"", "503 Service Unavailable"))
    owes(morning, number, 3)
    send(morning, 2)
    assert gate(morning, number).in_use == BACKUP
    return number


def asks(monkeypatch: pytest.MonkeyPatch, *, works: bool) -> None:
    """The provider's question about the account goes to nobody outside."""
    from adapters._sms_errors import refusal
    from adapters.sms import Sms

    def account(*_: object) -> dict[str, str]:
        if not works:
            raise refusal("esms", "busy")
        return {"balance": "36693"}

    monkeypatch.setattr(Sms, "account", account)


def test_a_gateway_that_answers_again_is_returned_to(
    morning: World, turned: int, providers: tuple[Provider, Provider], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks(monkeypatch, works=True)
    providers[0].says.pop()
    clock.move(minutes=10)
    owes(morning, turned)
    before = len(providers[0].asked)
    send(morning)
    assert gate(morning, turned).in_use == MAIN
    assert len(providers[0].asked) == before + 1


def test_a_gateway_that_does_not_is_asked_again_later(
    morning: World, turned: int, providers: tuple[Provider, Provider], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks(monkeypatch, works=False)
    clock.move(minutes=10)
    before = len(providers[0].asked)
    owes(morning, turned)
    send(morning)
    assert states(morning)[-1] is DeliveryState.SENT
    found = gate(morning, turned)
    assert found.in_use == BACKUP
    assert found.probe_at is not None
    assert found.probe_at > clock.now + timedelta(minutes=8)
    assert len(providers[0].asked) == before, "no citizen's message was the trial"


def test_where_nothing_can_be_asked_one_message_is_the_trial(
    morning: World, providers: tuple[Provider, Provider], clock: Clock
) -> None:
    morning.runtime.http = Http(connect_seconds=1, read_seconds=0.5, call_seconds=1)
    number = an_sms_channel(
        morning, "kannel", send_url=providers[1].url, backup_profile="esms", backup_send_url=providers[0].url,
        is_sandbox=True,
    )  # fmt: skip
    providers[1].says.append(answer(b"", "503 Service Unavailable"))
    owes(morning, number, 3)
    send(morning, 2)
    assert gate(morning, number).in_use == BACKUP
    tried = len(providers[1].asked)
    clock.move(minutes=10)
    owes(morning, number, 3)
    send(morning, 2)
    assert (gate(morning, number).in_use, len(providers[1].asked)) == (BACKUP, tried + 1)
    providers[1].says.pop()
    clock.move(minutes=10)
    owes(morning, number, 3)
    send(morning, 2)
    assert gate(morning, number).in_use == MAIN
    assert set(states(morning)) == {DeliveryState.SENT}


def test_when_both_refuse_the_channel_stops_and_says_why(
    morning: World, number: int, providers: tuple[Provider, Provider]
) -> None:
    providers[0].says.append(answer(b'{"CodeResult": "101"}'))
    providers[1].says.append(answer(b"Authorization failed for sendsms", "403 Forbidden"))
    owes(morning, number, 3)
    send(morning, 5)
    with morning.runtime.database.reading() as session:
        channel = session.get_one(Channel, number)
    assert channel.paused_at is not None
    assert "người vận hành" in (channel.paused_reason or "")
    assert set(states(morning)) == {DeliveryState.WAITING}


# --- what people see --------------------------------------------------------------------------------------------------


def test_a_check_says_which_gateway_is_in_use_and_why(
    morning: World, turned: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks(monkeypatch, works=True)
    lines = channels.check(morning.runtime, "sms-esms").lines
    told = "\n".join(lines)
    assert "gateway: backup since 2026-10-07" in told
    assert "main was refused" in told
    assert "account main: esms accepts our keys; balance 36693" in told


def test_the_page_says_so_too(morning: World, turned: int) -> None:
    from tests.web.pages import Browser, app_on

    page = Browser(morning, app_on(morning.runtime)).sign_in("an").open("/channels")
    assert "Đang gửi qua cổng dự phòng từ" in page.html
    assert "từ chối nhiều lần" in page.html


def test_the_state_of_a_gate_survives_its_row(clock: Clock) -> None:
    one = Gate(failures=2, times=list(range(50)))
    one.switch(BACKUP, clock.now, "slow", "p95_9000ms")
    row = Channel(gateway=one.to_json())
    assert Gate.of(row) == one
    assert Gate.of(Channel(gateway=None)) == Gate()
    assert (one.probe_at or clock.now) - clock.now == gateways.PROBE_EVERY


def test_nothing_of_the_delivery_is_lost_meanwhile(morning: World, turned: int) -> None:
    assert [d.code for d in all_rows(morning.runtime, Delivery)] == [None] * 3
