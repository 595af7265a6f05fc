"""Every page, in both themes: nothing that axe knows to be a hindrance, and nothing wider than a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Rehearsal
from tests.browser.every_page import AXE, OFFICIALS, PUBLIC, THEMES, Seen, desk_of, fill, found, problems

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def filled(chromium: Browser, rehearsal: Rehearsal) -> Rehearsal:
    """A commune in which something happened."""
    assert AXE.exists(), "axe-core comes with npm ci"
    with desk_of(chromium, rehearsal, "lan") as desk:
        fill(rehearsal, desk)
    return rehearsal


def test_no_page_is_a_hindrance(chromium: Browser, filled: Rehearsal) -> None:
    """Each kind of page once, as the first official sees it who is led there; tickets as each of them does."""
    wrong: list[str] = []
    looked_at: set[str] = set()
    for username in ("", *OFFICIALS):
        with desk_of(chromium, filled, username, "phone") as desk:
            for seen in found(desk, username) if username else [Seen("", path) for path in PUBLIC]:
                if seen.kind in looked_at and not seen.kind.startswith("/tickets/N"):
                    continue
                looked_at.add(seen.kind)
                desk.page.goto(filled.url + seen.path)
                width = desk.page.evaluate("() => document.documentElement.scrollWidth")
                wrong += [f"{seen.path} is {width} px wide"] if width > 360 else []
                wrong += [f"{seen.path} {problem}" for theme in THEMES for problem in problems(desk.page, theme)]
    assert not wrong, "\n".join(wrong)
    assert {
        "/tickets/N",
        "/tickets/bulk/N",
        "/tickets/new",
        "/announcements/N",
        "/reports",
        "/channels",
        "/routing",
    } <= looked_at


def test_a_hindrance_would_be_found(chromium: Browser, filled: Rehearsal) -> None:
    with desk_of(chromium, filled, "") as desk:
        desk.page.goto(f"{filled.url}/sign-in")
        desk.page.evaluate("() => { document.querySelector('h1').style.color = '#cccccc'; }")
        desk.page.evaluate("() => { document.querySelector('label').remove(); }")
        told = " ".join(problems(desk.page, "light"))
    assert "color-contrast" in told
    assert "label" in told
