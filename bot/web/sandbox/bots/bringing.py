"""The bots of a sandbox at work: whose turn it is to ask, and threads that bring updates to their address."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping

import httpx

from bot.web.sandbox.bots import memory
from bot.web.sandbox.bots.platform import Platform
from bot.web.sandbox.calling import certificates
from bot.web.sandbox.settings import SandboxBot, SandboxSettings
from bot.web.sandbox.store import Store

LONGEST_PAUSE = 60.0


class Bots:
    """What the pretend platforms must remember only while they run."""

    def __init__(self, settings: SandboxSettings, store: Store, platforms: Mapping[str, Platform]) -> None:
        self._settings = settings
        self._store = store
        self._platforms = platforms
        self._news = threading.Condition()
        self._turns: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._bring_all, name="sandbox-bots", daemon=True)
        self.is_stopping = False
        self.is_held = False

    def start(self) -> None:
        """Begin to bring updates to whoever has named an address."""
        if self._settings.bots and not self._thread.is_alive():
            self._thread.start()

    def stop(self) -> None:
        """End; what was not brought waits."""
        self.is_stopping = True
        self.ring()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def ring(self) -> None:
        """There is something new."""
        with self._news:
            self._news.notify_all()

    def wait(self, seconds: float) -> None:
        """Until there is something new, or for so long."""
        with self._news:
            self._news.wait(seconds)

    def my_turn(self, bot_id: str) -> int:
        """Ask for updates; whoever asked before is sent away."""
        with self._news:
            self._turns[bot_id] += 1
            self._news.notify_all()
            return self._turns[bot_id]

    def is_still_my_turn(self, bot_id: str, turn: int) -> bool:
        """Whether nobody has asked since."""
        return self._turns[bot_id] == turn

    def _bring_all(self) -> None:
        failures: Counter[str] = Counter()
        with httpx.Client(timeout=self._settings.webhook_timeout, trust_env=False, verify=certificates()) as client:
            while not self.is_stopping:
                brought = [self._bring(client, bot, failures) for bot in self._settings.bots]
                if not any(brought):
                    worst = max(failures.values(), default=0)
                    pause = min(LONGEST_PAUSE, 2.0**worst) * self._settings.retry_time_scale if worst else 0.2
                    self.wait(max(0.02, pause))

    def _bring(self, client: httpx.Client, bot: SandboxBot, failures: Counter[str]) -> bool:
        platform = self._platforms[bot.platform]
        with self._store.writing(quietly=True) as db:
            row = memory.bot_row(db, bot.bot_id)
            updates = memory.waiting(db, bot.bot_id, 1) if row["webhook_url"] else []
        if not updates or self.is_held:  # looked at after the updates: none that came meanwhile slips through
            return False
        headers = {"Content-Type": "application/json", platform.secret_header: row["secret"]}
        body = platform.shape.brought(memory.as_update(platform, updates[0]))
        try:
            answer = client.post(row["webhook_url"], content=json.dumps(body).encode(), headers=headers)
            failure = "" if answer.is_success else f"Wrong response from the webhook: {answer.status_code}"
        except httpx.HTTPError as error:
            failure = f"Connection failed: {type(error).__name__}"
        with self._store.writing(quietly=True) as db:
            if failure:
                failed = (int(time.time()), failure, bot.bot_id)
                db.execute("UPDATE bots SET failed_at = ?, failure = ? WHERE bot_id = ?", failed)
            else:
                memory.hand_over(db, updates[0]["update_id"])
        failures[bot.bot_id] = failures[bot.bot_id] + 1 if failure else 0
        return not failure
