"""Pages of wordings: what citizens are told, in the commune's own words, with a preview before anything is kept."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from bot.texts import LANGUAGES, SMS_LENGTH
from bot.usecases import wordings
from bot.usecases.wordings import KEEPERS, WORDS_AT_MOST, Preview, WordingProblem
from bot.web.language import gettext
from bot.web.shell import current_official, notice, render, require, row_number, runtime

pages = Blueprint("wordings", __name__)

SEARCHED_AT_MOST = 200
LANGUAGE_NAMES = {"vi": "Tiếng Việt", "en": "English"}


@pages.get("/texts")
@require(*KEEPERS)
def index() -> Response:
    """All texts of a language."""
    language = _language(request.args.get("lang", "vi"))
    search = request.args.get("search", "").strip()[:SEARCHED_AT_MOST]
    return render(
        "wordings/index.html",
        wordings=wordings.listing(runtime(), current_official(), language, search=search),
        language=language,
        languages=LANGUAGE_NAMES,
        search=search,
    )


@pages.get("/texts/<lang>/<key>")
@require(*KEEPERS)
def edit(lang: str, key: str) -> Response:
    """One text with its preview and its versions."""
    wording = wordings.find(runtime(), current_official(), key, lang)
    return _page(lang, key, wording.words, wording.sms, wording.version)


@pages.post("/texts/<lang>/<key>")
@require(*KEEPERS)
def update(lang: str, key: str) -> Response:
    """Show how it would read, or keep it."""
    words, sms = request.form.get("words", ""), request.form.get("sms", "")
    version = row_number(request.form.get("version", "")) or 0
    if request.form.get("what") != "save":
        return _page(lang, key, words, sms, version)
    try:
        wordings.save(runtime(), current_official(), key, lang, version=version, words=words, sms=sms)
    except WordingProblem as problem:
        return _page(lang, key, words, sms, version, problem)
    notice("Đã lưu lời nhắn. Từ bây giờ người dân nhận bản này.")
    return redirect(f"/texts?lang={lang}", 303)


@pages.post("/texts/<lang>/<key>/restoration")
@require(*KEEPERS)
def restore(lang: str, key: str) -> Response:
    """Go back to the shipped text."""
    wordings.restore(runtime(), current_official(), key, lang)
    notice("Đã trở lại bản mẫu.")
    return redirect(f"/texts/{lang}/{key}", 303)


def _page(lang: str, key: str, words: str, sms: str, version: int, problem: WordingProblem | None = None) -> Response:
    official = current_official()
    wording = wordings.find(runtime(), official, key, lang)
    shown: Preview | None = None
    if problem is None:
        try:
            shown = wordings.preview(runtime(), official, key, lang, words=words, sms=sms)
        except WordingProblem as error:
            problem = error
    return render(
        "wordings/form.html",
        status=422 if problem and request.method == "POST" else 200,
        wording=wording,
        words=words,
        sms=sms,
        version=version,
        preview=shown,
        problem=gettext(problem.sentence, **problem.values) if problem else None,
        changes=wordings.changes(runtime(), official, key, lang),
        language_name=LANGUAGE_NAMES[lang],
        words_at_most=WORDS_AT_MOST,
        variables_shown=_braced(wording.variables),
        needed_shown=_braced(wording.needed),
        sms_length=SMS_LENGTH,
    )


def _braced(names: tuple[str, ...]) -> str:
    return ", ".join("{" + name + "}" for name in names)


def _language(words: str) -> str:
    return words if words in LANGUAGES else "vi"
