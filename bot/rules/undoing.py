"""Undoing: how long what an official sends waits in the house, so that it can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

SETTING = "undo_seconds"  # of the commune
USUAL_SECONDS, MOST_SECONDS = 10, 30


def undo_time(settings: Mapping[str, Any]) -> timedelta:
    """For how long a commune's officials may take back what they sent; nothing: it leaves at once."""
    return timedelta(seconds=min(MOST_SECONDS, max(0, int(settings.get(SETTING, USUAL_SECONDS)))))
