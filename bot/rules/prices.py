"""Prices: what so many paid messages cost, where somebody has said what one costs."""

from __future__ import annotations


def amount(charged: int, dong: int | None) -> int | None:
    """In đồng; nothing that is free costs anything, and without a price what is charged for costs we know not what."""
    if charged == 0:
        return 0
    return None if dong is None else charged * dong
