"""Fate: what became of a message we owed, in words an official can act on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.usecases.links import link_of
from bot.web.language import N_, gettext
from bot.web.shell import runtime
from bot.web.words import moment, to_the_second
from storage.channels import Channel
from storage.deliveries import Delivery
from storage.enums import DeliveryState

WORDS = {
    DeliveryState.WAITING: N_("Đang chờ gửi"),
    DeliveryState.SENDING: N_("Đang gửi"),
    DeliveryState.SENT: N_("Đã giao cho kênh"),
    DeliveryState.DELIVERED: N_("Người dân đã nhận"),
    DeliveryState.READ: N_("Người dân đã xem"),
    DeliveryState.REFUSED: N_("Không gửi được"),
    DeliveryState.UNKNOWN: N_("Không rõ đã gửi được chưa"),
    DeliveryState.CANCELLED: N_("Đã hủy, không gửi"),
}
AGAIN = frozenset({DeliveryState.REFUSED, DeliveryState.UNKNOWN, DeliveryState.CANCELLED})
_WORST_FIRST = (
    DeliveryState.REFUSED,
    DeliveryState.UNKNOWN,
    DeliveryState.CANCELLED,
    DeliveryState.SENDING,
    DeliveryState.WAITING,
    DeliveryState.SENT,
    DeliveryState.DELIVERED,
    DeliveryState.READ,
)


@dataclass(frozen=True)
class Fate:
    """The state of a whole message, though it may travel in parts and by more than one way.

    `again_id`: the part to send again. `before`: what became of it on the channels where it was tried first.
    `tried`: the URNs where it went. `costs`: it waits for somebody to agree that the channel charges for it.
    """

    words: str
    reason: str
    is_problem: bool
    again_id: int | None
    before: tuple[str, ...] = ()
    tried: frozenset[int] = frozenset()
    costs: bool = False


def fate(deliveries: Sequence[Delivery], channels: Mapping[int, Channel]) -> Fate | None:
    """What became of a message with these deliveries on these channels; None when nothing was owed."""
    if not deliveries:
        return None
    ways: dict[int, list[Delivery]] = {}
    for delivery in sorted(deliveries, key=lambda d: d.id):
        ways.setdefault(delivery.urn_id, []).append(delivery)
    *earlier, latest = ways.values()
    worst = _worst(latest)
    said = _said(latest, worst)
    if earlier:
        said = f"{channels[worst.channel_id].name}: {said}"
    is_problem = worst.state in AGAIN and not any(_worst(way).state.reached_channel for way in earlier)
    return Fate(
        said,
        _reason(worst, channels[worst.channel_id]),
        is_problem,
        worst.id if is_problem else None,
        tuple(_earlier(way, channels[way[0].channel_id]) for way in earlier),
        frozenset(ways),
        is_problem and worst.code == "window_paid",
    )


def _worst(way: Sequence[Delivery]) -> Delivery:
    return min(way, key=lambda d: (_WORST_FIRST.index(d.state), d.part))


def _said(way: Sequence[Delivery], worst: Delivery) -> str:
    said = gettext(WORDS[worst.state])
    if len(way) > 1:
        arrived = sum(d.state.reached_channel for d in way)
        said = gettext("%(state)s (%(done)s/%(all)s phần đã đi)", state=said, done=arrived, all=len(way))
    at = worst.read_at or worst.delivered_at or worst.sent_at
    if at is not None and worst.state.reached_channel:
        said = gettext("%(state)s lúc %(at)s", state=said, at=moment(at))
    return said


def _reason(worst: Delivery, channel: Channel) -> str:
    return worst.reason or (_why_it_waits(worst, channel) if worst.state is DeliveryState.WAITING else "")


def _why_it_waits(delivery: Delivery, channel: Channel) -> str:
    if channel.paused_at is not None:  # nothing goes out by itself, whatever moment was noted for the next try
        return gettext(
            "Kênh đang tạm dừng: %(lydo)s Tin sẽ gửi khi kênh hoạt động lại.", lydo=channel.paused_reason or ""
        )
    if delivery.held_until is not None and delivery.held_until > runtime().now():
        return gettext("gửi lúc %(at)s, trước đó còn hoàn tác được.", at=to_the_second(delivery.held_until))
    link = link_of(channel, runtime().now())
    if link is not None and link.problem:
        return gettext(link.problem)
    if not delivery.tries:
        return ""
    at = max(filter(None, (delivery.next_attempt_at, channel.hold_until)))
    return gettext("Kênh chưa nhận; hệ thống tự gửi lại lúc %(at)s.", at=moment(at))


def _earlier(way: Sequence[Delivery], channel: Channel) -> str:
    worst = _worst(way)
    said = f"{channel.name}: {_said(way, worst)}"
    return f"{said}. {worst.reason}" if worst.reason else said
