"""Following up: what was said to many is put right or taken back, to exactly those who got it, on the same channels."""

from __future__ import annotations

from bot.rules.audience import TITLE_AT_MOST
from bot.runtime import Runtime
from bot.texts import moment
from bot.usecases.announcing import AnnouncementError, must
from bot.usecases.bulletins import audit, found
from storage.bulletins import Bulletin, legs_of
from storage.enums import BulletinKind, BulletinState, Role
from storage.officials import Official
from storage.prices import prices_of

TAKEN_BACK = "Thông báo “%(tieude)s” gửi lúc %(luc)s được thu hồi, không còn giá trị. Mong bà con thông cảm."


def follow_up(runtime: Runtime, official: Official, bulletin_id: int, kind: BulletinKind) -> int:
    """Begin a correction or a recall of what was sent; gives the id of the new draft.

    However often something is put right, it is always the first bulletin's people who are told.
    """
    must(official, Role.AUTHOR)
    with runtime.database.transaction() as session:
        said = found(session, official, bulletin_id)
        first = found(session, official, said.corrects_id) if said.corrects_id else said
        legs = legs_of(session, [first.id])[first.id]
        if not legs or kind is BulletinKind.FIRST:
            raise AnnouncementError("Chỉ đính chính, thu hồi được thông báo đã duyệt gửi.")
        still_holds = first.valid_until is not None and first.valid_until > runtime.now()
        bulletin = Bulletin(
            commune_id=first.commune_id,
            kind=kind,
            corrects_id=first.id,
            title=first.title[:TITLE_AT_MOST],
            body=_body(first, kind),
            texts={},
            importance=first.importance,
            valid_until=first.valid_until if still_holds else None,
            topic=first.topic,
            place_ids=first.place_ids,
            narrowing=first.narrowing,
            channel_ids=[leg.channel_id for leg in legs],
            prices=prices_of(session, [leg.channel_id for leg in legs]),
            state=BulletinState.DRAFT,
            author_id=official.id,
            created_at=runtime.now(),
        )
        session.add(bulletin)
        session.flush()
        audit(session, runtime, official, bulletin, "drafted", kind=kind.value, of=first.id)
        return bulletin.id


def _body(first: Bulletin, kind: BulletinKind) -> str:
    if kind is BulletinKind.CORRECTION or first.approved_at is None:
        return first.body
    return TAKEN_BACK % {"tieude": first.title, "luc": moment(first.approved_at)}
