"""Quality: how often officials had to correct the reader, by topic, and what training made of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.runtime import Runtime
from bot.usecases.corrections import SEALED, SPAM
from storage.corrections import Correction
from storage.enums import CorrectionKind, Direction, Role
from storage.messages import Message
from storage.officials import Official
from storage.tickets import Ticket
from storage.trained import TrainedModel, latest

READERS = (Role.LEADER, Role.ADMIN)
PERIODS = (30, 90)
MOST_TRAININGS = 10


@dataclass
class Looked:
    """How many readings officials looked at, and how many of those they changed."""

    looked_at: int = 0
    changed: int = 0

    @property
    def rate(self) -> float | None:
        """The share changed; None when nobody has looked."""
        return self.changed / self.looked_at if self.looked_at else None


@dataclass
class TopicLine:
    """One topic as the reader gave it, "" where it found none: messages read, those it was unsure of, corrections."""

    slug: str
    read: int = 0
    unsure: int = 0
    looked: Looked = field(default_factory=Looked)

    @property
    def unsure_rate(self) -> float:
        """The share it was unsure of."""
        return self.unsure / self.read if self.read else 0.0


@dataclass(frozen=True)
class LeftOut:
    """A batch of corrections that was refused; `who` is None for several officials, "" for one of another commune."""

    who: str | None
    kind: str
    label: str
    contradicting: int
    of: int


@dataclass(frozen=True)
class Training:
    """A promotion, or a refusal; `figures` by name: the share right before and after."""

    model: TrainedModel
    learned_from: int
    figures: dict[str, tuple[float, float]]
    left_out: list[LeftOut]
    is_worse: bool


@dataclass(frozen=True)
class Quality:
    """What the page shows of one commune in a period of days."""

    days: int
    lines: list[TopicLine]
    urgency: Looked
    sealed: int
    unsealed: int
    spam: int
    restored: int
    trainings: list[Training]

    @property
    def read(self) -> int:
        """How many messages were read."""
        return sum(line.read for line in self.lines)

    @property
    def looked(self) -> Looked:
        """All topics together."""
        return Looked(sum(x.looked.looked_at for x in self.lines), sum(x.looked.changed for x in self.lines))


def quality(runtime: Runtime, official: Official, days: int) -> Quality:
    """How the reader did in the official's commune; nothing of what is sealed but how often that was corrected."""
    since = runtime.now() - timedelta(days=days)
    with runtime.database.reading() as session:
        lines = _read(session, official.commune_id, since)
        said = _said(session, official.commune_id, since)
        trainings = [_training(session, model, official.commune_id) for model in latest(session, MOST_TRAININGS)]
    urgency = Looked()
    counts: Counter[tuple[CorrectionKind, str | None]] = Counter()
    for (_, kind), corrections in said.items():
        first, last, is_sealed = corrections[0][0], corrections[-1][0], corrections[0][1]
        is_changed = first.before != last.after
        counts.update((kind, one.after) for one, _ in corrections)
        if kind is CorrectionKind.URGENCY:
            _count(urgency, is_changed)
        elif kind is CorrectionKind.TOPIC and not is_sealed:
            _count(lines.setdefault(first.before or "", TopicLine(first.before or "")).looked, is_changed)
    seals = sum(n for (kind, _), n in counts.items() if kind is CorrectionKind.SEAL)
    spams = sum(n for (kind, _), n in counts.items() if kind is CorrectionKind.SPAM)
    sealed, spam = counts[CorrectionKind.SEAL, SEALED], counts[CorrectionKind.SPAM, SPAM]
    ordered = sorted(lines.values(), key=lambda line: (-line.read, line.slug))
    return Quality(days, ordered, urgency, sealed, seals - sealed, spam, spams - spam, trainings)


def _count(looked: Looked, is_changed: bool) -> None:
    looked.looked_at += 1
    looked.changed += is_changed


def _read(session: Session, commune_id: int, since: datetime) -> dict[str, TopicLine]:
    told: Any = Message.reading
    each = (
        sa.select(told[("topics", 0, "slug")].as_string().label("slug"), told["abstains"].as_boolean().label("unsure"))
        .where(
            Message.commune_id == commune_id,
            Message.direction == Direction.IN,
            Message.ticket_id.is_not(None),
            Message.is_sealed.is_(False),
            told["intent"].as_string().is_not(None),  # what was erased has no reading any more
            Message.occurred_at >= since,
        )
        .subquery()
    )
    lines: dict[str, TopicLine] = {}
    for slug, unsure, count in session.execute(
        sa.select(each.c.slug, each.c.unsure, sa.func.count()).group_by(each.c.slug, each.c.unsure)
    ):
        line = lines.setdefault(slug or "", TopicLine(slug or ""))
        line.read += count
        line.unsure += count if unsure or not slug else 0
    return lines


def _said(
    session: Session, commune_id: int, since: datetime
) -> dict[tuple[int, CorrectionKind], list[tuple[Correction, bool]]]:
    """The corrections of each ticket and kind in the order they were made, and whether the ticket is sealed."""
    query = (
        sa.select(Correction, Ticket.is_sealed)
        .join(Ticket, Ticket.id == Correction.ticket_id)
        .where(Correction.commune_id == commune_id, Correction.at >= since)
        .order_by(Correction.id)
    )
    found: dict[tuple[int, CorrectionKind], list[tuple[Correction, bool]]] = defaultdict(list)
    for correction, is_sealed in session.execute(query):
        found[correction.ticket_id, correction.kind].append((correction, is_sealed))
    return found


def _training(session: Session, model: TrainedModel, commune_id: int) -> Training:
    figures = model.figures
    differences = [d for trial in figures.get("trials", ())[:1] for d in trial["differences"] if d["of"]]
    return Training(
        model,
        int(figures.get("lessons", 0)),
        {d["name"]: (d["before"], d["after"]) for d in differences},
        list(_left_out(session, figures.get("batches", ()), commune_id)),
        bool(figures.get("lost")),
    )


def _left_out(session: Session, batches: Iterable[dict[str, Any]], commune_id: int) -> Iterable[LeftOut]:
    for batch in batches:
        who: str | None = None
        if batch["official_id"] is not None:
            person = session.get(Official, batch["official_id"])
            # What an official of another commune did is that commune's affair.
            who = person.name if person is not None and person.commune_id == commune_id else ""
        yield LeftOut(who, batch["kind"], batch["label"], batch["contradicting"], batch["of"])
