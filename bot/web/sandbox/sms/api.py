"""The sending addresses of pretend SMS providers: keys, faults, refusals, and answers that may be withheld."""

from __future__ import annotations

import hmac
import time

import flask

from bot.web.sandbox import faults
from bot.web.sandbox.faults import Fault
from bot.web.sandbox.sandbox import Sandbox, current
from bot.web.sandbox.settings import SandboxSms
from bot.web.sandbox.sms import memory, providers
from bot.web.sandbox.sms.network import said
from bot.web.sandbox.sms.people import MOBILE
from bot.web.sandbox.sms.providers import PROVIDERS, Order, Provider, Refused, as_json

pages = flask.Blueprint("sms_api", __name__)


@pages.get("/cgi-bin/sendsms")
def kannel() -> flask.Response:
    """Kannel's smsbox."""
    return _send(PROVIDERS["kannel"])


@pages.post("/MainService.svc/json/SendMultipleMessage_V4_post_json/")
def esms() -> flask.Response:
    """eSMS."""
    return _send(PROVIDERS["esms"])


@pages.post("/MainService.svc/json/GetBalance_json")
def esms_balance() -> flask.Response:
    """What is left at eSMS."""
    asked = flask.request.get_json(force=True, silent=True)
    asked = asked if isinstance(asked, dict) else {}
    account = _account(PROVIDERS["esms"], str(asked.get("ApiKey", "")), str(asked.get("SecretKey", "")))
    return as_json({"CodeResponse": "100", "Balance": 500_000} if account else {"CodeResponse": "101"})


@pages.post("/index.php/sms/send")
def speedsms() -> flask.Response:
    """SpeedSMS."""
    return _send(PROVIDERS["speedsms"])


@pages.get("/index.php/user/info")
def speedsms_balance() -> flask.Response:
    """What is left at SpeedSMS."""
    login = flask.request.authorization
    account = _account(PROVIDERS["speedsms"], str(login.username or "") if login else "", "")
    if account is None:
        return PROVIDERS["speedsms"].refused(providers.KEY)
    return as_json({"status": "success", "code": "00", "data": {"balance": 500_000, "currency": "VND"}})


@pages.post("/sms/json")
def vonage() -> flask.Response:
    """Vonage."""
    return _send(PROVIDERS["vonage"])


def _send(provider: Provider) -> flask.Response:
    box = current()
    try:
        order = provider.order(flask.request)
        account = _account(provider, order.key, order.secret)
        if account is None:
            raise Refused(providers.KEY)
        fault = faults.take(box.store, account.account_id, "send")
        refused = _refusal(provider, fault) if fault else None
        if refused is not None:
            return refused
        _check(box, account, order)
    except Refused as refusal:
        return provider.refused(refusal.what)
    time.sleep(box.networks.answer_delay.draw())
    sms = said(
        account.account_id, order.to, order.sender, order.text, our_id=order.our_id, wants=order.wants,
        answered=not _is_withheld(fault),
    )  # fmt: skip
    answer = provider.taken(box.networks.accept(sms), order)
    return _spoiled(fault, answer) if fault else answer


def _account(provider: Provider, key: str, secret: str) -> SandboxSms | None:
    for account in current().settings.sms:
        is_key = hmac.compare_digest(account.key.encode(), key.encode())
        # SpeedSMS has a token only.
        is_secret = provider.name == "speedsms" or hmac.compare_digest(account.secret.encode(), secret.encode())
        if account.provider == provider.name and is_key and is_secret:
            return account
    return None


def _check(box: Sandbox, account: SandboxSms, order: Order) -> None:
    if not MOBILE.fullmatch(order.to):
        raise Refused(providers.NUMBER)
    if not order.text.strip():
        raise Refused(providers.EMPTY)
    with box.store.reading() as db:
        if memory.is_known(db, account.account_id, order.our_id):
            raise Refused(providers.REPEATED)


def _refusal(provider: Provider, fault: Fault) -> flask.Response | None:
    """The answer of a request that fails before it is accepted; None when it goes on."""
    if fault.kind in {providers.KEY, providers.THROTTLED}:
        return provider.refused(fault.kind)
    if fault.kind == "error":
        return provider.refused(fault.kind, max(0, fault.code))
    return faults.refusal(fault)


def _is_withheld(fault: Fault | None) -> bool:
    return fault is not None and (fault.kind == "mute" or faults.withholds_answer(fault))


def _spoiled(fault: Fault, answer: flask.Response) -> flask.Response:
    """What becomes of the answer to a message that has been accepted."""
    if fault.kind == "malformed":
        return flask.Response(answer.get_data()[:9], content_type=answer.content_type)
    if fault.kind == "mute":
        time.sleep(fault.seconds)
        return faults.dropped()
    return faults.spoil(fault, answer)
