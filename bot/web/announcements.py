"""Announcement pages: the list, and of one channel's part how it goes out and what became of it for each person."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, request
from werkzeug.wrappers import Response

from bot.usecases import announcements, articles, bulletin_aloud, bulletin_results, results
from bot.usecases.announcements import APPROVERS, READERS, AnnouncementError, NoSuchAnnouncement
from bot.usecases.results import GROUPS, PAGE, PEOPLE_ON_A_PAGE, Look
from bot.web.bulletin_words import IMPORTANCE, IMPORTANCE_BADGES, STANDING_BADGES, STANDINGS
from bot.web.language import N_, gettext
from bot.web.security import is_poll
from bot.web.shell import current_official, notice, render, require, row_number, runtime
from bot.web.words import topic_word
from storage.enums import AnnouncementState, ArticleState, Role

pages = Blueprint("announcements", __name__)

STATES = {
    AnnouncementState.APPROVED: N_("Đã duyệt, chuẩn bị gửi"),
    AnnouncementState.SENDING: N_("Đang gửi"),
    AnnouncementState.SENT: N_("Đã gửi xong"),
    AnnouncementState.STOPPED: N_("Đã dừng"),
}
GROUP_WORDS = {
    "sent": N_("Đã gửi"),
    "refused": N_("Không gửi được"),
    "unknown": N_("Không rõ kết quả"),
    "waiting": N_("Đang chờ"),
    "cancelled": N_("Đã hủy"),
}
BADGES = {
    AnnouncementState.APPROVED: "badge-unread",
    AnnouncementState.SENDING: "badge-unread",
    AnnouncementState.SENT: "badge-calm",
    AnnouncementState.STOPPED: "badge-closed",
}
DELIVERY_BADGES = {state: f"badge-{kind}" for kind, states in {
    "calm": GROUPS["sent"], "closed": GROUPS["refused"], "soon": GROUPS["unknown"],
    "none": (*GROUPS["waiting"], *GROUPS["cancelled"]),
}.items() for state in states}  # fmt: skip
ARTICLE_WORDS = {
    ArticleState.WAITING: N_("Chờ gửi bài cho Zalo"),
    ArticleState.VERIFYING: N_("Zalo đang xử lý bài"),
    ArticleState.READY: N_("Bài đã sẵn sàng, chờ giờ gửi"),
    ArticleState.SENDING: N_("Đang gửi"),
    ArticleState.SENT: N_("Zalo đã nhận để gửi"),
    ArticleState.UNKNOWN: N_("Không rõ đã gửi chưa"),
    ArticleState.REFUSED: N_("Không gửi được"),
    ArticleState.STOPPED: N_("Đã dừng"),
}
for _sentence in results.WORDS.values():
    N_(_sentence)


@pages.get("/announcements")
@require(*READERS)
def index() -> Response:
    """The commune's announcements, newest first."""
    lines = results.listing(runtime(), current_official(), before=_number("before"))
    bulletins = bulletin_results.listing(runtime(), current_official(), before=_number("bulletins_before"))
    return render(
        "announcements/index.html",
        bulletins=bulletins[:PAGE],
        older_bulletins=bulletins[PAGE - 1].bulletin.id if len(bulletins) > PAGE else None,
        standings=STANDINGS,
        standing_badges=STANDING_BADGES,
        importance_words=IMPORTANCE,
        importance_badges=IMPORTANCE_BADGES,
        villages=bulletin_aloud.channels(runtime(), current_official()),
        lines=lines[:PAGE],
        older=lines[PAGE - 1].announcement.id if len(lines) > PAGE else None,
        is_first_page=not request.args.keys() & {"before", "bulletins_before"},
        may_write=current_official().has(Role.AUTHOR),
        states=STATES,
        badges=BADGES,
    )


@pages.get("/announcements/<int:number>")
@require(*READERS)
def show(number: int) -> Response:
    """One announcement with everything that can be done about it now."""
    return _page(number)


@pages.post("/announcements/<int:number>/article")
@require(*APPROVERS)
def article(number: int) -> Response:
    """Publish the approved text to all followers as an article."""
    return _done(
        number,
        lambda: articles.ask(runtime(), current_official(), number),
        "Đang đăng bài viết. Zalo xử lý rồi mới gửi; tình trạng hiện ở dưới.",
    )


@pages.post("/announcements/<int:number>/stop")
@require(Role.AUTHOR, *APPROVERS)
def stop(number: int) -> Response:
    """Send nothing more of it."""
    return _done(
        number,
        lambda: announcements.stop(runtime(), current_official(), number),
        "Đã dừng. Những người chưa được gửi sẽ không nhận thông báo này.",
    )


@pages.post("/announcements/<int:number>/deliveries/<int:delivery>/resend")
@require(Role.AUTHOR, *APPROVERS)
def resend(number: int, delivery: int) -> Response:
    """Send it to one person again."""
    return _done(
        number,
        lambda: announcements.resend(runtime(), current_official(), number, delivery),
        "Đang gửi lại cho người này.",
    )


@pages.get("/announcements/<int:number>/results.csv")
@require(*READERS)
def export(number: int) -> Response:
    """All people and what became of it for each, as a table."""
    try:
        made = results.export(runtime(), current_official(), number)
    except NoSuchAnnouncement:
        abort(404)
    return Response(
        made,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="thong-bao-{number}.csv"'},
    )


def _done(number: int, act: Any, sentence: str) -> Response:
    try:
        act()
    except NoSuchAnnouncement:
        abort(404)
    except AnnouncementError as error:
        return _page(number, error=error)
    notice(sentence)
    return redirect(f"/announcements/{number}", 303)


def _page(number: int, error: AnnouncementError | None = None) -> Response:
    look = _look(number)
    announcement, official = look.announcement, current_official()
    group = request.args.get("group", "")
    people = []
    if look.total:
        people = results.people(runtime(), official, number, group=group, after=_number("after") or 0)
    answer = render(
        "announcements/show.html",
        blocks=("progress",),
        status=422 if error else 200,
        look=look,
        announcement=announcement,
        states=STATES,
        badges=BADGES,
        delivery_badges=DELIVERY_BADGES,
        group=group if group in GROUPS else "",
        group_words=GROUP_WORDS,
        delivery_words=results.WORDS,
        people=people[:PEOPLE_ON_A_PAGE],
        next_after=people[PEOPLE_ON_A_PAGE - 1].delivery_id if len(people) > PEOPLE_ON_A_PAGE else None,
        name_of=results.name_of,
        say=gettext,  # a channel's reason is a sentence of ours, but may hold a per cent sign
        publication=articles.publication(runtime(), official, number),
        article_words=ARTICLE_WORDS,
        topic_word=topic_word,
        may_approve_any=official.has(*APPROVERS),
        now=runtime().now(),
        may_stop=official.has(Role.AUTHOR, *APPROVERS),
        error=_said(error),
    )
    if is_poll() and not look.is_running:
        answer.headers["HX-Refresh"] = "true"  # what can be done about it has changed as well
    return answer


def _look(number: int) -> Look:
    try:
        return results.look_at(runtime(), current_official(), number)
    except NoSuchAnnouncement:
        abort(404)


def _number(name: str) -> int | None:
    return row_number(request.args.get(name, ""))


def _said(error: AnnouncementError | None) -> str | None:
    return gettext(error.sentence, **error.values) if error else None
