"""Notices: what every use case must know of bulletins from above: their words for followers, and whether they hold."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from bot.rules.from_above import Handed, still_holds
from bot.usecases.announcing import AnnouncementError
from storage.notices import SourceNotice, newest_revision


def handed(notice: SourceNotice) -> Handed:
    """A bulletin from above as the rules know it."""
    return Handed(
        notice.urgency, notice.source, notice.title, notice.body, notice.revision, notice.is_cancelled, notice.reason
    )  # fmt: skip


def check_holds(session: Session, notice_id: int, now: datetime, until: datetime | None = None) -> SourceNotice:
    """Only the latest revision may be passed on, while it holds and no longer; gives it. Raises AnnouncementError."""
    notice = session.get_one(SourceNotice, notice_id)
    if newest_revision(session, notice.channel_id, notice.ref) != notice.revision:
        raise AnnouncementError(
            "Cấp trên đã gửi bản mới của tin này. Vui lòng mở trang Tin của cấp trên và chuyển tiếp bản mới."
        )
    if notice.is_cancelled:
        raise AnnouncementError("Cấp trên đã hủy tin này nên không chuyển tiếp được nữa.")
    if not still_holds(notice.valid_until, now):
        raise AnnouncementError("Tin này đã hết hiệu lực nên không chuyển tiếp được nữa.")
    if until is not None and notice.valid_until is not None and until > notice.valid_until:
        raise AnnouncementError("Thời hạn hiệu lực dài hơn thời hạn của cấp trên. Vui lòng chọn thời hạn sớm hơn.")
    return notice
