"""Access and refresh tokens of pretend Zalo: a refresh token works once, a new access token voids the one before."""

from __future__ import annotations

import base64
import hashlib
import secrets
import sqlite3
from dataclasses import dataclass

from bot.web.sandbox.settings import SandboxSettings
from bot.web.sandbox.store import now_ms

NEVER_MS = 2**62
CODE_LIFE_MS = 10 * 60 * 1000
REFRESH_LIFE_MS = 90 * 24 * 3600 * 1000


@dataclass(frozen=True)
class Grant:
    """A fresh pair of tokens."""

    access_token: str
    refresh_token: str
    expires_in: str


def seed(db: sqlite3.Connection, settings: SandboxSettings) -> None:
    """Honour the initial tokens of the settings, unless an earlier run has already spent them."""
    for account in settings.accounts:
        if account.access_token:
            expires_ms = now_ms() + settings.access_token_seconds * 1000
            db.execute(
                "INSERT OR IGNORE INTO access_tokens VALUES (?, ?, ?, ?)",
                (account.access_token, account.oa_id, expires_ms, NEVER_MS),
            )
        if account.refresh_token:
            db.execute(
                "INSERT OR IGNORE INTO refresh_tokens (token, oa_id, expires_ms) VALUES (?, ?, ?)",
                (account.refresh_token, account.oa_id, now_ms() + REFRESH_LIFE_MS),
            )


def owner(db: sqlite3.Connection, access_token: str) -> tuple[str, int]:
    """The OA an access token belongs to and the error it earns: 0 good, -216 not valid, -220 expired."""
    row = db.execute("SELECT * FROM access_tokens WHERE token = ?", (access_token,)).fetchone()
    if row is None or row["void_ms"] <= now_ms():
        return "", -216
    return row["oa_id"], -220 if row["expires_ms"] <= now_ms() else 0


def oa_of(db: sqlite3.Connection, refresh_token: str, code: str) -> str:
    """The OA a refresh token or code was made for, spent or not; empty when we never made it."""
    row = db.execute(
        "SELECT oa_id FROM refresh_tokens WHERE token = ? UNION SELECT oa_id FROM codes WHERE code = ?",
        (refresh_token, code),
    ).fetchone()
    return str(row["oa_id"]) if row else ""


def issue(db: sqlite3.Connection, settings: SandboxSettings, oa_id: str) -> Grant:
    """Make a new pair; older access tokens die after the grace, older refresh tokens at once."""
    grant = Grant(secrets.token_urlsafe(48), secrets.token_urlsafe(48), str(settings.access_token_seconds))
    now = now_ms()
    void_ms = now + int(settings.access_token_grace * 1000)
    db.execute("UPDATE access_tokens SET void_ms = min(void_ms, ?) WHERE oa_id = ?", (void_ms, oa_id))
    db.execute("UPDATE refresh_tokens SET spent_ms = ? WHERE oa_id = ? AND spent_ms = 0", (now, oa_id))
    expires_ms = now + settings.access_token_seconds * 1000
    db.execute("INSERT INTO access_tokens VALUES (?, ?, ?, ?)", (grant.access_token, oa_id, expires_ms, NEVER_MS))
    db.execute(
        "INSERT INTO refresh_tokens (token, oa_id, expires_ms) VALUES (?, ?, ?)",
        (grant.refresh_token, oa_id, now + REFRESH_LIFE_MS),
    )
    return grant


def refresh(db: sqlite3.Connection, settings: SandboxSettings, token: str, oa_ids: set[str]) -> Grant | None:
    """Trade an unspent refresh token for a new pair; None when it is unknown, spent, expired or another app's."""
    row = db.execute("SELECT * FROM refresh_tokens WHERE token = ?", (token,)).fetchone()
    if row is None or row["spent_ms"] or row["expires_ms"] <= now_ms() or row["oa_id"] not in oa_ids:
        return None
    return issue(db, settings, row["oa_id"])


def authorise(db: sqlite3.Connection, oa_id: str, challenge: str) -> str:
    """The code an administrator's approval earns."""
    code = secrets.token_urlsafe(32)
    db.execute(
        "INSERT INTO codes (code, oa_id, challenge, expires_ms) VALUES (?, ?, ?, ?)",
        (code, oa_id, challenge, now_ms() + CODE_LIFE_MS),
    )
    return code


def redeem(
    db: sqlite3.Connection, settings: SandboxSettings, code: str, verifier: str, oa_ids: set[str]
) -> Grant | None:
    """Trade a code for a pair, once; the verifier must hash to the challenge the approval was asked with."""
    row = db.execute("SELECT * FROM codes WHERE code = ?", (code,)).fetchone()
    if row is None or row["used_ms"] or row["expires_ms"] <= now_ms() or row["oa_id"] not in oa_ids:
        return None
    db.execute("UPDATE codes SET used_ms = ? WHERE code = ?", (now_ms(), code))
    if row["challenge"] and challenge_of(verifier) != row["challenge"]:
        return None
    return issue(db, settings, row["oa_id"])


def challenge_of(verifier: str) -> str:
    """PKCE S256: base64url without padding of the verifier's SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def expire_access(db: sqlite3.Connection, oa_id: str) -> None:
    """Every access token of this OA is too old from now on."""
    db.execute("UPDATE access_tokens SET expires_ms = ? WHERE oa_id = ?", (now_ms(), oa_id))


def spend_refresh(db: sqlite3.Connection, oa_id: str) -> None:
    """Every refresh token of this OA is refused from now on; only a new approval helps."""
    db.execute("UPDATE refresh_tokens SET spent_ms = ? WHERE oa_id = ? AND spent_ms = 0", (now_ms(), oa_id))
