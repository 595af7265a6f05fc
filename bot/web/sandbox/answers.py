"""How the pretend OpenAPI answers: its envelope, its refusals, and the checks every request passes first."""

from __future__ import annotations

import functools
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import flask

from bot.web.sandbox import faults, ledger, tokens, wire
from bot.web.sandbox.sandbox import Sandbox, current
from bot.web.sandbox.settings import SandboxAccount

PAGE = 1_000
Handler = Callable[[Sandbox, SandboxAccount], object]


class ApiError(Exception):
    """A refusal with the platform's number; it travels as HTTP 200."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def as_json(body: object) -> flask.Response:
    """A JSON answer with the keys in the order they were written."""
    return flask.Response(wire.compact(body), content_type="application/json;charset=utf-8")


def guarded(kind: str) -> Callable[[Handler], Callable[[], flask.Response]]:
    """Let a handler answer only requests with a live token, within the rate, and not chosen to fail."""

    def decorate(handler: Handler) -> Callable[[], flask.Response]:
        @functools.wraps(handler)
        def route() -> flask.Response:
            try:
                return _answer(kind, handler)
            except ApiError as error:
                return as_json({"error": error.code, "message": error.message})

        return route

    return decorate


def body() -> dict[str, Any]:
    """The JSON object of this request, whatever its content type claims."""
    value = flask.request.get_json(force=True, silent=True)
    if not isinstance(value, dict):
        raise ApiError(-201, "Body is not valid JSON")
    return value


def asked() -> dict[str, Any]:
    """What a test asks the control pages for."""
    # Demanding JSON also keeps other sites out: a browser asks before it sends that type across origins.
    value = flask.request.get_json(silent=True)
    if not isinstance(value, dict):
        flask.abort(400, "send a JSON object with Content-Type: application/json")
    return value


def ledger_page(book: ledger.Book, account: str, person: object) -> flask.Response:
    """The part of the ledger that this request asks for."""
    args = flask.request.args
    limit = min(max(args.get("limit", PAGE, int), 1), 10_000)
    with current().store.reading() as db:
        return as_json(ledger.page(db, book, args.get("after", 0, int), limit, account, person))


def ledger_repeats(book: ledger.Book) -> flask.Response:
    """What of the ledger somebody was sent more than once."""
    with current().store.reading() as db:
        return as_json({"repeats": ledger.repeats(db, book, PAGE)})


def _answer(kind: str, handler: Handler) -> flask.Response:
    box = current()
    account = _authenticated(box)
    remaining = box.limiter.remaining(account.app_id)
    if remaining < 0:
        return _with_rate(
            box, 0, as_json({"error": -32, "message": "Application has exceeded its limit of requests per minute"})
        )
    fault = faults.take(box.store, account.oa_id, kind)
    if fault and (refused := faults.refusal(fault)):
        return refused
    flask.g.answer_is_withheld = faults.withholds_answer(fault)
    answer = as_json({"data": handler(box, account), "error": 0, "message": "Success"})
    return _with_rate(box, remaining, faults.spoil(fault, answer) if fault else answer)


def _authenticated(box: Sandbox) -> SandboxAccount:
    token = flask.request.headers.get("access_token", "")
    with box.store.reading() as db:
        oa_id, error = tokens.owner(db, token)
    account = box.settings.account(oa_id)
    if account is None:
        raise ApiError(-216, "Access token is invalid")
    if error:
        raise ApiError(error, "Access token has expired")
    proof = flask.request.headers.get("appsecret_proof", "")
    expected = hmac.new(account.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
    if (proof or account.requires_proof) and not hmac.compare_digest(proof.encode(), expected.encode()):
        raise ApiError(-242, "appsecret_proof is invalid")
    return account


def _with_rate(box: Sandbox, remaining: int, answer: flask.Response) -> flask.Response:
    answer.headers["X-RateLimit-Limit"] = str(box.limiter.per_minute)
    answer.headers["X-RateLimit-Remain"] = str(remaining)
    return answer
