"""Sign-in: let officials in by their password, slow guessing down, and end a session when it is over."""

from __future__ import annotations

import functools
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.runtime import Runtime
from bot.usecases.officials import hash_password, password_matches
from storage.audit import AuditEntry
from storage.communes import Commune
from storage.officials import Official, SignInAttempt, SignInSession

log = structlog.get_logger()

REMEMBERED = timedelta(minutes=15)
KEPT = timedelta(days=30)
FREE_TRIES = 5  # of one account from one address
FREE_TRIES_OF_ACCOUNT = 20  # from everywhere else together: an attacker's tries must not lock the owner out
FREE_TRIES_OF_ADDRESS = 50  # a whole office may share one address
LONGEST_WAIT = timedelta(minutes=5)
SHORT_WAIT = timedelta(seconds=30)
TOUCHED_EVERY = timedelta(seconds=60)


class WrongPassword(Exception):
    """Name and password do not belong together; which of them is wrong is never said."""


class TooManyTries(Exception):
    """Too many failures lately; `until` says when the next try is looked at."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"wait until {until.isoformat()}")
        self.until = until


@dataclass(frozen=True)
class SignedIn:
    """Who is working in this browser, and for which commune."""

    official: Official
    commune: Commune
    session_id: int


def sign_in(runtime: Runtime, username: str, password: str, address: str) -> str:
    """Open a new session and give its secret; raises WrongPassword or TooManyTries."""
    account = username.strip().lower()[:80]
    address = address[:64]
    now = runtime.now()
    with runtime.database.reading() as session:
        until = _wait_until(session, account, address, now)
        official = session.scalar(sa.select(Official).where(Official.username == account, Official.is_active))
    if until is not None:
        log.warning("sign_in.slowed", address=address)
        raise TooManyTries(until)
    is_right = password_matches(official.password_hash if official else _nobodys_hash(), password)
    with runtime.database.transaction() as session:
        session.execute(sa.delete(SignInAttempt).where(SignInAttempt.at < now - KEPT))
        succeeded = is_right and official is not None
        session.add(SignInAttempt(account=account, address=address, at=now, succeeded=succeeded))
        if official is not None:
            session.add(_entry(official, now, "sign_in" if succeeded else "sign_in.refused", address))
        if official is None or not is_right:
            secret = None
        else:
            secret = secrets.token_urlsafe(32)
            session.add(SignInSession(official_id=official.id, token_hash=_hash(secret), created_at=now, seen_at=now))
    if secret is None:
        raise WrongPassword
    return secret


def signed_in(runtime: Runtime, secret: str, *, is_active: bool = True) -> SignedIn | None:
    """Who this browser belongs to, or None when the session is over. `is_active`: a person, not a timer, asks."""
    now = runtime.now()
    settings = runtime.settings
    with runtime.database.reading() as session:
        row = session.execute(
            sa.select(SignInSession, Official, Commune)
            .join(Official, Official.id == SignInSession.official_id)
            .join(Commune, Commune.id == Official.commune_id)
            .where(
                SignInSession.token_hash == _hash(secret),
                SignInSession.ended_at.is_(None),
                SignInSession.seen_at > now - timedelta(minutes=settings.session_idle_minutes),
                SignInSession.created_at > now - timedelta(hours=settings.session_hours),
                Official.is_active,
            )
        ).first()
    if row is None:
        return None
    kept, official, commune = row
    if is_active and now - kept.seen_at > TOUCHED_EVERY:
        with runtime.database.transaction() as session:
            session.execute(sa.update(SignInSession).where(SignInSession.id == kept.id).values(seen_at=now))
    return SignedIn(official, commune, kept.id)


def sign_out(runtime: Runtime, secret: str, address: str) -> None:
    """End the session with this secret for good."""
    now = runtime.now()
    with runtime.database.transaction() as session:
        row = session.execute(
            sa.select(SignInSession, Official)
            .join(Official, Official.id == SignInSession.official_id)
            .where(SignInSession.token_hash == _hash(secret), SignInSession.ended_at.is_(None))
        ).first()
        if row is not None:
            row[0].ended_at = now
            session.add(_entry(row[1], now, "sign_out", address))


def choose_locale(runtime: Runtime, official_id: int, locale: str) -> None:
    """Remember the language an official wants to read."""
    with runtime.database.transaction() as session:
        session.execute(sa.update(Official).where(Official.id == official_id).values(locale=locale))


def _wait_until(session: Session, account: str, address: str, now: datetime) -> datetime | None:
    """When the next try may be made, if not now. Tries refused for waiting are not counted: the wait never grows."""
    rows = session.execute(
        sa.select(SignInAttempt.account, SignInAttempt.address, SignInAttempt.at, SignInAttempt.succeeded)
        .where(
            sa.or_(SignInAttempt.account == account, SignInAttempt.address == address),
            SignInAttempt.at > now - REMEMBERED,
        )
        .order_by(SignInAttempt.at.desc())
        .limit(500)
    ).all()
    is_known = session.scalar(
        sa.select(SignInAttempt.id)
        .where(SignInAttempt.account == account, SignInAttempt.address == address, SignInAttempt.succeeded)
        .limit(1)
    )
    here: list[datetime] = []
    for row in rows:  # latest first: a success wipes out what came before it
        if row.account == account and row.address == address:
            if row.succeeded:
                break
            here.append(row.at)
    of_account = [r.at for r in rows if r.account == account and r.address != address and not r.succeeded]
    of_address = [r.at for r in rows if r.address == address and not r.succeeded]
    waits = [now]
    if len(here) >= FREE_TRIES:
        waits.append(here[0] + min(LONGEST_WAIT, SHORT_WAIT * 2 ** (len(here) - FREE_TRIES)))
    if len(of_account) >= FREE_TRIES_OF_ACCOUNT and is_known is None:
        waits.append(of_account[0] + SHORT_WAIT)
    if len(of_address) >= FREE_TRIES_OF_ADDRESS:
        waits.append(of_address[0] + SHORT_WAIT)
    return max(waits) if max(waits) > now else None


@functools.cache
def _nobodys_hash() -> str:
    return hash_password(secrets.token_urlsafe(24))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _entry(official: Official, at: datetime, action: str, address: str) -> AuditEntry:
    return AuditEntry(
        commune_id=official.commune_id,
        official_id=official.id,
        at=at,
        action=action,
        target=f"official:{official.id}",
        address=address[:64],
        data={},
    )
