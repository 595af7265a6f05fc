"""Groups: a commune's own list of them, and whom officials put in or take out, with a reason that is kept."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.text import printable
from bot.access import audit
from bot.rules.lifecycle import NotAllowed
from bot.runtime import Runtime
from bot.usecases.announcing import READERS, AnnouncementError, NoSuchAnnouncement, must
from bot.usecases.contact_files import contact_for, urns_of
from bot.usecases.looks import without_personal_data
from nlp.normalise import fold
from storage.announcements import RUNNING, Announcement
from storage.bulletins import Bulletin
from storage.enums import BulletinState, Role
from storage.groups import Group, Membership, groups_of, joined, sizes
from storage.officials import Official

LONGEST_NAME = 60
SHORTEST_REASON, LONGEST_REASON = 5, 200
MOST_GROUPS = 100


@dataclass(frozen=True)
class Belonging:
    """A contact's place in a group: since when, and by whom; `official`: "" for the citizen's own word."""

    group: Group
    membership: Membership
    official: str


def listing(runtime: Runtime, official: Official) -> list[tuple[Group, int]]:
    """The commune's groups, with how many people belong to each."""
    must(official, *READERS)
    with runtime.database.reading() as session:
        counts = sizes(session, official.commune_id)
        return [(group, counts.get(group.id, 0)) for group in groups_of(session, official.commune_id)]


def add(runtime: Runtime, official: Official, name: str) -> int:
    """A new group under the next number; gives its id. Raises AnnouncementError."""
    must(official, Role.AUTHOR, Role.LEADER)
    with runtime.database.transaction() as session:
        name = _free_name(session, official, name)
        last = session.scalar(sa.select(sa.func.max(Group.number)).where(Group.commune_id == official.commune_id))
        group = Group(
            commune_id=official.commune_id, number=(last or 0) + 1, name=name, name_folded=fold(name)[:LONGEST_NAME],
            created_at=runtime.now(), made_by_id=official.id,
        )  # fmt: skip
        session.add(group)
        session.flush()
        audit(session, official, "group.added", f"group:{group.id}", runtime.now(), name=name)
        return group.id


def rename(runtime: Runtime, official: Official, group_id: int, name: str) -> None:
    """Another name under the same number. Raises AnnouncementError, NoSuchAnnouncement."""
    must(official, Role.AUTHOR, Role.LEADER)
    with runtime.database.transaction() as session:
        group = _found(session, official, group_id)
        group.name = _free_name(session, official, name, but=group.id)
        group.name_folded = fold(group.name)[:LONGEST_NAME]
        audit(session, official, "group.renamed", f"group:{group.id}", runtime.now(), name=group.name)


def end(runtime: Runtime, official: Official, group_id: int) -> None:
    """The group is no more and who belonged to it is forgotten; not while something written for it is under way."""
    must(official, Role.AUTHOR, Role.LEADER)
    with runtime.database.transaction() as session:
        group = _found(session, official, group_id)
        if any(group.id in (one.narrowing or {}).get("group_ids", []) for one in _under_way(session, official)):
            raise AnnouncementError(
                "Còn thông báo gửi cho nhóm này đang chờ duyệt hoặc đang gửi. Chờ gửi xong hoặc dừng thông báo ấy đã."
            )
        group.ended_at = runtime.now()
        session.execute(sa.delete(Membership).where(Membership.group_id == group.id))
        audit(session, official, "group.ended", f"group:{group.id}", runtime.now(), name=group.name)


def belongings(runtime: Runtime, official: Official, contact_id: int) -> list[Belonging]:
    """The groups of a contact on any channel, each once. NotFound."""
    with runtime.database.reading() as session:
        contact_for(session, official, contact_id)
        rows = joined(session, [urn.id for urn, _ in urns_of(session, contact_id)])
        names = dict(
            session.execute(sa.select(Official.id, Official.name).where(Official.commune_id == official.commune_id))
            .tuples().all()
        )  # fmt: skip
    first = {group.id: (membership, group) for membership, group in reversed(rows)}
    return [
        Belonging(group, membership, names.get(membership.joined_by_id or 0, ""))
        for membership, group in sorted(first.values(), key=lambda row: row[1].number)
    ]


def open_groups(runtime: Runtime, official: Official) -> list[Group]:
    """The groups somebody can be put into."""
    with runtime.database.reading() as session:
        return groups_of(session, official.commune_id)


def put_in(runtime: Runtime, official: Official, contact_id: int, group_id: int, *, reason: str, address: str) -> None:
    """Put a citizen into a group on all their channels, as they agreed in person; not against their own word.

    NotFound, NotAllowed.
    """
    said = _reason(reason)
    now = runtime.now()
    with runtime.database.transaction() as session:
        contact = contact_for(session, official, contact_id, locked=True)
        group = _found(session, official, group_id)
        if contact.erased_at is not None:
            raise NotAllowed("erased", "Người dân đã yêu cầu xóa dữ liệu nên không thêm vào nhóm được.")
        held = _held(session, group.id, contact_id)
        if any(one.left_at is not None and one.left_by_id is None for one in held.values()):
            raise NotAllowed("own_word", "Người dân đã tự rời nhóm này. Chỉ chính họ nhắn tham gia lại được.")
        for urn, _ in urns_of(session, contact_id):
            one = held.get(urn.id) or Membership(commune_id=official.commune_id, group_id=group.id, urn_id=urn.id)
            if one.id is None or one.left_at is not None:
                one.since, one.joined_by_id, one.reason, one.left_at, one.left_by_id = (
                    now,
                    official.id,
                    said,
                    None,
                    None,
                )
            session.add(one)
        data = {"group": group.name, "words": said}
        audit(session, official, "group.joined", f"contact:{contact_id}", now, address, **data)


def take_out(runtime: Runtime, official: Official, contact_id: int, group_id: int, *, address: str) -> None:
    """Take a citizen out of a group on all their channels. NotFound."""
    now = runtime.now()
    with runtime.database.transaction() as session:
        contact_for(session, official, contact_id, locked=True)
        group = _found(session, official, group_id)
        for one in _held(session, group.id, contact_id).values():
            if one.left_at is None:
                one.left_at, one.left_by_id = now, official.id
        audit(session, official, "group.left", f"contact:{contact_id}", now, address, group=group.name)


def _held(session: Session, group_id: int, contact_id: int) -> dict[int, Membership]:
    urns = [urn.id for urn, _ in urns_of(session, contact_id)]
    query = sa.select(Membership).where(Membership.group_id == group_id, Membership.urn_id.in_(urns))
    return {one.urn_id: one for one in session.scalars(query)}


def _found(session: Session, official: Official, group_id: int) -> Group:
    group = session.get(Group, group_id, with_for_update=True)
    if group is None or group.commune_id != official.commune_id or group.ended_at is not None:
        raise NoSuchAnnouncement
    return group


def _free_name(session: Session, official: Official, name: str, but: int = 0) -> str:
    name = " ".join(printable(name, LONGEST_NAME + 1).split())
    if not name or len(name) > LONGEST_NAME:
        raise AnnouncementError("Tên nhóm cần từ 1 đến %(most)s ký tự. Vui lòng nhập lại.", most=LONGEST_NAME)
    others = [one for one in groups_of(session, official.commune_id) if one.id != but]
    if fold(name) in {one.name_folded for one in others}:
        raise AnnouncementError("Đã có nhóm tên này. Vui lòng chọn tên khác.")
    if len(others) >= MOST_GROUPS:
        raise AnnouncementError("Địa phương đã có %(most)s nhóm. Vui lòng bỏ bớt nhóm không dùng.", most=MOST_GROUPS)
    return name


def _reason(words: str) -> str:
    said = " ".join(printable(words, LONGEST_REASON + 1).split())
    if not SHORTEST_REASON <= len(said) <= LONGEST_REASON:
        raise NotAllowed(
            "needs_words",
            "Cần ghi người dân đồng ý khi nào, bằng cách nào, từ %(least)s đến %(most)s ký tự.",
            least=SHORTEST_REASON,
            most=LONGEST_REASON,
        )
    return without_personal_data(said)


def _under_way(session: Session, official: Official) -> list[Bulletin]:
    is_running = sa.select(Announcement.id).where(
        Announcement.bulletin_id == Bulletin.id, Announcement.state.in_(RUNNING)
    )
    query = sa.select(Bulletin).where(
        Bulletin.commune_id == official.commune_id,
        sa.or_(Bulletin.state == BulletinState.SUBMITTED, is_running.exists()),
    )
    return list(session.scalars(query))
