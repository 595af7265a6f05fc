"""What a source system tells: its answers, play logs and heartbeats, read without trusting a type or a spelling."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from adapters._source_types import Wire, read_code
from adapters.loudspeakers import BROKEN, IDLE, Cluster, PlayLog
from adapters.text import printable

MOST_ROWS, LOUDEST = 5_000, 100


def at(data: object, path: str) -> Any:
    """What stands in an answer under this path, None when there is no such place; spelling of case is forgiven."""
    for name in path.split(".") if path else ():
        data = lowered(data).get(name.lower())
    return data


def rows_at(data: object, path: str) -> list[dict[str, Any]]:
    """The objects of a list in an answer, their names in lower case."""
    found = at(data, path)
    return [lowered(row) for row in found[:MOST_ROWS] if isinstance(row, dict)] if isinstance(found, list) else []


def play_log(wire: Wire, row: dict[str, Any]) -> PlayLog | None:
    """A line of the log; None when it does not say what, where and when."""
    bulletin = read_code_long(row.get("bantinid"))
    cluster = read_code_long(row.get("cumloaid")) or read_code_long(row.get("nguonid"))
    moment = wire.read_instant(row.get("thoidiemgui"))
    kind = wire.profile.log_kinds.get(read_code(row.get("loainhatky")))
    value = read_code(row.get("giatri"))
    if not (bulletin and cluster and moment and kind) or value not in {"0", "1"}:
        return None
    return PlayLog(bulletin, cluster, moment, kind, value == "1", printable(str(row.get("mota") or ""), 200))


def cluster(wire: Wire, row: dict[str, Any]) -> Cluster | None:
    """A cluster by its heartbeat; None when it does not say which."""
    number = read_code_long(row.get("cumloaid"))
    if not number:
        return None
    moment: datetime | None = wire.read_instant(row.get("thoidiemgui"))
    state = wire.profile.states.get(read_code(row.get("trangthaihoatdong")), IDLE)
    volume = read_code(row.get("amluong"))
    return Cluster(
        id=number,
        name=_words(row.get("tenthietbi"), 120) or number,
        heard_at=moment,
        is_connected=read_code(row.get("trangthaiketnoi")) in wire.profile.connected,
        state=state if state in {IDLE, BROKEN} or _words(row.get("noidungphat"), 1) else IDLE,
        area=_words(row.get("tendich"), 120),
        volume=int(volume) if volume.isdecimal() and int(volume) <= LOUDEST else None,
        playing=_words(row.get("noidungphat"), 250),
        version=_words(row.get("phienbanungdung"), 40),
    )


def read_code_long(value: object) -> str:
    """An id, which one vendor writes as a number and another as text."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return printable(str(value), 120).strip()


def _words(value: object, most: int) -> str:
    return printable(value, most).strip() if isinstance(value, str) else ""


def lowered(data: object) -> dict[str, Any]:
    """An object with its names in lower case: vendors write NguonID, and NguonId; {} of anything else."""
    return {str(name).lower(): value for name, value in data.items()} if isinstance(data, dict) else {}
