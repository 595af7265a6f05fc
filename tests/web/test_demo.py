"""The rehearsal commune: made once, the same at every start, and where its sandbox is this time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.runtime import Runtime
from bot.usecases.tokens import channel_config
from bot.web.demo import prepare_demo
from bot.web.sandbox import create_sandbox
from bot.web.serve import sandbox_settings
from storage.channels import Channel
from tests.builders import all_rows


def channels(runtime: Runtime) -> dict[str, Channel]:
    return {channel.slug: channel for channel in all_rows(runtime, Channel)}


def test_a_second_start_makes_nothing_twice(runtime: Runtime) -> None:
    first = prepare_demo(runtime)
    made = channels(runtime)
    assert prepare_demo(runtime) == first
    assert channels(runtime).keys() == made.keys() >= {
        "zalo-tap-duot", "telegram-tap-duot", "bot-zalo-tap-duot", "sms-tap-duot", "tap-duot", "loa-tap-duot",
    }  # fmt: skip


def test_the_channels_follow_the_sandbox_to_another_port(runtime: Runtime) -> None:
    prepare_demo(runtime)
    runtime.settings = replace(runtime.settings, port=8123)
    prepare_demo(runtime)
    settings: list[dict[str, Any]] = [channel.settings for channel in channels(runtime).values()]
    addresses = [s.get("api_base") or s.get("send_url") or s.get("base_url") for s in settings if s.get("is_sandbox")]
    assert len(addresses) == 5
    assert all(address.startswith("http://127.0.0.1:8123/sandbox") for address in addresses)


def test_the_pretend_kannel_knows_the_keys_of_the_channel(runtime: Runtime) -> None:
    prepare_demo(runtime)
    config = channel_config(runtime, channels(runtime)["sms-tap-duot"])
    app = create_sandbox(sandbox_settings(runtime.settings))
    phone = app.test_client().get("/sandbox/sms/").text.split("/sandbox/sms/84")[1][:9]
    fields = {
        "user": config.gateway.api_key.reveal(), "pass": config.gateway.api_secret.reveal(), "to": f"+84{phone}",
        "text": "Da sua xong", "from": "8088",
    }  # fmt: skip
    answer = app.test_client().get("/sandbox/cgi-bin/sendsms", query_string=fields)
    account = app.extensions["sandbox"].settings.sms[0]
    app.extensions["sandbox"].stop()
    assert (answer.status_code, answer.text) == (202, "0: Accepted for delivery")
    assert f"/webhooks/sms-tap-duot/{config.callback_token.reveal()}?from=%p" in account.callback_url
