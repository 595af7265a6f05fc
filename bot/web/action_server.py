"""The action server: our abilities on Rasa's action-server protocol (POST /webhook, GET /health, GET /actions)."""

from __future__ import annotations

import asyncio
import hmac
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from flask import Flask, Response, jsonify, request
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import (
    ActionExecutionRejection,
    ActionMissingDomainException,
    ActionNotFoundException,
)

from bot.rasa.abilities import abilities
from bot.runtime import Runtime
from bot.usecases.work import where

log = structlog.get_logger()

LONGEST_BODY = 5_000_000
DOMAIN_MISSING = 449  # the caller repeats the call with its domain


def create_action_server(runtime: Runtime, *, token: str = "") -> Flask:
    """The server as a WSGI application; with a `token`, callers must send it as ?token=… or a Bearer token."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LONGEST_BODY
    executor = ActionExecutor()
    for ability in abilities(runtime):
        executor.register_action(ability)
    # One after another, for the executor remembers one domain; in a thread of their own, where no loop runs yet.
    alone = ThreadPoolExecutor(max_workers=1, thread_name_prefix="actions")
    app.before_request(lambda: None if _may_ask(token) else (jsonify(error="token missing or wrong"), 401))

    @app.get("/health")
    def health() -> Response:
        return jsonify(status="ok")

    @app.get("/actions")
    def actions() -> Response:
        return jsonify([{"name": name} for name in executor.actions])

    @app.post("/webhook")
    def webhook() -> tuple[Response, int]:
        call = _call()
        if not isinstance(call, dict):
            return jsonify(error="the body must be a JSON object"), 400
        return _run(executor, call, alone)

    return app


def _may_ask(token: str) -> bool:
    if not token or request.path == "/health":
        return True
    given = request.args.get("token") or request.headers.get("Authorization", "").removeprefix("Bearer ")
    return hmac.compare_digest(given.encode(), token.encode())


def _call() -> Any:
    body = request.get_data()
    if request.headers.get("Content-Encoding") == "deflate":
        try:
            body = zlib.decompressobj().decompress(body, LONGEST_BODY)
        except zlib.error:
            return None
    try:
        return json.loads(body)
    except ValueError:
        return None


def _run(executor: ActionExecutor, call: dict[str, Any], alone: ThreadPoolExecutor) -> tuple[Response, int]:
    name = str(call.get("next_action") or "")
    try:
        result = alone.submit(lambda: asyncio.run(executor.run(call))).result()
    except ActionExecutionRejection as refused:
        return jsonify(error=refused.message, action_name=refused.action_name), 400
    except ActionNotFoundException as unknown:
        return jsonify(error=unknown.message, action_name=unknown.action_name), 404
    except ActionMissingDomainException as missing:
        return jsonify(error=missing.message, action_name=missing.action_name), DOMAIN_MISSING
    except Exception as error:  # noqa: BLE001 - the caller is told, without words of a citizen
        log.error("action.failed", action=name[:60], error=type(error).__name__, where=where(error))
        return jsonify(error=type(error).__name__, action_name=name[:60]), 500
    return jsonify(result.model_dump() if result else None), 200
