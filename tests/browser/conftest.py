"""A real browser and a rehearsal commune running as `make run` runs it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bot.web.assets import copy_assets
from tests.gateway import Gateway, Process, a_gateway

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass
class Rehearsal:
    """A running rehearsal commune: where it is, the officials' password, and strings to pull."""

    url: str
    password: str

    def neighbour(self) -> str:
        """A new citizen who follows the commune; gives the user id."""
        return str(self.tell("citizens", count=1)["user_ids"][0])

    def neighbours(self, many: int) -> list[str]:
        """So many new citizens who follow the commune."""
        return [str(one) for one in self.tell("citizens", count=many)["user_ids"]]

    def say(self, user_id: str, text: str) -> None:
        """The citizen writes without anybody looking at the phone."""
        self.tell("say", user_id=user_id, kind="text", text=text)

    def speak(self, user_id: str) -> None:
        """The citizen sends a voice note of two seconds, as Zalo gives it: AMR."""
        self.tell("say", user_id=user_id, kind="voice")

    def point(self, user_id: str, latitude: float, longitude: float) -> None:
        """The citizen shares a position."""
        self.tell("say", user_id=user_id, kind="location", latitude=str(latitude), longitude=str(longitude))

    def heard(self, user_id: str) -> list[str]:
        """What the citizen was told so far."""
        answer = httpx.get(f"{self.url}/sandbox/control/citizens/{user_id}/messages", trust_env=False)
        return [m["text"] for m in answer.json()["messages"] if m["from_oa"]]

    def ask(self, path: str) -> Any:
        """What stands behind the stage."""
        answer = httpx.get(f"{self.url}/sandbox/control/{path}", trust_env=False, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def tell(self, path: str, **what: Any) -> Any:
        """Pull a string behind the stage."""
        answer = httpx.post(f"{self.url}/sandbox/control/{path}", json=what, trust_env=False, timeout=30)
        answer.raise_for_status()
        return answer.json()


def chromium_or_none() -> str | None:
    """Where this machine's Chromium is."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; skipped loudly where there is none, a failure under CI."""
    path = chromium_or_none()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs Chromium: apt-get install chromium")
        pytest.skip("SKIPPED: no Chromium here (apt install chromium); nobody has looked at the pages")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """`haichieu up --demo` on a fresh folder."""
    with running_rehearsal(tmp_path_factory.mktemp("rehearsal")) as running:
        yield running


@contextmanager
def running_rehearsal(folder: Path) -> Iterator[Rehearsal]:
    """`haichieu up --demo` in this folder, until it is not needed any more."""
    if (ROOT / "node_modules").exists():
        copy_assets(ROOT)
    gateway: Gateway = a_gateway(folder)
    up = gateway.processes[0]
    gateway.processes = [Process([*up.command, "--demo"], up.env, folder / "up.log")]
    gateway.start()
    yield Rehearsal(gateway.url, (folder / "demo-password").read_text().strip())
    gateway.stop()


@dataclass
class Desk:
    """An official's browser."""

    page: Page
    rehearsal: Rehearsal
    problems: list[str]

    def sign_in(self, username: str) -> None:
        """Open the inbox and come in."""
        self.page.goto(self.rehearsal.url)
        self.page.get_by_label("Tên đăng nhập").fill(username)
        self.page.get_by_label("Mật khẩu").fill(self.rehearsal.password)
        self.page.get_by_role("button", name="Đăng nhập").click()
        self.page.wait_for_load_state()

    def visit(self, path: str) -> None:
        """Open a page of the inbox."""
        self.page.goto(self.rehearsal.url + path)


@pytest.fixture
def open_browser(chromium: Browser, rehearsal: Rehearsal) -> Iterator[Callable[..., Desk]]:
    """Open browsers of several people; at the end none of them may have seen a script or resource fail."""
    contexts: list[tuple[BrowserContext, Desk]] = []

    def opened(*, javascript: bool = True, width: int = 1280, height: int = 900) -> Desk:
        context = chromium.new_context(
            java_script_enabled=javascript, viewport={"width": width, "height": height}, locale="vi-VN"
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        desk = Desk(page, rehearsal, [])
        page.on("pageerror", lambda error: desk.problems.append(str(error)))
        page.on("console", lambda m: desk.problems.append(m.text) if m.type == "error" else None)
        contexts.append((context, desk))
        return desk

    yield opened
    for context, desk in contexts:
        context.close()
        assert desk.problems == []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here drives a browser."""
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(240))
