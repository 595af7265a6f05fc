"""Named readers: the two people of a commune, at most, who read what is sealed (domain §8.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from bot.access import Forbidden, NotFound
from bot.rules.lifecycle import NotAllowed
from bot.runtime import Runtime
from bot.usecases.officials import MOST_READERS, OfficialError, must_have_room, readers_of
from storage.agencies import Agency
from storage.audit import AuditEntry
from storage.communes import Commune, one_change_at_a_time
from storage.enums import Role
from storage.officials import Official

__all__ = ["MOST_READERS", "list_readers", "name_reader", "withdraw_reader"]

NAMERS = (Role.LEADER, Role.ADMIN)
NAMED, WITHDRAWN, ADDED = "official.named_reader", "official.withdrawn_reader", "official.added"
LATEST_CHANGES = 20


@dataclass(frozen=True)
class Change:
    """Somebody was named, or is no reader any more; `by` is empty when it was done on the server."""

    at: datetime
    name: str
    by: str
    is_naming: bool


@dataclass(frozen=True)
class Reader:
    """A named reader with the change that made them one; None when nothing tells of it."""

    official: Official
    agency: str
    since: Change | None


@dataclass(frozen=True)
class Readers:
    """What the page of named readers shows. `others`: who could be named, by this official."""

    named: list[Reader]
    others: list[tuple[int, str]]
    changes: list[Change]

    @property
    def room(self) -> int:
        """How many more may be named."""
        return max(0, MOST_READERS - len(self.named))


def open_readers(runtime: Runtime, official: Official) -> Readers:
    """Who reads what is sealed in the official's commune, since when and by whose word."""
    with runtime.database.reading() as session:
        changes = _changes(session, official.commune_id)
        named = readers_of(session, official.commune_id)
        query = sa.select(Agency.id, Agency.name).where(Agency.commune_id == official.commune_id)
        agencies = dict(session.execute(query).tuples().all())
        active = sa.select(Official).where(Official.commune_id == official.commune_id, Official.is_active.is_(True))
        known = {one.id for one in named} | {official.id}
        others = [one for one in session.scalars(active.order_by(Official.name)) if one.id not in known]
    return Readers(
        [Reader(one, agencies.get(one.agency_id or 0, ""), _since(changes, one)) for one in named],
        [(one.id, f"{one.name} ({_of(agencies, one)})") for one in others],
        [change for _, change in changes][:LATEST_CHANGES],
    )


def _of(agencies: dict[int, str], official: Official) -> str:
    unit = agencies.get(official.agency_id or 0)
    return f"{official.username}, {unit}" if unit else official.username


def name(runtime: Runtime, by: Official, official_id: int, address: str) -> None:
    """A leader or administrator names a colleague, never themselves. Forbidden, NotFound, NotAllowed."""
    with runtime.database.transaction() as session:
        official = _colleague(session, by, official_id)
        if official.id == by.id:
            raise NotAllowed(
                "not_oneself", "Không ai tự giao mật cho mình được. Cần một lãnh đạo hay quản trị khác làm."
            )
        if not official.is_active:
            raise NotFound
        try:
            _name(session, runtime, official, by, address)
        except OfficialError:
            raise NotAllowed(
                "full", "Đã có đủ %(most)s người được giao mật. Cần thôi giao mật một người trước.", most=MOST_READERS
            ) from None


def withdraw(runtime: Runtime, by: Official, official_id: int, address: str) -> None:
    """A leader or administrator takes it back, from themselves too. Forbidden, NotFound."""
    with runtime.database.transaction() as session:
        _withdraw(session, runtime, _colleague(session, by, official_id), by, address)


def list_readers(runtime: Runtime, commune: str) -> list[Official]:
    """Who reads what is sealed in a commune."""
    with runtime.database.reading() as session:
        found = session.scalar(sa.select(Commune.id).where(Commune.slug == commune))
        if found is None:
            raise OfficialError(f"Không có xã nào mang mã {commune!r}. Xem danh sách: haichieu commune list.")
        return readers_of(session, found)


def name_reader(runtime: Runtime, username: str) -> None:
    """The commune names this official to read what is sealed, leader or not; OfficialError when two are named."""
    with runtime.database.transaction() as session:
        _name(session, runtime, _official(session, username))


def withdraw_reader(runtime: Runtime, username: str) -> None:
    """From now on this official does not see what is sealed."""
    with runtime.database.transaction() as session:
        _withdraw(session, runtime, _official(session, username))


def _name(
    session: Session, runtime: Runtime, official: Official, by: Official | None = None, address: str | None = None
) -> None:
    if official.has(Role.SEALED_READER):
        return
    must_have_room(session, official.commune_id)
    official.roles = [*official.roles, Role.SEALED_READER.value]
    _write_down(session, runtime, official, NAMED, by, address)


def _withdraw(
    session: Session, runtime: Runtime, official: Official, by: Official | None = None, address: str | None = None
) -> None:
    if not official.has(Role.SEALED_READER):
        return
    official.roles = [role for role in official.roles if role != Role.SEALED_READER.value]
    _write_down(session, runtime, official, WITHDRAWN, by, address)


def _official(session: Session, username: str) -> Official:
    found = session.scalar(sa.select(Official).where(Official.username == username.strip().lower()))
    if found is None:
        raise OfficialError(f"Không có cán bộ nào mang tên đăng nhập {username!r}.")
    return _alone(session, found)


def _colleague(session: Session, by: Official, official_id: int) -> Official:
    if not by.has(*NAMERS):
        raise Forbidden
    found = session.get(Official, official_id)
    if found is None or found.commune_id != by.commune_id:
        raise NotFound
    return _alone(session, found)


def _alone(session: Session, official: Official) -> Official:
    """The official as they are now that nobody else changes who reads what is sealed."""
    one_change_at_a_time(session, official.commune_id)
    query = sa.select(Official).where(Official.id == official.id)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one()


def _write_down(
    session: Session, runtime: Runtime, official: Official, action: str, by: Official | None, address: str | None
) -> None:
    session.add(
        AuditEntry(
            commune_id=official.commune_id, official_id=by.id if by else None, at=runtime.now(), action=action,
            target=f"official:{official.id}", address=address, data={},
        )
    )  # fmt: skip


def _changes(session: Session, commune_id: int) -> list[tuple[int, Change]]:
    """Who was named or withdrawn, by the number of the official, the latest first."""
    whose, by = aliased(Official), aliased(Official)
    target = sa.literal("official:").concat(sa.cast(whose.id, sa.String))
    query = (
        sa.select(AuditEntry, whose, by.name)
        .join(whose, target == AuditEntry.target)
        .outerjoin(by, by.id == AuditEntry.official_id)
        .where(AuditEntry.commune_id == commune_id, AuditEntry.action.in_((NAMED, WITHDRAWN, ADDED)))
        .order_by(AuditEntry.id.desc())
    )
    return [
        (one.id, Change(entry.at, one.name, who or "", entry.action != WITHDRAWN))
        for entry, one, who in session.execute(query)
        if entry.action != ADDED or Role.SEALED_READER.value in entry.data.get("roles", ())
    ]


def _since(changes: list[tuple[int, Change]], official: Official) -> Change | None:
    return next((change for number, change in changes if number == official.id and change.is_naming), None)
