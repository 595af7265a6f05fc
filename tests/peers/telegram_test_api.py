"""Speaks with a Bot API that others wrote: a report in, an answer with buttons out, a tap in. `make peers` runs it.

telegram-test-api comes from npm into a temporary folder (or the one named); where it cannot be had, it says so loudly.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

PACKAGE = "telegram-test-api@4.2.1"
TOKEN = "666:AAExample-token-of-a-test-bot-0000"  # its getMe says 666, whoever asks
CITIZEN = {"id": 4711, "first_name": "Hoa", "is_bot": False}
REPORT = "Đèn đường xóm 5 tối om mấy hôm nay, mong xã sửa giúp"
SECONDS = 60.0


def main() -> int:
    """0 when all went well or nothing could be tried, 1 otherwise."""
    with tempfile.TemporaryDirectory(prefix="haichieu-peers-") as folder:
        modules = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder)
        if not _installed(modules):
            print(f"!! SKIPPED: {PACKAGE} could not be installed with npm (is there a package index?)")
            return 0
        with _serving(modules) as peer, _gateway(Path(folder) / "var", peer) as log:
            try:
                _talk(peer)
            except AssertionError as problem:
                print(f"FAILED: {problem}\n--- the gateway's log ---\n{log.read_text()[-3000:]}")
                return 1
    return 0


def _talk(peer: str) -> None:
    _say(peer, "/start")
    welcome = _heard(peer, lambda text: bool(text), "a welcome")
    print(f"ok  begun: {welcome['text'].splitlines()[0][:60]}…")
    _say(peer, REPORT)
    answer = _heard(peer, lambda text: "PA" in text and text != welcome["text"], "an acknowledgement with a code")
    print(f"ok  a report in, an acknowledgement out: {answer['text'].splitlines()[0][:60]}…")
    markup = answer.get("reply_markup")
    rows = markup["inline_keyboard"] if markup else []
    labels = [button["text"] for row in rows for button in row]
    assert labels, "the acknowledgement offers no answers"
    before = len(_all(peer))
    message = {"message_id": 1, "date": int(time.time()), "chat": {"id": CITIZEN["id"], "type": "private"}}
    tap = {"botToken": TOKEN, "from": CITIZEN, "message": message, "data": rows[0][0]["callback_data"]}
    httpx.post(f"{peer}/sendCallback", json=tap).raise_for_status()
    _until(lambda: len(_all(peer)) > before, "an answer to the tap")
    print(f"ok  a tap on “{labels[0]}” is answered")


def _say(peer: str, text: str) -> None:
    chat = {"id": CITIZEN["id"], "first_name": "Hoa", "type": "private"}
    message = {"botToken": TOKEN, "from": CITIZEN, "chat": chat, "date": int(time.time()), "text": text}
    httpx.post(f"{peer}/sendMessage", json=message).raise_for_status()


def _all(peer: str) -> list[dict[str, Any]]:
    history = httpx.post(f"{peer}/getUpdatesHistory", json={"token": TOKEN}).json()["result"]
    return [one["message"] for one in history if "chat_id" in one.get("message", {})]


def _heard(peer: str, is_it: Callable[[str], bool], what: str) -> dict[str, Any]:
    _until(lambda: any(is_it(one["text"]) for one in _all(peer)), what)
    return next(one for one in _all(peer) if is_it(one["text"]))


def _until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, f"{what} did not come within {SECONDS:.0f} seconds"
        time.sleep(0.2)


def _installed(folder: Path) -> bool:
    if (folder / "node_modules" / "telegram-test-api").is_dir():
        return True
    if shutil.which("npm") is None or shutil.which("node") is None:
        return False
    command = ["npm", "install", "--prefix", str(folder), "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]
    return subprocess.run([*command, PACKAGE], capture_output=True, timeout=180, check=False).returncode == 0


@contextmanager
def _serving(modules: Path) -> Iterator[str]:
    port = _free_port()
    script = Path(__file__).with_suffix(".js")
    with subprocess.Popen(["node", str(script), str(modules), str(port)], stdout=subprocess.PIPE, text=True) as node:
        try:
            assert node.stdout is not None
            assert node.stdout.readline().strip() == "listening"
            yield f"http://127.0.0.1:{port}"
        finally:
            node.terminate()


@contextmanager
def _gateway(data: Path, peer: str) -> Iterator[Path]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("HAICHIEU_")}
    env |= {"HAICHIEU_DATA_DIR": str(data), "HAICHIEU_PORT": str(_free_port())}
    haichieu = [sys.executable, "-m", "bot.cli"]

    def run(*words: str) -> None:
        subprocess.run([*haichieu, *words], env=env, check=True, capture_output=True)

    run("db", "upgrade")
    run("commune", "add", "27925", "--slug", "duc-hue")
    run(
        "channel", "add", "telegram", "telegram-duc-hue", "--commune", "duc-hue", "--name", "Telegram",
        "--token", TOKEN, "--set", f"api_base={peer}", "--set", "is_sandbox=true",
    )  # fmt: skip
    log = data / "peers.log"
    with log.open("w") as out, subprocess.Popen([*haichieu, "up"], env=env, stdout=out, stderr=out) as gateway:
        try:
            yield log
        finally:
            gateway.terminate()
            gateway.wait(timeout=40)
    checked = json.dumps(log.read_text())
    assert TOKEN not in checked, "the token stands in the log"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
