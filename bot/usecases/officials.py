"""Officials: who may work in a commune's inbox, and the passwords they come in with."""

from __future__ import annotations

import re

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from bot.runtime import Runtime
from storage.agencies import Agency
from storage.audit import AuditEntry
from storage.communes import Commune, one_change_at_a_time
from storage.enums import Role
from storage.officials import Official, SignInSession

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 128
MOST_READERS = 2
USERNAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,78}[a-z0-9]", re.ASCII)
_COMMON = {"matkhau123", "password12", "1234567890", "0123456789", "qwertyuiop", "12345678910", "password123"}

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's second setting: a small PC signs in


class OfficialError(Exception):
    """Something about an official's account is not acceptable; the message says what, in Vietnamese."""


def hash_password(password: str) -> str:
    """An argon2id hash of a password that is long enough and not among the first that anybody tries."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise OfficialError(f"Mật khẩu cần từ {SHORTEST_PASSWORD} đến {LONGEST_PASSWORD} ký tự.")
    if password.lower() in _COMMON or len(set(password)) < 4:
        raise OfficialError("Mật khẩu này quá dễ đoán. Vui lòng chọn mật khẩu khác.")
    return _hasher.hash(password)


def password_matches(password_hash: str, password: str) -> bool:
    """Whether this is the password; takes the same time whatever the answer."""
    try:
        return _hasher.verify(password_hash, password[: LONGEST_PASSWORD + 1])
    except (VerificationError, InvalidHashError):
        return False


def add_official(
    runtime: Runtime,
    *,
    commune: str,
    username: str,
    name: str,
    password: str,
    roles: list[Role],
    agency: str | None = None,
    phone: str | None = None,
) -> int:
    """Give a person an account in a commune; gives its id. OfficialError says what is wrong."""
    username = username.strip().lower()
    if not USERNAME.fullmatch(username):
        raise OfficialError("Tên đăng nhập cần 3–80 ký tự: chữ không dấu, số, dấu chấm, gạch ngang hoặc @.")
    password_hash = hash_password(password)
    with runtime.database.transaction() as session:
        found = session.scalar(sa.select(Commune).where(Commune.slug == commune))
        if found is None:
            raise OfficialError(f"Không có xã nào mang mã {commune!r}. Xem danh sách: haichieu commune list.")
        if session.scalar(sa.select(Official.id).where(Official.username == username)):
            raise OfficialError(f"Tên đăng nhập {username!r} đã có người dùng.")
        agency_id = None
        if agency is not None:
            agency_id = session.scalar(sa.select(Agency.id).where(Agency.commune_id == found.id, Agency.slug == agency))
            if agency_id is None:
                raise OfficialError(f"{found.name} không có đơn vị {agency!r}.")
        if Role.SEALED_READER in roles:
            one_change_at_a_time(session, found.id)
            must_have_room(session, found.id)
        official = Official(
            commune_id=found.id,
            agency_id=agency_id,
            username=username,
            name=name.strip()[:120],
            phone=phone,
            password_hash=password_hash,
            roles=[role.value for role in roles],
            created_at=runtime.now(),
        )
        session.add(official)
        session.flush()
        session.add(
            AuditEntry(
                commune_id=found.id,
                at=runtime.now(),
                action="official.added",
                target=f"official:{official.id}",
                data={"roles": official.roles},
            )
        )
        return official.id


def readers_of(session: Session, commune_id: int) -> list[Official]:
    """The officials whom a commune has named to read what is sealed, and who work there."""
    query = sa.select(Official).where(Official.commune_id == commune_id, Official.is_active.is_(True))
    return [one for one in session.scalars(query.order_by(Official.id)) if one.has(Role.SEALED_READER)]


def must_have_room(session: Session, commune_id: int) -> None:
    """OfficialError when two are named already."""
    named = readers_of(session, commune_id)
    if len(named) >= MOST_READERS:
        names = ", ".join(one.username for one in named)
        raise OfficialError(f"Đã có đủ {MOST_READERS} người được giao mật: {names}. Cần thôi giao mật một người trước.")


def set_password(runtime: Runtime, username: str, password: str) -> None:
    """Give an official a new password; every browser that was signed in is signed out."""
    password_hash = hash_password(password)
    with runtime.database.transaction() as session:
        official = session.scalar(sa.select(Official).where(Official.username == username.strip().lower()))
        if official is None:
            raise OfficialError(f"Không có cán bộ nào mang tên đăng nhập {username!r}.")
        official.password_hash = password_hash
        session.execute(
            sa.update(SignInSession)
            .where(SignInSession.official_id == official.id, SignInSession.ended_at.is_(None))
            .values(ended_at=runtime.now())
        )
        session.add(
            AuditEntry(
                commune_id=official.commune_id,
                at=runtime.now(),
                action="official.password_set",
                target=f"official:{official.id}",
            )
        )
