"""What every channel adapter offers: a table of limits and four functions over plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable

from adapters.http import Http
from adapters.messages import (
    Envelope,
    Event,
    MessagePart,
    OutboundImage,
    OutboundMessage,
    SendResult,
    Tokens,
    WebhookRequest,
)
from adapters.secret import Secret

Item = TypeVar("Item")


@dataclass(frozen=True)
class Limits:
    """What the channel can carry. `text_units` says what a character is there: "utf16" or "codepoints".

    `buttons`: how many answers it can show under a message; 0: they are told as numbered words. `is_sms`: every message
    is paid for and has 160 unaccented characters. `caption`: how much text goes with a picture, if less than `text`.
    `contact_seconds`: how long to wait between two messages to one citizen. `tells_followers`: whether it says who
    begins to follow; where it does not, the wish for news is the consent. `rings`: a message is noticed when it comes;
    on a page people must come and look. `shares`: what a citizen can be asked to hand over with one press, "location"
    and "contact".
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
    rings: bool = True
    shares: frozenset[str] = frozenset()


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


@dataclass(frozen=True)
class Chat:
    """A citizen's conversation as the channel lists it, and when something was last said in it."""

    urn: str
    last_at: datetime


@dataclass(frozen=True)
class Heard:
    """Something that was said, as the channel tells it when it is asked.

    `event` is what would have been brought at the time, body included; None: the channel cannot show what it was.
    """

    external_id: str
    said_at: datetime
    by_citizen: bool
    event: Envelope | None


@dataclass(frozen=True)
class Listed(Generic[Item]):
    """A few items of a longer list; `after` is where the next ones begin, None at the end."""

    items: tuple[Item, ...]
    after: int | None


@runtime_checkable
class CatchingUp(Protocol):
    """An adapter whose channel can be asked what was said lately, when it could not bring it to us."""

    def recent_chats(self, http: Http, config: Any, token: Secret, offset: int) -> Listed[Chat]:
        """Who was in touch lately, the latest first. Raises SendError."""

    def said_in(self, http: Http, config: Any, token: Secret, urn: str, offset: int) -> Listed[Heard]:
        """What was said with a citizen, the latest first; the events have the keys that the door gives them.

        Raises SendError.
        """


@dataclass(frozen=True)
class Clock:
    """When a citizen was last there by the channel's own count, None for never, and what it says of our quota."""

    last_interaction_at: datetime | None
    quota: Mapping[str, str]


FORM_WORDS = ("ma", "chude", "xa", "lienhe")  # the ticket's code, its subject, the commune, where to ask


@dataclass(frozen=True)
class ApprovedForm:
    """An approved message that tells a citizen of an answer they cannot be sent: `text` with FORM_WORDS in {braces}.

    `fields`: the channel's name of each place → our word. `by_phone`: it goes to the number they gave.
    """

    id: str
    text: str
    fields: Mapping[str, str]
    by_phone: bool = False


@runtime_checkable
class Windowed(Protocol):
    """An adapter whose channel closes: it can be asked since when, may charge, and knows approved messages.

    `blocked_codes`: of a refusal that means that the citizen wants nothing from us, not that it is too late.
    """

    blocked_codes: ClassVar[frozenset[str]]

    def clock_of(self, http: Http, config: Any, token: Secret, urn: str) -> Clock:
        """When this citizen was last there. Raises SendError."""

    def paid_replies(self, config: Any) -> str:
        """Whether we pay: "ask" (an official agrees each time), "always" or "never"."""

    def form(self, config: Any) -> ApprovedForm | None:
        """The approved message that a commune has, if it has one."""


@dataclass(frozen=True)
class Story:
    """Something for everybody who follows an account, in its own form: a headline and paragraphs."""

    title: str
    description: str
    author: str
    paragraphs: tuple[str, ...]


@runtime_checkable
class Publishing(Protocol):
    """An adapter whose channel sends a story to all followers at once, without saying who got it."""

    def broadcasts_a_month(self, config: Any) -> int:
        """How many the account's package allows in a calendar month; 0: none."""

    def create_story(self, http: Http, config: Any, token: Secret, story: Story) -> str:
        """Hand it over; a handle by which to ask whether it is ready. Nobody sees it yet. Raises SendError."""

    def story_id(self, http: Http, config: Any, token: Secret, handle: str) -> str | None:
        """Its id, None while the channel still works on it. Raises SendError."""

    def publish(self, http: Http, config: Any, token: Secret, story_id: str) -> SendResult:
        """Have it sent to all followers. Raises SendError."""


@runtime_checkable
class Uploading(Protocol):
    """An adapter whose channel takes a picture first and knows it by an id, for many messages, for some days.

    A `send` that meets an id the channel has forgotten raises UploadExpired.
    """

    upload_days: ClassVar[float]

    def upload(self, http: Http, config: Any, token: Secret, image: OutboundImage) -> str:
        """Hand over a picture; its id. Raises SendError."""


@runtime_checkable
class NamesPictures(Protocol):
    """An adapter whose channel names a picture as it takes a message with it, so that later ones need only that name.

    It comes in `SendResult.upload_id`. A `send` that meets a name the channel does not know raises UploadExpired.
    """

    picture_days: ClassVar[float]


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
