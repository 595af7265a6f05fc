"""What every channel adapter offers: a table of limits and four functions over plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol, runtime_checkable

from adapters.http import Http
from adapters.messages import Envelope, Event, MessagePart, OutboundMessage, SendResult, Tokens, WebhookRequest
from adapters.secret import Secret


@dataclass(frozen=True)
class Limits:
    """What the channel can carry. `text_units` says what a character is there: "utf16" or "codepoints".

    `buttons`: how many answers it can show under a message; 0: they are told as numbered words. `is_sms`: every message
    is paid for and has 160 unaccented characters. `caption`: how much text goes with a picture, if less than `text`.
    `contact_seconds`: how long to wait between two messages to one citizen. `tells_followers`: whether it says who
    begins to follow; where it does not, the wish for news is the consent.
    """

    text: int
    text_units: str
    image_bytes: int
    image_types: tuple[str, ...]
    window_hours: float | None
    free_window_hours: float | None
    default_rate: float
    buttons: int = 0
    is_sms: bool = False
    caption: int | None = None
    contact_seconds: float = 0.0
    tells_followers: bool = True


@dataclass(frozen=True)
class Accepts:
    """Which requests of a channel the door reads at all; `has_path`: more may follow the channel's own address."""

    methods: frozenset[str] = frozenset({"POST"})
    types: tuple[str, ...] = ("json",)
    has_path: bool = False


class Adapter(Protocol):
    """One type of channel: wire format on one side, our words on the other. Adapters hold no state."""

    type: ClassVar[str]
    limits: ClassVar[Limits]
    secret_fields: ClassVar[tuple[str, ...]]
    config_fields: ClassVar[tuple[str, ...]]

    def config(self, settings: dict[str, Any], secrets: dict[str, str]) -> Any:
        """Build the adapter's typed configuration; ValueError names every missing or malformed field."""

    def admit(self, request: WebhookRequest, config: Any) -> Envelope:
        """Verify a webhook request and read just enough to store it. Raises DoorError."""

    def parse(self, body: bytes) -> tuple[Event, ...]:
        """Turn a stored body into our words; total: unknown shapes become `Ignored`, never an exception."""

    def send(self, http: Http, config: Any, token: Secret, message: OutboundMessage) -> SendResult:
        """Hand one message part to the channel. Raises SendError."""

    def may_fetch(self, url: str, config: Any) -> bool:
        """Whether media may be fetched from this address for this channel."""


@runtime_checkable
class StandingToken(Protocol):
    """An adapter whose account is opened by a token that stands in its secrets and does not run out.

    Its `send` never raises TokenRejected, which asks for a newer token, but ChannelRefused.
    """

    def standing_token(self, config: Any) -> Secret:
        """The token."""


@dataclass(frozen=True)
class MediaSource:
    """Where an attachment's bytes are for the next minutes; the address may hold a token, so it is shown to nobody.

    `is_operators`: the server is one that an operator has set, so it may stand inside our own network.
    """

    url: Secret
    is_operators: bool = False


@runtime_checkable
class ResolvesMedia(Protocol):
    """An adapter whose attachments carry a reference, for which the channel must be asked where the bytes are."""

    def media_source(self, http: Http, config: Any, reference: str) -> MediaSource:
        """Where the bytes are just now. Raises MediaUnavailable."""


@runtime_checkable
class AnswersTaps(Protocol):
    """An adapter whose buttons show that they wait until the channel is told that the tap was heard."""

    def tap_in(self, body: bytes) -> str | None:
        """The id of the tap in a stored body, if it is one."""

    def answer_tap(self, http: Http, config: Any, tap: str) -> None:
        """Let the button come to rest. Raises SendError, which nobody need mind."""


@dataclass(frozen=True)
class Account:
    """Whose account a token opens, by the channel's own word."""

    id: str
    name: str


@dataclass(frozen=True)
class Bringing:
    """Where a channel says it brings events; `url` is empty when it waits to be asked for them."""

    url: str
    waiting: int
    kinds: tuple[str, ...]
    failed_at: datetime | None = None
    failure: str = ""


@dataclass(frozen=True)
class Fetched:
    """Events that a channel gave when asked, each as it would have been brought; `after` asks for those that follow."""

    requests: tuple[WebhookRequest, ...]
    after: int | None


@runtime_checkable
class Fetching(Protocol):
    """An adapter that can be asked for events and tells the channel itself where else to bring them."""

    event_kinds: ClassVar[tuple[str, ...]]

    def wished(self, config: Any) -> str:
        """How an operator wants events to come: "webhook", "polling", or "" for what suits our address."""

    def account_of(self, http: Http, config: Any) -> Account:
        """Whose token it is. Raises SendError."""

    def bring(self, http: Http, config: Any, url: str) -> None:
        """Have events brought to this address; to none: they wait to be asked for. Raises SendError."""

    def bringing(self, http: Http, config: Any) -> Bringing:
        """Where events are brought now. Raises SendError."""

    def fetch(self, http: Http, config: Any, after: int | None, wait_seconds: int) -> Fetched:
        """Ask for events, waiting for the first; asking with `after` gives up those before it.

        Raises SendError; AskedElsewhere when somebody else asks, or events are brought somewhere.
        """


@runtime_checkable
class HoldsFiles(Protocol):
    """An adapter whose events come with files that stand in our own store already."""

    def kept_file(self, url: str) -> str | None:
        """The name of the stored file that an attachment's address means; None when it means none."""


@runtime_checkable
class Consenting(Protocol):
    """An adapter whose accounts are opened to us by an administrator's consent in a browser, for a time."""

    def refresh(self, http: Http, config: Any, refresh_token: Secret) -> Tokens:
        """Spend a refresh token for a new pair. Raises TokenRefreshFailed."""

    def authorise_url(self, config: Any, redirect_uri: str, challenge: str, state: str) -> str:
        """Where the administrator grants permission."""

    def exchange_code(self, http: Http, config: Any, code: str, verifier: str) -> Tokens:
        """The first tokens for the code that came back. Raises TokenRefreshFailed."""

    def health(self, http: Http, config: Any, token: Secret) -> dict[str, str]:
        """The account as it presents itself. Raises SendError."""


@runtime_checkable
class CalledBack(Protocol):
    """An adapter whose channel does not simply POST JSON to its address: what it may send instead."""

    accepts: ClassVar[Accepts]


@dataclass(frozen=True)
class Cost:
    """What a text costs on a channel that is paid by the part: the words as they will be read, and their parts."""

    words: str
    parts: int
    units: int
    is_unicode: bool
    lost_marks: bool


@runtime_checkable
class Paid(Protocol):
    """An adapter of a channel where each part is paid for and words change on their way; `settings`: the channel's."""

    def pieces(self, settings: Mapping[str, Any], text: str) -> list[str]:
        """The messages a text becomes, in the words that will be read."""

    def cost(self, settings: Mapping[str, Any], text: str) -> Cost:
        """What sending it costs."""


@runtime_checkable
class TwoGateways(Protocol):
    """An adapter whose channel may have a second gateway, for when the first one fails."""

    def gateways(self, config: Any) -> tuple[str, ...]:
        """The names of those there are, "main" first."""

    def through(self, config: Any, name: str) -> Any:
        """The same channel, sending through this one."""

    def slow_after(self, config: Any) -> float:
        """How many seconds most answers may take before a gateway counts as too slow."""


@runtime_checkable
class Linked(Protocol):
    """An adapter whose messages go over a connection that a process of its own keeps, not through `send`."""

    keeps_link: ClassVar[bool]


@runtime_checkable
class Asked(Protocol):
    """An adapter that can ask a channel's provider about our account, and knows what the provider must be told."""

    def can_be_asked(self, config: Any) -> bool:
        """Whether the main gateway's provider offers a question about the account."""

    def account(self, http: Http, config: Any) -> dict[str, str] | None:
        """What is said of our account; None when there is nothing to ask. Raises SendError."""

    def callback(self, config: Any) -> str:
        """What follows the channel's address in the one that the provider must call, secret included."""


@runtime_checkable
class Joining(Protocol):
    """An adapter whose channel may hand over a citizen's long message in pieces."""

    def joined(self, parts: Sequence[MessagePart], config: Any) -> Envelope:
        """One event of these pieces; where one is missing, the text says so."""
