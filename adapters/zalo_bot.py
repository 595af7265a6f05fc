"""The Zalo Bot channel: a bot of Zalo's Bot Creator, no Official Account; events by webhook or by asking, text out."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from adapters import _zalo_bot_events as events
from adapters._zalo_bot_config import ZaloBotConfig, configured
from adapters._zalo_bot_errors import TIMED_OUT, UNCLEAR, accepted, tellable
from adapters._zalo_media import is_media_address
from adapters.base import Account, Bringing, Fetched, Limits
from adapters.bodies import from_milliseconds
from adapters.errors import BadSignature, ForeignPayload, MessageRefused, OutcomeUnknown
from adapters.http import Http
from adapters.messages import Envelope, Event, OutboundMessage, SendResult, WebhookRequest
from adapters.secret import Secret
from adapters.text import printable

__all__ = ["ZaloBot", "ZaloBotConfig"]

SECRET_HEADER = "x-bot-api-secret-token"  # noqa: S105 - the header's name


class ZaloBot:
    """The adapter of bots on the Zalo Bot platform; holds no state."""

    type: ClassVar[str] = "zalo_bot"
    limits: ClassVar[Limits] = Limits(
        # 2,000 "characters" of an unpublished unit: stay inside.
        text=1_900,
        text_units="utf16",
        # sendPhoto takes the address of a picture; how to hand over one's bytes is not documented.
        image_bytes=0,
        image_types=(),
        # No window is documented; whether one may write to somebody at any time later was not tried.
        window_hours=None,
        free_window_hours=None,
        # Neither the pace nor the number a month is published: a careful guess.
        default_rate=2.0,
        contact_seconds=1.0,
        tells_followers=False,
    )
    secret_fields: ClassVar[tuple[str, ...]] = ("token", "webhook_secret")
    config_fields: ClassVar[tuple[str, ...]] = ("username", "api_base", "receive", "extra_media_hosts", "is_sandbox")
    event_kinds: ClassVar[tuple[str, ...]] = events.EVENT_KINDS

    def config(self, settings: dict[str, Any], secrets: dict[str, str]) -> ZaloBotConfig:
        """Build the typed configuration; ValueError names every missing or malformed field."""
        return configured(settings, secrets)

    def standing_token(self, config: ZaloBotConfig) -> Secret:
        """The bot's token, which stands until somebody makes another in Bot Creator."""
        return config.token

    def admit(self, request: WebhookRequest, config: ZaloBotConfig) -> Envelope:
        """Verify an event and read just enough to store it. Raises DoorError."""
        given = request.headers.get(SECRET_HEADER) or ""
        if not hmac.compare_digest(given.encode(), config.webhook_secret.reveal().encode()):
            raise BadSignature("forged" if given else "unsigned")
        event = events.decoded(request.body)
        kind, message = events.kind_of(event), events.part(event, "message")
        chat = events.ident(events.part(message, "chat").get("id"))
        if events.is_bots(message, config.account):
            raise ForeignPayload("said_by_a_bot")
        if chat and not events.is_private(message):
            raise ForeignPayload("not_a_private_chat")  # what people say in groups is none of our business to keep
        message_id = events.ident(message.get("message_id"))
        is_known = bool(chat and message_id)
        digest = hashlib.sha256(request.body).hexdigest()
        return Envelope(
            account=config.account,
            event_name=kind,
            key=f"{kind}:{chat}:{message_id}" if is_known else f"body:{digest}",
            conversation=f"zalo_bot:{chat}" if chat else config.account,
            occurred_at=from_milliseconds(message.get("date")) or datetime.now(UTC),
            is_probe=not kind and not message,  # who knows the secret and says nothing tries the address
        )

    def parse(self, body: bytes) -> tuple[Event, ...]:
        """Turn a stored event into our words; total."""
        return events.parse(body)

    def send(self, http: Http, config: ZaloBotConfig, token: Secret, message: OutboundMessage) -> SendResult:
        """Hand one text to Zalo, in one call, so that it has one outcome; nothing can be quoted. Raises SendError."""
        config, chat_id = replace(config, token=token), _chat_id(message.urn)
        text = printable(message.text, len(message.text))
        if message.image is not None:
            raise MessageRefused("no_images", _NO_IMAGES)
        if not text.strip():
            raise MessageRefused("empty", "Tin không có nội dung nên chưa gửi. Anh/Chị vui lòng nhập rồi gửi lại.")
        # Official words are shown as they are written: no parse_mode.
        result = _call(http, config, "sendMessage", {"chat_id": chat_id, "text": text}, hide=[text, chat_id])
        message_id = events.ident(result.get("message_id")) if isinstance(result, dict) else ""
        if not message_id:
            raise OutcomeUnknown("zalo_bot_no_message_id", UNCLEAR)
        return SendResult(f"{chat_id}:{message_id}", from_milliseconds(result.get("date")))

    def may_fetch(self, url: str, config: ZaloBotConfig) -> bool:
        """Whether media may be fetched from this address: Zalo's own hosts and those an operator added."""
        return is_media_address(url, config.extra_media_hosts)

    def wished(self, config: ZaloBotConfig) -> str:
        """How an operator wants events to come, or "" for what suits our address."""
        return config.receive

    def account_of(self, http: Http, config: ZaloBotConfig) -> Account:
        """Which bot the token opens. Raises SendError."""
        bot = _call(http, config, "getMe", {})
        bot_id = events.ident(bot.get("id")) if isinstance(bot, dict) else ""
        if not bot_id:
            raise OutcomeUnknown("zalo_bot_unclear", UNCLEAR)
        return Account(bot_id, printable(bot.get("account_name"), 64))

    def bring(self, http: Http, config: ZaloBotConfig, url: str) -> None:
        """Have events brought to this address, or none. Raises SendError."""
        if not url:
            _call(http, config, "deleteWebhook", {})
            return
        secret = config.webhook_secret.reveal()
        _call(http, config, "setWebhook", {"url": url, "secret_token": secret}, hide=[secret])

    def bringing(self, http: Http, config: ZaloBotConfig) -> Bringing:
        """Where events are brought now; nothing more is told. Raises SendError."""
        info = _call(http, config, "getWebhookInfo", {})
        if not isinstance(info, dict):
            raise OutcomeUnknown("zalo_bot_unclear", UNCLEAR)
        return Bringing(url=printable(info.get("url"), 500), waiting=0, kinds=())

    def fetch(self, http: Http, config: ZaloBotConfig, after: int | None, wait_seconds: int) -> Fetched:
        """Ask for events, waiting for the first. Raises SendError.

        The platform numbers no events and is told of none that we have them: what it hands over it gives up. `after`
        only marks what came last, so that the same answer again is noticed.
        """
        try:
            # Text in the document's table, a number in its example; clients in use send either.
            found = _call(http, config, "getUpdates", {"timeout": str(wait_seconds)})
        except OutcomeUnknown as error:
            if error.code == TIMED_OUT:  # how the platform says that nobody wrote meanwhile
                return Fetched((), after)
            raise
        if found is not None and not isinstance(found, dict | list):
            raise OutcomeUnknown("zalo_bot_unclear", UNCLEAR)
        several = found if isinstance(found, list) else [found]
        bodies = [
            _as_brought(one) for one in several if isinstance(one, dict) and ("event_name" in one or "message" in one)
        ]
        headers = {SECRET_HEADER: config.webhook_secret.reveal()}
        requests = tuple(WebhookRequest("POST", headers, body) for body in bodies)
        return Fetched(requests, _mark(bodies) if bodies else after)


_NO_IMAGES = "Bot Zalo không gửi được ảnh nên tin chưa gửi. Anh/Chị vui lòng bỏ ảnh rồi gửi lại lời."


def _as_brought(event: dict[str, Any]) -> bytes:
    try:
        return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a character, which only its escape can carry
        return json.dumps(event, separators=(",", ":")).encode()


def _mark(bodies: Iterable[bytes]) -> int:
    return int.from_bytes(hashlib.sha256(b"\n".join(bodies)).digest()[:6])


def _call(http: Http, config: ZaloBotConfig, method: str, fields: dict[str, Any], *, hide: Iterable[str] = ()) -> Any:
    url = config.method_url(method).reveal()
    answer = http.call("POST", url, json=fields, hide=[config.token.reveal(), *hide], told=tellable)
    return accepted(answer, is_to_person="chat_id" in fields)


def _chat_id(urn: str) -> str:
    scheme, _, rest = urn.partition(":")
    if scheme == "zalo_bot" and events.ident(rest):
        return rest
    raise MessageRefused(
        "not_a_zalo_bot_address",
        "Không có địa chỉ của người dân trên bot Zalo nên chưa gửi. Anh/Chị vui lòng gọi điện.",
    )
