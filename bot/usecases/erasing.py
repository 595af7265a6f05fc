"""Erasing: a file goes when no row names it any more, and not before, whoever keeps the same bytes meanwhile.

Rows decide, in two steps: one transaction says that a file is going (from then on nobody can name it), then the bytes
are removed outside of any lock, then the file is forgotten. A crash in between is taken up where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import structlog

from bot.runtime import Runtime
from bot.stores import Disk, StoreAway
from storage.blobs import begin_to_erase, forget, let_go_of, named_by_no_row, put_off

log = structlog.get_logger()

# Between keeping a file and naming it lie moments; what nobody has named after an hour, nobody will.
UNNAMED_FOR = timedelta(hours=1)
AT_ONCE = 100
REST = timedelta(minutes=1)


def erase_let_go(runtime: Runtime) -> int:
    """Erase files that rows have let go of; gives for how many it is settled whether they stay."""
    with runtime.database.reading() as session:
        names = let_go_of(session, runtime.now(), AT_ONCE)
    return erase(runtime, names)


def erase_unnamed(runtime: Runtime) -> int:
    """Erase files that were kept an hour ago and that no row names: whoever kept them died before they did."""
    before = runtime.now() - UNNAMED_FOR
    with runtime.database.reading() as session:
        names = named_by_no_row(session, before)
    store = runtime.blobs.store
    if isinstance(store, Disk):
        store.forget_parts(before.timestamp())
    return erase(runtime, names)


def erase(runtime: Runtime, names: Iterable[str]) -> int:
    """Erase each of these files unless a row names it; gives for how many that is settled."""
    settled = 0
    for name in names:
        with runtime.database.transaction() as session:
            is_going = begin_to_erase(session, name, runtime.now())
        if is_going and not _erased(runtime, name):
            return settled
        settled += 1
    return settled


def _erased(runtime: Runtime, name: str) -> bool:
    try:
        runtime.blobs.remove(name)
    except StoreAway as error:
        log.warning("blob.not_erased", code=error.code)
        with runtime.database.transaction() as session:
            put_off(session, name, runtime.now() + REST)
        return False
    with runtime.database.transaction() as session:
        forget(session, name)
    log.info("blob.erased", blob=name[:12])
    return True
