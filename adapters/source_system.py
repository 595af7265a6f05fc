"""The provincial source information system (HTTTN): bulletins for loudspeakers and boards, and what they played.

One transport; what a province's system does differently is its profile (`adapters/source_profile`). It is asked, it
never calls: nothing comes in by its webhook address. What citizens write in its app is asked for too, and what they
are answered goes back to it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from adapters import _source_messages as messages
from adapters import _source_outgoing as outgoing
from adapters._source_config import SourceConfig, configured
from adapters._source_errors import refusal
from adapters._source_incoming import feedback_in, notices_in, parsed
from adapters._source_reading import at, cluster, play_log, read_code_long, rows_at
from adapters._source_types import Wire, read_code
from adapters.base import Limits
from adapters.errors import (
    BadSignature,
    ChannelRefused,
    MessageRefused,
    OutcomeUnknown,
    TemporarilyRefused,
    TokenRejected,
)
from adapters.exchange import (
    ANSWERS,
    FEEDBACK,
    FEEDBACK_SCHEME,
    NOTICES,
    STATES,
    STATISTICS,
    Feedbacks,
    Notices,
    Statistics,
)
from adapters.http import Answer, Http
from adapters.loudspeakers import Bulletin, Cluster, PlayLogs, Session
from adapters.messages import Envelope, Event, OutboundMessage, SendResult, WebhookRequest
from adapters.secret import Secret
from adapters.text import printable

KEY_HEADER = "Idempotency-Key"
LONGEST_SESSION = 86_400


class SourceSystem:
    """The adapter of source information systems; holds no state."""

    type: ClassVar[str] = "source_system"
    limits: ClassVar[Limits] = Limits(
        text=5_000,
        text_units="codepoints",
        image_bytes=0,
        image_types=(),
        window_hours=None,
        free_window_hours=None,
        default_rate=2.0,
        tells_followers=False,
    )
    secret_fields: ClassVar[tuple[str, ...]] = ("password",)
    config_fields: ClassVar[tuple[str, ...]] = (
        "base_url", "username", "profile", "source_id", "source_name", "area_id", "area_name", "is_sandbox",
    )  # fmt: skip

    def config(self, settings: dict[str, Any], secrets: dict[str, str]) -> SourceConfig:
        """Build the typed configuration; ValueError names every missing or malformed field."""
        return configured(settings, secrets)

    def standing_token(self, config: SourceConfig) -> Secret:
        """What opens the account again and again: its password, for which each session has a token of its own."""
        return config.password

    def admit(self, request: WebhookRequest, config: SourceConfig) -> Envelope:  # noqa: ARG002
        """Nobody calls us: the system is asked. Raises DoorError."""
        raise BadSignature("never_calls")

    def parse(self, body: bytes) -> tuple[Event, ...]:
        """Turn a kept feedback into our words; total."""
        return parsed(body)

    def send(self, http: Http, config: SourceConfig, token: Secret, message: OutboundMessage) -> SendResult:  # noqa: ARG002
        """Answer who wrote in the system's app. Raises SendError; MessageRefused for any other address."""
        scheme, _, ref = message.urn.partition(":")
        if scheme != FEEDBACK_SCHEME or not ref or not self.offers(config, ANSWERS):
            raise MessageRefused(
                "no_citizens", "Hệ thống thông tin nguồn không gửi được tới người này. Vui lòng gọi điện."
            )
        if not message.text.strip():
            raise MessageRefused("empty", "Tin không có nội dung nên chưa gửi. Vui lòng nhập nội dung rồi gửi lại.")
        now = datetime.now(UTC)
        key = f"HC.{message.id}"
        body = outgoing.answer_body(config, ref, key, message.text, now)
        try:
            _post(http, config, self.log_in(http, config).token, config.profile.exchange[ANSWERS], key, body)
        except TokenRejected as error:  # a session that was just opened: another one is had at the next try
            raise TemporarilyRefused(error.code, error.shown, tries=40) from None
        return SendResult(key, now)

    def may_fetch(self, url: str, config: SourceConfig) -> bool:
        """Photos of feedback, from the system itself or where its profile says."""
        try:
            wanted, own = urlsplit(url), urlsplit(config.base_url)
        except ValueError:
            return False
        if wanted.scheme == own.scheme and wanted.netloc == own.netloc:
            return True
        return wanted.scheme == "https" and wanted.hostname in config.profile.photo_hosts

    def knows_keys(self, config: SourceConfig) -> bool:
        """Whether the system recognises a key, so that handing over again changes nothing."""
        return config.profile.is_repeatable

    def log_in(self, http: Http, config: SourceConfig) -> Session:
        """Open the account. Raises SendError; ChannelRefused when name or password are not accepted."""
        body = {"Username": config.username, "Password": config.password.reveal()}
        hide = [config.password.reveal(), config.username]
        try:
            answer = http.call(
                "POST", config.base_url + config.profile.paths["login"], json=body, hide=hide, told=_told(config)
            )
            said = _accepted(config, answer)
        except OutcomeUnknown as error:
            raise TemporarilyRefused(error.code, tries=40) from None
        except (MessageRefused, TokenRejected) as error:
            raise refusal("account", error.code.removeprefix("source_"), may_repeat=False) from None
        token = at(said, config.profile.token_at)
        if not isinstance(token, str) or not 0 < len(token) <= 4_000 or not token.isascii() or not token.isprintable():
            raise ChannelRefused("source_no_token", refusal("account", "", may_repeat=False).shown)
        return Session(Secret(token), _seconds(at(said, config.profile.token_seconds_at)))

    def hand_over(self, http: Http, config: SourceConfig, token: Secret, bulletin: Bulletin) -> None:
        """Give a bulletin to it; an emergency is played at once. Raises SendError."""
        _post(
            http,
            config,
            token,
            config.profile.paths["bulletin"],
            bulletin.key,
            messages.bulletin_body(config, bulletin),
        )

    def schedule(self, http: Http, config: SourceConfig, token: Secret, bulletin: Bulletin) -> None:
        """Say when a bulletin that was handed over is to be played. Raises SendError."""
        _post(
            http,
            config,
            token,
            config.profile.paths["schedule"],
            bulletin.key,
            messages.schedule_body(config, bulletin),
        )

    def show(self, http: Http, config: SourceConfig, token: Secret, bulletin: Bulletin) -> None:
        """Have the boards show it. Raises SendError."""
        body = messages.board_body(config, bulletin)
        _post(http, config, token, config.profile.paths["board"], bulletin.key, body)

    def cancel(self, http: Http, config: SourceConfig, token: Secret, bulletin: Bulletin, reason: str) -> None:
        """Have it played and shown no more. Raises SendError."""
        _post(
            http,
            config,
            token,
            config.profile.paths["cancel"],
            bulletin.key,
            messages.cancel_body(config, bulletin, reason),
        )

    def play_logs(self, http: Http, config: SourceConfig, token: Secret, after: str) -> PlayLogs:
        """What was played and shown since. Raises SendError."""
        said = _asked(http, config, token, config.profile.paths["logs"], after)
        rows = rows_at(said, config.profile.logs_at)
        found = [play_log(Wire(config.profile), row) for row in rows]
        logs = tuple(log for log in found if log is not None)
        following = read_code_long(at(said, config.profile.after_at))
        is_all = not rows or not following or following == after
        return PlayLogs(logs, following or after, is_all, unread=len(found) - len(logs))

    def clusters(self, http: Http, config: SourceConfig, token: Secret) -> tuple[Cluster, ...]:
        """The clusters of the commune, each as it last told of itself. Raises SendError."""
        rows = rows_at(_asked(http, config, token, config.profile.paths["clusters"], ""), config.profile.clusters_at)
        found = {one.id: one for row in rows if (one := cluster(Wire(config.profile), row)) is not None}
        return tuple(found.values())

    def offers(self, config: SourceConfig, what: str) -> bool:
        """Whether this system does that at all, by its profile."""
        return what in config.profile.exchange

    def notices(self, http: Http, config: SourceConfig, token: Secret, after: str) -> Notices:
        """Bulletins from above since. Raises SendError."""
        return notices_in(config, _asked(http, config, token, config.profile.exchange[NOTICES], after), after)

    def feedback(self, http: Http, config: SourceConfig, token: Secret, after: str) -> Feedbacks:
        """What citizens wrote in the app since. Raises SendError."""
        return feedback_in(config, _asked(http, config, token, config.profile.exchange[FEEDBACK], after), after)

    def tell_state(self, http: Http, config: SourceConfig, token: Secret, ref: str, state: str, code: str) -> None:
        """Say how a feedback stands. Raises SendError."""
        body = outgoing.state_body(config, ref, state, code)
        _post(http, config, token, config.profile.exchange[STATES], f"HC.{ref}.{state}", body)

    def hand_in(self, http: Http, config: SourceConfig, token: Secret, statistics: Statistics) -> str:
        """Hand a month's figures in; gives what the system says to it. Raises SendError."""
        body, path = outgoing.statistics_body(config, statistics), config.profile.exchange[STATISTICS]
        said = at(_post(http, config, token, path, statistics.key, body), config.profile.receipt_at)
        return printable(said, 200).strip() if isinstance(said, str) else ""


def _post(http: Http, config: SourceConfig, token: Secret, path: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {**_proof(token), KEY_HEADER: key}
    try:
        answer = http.call("POST", config.base_url + path, headers=headers, json=body, told=_told(config))
    except OutcomeUnknown as error:
        raise refusal("unknown", error.code, may_repeat=config.profile.is_repeatable) from None
    return _accepted(config, answer)


def _asked(http: Http, config: SourceConfig, token: Secret, path: str, after: str) -> dict[str, Any]:
    """What follows `after`. Asking twice is no harm, so an answer that did not come is one to ask for again."""
    query = f"?sau={quote(after, safe='')}" if after else ""
    try:
        answer = http.call("GET", config.base_url + path + query, headers=_proof(token), told=_told(config))
        return _accepted(config, answer)
    except OutcomeUnknown as error:
        raise TemporarilyRefused(error.code, tries=40) from None


def _proof(token: Secret) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.reveal()}"}


def _accepted(config: SourceConfig, answer: Answer) -> dict[str, Any]:
    """What was said, when it is a yes. Raises SendError otherwise."""
    profile, said = config.profile, answer.json()
    is_object = isinstance(said, dict)
    code = read_code(at(said, profile.ok_at)) if is_object else ""
    if answer.is_success and is_object and code in profile.ok_values:
        return dict(said)
    meaning = _meaning(config, answer, code)
    if meaning in {"repeated", "gone"}:  # it has this key already, or nothing left to cancel: as it should be
        return dict(said) if is_object else {}
    raise refusal(
        meaning, code or str(answer.status), may_repeat=profile.is_repeatable, wait=_wait(answer)
    )  # fmt: skip


def _meaning(config: SourceConfig, answer: Answer, code: str) -> str:
    profile = config.profile
    if code in profile.says:
        return profile.says[code]
    if str(answer.status) in profile.statuses:
        return profile.statuses[str(answer.status)]
    if answer.status == 401:
        return "token"
    if answer.is_success and not code:
        return "unknown"  # a yes that cannot be read
    return "unknown" if answer.status >= 500 else "refused"


def _wait(answer: Answer) -> float | None:
    asked = answer.headers.get("retry-after", "")
    return float(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else None


def _seconds(value: object) -> int | None:
    told = read_code(value)
    return min(int(told), LONGEST_SESSION) if told.isascii() and told.isdecimal() and len(told) < 10 else None


def _told(config: SourceConfig) -> Callable[[bytes], str]:
    """Of an answer only its code is recorded: a login's holds the token, a log's what was read out."""

    def told(body: bytes) -> str:
        return f"{config.profile.ok_at}={read_code(at(Answer(0, {}, body).json(), config.profile.ok_at))}"

    return told
