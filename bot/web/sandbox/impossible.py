"""What a pretend citizen cannot do."""

from __future__ import annotations


class ImpossibleAct(Exception):
    """What was asked for cannot be done; `reason` is a word the phone page knows a sentence for."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
