"""Language: Vietnamese sentences are the originals; other languages are catalogues read at the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from flask import Blueprint, Flask, current_app, g, has_request_context, redirect, request
from werkzeug.wrappers import Response

from bot.usecases.sign_in import choose_locale
from bot.web.security import cookie_options, own_path

pages = Blueprint("language", __name__)

LOCALES = {"vi": "Tiếng Việt", "en": "English"}
COOKIE = "haichieu_language"
FOLDER = Path(__file__).parent.parent / "locale"


class Catalogue:
    """The sentences of one language, by their Vietnamese originals."""

    def __init__(self, locale: str) -> None:
        self.one: dict[str, str] = {}
        self.many: dict[str, tuple[str, ...]] = {}
        for path in sorted((FOLDER / locale).glob("*.po")):
            with path.open("rb") as file:
                for message in read_po(file, locale=locale):
                    self._take(message)

    def _take(self, message: Any) -> None:
        if not message.id or message.fuzzy:
            return
        if isinstance(message.id, tuple):
            if all(message.string):
                self.many[message.id[0]] = tuple(message.string)
        elif message.string:
            self.one[message.id] = message.string


def install(app: Flask) -> None:
    """Give templates `_` and `ngettext`; read the catalogues once."""
    app.extensions["catalogues"] = {code: Catalogue(code) for code in LOCALES if code != "vi"}
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(_one, _many, newstyle=True)  # type: ignore[attr-defined]
    app.register_blueprint(pages)


def locale() -> str:
    """The language of this page: the official's own, or what the browser chose before signing in."""
    if not has_request_context():
        return "vi"
    known: str | None = g.get("locale")
    if known is None:
        signed_in = g.get("signed_in")
        chosen = signed_in.official.locale if signed_in else request.cookies.get(COOKIE, "vi")
        known = g.locale = chosen if chosen in LOCALES else "vi"
    return known


def gettext(message: str, **values: object) -> str:
    """A sentence in the language of the page, its named values filled in."""
    return _one(message) % values if values else _one(message)


def N_(message: str) -> str:  # noqa: N802 - the usual name of this mark
    """Mark a sentence for translation that is looked up later."""
    return message


def _one(message: str) -> str:
    if not has_request_context():
        return message
    code = locale()
    known: tuple[str, dict[str, str]] | None = g.get("sentences")
    if known is None or known[0] != code:  # a page asks five hundred times
        catalogue: Catalogue | None = current_app.extensions["catalogues"].get(code)
        known = g.sentences = code, catalogue.one if catalogue else {}
    return known[1].get(message, message)


def _many(one: str, many: str, number: int) -> str:
    catalogue: Catalogue | None = current_app.extensions["catalogues"].get(locale())
    forms = catalogue.many.get(one) if catalogue else None
    if forms is None:
        return many if number != 1 else one
    return forms[0] if number == 1 else forms[-1]


@pages.post("/language")
def switch() -> Response:
    """Choose a language; officials keep it with their account, others in their browser."""
    chosen = request.form.get("locale", "")
    answer = redirect(own_path(request.form.get("next")), 303)
    if chosen in LOCALES:
        if g.signed_in:
            choose_locale(current_app.extensions["runtime"], g.signed_in.official.id, chosen)
        answer.set_cookie(COOKIE, chosen, max_age=365 * 86400, **cookie_options())
    return answer
