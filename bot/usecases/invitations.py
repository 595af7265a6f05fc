"""One-time links by which an official chooses a password: nobody else ever knows it, not even who gave the link."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.access import NotFound
from bot.runtime import Runtime
from bot.usecases.officials import hash_password
from storage.audit import AuditEntry
from storage.communes import Commune
from storage.officials import Official, SignInSession

log = structlog.get_logger()

VALID = timedelta(days=3)
NO_PASSWORD = "!"  # noqa: S105 - fits nothing


@dataclass(frozen=True)
class Invited:
    """Whom a link is for."""

    username: str
    name: str
    commune: Commune


def invite(session: Session, runtime: Runtime, official: Official) -> str:
    """A new link's secret; the former password and links open nothing any more, browsers are signed out."""
    secret = secrets.token_urlsafe(24)
    official.password_hash = NO_PASSWORD
    official.invited_hash = _hash(secret)
    official.invited_until = runtime.now() + VALID
    session.execute(
        sa.update(SignInSession)
        .where(SignInSession.official_id == official.id, SignInSession.ended_at.is_(None))
        .values(ended_at=runtime.now())
    )
    return secret


def find_invited(runtime: Runtime, secret: str) -> Invited:
    """Whom this link is for; NotFound when it was used, is over, or never was."""
    with runtime.database.reading() as session:
        official = _invited(session, runtime, secret)
        return Invited(official.username, official.name, session.get_one(Commune, official.commune_id))


def accept(runtime: Runtime, secret: str, password: str, address: str) -> str:
    """Keep the password that the official chose; gives the username. NotFound, OfficialError."""
    with runtime.database.reading() as session:
        _invited(session, runtime, secret)
    password_hash = hash_password(password)  # slow on purpose: outside of the transaction
    with runtime.database.transaction() as session:
        official = _invited(session, runtime, secret, locked=True)
        official.password_hash = password_hash
        official.invited_hash = official.invited_until = None
        session.add(
            AuditEntry(
                commune_id=official.commune_id, official_id=official.id, at=runtime.now(),
                action="official.password_chosen", target=f"official:{official.id}", address=address[:64], data={},
            )
        )  # fmt: skip
        log.info("official.password_chosen", official_id=official.id)
        return official.username


def _invited(session: Session, runtime: Runtime, secret: str, *, locked: bool = False) -> Official:
    query = sa.select(Official).where(
        Official.invited_hash == _hash(secret), Official.invited_until > runtime.now(), Official.is_active
    )
    found = session.scalar(query.with_for_update() if locked else query)
    if found is None:
        raise NotFound
    return found


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
