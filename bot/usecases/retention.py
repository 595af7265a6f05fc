"""Retention: a commune's rules, what they would do, and the sweep that keeps them in small batches with proof.

Nothing goes before somebody has looked at what would go and kept the rule. Every run is a row, every batch and every
end of a run stands in the audit, so under the chain.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.access import Forbidden, audit, sees_sealed
from bot.rules.lifecycle import NotAllowed
from bot.rules.retention import (
    BY_ITSELF,
    DISPUTED_DAYS,
    LEADERS_DAYS,
    LIMITS,
    LIMITS_OF_LEADERS,
    OF_SEALED,
    Kind,
    check,
    rule_of,
)
from bot.runtime import Runtime
from bot.usecases.communes import commune_book
from bot.usecases.erased import EXPIRY
from bot.usecases.expiring import TEACHING, WAYS, Batch
from bot.usecases.forgetting import forget
from storage.audit import AuditEntry
from storage.communes import Commune, one_change_at_a_time
from storage.enums import Role
from storage.expiry import Over
from storage.officials import Official
from storage.retention import RetentionRule, RetentionRun
from storage.tickets import Ticket

log = structlog.get_logger()

KEEPERS = (Role.ADMIN, Role.LEADER)
AT_ONCE = 50
EVERY = timedelta(hours=20)
SETTLED, RAN = "retention.changed", "retention.ran"


@dataclass(frozen=True)
class Rule:
    """How long a kind is kept, and whether anybody has decided so: without that nothing goes."""

    kind: Kind
    days: int
    is_kept: bool
    may_change: bool


@dataclass(frozen=True)
class Line:
    """What would go of a kind now: how many rows, the oldest and the newest of them."""

    kind: Kind
    days: int
    count: int
    oldest_at: datetime | None
    newest_at: datetime | None


def days_of(runtime: Runtime, commune_id: int) -> dict[Kind, int]:
    """The rules that a commune has decided."""
    with runtime.database.reading() as session:
        return _days(session, commune_id)


def leaders_days(session: Session, commune_id: int) -> int:
    """For how many days words that accuse the commune's leaders are kept: as the operator has set, or usual."""
    settings = session.get_one(Commune, commune_id).settings
    return int(settings.get(LEADERS_DAYS) or LIMITS_OF_LEADERS.usual)


def days_of_leaders(runtime: Runtime, official: Official) -> int:
    """The same for the official's page."""
    with runtime.database.reading() as session:
        return leaders_days(session, official.commune_id)


def may_change(official: Official, kind: Kind) -> bool:
    """Whoever administers decides how long things are kept; of what is sealed, only its readers."""
    return sees_sealed(official) if kind in OF_SEALED else official.has(Role.ADMIN)


def rules(runtime: Runtime, official: Official) -> list[Rule]:
    """The commune's rules, with what is usual where nobody has decided."""
    known = days_of(runtime, official.commune_id)
    return [
        Rule(kind, known.get(kind, limits.usual), kind in known, may_change(official, kind))
        for kind, limits in LIMITS.items()
    ]


def dry_run(runtime: Runtime, official: Official, days: Mapping[Kind, int]) -> list[Line]:
    """What would go by these rules now; sealed reports are counted for their readers only. NotAllowed."""
    check(_with_usual(runtime, official, days))
    kinds = [
        kind
        for kind in WAYS
        if rule_of(kind) in days and kind not in BY_ITSELF and (kind not in OF_SEALED or sees_sealed(official))
    ]
    return count_due(runtime, official.commune_id, {kind: days[rule_of(kind)] for kind in kinds})


def count_due(runtime: Runtime, commune_id: int, days: Mapping[Kind, int]) -> list[Line]:
    """How many rows of each kind are over, and from when."""
    now, lines = runtime.now(), []
    with runtime.database.reading() as session:
        for kind, given in days.items():
            due = WAYS[kind].due(_over(commune_id, now, given)).subquery()
            number, at = due.c
            row = session.execute(sa.select(sa.func.count(number), sa.func.min(at), sa.func.max(at))).one()
            lines.append(Line(kind, given, *row))
    return lines


def seal_of(runtime: Runtime, days: Mapping[Kind, int]) -> str:
    """What proves that exactly these rules were tried before they are kept."""
    return runtime.digest("retention", json.dumps(sorted((kind.value, given) for kind, given in days.items())))


def keep(runtime: Runtime, official: Official, days: Mapping[Kind, int], seal: str) -> None:
    """Keep the rules that were tried. NotAllowed when they were not, or do not fit together; Forbidden."""
    if any(not may_change(official, kind) for kind in days):
        raise Forbidden
    if seal != seal_of(runtime, days):
        raise NotAllowed("not_tried", "Quy định đã đổi sau khi chạy thử. Anh/Chị chạy thử lại rồi mới lưu.")
    check(_with_usual(runtime, official, days))
    now = runtime.now()
    with runtime.database.transaction() as session:
        one_change_at_a_time(session, official.commune_id)
        known = {row.kind: row for row in session.scalars(_rows(official.commune_id))}
        for kind, given in days.items():
            row = known.get(kind.value)
            if row is None:
                row = RetentionRule(commune_id=official.commune_id, kind=kind.value, days=given)
                session.add(row)
            row.days, row.changed_at, row.changed_by_id = given, now, official.id
            audit(session, official, SETTLED, f"retention:{kind.value}", now, days=given)


def runs(runtime: Runtime, official: Official, *, before: int | None = None, most: int = AT_ONCE) -> list[RetentionRun]:
    """What went, the latest first; runs over what is sealed are shown to its readers only."""
    query = sa.select(RetentionRun).where(RetentionRun.commune_id == official.commune_id, RetentionRun.count > 0)
    if before is not None:
        query = query.where(RetentionRun.id < before)
    if not sees_sealed(official):
        query = query.where(RetentionRun.kind.not_in([kind.value for kind in OF_SEALED]))
    query = query.where(RetentionRun.kind.not_in([kind.value for kind in BY_ITSELF]))
    with runtime.database.reading() as session:
        return list(session.scalars(query.order_by(RetentionRun.id.desc()).limit(most)))


# ---- the sweep ------------------------------------------------------------------------------------------------------


def keep_rules(runtime: Runtime, *, budget_seconds: float = 0.5) -> int:
    """Go on with what is running, a batch at a time, as long as there is time; gives how many rows went."""
    end, did = time.monotonic() + budget_seconds, 0
    with runtime.database.reading() as session:
        numbers = list(
            session.scalars(sa.select(RetentionRun.id).where(RetentionRun.ended_at.is_(None)).order_by(RetentionRun.id))
        )
    for number in numbers:
        while time.monotonic() < end:
            went = _batch(runtime, number)
            if went is None:
                break
            did += went
    return did


def begin_due(runtime: Runtime, commune_id: int | None = None, *, at_once: bool = False) -> int:
    """Begin a run for each rule that has not been looked after for most of a day, or `at_once`; gives how many."""
    begun = 0
    with runtime.database.reading() as session:
        ruled = set(session.scalars(sa.select(RetentionRule.commune_id).distinct()))
        ruled |= set(session.scalars(sa.select(Ticket.commune_id).where(Ticket.accuses_leaders.is_(True)).distinct()))
    for one in sorted(ruled) if commune_id is None else [commune_id]:
        with runtime.database.transaction() as session:
            one_change_at_a_time(session, one)
            begun += _begin(session, one, runtime.now(), at_once=at_once)
            _forget_empty_runs(session, one)
    return begun


def _begin(session: Session, commune_id: int, now: datetime, *, at_once: bool) -> int:
    days, begun = _days(session, commune_id) | {Kind.LEADERS: leaders_days(session, commune_id)}, 0
    latest = {run.kind: run for run in session.scalars(
        sa.select(RetentionRun).where(RetentionRun.commune_id == commune_id).order_by(RetentionRun.id)
    )}  # fmt: skip
    for kind in WAYS:
        given, last = days.get(rule_of(kind)), latest.get(kind.value)
        is_fresh = last is not None and last.began_at > now - EVERY and not at_once
        if given is None or is_fresh or (last is not None and last.ended_at is None):
            continue
        before = now - timedelta(days=given)
        start = hashlib.sha256(f"{kind.value}:{commune_id}:{before.isoformat()}".encode()).hexdigest()
        run = RetentionRun(commune_id=commune_id, kind=kind.value, days=given, before=before, began_at=now)
        run.digest = start
        session.add(run)
        begun += 1
    session.flush()
    return begun


def run_all(runtime: Runtime, commune_id: int) -> list[RetentionRun]:
    """Keep all rules of a commune now, to the end; gives the runs in which something went."""
    begin_due(runtime, commune_id, at_once=True)
    mine = sa.select(RetentionRun).where(RetentionRun.commune_id == commune_id)
    with runtime.database.reading() as session:
        numbers = list(session.scalars(mine.where(RetentionRun.ended_at.is_(None)).with_only_columns(RetentionRun.id)))
    for number in numbers:
        while _batch(runtime, number) is not None:
            pass
    with runtime.database.reading() as session:
        return list(session.scalars(mine.where(RetentionRun.id.in_(numbers), RetentionRun.count > 0)))


def _batch(runtime: Runtime, number: int) -> int | None:
    """Let the next rows of a run go; None when there are no more, and the run is over."""
    with runtime.database.reading() as session:
        run = session.get_one(RetentionRun, number)
        if run.ended_at is not None:
            return None
        chosen = _next(session, run, runtime.now())  # the long look is outside of any lock
    if not chosen:
        _end(runtime, number)
        return None
    with runtime.database.transaction() as session:
        run = session.scalars(sa.select(RetentionRun).where(RetentionRun.id == number).with_for_update()).one()
        if run.ended_at is not None or run.reached_id >= max(chosen):
            return 0  # somebody else was faster
        if WAYS[Kind(run.kind)].locks:
            session.scalars(sa.select(Ticket.id).where(Ticket.id.in_(chosen)).with_for_update()).all()
        batch = Batch(runtime, session, commune_book(session, run.commune_id), runtime.now())
        still = _next(session, run, runtime.now(), among=list(chosen))
        if still:
            WAYS[Kind(run.kind)].empty(batch, list(still))
        for row_id, at in sorted(still.items()):
            run.digest = hashlib.sha256(f"{run.digest}{row_id}".encode()).hexdigest()
            run.oldest_at, run.newest_at = min(run.oldest_at or at, at), max(run.newest_at or at, at)
        run.count += len(still)
        run.reached_id = max(chosen)
        if batch.tickets or batch.deliveries:
            _write(session, run, EXPIRY, batch.now, tickets=batch.tickets, deliveries=batch.deliveries)
        nudges = set(batch.nudges)
    for job in nudges:
        runtime.nudge(job)
    return len(still)


def _next(session: Session, run: RetentionRun, now: datetime, among: list[int] | None = None) -> dict[int, datetime]:
    way = WAYS[Kind(run.kind)]
    query = way.due(Over(run.commune_id, run.before, now - timedelta(days=DISPUTED_DAYS)))
    number = query.selected_columns[0]
    query = query.where(number > run.reached_id) if among is None else query.where(number.in_(among))
    return {row_id: at for row_id, at in session.execute(query.order_by(number).limit(way.at_once))}  # noqa: C416


def _end(runtime: Runtime, number: int) -> None:
    with runtime.database.transaction() as session:
        run = session.scalars(sa.select(RetentionRun).where(RetentionRun.id == number).with_for_update()).one()
        if run.ended_at is not None:
            return
        run.ended_at = runtime.now()
        kind, count = Kind(run.kind), run.count
        if count:
            _write(session, run, RAN, run.ended_at, count=count, digest=run.digest, days=run.days)
    if count:
        log.info("retention.ran", kind=kind.value, count=count, run_id=number)
        if kind in TEACHING:
            forget(runtime, has_lessons=True)
        runtime.database.forget_log()


def _write(session: Session, run: RetentionRun, action: str, at: datetime, **data: object) -> None:
    session.add(
        AuditEntry(
            commune_id=run.commune_id, at=at, action=action, target=f"retention_run:{run.id}",
            data={"kind": run.kind, **data},
        )
    )  # fmt: skip


def _forget_empty_runs(session: Session, commune_id: int) -> None:
    """Runs that found nothing prove nothing; the latest of each kind tells when it was last looked."""
    last = sa.select(sa.func.max(RetentionRun.id)).where(RetentionRun.commune_id == commune_id)
    session.execute(
        sa.delete(RetentionRun).where(
            RetentionRun.commune_id == commune_id,
            RetentionRun.count == 0,
            RetentionRun.ended_at.is_not(None),
            RetentionRun.id.not_in(last.group_by(RetentionRun.kind)),
        )
    )


def _over(commune_id: int, now: datetime, days: int) -> Over:
    return Over(commune_id, now - timedelta(days=days), now - timedelta(days=DISPUTED_DAYS))


def _rows(commune_id: int) -> sa.Select[tuple[RetentionRule]]:
    return sa.select(RetentionRule).where(RetentionRule.commune_id == commune_id)


def _days(session: Session, commune_id: int) -> dict[Kind, int]:
    return {Kind(row.kind): row.days for row in session.scalars(_rows(commune_id))}


def _with_usual(runtime: Runtime, official: Official, days: Mapping[Kind, int]) -> dict[Kind, int]:
    """All rules as they would be, those that stand and are not changed included."""
    return days_of(runtime, official.commune_id) | dict(days)
