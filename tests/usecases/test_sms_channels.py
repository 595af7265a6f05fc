"""Whether an SMS channel works, in words: the address for the provider, the account, what came in last."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
import respx

from bot.usecases import channels
from bot.usecases.findings import Finding, Report
from tests.adapters.sms import TOKEN
from tests.builders import World
from tests.conftest import Clock
from tests.sms import an_sms_channel, recorded, reported, texts
from tests.web.pages import Browser, app_on

BALANCE = "https://rest.esms.vn/MainService.svc/json/GetBalance_json"


def of(report: Report, what: str) -> Finding:
    (found,) = [finding for finding in report.findings if finding.what == what]
    return found


@pytest.fixture
def esms() -> Callable[[object], None]:
    """What eSMS says when it is asked for the balance."""

    def says(answer: object) -> None:
        respx.post(BALANCE).mock(return_value=httpx.Response(200, json=answer))

    return says


@respx.mock
def test_the_address_for_the_provider_is_told_whole(world: World, esms: Callable[[object], None]) -> None:
    an_sms_channel(world, "esms")
    esms({"Balance": 36693, "CodeResponse": "100"})
    report = channels.check(world.runtime, "sms-esms")
    url = f"http://127.0.0.1:8000/webhooks/sms-esms/{TOKEN}"
    assert of(report, "callback").detail.startswith(url)
    assert of(report, "callback").values == {"url": url}
    assert of(report, "account main").detail == "esms accepts our keys; balance 36693"


def test_kannel_is_told_what_to_write_into_the_address(world: World) -> None:
    an_sms_channel(world, "kannel")
    report = channels.check(world.runtime, "sms-kannel")
    assert f"/{TOKEN}?from=%p&to=%P&text=%a" in of(report, "callback").detail
    assert "offers no question" in of(report, "account main").detail


@respx.mock
@pytest.mark.parametrize(
    ("answer", "level", "told"),
    [
        ({"Balance": 36693, "CodeResponse": "100"}, "ok", "balance 36693"),
        ({"Balance": 0, "CodeResponse": "100"}, "warn", "balance 0"),
        ({"Balance": 0, "CodeResponse": "101"}, "FAIL", "esms_101"),
        ({"Balance": 0, "CodeResponse": "140"}, "FAIL", "esms_140"),
        ("nonsense", "FAIL", "esms_account"),
    ],
)
def test_the_account_is_asked(
    world: World, esms: Callable[[object], None], answer: object, level: str, told: str
) -> None:
    an_sms_channel(world, "esms")
    esms(answer)
    found = of(channels.check(world.runtime, "sms-esms"), "account main")
    assert found.level == level
    assert told in found.detail


@respx.mock
def test_neither_keys_nor_numbers_are_told(world: World, esms: Callable[[object], None]) -> None:
    number = an_sms_channel(world, "esms")
    esms({"Balance": 0, "CodeResponse": "101", "echo": "example-api-key"})
    recorded(world, number, "esms_message")
    told = "\n".join(channels.check(world.runtime, "sms-esms").lines)
    for secret in ("example-api-key", "example-api-secret", "example-callback-key", "912345678", "Đèn"):
        assert secret not in told


def test_what_came_in_last_is_told(world: World, clock: Clock) -> None:
    number = an_sms_channel(world, "kannel")
    report = channels.check(world.runtime, "sms-kannel")
    assert (of(report, "last message").level, of(report, "last receipt").level) == ("warn", "warn")
    texts(world, number, "Den duong hong")
    clock.move(hours=1)
    reported(world, number, "hc-1", 1)
    report = channels.check(world.runtime, "sms-kannel")
    assert of(report, "last message").detail == "2026-10-07T05:00Z"
    assert of(report, "last receipt").detail == "2026-10-07T06:00Z"


def test_the_page_of_channels_shows_the_address_to_its_keepers(world: World) -> None:
    an_sms_channel(world, "kannel")
    page = Browser(world, app_on(world.runtime)).sign_in("an").open("/channels")
    assert f"/webhooks/sms-kannel/{TOKEN}?from=%p" in page.html


def test_every_sentence_of_a_check_has_its_english(world: World) -> None:
    from tests.structure.test_catalogue import english

    an_sms_channel(world, "kannel", backup_profile="speedsms")
    report = channels.check(world.runtime, "sms-kannel")
    missing = {finding.shown for finding in report.findings} - set(english())
    assert not missing
