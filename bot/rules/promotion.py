"""Promotion: whether a newly trained model may take the place of another, from both readings of the same messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

# A candidate may be worse by less than half a point, and that must be sure (95 %).
MOST_LOST = 0.005
_RESAMPLES = 2_000
_SEED = 20_261_101


@dataclass(frozen=True)
class Difference:
    """How often two models are right on the same messages, and the interval of the difference.

    `of`: how many messages; `worse`: on how many of them the new one is less right.
    """

    name: str
    before: float
    after: float
    low: float
    high: float
    of: int
    worse: int = 0

    @property
    def is_lost(self) -> bool:
        """Whether the new one cannot be said to be as good; asked where so much is compared that it could be said."""
        return self.of > 0 and self.low <= -MOST_LOST

    @property
    def is_worse(self) -> bool:
        """Whether the new one is right less often, surely or by half a point; asked where little is compared."""
        return self.after < self.before and (self.high < 0 or self.after <= self.before - MOST_LOST)

    def __str__(self) -> str:
        change = f"{100 * (self.after - self.before):+.2f} ({100 * self.low:+.2f} … {100 * self.high:+.2f})"
        return f"{self.name}: {100 * self.before:.2f} → {100 * self.after:.2f}, {change}, n={self.of}"


def compare(name: str, before: Sequence[float], after: Sequence[float]) -> Difference:
    """Paired bootstrap: both models read the same messages, so each draw takes both answers to one message."""
    if not before:
        return Difference(name, 0.0, 0.0, 0.0, 0.0, 0)
    old, new = np.array(before, dtype=float), np.array(after, dtype=float)
    change = new - old
    dice = np.random.default_rng(_SEED)
    means = [change[dice.integers(0, len(change), len(change))].mean() for _ in range(_RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return Difference(
        name, float(old.mean()), float(new.mean()), float(low), float(high), len(change), int((change < 0).sum())
    )


# ---- batches that contradict what is known ---------------------------------------------------------------------------

# Officials are right where the reader is surely wrong now and then, not in a third of what they change.
MOST_CONTRADICTING = 0.3
FEW = 10


@dataclass(frozen=True)
class Vote:
    """One label by an official that differs from the reader's answer; `contradicts`: reader and lessons both object."""

    official_id: int
    kind: str
    label: str
    contradicts: bool


@dataclass(frozen=True)
class Batch:
    """Labels of a kind that contradict too often: by one official, or (`official_id` None) of one label by anybody."""

    official_id: int | None
    kind: str
    label: str
    contradicting: int
    of: int

    def holds(self, official_id: int, kind: str, label: str) -> bool:
        """Whether a label belongs to this batch."""
        return kind == self.kind and (official_id == self.official_id or (bool(self.label) and label == self.label))


def suspicious(votes: Sequence[Vote]) -> list[Batch]:
    """The batches to refuse: first by official and kind, then among the rest by kind and label, whoever gave it."""
    batches = _too_many(votes, lambda v: (v.official_id, v.kind, ""))
    rest = [v for v in votes if not any(b.holds(v.official_id, v.kind, v.label) for b in batches)]
    return batches + _too_many(rest, lambda v: (None, v.kind, v.label))


def _too_many(votes: Sequence[Vote], group: Callable[[Vote], tuple[int | None, str, str]]) -> list[Batch]:
    grouped: dict[tuple[int | None, str, str], list[Vote]] = {}
    for vote in votes:
        grouped.setdefault(group(vote), []).append(vote)
    found = []
    for (official_id, kind, label), members in sorted(grouped.items(), key=str):
        bad = sum(v.contradicts for v in members)
        if len(members) >= FEW and bad / len(members) > MOST_CONTRADICTING:
            found.append(Batch(official_id, kind, label, bad, len(members)))
    return found
