"""Places: the commune's own list of names, looked through, corrected one by one, or brought in as a table."""

from __future__ import annotations

import hashlib
import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.access import Forbidden, NotFound, audit
from bot.rules.place_list import (
    ALIASES_AT_MOST,
    COLUMNS,
    ROWS_AT_MOST,
    Comparison,
    Entry,
    RowProblem,
    Table,
    clean_entry,
    compare,
    in_order,
    is_settlement,
    problem_of,
    read_table,
)
from bot.rules.spreadsheet import table
from bot.runtime import Runtime
from bot.usecases.problems import Problem
from nlp.normalise import fold
from storage.communes import Commune, Place
from storage.enums import Role
from storage.officials import Official

log = structlog.get_logger()

KEEPERS = (Role.ADMIN, Role.LEADER)
PAGE = 100
_TEMPLATE = (
    ("Thôn Đông", "thôn", "xóm Đông|làng Đông", ""),
    ("Tổ 3", "tổ dân phố", "", "Khu phố 1"),
    ("Đường Lê Lợi", "đường", "đường Chợ Cũ", ""),
    ("Trường Tiểu học Kim Đồng", "trường", "", ""),
    ("Chợ Mới", "chợ", "chợ Chiều", ""),
)
# A list in use can be downloaded and uploaded again; retired places are kept for their reports.
IN_USE_AT_MOST, IN_ALL_AT_MOST = ROWS_AT_MOST, 20_000
# What comes back from a form may not unfold to more than any list can be.
_UNFOLDED_AT_MOST = 3_000_000


class PlaceProblem(Problem):
    """What was asked of the list of places cannot be done."""


@dataclass(frozen=True)
class Listing:
    """A page of the list: `found` rows match in all; `active` and `retired` count the whole list."""

    places: list[Place]
    found: int
    active: int
    retired: int
    kinds: list[str]


@dataclass(frozen=True)
class Preview:
    """What a table would change, by name, before anything is changed; `seen` names the list it was compared with."""

    table: Table
    comparison: Comparison
    before: dict[int, Entry]
    retired: frozenset[int]
    seen: str


def listing(
    runtime: Runtime, official: Official, *, search: str = "", is_retired: bool = False, page: int = 1
) -> Listing:
    """The commune's places whose name, other name, kind or parent holds these words, with or without accents."""
    _must(official)
    with runtime.database.reading() as session:
        every = list(session.scalars(_places_of(official)))
    shown = [place for place in every if place.is_active is not is_retired]
    words = fold(search).split()
    found = [place for place in shown if all(word in _searchable(place) for word in words)]
    found.sort(key=lambda place: (fold(place.kind), in_order(place.name), fold(place.parent)))
    first = (max(page, 1) - 1) * PAGE
    active = sum(place.is_active for place in every)
    kinds = sorted({place.kind for place in every if place.kind}, key=fold)
    return Listing(found[first : first + PAGE], len(found), active, len(every) - active, kinds)


def settlements(runtime: Runtime, commune_id: int) -> list[Place]:
    """The commune's places where people live, in the order people expect."""
    query = sa.select(Place).where(Place.commune_id == commune_id, Place.is_active)
    with runtime.database.reading() as session:
        return sorted((p for p in session.scalars(query) if is_settlement(p.kind)), key=lambda p: in_order(p.name))


def find(runtime: Runtime, official: Official, place_id: int) -> Place:
    """One of the commune's places; NotFound when there is none with this number."""
    _must(official)
    with runtime.database.reading() as session:
        return _found(session, official, place_id)


def fingerprint(entries: object) -> str:
    """A short mark that changes with what it is made of; tells whether somebody else changed it meanwhile."""
    return hashlib.sha256(repr(entries).encode()).hexdigest()[:32]


def state_of(place: Place) -> str:
    """The mark of a place as it stands."""
    return fingerprint((_entry(place), place.is_active))


def add(runtime: Runtime, official: Official, *, name: str, kind: str, aliases: str, parent: str) -> int:
    """Add a place; gives its number. PlaceProblem when it is incomplete or there is one like it."""
    entry = _good(clean_entry(name, kind, aliases, parent))
    with runtime.database.transaction() as session:
        _lock(session, official)
        _must_be_new(session, official, entry)
        place = _new(session, official, entry)
        session.flush()
        _must_fit(session, official)
        _write_down(session, runtime, official, "place.added", f"place:{place.id}", name=entry.name)
        return place.id


def edit(
    runtime: Runtime, official: Official, place_id: int, *, seen: str, name: str, kind: str, aliases: str, parent: str
) -> None:
    """Correct a place; `seen` is the mark of the state that was corrected."""
    entry = _good(clean_entry(name, kind, aliases, parent))
    with runtime.database.transaction() as session:
        _lock(session, official)
        place = _found(session, official, place_id)
        if state_of(place) != seen:
            raise PlaceProblem(
                "Địa danh này vừa được người khác sửa nên chưa lưu. Vui lòng mở lại, xem bản mới rồi sửa tiếp."
            )
        _must_be_new(session, official, entry, besides=place.id)
        before = place.name
        _take(place, entry)
        _write_down(session, runtime, official, "place.edited", f"place:{place.id}", before=before, name=entry.name)


def set_active(runtime: Runtime, official: Official, place_id: int, *, is_active: bool) -> None:
    """Retire a place, so that messages are no longer read as naming it, or bring it back; its reports keep it."""
    _must(official)
    with runtime.database.transaction() as session:
        _lock(session, official)
        place = _found(session, official, place_id)
        if place.is_active is is_active:
            return
        place.is_active = is_active
        session.flush()
        if is_active:
            _must_fit(session, official)
        action = "place.restored" if is_active else "place.retired"
        _write_down(session, runtime, official, action, f"place:{place.id}", name=place.name)


def preview(runtime: Runtime, official: Official, data: bytes) -> Preview:
    """What a file would change; nothing is."""
    _must(official)
    found = read_table(data)
    with runtime.database.reading() as session:
        places = list(session.scalars(_places_of(official)))
    return _preview(found, places)


def packed(entries: Iterable[Entry]) -> str:
    """Checked rows as one line of letters, to be handed back with a person's yes."""
    rows = [(e.name, e.kind, e.aliases, e.parent) for e in entries]
    return b64encode(zlib.compress(json.dumps(rows, ensure_ascii=False).encode(), 9)).decode()


def confirm(runtime: Runtime, official: Official, rows: str, *, seen: str, retire_missing: bool) -> Comparison:
    """Make the list what the table says; what it leaves out stays, unless it is to be retired.

    PlaceProblem when the list is no longer the one that was compared with, or the rows are not as `packed` gave them.
    """
    _must(official)
    entries = _unpacked(rows)
    with runtime.database.transaction() as session:
        _lock(session, official)
        places = {place.id: place for place in session.scalars(_places_of(official))}
        looked = _preview(Table(tuple(entries)), list(places.values()))
        if looked.seen != seen:
            raise PlaceProblem(
                "Danh sách vừa được người khác sửa nên chưa lưu gì. Vui lòng tải tệp lên lại để xem thay đổi mới."
            )
        changes, in_use = looked.comparison, len(places) - len(looked.retired)
        for number, entry in changes.changed:
            _take(places[number], entry)
            places[number].is_active = True
        for entry in changes.new:
            _new(session, official, entry)
        if retire_missing:
            for number in changes.missing:
                places[number].is_active = False
        session.flush()
        _must_fit(session, official, in_use)
        counts = {"new": len(changes.new), "changed": len(changes.changed), "unchanged": len(changes.unchanged)}
        counts["retired"] = len(changes.missing) if retire_missing else 0
        _write_down(session, runtime, official, "places.uploaded", f"commune:{official.commune_id}", **counts)
    log.info("places.uploaded", commune_id=official.commune_id, official_id=official.id, **counts)
    return changes


def export(runtime: Runtime, official: Official) -> str:
    """The list in use as a CSV file, in the form that can be uploaded again."""
    _must(official)
    with runtime.database.reading() as session:
        places = [place for place in session.scalars(_places_of(official)) if place.is_active]
    rows = [(p.name, p.kind, "|".join(p.aliases), p.parent) for p in places]
    return table([COLUMNS, *rows])


def template() -> str:
    """A CSV file to start from."""
    return table([COLUMNS, *_TEMPLATE])


def _preview(found: Table, places: list[Place]) -> Preview:
    before = {place.id: _entry(place) for place in places}
    retired = frozenset(place.id for place in places if not place.is_active)
    seen = fingerprint((sorted(before.items()), sorted(retired)))
    return Preview(found, compare(found.entries, before, retired), before, retired, seen)


def _unpacked(rows: str) -> list[Entry]:
    """The rows a person said yes to; checked again, because a form can be sent by hand."""
    bad = PlaceProblem("Bản xem trước không còn dùng được nên chưa lưu gì. Vui lòng tải tệp lên lại.")
    try:
        unfolding = zlib.decompressobj()
        text = unfolding.decompress(b64decode(rows, validate=True), _UNFOLDED_AT_MOST)
        if unfolding.unconsumed_tail or not unfolding.eof:
            raise bad
        found = json.loads(text)
        if not 0 < len(found) <= ROWS_AT_MOST or any(len(aliases) > ALIASES_AT_MOST for _, _, aliases, _ in found):
            raise bad
        entries = [clean_entry(name, kind, tuple(map(str, aliases)), parent) for name, kind, aliases, parent in found]
    except (ValueError, TypeError, zlib.error, RecursionError):
        raise bad from None
    keys = {entry.key for entry in entries}
    if len(keys) != len(entries) or any(problem_of(entry) for entry in entries):
        raise bad
    return entries


def _good(entry: Entry) -> Entry:
    problem = problem_of(entry)
    if problem is not None:
        raise _said(problem)
    return entry


def _said(problem: RowProblem) -> PlaceProblem:
    return PlaceProblem(problem.sentence, **problem.values)


def _must_be_new(session: Session, official: Official, entry: Entry, besides: int | None = None) -> None:
    for place in session.scalars(_places_of(official)):
        if place.id == besides or _entry(place).key != entry.key:
            continue
        if place.is_active:
            raise PlaceProblem("Đã có địa danh “%(ten)s” cùng loại và cùng nơi trực thuộc.", ten=place.name)
        raise PlaceProblem(
            "“%(ten)s” đã có trong các địa danh ngừng dùng. Vui lòng mở danh sách đó và bấm Dùng lại.", ten=place.name
        )


def _must_fit(session: Session, official: Official, before: int = 0) -> None:
    """Refuse what makes the list longer than pages and the reader can bear; what shortens one that is may be done."""
    mine = sa.select(sa.func.count()).where(Place.commune_id == official.commune_id)
    if (session.scalar(mine.where(Place.is_active.is_(True))) or 0) > max(IN_USE_AT_MOST, before):
        raise PlaceProblem(
            "Danh sách chỉ được có %(n)s địa danh đang dùng nên chưa lưu. Vui lòng ngừng dùng bớt rồi làm lại.",
            n=_spelt(IN_USE_AT_MOST),
        )
    if (session.scalar(mine) or 0) > IN_ALL_AT_MOST:
        raise PlaceProblem(
            "Danh sách đã đủ %(n)s địa danh kể cả ngừng dùng nên chưa lưu. Vui lòng sửa địa danh có sẵn.",
            n=_spelt(IN_ALL_AT_MOST),
        )


def _spelt(number: int) -> str:
    return f"{number:_}".replace("_", ".")


def _entry(place: Place) -> Entry:
    return Entry(place.name, place.kind, tuple(place.aliases), place.parent)


def _take(place: Place, entry: Entry) -> None:
    place.name, place.kind, place.aliases, place.parent = entry.name, entry.kind, list(entry.aliases), entry.parent


def _new(session: Session, official: Official, entry: Entry) -> Place:
    place = Place(commune_id=official.commune_id, is_active=True)
    _take(place, entry)
    session.add(place)
    return place


def _places_of(official: Official) -> sa.Select[tuple[Place]]:
    return sa.select(Place).where(Place.commune_id == official.commune_id).order_by(Place.id)


def _found(session: Session, official: Official, place_id: int) -> Place:
    place = session.get(Place, place_id)
    if place is None or place.commune_id != official.commune_id:
        raise NotFound
    return place


def _lock(session: Session, official: Official) -> None:
    """One change of a commune's list at a time; what only refers to the commune, as every new row does, goes on."""
    _must(official)
    session.get_one(Commune, official.commune_id, with_for_update={"key_share": True})


def _must(official: Official) -> None:
    if not official.is_active or not official.has(*KEEPERS):
        raise Forbidden


def _write_down(session: Session, runtime: Runtime, official: Official, action: str, target: str, **data: Any) -> None:
    audit(session, official, action, target, runtime.now(), **data)


def _searchable(place: Place) -> str:
    return fold(" ".join((place.name, place.kind, place.parent, *place.aliases)))
