"""Announcement pages: write, read what a colleague wrote, approve, watch it go out, see what became of it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, request
from werkzeug.wrappers import Response

from bot.rules.audience import CHECKLIST, ENOUGH_IN_A_WEEK, TEXT_AT_MOST, TITLE_AT_MOST
from bot.usecases import announcements, articles, bulletin_aloud, bulletin_results, results
from bot.usecases.announcements import APPROVERS, READERS, AnnouncementError, NoSuchAnnouncement, Preview
from bot.usecases.broadcast import fingerprint
from bot.usecases.results import GROUPS, PAGE, PEOPLE_ON_A_PAGE, Look
from bot.web.bulletin_words import IMPORTANCE, IMPORTANCE_BADGES, STANDING_BADGES, STANDINGS
from bot.web.language import N_, gettext
from bot.web.security import is_poll
from bot.web.shell import current_official, notice, render, require, row_number, runtime
from bot.web.words import topic_word
from nlp.topics import TOPICS
from storage.announcements import Announcement, about_of
from storage.audiences import About
from storage.enums import AnnouncementState, ArticleState, Role

pages = Blueprint("announcements", __name__)

VILLAGES_AT_MOST = 500

STATES = {
    AnnouncementState.DRAFT: N_("Bản nháp"),
    AnnouncementState.SUBMITTED: N_("Chờ duyệt"),
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
    AnnouncementState.DRAFT: "badge-none",
    AnnouncementState.SUBMITTED: "badge-soon",
    AnnouncementState.APPROVED: "badge-unread",
    AnnouncementState.SENDING: "badge-unread",
    AnnouncementState.SENT: "badge-calm",
    AnnouncementState.STOPPED: "badge-closed",
}
DELIVERY_BADGES = {state: f"badge-{kind}" for kind, states in {
    "calm": GROUPS["sent"], "closed": GROUPS["refused"], "soon": GROUPS["unknown"],
    "none": (*GROUPS["waiting"], *GROUPS["cancelled"]),
}.items() for state in states}  # fmt: skip
CHECKLIST_WORDS = {
    "no_advertising": N_("Không quảng cáo, không giới thiệu sản phẩm hay doanh nghiệp."),
    "no_personal_data": N_("Không có thông tin cá nhân (họ tên, số điện thoại, địa chỉ của người dân)."),
    "competent_source": N_("Nguồn tin là cơ quan có thẩm quyền và đã được kiểm tra."),
}
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


@pages.get("/announcements/new")
@require(Role.AUTHOR)
def new() -> Response:
    """An empty form."""
    return _form(None)


@pages.post("/announcements")
@require(Role.AUTHOR)
def create() -> Response:
    """Keep a draft, or show how it would arrive."""
    if "preview" in request.form:
        return _form(None, is_asked=True)
    try:
        number = announcements.draft(runtime(), current_official(), **_written())
    except AnnouncementError as error:
        return _form(None, error=error)
    notice("Đã lưu bản nháp.")
    return redirect(f"/announcements/{number}", 303)


@pages.post("/announcements/preview")
@require(Role.AUTHOR)
def preview() -> Response:
    """The preview beside the form while somebody types."""
    return _form(None, is_asked=True)


@pages.get("/announcements/<int:number>/edit")
@require(Role.AUTHOR)
def edit(number: int) -> Response:
    """The form with what was written so far."""
    look = _look(number)
    if look.announcement.author_id != current_official().id:
        abort(403)
    if look.announcement.state is not AnnouncementState.DRAFT:
        notice("Thông báo đã trình duyệt nên không sửa được nữa. Có thể rút lại để sửa.", "problem")
        return redirect(f"/announcements/{number}", 303)
    return _form(look.announcement)


@pages.post("/announcements/<int:number>")
@require(Role.AUTHOR)
def update(number: int) -> Response:
    """Keep what was changed, or show how it would arrive."""
    look = _look(number)
    if "preview" in request.form:
        return _form(look.announcement, is_asked=True)
    version = request.form.get("version", type=int) or 0
    try:
        announcements.edit(runtime(), current_official(), number, version=version, **_written())
    except AnnouncementError as error:
        return _form(look.announcement, error=error)
    notice("Đã lưu bản nháp.")
    return redirect(f"/announcements/{number}", 303)


@pages.get("/announcements/<int:number>")
@require(*READERS)
def show(number: int) -> Response:
    """One announcement with everything that can be done about it now."""
    return _page(number)


@pages.post("/announcements/<int:number>/submission")
@require(Role.AUTHOR)
def submission(number: int) -> Response:
    """Hand it to a second person."""
    version = request.form.get("version", type=int) or 0
    return _done(
        number,
        lambda: announcements.submit(
            runtime(), current_official(), number, version=version, confirmed=request.form.getlist("confirmed")
        ),
        "Đã trình duyệt. Người duyệt sẽ thấy thông báo này trong danh sách.",
    )


@pages.post("/announcements/<int:number>/approval")
@require(*APPROVERS)
def approval(number: int) -> Response:
    """Approve exactly what was read."""
    seen = request.form.get("seen_hash", "")
    return _done(
        number,
        lambda: announcements.approve(
            runtime(), current_official(), number, seen_hash=seen, pays="pays" in request.form
        ),
        "Đã duyệt. Hệ thống bắt đầu gửi.",
    )


@pages.post("/announcements/<int:number>/return")
@require(Role.AUTHOR, *APPROVERS)
def give_back(number: int) -> Response:
    """Back to its author, or taken back by them."""
    note = request.form.get("note", "")
    return _done(
        number,
        lambda: announcements.return_to_author(runtime(), current_official(), number, note=note),
        "Thông báo đã về lại bản nháp.",
    )


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
    is_author = announcement.author_id == official.id
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
        checklist=[(name, CHECKLIST_WORDS[name]) for name in CHECKLIST],
        seen_hash=fingerprint(announcement),
        topic_word=topic_word,
        is_author=is_author,
        may_approve=official.has(*APPROVERS) and not is_author,
        may_approve_any=official.has(*APPROVERS),
        now=runtime().now(),
        may_stop=official.has(Role.AUTHOR, *APPROVERS),
        enough=ENOUGH_IN_A_WEEK,
        error=_said(error),
    )
    if is_poll() and not look.is_running:
        answer.headers["HX-Refresh"] = "true"  # what can be done about it has changed as well
    return answer


def _form(
    announcement: Announcement | None, *, is_asked: bool = False, error: AnnouncementError | None = None
) -> Response:
    channels = announcements.channels_for(runtime(), current_official())
    if request.method == "POST":
        written = _written()
    elif announcement is not None:
        written = {
            "channel_id": announcement.channel_id,
            "title": announcement.title,
            "body": announcement.body,
            "about": about_of(announcement),
        }
    else:
        written = {"channel_id": channels[0].id if channels else 0, "title": "", "body": "", "about": About()}
    seen, problem = _preview(written) if channels else (None, None)
    version = request.form.get("version", type=int) or (announcement.version if announcement else 0)
    return render(
        "announcements/form.html",
        blocks=("preview",),
        status=422 if error else 200,
        announcement=announcement,
        version=version,
        channels=channels,
        channel_options=[(channel.id, channel.name) for channel in channels],
        written=written,
        topics=[(slug, topic_word(slug)) for slug in TOPICS],
        villages=announcements.villages_for(runtime(), current_official()),
        seen=seen,
        problems=[_said(p) for p in seen.problems] if seen and is_asked else [],
        title_at_most=TITLE_AT_MOST,
        text_at_most=TEXT_AT_MOST,
        enough=ENOUGH_IN_A_WEEK,
        error=_said(error or problem),
    )


def _preview(written: dict[str, Any]) -> tuple[Preview | None, AnnouncementError | None]:
    try:
        return announcements.preview(runtime(), current_official(), **written), None
    except AnnouncementError as error:
        return None, error


def _look(number: int) -> Look:
    try:
        return results.look_at(runtime(), current_official(), number)
    except NoSuchAnnouncement:
        abort(404)


def _written() -> dict[str, Any]:
    return {
        "channel_id": row_number(request.form.get("channel_id", "")) or 0,
        "title": request.form.get("title", ""),
        "body": request.form.get("body", ""),
        "about": About(
            request.form.get("topic", ""),
            tuple(sorted({row_number(number) or 0 for number in request.form.getlist("place")[:VILLAGES_AT_MOST]})),
        ),
    }


def _number(name: str) -> int | None:
    return row_number(request.args.get(name, ""))


def _said(error: AnnouncementError | None) -> str | None:
    return gettext(error.sentence, **error.values) if error else None
