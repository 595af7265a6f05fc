"""Rehearse with a real Rasa Open Source server: train offline, call our action server, lead a channel, and be killed.

    python -m tests.rasa.rehearse /path/to/python3.10-venv/bin/rasa

Rasa 3.6 needs Python 3.10 and an environment of its own (README, "Rasa"). Exit 0 when every line held.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import httpx
import sqlalchemy as sa

from bot.runtime import Runtime
from bot.usecases.setup import set_driver
from storage.messages import Message
from storage.tickets import Ticket
from tests.builders import text_event
from tests.day import headers
from tests.gateway import HAICHIEU, Process, a_gateway, free_port, make_world, wait_until

PROJECT = Path(__file__).parent / "project"
CITIZEN = "3000000000000000003"
SENDER = f"zalo-duc-hue|zalo:{CITIZEN}"


def main(rasa: str) -> int:
    """Do it all in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="haichieu-rasa-") as folder:
        return rehearse(rasa, Path(folder))


def rehearse(rasa: str, folder: Path) -> int:
    """The rehearsal; each step says what it saw."""
    gateway = a_gateway(folder / "gateway")
    (folder / "gateway").mkdir()
    world = make_world(gateway, "http://127.0.0.1:9")
    actions_port, rasa_port = free_port(), free_port()
    env = gateway.processes[0].env
    actions = Process([*HAICHIEU, "actions", "--port", str(actions_port)], env, folder / "actions.log")
    rasa_env = {
        **os.environ,
        "RASA_TELEMETRY_ENABLED": "false",
        "HAICHIEU_ACTIONS_URL": f"http://127.0.0.1:{actions_port}/webhook",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    }
    project = folder / "project"
    shutil.copytree(PROJECT, project)
    begun = time.monotonic()
    trainer = Process([rasa, "train", "--quiet", "-d", "domain.yml"], rasa_env, folder / "train.log")
    server = Process([rasa, "run", "--port", str(rasa_port), "--interface", "127.0.0.1"], rasa_env, folder / "rasa.log")
    os.chdir(project)
    try:
        trainer.start()
        assert trainer.running is not None
        if trainer.running.wait(timeout=900) != 0:
            print((folder / "train.log").read_text()[-2_000:])
            return 1
        print(f"trained offline in {time.monotonic() - begun:.0f} s")
        gateway.start()
        actions.start()
        server.start()
        wait_until("our action server answers", lambda: _is_up(f"http://127.0.0.1:{actions_port}/health"), 60)
        wait_until("Rasa answers", lambda: _is_up(f"http://127.0.0.1:{rasa_port}/"), 240)
        url = f"http://127.0.0.1:{rasa_port}"
        _by_its_own_channel(url, world.runtime)
        _leads_ours(gateway.url, url, world.runtime)
        server.kill()
        _answers_without(gateway.url, world.runtime)
    except BaseException:
        for name in ("rasa.log", "actions.log"):
            print(f"--- the end of {name}", (folder / name).read_text()[-1_500:], sep="\n")
        raise
    finally:
        for process in (server, actions, trainer):
            process.kill()
        gateway.stop()
        world.runtime.database.close()
    print("all held")
    return 0


def _by_its_own_channel(url: str, runtime: Runtime) -> None:
    asked = _say(url, "đèn đường hỏng mấy hôm nay rồi")
    assert any("ở đâu" in words for words in asked), asked
    told = _say(url, "xóm 5")
    assert any("PA" in words for words in told), told
    (ticket,) = _tickets(runtime)
    assert (ticket.topic, ticket.place_text) == ("chieu-sang", "Xóm 5"), (ticket.topic, ticket.place_text)
    print(f"Rasa asked where, called action_open_ticket, and said: {told[0]}")


def _leads_ours(gateway: str, url: str, runtime: Runtime) -> None:
    set_driver(runtime, "zalo-duc-hue", url)
    _knock(gateway, "tra cứu")
    wait_until("Rasa's words are owed to the citizen", lambda: _spoken(runtime, "driven"), 20)
    words = _spoken(runtime, "driven")
    assert any(_tickets(runtime)[0].code in one for one in words), words
    print(f"over our channel Rasa answered: {words[0]}")


def _answers_without(gateway: str, runtime: Runtime) -> None:
    begun = time.monotonic()
    _knock(gateway, "tra cứu giúp tôi")
    wait_until("our own dialogue answers", lambda: _spoken(runtime, "status"), 10)
    seconds = time.monotonic() - begun
    assert seconds < 3.0, f"took {seconds:.1f} s"
    print(f"with Rasa killed our own dialogue answered after {seconds:.2f} s")


def _say(url: str, words: str) -> list[str]:
    body = {"sender": SENDER, "message": words}
    answer = httpx.post(f"{url}/webhooks/rest/webhook", json=body, timeout=60, trust_env=False)
    answer.raise_for_status()
    return [one["text"] for one in answer.json() if one.get("text")]


def _knock(gateway: str, words: str) -> None:
    import json

    payload = {"app_id": "1000000000000000001", **text_event(words, user=CITIZEN)}
    body = json.dumps({**payload, "timestamp": str(int(time.time() * 1000))}, ensure_ascii=False).encode()
    answer = httpx.post(f"{gateway}/webhooks/zalo-duc-hue", content=body, headers=headers(body), trust_env=False)
    assert answer.status_code == 200, answer.status_code


def _spoken(runtime: Runtime, key: str) -> list[str]:
    with runtime.database.reading() as session:
        found = session.execute(sa.select(Message.text, Message.template).where(Message.direction == "out"))
        return [text for text, template in found if key in (template or "").split("+")]


def _tickets(runtime: Runtime) -> list[Ticket]:
    with runtime.database.reading() as session:
        return list(session.scalars(sa.select(Ticket).order_by(Ticket.id)))


def _is_up(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print(__doc__)
        sys.exit(2)
    sys.exit(main(str(Path(sys.argv[1]).absolute())))
