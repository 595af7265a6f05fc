"""Bulletins: one official writes one text for all channels, a second one approves it, and it goes out on each.

What is approved becomes, in the same transaction, one announcement for each channel; from there on everything is as
with any announcement: expansion in chunks, pace, receipts, crashes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.orm import Session

from adapters.text import printable
from bot.queue import BROADCAST
from bot.rules.aloud import NOT_ALOUD, Aloud, aloud_of
from bot.rules.bulletins import FULL_CHECKLIST, MEDIA, MOST_REPEATS, Plan, Repeats, Words, timing_problem
from bot.runtime import Runtime
from bot.usecases import bulletin_aloud, edition_words, notices
from bot.usecases.announcing import (
    APPROVERS,
    EVERYBODY,
    LONGEST_NOTE,
    STOPPERS,
    AnnouncementError,
    NoSuchAnnouncement,
    channel_for,
    check_about,
    cleaned,
    must,
    normalised,
)
from bot.usecases.broadcast import STOPPED
from bot.usecases.bulletin_legs import make_legs
from bot.usecases.bulletin_pictures import AS_IT_IS, Picture, kept_picture, put_picture
from bot.usecases.bulletin_previews import Preview, preview_of
from storage.announcements import RUNNING, Announcement, cancel_waiting
from storage.audiences import About
from storage.audit import AuditEntry
from storage.bulletins import Bulletin, about_bulletin, followed_by, legs_of, repeats_of, tests_of
from storage.database import FOR_CHANGE
from storage.editions import edition_of
from storage.enums import AnnouncementState, BulletinKind, BulletinState, Importance, Role
from storage.officials import Official
from storage.prices import prices_of

log = structlog.get_logger()

DEFAULT = Importance.ROUTINE


@dataclass(frozen=True)
class Written:
    """A bulletin as its author wrote it; `texts`: words of its own by medium; `picture`: what is done about it."""

    title: str
    body: str
    channel_ids: tuple[int, ...]
    valid_until: datetime | None
    about: About = EVERYBODY
    importance: Importance = DEFAULT
    send_at: datetime | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    aloud: Aloud = NOT_ALOUD
    picture: Picture = AS_IT_IS
    asks_safety: bool = False
    repeat_days: int = 0
    repeat_times: int = 1


def draft(runtime: Runtime, official: Official, written: Written) -> int:
    """Keep a first version of a bulletin; gives its id."""
    must(official, Role.AUTHOR)
    with kept_picture(runtime, written.picture) as blob, runtime.database.transaction() as session:
        return draft_in(session, runtime, official, written, blob).id


def draft_in(
    session: Session, runtime: Runtime, official: Official, written: Written, blob: str | None = None
) -> Bulletin:
    """The same within a transaction; `blob`: the picture that was kept for it."""
    bulletin = Bulletin(
        commune_id=official.commune_id,
        kind=BulletinKind.FIRST,
        state=BulletinState.DRAFT,
        author_id=official.id,
        created_at=runtime.now(),
    )
    _take(session, runtime, official, bulletin, written)
    put_picture(session, runtime, bulletin, written.picture, blob)
    session.add(bulletin)
    session.flush()
    audit(session, runtime, official, bulletin, "drafted")
    return bulletin


def edit(runtime: Runtime, official: Official, bulletin_id: int, *, version: int, written: Written) -> None:
    """The author changes a draft, or one that was returned."""
    with kept_picture(runtime, written.picture) as blob, runtime.database.transaction() as session:
        bulletin = own_draft(session, official, bulletin_id, version)
        if bulletin.repeats_id is not None:
            raise AnnouncementError(
                "Lần nhắc lại gửi đúng lời đã duyệt nên không sửa được. Có thể soạn đính chính, hoặc bỏ bản này."
            )
        _take(session, runtime, official, bulletin, written)
        if bulletin.notice_id is None:
            put_picture(session, runtime, bulletin, written.picture, blob)
        bulletin.version += 1
        audit(session, runtime, official, bulletin, "edited", hash=plan_of(bulletin).digest)


def submit(runtime: Runtime, official: Official, bulletin_id: int, *, version: int, confirmed: Collection[str]) -> None:
    """The author hands it to a second person, having tried it on themselves and checked that it may be published."""
    with runtime.database.transaction() as session:
        bulletin = own_draft(session, official, bulletin_id, version)
        if not set(FULL_CHECKLIST) <= set(confirmed):
            raise AnnouncementError(
                "Chưa đánh dấu đủ các mục cần kiểm tra. Vui lòng kiểm tra từng mục rồi trình duyệt."
            )
        _complete(session, runtime, bulletin)
        if not is_tried(session, bulletin):
            raise AnnouncementError(
                "Chưa gửi thử nội dung hiện tại cho chính mình. Vui lòng gửi thử, đọc trên máy rồi trình duyệt."
            )
        bulletin.state = BulletinState.SUBMITTED
        bulletin.submitted_at = runtime.now()
        bulletin.returned_note = None
        bulletin.version += 1
        digest = plan_of(bulletin).digest
        audit(session, runtime, official, bulletin, "submitted", hash=digest, confirmed=list(FULL_CHECKLIST))


def approve(
    runtime: Runtime, official: Official, bulletin_id: int, *, seen_hash: str, pays: bool = False, reason: str = ""
) -> None:
    """A second person approves exactly what they read; audiences are frozen and every channel begins.

    `pays`: they agree that channels charge for those whom they let us write to for money only. `reason`: why an
    emergency goes out at once; a third person looks at it afterwards.
    """
    must(official, *APPROVERS)
    reason = printable(reason, LONGEST_NOTE).strip()
    with runtime.database.transaction() as session:
        bulletin = _submitted(session, official, bulletin_id)
        if bulletin.author_id == official.id:
            raise AnnouncementError("Người soạn không được tự duyệt. Cần một người khác có quyền duyệt tin.")
        if seen_hash != plan_of(bulletin).digest:
            raise AnnouncementError("Nội dung đã thay đổi sau khi Anh/Chị mở trang. Vui lòng đọc lại rồi duyệt.")
        if bulletin.importance is Importance.EMERGENCY and not reason:
            raise AnnouncementError("Tin khẩn cấp cần ghi lý do duyệt. Vui lòng ghi ngắn gọn việc gì đang xảy ra.")
        seen = _complete(session, runtime, bulletin)
        bulletin.state = BulletinState.APPROVED
        bulletin.approver_id, bulletin.approved_at = official.id, runtime.now()
        bulletin.approved_hash, bulletin.approval_reason = seen_hash, reason or None
        bulletin.version += 1
        _stop_what_it_replaces(session, runtime, official, bulletin)
        make_legs(session, bulletin, plan_of(bulletin), seen, pays=pays)
        bulletin_aloud.order(session, runtime, bulletin, plan_of(bulletin), seen.script.text, seen.board)
        data = {"hash": seen_hash, "audience": seen.count, "pays": pays, "class": bulletin.importance.value}
        audit(session, runtime, official, bulletin, "approved", **data)
    log.info("bulletin.approved", bulletin_id=bulletin_id, audience=seen.count)
    runtime.nudge(BROADCAST)


def return_to_author(runtime: Runtime, official: Official, bulletin_id: int, *, note: str) -> None:
    """Back to a draft: the second person says what to change, or the author takes it back."""
    note = printable(note, LONGEST_NOTE).strip()
    with runtime.database.transaction() as session:
        bulletin = _submitted(session, official, bulletin_id)
        if bulletin.author_id != official.id:
            must(official, *APPROVERS)
            if not note:
                raise AnnouncementError("Chưa ghi lý do trả lại. Vui lòng ghi rõ cần sửa gì để người soạn biết.")
        bulletin.state = BulletinState.DRAFT
        if bulletin.repeats_id is not None:  # its words are not the author's to change
            bulletin.state, bulletin.stopped_at = BulletinState.STOPPED, runtime.now()
        bulletin.submitted_at = None
        bulletin.returned_note = note or None
        bulletin.version += 1
        audit(session, runtime, official, bulletin, "returned")


def stop(runtime: Runtime, official: Official, bulletin_id: int) -> None:
    """Nothing more of it goes out on any channel, for good. What was sent cannot be called back."""
    must(official, *STOPPERS)
    with runtime.database.transaction() as session:
        bulletin = found(session, official, bulletin_id)
        legs = legs_of(session, [bulletin.id], lock=True)[bulletin.id]
        if bulletin.state is BulletinState.STOPPED or (legs and all(leg.state not in RUNNING for leg in legs)):
            raise AnnouncementError("Thông báo này đã kết thúc nên không còn gì để dừng.")
        if not legs and bulletin.author_id != official.id:
            raise AnnouncementError("Chỉ người soạn mới bỏ được bản chưa duyệt. Người duyệt có thể trả lại để sửa.")
        cancelled = stop_legs(session, runtime, official, bulletin, legs)
    log.warning("bulletin.stopped", bulletin_id=bulletin_id, cancelled=cancelled)


def pause(runtime: Runtime, official: Official, bulletin_id: int) -> None:
    """Nothing more of it goes out on any channel until somebody lets it go on; all is kept as it is."""
    _set_pause(runtime, official, bulletin_id, runtime.now())


def resume(runtime: Runtime, official: Official, bulletin_id: int) -> None:
    """What was put on hold goes on where it stood."""
    _set_pause(runtime, official, bulletin_id, None)
    runtime.nudge(BROADCAST)


def review(runtime: Runtime, official: Official, bulletin_id: int) -> None:
    """A third person confirms that they looked at an emergency that went out on one leader's word."""
    must(official, *APPROVERS)
    with runtime.database.transaction() as session:
        bulletin = found(session, official, bulletin_id)
        if not needs_review(bulletin):
            raise AnnouncementError("Thông báo này không chờ xem lại. Vui lòng tải lại trang.")
        if official.id in {bulletin.author_id, bulletin.approver_id}:
            raise AnnouncementError("Người soạn và người duyệt không tự xem lại được. Cần người thứ ba.")
        bulletin.reviewed_by_id, bulletin.reviewed_at = official.id, runtime.now()
        bulletin.version += 1
        audit(session, runtime, official, bulletin, "reviewed", hash=bulletin.approved_hash)


def needs_review(bulletin: Bulletin) -> bool:
    """Whether it went out as an emergency and no third person has looked at it yet."""
    is_out = bulletin.approved_at is not None and bulletin.importance is Importance.EMERGENCY
    return is_out and bulletin.reviewed_at is None


# ---- what it says ---------------------------------------------------------------------------------------------------


def words_of(bulletin: Bulletin) -> Words:
    """What was written."""
    return Words(
        bulletin.title,
        bulletin.body,
        bulletin.texts,
        bulletin.kind,
        bulletin.picture or "",
        bulletin.picture_words,
        asks_safety=bulletin.asks_safety and bulletin.importance is Importance.EMERGENCY,
    )


def plan_of(bulletin: Bulletin) -> Plan:
    """Everything an approver of it as it stands would approve."""
    return Plan(
        words_of(bulletin),
        bulletin.importance,
        bulletin.channel_ids,
        bulletin.topic,
        bulletin.place_ids,
        bulletin.valid_until,
        bulletin.send_at,
        bulletin.corrects_id,
        aloud_of(bulletin.aloud),
        Repeats(bulletin.repeat_times, bulletin.repeat_days, bulletin.repeats_id, bulletin.is_for_silent),
        bulletin.notice_id,
        bulletin.narrowing or {},
        bulletin.prices or {},
    )


def written_in(bulletin: Bulletin) -> Written:
    """A bulletin as its author wrote it."""
    return Written(
        bulletin.title,
        bulletin.body,
        tuple(bulletin.channel_ids),
        bulletin.valid_until,
        about_bulletin(bulletin),
        bulletin.importance,
        bulletin.send_at,
        bulletin.texts,
        aloud_of(bulletin.aloud),
        Picture(words=bulletin.picture_words),
        bulletin.asks_safety,
        bulletin.repeat_days,
        bulletin.repeat_times,
    )


def is_tried(session: Session, bulletin: Bulletin) -> bool:
    """Whether a channel took a test of exactly these words; what is repeated was tried when it was first told."""
    digest, number = words_of(bulletin).digest, bulletin.repeats_id or bulletin.id
    return any(state.reached_channel and test.words_hash == digest for test, state in tests_of(session, number))


# ---- finding --------------------------------------------------------------------------------------------------------


def found(session: Session, official: Official, bulletin_id: int, *, lock: bool = True) -> Bulletin:
    """The bulletin, for an official of its commune. Raises NoSuchAnnouncement."""
    bulletin = session.get(Bulletin, bulletin_id, with_for_update=FOR_CHANGE if lock else None)
    if bulletin is None or bulletin.commune_id != official.commune_id:
        raise NoSuchAnnouncement
    return bulletin


def own_draft(session: Session, official: Official, bulletin_id: int, version: int) -> Bulletin:
    """The author's own draft as it was read, locked. Raises AnnouncementError, NoSuchAnnouncement."""
    must(official, Role.AUTHOR)
    bulletin = found(session, official, bulletin_id)
    if bulletin.author_id != official.id:
        raise AnnouncementError("Chỉ người soạn mới sửa và trình duyệt được thông báo này.")
    if bulletin.state is not BulletinState.DRAFT:
        raise AnnouncementError("Thông báo đã trình duyệt nên không sửa được nữa. Có thể rút lại để sửa.")
    if bulletin.version != version:
        raise AnnouncementError("Bản này đã được sửa ở một cửa sổ khác. Vui lòng tải lại trang rồi sửa tiếp.")
    return bulletin


def audit(
    session: Session, runtime: Runtime, official: Official | None, bulletin: Bulletin, action: str, **data: Any
) -> None:
    """Write down who did what to it; no official where a citizen's word did, or where it happened by itself."""
    session.add(
        AuditEntry(
            commune_id=bulletin.commune_id,
            official_id=official.id if official else None,
            at=runtime.now(),
            action=f"bulletin.{action}",
            target=f"bulletin:{bulletin.id}",
            data=data,
        )
    )


def _submitted(session: Session, official: Official, bulletin_id: int) -> Bulletin:
    bulletin = found(session, official, bulletin_id)
    if bulletin.state is not BulletinState.SUBMITTED:
        raise AnnouncementError("Thông báo này không còn chờ duyệt. Vui lòng tải lại trang.")
    return bulletin


# ---- changing -------------------------------------------------------------------------------------------------------


def _take(session: Session, runtime: Runtime, official: Official, bulletin: Bulletin, written: Written) -> None:
    bulletin.valid_until, bulletin.send_at = written.valid_until, written.send_at
    if bulletin.notice_id is None:  # the words and class of what comes from above are nobody's to change
        _take_words(session, runtime, official, bulletin, written)
    if bulletin.corrects_id is None:  # else it goes to those who got the first one, on their channels
        _take_audience(session, official, bulletin, written)
    bulletin.prices = prices_of(session, bulletin.channel_ids)


def _take_audience(session: Session, official: Official, bulletin: Bulletin, written: Written) -> None:
    about = written.about
    check_about(session, official, about)
    bulletin.repeat_times = min(max(1, written.repeat_times), MOST_REPEATS) if written.repeat_days else 1
    bulletin.repeat_days = written.repeat_days if bulletin.repeat_times > 1 else 0
    bulletin.channel_ids = [channel_for(session, official, number).id for number in sorted(set(written.channel_ids))]
    bulletin.topic, bulletin.place_ids = about.topic, sorted(about.place_ids)
    bulletin.narrowing = about.narrowing.data()


def _take_words(session: Session, runtime: Runtime, official: Official, bulletin: Bulletin, written: Written) -> None:
    bulletin.title, bulletin.body = cleaned(written.title, written.body)
    bulletin.texts = {m: words for m in MEDIA if (words := normalised(written.texts.get(m, "")))}
    if (edition := edition_of(session, bulletin.id)) is not None:
        edition_words.put_into(session, runtime, bulletin, edition)  # its words are written on the edition's page
    bulletin.importance = written.importance
    speakers = bulletin_aloud.own(session, runtime, official, written.aloud.channel_ids)
    bulletin.aloud = replace(written.aloud, channel_ids=speakers).data()
    is_alarm = written.importance is Importance.EMERGENCY and bulletin.kind is not BulletinKind.END
    bulletin.asks_safety = written.asks_safety and is_alarm


def _complete(session: Session, runtime: Runtime, bulletin: Bulletin) -> Preview:
    if problem := timing_problem(runtime.now(), bulletin.valid_until, bulletin.send_at):
        raise AnnouncementError(problem)
    if not edition_words.still_hold(session, runtime, bulletin):
        raise AnnouncementError(
            "Có câu hỏi không còn được công khai hoặc vừa sửa. Vui lòng mở trang sửa, đọc lại, lưu và gửi thử."
        )
    _check_emergency(session, bulletin)
    repeats = plan_of(bulletin).repeats
    if problem := repeats.problem(bulletin.importance, bulletin.send_at, bulletin.valid_until):
        raise AnnouncementError(problem)
    if bulletin.notice_id is not None:
        notices.check_holds(session, bulletin.notice_id, runtime.now(), bulletin.valid_until)
    seen = preview_of(session, runtime, bulletin.commune_id, plan_of(bulletin))
    if seen.problems:
        raise seen.problems[0]
    return seen


def _check_emergency(session: Session, bulletin: Bulletin) -> None:
    """What is told once more must still hold, and is ended once; the first one is locked: of two, one comes second."""
    number = bulletin.repeats_id or (bulletin.corrects_id if bulletin.kind is BulletinKind.END else None)
    if number is None:
        return
    first = session.get_one(Bulletin, number, with_for_update=FOR_CHANGE)
    if first.ended_at is not None:
        raise AnnouncementError("Đợt khẩn cấp đã kết thúc rồi. Vui lòng bỏ bản này.")
    if bulletin.kind is BulletinKind.END:
        if bulletin.send_at is not None:
            raise AnnouncementError("Tin hết hiệu lực gửi ngay khi duyệt. Vui lòng bỏ hẹn giờ gửi.")
    elif any(later.approved_at is not None for later in followed_by(session, first.id)):
        raise AnnouncementError("Tin này đã được đính chính, thu hồi nên không nhắc lại lời cũ. Vui lòng bỏ bản này.")


def _stop_what_it_replaces(session: Session, runtime: Runtime, official: Official, bulletin: Bulletin) -> None:
    """What is put right or taken back, and what was to do so before, goes to nobody any more."""
    if bulletin.corrects_id is None:
        return
    first = session.get_one(Bulletin, bulletin.corrects_id, with_for_update=FOR_CHANGE)
    if bulletin.kind in {BulletinKind.RECALL, BulletinKind.END} and first.ended_at is None:
        first.ended_at = runtime.now()
        first.version += 1
    for earlier in (first, *followed_by(session, first.id), *repeats_of(session, first.id)):
        legs = legs_of(session, [earlier.id], lock=True)[earlier.id]
        if earlier.id != bulletin.id and any(leg.state in RUNNING for leg in legs):
            stop_legs(session, runtime, official, earlier, legs)


def stop_legs(
    session: Session, runtime: Runtime, official: Official | None, bulletin: Bulletin, legs: list[Announcement]
) -> int:
    """Stop a bulletin and its parts, which the caller has locked; gives how many deliveries were called off.

    No official: it came to an end by itself.
    """
    now, cancelled = runtime.now(), 0
    for leg in legs:
        if leg.state in RUNNING:
            leg.state, leg.stopped_at = AnnouncementState.STOPPED, now
            leg.version += 1
            cancelled += cancel_waiting(session, leg.id, "stopped", STOPPED)
    bulletin_aloud.silence(session, runtime, bulletin, "stopped")
    bulletin.state, bulletin.stopped_at = BulletinState.STOPPED, now
    bulletin.version += 1
    audit(session, runtime, official, bulletin, "stopped", cancelled=cancelled)
    return cancelled


def _set_pause(runtime: Runtime, official: Official, bulletin_id: int, at: datetime | None) -> None:
    must(official, *STOPPERS)
    with runtime.database.transaction() as session:
        bulletin = found(session, official, bulletin_id)
        legs = [leg for leg in legs_of(session, [bulletin.id], lock=True)[bulletin.id] if leg.state in RUNNING]
        if bulletin.state is not BulletinState.APPROVED or not legs:
            raise AnnouncementError("Thông báo này không còn đang gửi. Vui lòng tải lại trang.")
        if (bulletin.paused_at is None) is (at is None):
            return  # pressed twice
        bulletin.paused_at = at
        bulletin.version += 1
        for leg in legs:
            leg.paused_at = at
        audit(session, runtime, official, bulletin, "paused" if at else "resumed")
    log.warning("bulletin.held", bulletin_id=bulletin_id, is_on_hold=at is not None)
