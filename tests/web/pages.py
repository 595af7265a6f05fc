"""A browser for tests: it inspects every page it opens, and fills in forms as they stand on the page."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.runtime import Runtime
from bot.web.app import create_app
from tests.builders import PASSWORD, World

BLANK = {"input", "meta", "link", "img", "br", "hr", "source"}
_apps: dict[tuple[bool, str], Flask] = {}


def app_on(runtime: Runtime) -> Flask:
    """The application on this test's runtime; its routes are built once for all tests."""
    like = runtime.settings.is_https, runtime.flask_key()
    app = _apps.setdefault(like, _apps.get(like) or create_app(runtime))
    app.extensions["runtime"] = runtime
    return app


@dataclass
class Form:
    """A form as it stands on the page: where it goes and what it holds already."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    ticked: set[str] = field(default_factory=set)


class Page(HTMLParser):
    """What a page says and holds, as far as tests look."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.lang = ""
        self.title = ""
        self.headings: list[str] = []
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.problems: list[str] = []
        self.alerts: list[str] = []
        self._labels: set[str] = set()
        self._controls: list[tuple[str, str]] = []
        self._ids: Counter[str] = Counter()
        self._open: list[tuple[str, dict[str, str]]] = []
        self._select: str | None = None
        self._area: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag not in BLANK:
            self._open.append((tag, values))
        if "id" in values:
            self._ids[values["id"]] += 1
        self.problems += [f"{name} on <{tag}>" for name in values if name == "style" or name.startswith("on")]
        getattr(self, f"_see_{tag}", lambda _: None)(values)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open[-1][0] != tag:
            self._open.pop()
        if self._open:
            self._open.pop()
        if tag == "select":
            self._select = None
        if tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        inside = [tag for tag, _ in self._open]
        if "title" in inside:
            self.title += data
        if "h1" in inside:
            self.headings[-1] += data
        if self._area is not None and self.forms:
            self.forms[-1].fields[self._area] += data.removeprefix("\n")
        if any(values.get("role") == "alert" for _, values in self._open) and data.strip():
            self.alerts.append(data.strip())
        if inside and inside[-1] in {"script", "style"} and data.strip():
            self.problems.append(f"inline {inside[-1]}")

    def _see_html(self, values: dict[str, str]) -> None:
        self.lang = values.get("lang", "")

    def _see_h1(self, _values: dict[str, str]) -> None:
        self.headings.append("")

    def _see_a(self, values: dict[str, str]) -> None:
        self.links.append(values.get("href", ""))

    def _see_img(self, values: dict[str, str]) -> None:
        if not values.get("alt"):
            self.problems.append("a picture without words")

    def _see_label(self, values: dict[str, str]) -> None:
        self._labels.add(values.get("for", ""))

    def _see_form(self, values: dict[str, str]) -> None:
        if not values.get("action"):
            self.problems.append("a form without an action")
        self.forms.append(Form(values.get("action", ""), values.get("method", "get").lower()))

    def _see_input(self, values: dict[str, str]) -> None:
        kind, name = values.get("type", "text"), values.get("name", "")
        if kind != "hidden":
            self._controls.append((values.get("id", ""), name))
        if not self.forms or not name or kind == "file":
            return
        if kind == "checkbox" and "checked" not in values:
            return
        self.forms[-1].fields[name] = values.get("value", "on" if kind == "checkbox" else "")

    def _see_textarea(self, values: dict[str, str]) -> None:
        self._controls.append((values.get("id", ""), values.get("name", "")))
        self._area = values.get("name", "")
        self.forms[-1].fields[self._area] = ""

    def _see_select(self, values: dict[str, str]) -> None:
        self._controls.append((values.get("id", ""), values.get("name", "")))
        self._select = values.get("name", "")

    def _see_option(self, values: dict[str, str]) -> None:
        if self._select is None:
            return
        fields = self.forms[-1].fields
        if "selected" in values or self._select not in fields:
            fields[self._select] = values.get("value", "")

    @property
    def text(self) -> str:
        """The words of the page, without markup."""
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.html))

    def form(self, action: str, **having: str) -> Form:
        """The form that goes to this address and holds these values."""
        for form in self.forms:
            if form.action == action and all(form.fields.get(k) == v for k, v in having.items()):
                return form
        raise AssertionError(f"no form to {action} with {having}; there are {[f.action for f in self.forms]}")

    def has_form(self, action: str) -> bool:
        """Whether there is a form to this address."""
        return any(form.action == action for form in self.forms)

    def inspect(self) -> None:
        """What every page must be."""
        assert self.lang in {"vi", "en"}, "the page does not say its language"
        assert len(self.headings) == 1, f"one h1, not {self.headings}"
        heading = " ".join(self.headings[0].split())
        assert heading, "the h1 is empty"
        assert " ".join(self.title.split()).startswith(heading), f"title {self.title!r} does not begin with the h1"
        unlabelled = [name for id_, name in self._controls if not id_ or id_ not in self._labels]
        assert not unlabelled, f"fields without a label: {unlabelled}"
        twice = [id_ for id_, count in self._ids.items() if count > 1]
        assert not twice, f"ids used twice: {twice}"
        bare = [form.action for form in self.forms if form.method == "post" and not form.fields.get("csrf_token")]
        assert not bare, f"forms without a token: {bare}"
        assert not self.problems, self.problems


class Browser:
    """One browser; `page` is the page it shows."""

    def __init__(self, world: World, app: Flask) -> None:
        self.world = world
        self.client: FlaskClient = app.test_client()
        self.page = Page("")
        self.answer: TestResponse | None = None

    def sign_in(self, who: str, password: str = PASSWORD) -> Browser:
        """Sign in with the form."""
        self.open("/sign-in")
        self.send(self.page.form("/sign-in"), username=who, password=password)
        return self

    def open(self, path: str, status: int = 200) -> Page:
        """Go to a page and inspect it."""
        return self._show(self.client.get(path), status)

    def send(self, form: Form, status: int = 200, **fields: Any) -> Page:
        """Fill in a form, send it, and follow to the page that comes."""
        sent = {**form.fields, **fields}
        data = {name: value for name, value in sent.items() if value is not None}
        answer = self.client.post(form.action, data=data, content_type="multipart/form-data")
        if answer.status_code == 303:
            answer = self.client.get(answer.headers["Location"], follow_redirects=True)
        return self._show(answer, status)

    def fragment(self, path: str, target: str, **headers: str) -> TestResponse:
        """What htmx would get for the element with this id."""
        return self.client.get(path, headers={"HX-Request": "true", "HX-Target": target, **headers})

    def _show(self, answer: TestResponse, status: int) -> Page:
        assert answer.status_code == status, f"{answer.status} instead of {status}: {Page(answer.text).alerts}"
        self.answer = answer
        self.page = Page(answer.text)
        self.page.inspect()
        return self.page
