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
from bot.web.peer import peer_address
from storage.ingest import NewEvent

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger()

PREFIX = "/webhooks/"
STORE_SECONDS = 1.7  # the strictest channel hangs up after two
LONGEST_QUERY = 32_768
MEDIA_TYPES = {"json": "json", "form": "application/x-www-form-urlencoded"}

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
        slug, _, rest = path.removeprefix(PREFIX).partition("/")
        channel = self.register.by_slug(slug)
        reply, kind = b"", ""
        try:
            status, envelope = self._receive(environ, channel, rest)
            if envelope is not None:
                reply, kind = envelope.reply, envelope.reply_type
        except Refused as refusal:
            status = refusal.status
            self.writer.count(channel.id if channel else None, refusal.counted)
        except Exception as error:
            log.exception("door.failed", error=type(error).__name__)
            status = UNAVAILABLE
        headers = [("Content-Length", str(len(reply))), ("Cache-Control", "no-store")]
        if kind:
            headers.append(("Content-Type", kind))
        if status == NOT_ALLOWED:
            headers.append(("Allow", "GET, HEAD, POST"))
        if status == UNAVAILABLE:
            headers.append(("Retry-After", "5"))
        start_response(status, headers)
        return [reply]

    def _receive(self, environ: WSGIEnvironment, channel: OpenChannel | None, rest: str) -> tuple[str, Envelope | None]:
        method = environ["REQUEST_METHOD"]
        query = environ.get("QUERY_STRING", "")
        if method == "HEAD" or (method == "GET" and not rest and not query):
            return OK, None  # somebody looks whether there is an address: there is, whichever it is
        if method not in {"GET", "POST"}:
            raise Refused(NOT_ALLOWED, "wrong_method")
        if len(query) > LONGEST_QUERY:
            raise Refused(TOO_LARGE, "too_large")
        body = self._body(environ) if method == "POST" else b""
        # Refused in the same way as a wrong signature: nobody learns which addresses exist, or what they listen to.
        if channel is None or (rest and not channel.accepts.has_path):
            raise Refused(UNAUTHORIZED, "unknown_channel")
        if method not in channel.accepts.methods:
            raise Refused(UNAUTHORIZED, "wrong_method")
        if method == "POST" and not _is_of(channel.accepts.types, environ):
            raise Refused(UNAUTHORIZED, "wrong_type")
        return self._admit(channel, _request(environ, method, body, rest, query))

    def _body(self, environ: WSGIEnvironment) -> bytes:
        limit = self.runtime.settings.webhook_max_bytes
        declared = environ.get("CONTENT_LENGTH", "")
        if declared and not (declared.isascii() and declared.isdecimal()):
            raise Refused(BAD_REQUEST, "unreadable")
        if declared and int(declared[:20]) > limit:
            raise Refused(TOO_LARGE, "too_large")
        if environ.get("HTTP_CONTENT_ENCODING", "identity") != "identity" or not _is_of(tuple(MEDIA_TYPES), environ):
            raise Refused(UNSUPPORTED, "wrong_type")
        body = environ["wsgi.input"].read(int(declared) if declared else limit + 1)
        if len(body) > limit:
            raise Refused(TOO_LARGE, "too_large")
        if declared and len(body) != int(declared):
            raise Refused(BAD_REQUEST, "truncated")
        return bytes(body)

    def _admit(self, channel: OpenChannel, request: WebhookRequest) -> tuple[str, Envelope | None]:
        try:
            envelope = channel.adapter.admit(request, channel.config)
        except BadSignature as error:
            return self._unsigned(channel, error), None
        except ForeignPayload:
            return self._dropped(channel, "foreign"), None
        except DoorError:
            raise Refused(BAD_REQUEST, "unreadable") from None
        if envelope.is_probe:
            return self._dropped(channel, "probe"), envelope
        owner = channel
        if envelope.account != channel.account:
            found = self.register.by_account(channel.type, envelope.account)
            if found is None or getattr(found.config, "app_id", None) != getattr(channel.config, "app_id", None):
                if not envelope.is_ours_otherwise:
                    return self._dropped(channel, "foreign"), envelope
                found = channel
            owner = found
        if envelope.matched_secret != "current":  # noqa: S105 - which one, not the secret itself
            self.writer.count(owner.id, f"signed_with_{envelope.matched_secret}")
        body = request.body if envelope.body is None else envelope.body
        return self._store(owner, envelope, body), envelope

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


def _is_of(types: tuple[str, ...], environ: WSGIEnvironment) -> bool:
    kind = environ.get("CONTENT_TYPE", "").lower()
    return not kind or any(MEDIA_TYPES[name] in kind for name in types)


def _request(environ: WSGIEnvironment, method: str, body: bytes, rest: str, query: str) -> WebhookRequest:
    remote = peer_address(environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", ""))
    # WSGI hands bytes over as latin-1 text; a query may hold letters of any alphabet.
    raw = query.encode("latin-1", "replace")
    return WebhookRequest(method, _headers(environ), body, path=rest.strip("/"), query=raw, remote=remote)


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    found = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    if kind := environ.get("CONTENT_TYPE"):
        found["content-type"] = kind.lower()
    return found
