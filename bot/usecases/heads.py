"""Village heads: personal links by which they report for their people, given and taken back by officials."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.text import printable
from adapters.web_form import visitor_of
from bot.access import NotFound
from bot.rules.place_list import in_order
from bot.runtime import Runtime
from bot.usecases.counter import counter_page
from bot.usecases.places import settlements
from bot.usecases.problems import Problem
from bot.usecases.web_form import Page, Written, new_link
from storage.audit import AuditEntry
from storage.communes import Commune, Place
from storage.enums import Role
from storage.heads import VillageHead
from storage.officials import Official

log = structlog.get_logger()

KEEPERS = (Role.RECEIVER, Role.LEADER, Role.ADMIN)


class HeadProblem(Problem):
    """A village head cannot be written down as asked."""


@dataclass(frozen=True)
class Head:
    """A village head as pages show them."""

    id: int
    name: str
    phone: str
    village: str
    is_active: bool


def listing(runtime: Runtime, official: Official) -> list[Head]:
    """The commune's village heads, those whose link is valid first, in the order of villages."""
    _must(official)
    query = (
        sa.select(VillageHead, Place.name)
        .join(Place, Place.id == VillageHead.place_id)
        .where(VillageHead.commune_id == official.commune_id)
    )
    with runtime.database.reading() as session:
        heads = [
            Head(row.id, row.name, row.phone, village, row.revoked_at is None)
            for row, village in session.execute(query)
        ]
    return sorted(heads, key=lambda head: (not head.is_active, in_order(head.village), in_order(head.name)))


def villages(runtime: Runtime, official: Official) -> list[Place]:
    """The places where people live, which may have a head."""
    _must(official)
    return settlements(runtime, official.commune_id)


def add(
    runtime: Runtime,
    official: Official,
    commune: Commune,
    *,
    name: str,
    phone: str,
    place_id: int,
    has_consented: bool,
) -> str:
    """Write a village head down; gives the address of their link, which nobody can be shown again. HeadProblem."""
    _must(official)
    name, phone = " ".join(printable(name, 120).split()), " ".join(printable(phone, 32).split())
    if not name:
        raise HeadProblem("Chưa có họ tên trưởng thôn. Vui lòng nhập họ tên.")
    if not has_consented:
        raise HeadProblem("Chưa đánh dấu là trưởng thôn đồng ý. Vui lòng hỏi rồi đánh dấu.")
    if place_id not in {village.id for village in villages(runtime, official)}:
        raise HeadProblem("Không có thôn, tổ này trong danh sách địa danh. Vui lòng chọn trong danh sách.")
    page, link = counter_page(runtime, commune), new_link()
    with runtime.database.transaction() as session:
        head = VillageHead(
            commune_id=official.commune_id,
            channel_id=page.channel.id,
            visitor=visitor_of(link),
            name=name,
            phone=phone,
            place_id=place_id,
            created_at=runtime.now(),
            created_by_id=official.id,
        )
        session.add(head)
        session.flush()
        _audit(session, runtime, official, head, "added")
    log.info("head.added", head_id=head.id)
    return f"{runtime.settings.base_url}/phan-anh/{page.channel.slug}/{link}"


def revoke(runtime: Runtime, official: Official, head_id: int) -> None:
    """The link opens nothing any more; what was reported by it stays. NotFound for no such head."""
    _must(official)
    with runtime.database.transaction() as session:
        head = session.get(VillageHead, head_id, with_for_update=True)
        if head is None or head.commune_id != official.commune_id:
            raise NotFound
        if head.revoked_at is None:
            head.revoked_at = runtime.now()
            _audit(session, runtime, official, head, "revoked")
    log.info("head.revoked", head_id=head_id)


@dataclass(frozen=True)
class Holder:
    """Whose link it is; `is_valid`: whether it still opens anything."""

    name: str
    phone: str
    village: str
    is_valid: bool


def holder_of(runtime: Runtime, page: Page, link: str) -> Holder | None:
    """The village head who holds this link, if it is one's."""
    query = (
        sa.select(VillageHead, Place.name)
        .join(Place, Place.id == VillageHead.place_id)
        .where(VillageHead.channel_id == page.channel.id, VillageHead.visitor == visitor_of(link))
    )
    with runtime.database.reading() as session:
        found = session.execute(query).first()
    return Holder(found[0].name, found[0].phone, found[1], found[0].revoked_at is None) if found else None


def said_by(holder: Holder, written: Written, where: str) -> Written:
    """What a village head wrote in the two fields, as one report that says where it is and who tells it."""
    spot = " ".join(where.split())
    place = f"{spot}, {holder.village}" if spot else holder.village
    text = f"{written.text.strip()}\nỞ {place}" if written.text.strip() else written.text
    return Written(written.once, text, written.files, written.pin, holder.name, holder.phone, has_consented=True)


def _must(official: Official) -> None:
    if not official.is_active or not official.has(*KEEPERS):
        raise HeadProblem("Tài khoản của Anh/Chị không có quyền làm việc này.")


def _audit(session: Session, runtime: Runtime, official: Official, head: VillageHead, action: str) -> None:
    session.add(
        AuditEntry(
            commune_id=head.commune_id,
            official_id=official.id,
            at=runtime.now(),
            action=f"village_head.{action}",
            target=f"village_head:{head.id}",
            data={},
        )
    )
