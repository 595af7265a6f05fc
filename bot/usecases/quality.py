"""Quality: how often officials had to correct the reader, by topic, and what training made of it."""

from __future__ import annotations

from collections import Counter
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
        urgency = _looked(session, official.commune_id, since, lines)
        put = _put(session, official.commune_id, since)
        trainings = [_training(session, model, official.commune_id) for model in latest(session, MOST_TRAININGS)]
    ordered = sorted(lines.values(), key=lambda line: (-line.read, line.slug))
    seal, spam = CorrectionKind.SEAL, CorrectionKind.SPAM
    return Quality(
        days, ordered, urgency, put[seal, True], put[seal, False], put[spam, True], put[spam, False], trainings
    )


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


def _looked(session: Session, commune_id: int, since: datetime, lines: dict[str, TopicLine]) -> Looked:
    """How often urgency was looked at, topics put into `lines`: once a ticket, from its first word to its last."""
    of_ticket = (Correction.ticket_id, Correction.kind)
    before = sa.func.first_value(Correction.before).over(partition_by=of_ticket, order_by=Correction.id)
    from_last = sa.func.row_number().over(partition_by=of_ticket, order_by=Correction.id.desc())
    each = (
        sa.select(
            Correction.kind, before.label("before"), Correction.after.label("after"), from_last.label("from_last")
        )
        .join(Ticket, Ticket.id == Correction.ticket_id)
        .where(
            Correction.commune_id == commune_id,
            Correction.at >= since,
            Correction.kind.in_([CorrectionKind.TOPIC, CorrectionKind.URGENCY]),
            Ticket.is_sealed.is_(False),
        )
        .subquery()
    )
    changed = sa.func.sum(sa.case((each.c.before.is_distinct_from(each.c.after), 1), else_=0))
    urgency = Looked()
    for kind, topic, looked_at, count in session.execute(
        sa.select(each.c.kind, each.c.before, sa.func.count(), changed)
        .where(each.c.from_last == 1)
        .group_by(each.c.kind, each.c.before)
    ):
        slug = topic or ""
        looked = urgency if kind is CorrectionKind.URGENCY else lines.setdefault(slug, TopicLine(slug)).looked
        looked.looked_at += looked_at
        looked.changed += int(count)
    return urgency


def _put(session: Session, commune_id: int, since: datetime) -> Counter[tuple[CorrectionKind, bool]]:
    """How often officials sealed and unsealed, and put aside as spam and fetched back."""
    query = (
        sa.select(Correction.kind, Correction.after, sa.func.count())
        .where(
            Correction.commune_id == commune_id,
            Correction.at >= since,
            Correction.kind.in_([CorrectionKind.SEAL, CorrectionKind.SPAM]),
        )
        .group_by(Correction.kind, Correction.after)
    )
    put: Counter[tuple[CorrectionKind, bool]] = Counter()
    for kind, after, count in session.execute(query):
        put[kind, after in {SEALED, SPAM}] += count
    return put


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
