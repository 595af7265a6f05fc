"""Bulletin pages: write once for all channels, try it, approve it, watch every channel, put right or take back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, g, redirect, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from bot.rules.aloud import aloud_of
from bot.rules.bulletins import FULL_CHECKLIST, PREFIXES
from bot.usecases import bulletin_aloud, bulletin_following, bulletin_results, bulletin_trying, bulletins
from bot.usecases.announcements import channels_for
from bot.usecases.announcing import APPROVERS, READERS, AnnouncementError, NoSuchAnnouncement
from bot.usecases.bulletin_results import Look
from bot.usecases.bulletins import plan_of, words_of
from bot.usecases.results import WORDS as DELIVERY_WORDS
from bot.web import filters
from bot.web.announcements import GROUP_WORDS
from bot.web.audience_words import in_words
from bot.web.bulletin_forms import form_page, preview_words, said, typed, typed_for
from bot.web.bulletin_words import IMPORTANCE, IMPORTANCE_BADGES, STANDING_BADGES, STANDINGS
from bot.web.files import SANDBOX
from bot.web.filters import MOST_IDS
from bot.web.language import N_
from bot.web.loudspeakers import progress_words
from bot.web.security import is_poll
from bot.web.shell import current_official, notice, render, require, runtime
from storage.bulletins import Bulletin, about_bulletin
from storage.enums import BulletinKind, BulletinState, Role
from storage.figures import Filters
from storage.tickets import View

pages = Blueprint("bulletins", __name__)

HERE = "/announcements/bulletins"
CHECKLIST_WORDS = {
    "no_advertising": N_("Không quảng cáo, không giới thiệu sản phẩm hay doanh nghiệp."),
    "no_personal_data": N_("Không có thông tin cá nhân (họ tên, số điện thoại, địa chỉ của người dân)."),
    "competent_source": N_("Nguồn tin là cơ quan có thẩm quyền và đã được kiểm tra."),
    "essential": N_("Là thông tin thiết yếu: chủ trương, pháp luật, sự kiện, đời sống, an ninh, thiên tai, dịch bệnh."),
    "third_party": N_("Nếu đăng giúp nơi khác: chỉ tuyển sinh, tuyển lao động, nhân đạo; không nói thêm về nơi ấy."),
    "no_rumours": N_("Không có tin đồn, tin chưa kiểm chứng."),
    "written_by_a_person": N_("Do cán bộ viết, không chép từ tin nhắn của người dân; bản máy gợi ý đã đọc và sửa."),
}


@pages.app_context_processor
def _of_navigation() -> dict[str, Any]:
    return {"bulletins_waiting": _waiting}


def _waiting() -> int:
    """How many wait for this official, for the link."""
    if g.signed_in is None:
        return 0
    try:
        return bulletin_results.waiting_for(runtime(), g.signed_in.official)
    except SQLAlchemyError:
        return 0  # the link stands on pages that say what is wrong, too


@pages.get(f"{HERE}/new")
@require(Role.AUTHOR)
def new() -> Response:
    """An empty form, all channels ticked."""
    return form_page(None)


@pages.post(HERE)
@require(Role.AUTHOR)
def create() -> Response:
    """Keep a draft, or show how it would arrive."""
    if {"preview", "use"} & request.form.keys():
        return form_page(None, is_asked=True)
    try:
        number = bulletins.draft(runtime(), current_official(), typed())
    except AnnouncementError as error:
        return form_page(None, error=error)
    notice("Đã lưu bản nháp.")
    return redirect(f"{HERE}/{number}", 303)


@pages.post(f"{HERE}/preview")
@require(Role.AUTHOR)
def preview() -> Response:
    """The previews below the form while somebody types."""
    return form_page(None, is_asked=True)


@pages.post(f"{HERE}/<int:number>/preview")
@require(Role.AUTHOR)
def preview_again(number: int) -> Response:
    """The same for a bulletin that was kept."""
    return form_page(_look(number).bulletin, is_asked=True)


@pages.get(f"{HERE}/<int:number>/picture")
@require(*READERS)
def picture(number: int) -> Response:
    """The picture that goes with it, as it is sent."""
    name = _look(number).bulletin.picture
    data = runtime().blobs.read(name) if name else None
    if data is None:
        abort(404)
    answer = Response(data, mimetype="image/jpeg")
    answer.headers["Content-Security-Policy"] = SANDBOX
    return answer


@pages.get(f"{HERE}/<int:number>/edit")
@require(Role.AUTHOR)
def edit(number: int) -> Response:
    """The form with what was written so far."""
    bulletin = _look(number).bulletin
    if bulletin.author_id != current_official().id:
        abort(403)
    if bulletin.state is not BulletinState.DRAFT:
        notice("Thông báo đã trình duyệt nên không sửa được nữa. Có thể rút lại để sửa.", "problem")
        return redirect(f"{HERE}/{number}", 303)
    return form_page(bulletin)


@pages.post(f"{HERE}/<int:number>")
@require(Role.AUTHOR)
def update(number: int) -> Response:
    """Keep what was changed, or show how it would arrive."""
    bulletin = _look(number).bulletin
    if {"preview", "use"} & request.form.keys():
        return form_page(bulletin, is_asked=True)
    try:
        bulletins.edit(runtime(), current_official(), number, version=_version(), written=typed_for(bulletin))
    except AnnouncementError as error:
        return form_page(bulletin, error=error)
    notice("Đã lưu bản nháp.")
    return redirect(f"{HERE}/{number}", 303)


@pages.get(f"{HERE}/<int:number>")
@require(*READERS)
def show(number: int) -> Response:
    """One bulletin with everything that can be done about it now."""
    return _page(number)


@pages.post(f"{HERE}/<int:number>/trials")
@require(Role.AUTHOR)
def trials(number: int) -> Response:
    """Send it to the author's own telephone."""
    channel_id = request.form.get("channel_id", type=int) or 0
    return _done(
        number,
        lambda: bulletin_trying.send(runtime(), current_official(), number, version=_version(), channel_id=channel_id),
        "Đang gửi thử. Anh/Chị đọc tin trên máy của mình rồi tải lại trang.",
    )


@pages.post(f"{HERE}/<int:number>/submission")
@require(Role.AUTHOR)
def submission(number: int) -> Response:
    """Hand it to a second person."""
    confirmed = request.form.getlist("confirmed")
    return _done(
        number,
        lambda: bulletins.submit(runtime(), current_official(), number, version=_version(), confirmed=confirmed),
        "Đã trình duyệt. Người duyệt sẽ thấy thông báo này trong danh sách.",
    )


@pages.post(f"{HERE}/<int:number>/approval")
@require(*APPROVERS)
def approval(number: int) -> Response:
    """Approve exactly what was read."""
    said_so = request.form
    return _done(
        number,
        lambda: bulletins.approve(
            runtime(),
            current_official(),
            number,
            seen_hash=said_so.get("seen_hash", ""),
            pays="pays" in said_so,
            reason=said_so.get("reason", ""),
        ),
        "Đã duyệt. Hệ thống gửi trên mọi kênh đã chọn.",
    )


@pages.post(f"{HERE}/<int:number>/review")
@require(*APPROVERS)
def review(number: int) -> Response:
    """A third person has looked at an emergency."""
    return _done(
        number, lambda: bulletins.review(runtime(), current_official(), number), "Đã ghi nhận Anh/Chị xem lại tin này."
    )


@pages.post(f"{HERE}/<int:number>/return")
@require(Role.AUTHOR, *APPROVERS)
def give_back(number: int) -> Response:
    """Back to its author, or taken back by them."""
    note = request.form.get("note", "")
    return _done(
        number,
        lambda: bulletins.return_to_author(runtime(), current_official(), number, note=note),
        "Thông báo đã về lại bản nháp.",
    )


@pages.post(f"{HERE}/<int:number>/pause")
@require(Role.AUTHOR, *APPROVERS)
def pause(number: int) -> Response:
    """Put it on hold on all channels."""
    return _done(number, lambda: bulletins.pause(runtime(), current_official(), number), "Đã tạm dừng trên mọi kênh.")


@pages.post(f"{HERE}/<int:number>/resumption")
@require(Role.AUTHOR, *APPROVERS)
def resumption(number: int) -> Response:
    """Let it go on."""
    return _done(number, lambda: bulletins.resume(runtime(), current_official(), number), "Hệ thống gửi tiếp.")


@pages.post(f"{HERE}/<int:number>/stop")
@require(Role.AUTHOR, *APPROVERS)
def stop(number: int) -> Response:
    """Send nothing more of it."""
    return _done(
        number,
        lambda: bulletins.stop(runtime(), current_official(), number),
        "Đã dừng. Những người chưa được gửi sẽ không nhận thông báo này.",
    )


@pages.post(f"{HERE}/<int:number>/silence")
@require(Role.AUTHOR, *APPROVERS)
def silence(number: int) -> Response:
    """Have the loudspeakers read it no more."""
    return _done(
        number,
        lambda: bulletin_aloud.recall(runtime(), current_official(), number),
        "Đã yêu cầu loa thôi đọc bản tin này.",
    )


@pages.post(f"{HERE}/<int:number>/corrections")
@require(Role.AUTHOR)
def corrections(number: int) -> Response:
    """Begin a correction."""
    return _follow_up(number, BulletinKind.CORRECTION)


@pages.post(f"{HERE}/<int:number>/recalls")
@require(Role.AUTHOR)
def recalls(number: int) -> Response:
    """Begin a recall."""
    return _follow_up(number, BulletinKind.RECALL)


@pages.post(f"{HERE}/<int:number>/endings")
@require(Role.AUTHOR)
def endings(number: int) -> Response:
    """Begin the message that says an emergency is over."""
    return _follow_up(number, BulletinKind.END)


@pages.get(f"{HERE}/testers")
@require(Role.AUTHOR)
def testers() -> Response:
    """Where the author's tests go."""
    return _testers_page()


@pages.post(f"{HERE}/testers")
@require(Role.AUTHOR)
def new_tester() -> Response:
    """A code to be said from the author's own telephone; shown once."""
    return _testers_page(bulletin_trying.new_code(runtime(), current_official()))


@pages.post(f"{HERE}/testers/<int:channel_id>/removal")
@require(Role.AUTHOR)
def remove_tester(channel_id: int) -> Response:
    """No tests there any more."""
    bulletin_trying.forget(runtime(), current_official(), channel_id)
    notice("Đã bỏ địa chỉ nhận tin thử.")
    return redirect(f"{HERE}/testers", 303)


def _testers_page(code: str = "") -> Response:
    mine = {tester.channel_id for tester in bulletin_trying.addresses(runtime(), current_official())}
    return render("bulletins/testers.html", channels=channels_for(runtime(), current_official()), mine=mine, code=code)


def _follow_up(number: int, kind: BulletinKind) -> Response:
    try:
        made = bulletin_following.follow_up(runtime(), current_official(), number, kind)
    except NoSuchAnnouncement:
        abort(404)
    except AnnouncementError as error:
        return _page(number, error=error)
    return redirect(f"{HERE}/{made}/edit", 303)


def _done(number: int, act: Callable[[], None], sentence: str) -> Response:
    try:
        act()
    except NoSuchAnnouncement:
        abort(404)
    except AnnouncementError as error:
        return _page(number, error=error)
    notice(sentence)
    return redirect(f"{HERE}/{number}", 303)


def _page(number: int, error: AnnouncementError | None = None) -> Response:
    look, who = _look(number), current_official()
    bulletin = look.bulletin
    is_author = bulletin.author_id == who.id
    is_approver = who.has(*APPROVERS)
    answer = render(
        "bulletins/show.html",
        blocks=("progress",),
        status=422 if error else 200,
        look=look,
        poll_seconds=bulletin_results.POLL_SECONDS,
        bulletin=bulletin,
        aloud=aloud_of(bulletin.aloud),
        of_ids=lambda ids: filters.address(View.ALL.value, Filters(ids=tuple(ids[:MOST_IDS]))),
        repeat_moments=plan_of(bulletin).repeats.moments(bulletin.send_at) if bulletin.send_at else [],
        heard_words=progress_words,
        headline=PREFIXES[bulletin.kind] + bulletin.title,
        standings=STANDINGS,
        badges=STANDING_BADGES,
        importance_words=IMPORTANCE,
        importance_badges=IMPORTANCE_BADGES,
        group_words=GROUP_WORDS,
        delivery_words=DELIVERY_WORDS,
        audience=in_words(about_bulletin(bulletin), look.villages, look.groups),
        checklist=[(name, CHECKLIST_WORDS[name]) for name in FULL_CHECKLIST],
        seen_hash=plan_of(bulletin).digest,
        trying=_trying(bulletin) if is_author and bulletin.state is BulletinState.DRAFT else None,
        problems=[said(p) for p in look.preview.problems] if look.preview else [],
        is_author=is_author,
        may_write=who.has(Role.AUTHOR),
        may_approve=is_approver and not is_author,
        may_review=is_approver and who.id not in {bulletin.author_id, bulletin.approver_id},
        may_stop=is_approver or who.has(Role.AUTHOR),
        now=runtime().now(),
        error=said(error),
        **preview_words(look.preview),
    )
    if is_poll() and not look.is_running:
        answer.headers["HX-Refresh"] = "true"  # what can be done about it has changed as well
    return answer


def _trying(bulletin: Bulletin) -> dict[int, bulletin_trying.Trial | None]:
    """By channel on which the author has an address: the latest test, if there was one."""
    tests = bulletin_trying.trials(runtime(), bulletin.id, words_of(bulletin).digest)
    latest = {trial.channel_id: trial for trial in tests}
    mine = [tester.channel_id or 0 for tester in bulletin_trying.addresses(runtime(), current_official())]
    return {number: latest.get(number) for number in mine if number in bulletin.channel_ids}


def _look(number: int) -> Look:
    try:
        return bulletin_results.look_at(runtime(), current_official(), number, with_answers=not is_poll())
    except NoSuchAnnouncement:
        abort(404)


def _version() -> int:
    return request.form.get("version", type=int) or 0
