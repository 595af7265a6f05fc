"""Signing in and out: slow for guessers, never closed for the rightful owner for long."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.runtime import Runtime
from bot.usecases.officials import hash_password, password_matches
from storage.audit import AuditEntry
from storage.officials import Official, SignInAttempt, SignInSession

log = structlog.get_logger()

WINDOW = timedelta(minutes=15)
FREE_TRIES = 5
TRIES_PER_ADDRESS = 30
LONGEST_WAIT = timedelta(minutes=5)
SEEN_EVERY = timedelta(minutes=1)


class TooManyTries(Exception):
    """Signing in must wait until `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__("too many tries")
        self.until = until


@dataclass(frozen=True)
class SignedIn:
    """A new session: the token goes to the browser only, its hash stays here."""

    token: str
    official: Official


def sign_in(runtime: Runtime, username: str, password: str, address: str) -> SignedIn | None:
    """A session for the right name and password, None for wrong ones. Raises TooManyTries."""
    now = runtime.now()
    username = username.strip().lower()[:80]
    with runtime.database.reading() as session:
        _slow_down(session, username, address, now)
        official = session.scalar(sa.select(Official).where(Official.username == username, Official.is_active))
    # An unknown name costs as much time as a wrong password.
    matches = password_matches(official.password_hash if official else _nobodys_hash(), password)
    signed_in = SignedIn(secrets.token_urlsafe(32), official) if official and matches else None
    with runtime.database.transaction() as session:
        session.add(SignInAttempt(account=username, address=address[:64], at=now, succeeded=signed_in is not None))
        if signed_in:
            session.add(
                SignInSession(
                    official_id=signed_in.official.id, token_hash=_hash(signed_in.token), created_at=now, seen_at=now
                )
            )
            session.add(_fact(signed_in.official, "signed_in", now, address))
    log.info("sign_in", official_id=official.id if official else None, succeeded=signed_in is not None)
    return signed_in


def official_of(runtime: Runtime, token: str) -> Official | None:
    """The official whose browser holds this token, unless the session has ended or was idle too long."""
    now = runtime.now()
    settings = runtime.settings
    with runtime.database.reading() as session:
        row = session.execute(
            sa.select(SignInSession, Official)
            .join(Official, Official.id == SignInSession.official_id)
            .where(SignInSession.token_hash == _hash(token), SignInSession.ended_at.is_(None), Official.is_active)
        ).first()
    if row is None:
        return None
    found: SignInSession = row[0]
    official: Official = row[1]
    is_idle = now - found.seen_at > timedelta(minutes=settings.session_idle_minutes)
    if is_idle or now - found.created_at > timedelta(hours=settings.session_hours):
        return None
    if now - found.seen_at > SEEN_EVERY:
        with runtime.database.transaction() as session:
            session.execute(sa.update(SignInSession).where(SignInSession.id == found.id).values(seen_at=now))
    return official


def sign_out(runtime: Runtime, token: str) -> None:
    """End the session of this browser."""
    now = runtime.now()
    with runtime.database.transaction() as session:
        row = session.execute(
            sa.select(SignInSession, Official)
            .join(Official, Official.id == SignInSession.official_id)
            .where(SignInSession.token_hash == _hash(token), SignInSession.ended_at.is_(None))
        ).first()
        if row is not None:
            row[0].ended_at = now
            session.add(_fact(row[1], "signed_out", now, None))


def _slow_down(session: Session, username: str, address: str, now: datetime) -> None:
    """After a few failures each further try waits longer, at most minutes: a stranger can annoy, not lock out."""
    since = now - WINDOW
    failed = (SignInAttempt.at > since, SignInAttempt.succeeded.is_(False))
    known = sa.select(SignInAttempt.id).where(
        SignInAttempt.account == username, SignInAttempt.address == address, SignInAttempt.succeeded.is_(True)
    )
    by_account = session.execute(
        sa.select(sa.func.count(), sa.func.max(SignInAttempt.at)).where(SignInAttempt.account == username, *failed)
    ).one()
    by_address = session.execute(
        sa.select(sa.func.count(), sa.func.max(SignInAttempt.at)).where(SignInAttempt.address == address, *failed)
    ).one()
    free = FREE_TRIES * 4 if session.scalar(known.limit(1)) is not None else FREE_TRIES
    for (count, last), allowed in ((by_account, free), (by_address, TRIES_PER_ADDRESS)):
        if count >= allowed:
            until = last + min(LONGEST_WAIT, timedelta(seconds=15 * 2 ** min(count - allowed, 6)))
            if now < until:
                raise TooManyTries(until)


@cache
def _nobodys_hash() -> str:
    return hash_password(secrets.token_urlsafe(16))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _fact(official: Official, action: str, now: datetime, address: str | None) -> AuditEntry:
    return AuditEntry(
        commune_id=official.commune_id,
        official_id=official.id,
        at=now,
        action=f"official.{action}",
        target=f"official:{official.id}",
        address=address,
        data={},
    )
