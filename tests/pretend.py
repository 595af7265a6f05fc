"""Run the pretend Zalo alone: python -m tests.pretend DB PORT WEBHOOK_URL RETRY_SCALE."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from bot.web.sandbox import SandboxAccount, SandboxSettings, create_sandbox, sandbox_server
from tests.gateway import ACCOUNT


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
