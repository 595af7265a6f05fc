"""Pretend mobile networks on a free port, and words to speak with them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bot.web.sandbox import Sandbox, SandboxAccount, SandboxSettings, SandboxSms, create_sandbox, sandbox_server
from bot.web.sandbox.calling import certificates
from bot.web.sandbox.sms.smsc import Smsc
from tests.builders import APP, APP_SECRET, OA, OA_SECRET

KEY, SECRET, SIGNING = "example-api-key", "example-api-secret", "example-callback-key"
NUMBER = "8088"
KANNEL_QUERY = "?from=%p&to=%P&text=%a&smsc=%i&id=%I&ts=%t&coding=%c&charset=%C"


@dataclass
class Networks:
    """The sandbox, with what tests say to it."""

    url: str
    box: Sandbox
    client: httpx.Client

    @property
    def smsc(self) -> Smsc:
        """Its SMSC, which must have been asked for."""
        assert self.box.smsc is not None
        return self.box.smsc

    def phone(self, number: str = "", name: str = "Cô Hoa") -> str:
        """One more telephone; gives its number 84…"""
        return str(self.control("people", number=number, name=name)["number"])

    def says(self, number: str, text: str, **more: Any) -> list[int]:
        """Let a citizen write."""
        return list(self.control("say", number=number, text=text, **more)["call_ids"])

    def fault(self, kind: str, **more: Any) -> None:
        """Let the next things fail."""
        self.control("faults", kind=kind, **more)

    def heard(self, number: str) -> list[str]:
        """What citizens read on this telephone."""
        messages = self.client.get(f"/control/sms/talk/{number}").json()["messages"]
        return [message["text"] for message in messages if not message["from_phone"]]

    def ledger(self, **of: Any) -> list[dict[str, Any]]:
        """Every message that was accepted, oldest first."""
        return list(self.client.get("/control/sms/ledger", params=of).json()["rows"])

    def repeats(self) -> list[dict[str, Any]]:
        """What was accepted more than once."""
        return list(self.client.get("/control/sms/ledger/repeats").json()["repeats"])

    def calls(self, state: str = "") -> list[dict[str, Any]]:
        """What gateways are told, in this state or in any."""
        rows = self.client.get("/control/sms/calls").json()["calls"]
        return [row for row in rows if state in {"", row["state"]}]

    def control(self, path: str, **asked: Any) -> dict[str, Any]:
        """Pull a string."""
        response = self.client.post(f"/control/sms/{path}", json=asked)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def sendsms(self, phone: str, words: str, /, **more: str) -> httpx.Response:
        """Send through Kannel as its guide says."""
        fields = {"user": KEY, "pass": SECRET, "from": NUMBER, "to": f"+{phone}", "text": words, "charset": "UTF-8"}
        return self.client.get("/cgi-bin/sendsms", params=fields | more)


def an_account(provider: str = "kannel", callback_url: str = "", **more: Any) -> SandboxSms:
    """The commune's account at this provider."""
    query = KANNEL_QUERY if provider == "kannel" and callback_url else ""
    given = {"key": KEY, "secret": SECRET, "callback_key": SIGNING, "name": "Xã Đức Huệ", **more}
    return SandboxSms(NUMBER, provider=provider, callback_url=callback_url + query, **given)


@contextmanager
def networks(folder: Path, *accounts: SandboxSms, **settings: Any) -> Iterator[Networks]:
    """Serve pretend networks with these accounts, one at Kannel when none is named."""
    zalo = SandboxAccount(APP, APP_SECRET, OA, OA_SECRET, "Xã Đức Huệ", "")
    given = {"retry_time_scale": 0.001, "receipt_delay": (0.0, 0.0), **settings}
    app = create_sandbox(
        SandboxSettings(db_path=folder / "sms.db", accounts=[zalo], sms=accounts or [an_account()], **given)
    )
    server = sandbox_server(app)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    with httpx.Client(base_url=url, timeout=10, trust_env=False, verify=certificates()) as client:
        try:
            yield Networks(url, app.extensions["sandbox"], client)
        finally:
            server.shutdown()
            server.server_close()
            app.extensions["sandbox"].stop()
