"""A pretend platform of bots on a free port, and words to speak with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bot.web.sandbox import Sandbox, SandboxAccount, SandboxBot, SandboxSettings, create_sandbox, sandbox_server
from bot.web.sandbox.calling import certificates
from tests.bots import TOKEN
from tests.builders import APP, APP_SECRET, OA, OA_SECRET

API_PATHS = {"telegram": "", "zalo_bot": "/zalo-bot-api"}


@dataclass
class BotApi:
    """The server, with what tests say to it; `url` is where the platform's API is."""

    url: str
    box: Sandbox
    client: httpx.Client
    platform: str = "telegram"

    def person(self) -> Any:
        """One more citizen; gives the chat id."""
        return self.control("people")["chat_id"]

    def says(self, chat_id: Any, text: str = "", **more: Any) -> list[int]:
        """Let a citizen do something; a text unless another kind is given."""
        return list(self.control("say", chat_id=chat_id, text=text, **more)["update_ids"])

    def fault(self, kind: str, **more: Any) -> None:
        """Let the next calls fail."""
        self.control("faults", kind=kind, **more)

    def heard(self, chat_id: Any) -> list[dict[str, Any]]:
        """What the bot said to a citizen."""
        messages = self.client.get(f"/control/{self.platform}/talk/{chat_id}").json()["messages"]
        return [message for message in messages if message["from_bot"]]

    def ledger(self, chat_id: Any = "") -> list[dict[str, Any]]:
        """Every message that was accepted from the bot, oldest first."""
        asked = {"chat_id": chat_id, "limit": 10_000}
        return list(self.client.get(f"/control/{self.platform}/ledger", params=asked).json()["rows"])

    def control(self, path: str, **asked: Any) -> dict[str, Any]:
        """Pull a string."""
        response = self.client.post(f"/control/{self.platform}/{path}", json=asked)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def api(self, method: str, *, token: str = TOKEN, **asked: Any) -> Any:
        """Call a method and give its JSON."""
        return self.client.post(f"{self.url}/bot{token}/{method}", json=asked).json()


@contextmanager
def bot_api(folder: Path, platform: str = "telegram", **settings: Any) -> Iterator[BotApi]:
    """Serve a pretend platform, Telegram unless another is named, with one bot."""
    account = SandboxAccount(APP, APP_SECRET, OA, OA_SECRET, "Xã Đức Huệ", "")
    settings = {"retry_time_scale": 0.001, "longest_poll": 0.3, **settings}
    app = create_sandbox(
        SandboxSettings(
            db_path=folder / "bots.db",
            accounts=[account],
            bots=[SandboxBot(TOKEN, "Xã Đức Huệ", "duc_hue_bot", platform)],
            **settings,
        )
    )
    server = sandbox_server(app)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    with httpx.Client(base_url=url, timeout=10, trust_env=False, verify=certificates()) as client:
        try:
            yield BotApi(url + API_PATHS[platform], app.extensions["sandbox"], client, platform)
        finally:
            app.extensions["sandbox"].bots.is_stopping = True
            server.shutdown()
            server.server_close()
            app.extensions["sandbox"].stop()
