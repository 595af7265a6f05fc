"""A pretend source information system on a free port, and words to speak with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bot.web.sandbox import Sandbox, SandboxAccount, SandboxSettings, SandboxVillage, create_sandbox, sandbox_server
from bot.web.sandbox.calling import certificates
from tests.builders import APP, APP_SECRET, OA, OA_SECRET

USERNAME, VILLAGE_PASSWORD = "xa-duc-hue", "example-mat-khau-httttn"


@dataclass
class Villages:
    """The sandbox, with what tests say to it."""

    url: str
    box: Sandbox
    client: httpx.Client
    convention: str

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of a channel that speaks to its first village."""
        return {
            "base_url": f"{self.url}/httttn/{USERNAME}",
            "username": USERNAME,
            "profile": self.convention,
            "source_id": "H24.18",
            "source_name": "UBND xã Đức Huệ",
            "area_id": "27925",
            "area_name": "Xã Đức Huệ",
            "is_sandbox": True,
        }

    def fault(self, kind: str, **more: Any) -> None:
        """Let the next request fail."""
        self.control("faults", kind=kind, **more)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """What stands there: clusters, bulletins, plays, boards, logs or calls."""
        return list(self.client.get(f"/control/loudspeakers/{table}").json()["rows"])

    def accepted(self, path: str) -> list[str]:
        """The keys that were accepted as new on an address, as often as they were."""
        return [row["key"] for row in self.rows("calls") if row["path"] == path and row["is_new"]]

    def play(self, until: float) -> int:
        """Play what is planned up to a moment in epoch seconds; gives how many plays there were."""
        return int(self.control("play", until=int(until))["played"])

    def hand_down(self, **given: Any) -> None:
        """The province hands a bulletin down to this village, unless areas are named."""
        usual = {"ref": "T.1", "urgency": "thong_thuong", "title": "Lịch tiêm chủng", "text": "Tiêm chủng thứ Bảy."}
        self.control("notices", **{**usual, **given})

    def feedback(self, text: str, ref: str = "PA.1", **given: Any) -> None:
        """A citizen of this village writes in the central app."""
        self.control("feedback", ref=ref, text=text, **given)

    def told(self, kind: str) -> list[tuple[str, str]]:
        """Which answers or states the system was told: number and words, each once."""
        return [(row["ref"], row["text"]) for row in self.rows("told") if row["kind"] == kind]

    def control(self, path: str, **asked: Any) -> dict[str, Any]:
        """Pull a string."""
        response = self.client.post(f"/control/loudspeakers/{path}", json=asked)
        assert response.status_code == 200, response.text
        return dict(response.json())


@contextmanager
def villages(folder: Path, convention: str = "epoch", **more: Any) -> Iterator[Villages]:
    """Serve a pretend system with one village."""
    zalo = SandboxAccount(APP, APP_SECRET, OA, OA_SECRET, "Xã Đức Huệ", "")
    village = SandboxVillage(USERNAME, VILLAGE_PASSWORD, convention=convention, name="Xã Đức Huệ", **more)
    app = create_sandbox(SandboxSettings(db_path=folder / "loa.db", accounts=[zalo], villages=[village]))
    server = sandbox_server(app)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    with httpx.Client(base_url=url, timeout=10, trust_env=False, verify=certificates()) as client:
        try:
            yield Villages(url, app.extensions["sandbox"], client, convention)
        finally:
            server.shutdown()
            server.server_close()
            app.extensions["sandbox"].stop()
