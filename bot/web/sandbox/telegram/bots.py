"""The bots of a sandbox at work: whose turn it is to ask, and a thread that brings updates to their address."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter

import httpx

from bot.web.sandbox.settings import SandboxSettings
from bot.web.sandbox.store import Store
from bot.web.sandbox.telegram import memory

LONGEST_PAUSE = 60.0


class Bots:
    """What the pretend Telegram must remember only while it runs."""

    def __init__(self, settings: SandboxSettings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._news = threading.Condition()
        self._turns: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._bring_all, name="sandbox-telegram", daemon=True)
        self.is_stopping = False

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
        with httpx.Client(timeout=self._settings.webhook_timeout, trust_env=False) as client:
            while not self.is_stopping:
                brought = [self._bring(client, bot.bot_id, failures) for bot in self._settings.bots]
                if not any(brought):
                    worst = max(failures.values(), default=0)
                    pause = min(LONGEST_PAUSE, 2.0**worst) * self._settings.retry_time_scale if worst else 0.2
                    self.wait(max(0.02, pause))

    def _bring(self, client: httpx.Client, bot_id: str, failures: Counter[str]) -> bool:
        with self._store.writing(quietly=True) as db:
            row = memory.bot_row(db, bot_id)
            updates = memory.waiting(db, bot_id, 1) if row["webhook_url"] else []
        if not updates:
            return False
        headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": row["secret"]}
        try:
            answer = client.post(row["webhook_url"], content=json.dumps(updates[0]).encode(), headers=headers)
            failure = "" if answer.is_success else f"Wrong response from the webhook: {answer.status_code}"
        except httpx.HTTPError as error:
            failure = f"Connection failed: {type(error).__name__}"
        with self._store.writing(quietly=True) as db:
            if failure:
                failed = (int(time.time()), failure, bot_id)
                db.execute("UPDATE tg_bots SET failed_at = ?, failure = ? WHERE bot_id = ?", failed)
            else:
                done = (updates[0]["update_id"],)
                db.execute("UPDATE tg_updates SET is_done = 1 WHERE update_id = ?", done)
        failures[bot_id] = failures[bot_id] + 1 if failure else 0
        return not failure
