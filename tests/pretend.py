"""Run the pretend Zalo alone, with a Telegram bot and a number at a Kannel beside it.

python -m tests.pretend DB PORT WEBHOOK_URL RETRY_SCALE
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from bot.web.sandbox import SandboxAccount, SandboxBot, SandboxSettings, create_sandbox, sandbox_server
from tests import bots
from tests.adapters.sms import TOKEN
from tests.gateway import ACCOUNT
from tests.sandbox.networks import an_account


def main(db: str, port: str, webhook_url: str, retry_scale: str) -> None:
    """Serve until SIGTERM."""
    account = SandboxAccount(
        **ACCOUNT,
        oa_name="Đức Huệ",
        webhook_url=webhook_url,
        access_token="an-access-token",
        refresh_token="a-refresh-token",
    )
    settings = SandboxSettings(
        db_path=Path(db),
        accounts=[account],
        bots=[SandboxBot(bots.TOKEN)],
        sms=[an_account("kannel", f"{webhook_url.rpartition('/')[0]}/sms-kannel/{TOKEN}")],
        allow_control=True,
        receipts=False,
        echoes=False,
        requests_per_minute=10_000_000,
        retry_time_scale=float(retry_scale),
        access_token_seconds=10 * 365 * 86_400,
    )
    app = create_sandbox(settings)
    server = sandbox_server(app, port=int(port))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    app.extensions["sandbox"].stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
