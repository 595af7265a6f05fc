"""Bodies of webhooks, read without trusting any type."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from adapters.errors import UnreadablePayload

# Outside of these no message was ever sent: a moment there is a mistake or a trick.
EARLIEST, LATEST = datetime(2015, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def as_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object; UnreadablePayload otherwise."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadablePayload("not_json") from None
    if not isinstance(data, dict):
        raise UnreadablePayload("not_an_object")
    return data


def from_milliseconds(value: object) -> datetime | None:
    """Epoch milliseconds, given as a number, as an instant; None when they make no sense."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    is_sensible = EARLIEST.timestamp() * 1_000 <= value < LATEST.timestamp() * 1_000
    return datetime.fromtimestamp(value / 1_000, UTC) if is_sensible else None
