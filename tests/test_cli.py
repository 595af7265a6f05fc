"""The command line as an operator types it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result

from bot.cli import main
from tests.bots import BOT, TOKEN
from tests.operators import Operator
from tests.sandbox.bots import BotApi, bot_api

PAYLOADS = Path(__file__).parent / "adapters" / "payloads" / "zalo"


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """An operator with an up-to-date, empty database."""
    person = Operator(tmp_path)
    person.gets("db", "upgrade")
    return person


@pytest.fixture
def commune(operator: Operator, tmp_path: Path) -> Operator:
    """The same with one commune, one official and one Zalo channel."""
    operator.gets("commune", "add", "27925", "--slug", "duc-hue")
    operator.gets(
        "official", "add", "duc-hue", "lan", "--name", "Lan", "--role", "tiep_nhan", "--password-stdin",
        typed="mat-khau-that-dai\n",
    )  # fmt: skip
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps({"app_secret": "an-app-secret", "oa_secret": "example-oa-secret-key-not-real"}))
    operator.gets(
        "channel", "add", "zalo", "zalo-duc-hue", "--commune", "duc-hue", "--name", "Zalo", "--secrets-file",
        str(secrets), "--set", "app_id=1000000000000000001", "--set", "oa_id=2000000000000000002",
    )  # fmt: skip
    return operator


def test_every_command_explains_itself(operator: Operator) -> None:
    def walk(path: list[str], group: object) -> None:
        text = operator.gets(*path, "--help")
        assert text.strip()
        for name, command in getattr(group, "commands", {}).items():
            assert command.help, f"haichieu {' '.join([*path, name])} has no help"
            walk([*path, name], command)

    walk([], main)


def test_all_bad_settings_are_named_at_once(operator: Operator) -> None:
    result = operator.types("db", "status", HAICHIEU_PORT="high", HAICHIEU_LOG_FORMAT="xml", HAICHIEU_COLOUR="blue")
    assert result.exit_code == 1
    for name in ("HAICHIEU_PORT", "HAICHIEU_LOG_FORMAT", "HAICHIEU_COLOUR"):
        assert name in result.output


def test_a_database_that_is_behind_is_not_worked_on(tmp_path: Path) -> None:
    result = Operator(tmp_path).types("commune", "list")
    assert result.exit_code == 1
    assert "haichieu db upgrade" in result.output


def test_an_unknown_commune_code_is_explained(operator: Operator) -> None:
    result = operator.types("commune", "add", "99999", "--slug", "nowhere")
    assert result.exit_code == 1
    assert "99999" in result.output
    assert "Traceback" not in result.output


def test_a_weak_password_is_refused_in_words(commune: Operator) -> None:
    result = commune.types(
        "official",
        "add",
        "duc-hue",
        "tuan",
        "--name",
        "Tuấn",
        "--role",
        "tiep_nhan",
        "--password-stdin",
        typed="1234\n",
    )
    assert result.exit_code == 1
    assert "Mật khẩu" in result.output


@pytest.fixture
def bots(tmp_path: Path) -> Iterator[BotApi]:
    """A pretend Bot API server."""
    with bot_api(tmp_path / "telegram") as found:
        yield found


def add_bot(commune: Operator, bots: BotApi, *more: str, typed: str | None = None) -> Result:
    return commune.types(
        "channel", "add", "telegram", "telegram-duc-hue", "--commune", "duc-hue", "--name", "Telegram",
        "--set", f"api_base={bots.url}", "--set", "is_sandbox=true", *more, typed=typed,
    )  # fmt: skip


@pytest.mark.parametrize("is_typed", [True, False], ids=["typed", "as an option"])
def test_a_bot_is_connected_by_its_token_alone(commune: Operator, bots: BotApi, is_typed: bool) -> None:
    more, typed = ((), f"{TOKEN}\n") if is_typed else (("--token", TOKEN), None)
    result = add_bot(commune, bots, *more, typed=typed)
    assert result.exit_code == 0, result.output
    assert "our workers ask for events" in result.output
    assert TOKEN not in result.output
    assert f"telegram\t{BOT}\tsandbox" in commune.gets("channel", "list")
    checked = commune.gets("channel", "check", "telegram-duc-hue")
    assert "works, @duc_hue_bot" in checked
    assert "warn  polling" in checked


def test_a_bot_with_a_wrong_token_is_not_connected(commune: Operator, bots: BotApi) -> None:
    result = add_bot(commune, bots, "--token", f"{BOT}:AAanother-token-of-the-same-form")
    assert result.exit_code == 1
    assert "telegram_401" in result.output
    assert "AAanother" not in result.output
    assert "telegram" not in commune.gets("channel", "list")


def test_a_bot_is_told_its_address_when_there_is_one(commune: Operator, bots: BotApi) -> None:
    add_bot(commune, bots, "--token", TOKEN)
    result = commune.types("channel", "connect", "telegram-duc-hue", HAICHIEU_PUBLIC_URL="https://cong.example.vn")
    assert "https://cong.example.vn/webhooks/telegram-duc-hue" in result.output
    assert bots.api("getWebhookInfo")["result"]["url"] == "https://cong.example.vn/webhooks/telegram-duc-hue"


def test_an_update_can_be_replayed_from_a_file(commune: Operator, bots: BotApi) -> None:
    add_bot(commune, bots, "--token", TOKEN)
    recorded = PAYLOADS.parent / "telegram" / "text.json"
    assert "message: done message:opened" in commune.gets("receive", "telegram-duc-hue", str(recorded))


def test_a_channel_with_a_missing_field_is_refused_by_name(commune: Operator, tmp_path: Path) -> None:
    secrets = tmp_path / "none.json"
    secrets.write_text("{}")
    result = commune.types(
        "channel", "add", "zalo", "zalo-b", "--commune", "duc-hue", "--name", "B", "--secrets-file", str(secrets)
    )
    assert result.exit_code == 1
    for field in ("app_id", "oa_id", "app_secret", "oa_secret"):
        assert field in result.output


def test_secrets_are_never_printed(commune: Operator) -> None:
    assert "example-oa-secret" not in commune.gets("channel", "list")


def test_a_recorded_payload_travels_through_the_real_door(commune: Operator) -> None:
    payload = str(PAYLOADS / "user_send_text.json")
    first = commune.gets("receive", "zalo-duc-hue", payload)
    assert "door: 200 OK" in first
    assert "user_send_text: done message:opened" in first
    assert "nothing new was kept" in commune.gets("receive", "zalo-duc-hue", payload)
    assert "balanced" in commune.gets("ledger")


def test_the_outbox_shows_the_acknowledgement_that_waits(commune: Operator, tmp_path: Path) -> None:
    import time

    from tests.builders import text_event

    payload = tmp_path / "now.json"
    stamp = {"app_id": "1000000000000000001", "timestamp": str(int(time.time() * 1000))}
    payload.write_text(json.dumps({**text_event("đèn đường hỏng"), **stamp}))
    commune.gets("receive", "zalo-duc-hue", str(payload))
    assert "\tack\twaiting\t" in commune.gets("outbox")


# --- SMS --------------------------------------------------------------------------------------------------------------


def sms(operator: Operator, tmp_path: Path, slug: str, secrets: dict[str, str], *pairs: str) -> list[str]:
    """The words that connect an SMS channel."""
    path = tmp_path / f"{slug}.json"
    path.write_text(json.dumps(secrets))
    sets = [word for pair in pairs for word in ("--set", pair)]
    return ["channel", "add", "sms", slug, "--commune", "duc-hue", "--name", "SMS", "--secrets-file", str(path), *sets]


def test_an_sms_channel_is_connected_and_its_secret_address_is_made(commune: Operator, tmp_path: Path) -> None:
    keys = {"api_key": "example-user", "api_secret": "example-password"}
    commune.gets(*sms(commune, tmp_path, "sms-a", keys, "profile=kannel", "number=8088"))
    told = commune.types("channel", "check", "sms-a").output
    address = re.search(r"/webhooks/sms-a/([\w-]{32})\?from=%p", told)
    assert address, told
    assert "example-password" not in told


def test_a_recorded_call_travels_through_the_real_door(commune: Operator, tmp_path: Path) -> None:
    keys = {"api_key": "example-user", "api_secret": "example-password"}
    commune.gets(*sms(commune, tmp_path, "sms-a", keys, "profile=kannel", "number=8088"))
    payload = str(PAYLOADS.parent / "sms" / "kannel_message.json")
    assert "message: done message:opened" in commune.gets("receive", "sms-a", payload)
    assert "nothing new was kept" in commune.gets("receive", "sms-a", payload)
    assert commune.types("receive", "sms-a", str(PAYLOADS / "user_send_text.json")).exit_code == 1


def test_an_operators_own_profile_is_read_from_a_file(commune: Operator, tmp_path: Path) -> None:
    from tests.adapters.sms import VONAGE

    path = tmp_path / "vonage.json"
    keys = {"api_key": "example-user", "api_secret": "example-password"}
    path.write_text(json.dumps({**VONAGE, "colour": "red", "send": {**VONAGE["send"], "method": "PUT"}}))
    told = commune.types(*sms(commune, tmp_path, "sms-b", keys, f"profile=@{path}", "number=8088")).output
    assert "profile.colour is unknown" in told
    assert "profile.send.method must be one of POST, GET" in told
    path.write_text(json.dumps(VONAGE))
    commune.gets(*sms(commune, tmp_path, "sms-b", keys, f"profile=@{path}", "number=8088"))


@pytest.mark.parametrize(("content", "told"), [("{", "is not JSON"), (None, "cannot read")])
def test_a_file_that_cannot_be_read_is_named(commune: Operator, tmp_path: Path, content: str | None, told: str) -> None:
    path = tmp_path / "p.json"
    if content is not None:
        path.write_text(content)
    result = commune.types(*sms(commune, tmp_path, "sms-c", {}, f"profile=@{path}"))
    assert result.exit_code == 1
    assert told in result.output


def test_every_missing_field_of_an_sms_channel_is_named(commune: Operator, tmp_path: Path) -> None:
    result = commune.types(*sms(commune, tmp_path, "sms-d", {}, "profile=esms", "number=8088"))
    for field in ("api_key", "api_secret", "callback_key"):
        assert f"{field} is missing" in result.output


def test_a_commune_sets_what_it_wants_and_sees_what_it_means(commune: Operator) -> None:
    shown = commune.gets("commune", "set", "duc-hue")
    assert "fallback_wait_minutes\t(60)\tminutes a reply may wait" in shown
    shown = commune.gets("commune", "set", "duc-hue", "fallback_wait_minutes=30", "needs_approval=yes")
    assert "fallback_wait_minutes\t30\t" in shown
    assert "needs_approval\tyes\t" in shown
    assert "needs_approval\tyes" in commune.gets("commune", "set", "duc-hue", "fallback_wait_minutes=")
    assert "fallback_wait_minutes\t(60)" in commune.gets("commune", "set", "duc-hue")


def test_every_wrong_setting_is_named_and_nothing_is_changed(commune: Operator) -> None:
    result = commune.types("commune", "set", "duc-hue", "silence_hours=3", "needs_approval=perhaps", "colour=red")
    assert result.exit_code == 1
    assert "needs_approval: must be yes or no, not 'perhaps'" in result.output
    assert "colour: no such setting" in result.output
    assert "silence_hours\t(8)" in commune.gets("commune", "set", "duc-hue")
    assert "NAME=VALUE" in commune.types("commune", "set", "duc-hue", "silence_hours").output
    assert "no commune" in commune.types("commune", "set", "elsewhere", "silence_hours=3").output


def test_the_calendar_is_shown_computed_and_put_right(commune: Operator, tmp_path: Path) -> None:
    assert "2026-11-24,Ngày Văn hóa Việt Nam,0" in commune.gets("holidays", "list", "2026")
    assert "2030-02-02,Tết Nguyên Đán,0" in commune.gets("holidays", "compute", "2030")
    table = tmp_path / "2027.csv"
    table.write_text("\ufeffday,name,is_worked\n2027-02-05,Tết Nguyên đán,0\n", encoding="utf-8")
    assert "1 days written down for 2027" in commune.gets("holidays", "import", str(table))
    assert commune.gets("holidays", "list", "2027").splitlines()[1:] == ["2027-02-05,Tết Nguyên đán,0"]
    table.write_text("day,name,is_worked\n05/02/2027,Tết,0\n", encoding="utf-8")
    result = commune.types("holidays", "import", str(table))
    assert result.exit_code == 1
    assert "line 2: day must be written" in result.output


def test_settings_of_a_channel_are_changed_together_or_not_at_all(commune: Operator, tmp_path: Path) -> None:
    fields = tmp_path / "fields.json"
    fields.write_text(json.dumps({"ma_phan_anh": "ma"}))
    words = ("template_id=400001", "template_text=Phản ánh {ma} đã có trả lời.", f"template_fields=@{fields}")
    told = commune.gets("channel", "set", "zalo-duc-hue", *words, "paid_replies=never")
    assert "template_text" in told
    checked = commune.types("channel", "check", "zalo-duc-hue").output
    assert "400001 by uid" in checked
    assert "paid replies: never" in checked
    refused = commune.types("channel", "set", "zalo-duc-hue", "paid_replies=ask", "template_text=Phản ánh {ten}")
    assert refused.exit_code == 1
    assert "template_text" in refused.output
    assert "paid replies: never" in commune.types("channel", "check", "zalo-duc-hue").output
    for wrong in ("colour=blue", "oa_id=2000000000000000009"):
        assert commune.types("channel", "set", "zalo-duc-hue", wrong).exit_code == 1
    assert commune.types("channel", "set", "nowhere", "paid_replies=ask").exit_code == 1
    commune.gets("channel", "set", "zalo-duc-hue", "template_id=")
    assert "template: none" in commune.types("channel", "check", "zalo-duc-hue").output


def test_catching_up_without_permission_says_what_it_waits_for(commune: Operator) -> None:
    told = commune.types("channel", "catch-up", "zalo-duc-hue", "--hours", "3")
    assert told.exit_code == 1
    assert "not finished (needs_consent)" in told.output
    assert "--hours must be" in commune.types("channel", "catch-up", "zalo-duc-hue", "--hours", "900").output
    assert "no channel" in commune.types("channel", "catch-up", "nowhere").output


def test_loudspeakers_are_connected_like_other_channels(operator: Operator, tmp_path: Path) -> None:
    operator.gets("commune", "add", "27925", "--slug", "duc-hue")
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps({"password": "example-mat-khau"}))
    pairs = (
        "base_url=https://httttn.example.vn", "username=xa-duc-hue", "profile=iso", "source_id=H24.18",
        "source_name=UBND xã Đức Huệ", "area_id=27925", "area_name=Xã Đức Huệ",
    )  # fmt: skip
    command = ["channel", "add", "source_system", "loa-duc-hue", "--commune", "duc-hue", "--name", "Loa truyền thanh"]
    command += ["--secrets-file", str(secrets)]
    given = [word for pair in pairs for word in ("--set", pair)]
    assert "area_name is missing" in operator.types(*command, *given[:-2]).output
    assert "Its system is asked every few minutes" in operator.gets(*command, *given)
    assert "loa-duc-hue" in operator.gets("channel", "list")
