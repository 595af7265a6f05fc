"""Routes as a whole: each asks for sign-in unless listed, each unsafe one for a form token, none changes by GET."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from bot.web.app import create_app
from bot.web.security import OPEN
from tests.builders import World

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture
def engine_name() -> str:
    """Routes do not depend on the engine."""
    return "sqlite"


@pytest.fixture
def app(world: World) -> Flask:
    return create_app(world.runtime)


# Forms of citizens and of bodies outside: nobody is signed in there, so there is nothing another site could misuse.
WITHOUT_SESSION = {
    "public.send", "public.add", "outside.accept", "outside.ask", "outside.answer", "tracking.find",
}  # fmt: skip


def rules(app: Flask) -> Iterator[Rule]:
    yield from app.url_map.iter_rules()


def path_of(rule: Rule) -> str:
    return re.sub(r"<[^>]+>", "1", rule.rule)


def test_only_listed_pages_are_open(app: Flask) -> None:
    client = app.test_client()
    for rule in rules(app):
        if rule.endpoint in OPEN:
            continue
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
            answer = client.open(path_of(rule), method=method)
            assert answer.status_code == 303, (method, rule.rule, answer.status)
            assert answer.headers["Location"].startswith("/sign-in"), (method, rule.rule)


def test_the_list_of_open_pages_names_only_pages_there_are(app: Flask) -> None:
    assert {rule.endpoint for rule in rules(app)} >= OPEN


def test_every_unsafe_request_needs_the_form_token(app: Flask, world: World) -> None:
    from tests.web.pages import Browser

    for who in world.officials:
        browser = Browser(world, app)
        browser.sign_in(who)
        for rule in rules(app):
            if rule.endpoint in WITHOUT_SESSION:
                continue
            for method in (rule.methods or set()) & UNSAFE:
                answer = browser.client.open(path_of(rule), method=method, data={"csrf_token": "wrong"})
                assert answer.status_code == 400, (method, rule.rule, answer.status)


def test_every_page_carries_the_safety_headers(app: Flask) -> None:
    client = app.test_client()
    for path in ("/sign-in", "/tickets", "/no-such-page", "/static/inbox.css", "/health"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert ("no-store" in headers["Cache-Control"]) is not path.startswith("/static")


def test_no_route_of_the_inbox_disappears_unnoticed(app: Flask) -> None:
    known = {(rule.rule, tuple(sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}))) for rule in rules(app)}
    nouns = ("replies", "notes", "assignment", "topic", "place", "state", "reception", "approval", "sealing")
    expected = {("/tickets", ("GET",)), ("/tickets/<int:number>", ("GET",)), ("/files/<int:number>", ("GET",))}
    expected |= {(f"/tickets/<int:number>/{noun}", ("POST",)) for noun in (*nouns, "unsealing", "revealing")}
    expected |= {("/deliveries/<int:number>/resending", ("POST",)), ("/sign-out", ("POST",)), ("/language", ("POST",))}
    readers = "/personal-data/sealed-readers"
    expected |= {(readers, ("GET",)), (readers, ("POST",)), (f"{readers}/<int:number>/withdrawal", ("POST",))}
    assert expected <= known
