"""One running sandbox: its settings, its memory and its threads, and how a request finds it."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from typing import cast

import flask

from bot.web.sandbox import tokens
from bot.web.sandbox.bots.bringing import Bots
from bot.web.sandbox.loudspeakers.memory import furnish
from bot.web.sandbox.platforms import PLATFORMS
from bot.web.sandbox.settings import SandboxAccount, SandboxSettings
from bot.web.sandbox.sms.network import Networks
from bot.web.sandbox.sms.smsc import Smsc
from bot.web.sandbox.store import Store, now_ms
from bot.web.sandbox.webhooks import Dispatcher


class Sandbox:
    """What every route of the sandbox works with."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.store = Store(settings.db_path)
        self.limiter = Limiter(settings.requests_per_minute)
        self.dispatcher = Dispatcher(settings, self.store)
        self.bots = Bots(settings, self.store, PLATFORMS)
        self.networks = Networks(settings, self.store)
        self.smsc = Smsc(self.networks, settings.smsc_port) if settings.smsc_port is not None else None
        with self.store.writing() as db:
            tokens.seed(db, settings)
            for village in settings.villages:
                furnish(db, village, now_ms())
        self.store.on_commit = self.dispatcher.nudge

    def start(self) -> None:
        """Begin to post webhooks."""
        self.dispatcher.start()
        self.bots.start()
        self.networks.start()
        if self.smsc is not None:
            self.smsc.start()

    def stop(self) -> None:
        """End the threads and close the file; what is unsent waits for the next run."""
        self.bots.stop()
        self.networks.stop()
        if self.smsc is not None:
            self.smsc.stop()
        self.dispatcher.stop()
        self.store.close()

    def hold_events(self, *, is_held: bool) -> None:
        """Bring nothing to anybody for now, or go on with what has gathered."""
        self.dispatcher.is_held = self.bots.is_held = self.networks.is_held = is_held
        self.dispatcher.nudge()
        self.bots.ring()
        self.networks.ring()

    def account_or_404(self, oa_id: str) -> SandboxAccount:
        """The account of this OA id; without an id, the only one."""
        accounts = self.settings.accounts
        account = accounts[0] if not oa_id and len(accounts) == 1 else self.settings.account(oa_id)
        if account is None:
            flask.abort(404, "no such OA in this sandbox")
        return account

    def base_url(self) -> str:
        """Where this sandbox is reached from outside, without a slash at the end."""
        return (self.settings.public_url or flask.request.url_root).rstrip("/")

    def receipt_delay(self) -> float:
        """How long this message takes to reach the pretend phone."""
        return random.uniform(*self.settings.receipt_delay)


class Limiter:
    """Requests of each app in the current minute."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._lock = threading.Lock()
        self._minute = 0
        self._seen: Counter[str] = Counter()

    def remaining(self, app_id: str) -> int:
        """Count one request and say how many are left; negative when there was none."""
        minute = int(time.time() // 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._seen = minute, Counter()
            self._seen[app_id] += 1
            return self.per_minute - self._seen[app_id]


def current() -> Sandbox:
    """The sandbox this request came to."""
    return cast("Sandbox", flask.current_app.extensions["sandbox"])
