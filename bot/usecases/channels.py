"""Channels: whether each one works, in words; pause, resume, and let an account's administrator grant permission."""

from __future__ import annotations

import secrets as random_secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.base import Consenting, Fetching, Linked
from adapters.errors import SendError, TokenRefreshFailed, TokenRejected
from adapters.messages import Tokens
from adapters.secret import Secret
from adapters.text import printable
from adapters.web_form import WebForm
from adapters.zalo import code_challenge
from bot.access import NotFound
from bot.queue import BROADCAST, REPLIES
from bot.rules.deadlines import VIETNAM
from bot.runtime import Runtime, VaultError
from bot.texts import moment
from bot.usecases.catching_up import can_catch_up
from bot.usecases.checking import check_speaking
from bot.usecases.findings import Report
from bot.usecases.gateways import Gate
from bot.usecases.links import LinkState, link_of
from bot.usecases.loudspeaker_page import Speakers, check_speakers, speakers_of
from bot.usecases.polling import is_asked
from bot.usecases.problems import Problem
from bot.usecases.sms_channels import callback_address, check_provider
from bot.usecases.tokens import NoToken, access_for, channel_config, keep_first_tokens
from bot.usecases.window_check import check_window
from storage.audit import AuditEntry
from storage.catching_up import CatchUp, last_brought_at, latest_of
from storage.channels import Channel, ChannelPoll, ChannelToken
from storage.communes import Counter
from storage.deliveries import Delivery
from storage.enums import DeliveryState, Role, TokenState
from storage.officials import Official

log = structlog.get_logger()

KEEPERS = (Role.ADMIN, Role.LEADER)
SILENCE = timedelta(hours=24)
LONGEST_REASON = 300


class ChannelProblem(Problem):
    """What was asked of a channel cannot be done."""


class NoSuchChannel(NotFound):
    """There is none with this number in the official's commune."""


@dataclass(frozen=True)
class Overview:
    """All that a channel's keeper looks at."""

    channel: Channel
    token: ChannelToken | None
    last_event_at: datetime | None
    is_silent: bool
    waiting: int
    counts: dict[str, int]
    webhook_url: str
    can_consent: bool
    gate: Gate
    poll: ChannelPoll | None = None
    is_asked: bool = False
    page_url: str = ""  # of the commune's own page: where citizens write
    link: LinkState | None = None
    can_catch_up: bool = False
    catch_ups: tuple[CatchUp, ...] = ()
    speakers: Speakers | None = None

    @property
    def needs_consent(self) -> bool:
        """Whether only an administrator of the account can make it work."""
        return self.can_consent and (self.token is None or self.token.state is TokenState.NEEDS_CONSENT)


@dataclass(frozen=True)
class Consent:
    """Where to send the administrator, and what must come back with them; `verifier` never leaves this side."""

    url: str
    state: str
    verifier: str


def overview(runtime: Runtime, official: Official) -> list[Overview]:
    """The commune's channels, each with what there is to know about it today."""
    _must(official)
    now = runtime.now()
    with runtime.database.reading() as session:
        query = sa.select(Channel).where(Channel.commune_id == official.commune_id).order_by(Channel.id)
        return [_overview(runtime, session, channel, now) for channel in session.scalars(query)]


def find(runtime: Runtime, official: Official, channel_id: int) -> Overview:
    """One of the commune's channels."""
    _must(official)
    with runtime.database.reading() as session:
        return _overview(runtime, session, _found(session, official, channel_id), runtime.now())


def pause(runtime: Runtime, official: Official, channel_id: int, reason: str) -> None:
    """Nothing goes out on this channel until somebody resumes it; what comes in is still taken in."""
    _must(official)
    reason = printable(reason, LONGEST_REASON).strip()
    if not reason:
        raise ChannelProblem("Chưa ghi lý do tạm dừng. Vui lòng ghi lý do để người khác biết.")
    with runtime.database.transaction() as session:
        channel = _found(session, official, channel_id)
        if channel.paused_at is not None:
            raise ChannelProblem("Kênh đang tạm dừng. Vui lòng tải lại trang.")
        channel.paused_at = runtime.now()
        channel.paused_reason = f"{official.name}: {reason}"
        _audit(session, runtime, official, channel, "paused", reason=reason)
    log.warning("channel.paused_by_hand", channel_id=channel_id, official_id=official.id)


def resume(runtime: Runtime, official: Official, channel_id: int) -> None:
    """Send again, at once, what has been waiting."""
    _must(official)
    with runtime.database.transaction() as session:
        channel = _found(session, official, channel_id)
        if _overview(runtime, session, channel, runtime.now()).needs_consent:
            raise ChannelProblem("Kênh chưa được cấp quyền nên chưa gửi được. Vui lòng bấm Cấp quyền lại trước.")
        _open(channel)
        _audit(session, runtime, official, channel, "resumed")
    _nudge(runtime)


def begin_consent(runtime: Runtime, official: Official, channel_id: int) -> Consent:
    """Where an administrator of the account must go to grant us permission."""
    _must(official)
    with runtime.database.reading() as session:
        channel = _found(session, official, channel_id)
    adapter, config = _consenting(runtime, channel)
    verifier, state = random_secrets.token_urlsafe(48), random_secrets.token_urlsafe(24)
    url = adapter.authorise_url(config, callback_url(runtime, channel.type), code_challenge(verifier), state)
    return Consent(url, state, verifier)


def finish_consent(
    runtime: Runtime, official: Official, channel_id: int, *, verifier: str, code: str, account: str
) -> None:
    """The administrator came back with a code: turn it into tokens, keep them, and open the channel again."""
    _must(official)
    with runtime.database.reading() as session:
        channel = _found(session, official, channel_id)
    adapter, config = _consenting(runtime, channel)
    if account != channel.account:
        raise _other_account(channel)
    try:
        tokens = adapter.exchange_code(runtime.http, config, code, verifier)
    except TokenRefreshFailed as error:
        log.error("channel.consent_failed", channel=channel.slug, code=error.code)
        raise ChannelProblem(
            "Kênh không chấp nhận mã cấp quyền (%(code)s). Vui lòng bấm Cấp quyền lại.", code=error.code
        ) from None
    if _account_of(runtime, adapter, config, tokens) not in {"", channel.account}:
        raise _other_account(channel)
    keep_first_tokens(runtime, channel, tokens)
    with runtime.database.transaction() as session:
        channel = _found(session, official, channel_id)
        if not _is_paused_by_hand(session, channel):
            _open(channel)
        _audit(session, runtime, official, channel, "authorised")
    log.info("channel.authorised", channel=channel.slug)
    _nudge(runtime)


def callback_url(runtime: Runtime, type: str) -> str:  # noqa: A002 - the field's own word
    """Where channels of this type send an administrator back to; registered with the channel as it stands."""
    return f"{runtime.settings.base_url}/channels/{type}/callback"


def check(runtime: Runtime, slug: str) -> Report:
    """Whether settings, tokens and address of a channel work, asking the channel itself."""
    report = Report()
    with runtime.database.reading() as session:
        channel = session.scalar(sa.select(Channel).where(Channel.slug == slug))
        seen = _overview(runtime, session, channel, runtime.now()) if channel else None
    if channel is None or seen is None:
        report.add("FAIL", "channel", f"no channel {slug!r}; see: haichieu channel list", "Không có kênh này.")
        return report
    try:
        config = channel_config(runtime, channel)
    except (ValueError, VaultError) as error:
        report.add("FAIL", "config", str(error), "Cấu hình kênh chưa đúng. Vui lòng báo người vận hành máy chủ.")
        return report
    report.add("ok", "config", f"{channel.type} account {channel.account}", "Cấu hình đầy đủ.")
    adapter: object = runtime.adapters.get(channel.type)
    if isinstance(adapter, Fetching):
        check_speaking(runtime, adapter, channel, config, seen.webhook_url, report)
    elif seen.speakers is not None:
        check_speakers(runtime, channel, report)
    else:
        if seen.webhook_url:
            _check_address(runtime, channel, seen, report)
        account = _check_account(runtime, channel, config, report)
        check_window(runtime, channel, config, account, seen.counts, report)
        check_provider(runtime, channel, config, report)
    _check_state(runtime, seen, report)
    return report


def _check_address(runtime: Runtime, channel: Channel, seen: Overview, report: Report) -> None:
    if runtime.settings.is_https or channel.is_sandbox:
        report.add("ok", "webhook", seen.webhook_url, "Địa chỉ nhận sự kiện hợp lệ.")
    else:
        report.add(
            "FAIL",
            "webhook",
            f"{seen.webhook_url} is not https; set HAICHIEU_PUBLIC_URL",
            "Địa chỉ nhận sự kiện chưa phải https nên kênh không gửi tới được. Vui lòng báo người vận hành máy chủ.",
        )


def _check_account(runtime: Runtime, channel: Channel, config: Any, report: Report) -> dict[str, str]:
    """What the account says of itself; nothing when it would not."""
    adapter = _consenter(runtime, channel)
    if adapter is None:
        return {}
    ask_again = f"run a browser to {runtime.settings.base_url}/channels and grant permission"
    try:
        access = access_for(runtime, channel)
        try:
            account = adapter.health(runtime.http, config, access.token)
        except TokenRejected:
            access = access_for(runtime, channel, rejected_generation=access.generation)
            account = adapter.health(runtime.http, config, access.token)
    except NoToken:
        report.add("FAIL", "token", f"needs consent; {ask_again}", "Kênh cần được cấp quyền lại.")
        return {}
    except TokenRefreshFailed as error:
        report.add("FAIL", "token", error.code, "Chưa làm mới được quyền truy cập. Hệ thống sẽ tự thử lại.")
        return {}
    except SendError as error:
        report.add("FAIL", "account", error.code, "Kênh không trả lời hoặc từ chối. Vui lòng thử lại sau ít phút.")
        return {}
    report.add("ok", "token", f"works, generation {access.generation}", "Quyền truy cập còn hiệu lực.")
    found = account.get("oa_id", "")
    if found and found != channel.account:
        other = _other_account(channel)
        report.add("FAIL", "account", f"token is of {found}, not {channel.account}", other.sentence, **other.values)
        return {}
    report.add(
        "ok",
        "account",
        f"{account.get('name', '?')}, {account.get('num_follower', '?')} followers",
        "Kênh trả lời và đúng tài khoản.",
    )
    return account


def _check_state(runtime: Runtime, seen: Overview, report: Report) -> None:
    channel = seen.channel
    if channel.paused_at is not None:
        report.add("FAIL", "sending", f"paused: {channel.paused_reason}", "Kênh đang tạm dừng gửi.")
    elif channel.hold_until is not None and channel.hold_until > runtime.now():
        report.add("warn", "sending", f"held until {channel.hold_until:%Y-%m-%dT%H:%MZ}", "Kênh đang tạm chờ.")
    else:
        report.add("ok", "sending", f"open, {seen.waiting} deliveries wait", "Kênh đang gửi bình thường.")
    if seen.speakers is not None:  # nothing is brought
        return
    if seen.last_event_at is None:
        report.add("warn", "events", "none received yet", "Chưa nhận sự kiện nào từ kênh.")
        return
    level, detail = "warn" if seen.is_silent else "ok", f"last at {seen.last_event_at:%Y-%m-%dT%H:%MZ}"
    report.add(level, "events", detail, "Sự kiện gần nhất: %(luc)s.", luc=moment(seen.last_event_at))


def _overview(runtime: Runtime, session: Session, channel: Channel, now: datetime) -> Overview:
    last = max(filter(None, (last_brought_at(session, channel.id), channel.last_event_at)), default=None)
    waiting = session.scalar(
        sa.select(sa.func.count()).where(Delivery.channel_id == channel.id, Delivery.state == DeliveryState.WAITING)
    )
    is_page = channel.type == WebForm.type  # our own page: nothing is brought by others, and quiet is no fault
    speakers = speakers_of(session, runtime, channel, now)
    today = now.astimezone(VIETNAM).strftime("%Y-%m-%d")
    counts = session.execute(
        sa.select(Counter.name, Counter.value)
        .where(Counter.scope == f"channel:{channel.id}", Counter.period == today)
        .order_by(Counter.name)
    )
    return Overview(
        channel=channel,
        token=session.scalar(sa.select(ChannelToken).where(ChannelToken.channel_id == channel.id)),
        last_event_at=last,
        is_silent=channel.is_active and not is_page and speakers is None and (last is None or now - last > SILENCE),
        waiting=waiting or 0,
        counts={name: value for name, value in counts},  # noqa: C416 - rows are not plain tuples
        webhook_url="" if speakers else _webhook_url(runtime, channel),
        gate=Gate.of(channel),
        can_consent=_consenter(runtime, channel) is not None,
        poll=session.scalar(sa.select(ChannelPoll).where(ChannelPoll.channel_id == channel.id)),
        is_asked=_is_asked(runtime, channel),
        page_url=f"{runtime.settings.base_url}/phan-anh/{channel.slug}" if is_page else "",
        link=link_of(channel, now),
        can_catch_up=can_catch_up(runtime, channel),
        catch_ups=tuple(latest_of(session, channel.id)),
        speakers=speakers,
    )


def _is_asked(runtime: Runtime, channel: Channel) -> bool:
    try:
        return is_asked(runtime, channel, channel_config(runtime, channel))
    except (ValueError, VaultError, KeyError):
        return False


def _webhook_url(runtime: Runtime, channel: Channel) -> str:
    if isinstance(runtime.adapters.get(channel.type), Linked):
        return ""  # nobody calls: what comes in comes over the link
    try:
        secret = callback_address(runtime, channel, channel_config(runtime, channel))
    except (KeyError, ValueError, VaultError):
        secret = ""  # a broken channel is shown all the same, with what is known of it
    return secret or f"{runtime.settings.base_url}/webhooks/{channel.slug}"


def _consenter(runtime: Runtime, channel: Channel) -> Consenting | None:
    adapter: object = runtime.adapters.get(channel.type)
    return adapter if isinstance(adapter, Consenting) else None


def _consenting(runtime: Runtime, channel: Channel) -> tuple[Consenting, Any]:
    adapter = _consenter(runtime, channel)
    if adapter is None:
        raise ChannelProblem("Kênh này không cần cấp quyền.")
    try:
        return adapter, channel_config(runtime, channel)
    except (ValueError, VaultError):
        raise ChannelProblem("Cấu hình kênh chưa đúng. Vui lòng báo người vận hành máy chủ.") from None


def _account_of(runtime: Runtime, adapter: Consenting, config: Any, tokens: Tokens) -> str:
    """Whose account the tokens open, by its own word; empty when it would not say just now."""
    try:
        return adapter.health(runtime.http, config, Secret(tokens.access)).get("oa_id", "")
    except SendError as error:
        log.warning("channel.account_unasked", code=error.code)
        return ""


def _is_paused_by_hand(session: Session, channel: Channel) -> bool:
    query = sa.select(AuditEntry.id).where(
        AuditEntry.target == f"channel:{channel.id}",
        AuditEntry.action == "channel.paused",
        AuditEntry.at == channel.paused_at,
    )
    return channel.paused_at is not None and session.scalar(query.limit(1)) is not None


def _open(channel: Channel) -> None:
    channel.paused_at = channel.paused_reason = channel.hold_until = None


def _nudge(runtime: Runtime) -> None:
    runtime.nudge(REPLIES)
    runtime.nudge(BROADCAST)


def _other_account(channel: Channel) -> ChannelProblem:
    return ChannelProblem(
        "Quyền được cấp là của tài khoản khác, không phải %(account)s. Vui lòng chọn đúng tài khoản của địa phương.",
        account=channel.account,
    )


def _found(session: Session, official: Official, channel_id: int) -> Channel:
    channel = session.get(Channel, channel_id)
    if channel is None or channel.commune_id != official.commune_id:
        raise NoSuchChannel
    return channel


def _must(official: Official) -> None:
    if not official.is_active or not official.has(*KEEPERS):
        raise ChannelProblem("Tài khoản của Anh/Chị không có quyền làm việc này.")


def _audit(
    session: Session, runtime: Runtime, official: Official, channel: Channel, action: str, **data: object
) -> None:
    session.add(
        AuditEntry(
            commune_id=channel.commune_id,
            official_id=official.id,
            at=runtime.now(),
            action=f"channel.{action}",
            target=f"channel:{channel.id}",
            data=data,
        )
    )
