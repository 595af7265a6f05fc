"""The shell of every page: who is signed in, the frame around the content, fragments for htmx, and notices.

For other pages: make a blueprint named `pages`, extend `base.html` (blocks `title`, `heading`, `content`, `styles`),
take form parts from `forms.html`, and use `current_official`, `runtime`, `require`, `render` and `notice` from here.
Every route asks for sign-in by itself. A form must not lead to another site: the content policy forbids it; use a link.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from flask import abort, current_app, flash, g, make_response, render_template, request
from jinja2_fragments.flask import render_block
from werkzeug.routing import IntegerConverter, UnicodeConverter
from werkzeug.wrappers import Response

from bot.runtime import Runtime
from bot.web.language import gettext
from bot.web.security import is_poll, wants_fragment
from storage.communes import Commune
from storage.enums import Role
from storage.officials import Official

LARGEST_NUMBER = 10**18 - 1
FORM_TOKEN = re.compile(rb'name="csrf_token" value="[^"]*"')

F = TypeVar("F", bound=Callable[..., Any])


def runtime() -> Runtime:
    """The runtime this application was made with."""
    found: Runtime = current_app.extensions["runtime"]
    return found


def current_official() -> Official:
    """The official who is signed in; only open pages are reached without one."""
    if g.signed_in is None:
        abort(401)
    official: Official = g.signed_in.official
    return official


def current_commune() -> Commune:
    """The commune of the official who is signed in."""
    if g.signed_in is None:
        abort(401)
    commune: Commune = g.signed_in.commune
    return commune


def require(*roles: Role) -> Callable[[F], F]:
    """Let only officials with one of these roles through; others get a page that says so."""

    def decorate(view: F) -> F:
        @functools.wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            if not current_official().has(*roles):
                abort(403)
            return view(*args, **kwargs)

        return checked  # type: ignore[return-value]

    return decorate


class RowNumber(IntegerConverter):
    """A row's number in an address; nothing is there for one that no database can hold."""

    regex = r"\d{1,18}"


class Slug(UnicodeConverter):
    """A key in an address: lower-case letters, figures and hyphens."""

    regex = r"[a-z0-9][a-z0-9-]{0,59}"


def row_number(words: str) -> int | None:
    """A row's number in a form; None for no words, and 0, which no row has, for what cannot be one."""
    words = words.strip()
    if not words:
        return None
    number = int(words[:20]) if words.isascii() and words.isdecimal() else 0
    return number if number <= LARGEST_NUMBER else 0


def render(template: str, *, blocks: Collection[str] = (), status: int = 200, **values: Any) -> Response:
    """The full page, or only the block that htmx asks for.

    `blocks` are those a fragment request may have: the one whose name is the id of the htmx target, with
    underscores for hyphens, is given.
    """
    target = request.headers.get("HX-Target", "")
    if wants_fragment() and target in {name.replace("_", "-") for name in blocks} | set(blocks):
        name = target if target in blocks else target.replace("-", "_")
        return make_response(render_block(template, name, **values), status)
    return make_response(render_template(template, **values), status)


def only_news(answer: Response, aside: str = "") -> Response:
    """To a page that refreshes itself: nothing (204) while nothing changed, so that nobody's place is lost.

    `aside`: what stands elsewhere on the page and changes by itself; the part is left alone where only that did.
    """
    if not (is_poll() and wants_fragment() and answer.status_code == 200):
        return answer
    # A form token is new every second without meaning anything new.
    mark = _mark(FORM_TOKEN.sub(b"", answer.get_data()))
    marks = f"{mark}-{_mark(aside.encode())}"
    seen = request.headers.get("X-Seen", "")
    if seen == marks:
        return Response(status=204)
    if aside and seen.startswith(f"{mark}-"):
        answer.set_data(aside)
        answer.headers["HX-Reswap"] = "none"
    elif aside:
        answer.set_data(answer.get_data(as_text=True) + aside)
    answer.headers["X-Seen"] = marks
    return answer


def _mark(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def notice(sentence: str, kind: str = "done", **values: object) -> None:
    """Say something on the next page. `kind`: "done", "info" or "problem"."""
    flash(gettext(sentence, **values), kind)


def expired_notice() -> Response:
    """What a page that refreshes itself shows when its session is over; what was typed stays."""
    answer = make_response(render_template("expired.html"), 286)  # htmx stops asking on this status
    answer.headers["HX-Retarget"] = "#live-notice"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer
