"""What the web server runs: the door in front, the application behind it, the sandbox beside it."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import multiprocessing.util
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

from bot import logs
from bot.config import Settings
from bot.jobs import Engine
from bot.queue import LocalNudge
from bot.runtime import Runtime, local_secret_key
from bot.usecases.sweep import take_over
from bot.web.app import create_app
from bot.web.door import Door

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger()
_order = itertools.count(10)

SANDBOX_PREFIX = "/sandbox"
DEMO_CHANNEL = "zalo-tap-duot"
DEMO_SMS_CHANNEL, DEMO_NUMBER = "sms-tap-duot", "8088"
DEMO_LOUDSPEAKERS = "loa-tap-duot"
DEMO_OA, DEMO_APP = "2000000000000000002", "1000000000000000001"


@dataclass(frozen=True)
class DemoBot:
    """A bot of the rehearsal; `api_path`: where the sandbox answers as its platform's API.

    `fetches_by_address`: files are fetched from the addresses its messages name.
    """

    type: str
    channel: str
    name: str
    number: str
    api_path: str = ""
    fetches_by_address: bool = False


DEMO_BOTS = (
    DemoBot("telegram", "telegram-tap-duot", "Telegram tập dượt", "7000000002"),
    DemoBot("zalo_bot", "bot-zalo-tap-duot", "Bot Zalo tập dượt", "7000000003", "/zalo-bot-api", True),
)


class Mounts:
    """Hands paths below a prefix to another application."""

    def __init__(self, app: WSGIApplication, prefix: str, mounted: WSGIApplication) -> None:
        self._app = app
        self._prefix = prefix
        self._mounted = mounted

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == self._prefix or path.startswith(self._prefix + "/"):
            return self._mounted(environ, start_response)
        return self._app(environ, start_response)


def web_only() -> WSGIApplication:
    """The factory for `haichieu web`: pages and webhooks; workers run elsewhere."""
    return _application(with_workers=False)


def everything() -> WSGIApplication:
    """The factory for `haichieu up`: pages, webhooks, workers and clock in one process."""
    return _application(with_workers=True)


def _application(*, with_workers: bool) -> WSGIApplication:
    settings = Settings.from_env(os.environ)
    logs.configure(settings.log_format, settings.log_level)
    _die_with_parent()
    runtime = Runtime.build(settings, nudge=LocalNudge() if with_workers else None)
    app: WSGIApplication = create_app(runtime)
    if settings.sandbox:
        from bot.web.sandbox import create_sandbox

        sandbox = create_sandbox(sandbox_settings(settings))
        app = Mounts(app, SANDBOX_PREFIX, sandbox)
        box = sandbox.extensions["sandbox"]
        threading.Thread(target=_when_listening, args=(settings, box.start), name="sandbox-start", daemon=True).start()
        _at_the_end(box.stop)
    door = Door(runtime, app)
    _at_the_end(door.close)
    if with_workers:
        if settings.is_embedded:
            take_over(runtime)
        engine = Engine(runtime)
        engine.start()
        _at_the_end(engine.stop)
    return door


def sandbox_settings(settings: Settings) -> Any:
    """The pretend platforms of this installation; their secrets are derived from the installation's key."""
    from bot.web.sandbox.settings import SandboxAccount, SandboxBot, SandboxSettings, SandboxSms, SandboxVillage

    secrets = demo_secrets(settings)
    # Kannel's get-url, as `haichieu channel check` would tell it.
    query = "?from=%p&to=%P&text=%a&smsc=%i&id=%I&ts=%t&coding=%c&charset=%C"
    number = SandboxSms(
        DEMO_NUMBER,
        key=secrets["sms_key"],
        secret=secrets["sms_secret"],
        callback_url=f"{local_url(settings)}/webhooks/{DEMO_SMS_CHANNEL}/{secrets['sms_callback']}{query}",
    )
    account = SandboxAccount(
        app_id=DEMO_APP,
        app_secret=secrets["app_secret"],
        oa_id=DEMO_OA,
        oa_secret=secrets["oa_secret"],
        oa_name="Xã tập dượt",
        webhook_url=f"{local_url(settings)}/webhooks/{DEMO_CHANNEL}",
        access_token=secrets["access_token"],
        refresh_token=secrets["refresh_token"],
        redirect_uri=f"{settings.base_url}/channels/zalo/callback",
    )
    return SandboxSettings(
        db_path=settings.data_dir / "sandbox.db",
        accounts=[account],
        bots=[SandboxBot(demo_bot_token(settings, bot), "Xã tập dượt", platform=bot.type) for bot in DEMO_BOTS],
        sms=[number],
        villages=[SandboxVillage(DEMO_LOUDSPEAKERS, secrets["loudspeakers"])],
        public_prefix=SANDBOX_PREFIX,
        public_url=settings.base_url + SANDBOX_PREFIX,
        deliver_webhooks=False,  # not before somebody listens: the first failure would cost half a minute
    )


def demo_secrets(settings: Settings) -> dict[str, str]:
    """Secrets that the gateway and its sandbox share without telling each other."""
    key = (settings.secret_key or local_secret_key(settings.data_dir)).encode()
    names = (
        "app_secret", "oa_secret", "access_token", "refresh_token", "bot", "webhook_secret", "sms_key", "sms_secret",
        "sms_callback", "loudspeakers",
    )  # fmt: skip
    return {n: hmac.new(key, f"haichieu-sandbox:{n}".encode(), hashlib.sha256).hexdigest() for n in names}


def demo_bot_token(settings: Settings, bot: DemoBot) -> str:
    """The token of a rehearsal bot, in the form that platforms give tokens."""
    return f"{bot.number}:AA{demo_secrets(settings)['bot']}"


def local_url(settings: Settings) -> str:
    """Where this very process listens; the sandbox and the gateway call each other there."""
    host = settings.host if settings.host not in {"0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104 - compared, not bound
    return f"http://{host}:{settings.port}"


def _when_listening(settings: Settings, begin: Callable[[], None]) -> None:
    """Begin once this very server accepts connections."""
    address = (urlsplit(local_url(settings)).hostname or "127.0.0.1", settings.port)
    for _ in range(600):
        try:
            socket.create_connection(address, timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            break
    begin()


def _at_the_end(finish: Callable[[], None]) -> None:
    """Call this when the server process ends in good order, the last one named first.

    A server process is a child of multiprocessing's, which leaves without looking at atexit.
    """
    multiprocessing.util.Finalize(None, finish, exitpriority=next(_order))


def _die_with_parent() -> None:
    """A server process whose supervisor was killed ends too: nobody would restart it, and it holds the port."""
    parent = os.getppid()

    def watch() -> None:
        waiting = threading.Event()
        while not waiting.wait(0.5):
            if os.getppid() != parent:
                log.error("web.supervisor_gone")
                os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
