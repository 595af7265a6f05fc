"""The loudspeakers at work: what is due is played, an emergency goes before everything, and each one reports."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from bot.web.sandbox.loudspeakers import memory
from bot.web.sandbox.loudspeakers.conventions import EMERGENCY, ORDINARY, PRIORITY, VIETNAM
from bot.web.sandbox.loudspeakers.memory import BROKEN, SILENT, Received

PLAYED, SHOWN = "played", "shown"
REASON = "Cụm loa không phát ra tiếng"
_LEAST_SECONDS = 20
_RANKS = {EMERGENCY: 3, PRIORITY: 2, ORDINARY: 1}


def take(db: sqlite3.Connection, account: str, one: Received, now: int) -> bool:
    """Take a bulletin in; an emergency plays as it comes. False when it is known."""
    is_new = memory.keep(db, account, one, now)
    if is_new and one.urgency == EMERGENCY:
        memory.add_play(db, account, one.key, now, now + _length(one.seconds))
        play_due(db, account, now)
    return is_new


def plan(
    db: sqlite3.Connection, account: str, key: str, days: Iterable[date], slots: Iterable[tuple[time, time]]
) -> int:
    """Let it play at each of these times on each of these days; gives how many plays are new."""
    moments = [(_at(day, begin), _at(day, end)) for day in days for begin, end in slots]
    return sum(memory.add_play(db, account, key, begin, end) for begin, end in moments)


def play_due(db: sqlite3.Connection, account: str, until: int) -> int:
    """Play everything whose time has come; gives how many plays there were."""
    due = db.execute(
        "SELECT p.*, b.urgency, b.targets FROM loa_plays p JOIN loa_bulletins b USING (account, key)"
        " WHERE p.account = ? AND p.played = 0 AND b.cancelled_ms = 0 AND p.begin_ms <= ? ORDER BY p.begin_ms, p.id",
        (account, until),
    ).fetchall()
    played = 0
    for play in due:
        end = _emergency_until(db, account, play)
        if end > play["begin_ms"]:
            later = (end, end + play["end_ms"] - play["begin_ms"], play["id"])
            db.execute("UPDATE loa_plays SET begin_ms = ?, end_ms = ? WHERE id = ?", later)
            if end > until:
                continue
        _play(db, account, play, max(end, play["begin_ms"]))
        played += 1
    return played


def show(db: sqlite3.Connection, account: str, key: str, title: str, text: str, until: int, now: int) -> bool:
    """Put it on the board, which says so. False when it stands there already."""
    is_new = memory.keep_board(db, account, key, title, text, until, now)
    if is_new:
        memory.report(db, account, key, memory.BOARD, now, SHOWN)
    return is_new


def playing(db: sqlite3.Connection, account: str, now: int) -> dict[str, Any] | None:
    """What is on the air, the most urgent if several are."""
    rows = db.execute(
        "SELECT b.*, p.begin_ms, p.end_ms FROM loa_plays p JOIN loa_bulletins b USING (account, key)"
        " WHERE p.account = ? AND p.begin_ms <= ? AND p.end_ms > ? AND b.cancelled_ms = 0",
        (account, now, now),
    ).fetchall()
    return dict(max(rows, key=lambda row: _RANKS[row["urgency"]])) if rows else None


def _play(db: sqlite3.Connection, account: str, play: sqlite3.Row, begin: int) -> None:
    targets = set(json.loads(play["targets"]))
    for cluster in memory.clusters(db, account):
        if (targets and cluster["id"] not in targets) or cluster["fate"] == SILENT:
            continue
        reason = REASON if cluster["fate"] == BROKEN else ""
        memory.report(db, account, play["key"], cluster["id"], begin, PLAYED, reason=reason)
    db.execute("UPDATE loa_plays SET played = 1 WHERE id = ?", (play["id"],))


def _emergency_until(db: sqlite3.Connection, account: str, play: sqlite3.Row) -> int:
    """Until when an emergency has the loudspeakers at that moment; 0: none has."""
    if play["urgency"] == EMERGENCY:
        return 0
    row = db.execute(
        "SELECT max(p.end_ms) AS end FROM loa_plays p JOIN loa_bulletins b USING (account, key) WHERE p.account = ?"
        " AND b.urgency = ? AND b.cancelled_ms = 0 AND p.begin_ms <= ? AND p.end_ms > ?",
        (account, EMERGENCY, play["begin_ms"], play["begin_ms"]),
    ).fetchone()
    return int(row["end"] or 0)


def _length(seconds: int) -> int:
    return max(seconds, _LEAST_SECONDS) * 1000


def _at(day: date, clock: time) -> int:
    return int(datetime.combine(day, clock, VIETNAM).timestamp() * 1000)
