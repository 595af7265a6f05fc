"""Fate: what became of a message we owed, in words an official can act on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.web.language import N_, gettext
from bot.web.words import moment
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
    """The state of a whole message, though it may travel in parts; `again_id`: the part to send again."""

    words: str
    reason: str
    is_problem: bool
    again_id: int | None


def fate(deliveries: Sequence[Delivery]) -> Fate | None:
    """What became of a message with these deliveries; None when nothing was owed."""
    if not deliveries:
        return None
    worst = min(deliveries, key=lambda d: (_WORST_FIRST.index(d.state), d.part))
    said = gettext(WORDS[worst.state])
    if len(deliveries) > 1:
        arrived = sum(d.state.reached_channel for d in deliveries)
        said = gettext("%(state)s (%(done)s/%(all)s phần đã đi)", state=said, done=arrived, all=len(deliveries))
    at = worst.read_at or worst.delivered_at or worst.sent_at
    if at is not None and worst.state.reached_channel:
        said = gettext("%(state)s lúc %(at)s", state=said, at=moment(at))
    reason = worst.reason or ""
    if worst.state is DeliveryState.WAITING and worst.tries:
        reason = reason or gettext("Kênh chưa nhận; hệ thống tự gửi lại lúc %(at)s.", at=moment(worst.next_attempt_at))
    return Fate(said, reason, worst.state in AGAIN, worst.id if worst.state in AGAIN else None)
