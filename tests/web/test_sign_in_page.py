"""Signing in, as a browser sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from bot.usecases.officials import set_password
from bot.web.app import create_app
from bot.web.security import own_path
from storage.officials import Official, SignInSession
from tests.builders import PASSWORD, World, all_rows
from tests.web.pages import Browser


def test_an_official_comes_in_and_lands_at_the_list(world: World, app: Flask) -> None:
    browser = Browser(world, app).sign_in("lan")
    assert "Phản ánh" in browser.page.title
    assert "Nguyễn Thị Lan" in browser.page.text


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(world: World, app: Flask) -> None:
    browser = Browser(world, app)
    said = []
    for who in ("lan", "nobody"):
        browser.open("/sign-in")
        said.append(browser.send(browser.page.form("/sign-in"), 422, username=who, password="not-it").alerts)
    assert said[0] == said[1] != []


def test_the_name_typed_is_kept_and_the_password_is_not(world: World, app: Flask) -> None:
    browser = Browser(world, app)
    browser.open("/sign-in")
    page = browser.send(browser.page.form("/sign-in"), 422, username="lan", password="not-it-at-all")
    assert page.form("/sign-in").fields["username"] == "lan"
    assert "not-it-at-all" not in page.html


def test_after_many_wrong_tries_the_page_says_when_to_try_again(world: World, app: Flask) -> None:
    browser = Browser(world, app)
    browser.open("/sign-in")
    for _ in range(5):
        browser.send(browser.page.form("/sign-in"), 422, username="lan", password="not-it")
    page = browser.send(browser.page.form("/sign-in"), 429, username="lan", password=PASSWORD)
    assert "12:00:30" in page.alerts[0]
    assert browser.answer is not None
    assert 0 < int(browser.answer.headers["Retry-After"]) <= 31
    world.clock.move(seconds=31)  # type: ignore[attr-defined]
    browser.sign_in("lan")


def test_each_sign_in_has_a_new_secret_that_is_stored_only_as_a_hash(world: World, app: Flask) -> None:
    browser = Browser(world, app)
    secrets = []
    for _ in range(2):
        browser.client.delete_cookie("haichieu_session")
        browser.sign_in("lan")
        secrets.append(browser.client.get_cookie("haichieu_session").value)
    assert secrets[0] != secrets[1]
    rows = all_rows(world.runtime, SignInSession)
    assert len(rows) == 2
    assert not {r.token_hash for r in rows} & set(secrets)


def test_the_cookie_cannot_be_read_by_scripts_or_sent_by_other_sites(world: World, app: Flask) -> None:
    browser = Browser(world, app).sign_in("lan")
    cookie = browser.client.get_cookie("haichieu_session")
    assert cookie.http_only
    assert cookie.same_site == "Lax"


def test_over_https_cookies_are_bound_to_the_host(world: World) -> None:
    world.runtime.settings = replace(world.runtime.settings, public_url="https://xa.example")
    browser = Browser(world, create_app(world.runtime))
    browser.client.environ_base["wsgi.url_scheme"] = "https"
    page = browser.client.get("/sign-in", base_url="https://xa.example")
    assert "max-age" in page.headers["Strict-Transport-Security"]
    assert page.headers["Set-Cookie"].startswith("__Host-haichieu_form=")
    assert "Secure" in page.headers["Set-Cookie"]


def test_signing_out_ends_the_session_for_good(world: World, browser: Callable[[str], Browser]) -> None:
    one = browser("lan")
    secret = one.client.get_cookie("haichieu_session").value
    one.send(one.page.form("/sign-out"))
    one.client.set_cookie("haichieu_session", secret)
    assert one.client.get("/tickets").status_code == 303


def test_an_idle_session_is_over(world: World, browser: Callable[[str], Browser]) -> None:
    one = browser("lan")
    world.clock.move(minutes=119)  # type: ignore[attr-defined]
    one.open("/tickets")
    world.clock.move(minutes=119)  # type: ignore[attr-defined]
    one.open("/tickets")
    world.clock.move(minutes=121)  # type: ignore[attr-defined]
    assert one.client.get("/tickets").status_code == 303


def test_a_page_that_refreshes_itself_does_not_keep_a_session_alive(
    world: World, browser: Callable[[str], Browser]
) -> None:
    one = browser("lan")
    for _ in range(3):
        world.clock.move(minutes=50)  # type: ignore[attr-defined]
        answer = one.fragment("/tickets?poll=1", "list")
    assert answer.status_code == 286
    assert answer.headers["HX-Retarget"] == "#live-notice"


def test_no_session_outlives_the_working_day(world: World, browser: Callable[[str], Browser]) -> None:
    one = browser("lan")
    for _ in range(8):
        world.clock.move(minutes=100)  # type: ignore[attr-defined]
        status = one.client.get("/tickets").status_code
    assert status == 303


def test_a_new_password_signs_every_browser_out(world: World, browser: Callable[[str], Browser]) -> None:
    one = browser("lan")
    set_password(world.runtime, "lan", "mot-mat-khau-khac")
    assert one.client.get("/tickets").status_code == 303


def test_an_official_who_left_is_out_at_once(world: World, browser: Callable[[str], Browser]) -> None:
    one = browser("lan")
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Official).where(Official.username == "lan").values(is_active=False))
    assert one.client.get("/tickets").status_code == 303


def test_signing_in_leads_back_to_where_one_wanted_to_go(world: World, app: Flask) -> None:
    browser = Browser(world, app)
    answer = browser.client.get("/tickets?view=urgent")
    assert answer.headers["Location"] == "/sign-in?next=/tickets%3Fview%3Durgent"
    browser.open(answer.headers["Location"])
    browser.send(browser.page.form("/sign-in"), username="lan", password=PASSWORD)
    assert "Khẩn" in browser.page.headings[0]


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "/a\nb", "evil", "", "/\t/evil.example"]
)
def test_signing_in_never_leads_to_another_site(wanted: str) -> None:
    assert own_path(wanted) == "/"


def test_the_language_is_kept_with_the_account(world: World, browser: Callable[[str], Browser]) -> None:
    one = browser("lan")
    one.send(one.page.form("/language"), locale="en")
    assert one.page.lang == "en"
    assert "Sign out" in one.page.text
    assert browser("lan").page.lang == "en"
    one.send(one.page.form("/language"), locale="xx")
    assert one.page.lang == "en"


def test_errors_are_pages_too(world: World, browser: Callable[[str], Browser]) -> None:
    one = browser("lan")
    one.open("/no-such-page", 404)
    one.open("/tickets/999999", 404)
    one.open("/tickets?view=odd", 404)
    one.open("/tickets?after=odd", 400)
    answer = one.client.get("/sign-out")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    too_large = one.client.post("/tickets/1/replies", data={"text": "x" * 9_100_000})
    assert too_large.status_code == 413
    assert "8 MB" in too_large.text


def test_a_form_without_its_token_changes_nothing(world: World, browser: Callable[[str], Browser]) -> None:
    one = browser("lan")
    answer = one.client.post("/sign-out", data={})
    assert answer.status_code == 400
    assert "Biểu mẫu đã cũ" in answer.text
    one.open("/tickets")


def test_an_unforeseen_error_shows_no_detail(
    world: World, app: Flask, browser: Callable[[str], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret detail")

    one = browser("lan")
    monkeypatch.setattr("bot.web.ticket_list.listing", broken)
    page = one.open("/tickets", 500)
    assert "secret detail" not in page.html
