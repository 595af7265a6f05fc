"""Pages of answer templates: the commune's list, the form of one with its preview, and filling one for a ticket."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from bot.rules.blanks import VARIABLES
from bot.rules.lifecycle import NotAllowed
from bot.usecases import answer_templates
from bot.usecases.answer_templates import KEEPERS, NAME_AT_MOST, WORDS_AT_MOST, AnswerProblem, Written
from bot.web.deeds import deed, kept_words
from bot.web.language import N_, gettext
from bot.web.security import wants_fragment
from bot.web.shell import current_official, notice, render, require, row_number, runtime
from bot.web.ticket_page import show_ticket
from bot.web.words import topic_word
from nlp.topics import TOPICS
from storage.answers import AnswerTemplate

pages = Blueprint("answer_templates", __name__)

SEARCHED_AT_MOST = 200
_EMPTY = Written("", "", "")


@pages.get("/answer-templates")
@require(*KEEPERS)
def index() -> Response:
    """The list, searched without regard to accents; those put away on a list of their own."""
    search = request.args.get("search", "").strip()[:SEARCHED_AT_MOST]
    is_archived = request.args.get("archived") == "1"
    found = answer_templates.listing(runtime(), current_official(), search=search, is_archived=is_archived)
    return render("answers/index.html", templates=found, search=search, is_archived=is_archived)


@pages.get("/answer-templates/new")
@require(*KEEPERS)
def new() -> Response:
    """The form of a new one."""
    return _form(None, _EMPTY)


@pages.post("/answer-templates")
@require(*KEEPERS)
def create() -> Response:
    """Add one, or show how it would read."""
    return _kept(None)


@pages.post("/answer-templates/shipped")
@require(*KEEPERS)
def add_shipped() -> Response:
    """Take those that ship into the list."""
    many = answer_templates.add_shipped(runtime(), current_official())
    if many:
        notice("Đã thêm %(n)s mẫu có sẵn. Anh/Chị sửa theo cách nói của địa phương.", n=many)
    else:
        notice("Các mẫu có sẵn đã ở trong danh sách.", "info")
    return redirect("/answer-templates", 303)


@pages.get("/answer-templates/<int:number>")
@require(*KEEPERS)
def edit(number: int) -> Response:
    """One template with its preview and its versions."""
    row = answer_templates.find(runtime(), current_official(), number)
    return _form(row, Written(row.name, row.topic or "", row.words))


@pages.post("/answer-templates/<int:number>")
@require(*KEEPERS)
def update(number: int) -> Response:
    """Keep a new version, or show how it would read."""
    return _kept(answer_templates.find(runtime(), current_official(), number))


@pages.post("/answer-templates/<int:number>/archiving")
@require(*KEEPERS)
def archive(number: int) -> Response:
    """Offer it to nobody any more."""
    answer_templates.set_archived(runtime(), current_official(), number, is_archived=True)
    notice("Đã cất mẫu. Cán bộ không thấy mẫu này nữa; lấy lại ở mục “Đã cất”.")
    return redirect("/answer-templates", 303)


@pages.post("/answer-templates/<int:number>/restoring")
@require(*KEEPERS)
def restore(number: int) -> Response:
    """Offer it again."""
    answer_templates.set_archived(runtime(), current_official(), number, is_archived=False)
    notice("Mẫu lại hiện khi cán bộ trả lời.")
    return redirect("/answer-templates", 303)


@pages.post("/tickets/<int:number>/filling")
@deed("replies")
def fill(number: int) -> Response:
    """Put a template, filled for this ticket, behind what stands in the field; nothing is sent."""
    chosen = row_number(request.form.get("answer_template", ""))
    typed = request.form.get("text", "")
    try:
        words = answer_templates.fill_for(runtime(), current_official(), number, chosen, typed)
    except NotAllowed as refusal:
        if not wants_fragment():
            raise
        return filled(number, typed, gettext(refusal.sentence, **refusal.values))
    return filled(number, words)


def filled(number: int, words: str, problem: str = "") -> Response:
    """The field with these words: a part of the page for htmx, the whole page without scripts."""
    if wants_fragment():
        return make_response(
            render_template("tickets/_reply_words.html", words=words, is_filled=True, words_problem=problem)
        )
    return show_ticket(number, form="replies", kept={**kept_words(), "text": words})


def _kept(row: AnswerTemplate | None) -> Response:
    written = Written(*(request.form.get(name, "") for name in ("name", "topic", "words")))
    if request.form.get("what") != "save":
        return _form(row, written)
    version = row_number(request.form.get("version", "")) or 0
    number = row.id if row else None
    try:
        answer_templates.save(runtime(), current_official(), written, number=number, version=version)
    except AnswerProblem as problem:
        return _form(row, written, problem)
    notice("Đã lưu mẫu trả lời.")
    return redirect("/answer-templates", 303)


def _form(row: AnswerTemplate | None, written: Written, problem: AnswerProblem | None = None) -> Response:
    official, shown = current_official(), ""
    if problem is None and written.words:
        try:
            shown = answer_templates.preview(runtime(), official, written)
        except AnswerProblem as error:
            problem = error
    version = row.version if row else 0
    return render(
        "answers/form.html",
        status=422 if problem and request.method == "POST" else 200,
        row=row,
        written=written,
        version=request.form.get("version", version),
        preview=shown,
        problem=gettext(problem.sentence, **problem.values) if problem else None,
        changes=answer_templates.changes(runtime(), official, row.id) if row else [],
        topics=[(slug, topic_word(slug)) for slug in TOPICS],
        variables=[("{" + name + "}", gettext(MEANINGS[name])) for name in VARIABLES],
        name_at_most=NAME_AT_MOST,
        words_at_most=WORDS_AT_MOST,
    )


MEANINGS = {
    "ma": N_("mã phản ánh"),
    "linhvuc": N_("lĩnh vực"),
    "diadiem": N_("địa điểm"),
    "donvi": N_("đơn vị xử lý"),
    "nguoi": N_("người phụ trách của đơn vị"),
    "dt": N_("số điện thoại của đơn vị"),
    "han": N_("hạn trả lời"),
    "ngay": N_("ngày hôm nay"),
    "xa": N_("tên cơ quan"),
    "gio": N_("giờ làm việc"),
    "noitiep": N_("nơi tiếp công dân"),
    "sdttruc": N_("số điện thoại trực"),
}
