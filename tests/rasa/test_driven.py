"""A channel led by a Rasa server: its words go out once, danger stays ours, and when it is away we answer at once."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bot.usecases import driven
from bot.usecases.driven import TIMEOUT_SECONDS
from bot.usecases.setup import SetupError, set_driver
from bot.usecases.told import hear
from storage.messages import Message
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import (
    BRIBE,
    FIRE,
    LIGHT,
    outcomes,
    said_to_citizens,
    take_in,
    texts_of,
    the_ticket,
    tickets,
)
from tests.usecases.test_answered import answer, says


@dataclass
class PretendRasa:
    """A server that says what it was told to say, or nothing in time."""

    url: str = ""
    says: list[str] = field(default_factory=lambda: ["Rasa nghe đây ạ."])
    asked: list[dict[str, Any]] = field(default_factory=list)
    delay: float = 0.0
    status: int = 200
    before: Any = lambda _body: None


@pytest.fixture
def rasa() -> Iterator[PretendRasa]:
    pretend = PretendRasa()
    closing = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            pretend.asked.append(body)
            pretend.before(body)
            closing.wait(pretend.delay)
            answers = [{"recipient_id": body["sender"], "text": words} for words in pretend.says]
            with contextlib.suppress(BrokenPipeError):  # who asked has gone
                self.send_response(pretend.status)
                self.end_headers()
                self.wfile.write(json.dumps(answers).encode())

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pretend.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    driven.forget_rests()
    yield pretend
    closing.set()
    server.shutdown()
    server.server_close()
    driven.forget_rests()


@pytest.fixture
def led(morning: World, rasa: PretendRasa) -> World:
    set_driver(morning.runtime, "zalo-duc-hue", rasa.url)
    return morning


def test_its_words_go_out_and_the_report_is_filed_all_the_same(led: World, rasa: PretendRasa) -> None:
    led.says(LIGHT)
    take_in(led)
    assert texts_of(led, "driven") == ["Rasa nghe đây ạ."]
    assert [t.topic for t in tickets(led)] == ["chieu-sang"]
    (asked,) = rasa.asked
    assert asked["sender"] == "zalo-duc-hue|zalo:3000000000000000003"
    assert asked["message"] == LIGHT


def test_what_its_actions_did_with_a_message_is_not_done_twice(led: World, rasa: PretendRasa) -> None:
    def opens(body: dict[str, Any]) -> None:
        hear(
            led.runtime, body["sender"], body["message"], body["metadata"]["message_id"], intent="feedback", what="open"
        )

    rasa.before = opens
    led.says(LIGHT)
    take_in(led)
    assert len(all_rows(led.runtime, Ticket)) == 1
    assert [m.text for m in all_rows(led.runtime, Message) if m.direction.value == "in"] == [LIGHT]
    assert said_to_citizens(led) == ["driven"]
    assert outcomes(led)[0] == "message:told"


@pytest.mark.parametrize("words", [FIRE, BRIBE])
def test_danger_and_secrets_never_leave_us(led: World, rasa: PretendRasa, words: str) -> None:
    led.says(words)
    take_in(led)
    assert rasa.asked == []
    assert said_to_citizens(led)[0] in {"emergency_placed", "denunciation_guide"}


@pytest.mark.parametrize("trouble", ["slow", "error", "gone", "nonsense", "silent"])
def test_when_it_does_not_answer_we_do_within_three_seconds(led: World, rasa: PretendRasa, trouble: str) -> None:
    rasa.delay = 30 if trouble == "slow" else 0
    rasa.status = 500 if trouble == "error" else 200
    if trouble == "nonsense":
        rasa.says = [None]  # type: ignore[list-item]
    if trouble == "silent":
        rasa.says = []
    if trouble == "gone":
        set_driver(led.runtime, "zalo-duc-hue", "http://127.0.0.1:9")
    led.says(LIGHT)
    assert TIMEOUT_SECONDS < 3
    begun = time.monotonic()
    take_in(led)
    assert time.monotonic() - begun < 20, "it was not waited for (a busy machine may add a little)"
    assert said_to_citizens(led) == ["ack"]


def test_a_server_that_failed_is_left_in_peace_for_a_while(led: World, rasa: PretendRasa) -> None:
    rasa.status = 500
    for n in range(3):
        led.says(LIGHT, user=f"300000000000000{n:04d}")
    take_in(led)
    assert len(rasa.asked) == 1
    driven.forget_rests()
    rasa.status = 200
    led.says("chào xã", user="3000000000000007777")
    take_in(led)
    assert texts_of(led, "driven") == ["Rasa nghe đây ạ."]


def test_the_driver_is_set_and_taken_back(morning: World, rasa: PretendRasa) -> None:
    set_driver(morning.runtime, "zalo-duc-hue", rasa.url)
    set_driver(morning.runtime, "zalo-duc-hue", None)
    morning.says(LIGHT)
    take_in(morning)
    assert rasa.asked == []
    for slug, url in (("no-such", rasa.url), ("zalo-duc-hue", "ftp://x"), ("zalo-duc-hue", "nonsense")):
        with pytest.raises(SetupError):
            set_driver(morning.runtime, slug, url)


def test_a_judgement_of_a_result_is_heard_by_us(led: World, rasa: PretendRasa, clock: Clock) -> None:
    says(led, clock, LIGHT)
    answer(led, "PA26-0001")
    asked = len(rasa.asked)
    says(led, clock, "không hài lòng")
    says(led, clock, "thay bóng rồi mà tối vẫn không sáng")
    assert len(rasa.asked) == asked
    assert said_to_citizens(led)[-2:] == ["rating_low", "reason_noted"]
    assert the_ticket(led).rating == 1
    says(led, clock, "cảm ơn nhé")
    assert len(rasa.asked) == asked + 1
