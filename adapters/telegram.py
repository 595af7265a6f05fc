"""The Telegram channel: one bot of a commune, updates in by webhook or by asking, messages with buttons out."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from adapters import _telegram_events as events
from adapters._telegram_config import TelegramConfig, configured
from adapters._telegram_errors import TOO_BIG, UNCLEAR, accepted, tellable
from adapters.base import Account, Bringing, Fetched, Limits, MediaSource
from adapters.bodies import as_object
from adapters.errors import BadSignature, ForeignPayload, MessageRefused, OutcomeUnknown, SendError, UnreadablePayload
from adapters.http import Http, media_missing
from adapters.messages import Envelope, Event, OutboundImage, OutboundMessage, SendResult, WebhookRequest
from adapters.secret import Secret
from adapters.text import length, printable

__all__ = ["Telegram", "TelegramConfig"]

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - the header's name
FETCHED_AT_ONCE = 100
CONNECTIONS = 40
_LABEL_BYTES = 64
_SHORT_LABEL = 18
_IMAGES = {b"\xff\xd8\xff": ("anh.jpg", "image/jpeg"), b"\x89PNG\r\n\x1a\n": ("anh.png", "image/png")}


class Telegram:
    """The adapter of Telegram bots; holds no state."""

    type: ClassVar[str] = "telegram"
    limits: ClassVar[Limits] = Limits(
        text=4_096,
        text_units="utf16",
        image_bytes=10_000_000,
        image_types=("image/jpeg", "image/png"),
        window_hours=None,
        free_window_hours=None,
        default_rate=25.0,
        buttons=8,
        caption=1_024,
        contact_seconds=1.0,
        shares=frozenset({"location", "contact"}),
    )
    secret_fields: ClassVar[tuple[str, ...]] = ("token", "webhook_secret")
    config_fields: ClassVar[tuple[str, ...]] = ("username", "api_base", "receive", "is_sandbox")
    event_kinds: ClassVar[tuple[str, ...]] = events.EVENT_KINDS
    picture_days: ClassVar[float] = 30.0  # Telegram names no end

    def config(self, settings: dict[str, Any], secrets: dict[str, str]) -> TelegramConfig:
        """Build the typed configuration; ValueError names every missing or malformed field."""
        return configured(settings, secrets)

    def standing_token(self, config: TelegramConfig) -> Secret:
        """The bot's token, which stands until somebody asks @BotFather for another."""
        return config.token

    def admit(self, request: WebhookRequest, config: TelegramConfig) -> Envelope:
        """Verify an update and read just enough to store it. Raises DoorError."""
        given = request.headers.get(SECRET_HEADER) or ""
        if not hmac.compare_digest(given.encode(), config.webhook_secret.reveal().encode()):
            raise BadSignature("forged" if given else "unsigned")
        data = as_object(request.body)
        update_id = events.number(data.get("update_id"))
        if update_id is None:
            raise UnreadablePayload("no_update_id")
        kind, chat = events.kind_of(data), events.chat_of(data)
        chat_id = events.number(chat.get("id"))
        if kind in events.EVENT_KINDS and chat_id is not None and chat.get("type") != "private":
            raise ForeignPayload("not_a_private_chat")  # what people say in groups is none of our business to keep
        return Envelope(
            account=config.account,
            event_name=kind,
            key=f"update:{update_id}",
            conversation=f"telegram:{chat_id}" if chat_id is not None else config.account,
            occurred_at=events.moment_of(data) or datetime.now(UTC),
        )

    def parse(self, body: bytes) -> tuple[Event, ...]:
        """Turn a stored update into our words; total."""
        return events.parse(body)

    def send(self, http: Http, config: TelegramConfig, token: Secret, message: OutboundMessage) -> SendResult:
        """Hand one message to Telegram, in one call, so that it has one outcome. Raises SendError."""
        config, chat_id = replace(config, token=token), _chat_id(message.urn)
        text = printable(message.text, len(message.text))
        fields: dict[str, Any] = {"chat_id": chat_id}
        if quoted := _message_id(message.quoted_external_id, chat_id):
            fields["reply_parameters"] = {"message_id": quoted, "allow_sending_without_reply": True}
        if markup := _markup(message):
            fields["reply_markup"] = markup
        hide = [text, str(chat_id)]
        if message.image is not None:
            fields |= _caption(text)
            if known := message.image.upload_id:
                result = _call(http, config, "sendPhoto", fields | {"photo": known}, hide=[*hide, known])
            else:
                result = _call(http, config, "sendPhoto", fields, picture=message.image, hide=hide)
        elif text.strip():
            # Official words are shown as they are written: no markup, no preview of what they link to.
            fields |= {"text": text, "link_preview_options": {"is_disabled": True}}
            result = _call(http, config, "sendMessage", fields, hide=hide)
        else:
            raise MessageRefused("empty", "Tin không có nội dung nên chưa gửi. Vui lòng nhập nội dung rồi gửi lại.")
        message_id = events.number(result.get("message_id")) if isinstance(result, dict) else None
        if message_id is None:
            raise OutcomeUnknown("telegram_no_message_id", UNCLEAR)
        name = events.picture_in(result) if message.image is not None else ""
        return SendResult(f"{chat_id}:{message_id}", events.instant(result.get("date")), upload_id=name)

    def may_fetch(self, url: str, config: TelegramConfig) -> bool:
        """Whether it is a file of this bot on the Bot API server; nothing else is ever fetched."""
        base = config.file_base.reveal()
        return url.startswith(base) and ".." not in url.removeprefix(base)

    def media_source(self, http: Http, config: TelegramConfig, reference: str) -> MediaSource:
        """Where a file's bytes are for the next hour. Raises MediaUnavailable."""
        if not reference.startswith(events.FILE):
            raise media_missing("not_allowed")
        try:
            found = _call(http, config, "getFile", {"file_id": reference.removeprefix(events.FILE)})
        except SendError as error:
            raise media_missing("too_large" if error.code == TOO_BIG else "unreachable") from None
        path = found.get("file_path") if isinstance(found, dict) else None
        if not isinstance(path, str) or not path or not path.isprintable() or len(path) > 500:
            raise media_missing("unreachable")
        return MediaSource(Secret(config.file_base.reveal() + path), is_operators=config.is_own_server)

    def tap_in(self, body: bytes) -> str | None:
        """The id of a tapped button that still turns its wheel."""
        try:
            tap = as_object(body).get("callback_query")
        except UnreadablePayload:
            return None
        tap_id = tap.get("id") if isinstance(tap, dict) else None
        return tap_id if isinstance(tap_id, str) and 0 < len(tap_id) <= 80 else None

    def answer_tap(self, http: Http, config: TelegramConfig, tap: str) -> None:
        """Let the button come to rest; too late a word is refused, and no harm is done. Raises SendError."""
        _call(http, config, "answerCallbackQuery", {"callback_query_id": tap})

    def wished(self, config: TelegramConfig) -> str:
        """How an operator wants updates to come, or "" for what suits our address."""
        return config.receive

    def account_of(self, http: Http, config: TelegramConfig) -> Account:
        """Which bot the token opens. Raises SendError."""
        bot = _call(http, config, "getMe", {})
        bot_id = events.number(bot.get("id")) if isinstance(bot, dict) else None
        if bot_id is None:
            raise OutcomeUnknown("telegram_unclear", UNCLEAR)
        return Account(str(bot_id), printable(bot.get("username"), 64))

    def bring(self, http: Http, config: TelegramConfig, url: str) -> None:
        """Have updates brought to this address, or none. Raises SendError."""
        if not url:
            _call(http, config, "deleteWebhook", {"drop_pending_updates": False})
            return
        fields = {
            "url": url,
            "secret_token": config.webhook_secret.reveal(),
            "allowed_updates": list(events.EVENT_KINDS),
            "max_connections": CONNECTIONS,
        }
        _call(http, config, "setWebhook", fields, hide=[config.webhook_secret.reveal()])

    def bringing(self, http: Http, config: TelegramConfig) -> Bringing:
        """Where updates are brought now. Raises SendError."""
        info = _call(http, config, "getWebhookInfo", {})
        if not isinstance(info, dict):
            raise OutcomeUnknown("telegram_unclear", UNCLEAR)
        kinds = info.get("allowed_updates")
        return Bringing(
            url=printable(info.get("url"), 500),
            waiting=events.number(info.get("pending_update_count")) or 0,
            kinds=tuple(printable(kind, 40) for kind in kinds) if isinstance(kinds, list) else (),
            failed_at=events.instant(info.get("last_error_date")),
            failure=printable(info.get("last_error_message"), 200),
        )

    def fetch(self, http: Http, config: TelegramConfig, after: int | None, wait_seconds: int) -> Fetched:
        """Ask for updates, waiting for the first; `after` gives those up to it up. Raises SendError."""
        fields: dict[str, Any] = {
            "timeout": wait_seconds,
            "limit": FETCHED_AT_ONCE,
            "allowed_updates": list(events.EVENT_KINDS),
        }
        if after is not None:
            fields["offset"] = after + 1
        updates = _call(http, config, "getUpdates", fields)
        if not isinstance(updates, list):
            raise OutcomeUnknown("telegram_unclear", UNCLEAR)
        headers = {SECRET_HEADER: config.webhook_secret.reveal()}
        requests = [WebhookRequest("POST", headers, _as_brought(one)) for one in updates]
        numbers = [events.number(one.get("update_id")) for one in updates if isinstance(one, dict)]
        return Fetched(tuple(requests), max((n for n in numbers if n is not None), default=after))


def _as_brought(update: object) -> bytes:
    try:
        return json.dumps(update, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a character, which only its escape can carry
        return json.dumps(update, separators=(",", ":")).encode()


def _call(
    http: Http,
    config: TelegramConfig,
    method: str,
    fields: dict[str, Any],
    *,
    picture: OutboundImage | None = None,
    hide: Iterable[str] = (),
) -> Any:
    url = config.method_url(method).reveal()
    hide = [config.token.reveal(), *hide]
    if picture is None:
        return accepted(http.call("POST", url, json=fields, hide=hide, told=tellable))
    name, mime = _picture_type(picture)
    form = {key: value if isinstance(value, str) else json.dumps(value) for key, value in fields.items()}
    file = (name, picture.data, mime)
    return accepted(http.call("POST", url, form=form, file=file, file_field="photo", hide=hide, told=tellable))


def _picture_type(picture: OutboundImage) -> tuple[str, str]:
    found = [known for mark, known in _IMAGES.items() if picture.data.startswith(mark)]
    if not found:
        raise MessageRefused("image_type", "Telegram chỉ nhận ảnh JPG hoặc PNG nên chưa gửi. Vui lòng chọn ảnh khác.")
    if len(picture.data) > Telegram.limits.image_bytes:
        raise MessageRefused("image_too_large", "Ảnh lớn hơn 10 MB nên Telegram không nhận. Vui lòng chọn ảnh nhỏ hơn.")
    return found[0]


def _caption(text: str) -> dict[str, str]:
    most = Telegram.limits.caption or 0
    if length(text, Telegram.limits.text_units) > most:
        raise MessageRefused("caption_too_long", "Lời kèm ảnh quá dài nên chưa gửi. Vui lòng rút ngắn rồi gửi lại.")
    return {"caption": text} if text else {}


def _markup(message: OutboundMessage) -> dict[str, Any]:
    """What stands below a message: a keyboard whose first key hands over what is asked for, or buttons, or nothing."""
    if message.asks in Telegram.limits.shares and message.choices:
        first, *others = message.choices
        keys = [[{"text": first, f"request_{message.asks}": True}]]
        if others:
            keys.append([{"text": label} for label in others])
        return {"keyboard": keys, "resize_keyboard": True, "one_time_keyboard": True}
    if message.choices:
        return {"inline_keyboard": _keyboard(message.choices)}
    return {"remove_keyboard": True} if message.asks == "done" else {}


def _keyboard(choices: tuple[str, ...]) -> list[list[dict[str, str]]]:
    """Buttons, two in a row where both are short. A label that is too long for its data is looked up when tapped."""
    buttons = []
    for place, label in enumerate(choices):
        fits = len(label.encode()) <= _LABEL_BYTES and not label.startswith(events.LOOKED_UP)
        buttons.append({"text": label, "callback_data": label if fits else f"{events.LOOKED_UP}{place}"})
    rows: list[list[dict[str, str]]] = []
    for button in buttons:
        beside = rows[-1] if rows and len(rows[-1]) == 1 else None
        if beside and max(len(beside[0]["text"]), len(button["text"])) <= _SHORT_LABEL:
            beside.append(button)
        else:
            rows.append([button])
    return rows


def _chat_id(urn: str) -> int:
    scheme, _, rest = urn.partition(":")
    if scheme == "telegram" and rest.isascii() and rest.isdecimal() and len(rest) <= 16:
        return int(rest)
    raise MessageRefused(
        "not_a_telegram_address", "Không có địa chỉ Telegram của người dân nên chưa gửi. Vui lòng gọi điện."
    )


def _message_id(external_id: str | None, chat_id: int) -> int | None:
    """The number of a message in this chat that can be quoted; a tap is none."""
    chat, _, rest = (external_id or "").partition(":")
    number = rest.partition(":")[0]  # of an edited message the one it edits
    return int(number) if chat == str(chat_id) and number.isascii() and number.isdecimal() else None
