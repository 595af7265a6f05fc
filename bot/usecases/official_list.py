"""Officials of a commune as their administrator keeps them: who they are, what they may do, and that they have left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.access import NotFound, audit
from bot.runtime import Runtime
from bot.usecases.administering import AdminProblem, commune_for_change, must_administer
from bot.usecases.handing import hand_over, let_go_elsewhere, open_work_of
from bot.usecases.invitations import NO_PASSWORD, invite
from bot.usecases.officials import USERNAME
from bot.usecases.sealed_readers import WITHDRAWN
from storage.agencies import Agency
from storage.enums import Role
from storage.officials import Official, SignInSession
from storage.tickets import Ticket

log = structlog.get_logger()

# Who reads what is sealed is named on a page of its own, by another official (usecases/sealed_readers).
GIVEN_HERE = tuple(role for role in Role if role is not Role.SEALED_READER)
LONGEST_NAME, LONGEST_PHONE = 120, 32


@dataclass(frozen=True)
class Person:
    """An official with their unit, when they last came, and whether they still have to choose a password."""

    official: Official
    agency: str
    last_seen: Any
    is_invited: bool


@dataclass(frozen=True)
class People:
    """All officials of a commune. `warnings`: what the commune cannot do for want of somebody, by name."""

    working: list[Person]
    left: list[Person]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class About:
    """What a form says of an official."""

    name: str
    phone: str
    agency_id: int | None
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class Leaving:
    """What has to be handed over before an official leaves."""

    official: Official
    work: list[Ticket]
    heirs: list[tuple[int, str]]


def overview(runtime: Runtime, by: Official) -> People:
    """Who works here and who did."""
    must_administer(by)
    with runtime.database.reading() as session:
        rows = session.scalars(
            sa.select(Official).where(Official.commune_id == by.commune_id).order_by(Official.name, Official.id)
        ).all()
        agencies = dict(agencies_of(session, by.commune_id, also_closed=True))
        seen = dict(
            session.execute(
                sa.select(SignInSession.official_id, sa.func.max(SignInSession.seen_at))
                .where(SignInSession.official_id.in_([one.id for one in rows]))
                .group_by(SignInSession.official_id)
            )
            .tuples()
            .all()
        )
    people = [
        Person(one, agencies.get(one.agency_id or 0, ""), seen.get(one.id), one.password_hash == NO_PASSWORD)
        for one in rows
    ]
    working = [one for one in people if one.official.is_active]
    return People(working, [one for one in people if not one.official.is_active], _warnings(working))


def choices(runtime: Runtime, by: Official) -> list[tuple[int, str]]:
    """The units an official may belong to."""
    must_administer(by)
    with runtime.database.reading() as session:
        return agencies_of(session, by.commune_id)


def find(runtime: Runtime, by: Official, official_id: int) -> Official:
    """One of the commune's officials. NotFound."""
    must_administer(by)
    with runtime.database.reading() as session:
        return _found(session, by, official_id)


def add(runtime: Runtime, by: Official, username: str, about: About, address: str) -> tuple[int, str]:
    """Give a person an account; gives its number and the secret of the link to choose a password. AdminProblem."""
    must_administer(by)
    username = username.strip().lower()
    if not USERNAME.fullmatch(username):
        raise AdminProblem("Tên đăng nhập cần 3–80 ký tự: chữ không dấu, số, dấu chấm, gạch ngang hoặc @.")
    with runtime.database.transaction() as session:
        commune_for_change(session, by)
        if session.scalar(sa.select(Official.id).where(Official.username == username)):
            raise AdminProblem("Tên đăng nhập %(ten)s đã có người dùng. Anh/Chị vui lòng chọn tên khác.", ten=username)
        official = Official(
            commune_id=by.commune_id, username=username, password_hash=NO_PASSWORD, created_at=runtime.now(), roles=[]
        )  # fmt: skip
        _take(session, official, about)
        session.add(official)
        session.flush()
        secret = invite(session, runtime, official)
        _audit(session, runtime, by, "added", official, address, roles=official.roles)
        return official.id, secret


def change(runtime: Runtime, by: Official, official_id: int, about: About, address: str) -> int:
    """Change who an official is and what they may do; gives how many reports went back to their unit. AdminProblem."""
    must_administer(by)
    with runtime.database.transaction() as session:
        commune_for_change(session, by)
        official = _found(session, by, official_id, locked=True)
        before = {"roles": official.roles, "agency": official.agency_id}
        wanted = {role.value for role in about.roles}
        if official.id == by.id and wanted != {r for r in official.roles if r != Role.SEALED_READER}:
            raise AdminProblem("Không ai tự đổi vai trò của mình. Cần một người quản trị khác làm.")
        if official.has(Role.SEALED_READER) and about.agency_id != official.agency_id:
            raise AdminProblem(
                "%(ten)s đang được giao mật nên chưa đổi đơn vị được: người của đơn vị bị tố cáo không được đọc đơn. "
                "Anh/Chị thôi giao mật trước.",
                ten=official.name,
            )
        if official.has(Role.ADMIN) and Role.ADMIN not in about.roles:
            _must_leave_an_admin(session, official)
        _take(session, official, about)
        returned = let_go_elsewhere(session, official, by, runtime.now())
        _audit(session, runtime, by, "changed", official, address, before=before, roles=official.roles,
               agency=official.agency_id)  # fmt: skip
        return returned


def leaving(runtime: Runtime, by: Official, official_id: int) -> Leaving:
    """What an official still has to do, and who could take it."""
    must_administer(by)
    with runtime.database.reading() as session:
        official = _found(session, by, official_id)
        query = sa.select(Official).where(
            Official.commune_id == by.commune_id, Official.is_active, Official.id != official.id
        )
        heirs = [one for one in session.scalars(query.order_by(Official.name)) if _could_take(one, official)]
        return Leaving(official, open_work_of(session, official), [(one.id, one.name) for one in heirs])


def switch_off(
    runtime: Runtime, by: Official, official_id: int, *, heir_id: int | None, seen: int, address: str
) -> int:
    """An official works here no longer: their browsers are signed out, their reports go on; gives how many.

    `seen`: how many reports were shown when this was decided. AdminProblem.
    """
    must_administer(by)
    with runtime.database.transaction() as session:
        commune_for_change(session, by)
        official = _found(session, by, official_id, locked=True)
        if official.id == by.id:
            raise AdminProblem("Không ai tự ngừng tài khoản của mình. Cần một người quản trị khác làm.")
        if official.has(Role.ADMIN):
            _must_leave_an_admin(session, official)
        heir = _found(session, by, heir_id) if heir_id is not None else None
        if heir is not None and not _could_take(heir, official):
            raise AdminProblem("Người nhận bàn giao không xử lý phản ánh của đơn vị này. Anh/Chị vui lòng chọn lại.")
        if len(open_work_of(session, official)) != seen:
            raise AdminProblem("Số việc đang mở vừa thay đổi nên chưa làm gì. Anh/Chị xem lại rồi bấm lần nữa.")
        count = hand_over(session, official, heir, by, runtime.now())
        official.is_active = False
        official.invited_hash = official.invited_until = None
        _take_back_reading(session, runtime, by, official, address)
        _sign_out(session, runtime, official)
        _audit(session, runtime, by, "switched_off", official, address, handed_over=count,
               to=heir.id if heir else None)  # fmt: skip
    log.info("official.switched_off", official_id=official_id)
    return count


def switch_on(runtime: Runtime, by: Official, official_id: int, address: str) -> str:
    """An official is back, with the roles they had but for what is sealed; gives the secret of a new link."""
    return _invited_anew(runtime, by, official_id, "switched_on", address)


def reset(runtime: Runtime, by: Official, official_id: int, address: str) -> str:
    """An official has lost the password, or it may be known: a new link, and nothing else opens. Gives its secret.

    Who reads what is sealed does so no more until they are named again: the link is in other hands first.
    """
    return _invited_anew(runtime, by, official_id, "access_reset", address)


def agencies_of(session: Session, commune_id: int, *, also_closed: bool = False) -> list[tuple[int, str]]:
    """The commune's own units by name."""
    query = sa.select(Agency.id, Agency.name).where(Agency.commune_id == commune_id, Agency.is_external.is_(False))
    if not also_closed:
        query = query.where(Agency.is_active)
    return list(session.execute(query.order_by(Agency.name)).tuples())


def _invited_anew(runtime: Runtime, by: Official, official_id: int, action: str, address: str) -> str:
    must_administer(by)
    with runtime.database.transaction() as session:
        commune_for_change(session, by)
        official = _found(session, by, official_id, locked=True)
        if (action == "switched_on") is official.is_active:
            raise AdminProblem("Tài khoản vừa được người khác thay đổi. Anh/Chị vui lòng tải lại trang.")
        if official.id == by.id:
            raise AdminProblem("Không ai tự đặt lại tài khoản của mình. Cần một người quản trị khác làm.")
        _take_back_reading(session, runtime, by, official, address)
        official.is_active = True
        secret = invite(session, runtime, official)
        _audit(session, runtime, by, action, official, address)
        return secret


def _take(session: Session, official: Official, about: About) -> None:
    name = " ".join(about.name.split())
    if not 2 <= len(name) <= LONGEST_NAME:
        raise AdminProblem("Cần ghi họ tên, từ 2 đến %(n)s ký tự.", n=LONGEST_NAME)
    if len(about.phone) > LONGEST_PHONE or not all(c.isdigit() or c in "+ .-()" for c in about.phone):
        raise AdminProblem("Số điện thoại chỉ gồm chữ số, dấu cách, dấu chấm và dấu +.")
    if not about.roles or any(role not in GIVEN_HERE for role in about.roles):
        raise AdminProblem("Cần chọn ít nhất một vai trò.")
    known = {number for number, _ in agencies_of(session, official.commune_id)} | {official.agency_id}
    if about.agency_id is not None and about.agency_id not in known:
        raise AdminProblem("Không có đơn vị này trong danh sách của địa phương.")
    if Role.HANDLER in about.roles and about.agency_id is None:
        raise AdminProblem("Người xử lý chỉ thấy phản ánh của đơn vị mình nên cần chọn đơn vị.")
    kept = [Role.SEALED_READER.value] if Role.SEALED_READER.value in (official.roles or ()) else []
    official.name, official.phone, official.agency_id = name, about.phone.strip() or None, about.agency_id
    official.roles = [role.value for role in GIVEN_HERE if role in about.roles] + kept


def _must_leave_an_admin(session: Session, official: Official) -> None:
    query = sa.select(Official).where(
        Official.commune_id == official.commune_id, Official.is_active, Official.id != official.id
    )
    if not any(one.has(Role.ADMIN) for one in session.scalars(query)):
        raise AdminProblem("Đây là người quản trị cuối cùng. Anh/Chị giao vai trò quản trị cho người khác trước.")


def _could_take(heir: Official, leaver: Official) -> bool:
    works = heir.is_active and heir.has(Role.RECEIVER, Role.HANDLER, Role.LEADER)
    return works and (heir.agency_id is None or leaver.agency_id is None or heir.agency_id == leaver.agency_id)


def _warnings(working: list[Person]) -> tuple[str, ...]:
    people = [one.official for one in working]
    found = [f"no_{role.value}" for role in (Role.RECEIVER, Role.LEADER) if not any(p.has(role) for p in people)]
    authors = [p for p in people if p.has(Role.AUTHOR)]
    if authors and not any(a.id != p.id for a in authors for p in people if p.has(Role.APPROVER)):
        found.append("no_second_person")
    if sum(p.has(Role.ADMIN) for p in people) < 2:
        found.append("one_admin")
    return tuple(found)


def _take_back_reading(session: Session, runtime: Runtime, by: Official, official: Official, address: str) -> None:
    if official.has(Role.SEALED_READER):
        official.roles = [role for role in official.roles if role != Role.SEALED_READER]
        audit(session, by, WITHDRAWN, f"official:{official.id}", runtime.now(), address[:64])


def _sign_out(session: Session, runtime: Runtime, official: Official) -> None:
    session.execute(
        sa.update(SignInSession)
        .where(SignInSession.official_id == official.id, SignInSession.ended_at.is_(None))
        .values(ended_at=runtime.now())
    )


def _found(session: Session, by: Official, official_id: int, *, locked: bool = False) -> Official:
    query = sa.select(Official).where(Official.id == official_id, Official.commune_id == by.commune_id)
    found = session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)
    if found is None:
        raise NotFound
    return found


def _audit(
    session: Session, runtime: Runtime, by: Official, action: str, official: Official, address: str, **data: object
) -> None:
    audit(session, by, f"official.{action}", f"official:{official.id}", runtime.now(), address[:64], **data)
