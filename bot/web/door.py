"""The door: a small WSGI callable in front of Flask that owns the webhook addresses.

It reads the body itself, checks the signature over the raw bytes, stores the event durably and answers; nothing
slow and no network call happens while a channel waits. Everything else falls through to the application.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import structlog

from adapters.errors import BadSignature, DoorError, ForeignPayload
from adapters.messages import Envelope, WebhookRequest
from bot.runtime import Runtime
from bot.usecases.ingest import OpenChannel, Overloaded, Register, Writer, is_bootstrapping
from storage.ingest import NewEvent

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger()

PREFIX = "/webhooks/"
STORE_SECONDS = 1.7  # the strictest channel hangs up after two

OK = "200 OK"
BAD_REQUEST = "400 Bad Request"
UNAUTHORIZED = "401 Unauthorized"
NOT_ALLOWED = "405 Method Not Allowed"
TOO_LARGE = "413 Content Too Large"
UNSUPPORTED = "415 Unsupported Media Type"
UNAVAILABLE = "503 Service Unavailable"


class Refused(Exception):
    """The request is answered with this status and counted under this name."""

    def __init__(self, status: str, counted: str) -> None:
        super().__init__(status)
        self.status = status
        self.counted = counted


class Door:
    """Webhooks in, everything else to `app`."""

    def __init__(self, runtime: Runtime, app: WSGIApplication) -> None:
        self.runtime = runtime
        self.app = app
        self.register = Register(runtime)
        self.writer = Writer(runtime)
        self.writer.start()

    def close(self) -> None:
        """Store what is in hand."""
        self.writer.stop()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.startswith(PREFIX):
            return self.app(environ, start_response)
        channel = self.register.by_slug(path.removeprefix(PREFIX))
        try:
            status = self._receive(environ, channel)
        except Refused as refusal:
            status = refusal.status
            self.writer.count(channel.id if channel else None, refusal.counted)
        except Exception as error:
            log.exception("door.failed", error=type(error).__name__)
            status = UNAVAILABLE
        headers = [("Content-Length", "0"), ("Cache-Control", "no-store")]
        if status == NOT_ALLOWED:
            headers.append(("Allow", "GET, HEAD, POST"))
        if status == UNAVAILABLE:
            headers.append(("Retry-After", "5"))
        start_response(status, headers)
        return [b""]

    def _receive(self, environ: WSGIEnvironment, channel: OpenChannel | None) -> str:
        method = environ["REQUEST_METHOD"]
        if method in {"GET", "HEAD"}:
            return OK
        if method != "POST":
            raise Refused(NOT_ALLOWED, "wrong_method")
        body = self._body(environ)
        if channel is None:
            # The same answer as for a wrong signature: nobody learns which addresses exist.
            raise Refused(UNAUTHORIZED, "unknown_channel")
        return self._admit(environ, channel, body)

    def _body(self, environ: WSGIEnvironment) -> bytes:
        limit = self.runtime.settings.webhook_max_bytes
        declared = environ.get("CONTENT_LENGTH", "")
        if declared and not (declared.isascii() and declared.isdecimal()):
            raise Refused(BAD_REQUEST, "unreadable")
        if declared and int(declared[:20]) > limit:
            raise Refused(TOO_LARGE, "too_large")
        kind = environ.get("CONTENT_TYPE", "")
        if environ.get("HTTP_CONTENT_ENCODING", "identity") != "identity" or (kind and "json" not in kind.lower()):
            raise Refused(UNSUPPORTED, "wrong_type")
        body = environ["wsgi.input"].read(int(declared) if declared else limit + 1)
        if len(body) > limit:
            raise Refused(TOO_LARGE, "too_large")
        if declared and len(body) != int(declared):
            raise Refused(BAD_REQUEST, "truncated")
        return bytes(body)

    def _admit(self, environ: WSGIEnvironment, channel: OpenChannel, body: bytes) -> str:
        request = WebhookRequest("POST", _headers(environ), body)
        try:
            envelope = channel.adapter.admit(request, channel.config)
        except BadSignature as error:
            return self._unsigned(channel, error)
        except ForeignPayload:
            return self._dropped(channel, "foreign")
        except DoorError:
            raise Refused(BAD_REQUEST, "unreadable") from None
        if envelope.is_probe:
            return self._dropped(channel, "probe")
        owner = channel
        if envelope.account != channel.account:
            found = self.register.by_account(channel.type, envelope.account)
            if found is None or getattr(found.config, "app_id", None) != getattr(channel.config, "app_id", None):
                return self._dropped(channel, "foreign")
            owner = found
        if envelope.matched_secret != "current":  # noqa: S105 - which one, not the secret itself
            self.writer.count(owner.id, f"signed_with_{envelope.matched_secret}")
        return self._store(owner, envelope, body)

    def _unsigned(self, channel: OpenChannel, error: BadSignature) -> str:
        mode = getattr(channel.config, "signature_mode", "strict")
        if mode == "drop" or is_bootstrapping(channel, self.runtime):
            return self._dropped(channel, error.code)
        raise Refused(UNAUTHORIZED, error.code)

    def _dropped(self, channel: OpenChannel, name: str) -> str:
        """Acknowledged so that the channel does not try again, counted, and not kept."""
        self.writer.count(channel.id, name)
        return OK

    def _store(self, owner: OpenChannel, envelope: Envelope, body: bytes) -> str:
        now = self.runtime.now()
        event = NewEvent(
            commune_id=owner.commune_id,
            channel_id=owner.id,
            key=envelope.key,
            event_name=envelope.event_name[:80],
            conversation_key=envelope.conversation[:200],
            body=body,
            occurred_at=envelope.occurred_at,
            received_at=now,
        )
        try:
            is_stored = self.writer.store(event, STORE_SECONDS)
        except Overloaded:
            raise Refused(UNAVAILABLE, "overloaded") from None
        if not is_stored:
            raise Refused(UNAVAILABLE, "not_stored")
        return OK


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    return {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
