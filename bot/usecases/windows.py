"""Windows: whether a citizen may be written to now, at what price, and what else there is; the channel knows best."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.base import ApprovedForm, Clock, Windowed
from adapters.errors import SendError, TokenRefreshFailed, TokenRejected
from bot.rules.window import Plan, Way, Why, Window, plan, refused_code, window
from bot.runtime import Runtime, VaultError
from bot.usecases.tokens import NoToken, access_for, channel_config
from storage.channels import Channel
from storage.contacts import Contact, Urn
from storage.enums import Consent

log = structlog.get_logger()

REASONS = {
    "window_closed": "Đã quá thời hạn kênh cho phép trả lời. Gửi được lại khi người dân nhắn tin; có thể gọi điện.",
    "window_paid": "Đã quá thời gian trả lời miễn phí và chưa ai đồng ý trả phí. "
    "Gửi lại nếu đồng ý trả phí, hoặc đợi người dân nhắn tin, hoặc gọi điện.",
    "blocked": "Người dân đã chặn hoặc hạn chế tin từ kênh. Vui lòng gọi điện theo số trong hồ sơ.",
}


@dataclass(frozen=True)
class Standing:
    """A citizen's address, and when they were last there as far as we know."""

    urn_id: int
    urn: str
    last_interaction_at: datetime | None


@dataclass(frozen=True)
class Verdict:
    """Whether a message may go: `code` says why not; `is_paid`: the channel charges for it."""

    code: str | None
    is_paid: bool


@dataclass(frozen=True)
class Ways:
    """What is possible for a citizen, for an official to read before they write.

    `form`: the approved message there is for them, `asks_to_pay`: whether an official must agree to a price,
    `can_ask`: whether the channel can be asked, `asked_at`: when it was.
    """

    plan: Plan
    form: ApprovedForm | None
    asks_to_pay: bool
    can_ask: bool
    asked_at: datetime | None


def standings(session: Session, urn_ids: list[int]) -> dict[int, Standing]:
    """What is known of these addresses."""
    rows = session.execute(sa.select(Urn.id, Urn.value, Urn.last_interaction_at).where(Urn.id.in_(urn_ids)))
    return {urn_id: Standing(urn_id, value, last) for urn_id, value, last in rows}


def judge(runtime: Runtime, channel: Channel, standing: Standing, *, pays: bool, may_ask: bool) -> Verdict:
    """Whether a message may go now; before it is refused, the channel is asked whether our record is right."""
    price = _price(runtime, channel)
    pays = price == "always" or (pays and price == "ask")
    found = _judged(runtime, channel, standing, price, pays=pays)
    if found.code is None or not may_ask:
        return found
    clock = ask(runtime, channel, standing)
    if clock is None or clock.last_interaction_at is None:
        return found
    corrected = replace(standing, last_interaction_at=clock.last_interaction_at)
    return _judged(runtime, channel, corrected, price, pays=pays)


def _judged(runtime: Runtime, channel: Channel, standing: Standing, price: str, *, pays: bool) -> Verdict:
    found = plan(_seen(runtime, channel, standing.last_interaction_at), may_pay=price != "never")
    return Verdict(refused_code(found, pays=pays), found.way is Way.PAID)


def ask(runtime: Runtime, channel: Channel, standing: Standing) -> Clock | None:
    """Ask the channel when this citizen was last there, and believe it; None when it does not say."""
    adapter: object = runtime.adapters.get(channel.type)
    if not isinstance(adapter, Windowed):
        return None
    try:
        clock = _asked(runtime, adapter, channel, standing.urn)
    except (SendError, NoToken, TokenRefreshFailed, ValueError, VaultError) as error:
        log.warning("window.not_asked", channel=channel.slug, code=getattr(error, "code", type(error).__name__))
        return None
    _believe(runtime, standing, clock)
    return clock


def _asked(runtime: Runtime, adapter: Windowed, channel: Channel, urn: str) -> Clock:
    config, access = channel_config(runtime, channel), access_for(runtime, channel)
    try:
        return adapter.clock_of(runtime.http, config, access.token, urn)
    except TokenRejected:
        access = access_for(runtime, channel, rejected_generation=access.generation)
        return adapter.clock_of(runtime.http, config, access.token, urn)


def _believe(runtime: Runtime, standing: Standing, clock: Clock) -> None:
    now = runtime.now()
    known, told = standing.last_interaction_at, clock.last_interaction_at
    is_unchanged = Urn.last_interaction_at.is_(None) if known is None else Urn.last_interaction_at == known
    with runtime.database.transaction() as session:
        of_urn = sa.update(Urn).where(Urn.id == standing.urn_id)
        session.execute(of_urn.values(window_asked_at=now))
        if told is None:
            return
        # What the citizen did while we asked is newer than the answer.
        session.execute(of_urn.where(is_unchanged).values(last_interaction_at=told))
        session.execute(of_urn.where(Urn.unreachable_at < told).values(unreachable_at=None, unreachable_code=None))


def ways_for(runtime: Runtime, channel: Channel, urn: Urn, contact: Contact) -> Ways:
    """What is possible for a citizen now, from our own record: no page waits for the network."""
    adapter: object = runtime.adapters.get(channel.type)
    form = form_for(runtime, channel, contact)
    price = _price(runtime, channel)
    found = plan(
        _seen(runtime, channel, urn.last_interaction_at),
        refusal=_refusal(adapter, urn),
        may_pay=price != "never",
        has_form=form is not None,
    )
    can_ask = isinstance(adapter, Windowed)
    return Ways(found, form, asks_to_pay=price == "ask", can_ask=can_ask, asked_at=urn.window_asked_at)


def is_free(runtime: Runtime, channel: Channel, urn: Urn) -> bool:
    """Whether this citizen may be told more than what they must know: nobody pays for it, and it would arrive."""
    return plan(_seen(runtime, channel, urn.last_interaction_at)).way is Way.FREE


def form_for(runtime: Runtime, channel: Channel, contact: Contact) -> ApprovedForm | None:
    """The approved message that could go to this citizen; to a telephone only if they gave the number for this."""
    adapter, config = _windowed(runtime, channel)
    form = adapter.form(config) if adapter is not None else None
    if form is None or (form.by_phone and not (contact.phone and contact.consent == Consent.GIVEN.value)):
        return None
    return form


def _seen(runtime: Runtime, channel: Channel, last_interaction_at: datetime | None) -> Window:
    limits = runtime.adapters[channel.type].limits
    return window(last_interaction_at, runtime.now(), hours=limits.window_hours, free_hours=limits.free_window_hours)


def _refusal(adapter: object, urn: Urn) -> Why:
    if urn.unreachable_at is None:
        return Why.NOTHING
    is_blocked = isinstance(adapter, Windowed) and urn.unreachable_code in adapter.blocked_codes
    return Why.BLOCKED if is_blocked else Why.REFUSED


def _price(runtime: Runtime, channel: Channel) -> str:
    adapter, config = _windowed(runtime, channel)
    return adapter.paid_replies(config) if adapter is not None else "always"


def _windowed(runtime: Runtime, channel: Channel) -> tuple[Windowed | None, Any]:
    adapter: object = runtime.adapters.get(channel.type)
    if not isinstance(adapter, Windowed):
        return None, None
    try:
        return adapter, channel_config(runtime, channel)
    except (ValueError, VaultError):
        return None, None  # `channel check` says what is wrong
