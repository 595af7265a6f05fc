"""Frequent-question pages: the commune's list, the form of an entry, and a place to try a question."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from bot.usecases import faq_list
from bot.usecases.faq import Answer
from bot.usecases.faq_list import ANSWER_AT_MOST, KEEPERS, QUESTION_AT_MOST, VARIABLES, FaqProblem, Written
from bot.web.language import N_, gettext
from bot.web.shell import current_official, notice, render, require, row_number, runtime
from bot.web.words import topic_word
from nlp.topics import TOPICS

pages = Blueprint("faq", __name__)

TRIED_AT_MOST = 500
FIELDS = ("topic", "question", "variants", "answer", "source", "as_of")


@pages.get("/faq")
@require(*KEEPERS)
def index() -> Response:
    """The list, searched without regard to accents; with a question to try, the answer a citizen would get."""
    search = request.args.get("search", "").strip()[:QUESTION_AT_MOST]
    tried = request.args.get("try", "").strip()[:TRIED_AT_MOST]
    return render(
        "faq/index.html",
        answers=faq_list.listing(runtime(), current_official(), search=search),
        search=search,
        tried=tried,
        trial=faq_list.try_out(runtime(), current_official(), tried) if tried else None,
    )


@pages.get("/faq/new")
@require(*KEEPERS)
def new() -> Response:
    """An empty form."""
    return _form(None)


@pages.post("/faq")
@require(*KEEPERS)
def create() -> Response:
    """Add an entry."""
    return _saved(None, lambda: faq_list.save(runtime(), current_official(), _written()), N_("Đã thêm câu hỏi."))


@pages.get("/faq/<slug:key>/edit")
@require(*KEEPERS)
def edit(key: str) -> Response:
    """The form with an entry as it stands."""
    return _form(faq_list.find(runtime(), current_official(), key))


@pages.post("/faq/<slug:key>")
@require(*KEEPERS)
def update(key: str) -> Response:
    """Keep what was changed."""
    answer = faq_list.find(runtime(), current_official(), key)
    version = row_number(request.form.get("version", "")) or 0
    return _saved(
        answer,
        lambda: faq_list.save(runtime(), current_official(), _written(), key=key, version=version),
        N_("Đã lưu câu hỏi."),
    )


@pages.post("/faq/<slug:key>/hiding")
@require(*KEEPERS)
def hide(key: str) -> Response:
    """Answer nobody with it any more."""
    faq_list.set_active(runtime(), current_official(), key, is_active=False)
    notice("Đã ngừng trả lời tự động câu này. Người hỏi sẽ được cán bộ trả lời.")
    return redirect("/faq", 303)


@pages.post("/faq/<slug:key>/showing")
@require(*KEEPERS)
def show(key: str) -> Response:
    """Answer with it again."""
    faq_list.set_active(runtime(), current_official(), key, is_active=True)
    notice("Câu này lại được trả lời tự động.")
    return redirect("/faq", 303)


@pages.post("/faq/<slug:key>/restoration")
@require(*KEEPERS)
def restore(key: str) -> Response:
    """Go back to what ships."""
    faq_list.restore(runtime(), current_official(), key)
    notice("Đã trở lại bản mẫu của câu này.")
    return redirect("/faq", 303)


def _written() -> Written:
    return Written(*(request.form.get(name, "") for name in FIELDS))


def _saved(answer: Answer | None, act: Callable[[], object], sentence: str) -> Response:
    try:
        act()
    except FaqProblem as error:
        return _form(answer, error=error)
    notice(sentence)
    return redirect("/faq", 303)


def _form(answer: Answer | None, error: FaqProblem | None = None) -> Response:
    if request.method == "POST":
        written = _written()
    elif answer is not None:
        written = Written(
            answer.topic, answer.question, "\n".join(answer.variants), answer.answer, answer.source, answer.as_of
        )
    else:
        written = Written("", "", "", "", "", f"{runtime().now():%Y-%m}")
    return render(
        "faq/form.html",
        status=422 if error else 200,
        answer=answer,
        written=written,
        version=request.form.get("version", answer.version if answer else 0),
        topics=[(slug, topic_word(slug)) for slug in TOPICS],
        variables=", ".join("{" + name + "}" for name in VARIABLES),
        question_at_most=QUESTION_AT_MOST,
        answer_at_most=ANSWER_AT_MOST,
        can_restore=bool(answer and answer.is_own and faq_list.is_shipped(answer.key)),
        error=gettext(error.sentence, **error.values) if error else None,
    )
