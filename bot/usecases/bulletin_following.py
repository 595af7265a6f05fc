"""Following up: what was said to many is put right, taken back or ended, to exactly those who got it, on the same
channels; and an emergency is told once more when an official says so.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.rules.aloud import Aloud, aloud_of
from bot.rules.audience import TITLE_AT_MOST
from bot.runtime import Runtime
from bot.texts import moment
from bot.usecases import edition_words
from bot.usecases.announcing import AnnouncementError, must
from bot.usecases.bulletins import audit, found
from storage.announcements import Announcement
from storage.bulletins import Bulletin, followed_by, legs_of, repeats_of
from storage.editions import edition_of
from storage.enums import BulletinKind, BulletinState, Importance, Role
from storage.officials import Official
from storage.prices import prices_of

ENDED = (
    "Cảnh báo “%(tieude)s” gửi lúc %(luc)s đã hết hiệu lực. Bà con vẫn làm theo hướng dẫn của địa phương; nếu còn "
    "nguy hiểm xin gọi ngay 112, 113, 114, 115 hoặc nhắn lại tin này."
)
REPEAT_VALIDITY, END_VALIDITY = timedelta(hours=12), timedelta(days=1)
TAKEN_BACK = "Thông báo “%(tieude)s” gửi lúc %(luc)s được thu hồi, không còn giá trị. Mong bà con thông cảm."

NOT_OURS = (
    "Tin này do cấp trên phát hành nên địa phương không đính chính được. Khi cấp trên gửi bản mới, "
    "Anh/Chị chuyển tiếp bản mới ở trang Tin của cấp trên."
)


def follow_up(runtime: Runtime, official: Official, bulletin_id: int, kind: BulletinKind) -> int:
    """Begin a correction or a recall of what was sent; gives the id of the new draft.

    However often something is put right, it is always the first bulletin's people who are told.
    """
    must(official, Role.AUTHOR)
    with runtime.database.transaction() as session:
        said = found(session, official, bulletin_id)
        first = found(session, official, said.root_id) if said.root_id != said.id else said
        legs = legs_of(session, [first.id])[first.id]
        if not legs or kind is BulletinKind.FIRST:
            raise AnnouncementError("Chỉ đính chính, thu hồi được thông báo đã duyệt gửi.")
        if kind is BulletinKind.END:
            _must_be_open(first)
        if first.notice_id is not None and kind is BulletinKind.CORRECTION:
            raise AnnouncementError(NOT_OURS)
        still_holds = first.valid_until is not None and first.valid_until > runtime.now()
        bulletin = Bulletin(
            commune_id=first.commune_id,
            kind=kind,
            corrects_id=first.id,
            title=first.title[:TITLE_AT_MOST],
            body=_body(session, runtime, first, kind),
            texts={},
            importance=first.importance,
            valid_until=_validity(runtime, first, kind, still_holds=still_holds),
            asks_safety=first.asks_safety and kind is BulletinKind.CORRECTION,
            topic=first.topic,
            place_ids=first.place_ids,
            narrowing=first.narrowing,
            aloud=_aloud(first),
            channel_ids=sorted({leg.channel_id for leg in legs}),
            prices=prices_of(session, [leg.channel_id for leg in legs]),
            state=BulletinState.DRAFT,
            author_id=official.id,
            created_at=runtime.now(),
        )
        session.add(bulletin)
        session.flush()
        audit(session, runtime, official, bulletin, "drafted", kind=kind.value, of=first.id)
        return bulletin.id


def repeat(runtime: Runtime, official: Official, bulletin_id: int, *, only_silent: bool) -> int:
    """Hand the same emergency to a second person once more, for all or for those who have not answered; gives its id.

    Nothing repeats an emergency by itself. The words were tried and checked when they were first told.
    """
    must(official, Role.AUTHOR)
    with runtime.database.transaction() as session:
        said = found(session, official, bulletin_id)
        first = found(session, official, said.root_id) if said.root_id != said.id else said
        legs = legs_of(session, [first.id])[first.id]
        if not legs:
            raise AnnouncementError("Chỉ nhắc lại được tin khẩn cấp đã duyệt gửi.")
        _must_be_open(first)
        if any(later.approved_at is not None for later in followed_by(session, first.id)):
            raise AnnouncementError(
                "Tin này đã được đính chính hoặc thu hồi nên không nhắc lại lời cũ. Vui lòng soạn tin mới."
            )
        if any(again.state is BulletinState.SUBMITTED for again in repeats_of(session, first.id)):
            raise AnnouncementError("Đã có một lần nhắc lại đang chờ duyệt. Vui lòng duyệt hoặc bỏ lần ấy trước.")
        if only_silent and not first.asks_safety:
            raise AnnouncementError("Tin này không hỏi AN TOÀN hay CẦN GIÚP nên không biết ai chưa trả lời.")
        again = _again(runtime, official, first, legs, only_silent=only_silent)
        again.prices = prices_of(session, again.channel_ids)
        session.add(again)
        session.flush()
        audit(session, runtime, official, again, "repeat_asked", of=first.id, only_silent=only_silent)
        return again.id


def _again(
    runtime: Runtime, official: Official, first: Bulletin, legs: list[Announcement], *, only_silent: bool
) -> Bulletin:
    now = runtime.now()
    holds = first.valid_until is not None and first.valid_until > now
    return Bulletin(
        commune_id=first.commune_id,
        kind=BulletinKind.FIRST,
        repeats_id=first.id,
        notice_id=first.notice_id,
        is_for_silent=only_silent,
        title=first.title,
        body=first.body,
        texts=first.texts,
        picture=first.picture,
        picture_words=first.picture_words,
        importance=first.importance,
        asks_safety=first.asks_safety,
        valid_until=first.valid_until if holds else now + REPEAT_VALIDITY,
        topic=first.topic,
        place_ids=first.place_ids,
        narrowing=first.narrowing,
        aloud={} if only_silent else _aloud(first),
        channel_ids=sorted({leg.channel_id for leg in legs}),
        state=BulletinState.SUBMITTED,
        author_id=official.id,
        created_at=now,
        submitted_at=now,
    )


def _aloud(first: Bulletin) -> dict[str, Any]:
    """What warned aloud of an emergency says aloud, too, that it goes on or is over; all else as its author says."""
    if first.importance is not Importance.EMERGENCY:
        return {}
    return Aloud(aloud_of(first.aloud).channel_ids).data()


def _must_be_open(first: Bulletin) -> None:
    if first.importance is not Importance.EMERGENCY:
        raise AnnouncementError(
            "Chỉ tin khẩn cấp mới nhắc lại hoặc kết thúc được. Với tin khác, vui lòng soạn đính chính hoặc thu hồi."
        )
    if first.ended_at is not None:
        raise AnnouncementError("Đợt khẩn cấp này đã kết thúc. Nếu nguy hiểm trở lại, vui lòng soạn tin khẩn cấp mới.")


def _validity(runtime: Runtime, first: Bulletin, kind: BulletinKind, *, still_holds: bool) -> datetime | None:
    if kind is BulletinKind.END and not still_holds:
        return runtime.now() + END_VALIDITY
    return first.valid_until if still_holds else None


def _body(session: Session, runtime: Runtime, first: Bulletin, kind: BulletinKind) -> str:
    if kind is BulletinKind.CORRECTION or first.approved_at is None:
        edition = edition_of(session, first.id)
        return first.body if edition is None else edition_words.compose(session, runtime, edition).body
    words = ENDED if kind is BulletinKind.END else TAKEN_BACK
    return words % {"tieude": first.title, "luc": moment(first.approved_at)}
