"""How a pretend bot platform is called: `/bot<token>/<method>`, its refusals, and the faults it was told to have."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import flask

from bot.web.sandbox import faults
from bot.web.sandbox.bots import memory
from bot.web.sandbox.bots.platform import Platform
from bot.web.sandbox.sandbox import Sandbox, current
from bot.web.sandbox.settings import SandboxBot

Fault = faults.Fault | None
Method = Callable[[Sandbox, SandboxBot, dict[str, Any], Fault], Any]


class Refused(Exception):
    """The method is not granted; `status` is the HTTP status where it is not the code."""

    def __init__(self, code: int, description: str, *, status: int = 0, **parameters: Any) -> None:
        super().__init__(description)
        self.status = status or code
        self.body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
        if parameters:
            self.body["parameters"] = parameters


@dataclass(frozen=True)
class Api:
    """One platform's methods (names in small letters) and words.

    `kinds`: which methods "send", "fetch" or "lookup"; `no_such_bot`: how a token that opens nothing is refused;
    `failing`: how a planned HTTP status reads.
    """

    platform: Platform
    methods: Mapping[str, Method]
    kinds: Mapping[str, str]
    no_such_bot: Callable[[str], Refused]
    failing: Callable[[faults.Fault], Refused]
    structured: tuple[str, ...] = ()

    def call(self, token: str, method: str) -> flask.Response:
        """One method of one bot."""
        try:
            return self._answer(current(), self.bot(token), method.lower())
        except Refused as refusal:
            return as_refused(refusal)

    def bot(self, token: str) -> SandboxBot:
        """The bot whose token this is. Raises Refused."""
        found = current().settings.bot_of(token, self.platform.name)
        if found is None:
            raise self.no_such_bot(token)
        with current().store.reading() as db:
            if memory.is_revoked(db, found.bot_id):
                raise self.failing(faults.Fault("status", status=401))
        return found

    def _answer(self, box: Sandbox, bot: SandboxBot, method: str) -> flask.Response:
        fault = faults.take(box.store, bot.bot_id, self.kinds.get(method, "any"))
        if fault and (refused := self._refusal(fault)):
            return refused
        handler = self.methods.get(method)
        if handler is None:
            raise self.failing(faults.Fault("status", status=404))
        flask.g.answer_is_withheld = faults.withholds_answer(fault)
        answer = as_json({"ok": True, "result": handler(box, bot, self._arguments(), fault)})
        return faults.spoil(fault, answer) if fault else answer

    def _refusal(self, fault: faults.Fault) -> flask.Response | None:
        if fault.kind == "error":
            return as_refused(Refused(fault.code, fault.message, status=200))
        if fault.kind != "status":
            return faults.refusal(fault)
        if fault.status >= 500:
            return flask.Response("<html>Bad Gateway", fault.status, content_type="text/html")
        answer = as_refused(self.failing(fault))
        if fault.status == 429:
            answer.headers["Retry-After"] = str(fault.retry_after)
        return answer

    def _arguments(self) -> dict[str, Any]:
        request = flask.request
        given: dict[str, Any] = {**request.args.to_dict(), **request.form.to_dict()}
        body = request.get_json(silent=True)
        if isinstance(body, dict):
            given |= body
        for name in self.structured:
            if isinstance(given.get(name), str):
                try:
                    given[name] = json.loads(given[name])
                except ValueError:
                    raise Refused(400, f"Bad Request: can't parse {name}") from None
        return given


def as_json(body: object, status: int = 200) -> flask.Response:
    """A JSON answer."""
    return flask.Response(json.dumps(body, ensure_ascii=False), status, content_type="application/json")


def as_refused(refusal: Refused) -> flask.Response:
    """A refusal as the caller gets it."""
    return as_json(refusal.body, refusal.status)


def until_news(box: Sandbox, bot: SandboxBot, asked: dict[str, Any], sent_away: Refused) -> Iterator[None]:
    """Come back each time there may be an update, until the caller has waited long enough.

    Raises `sent_away` when somebody else asks for the same updates meanwhile.
    """
    turn = box.bots.my_turn(bot.bot_id)
    try:
        end = time.monotonic() + min(float(asked.get("timeout") or 0), box.settings.longest_poll)
    except (TypeError, ValueError):
        raise Refused(400, "Bad Request: timeout") from None
    while box.bots.is_still_my_turn(bot.bot_id, turn):
        yield
        left = end - time.monotonic()
        if left <= 0 or box.bots.is_stopping:
            return
        box.bots.wait(min(left, 0.5))
    raise sent_away


def set_webhook(box: Sandbox, bot: SandboxBot, url: str, secret: str, kinds: list[str]) -> None:
    """Bring the bot's updates to this address from now on; none: let it ask."""
    values = (url, secret, json.dumps(kinds), memory.now_ms(), bot.bot_id)
    with box.store.writing() as db:
        memory.bot_row(db, bot.bot_id)
        db.execute(
            "UPDATE bots SET webhook_url = ?, secret = ?, kinds = ?, changed_ms = ?, failed_at = 0 WHERE bot_id = ?",
            values,
        )
    box.bots.ring()


def is_address(url: str) -> bool:
    """Whether updates can be brought there; this very machine needs no certificate."""
    return url.startswith(("https://", "http://127.0.0.1", "http://localhost"))
