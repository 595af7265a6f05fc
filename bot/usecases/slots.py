"""Slots: the moments at which a channel's messages may leave, shared by all processes in the channel's row."""

from __future__ import annotations

import time
from datetime import datetime

import sqlalchemy as sa
import structlog

from adapters import pacing
from bot.runtime import Runtime
from storage.channels import Channel
from storage.database import FOR_CHANGE

log = structlog.get_logger()

SOON_SECONDS = 5.0  # a worker waits for its slot no longer than this; a lease must not run out meanwhile
# What leaves later than this after its slot could make a second hold too many: it takes another slot instead.
LATE_SECONDS = 0.015
ROOM_SECONDS = 0.035  # the same, with what the way to the channel may add
LEAD_SECONDS = 0.02  # what lies between taking a slot and being ready for it
SAME_SECONDS = 0.002  # two clocks tell the same moment a little differently
SLOTS_TAKEN = 5  # then it goes all the same: nobody waits forever on a machine that is always late


def is_far(channel: Channel, now: datetime) -> bool:
    """Whether the next free slot is too far away to wait for it with deliveries in hand."""
    return SOON_SECONDS < _ahead(channel, now) <= _longest_ahead(channel)


def _ahead(channel: Channel, now: datetime) -> float:
    return channel.slots[-1] / 1e6 - now.timestamp() if channel.slots else 0.0


def _longest_ahead(channel: Channel) -> float:
    # No workers reserve further ahead; a slot beyond it was given by a clock that has been set back since.
    return max(4 * SOON_SECONDS, 20 / channel.rate_per_second)


def reserve(channel: Channel, count: int, now: datetime, missed: float | None = None) -> list[float]:
    """Take this many slots of the channel's pace, its row being locked; gives them in seconds from now on.

    `missed`: a slot, in seconds from now on, that was not used and is given back.
    """
    begun, rate = now.timestamp(), channel.rate_per_second
    taken = [] if _ahead(channel, now) > _longest_ahead(channel) else [slot / 1e6 - begun for slot in channel.slots]
    if missed is not None and taken:
        nearest = min(taken, key=lambda slot: abs(slot - missed))
        if abs(nearest - missed) < SAME_SECONDS:  # who waited for a citizen's rest has no slot at that moment
            taken.remove(nearest)
    known = len(taken)
    for _ in range(count):
        taken.append(pacing.next_slot(taken, LEAD_SECONDS, rate, ROOM_SECONDS))
    if count:
        channel.slots = [round((slot + begun) * 1e6) for slot in pacing.remembered(taken, rate)]
    return taken[known:]


def take(runtime: Runtime, channel: Channel, count: int, missed: float | None = None) -> list[float]:
    """Take slots, one of them in place of the one that was missed; all are moments of the monotonic clock.

    Apart from the claim, whose commit waits for the disk: a slot must not be over before it can be used. What is
    claimed is sent although the database does not answer, evenly from now on: left lying, it would pass for unknown.
    """
    try:
        with runtime.database.transaction(durable=False) as session:
            row = session.get_one(Channel, channel.id, with_for_update=FOR_CHANGE)
            now, begun = runtime.now(), time.monotonic()
            slots = reserve(row, count, now, None if missed is None else missed - begun)
    except sa.exc.SQLAlchemyError as error:
        log.warning("channel.no_slots", channel=channel.slug, error=type(error).__name__)
        begun, slots = time.monotonic(), [number / channel.rate_per_second for number in range(count)]
    return [begun + slot for slot in slots]


def wait_for(runtime: Runtime, channel: Channel, moment: float) -> None:
    """Wait for the slot at this moment of the monotonic clock, or for a later one if it has been missed."""
    for again in range(SLOTS_TAKEN):
        if again:
            moment = take(runtime, channel, 1, moment)[0]
        time.sleep(max(0.0, moment - time.monotonic()))
        if time.monotonic() - moment <= LATE_SECONDS:
            return
