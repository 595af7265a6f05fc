"""Whether a channel works, pausing and resuming it, and an account's consent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from adapters._zalo_errors import send_error
from adapters.messages import Tokens
from adapters.zalo import Zalo, code_challenge
from bot.queue import BROADCAST, REPLIES
from bot.usecases import channels
from bot.usecases.channels import ChannelProblem, NoSuchChannel, Overview, Report
from bot.usecases.setup import add_channel
from bot.usecases.tokens import access_for, keep_first_tokens
from storage.audit import AuditEntry
from storage.channels import Channel, ChannelToken
from storage.communes import Counter
from storage.enums import TokenState
from tests.builders import OA, World, all_rows, text_event
from tests.conftest import Clock
from tests.sandbox.running import ACCESS, REFRESH, Running, running


@pytest.fixture
def zalo(tmp_path: Path, world: World) -> Iterator[Running]:
    """A pretend Zalo that the world's channel speaks with, its tokens in order."""
    with running(tmp_path, deliver_webhooks=False) as found:
        settings = {**world.channel.settings, "api_base": found.url, "oauth_base": found.url}
        with world.runtime.database.transaction() as session:
            session.execute(sa.update(Channel).values(settings=settings))
        keep_first_tokens(world.runtime, world.channel, Tokens(ACCESS, REFRESH, far_away()))
        yield found


def far_away() -> datetime:
    return datetime.now(UTC) + timedelta(days=3650)


def seen(world: World, who: str = "an") -> Overview:
    [found] = channels.overview(world.runtime, world.official(who))
    return found


def levels(report: Report) -> dict[str, str]:
    return {f.what: f.level for f in report.findings}


def token(world: World) -> ChannelToken:
    with world.runtime.database.reading() as session:
        return session.scalars(sa.select(ChannelToken)).one()


def grant(zalo: Running, consent: channels.Consent) -> dict[str, str]:
    """What an administrator does at the channel: look, choose the account, approve; gives what comes back."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(consent.url).query).items()}
    assert zalo.client.get(consent.url).status_code == 200
    answer = zalo.client.post(
        "/v4/oa/permission",
        data={**asked, "oa_id": OA, "decision": "approve"},
        headers={"Origin": zalo.url},
    )
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


# ---- looking --------------------------------------------------------------------------------------------------------


def test_a_channel_shows_its_webhook_address(world: World) -> None:
    assert seen(world).webhook_url == "http://127.0.0.1:8000/webhooks/zalo-duc-hue"


def test_a_channel_that_never_heard_anything_is_silent(world: World) -> None:
    assert seen(world).last_event_at is None
    assert seen(world).is_silent


def test_a_channel_is_silent_after_a_day_without_events(world: World, clock: Clock) -> None:
    world.event(text_event("Xin chào"))
    heard = clock.now
    clock.move(hours=23)
    assert (seen(world).last_event_at, seen(world).is_silent) == (heard, False)
    clock.move(hours=2)
    assert seen(world).is_silent


def test_the_communes_own_page_is_never_silent_and_shows_where_people_write(world: World, clock: Clock) -> None:
    add_channel(world.runtime, commune="duc-hue", type="web_form", slug="trang", name="Trang", settings={}, secrets={})
    clock.move(days=3)
    zalo, page = sorted(channels.overview(world.runtime, world.official("an")), key=lambda one: one.channel.id)
    assert (zalo.is_silent, zalo.page_url) == (True, "")
    assert (page.is_silent, page.page_url) == (False, "http://127.0.0.1:8000/phan-anh/trang")


def test_outcomes_at_the_door_are_those_of_today_in_vietnam(world: World, clock: Clock) -> None:
    clock.now = datetime(2026, 10, 7, 18, 0, tzinfo=UTC)  # one in the morning of the 8th in Vietnam
    scope = f"channel:{world.channel_id}"
    with world.runtime.database.transaction() as session:
        session.add_all(
            [
                Counter(scope=scope, name="accepted", period="2026-10-08", value=12),
                Counter(scope=scope, name="forged", period="2026-10-08", value=3),
                Counter(scope=scope, name="accepted", period="2026-10-07", value=99),
                Counter(scope="channel:99999", name="accepted", period="2026-10-08", value=7),
            ]
        )
    assert seen(world).counts == {"accepted": 12, "forged": 3}


@pytest.mark.parametrize("who", ["lan", "hung", "tuan", "hoa"])
def test_only_an_administrator_or_a_leader_sees_channels(world: World, who: str) -> None:
    with pytest.raises(ChannelProblem, match="không có quyền"):
        channels.overview(world.runtime, world.official(who))


def test_another_communes_channel_does_not_exist(world: World) -> None:
    stranger = world.official("an")
    stranger.commune_id += 1
    assert channels.overview(world.runtime, stranger) == []
    with pytest.raises(NoSuchChannel):
        channels.pause(world.runtime, stranger, world.channel_id, "Vì sao")


# ---- pausing --------------------------------------------------------------------------------------------------------


def test_a_paused_channel_says_who_paused_it_and_why(world: World, clock: Clock) -> None:
    channels.pause(world.runtime, world.official("an"), world.channel_id, "Bảo trì")
    assert (world.channel.paused_at, world.channel.paused_reason) == (clock.now, "Đặng Văn An: Bảo trì")
    assert all_rows(world.runtime, AuditEntry)[-1].action == "channel.paused"


def test_a_pause_needs_a_reason(world: World) -> None:
    with pytest.raises(ChannelProblem, match="lý do"):
        channels.pause(world.runtime, world.official("an"), world.channel_id, " ")
    assert world.channel.paused_at is None


def test_resuming_opens_the_channel_at_once(world: World, clock: Clock) -> None:
    channels.pause(world.runtime, world.official("an"), world.channel_id, "Bảo trì")
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Channel).values(hold_until=clock.now + timedelta(hours=1)))
    channels.resume(world.runtime, world.official("mai"), world.channel_id)
    channel = world.channel
    assert (channel.paused_at, channel.paused_reason, channel.hold_until) == (None, None, None)
    assert {REPLIES, BROADCAST} <= set(world.runtime.nudge.jobs)  # type: ignore[attr-defined]


def test_a_channel_that_needs_consent_is_not_resumed_without_it(world: World) -> None:
    channels.pause(world.runtime, world.official("an"), world.channel_id, "Bảo trì")
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(ChannelToken).values(state=TokenState.NEEDS_CONSENT))
    with pytest.raises(ChannelProblem, match="Cấp quyền lại"):
        channels.resume(world.runtime, world.official("an"), world.channel_id)
    assert world.channel.paused_at is not None


# ---- consent --------------------------------------------------------------------------------------------------------


def test_consent_is_asked_for_with_a_challenge_whose_secret_stays_here(world: World) -> None:
    consent = channels.begin_consent(world.runtime, world.official("an"), world.channel_id)
    asked = parse_qs(urlsplit(consent.url).query)
    assert asked["code_challenge"] == [code_challenge(consent.verifier)]
    assert asked["state"] == [consent.state]
    assert asked["redirect_uri"] == ["http://127.0.0.1:8000/channels/zalo/callback"]
    assert consent.verifier not in consent.url


def test_a_granted_permission_opens_the_channel_again(world: World, zalo: Running) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(ChannelToken).values(state=TokenState.NEEDS_CONSENT))
        session.execute(sa.update(Channel).values(paused_at=world.clock(), paused_reason="Cần cấp quyền lại."))
    consent = channels.begin_consent(world.runtime, world.official("an"), world.channel_id)
    back = grant(zalo, consent)
    assert back["state"] == consent.state
    channels.finish_consent(
        world.runtime,
        world.official("an"),
        world.channel_id,
        verifier=consent.verifier,
        code=back["code"],
        account=back["oa_id"],
    )
    assert world.channel.paused_at is None
    assert token(world).state is TokenState.OK
    fresh = access_for(world.runtime, world.channel).token.reveal()
    assert zalo.lookup("/v2.0/oa/getoa", token=fresh)["data"]["oa_id"] == OA
    entry = all_rows(world.runtime, AuditEntry)[-1]
    assert (entry.action, entry.official_id) == ("channel.authorised", world.officials["an"])
    assert fresh not in json.dumps(entry.data)


def test_a_channel_paused_by_hand_stays_paused_after_consent(world: World, zalo: Running) -> None:
    channels.pause(world.runtime, world.official("mai"), world.channel_id, "Có sự cố nội dung")
    consent = channels.begin_consent(world.runtime, world.official("an"), world.channel_id)
    code = grant(zalo, consent)["code"]
    channels.finish_consent(
        world.runtime, world.official("an"), world.channel_id, verifier=consent.verifier, code=code, account=OA
    )
    assert world.channel.paused_at is not None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"verifier": "another-verifier"}, "không chấp nhận mã"),
        ({"code": "never-given"}, "không chấp nhận mã"),
        ({"account": "2000000000000000999"}, "tài khoản khác"),
    ],
)
def test_a_consent_that_does_not_fit_changes_nothing(
    world: World, zalo: Running, change: dict[str, str], says: str
) -> None:
    before = token(world).generation
    consent = channels.begin_consent(world.runtime, world.official("an"), world.channel_id)
    answer = {"verifier": consent.verifier, "code": grant(zalo, consent)["code"], "account": OA} | change
    with pytest.raises(ChannelProblem, match=says):
        channels.finish_consent(world.runtime, world.official("an"), world.channel_id, **answer)
    assert token(world).generation == before


def test_tokens_of_another_account_are_not_kept(world: World, zalo: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    before = token(world).generation
    consent = channels.begin_consent(world.runtime, world.official("an"), world.channel_id)
    code = grant(zalo, consent)["code"]
    monkeypatch.setattr(type(world.runtime.adapters["zalo"]), "health", lambda *_: {"oa_id": "2000000000000000999"})
    with pytest.raises(ChannelProblem, match="tài khoản khác"):
        channels.finish_consent(
            world.runtime, world.official("an"), world.channel_id, verifier=consent.verifier, code=code, account=OA
        )
    assert token(world).generation == before


# ---- checking -------------------------------------------------------------------------------------------------------


def test_a_channel_in_order_passes_its_check(world: World, zalo: Running) -> None:
    world.event(text_event("Xin chào"))
    report = channels.check(world.runtime, "zalo-duc-hue")
    assert report.is_fine, report.lines
    assert {what for what, level in levels(report).items() if level != "ok"} == {"template"}
    assert any("Xã Đức Huệ" in line for line in report.lines)


def test_a_check_never_shows_a_token(world: World, zalo: Running) -> None:
    words = "\n".join(channels.check(world.runtime, "zalo-duc-hue").lines)
    assert ACCESS not in words
    assert REFRESH not in words


def test_an_unknown_channel_fails_its_check(world: World) -> None:
    report = channels.check(world.runtime, "khong-co")
    assert not report.is_fine
    assert "haichieu channel list" in report.lines[0]


def test_a_channel_with_a_broken_setting_fails_its_check(world: World) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Channel).values(settings={"oa_id": OA, "is_sandbox": True}))
    report = channels.check(world.runtime, "zalo-duc-hue")
    assert levels(report) == {"config": "FAIL"}
    assert "app_id is missing" in report.lines[0]


def test_a_refused_token_is_replaced_during_the_check(world: World, zalo: Running) -> None:
    keep_first_tokens(world.runtime, world.channel, Tokens("a-dead-token", REFRESH, far_away()))
    report = channels.check(world.runtime, "zalo-duc-hue")
    assert report.is_fine, report.lines


def test_a_channel_whose_tokens_are_all_dead_needs_consent(world: World, zalo: Running) -> None:
    keep_first_tokens(world.runtime, world.channel, Tokens("a-dead-token", "a-spent-token", far_away()))
    report = channels.check(world.runtime, "zalo-duc-hue")
    assert levels(report)["token"] == "FAIL"
    assert "/channels" in next(line for line in report.lines if "token" in line)
    assert seen(world).needs_consent


def test_a_channel_that_does_not_answer_fails_its_check(world: World) -> None:
    report = channels.check(world.runtime, "zalo-duc-hue")  # nobody listens at its address
    assert levels(report)["account"] == "FAIL"


def test_a_paused_channel_fails_its_check(world: World, zalo: Running) -> None:
    channels.pause(world.runtime, world.official("an"), world.channel_id, "Bảo trì")
    assert levels(channels.check(world.runtime, "zalo-duc-hue"))["sending"] == "FAIL"


def test_a_real_channel_without_https_fails_its_check(world: World, zalo: Running) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Channel).values(is_sandbox=False))
    assert levels(channels.check(world.runtime, "zalo-duc-hue"))["webhook"] == "FAIL"


def configure(world: World, **settings: object) -> None:
    with world.runtime.database.transaction() as session:
        channel = session.get_one(Channel, world.channel_id)
        channel.settings = {**channel.settings, **settings}


def counted(world: World, **counts: int) -> None:
    with world.runtime.database.transaction() as session:
        for name, value in counts.items():
            session.add(Counter(scope=f"channel:{world.channel_id}", name=name, period="2026-10-07", value=value))


def finding(world: World, what: str) -> tuple[str, str, str]:
    [found] = [f for f in channels.check(world.runtime, world.channel.slug).findings if f.what == what]
    return found.level, found.detail, found.shown % found.values if found.values else found.shown


@pytest.mark.parametrize(
    ("counts", "settings", "level", "words"),
    [
        ({"accepted": 7}, {}, "ok", "đều đúng"),
        ({}, {}, "ok", "chưa có sự kiện nào"),
        ({"forged": 3}, {}, "FAIL", "không sự kiện nào có chữ ký đúng"),
        ({"unsigned": 1, "accepted": 9}, {}, "warn", "1 sự kiện sai chữ ký"),
        ({"accepted": 9, "signed_with_previous": 2}, {}, "warn", "khóa cũ"),
        ({"accepted": 9}, {"signature_mode": "drop"}, "warn", "chưa được kiểm tra nghiêm ngặt"),
    ],
)
def test_a_check_tells_how_signatures_are(
    world: World, zalo: Running, counts: dict[str, int], settings: dict[str, object], level: str, words: str
) -> None:
    counted(world, **counts)
    configure(world, **settings)
    found = finding(world, "signature")
    assert found[0] == level
    assert words in found[2]


def test_a_check_tells_of_package_permissions_prices_and_template(world: World, zalo: Running) -> None:
    assert finding(world, "package") == ("ok", "Nâng cao until 31/12/2099", "Gói OA: Nâng cao.")
    assert finding(world, "permissions")[0] == "ok"
    assert finding(world, "paid replies")[1] == "ask"
    assert finding(world, "articles") == ("ok", "1 a month", "Bài viết cho mọi người: 1 bài mỗi tháng.")
    assert finding(world, "template")[0] == "warn"
    configure(world, template_id="400001", template_text="Phản ánh {ma} đã có trả lời.", template_by="phone")
    assert finding(world, "template") == ("ok", "400001 by phone", "Tin mẫu báo có trả lời: 400001.")


def test_an_app_that_may_not_read_conversations_is_found_out(world: World, zalo: Running) -> None:
    class Refused(Zalo):
        def recent_chats(self, *_: object) -> None:  # type: ignore[override]
            raise send_error(-212)

    world.runtime.adapters = {"zalo": Refused()}
    level, detail, words = finding(world, "permissions")
    assert (level, "zalo_-212" in detail) == ("warn", True)
    assert "không lấy lại được tin đã lỡ" in words


@pytest.mark.parametrize(
    ("account", "what", "level"),
    [
        ({"package_name": "Nâng cao", "package_valid_through_date": "01/10/2026"}, "package", "FAIL"),
        ({"package_name": "Nâng cao", "package_valid_through_date": "12/10/2026"}, "package", "warn"),
        ({"package_name": "Nâng cao", "package_valid_through_date": "07/10/2026"}, "package", "warn"),
        ({"package_name": "Cơ bản", "package_valid_through_date": ""}, "package", "ok"),
        ({"is_verified": "False"}, "verified", "warn"),
        ({"linked_ZCA": ""}, "wallet", "warn"),
    ],
)
def test_what_the_account_says_of_itself_is_judged(
    world: World, zalo: Running, account: dict[str, str], what: str, level: str
) -> None:
    class Says(Zalo):
        def health(self, *_: object) -> dict[str, str]:  # type: ignore[override]
            return {"oa_id": OA, "name": "Xã Đức Huệ", **account}

    world.runtime.adapters = {"zalo": Says()}
    assert finding(world, what)[0] == level
