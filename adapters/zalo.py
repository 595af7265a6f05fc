"""The Zalo Official Account channel: signed webhooks in, consultation messages out, tokens that are spent once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import Any, ClassVar
from urllib.parse import urlencode

import httpx

from adapters import _zalo_articles as articles
from adapters import _zalo_events as events
from adapters import _zalo_history as history
from adapters import _zalo_templates as templates
from adapters._zalo_api import NOT_SENT, accepted, error_code, flat, headers, posted, text_of
from adapters._zalo_config import ZaloConfig, configured
from adapters._zalo_errors import BLOCKED_CODES, needs_consent
from adapters._zalo_media import is_media_address
from adapters.base import ApprovedForm, Chat, Clock, Heard, Limits, Listed, Story
from adapters.errors import (
    BadSignature,
    ForeignPayload,
    MessageRefused,
    OutcomeUnknown,
    TemporarilyRefused,
    TokenRefreshFailed,
)
from adapters.http import Http
from adapters.messages import (
    Envelope,
    Event,
    OutboundImage,
    OutboundMessage,
    SendResult,
    Tokens,
    WebhookRequest,
)
from adapters.secret import Secret
from adapters.text import printable

__all__ = ["Zalo", "ZaloConfig", "code_challenge"]

TOKEN_LIFE_SECONDS = 90_000

_SIGNATURE = re.compile(r"\s*(?:mac\s*=\s*)?([0-9a-f]{64})\s*", re.IGNORECASE | re.ASCII)
_IMAGE_ENDINGS = {b"\xff\xd8\xff": ("jpg", "image/jpeg"), b"\x89PNG\r\n\x1a\n": ("png", "image/png")}


class Zalo:
    """The adapter of Zalo Official Accounts; holds no state."""

    type: ClassVar[str] = "zalo"
    limits: ClassVar[Limits] = Limits(
        # 2,000 "characters" of an unpublished unit, 7 days and 48 hours of unpublished boundary: stay inside.
        text=1_900,
        text_units="utf16",
        image_bytes=1_000_000,
        image_types=("image/jpeg", "image/png"),
        window_hours=166.0,
        free_window_hours=47.0,
        default_rate=10.0,
    )
    secret_fields: ClassVar[tuple[str, ...]] = ("app_secret", "oa_secret", "previous_oa_secret")
    config_fields: ClassVar[tuple[str, ...]] = (
        "app_id",
        "oa_id",
        "signature_mode",
        "api_base",
        "oauth_base",
        "file_key",
        "extra_media_hosts",
        "is_sandbox",
        "appsecret_proof",
        "zbs_base",
        "paid_replies",
        "article_cover",
        "broadcasts_a_month",
        "template_id",
        "template_by",
        "template_text",
        "template_fields",
    )
    blocked_codes: ClassVar[frozenset[str]] = BLOCKED_CODES
    upload_days: ClassVar[float] = 6.0  # Zalo says seven

    def config(self, settings: dict[str, Any], secrets: dict[str, str]) -> ZaloConfig:
        """Build the typed configuration; ValueError names every missing or malformed field."""
        return configured(settings, secrets)

    def admit(self, request: WebhookRequest, config: ZaloConfig) -> Envelope:
        """Verify a webhook request and read just enough to store it. Raises DoorError."""
        body = request.body
        data = events.decoded(body)
        matched = _matching_secret(request, data.get("timestamp"), config)
        if data.get("app_id") not in (None, config.app_id):
            raise ForeignPayload("other_app")
        name, message = events.name_of(data), events.part(data, "message")
        account, urn = events.parties(name, data, message)
        # Signed for our app without naming an account: it stays with the channel at whose address it arrived.
        account = account or config.oa_id
        return Envelope(
            account=account,
            event_name=name,
            key=events.key_of(name, data, message, body),
            conversation=urn or account,
            occurred_at=events.instant(data.get("timestamp")) or datetime.now(UTC),
            is_probe=events.is_probe(name, message),
            matched_secret=matched,
        )

    def parse(self, body: bytes) -> tuple[Event, ...]:
        """Turn a stored body into our words; total."""
        return events.parse(body)

    def send(self, http: Http, config: ZaloConfig, token: Secret, message: OutboundMessage) -> SendResult:
        """Hand one message part to Zalo. Raises SendError."""
        if message.template is not None:
            return templates.send(http, config, token, message)
        path, recipient = _address(message.urn)
        content: dict[str, Any] = {}
        if text := printable(message.text, len(message.text)):
            content["text"] = text
        if message.image is not None:
            upload_id = message.image.upload_id or self.upload(http, config, token, message.image)
            content["attachment"] = _media_template(upload_id)
        if not content:
            raise MessageRefused("empty", "Tin không có nội dung nên chưa gửi. Vui lòng nhập nội dung rồi gửi lại.")
        if message.quoted_external_id:
            content["quote_message_id"] = message.quoted_external_id
        try:
            return posted(http, config, token, path, {"recipient": recipient, "message": content})
        except MessageRefused as error:
            # Zalo refuses to quote some messages and does not say that the quote is why.
            if error.code != "zalo_-201" or content.pop("quote_message_id", None) is None:
                raise
        return posted(http, config, token, path, {"recipient": recipient, "message": content})

    def upload(self, http: Http, config: ZaloConfig, token: Secret, image: OutboundImage) -> str:
        """Hand over a picture; its id, good for seven days. Raises SendError."""
        return _upload(http, config, token, image)

    def refresh(self, http: Http, config: ZaloConfig, refresh_token: Secret) -> Tokens:
        """Spend a refresh token for a new pair. Raises TokenRefreshFailed."""
        form = {
            "refresh_token": refresh_token.reveal(),
            "app_id": config.app_id,
            "grant_type": "refresh_token",
        }
        return _fresh_tokens(http, config, form)

    def exchange_code(self, http: Http, config: ZaloConfig, code: str, verifier: str) -> Tokens:
        """Turn the code of an administrator's consent into the first pair. Raises TokenRefreshFailed."""
        form = {
            "code": code,
            "app_id": config.app_id,
            "grant_type": "authorization_code",
            "code_verifier": verifier,
        }
        return _fresh_tokens(http, config, form)

    def authorise_url(self, config: ZaloConfig, redirect_uri: str, challenge: str, state: str) -> str:
        """Where an administrator of the account grants the app permission; `challenge` from `code_challenge`."""
        query = {"app_id": config.app_id, "redirect_uri": redirect_uri, "code_challenge": challenge, "state": state}
        return f"{config.oauth_base}/v4/oa/permission?{urlencode(query)}"

    def health(self, http: Http, config: ZaloConfig, token: Secret) -> dict[str, str]:
        """The account as it presents itself: proof that settings and token work. Raises SendError."""
        return flat(accepted(http.call("GET", f"{config.api_base}/v2.0/oa/getoa", headers=headers(config, token))))

    def recent_chats(self, http: Http, config: ZaloConfig, token: Secret, offset: int) -> Listed[Chat]:
        """Who was in touch lately, the latest first. Raises SendError."""
        return history.recent_chats(http, config, token, offset)

    def said_in(self, http: Http, config: ZaloConfig, token: Secret, urn: str, offset: int) -> Listed[Heard]:
        """What was said with a citizen, the latest first. Raises SendError."""
        return history.said_in(http, config, token, urn, offset)

    def clock_of(self, http: Http, config: ZaloConfig, token: Secret, urn: str) -> Clock:
        """When this citizen was last there, by Zalo's own count. Raises SendError."""
        return templates.clock_of(http, config, token, urn)

    def paid_replies(self, config: ZaloConfig) -> str:
        """Whether we pay for a reply: "ask", "always" or "never"."""
        return config.paid_replies

    def form(self, config: ZaloConfig) -> ApprovedForm | None:
        """The approved message that the commune has, if it has one."""
        return config.template

    def broadcasts_a_month(self, config: ZaloConfig) -> int:
        """How many articles a follower may be sent in a month."""
        return config.broadcasts_a_month

    def create_story(self, http: Http, config: ZaloConfig, token: Secret, story: Story) -> str:
        """Hand an article over; nobody sees it yet. Raises SendError."""
        return articles.create(http, config, token, story)

    def story_id(self, http: Http, config: ZaloConfig, token: Secret, handle: str) -> str | None:
        """The article's id, None while Zalo still works on it. Raises SendError."""
        return articles.ready_id(http, config, token, handle)

    def publish(self, http: Http, config: ZaloConfig, token: Secret, story_id: str) -> SendResult:
        """Have an article sent to all followers. Raises SendError."""
        return articles.broadcast(http, config, token, story_id)

    def may_fetch(self, url: str, config: ZaloConfig) -> bool:
        """Whether media may be fetched from this address: Zalo's own hosts and those an operator added."""
        return is_media_address(url, config.extra_media_hosts)


def code_challenge(verifier: str) -> str:
    """The PKCE challenge of a verifier: SHA-256, base64url, no padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _matching_secret(request: WebhookRequest, timestamp: object, config: ZaloConfig) -> str:
    found = _SIGNATURE.fullmatch(request.headers.get("x-zevent-signature") or "")
    if found is None or not isinstance(timestamp, str) or not timestamp.isascii() or not timestamp:
        raise BadSignature("unsigned")
    given = found[1].lower()
    # Zalo's formula is a plain hash of the four parts in this order, not an HMAC.
    begun = hashlib.sha256(config.app_id.encode() + request.body + timestamp.encode())
    for name, secret in (("current", config.oa_secret), ("previous", config.previous_oa_secret)):
        if secret:
            mac = begun.copy()
            mac.update(secret.reveal().encode())
            if hmac.compare_digest(mac.hexdigest(), given):
                return name
    raise BadSignature("forged")


def _address(urn: str) -> tuple[str, dict[str, str]]:
    scheme, _, rest = urn.partition(":")
    if scheme == "zalo" and rest:
        return "/v3.0/oa/message/cs", {"user_id": rest}
    guest, _, conversation = rest.partition("/")
    if scheme == "zalo-guest" and guest and conversation:
        return "/v2.0/oa/message", {"anonymous_id": guest, "conversation_id": conversation}
    raise MessageRefused(
        "not_a_zalo_address", "Không có địa chỉ Zalo đầy đủ của người dân nên chưa gửi. Vui lòng gọi điện."
    )


def _media_template(attachment_id: str) -> dict[str, Any]:
    element = {"media_type": "image", "attachment_id": attachment_id}
    return {"type": "template", "payload": {"template_type": "media", "elements": [element]}}


def _upload(http: Http, config: ZaloConfig, token: Secret, image: OutboundImage) -> str:
    endings = [known for mark, known in _IMAGE_ENDINGS.items() if image.data.startswith(mark)]
    if not endings:
        raise MessageRefused("image_type", "Zalo chỉ nhận ảnh JPG hoặc PNG nên chưa gửi. Vui lòng chọn ảnh khác.")
    if len(image.data) > Zalo.limits.image_bytes:
        raise MessageRefused("image_too_large", "Ảnh lớn hơn 1 MB nên Zalo không nhận. Vui lòng chọn ảnh nhỏ hơn.")
    # Zalo goes by the ending: with a missing or false one it reports success and keeps nothing.
    ending, mime = endings[0]
    name = f"{re.sub(r'[^0-9A-Za-z_-]+', '-', PurePath(image.name).stem)[:80] or 'anh'}.{ending}"
    url = f"{config.api_base}/v2.0/oa/upload/image"
    try:
        data = accepted(http.call("POST", url, headers=headers(config, token), file=(name, image.data, mime)))
    except OutcomeUnknown:
        # Whatever became of the picture, no citizen was sent anything.
        raise TemporarilyRefused("zalo_upload_unclear", NOT_SENT, tries=5) from None
    attachment_id = text_of(data.get("attachment_id"), 500)
    if not attachment_id:
        raise MessageRefused("zalo_upload_empty", "Zalo không giữ lại ảnh kèm theo. Vui lòng gửi lại với ảnh khác.")
    return attachment_id


def _fresh_tokens(http: Http, config: ZaloConfig, form: dict[str, str]) -> Tokens:
    url = f"{config.oauth_base}/v4/oa/access_token"
    try:
        answer = http.call("POST", url, headers={"secret_key": config.app_secret.reveal()}, form=form)
    except (TemporarilyRefused, OutcomeUnknown) as error:
        raise TokenRefreshFailed(f"zalo_oauth_{error.code}", _TRY_LATER, needs_consent=False) from None
    reply = answer.json()
    if answer.status == httpx.codes.TOO_MANY_REQUESTS or answer.status >= 500 or 300 <= answer.status < 400:
        raise TokenRefreshFailed(f"zalo_oauth_http_{answer.status}", _TRY_LATER, needs_consent=False)
    if not isinstance(reply, dict):
        if answer.is_success:
            raise TokenRefreshFailed("zalo_oauth_unclear", _TRY_LATER, needs_consent=False)
        raise needs_consent(None)
    # Refusals come with HTTP 200 as well: only two tokens are a success.
    access, refresh = text_of(reply.get("access_token"), 4_000), text_of(reply.get("refresh_token"), 4_000)
    if not access or not refresh:
        raise needs_consent(error_code(reply) or None)
    return Tokens(access, refresh, datetime.now(UTC) + timedelta(seconds=_life(reply.get("expires_in"))))


def _life(expires_in: object) -> int:
    text = text_of(expires_in, 9)
    seconds = int(text) if text.isascii() and text.isdecimal() else 0
    return seconds if seconds > 0 else TOKEN_LIFE_SECONDS


_TRY_LATER = "Chưa làm mới được quyền truy cập Zalo. Hệ thống sẽ tự thử lại."
