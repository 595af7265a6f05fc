"""Sealing: the words of sealed tickets stand in the database as cipher text only, under a key of their commune.

A row that can hold such words (`Sealable`) has a column `sealed`. While the row is secret, its words are there, locked
together, and the columns they would stand in are empty: whoever forgets to open sees nothing. The session does it, on
the way in (`before_flush`) and, where `open_words` was asked, on the way out. What a row belongs to decides: when a
ticket or a message becomes secret or ceases to be, all that hangs on it follows in the same transaction.

What arrives is locked with the installation's ordinary key from the door on (`Seals.lock_body`), before anybody has
read whether it is secret.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session
from sqlalchemy.orm.attributes import flag_modified, set_committed_value

from storage.base import Base

_NONCE, _NAME = 12, 8
_BODY = b"\x00hc-body1\x00"
_FILE = b"\x00hc-file1\x00"
_SEALS, _OPENS, _CURRENT, _WRAPPED, _TRACES = "seals", "opens", "seal:", "sealed_now", "traces"


class KeyLost(Exception):
    """What was sealed cannot be opened: this machine does not have the key it was sealed with."""


class Look(StrEnum):
    """What a session sees of a sealed row: nothing, its words, or that the key is missing."""

    SHUT = "shut"
    OPEN = "open"
    LOST = "lost"


class SealedKey(Base):
    """A commune's key for sealed words, itself locked with the installation's key for that, which is kept elsewhere.

    `name` is by chance, so that a key of a transaction that was rolled back is never taken for another.
    """

    __tablename__ = "sealed_keys"

    name: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    commune_id: Mapped[int] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    wrapped: Mapped[bytes]
    made_at: Mapped[datetime]


class Seals:
    """The keys of this installation: the first of each kind locks, all of them open."""

    def __init__(self, sealed_keys: Callable[[], Sequence[str]], door_keys: Sequence[bytes]) -> None:
        self._sealed_keys = sealed_keys
        self._door = [AESGCM(key) for key in door_keys]
        self._known: dict[str, AESGCM] = {}

    @cached_property
    def _wrappers(self) -> list[AESGCM]:
        return [AESGCM(hashlib.sha256(b"haichieu-sealed:" + key.encode()).digest()) for key in self._sealed_keys()]

    def lock_body(self, body: bytes) -> bytes:
        """What came through the door, locked with the installation's ordinary key; nothing stays nothing."""
        return self.lock_bodies([body])[0]

    def lock_bodies(self, bodies: Sequence[bytes]) -> list[bytes]:
        """What came through the door, each locked by itself.

        Chance is drawn once for all: each draw lets go of the interpreter, for which a busy door's threads queue.
        """
        chance, lock = secrets.token_bytes(_NONCE * len(bodies)), self._door[0].encrypt
        nonces = (chance[at : at + _NONCE] for at in range(0, len(chance), _NONCE))
        return [
            b"".join((_BODY, nonce, lock(nonce, body, _BODY))) if body else body
            for nonce, body in zip(nonces, bodies, strict=True)
        ]

    def open_body(self, body: bytes) -> bytes:
        """What came through the door; an event of an earlier release is as it was. KeyLost."""
        if not body.startswith(_BODY):
            return body
        return _decrypt(self._door, body[len(_BODY) :], _BODY)

    def seal(self, session: Session, commune_id: int, data: bytes, purpose: str) -> bytes:
        """Lock with the commune's key, which is made when there is none that this installation can use."""
        name, key = self._current(session, commune_id)
        return bytes.fromhex(name) + _encrypt(key, data, purpose.encode())

    def open(self, session: Session, sealed: bytes, purpose: str) -> bytes:
        """What was locked for this purpose. KeyLost."""
        key = self._key(session, sealed[:_NAME].hex())
        return _decrypt([key], sealed[_NAME:], purpose.encode())

    def seal_file(self, session: Session, commune_id: int, data: bytes) -> bytes:
        """The bytes of a sealed attachment as they are kept."""
        return _FILE + self.seal(session, commune_id, data, "file")

    def open_file(self, session: Session, data: bytes) -> bytes:
        """The bytes of an attachment; one that is not sealed is as it was. KeyLost."""
        return self.open(session, data[len(_FILE) :], "file") if is_sealed_file(data) else data

    def rewrap(self, session: Session) -> tuple[int, int]:
        """Lock every commune's key with today's first key; gives how many were, and how many cannot be opened."""
        done = lost = 0
        for row in session.scalars(sa.select(SealedKey)):
            try:
                key = _decrypt(self._wrappers, row.wrapped, row.name.encode())
            except KeyLost:
                lost += 1
                continue
            row.wrapped = _encrypt(self._wrappers[0], key, row.name.encode())
            done += 1
        return done, lost

    def _current(self, session: Session, commune_id: int) -> tuple[str, AESGCM]:
        found: tuple[str, AESGCM] | None = session.info.get(f"{_CURRENT}{commune_id}")
        if found is not None:
            return found
        query = sa.select(SealedKey.name, SealedKey.wrapped).where(SealedKey.commune_id == commune_id)
        for name, wrapped in session.connection().execute(query.order_by(SealedKey.made_at.desc(), SealedKey.name)):
            try:
                found = name, self._unwrapped(name, wrapped)
                break
            except KeyLost:
                continue
        session.info[f"{_CURRENT}{commune_id}"] = found = found or self._make(session, commune_id)
        return found

    def _make(self, session: Session, commune_id: int) -> tuple[str, AESGCM]:
        key, name = secrets.token_bytes(32), secrets.token_hex(_NAME)
        wrapped = _encrypt(self._wrappers[0], key, name.encode())
        row = {"name": name, "commune_id": commune_id, "wrapped": wrapped, "made_at": datetime.now(UTC)}
        session.connection().execute(sa.insert(SealedKey).values(**row))
        return name, self._unwrapped(name, wrapped)

    def _key(self, session: Session, name: str) -> AESGCM:
        if name not in self._known:
            query = sa.select(SealedKey.wrapped).where(SealedKey.name == name)
            wrapped = session.connection().execute(query).scalar()
            if wrapped is None:
                raise KeyLost
            return self._unwrapped(name, wrapped)
        return self._known[name]

    def _unwrapped(self, name: str, wrapped: bytes) -> AESGCM:
        if name not in self._known:
            self._known[name] = AESGCM(_decrypt(self._wrappers, bytes(wrapped), name.encode()))
        return self._known[name]


def is_sealed_file(data: bytes) -> bool:
    """Whether bytes in the store are locked with a commune's key."""
    return data.startswith(_FILE)


def _encrypt(key: AESGCM, data: bytes, purpose: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + key.encrypt(nonce, data, purpose)


def _decrypt(keys: Iterable[AESGCM], data: bytes, purpose: bytes) -> bytes:
    for key in keys:
        try:
            return key.decrypt(data[:_NONCE], data[_NONCE:], purpose)
        except (InvalidTag, ValueError):
            continue
    raise KeyLost


# ---- rows -----------------------------------------------------------------------------------------------------------


class Sealable:
    """A row that may hold words of a sealed ticket; `sealed` holds them, locked, while it does.

    `WORDS`: the columns that are locked; `WATCHED`: those that decide whether; `look`: what this session sees.
    """

    WORDS: ClassVar[tuple[str, ...]] = ()
    WATCHED: ClassVar[tuple[str, ...]] = ()
    look: Look | None = None
    is_new_here = False  # written first in this transaction: no earlier page holds its words

    sealed: Mapped[bytes | None] = mapped_column(sa.LargeBinary)

    @property
    def words(self) -> tuple[str, ...]:
        """The columns of this row that hold words."""
        return self.WORDS

    def is_secret(self, session: Session) -> bool:
        """Whether its words must be locked now."""
        raise NotImplementedError

    def belongings(self, session: Session) -> Iterable[Sealable]:  # noqa: ARG002 - of rows that others hang on
        """The rows that become secret with this one, and cease to be."""
        return ()

    def forget_traces(self, session: Session) -> None:
        """It has just become secret: clear what others remember of its words."""


class SealingSession(Session):
    """A session that locks secret words before they are written."""


def open_words(session: Session, *, strictly: bool = False) -> None:
    """From now on this session reads sealed words; for who may, which the caller has asked. What it has read already
    is opened, too. `strictly`: KeyLost rather than a row without words."""
    session.info[_OPENS] = "strictly" if strictly else "gently"
    for row in session.identity_map.values():
        if isinstance(row, Sealable) and row.look is not Look.OPEN:
            _reveal(row)


def seals_of(session: Session) -> Seals:
    """The keys that a session works with."""
    seals: Seals | None = session.info.get(_SEALS)
    if seals is None:
        raise RuntimeError("this database was opened without keys for sealed words")
    return seals


def session_info(seals: Seals | None) -> dict[str, Any]:
    """What a session must know to lock and open."""
    return {_SEALS: seals}


def leaves_traces(session: Session) -> bool:
    """Whether words that stood in the database in plain were locked in this transaction."""
    return bool(session.info.get(_TRACES))


def leave_traces(session: Session) -> None:
    """Words that stood in the database in plain go in this transaction."""
    session.info[_TRACES] = True


def settle(rows: Iterable[Sealable]) -> None:
    """Lock or unlock these rows with the next flush, as they should be."""
    for row in rows:
        flag_modified(row, "sealed")


def _reveal(row: Any, _context: Any = None, names: Iterable[str] | None = None) -> None:
    """Give a row that was read its words, if this session may have them. `names`: only these columns were read."""
    session = object_session(row)
    if session is None:
        return
    read = set(row.words) if names is None else set(row.words) & set(names)
    body = row.__dict__.get("body") if row.WORDS == ("body",) and read else None
    if body:
        set_committed_value(row, "body", _opened_body(session, bytes(body)))
    sealed = row.__dict__.get("sealed")
    if sealed is None:
        row.look = None
        return
    mode = session.info.get(_OPENS)
    if mode is None:
        row.look = Look.SHUT
        return
    try:
        _fill(session, row, bytes(sealed), read)
    except KeyLost:
        if mode == "strictly":
            raise
        row.look = Look.LOST


def _opened_body(session: Session, body: bytes) -> bytes:
    if not body.startswith(_BODY):
        return body
    try:
        return seals_of(session).open_body(body)
    except KeyLost:
        return b""


def _fill(session: Session, row: Any, sealed: bytes, names: set[str]) -> None:
    words = json.loads(seals_of(session).open(session, sealed, _purpose(row)))
    for name in names & words.keys():
        set_committed_value(row, name, _bytes_of(words[name]))
    row.look = Look.OPEN


def _purpose(row: Any) -> str:
    return f"{row.__tablename__}:{row.commune_id}"


def _bytes_of(value: Any) -> Any:
    return base64.b64decode(value["\0bytes"]) if isinstance(value, dict) and "\0bytes" in value else value


def _plain(value: Any) -> Any:
    return {"\0bytes": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _before_flush(session: Session, *_: Any) -> None:
    waiting = [row for row in itertools.chain(session.new, session.dirty) if isinstance(row, Sealable)]
    waiting = [row for row in waiting if _is_concerned(row)]
    done: set[int] = set()
    while waiting:
        row = waiting.pop()
        if id(row) not in done:
            done.add(id(row))
            if _settle(session, row):
                waiting += row.belongings(session)


def _is_concerned(row: Any) -> bool:
    state = sa.inspect(row)
    return not state.persistent or bool(state.committed_state.keys() & {*row.words, *row.WATCHED, "sealed"})


def _settle(session: Session, row: Any) -> bool:
    """Lock or unlock one row; whether what hangs on it must be looked at."""
    state = sa.inspect(row)
    has_news = not state.persistent or bool(state.committed_state.keys() & set(row.words))
    row.is_new_here |= not state.persistent
    was_sealed = row.sealed is not None
    if not row.is_secret(session):
        if was_sealed:
            _unlock(session, row)
        elif has_news and row.WORDS == ("body",) and row.body:
            _hold(session, row, {"body": row.body})
            row.body = seals_of(session).lock_body(row.body)
        return was_sealed
    if was_sealed and not has_news:
        return False
    if was_sealed and row.look is Look.LOST:
        raise KeyLost
    if was_sealed and row.look is not Look.OPEN:
        raise RuntimeError(f"sealed words of {row.__tablename__} {row.id} were written over unseen")
    if not was_sealed and state.persistent and not row.is_new_here:
        session.info[_TRACES] = True if row.WORDS != ("body",) else session.info.get(_TRACES)
        row.forget_traces(session)
    _lock(session, row)
    return True


def _lock(session: Session, row: Any) -> None:
    words = {name: getattr(row, name) for name in row.words}
    _hold(session, row, words)
    data = json.dumps({name: _plain(value) for name, value in words.items()}, ensure_ascii=False).encode()
    row.sealed = seals_of(session).seal(session, row.commune_id, data, _purpose(row))
    for name in words:
        setattr(row, name, _empty(row, name))
        flag_modified(row, name)  # whatever the session believes to stand there


def _empty(row: Any, name: str) -> Any:
    column = row.__table__.c[name]
    if column.nullable:
        return None
    return column.type.python_type()


def _unlock(session: Session, row: Any) -> None:
    if row.look is not Look.OPEN:
        _fill(session, row, bytes(row.sealed), set(row.words))
    for name in row.words:
        flag_modified(row, name)
    row.sealed, row.look = None, None


def _hold(session: Session, row: Any, words: dict[str, Any]) -> None:
    session.info.setdefault(_WRAPPED, []).append((row, words))


def _after_flush(session: Session, *_: Any) -> None:
    """Who has just written the words goes on seeing them."""
    for row, words in session.info.pop(_WRAPPED, ()):
        for name, value in words.items():
            set_committed_value(row, name, value)
        row.look = Look.OPEN if row.sealed is not None else None


sa.event.listen(SealingSession, "before_flush", _before_flush)
sa.event.listen(SealingSession, "after_flush_postexec", _after_flush)
sa.event.listen(Sealable, "load", _reveal, propagate=True)
sa.event.listen(Sealable, "refresh", _reveal, propagate=True)
