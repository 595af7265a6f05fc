"""Files of sealed tickets: kept locked, under a name that says nothing of them, as long as their ticket is sealed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.runtime import Runtime
from storage.blobs import let_go, take_hold
from storage.deliveries import Delivery
from storage.messages import Attachment
from storage.papers import Paper, TransferLine
from storage.sealing import KeyLost, is_sealed_file, seals_of

log = structlog.get_logger()

AT_ONCE = 20
# Which rows name files of their own, in which columns; the first is there whenever there is any.
_NAMING: dict[type[Attachment | TransferLine], tuple[str, ...]] = {
    Attachment: ("blob", "sound_blob"),
    TransferLine: ("image_blob",),
}


def read(runtime: Runtime, name: str) -> bytes | None:
    """The bytes of a file for whoever may see its ticket, which the caller has asked; None: no such file. KeyLost."""
    data = runtime.blobs.read(name)
    if data is None or not is_sealed_file(data):
        return data
    with runtime.database.reading() as session:
        return seals_of(session).open_file(session, data)


def keep(runtime: Runtime, commune_id: int, data: bytes) -> str:
    """Store the bytes of a sealed attachment; outside of any transaction. Raises StoreAway."""
    with runtime.database.transaction() as session:
        locked = seals_of(session).seal_file(session, commune_id, data)
    return runtime.blobs.keep(locked)


def has_unsettled(session: Session) -> bool:
    """Whether files stand in plain that must be locked, or the other way round."""
    papers = sa.select(Paper.id).where(Paper.sealed.is_not(None), Paper.blob.is_not(None))
    others = [sa.select(model.id).where(_unsettled(model)) for model in _NAMING]
    return any(session.scalar(q.limit(1)) is not None for q in (*others, papers))


def _unsettled(model: type[Attachment | TransferLine]) -> sa.TextClause:
    return sa.text(f"{_NAMING[model][0]} IS NOT NULL AND (sealed IS NOT NULL) <> is_file_sealed")


@dataclass(frozen=True)
class _Wanted:
    model: type[Attachment | TransferLine]
    id: int
    commune_id: int
    is_sealed: bool
    blobs: tuple[str, ...]


def settle_due(runtime: Runtime) -> int:
    """Lock the files of what was sealed and open those of what is no longer; gives how many rows were settled.

    Raises StoreAway.
    """
    _give_up_papers(runtime)
    with runtime.database.reading() as session:
        wanted = [one for model in _NAMING for one in _wanted(session, model)]
    return sum(_settle(runtime, one) for one in wanted)


def _wanted(session: Session, model: type[Attachment | TransferLine]) -> list[_Wanted]:
    named = [getattr(model, name) for name in _NAMING[model]]
    columns = (model.id, model.commune_id, model.sealed.is_not(None))
    rows = session.execute(sa.select(*columns, *named).where(_unsettled(model)).limit(AT_ONCE)).all()
    return [_Wanted(model, number, of, is_sealed, tuple(filter(None, names))) for number, of, is_sealed, *names in rows]


def _settle(runtime: Runtime, wanted: _Wanted) -> bool:
    made: dict[str, str] = {}
    what = wanted.model.__tablename__
    for name in wanted.blobs:
        try:
            data = read(runtime, name)
        except KeyLost:
            log.error("sealed_file.key_lost", of=what, id=wanted.id)
            return False
        if data is not None:
            made[name] = keep(runtime, wanted.commune_id, data) if wanted.is_sealed else runtime.blobs.keep(data)
    with runtime.database.transaction() as session:
        row: Any = session.get_one(wanted.model, wanted.id, with_for_update=True)
        now = runtime.now()
        named = {name: getattr(row, name) for name in _NAMING[wanted.model]}
        is_as_before = tuple(filter(None, named.values())) == wanted.blobs
        if (row.sealed is not None) is not wanted.is_sealed or not is_as_before:
            let_go(session, made.values(), now)
            return False
        if not all(take_hold(session, name) for name in made.values()):
            return False
        for column, name in named.items():
            setattr(row, column, made.get(name or "", name))
        row.is_file_sealed = wanted.is_sealed
        if isinstance(row, Attachment):
            for old, new in made.items():
                same = (Delivery.message_id == row.message_id, Delivery.image_blob == old)
                session.execute(sa.update(Delivery).where(*same).values(image_blob=new))
        session.flush()
        let_go(session, made, now)
    log.info("sealed_file.settled", of=what, id=wanted.id, is_sealed=wanted.is_sealed)
    return True


def _give_up_papers(runtime: Runtime) -> None:
    """A paper of what was sealed since is made again from its facts, should a reader ask for it; its file goes."""
    with runtime.database.transaction() as session:
        papers = sa.select(Paper).where(Paper.sealed.is_not(None), Paper.blob.is_not(None)).limit(AT_ONCE)
        gone = []
        for paper in session.scalars(papers.with_for_update()):
            gone.append(paper.blob)
            paper.blob = None
        session.flush()
        let_go(session, gone, runtime.now())
