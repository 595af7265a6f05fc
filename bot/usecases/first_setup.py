"""The first set-up of an installation, step by step in a browser, by whoever reads the code that the server printed.

Each step is done in its own transaction and remembered, so it can be left and taken up again; once it is over it is
never open again.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, aliased

from adapters.loudspeakers import village_types
from bot.access import NotFound
from bot.runtime import Runtime
from bot.usecases.administering import AdminProblem
from bot.usecases.agency_list import LONGEST_NAME, NEEDED
from bot.usecases.officials import add_official
from bot.usecases.setup import SLUG, SetupError, add_channel, add_commune
from nlp.normalise import fold
from storage.agencies import Agency
from storage.audit import AuditEntry
from storage.channels import Channel
from storage.communes import Commune, Locality
from storage.deliveries import Delivery
from storage.enums import DeliveryState, Direction, Role
from storage.messages import Message
from storage.officials import Official
from storage.setups import Setup
from storage.tickets import Ticket

log = structlog.get_logger()

STEPS = ("commune", "admin", "hours", "agencies", "places", "channel", "test")
MOST_TRIES = 20
MOST_FOUND = 40
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_REACHED = [state for state in DeliveryState if state.reached_channel]


@dataclass(frozen=True)
class Found:
    """A commune of the country that may be meant."""

    code: str
    name: str
    province: str
    is_served: bool


@dataclass(frozen=True)
class Tested:
    """How far the live test has come: a message came in, it has a code, its answer went out."""

    is_heard: bool = False
    code: str = ""
    is_answered: bool = False


def announce(runtime: Runtime) -> str | None:
    """At the server's start: a new code where nothing is set up yet, or a set-up was left; None otherwise."""
    code = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(2))
    with runtime.database.transaction() as session:
        begun = _unfinished(session)
        if begun is None and session.scalar(sa.select(Commune.id).limit(1)) is not None:
            return None
        if begun is None:
            begun = Setup(code_hash="", created_at=runtime.now(), done=[])
            session.add(begun)
        begun.code_hash, begun.tries = _hash(code), 0
    return code


def current(runtime: Runtime) -> Setup:
    """The set-up that is going on. NotFound when there is none, or it is over."""
    with runtime.database.reading() as session:
        found = _unfinished(session)
    if found is None:
        raise NotFound
    return found


def is_untouched(runtime: Runtime) -> bool:
    """Whether nobody could sign in here yet, as a set-up waits."""
    with runtime.database.reading() as session:
        begun = _unfinished(session)
        return begun is not None and begun.official_id is None


def unlock(runtime: Runtime, code: str) -> int:
    """Whether this is the code of the running set-up; gives its number. AdminProblem, NotFound."""
    said = re.sub(r"[^A-Z0-9]", "", code.upper())
    with runtime.database.transaction() as session:
        begun = _open(session)
        if begun.tries >= MOST_TRIES:
            raise AdminProblem("Đã nhập sai quá nhiều lần. Anh/Chị khởi động lại máy chủ để có mã mới.")
        if not hmac.compare_digest(begun.code_hash, _hash(f"{said[:4]}-{said[4:]}")):
            begun.tries += 1
            number = 0
        else:
            number = begun.id
    if not number:
        raise AdminProblem("Mã chưa đúng. Mã hiện ở cửa sổ chạy máy chủ, mỗi lần khởi động một mã mới.")
    return number


def provinces(runtime: Runtime) -> list[tuple[str, str]]:
    """The provinces to choose from."""
    with runtime.database.reading() as session:
        rows = session.execute(sa.select(Locality.code, Locality.name).where(Locality.level == "province")).tuples()
        return sorted(rows, key=lambda row: fold(row[1]))


def find_communes(runtime: Runtime, words: str, province: str) -> list[Found]:
    """Communes by name, with or without accents, in one province or everywhere."""
    parts = fold(words).split()
    for kind in ("xa", "phuong", "thi tran", "dac khu", "ubnd"):
        if parts[: len(kind.split())] == kind.split() and len(parts) > len(kind.split()):
            parts = parts[len(kind.split()) :]
    wanted = " ".join(parts)
    if not wanted and not province:
        return []
    parent = aliased(Locality)
    query = (
        sa.select(Locality, parent.name, Commune.id)
        .join(parent, parent.code == Locality.parent_code)
        .outerjoin(Commune, Commune.locality_code == Locality.code)
        .where(Locality.level == "commune", Locality.valid_to.is_(None))
    )
    if province:
        query = query.where(Locality.parent_code == province)
    if wanted:
        query = query.where(Locality.name_folded.contains(wanted, autoescape=True))
    with runtime.database.reading() as session:
        rows = session.execute(query).tuples().all()
    rows = sorted(rows, key=lambda row: (row[0].name_folded != wanted, row[0].name_folded, fold(row[1])))
    return [
        Found(unit.code, f"{unit.type} {unit.name}", name, taken is not None) for unit, name, taken in rows[:MOST_FOUND]
    ]


def choose_commune(runtime: Runtime, code: str, name: str, duty_phone: str) -> None:
    """Take the commune into service with the usual units. AdminProblem, NotFound."""
    begun = current(runtime)
    if begun.commune_id is not None:
        raise AdminProblem("Đã chọn địa phương rồi. Anh/Chị làm tiếp bước sau.")
    if not re.fullmatch(r"\+?[0-9][0-9 .]{1,18}", duty_phone.strip()):
        raise AdminProblem("Cần một số điện thoại, ví dụ 0236 3 123 456.")
    if not 3 <= len(" ".join(name.split())) <= 120:
        raise AdminProblem("Cần ghi tên như người dân đọc, ví dụ UBND phường Hải Châu.")
    with runtime.database.reading() as session:
        unit = session.get(Locality, code)
    if unit is None or unit.level != "commune":
        raise AdminProblem("Cần chọn một địa phương trong danh sách tìm được.")
    commune_id = _begun_before(runtime, code) or _added(runtime, unit, " ".join(name.split()), duty_phone.strip())
    with runtime.database.transaction() as session:
        _open(session).commune_id = commune_id
    finish_step(runtime, "commune")


def _begun_before(runtime: Runtime, code: str) -> int | None:
    """The commune, if a crash left it in service before anybody worked there."""
    with runtime.database.reading() as session:
        works = sa.select(Official.id).where(Official.commune_id == Commune.id).exists()
        return session.scalar(sa.select(Commune.id).where(Commune.locality_code == code, ~works))


def _added(runtime: Runtime, unit: Locality, name: str, duty_phone: str) -> int:
    slug = re.sub(r"[^a-z0-9]+", "-", fold(unit.name)).strip("-")
    slug = slug if SLUG.fullmatch(slug) else f"xa-{slug or unit.code}"
    try:
        return add_commune(runtime, code=unit.code, slug=slug, name=name, settings={"duty_phone": duty_phone})
    except SetupError:
        raise AdminProblem("Địa phương này đã được dùng ở đây. Anh/Chị chọn địa phương khác.") from None


def add_admin(runtime: Runtime, *, username: str, name: str, password: str, leads: bool, receives: bool) -> None:
    """The first administrator, who may also lead and receive in a small commune. AdminProblem, OfficialError."""
    begun = current(runtime)
    if begun.official_id is not None:
        raise AdminProblem("Đã có người quản trị đầu tiên. Anh/Chị làm tiếp bước sau.")
    if len(" ".join(name.split())) < 2:
        raise AdminProblem("Cần ghi họ tên, từ 2 đến %(n)s ký tự.", n=120)
    roles = [Role.ADMIN, *([Role.LEADER] if leads else []), *([Role.RECEIVER] if receives else [])]
    official_id = add_official(
        runtime, commune=commune_of(runtime, begun).slug, username=username, name=" ".join(name.split()),
        password=password, roles=roles, agency="van-phong",
    )  # fmt: skip
    with runtime.database.transaction() as session:
        _open(session).official_id = official_id
    finish_step(runtime, "admin")


def commune_of(runtime: Runtime, begun: Setup) -> Commune:
    """The commune that is being set up. NotFound before it was chosen."""
    if begun.commune_id is None:
        raise NotFound
    with runtime.database.reading() as session:
        return session.get_one(Commune, begun.commune_id)


def admin_of(runtime: Runtime, begun: Setup) -> Official:
    """The first administrator, in whose name the later steps are done. NotFound before there is one."""
    if begun.official_id is None:
        raise NotFound
    with runtime.database.reading() as session:
        return session.get_one(Official, begun.official_id)


def agencies(runtime: Runtime, begun: Setup) -> list[tuple[Agency, bool]]:
    """The units that were proposed, and whether the system needs them."""
    with runtime.database.reading() as session:
        query = sa.select(Agency).where(Agency.commune_id == begun.commune_id).order_by(Agency.id)
        return [(one, one.slug in NEEDED) for one in session.scalars(query)]


def keep_agencies(runtime: Runtime, begun: Setup, names: Mapping[int, str], used: set[int]) -> None:
    """Rename the proposed units and leave out those that are not there. AdminProblem."""
    wanted = {number: " ".join(name.split()) for number, name in names.items()}
    with runtime.database.transaction() as session:
        _open(session)
        rows = session.scalars(sa.select(Agency).where(Agency.commune_id == begun.commune_id)).all()
        seen: set[str] = set()
        for row in rows:
            row.is_active = row.id in used or row.slug in NEEDED
            name = wanted.get(row.id, row.name)
            if row.is_active and not 2 <= len(name) <= LONGEST_NAME:
                raise AdminProblem("Cần ghi tên đơn vị, từ 2 đến %(n)s ký tự.", n=LONGEST_NAME)
            if row.is_active and fold(name) in seen:
                raise AdminProblem("Hai đơn vị mang cùng tên: %(ten)s. Anh/Chị sửa một tên.", ten=name)
            seen |= {fold(name)} if row.is_active else set()
            row.name = name or row.name
        session.add(
            AuditEntry(
                commune_id=begun.commune_id, official_id=begun.official_id, at=runtime.now(), action="agency.proposed",
                target=f"commune:{begun.commune_id}", data={"left_out": [r.slug for r in rows if not r.is_active]},
            )
        )  # fmt: skip
    finish_step(runtime, "agencies")


def open_page(runtime: Runtime, begun: Setup) -> str:
    """Open the commune's own page, once; gives its name in the address."""
    commune = commune_of(runtime, begun)
    with runtime.database.reading() as session:
        slug = session.scalar(
            sa.select(Channel.slug).where(Channel.commune_id == commune.id, Channel.type == "web_form").limit(1)
        )
    if slug is None:
        slug = commune.slug
        add_channel(
            runtime, commune=commune.slug, type="web_form", slug=slug, name="Trang phản ánh", settings={}, secrets={}
        )  # fmt: skip
    return slug


def channels(runtime: Runtime, begun: Setup) -> list[Channel]:
    """The channels there are by now."""
    with runtime.database.reading() as session:
        is_written_to = Channel.type.not_in(village_types(runtime.adapters))
        query = sa.select(Channel).where(Channel.commune_id == begun.commune_id, Channel.is_active, is_written_to)
        return list(session.scalars(query.order_by(Channel.id)))


def tested(runtime: Runtime, begun: Setup) -> Tested:
    """Whether a message has come in and its answer has gone out; a sealed one keeps its code to itself."""
    with runtime.database.reading() as session:
        said = aliased(Message)
        of_commune = said.commune_id == begun.commune_id
        heard = session.scalar(sa.select(said.id).where(of_commune, said.direction == Direction.IN).limit(1))
        code = session.scalar(
            sa.select(Ticket.code)
            .where(Ticket.commune_id == begun.commune_id, Ticket.is_sealed.is_(False))
            .order_by(Ticket.id)
            .limit(1)
        )
        # A greeting to somebody who only follows is no answer: something must have been said in the same conversation.
        answered = session.scalar(
            sa.select(Delivery.id)
            .join(Message, Message.id == Delivery.message_id)
            .join(said, sa.and_(said.conversation_id == Message.conversation_id, said.direction == Direction.IN))
            .where(of_commune, Delivery.state.in_(_REACHED), Message.id > said.id)
            .limit(1)
        )
    return Tested(heard is not None, code or "", answered is not None)


def finish_step(runtime: Runtime, step: str) -> None:
    """Remember that a step is done, or put off."""
    with runtime.database.transaction() as session:
        begun = _open(session)
        if step not in begun.done:
            begun.done = [*begun.done, step]


def next_step(begun: Setup) -> str:
    """The first step that is neither done nor put off."""
    return next((step for step in STEPS if step not in begun.done), STEPS[-1])


def finish(runtime: Runtime) -> None:
    """It is over: the pages are closed for ever. AdminProblem while something that is needed is missing."""
    with runtime.database.transaction() as session:
        begun = _open(session)
        if begun.commune_id is None or begun.official_id is None:
            raise AdminProblem("Cần chọn địa phương và có người quản trị trước khi kết thúc.")
        begun.finished_at, begun.code_hash = runtime.now(), ""
        session.add(
            AuditEntry(
                commune_id=begun.commune_id, official_id=begun.official_id, at=runtime.now(), action="setup.finished",
                target=f"commune:{begun.commune_id}", data={"steps": begun.done},
            )
        )  # fmt: skip
    log.info("setup.finished")


def _unfinished(session: Session) -> Setup | None:
    return session.scalar(sa.select(Setup).where(Setup.finished_at.is_(None)).order_by(Setup.id).limit(1))


def _open(session: Session) -> Setup:
    query = sa.select(Setup).where(Setup.finished_at.is_(None)).order_by(Setup.id).limit(1)
    found = session.scalar(query.with_for_update())
    if found is None:
        raise NotFound
    return found


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
