"""The words between channels and the gateway: plain values, the same for every channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

# When an event happened that names no moment itself: when it reached us, which only the gateway knows.
WHEN_IT_REACHED_US = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class WebhookRequest:
    """An HTTP request as a channel sent it; header names are lower-case, the body is the raw bytes.

    `path`: what stood in the address behind the channel's own, without slashes around it; `query`: raw, as it came;
    `remote`: the address it came from.
    """

    method: str
    headers: Mapping[str, str]
    body: bytes
    path: str = ""
    query: bytes = b""
    remote: str = ""


@dataclass(frozen=True)
class Envelope:
    """What the door must know of an event before it is stored: whose it is and how to recognise a repeat.

    `account` is the receiving account's id (Zalo: the OA id), `key` is unique per channel and account for
    ever, `conversation` orders the work (events with the same value are handled one after another). `body`: what is
    to be stored, when it is not the request's own body; `reply`: what the channel wants to hear. `is_ours_otherwise`:
    when no channel has this account, the event belongs to the one at whose address it came.
    """

    account: str
    event_name: str
    key: str
    conversation: str
    occurred_at: datetime
    is_probe: bool = False
    matched_secret: str = "current"  # noqa: S105 - which one, not the secret itself
    body: bytes | None = None
    reply: bytes = b""
    reply_type: str = ""
    is_ours_otherwise: bool = False


class AttachmentKind(StrEnum):
    """What a citizen can put into a message besides text; WITHHELD: something the channel or we cannot hand on."""

    IMAGE = "image"
    GIF = "gif"
    AUDIO = "audio"
    VIDEO = "video"
    STICKER = "sticker"
    FILE = "file"
    LINK = "link"
    LOCATION = "location"
    CONTACT = "contact"
    WITHHELD = "withheld"


@dataclass(frozen=True)
class Attachment:
    """One attachment as the channel described it; `url` is where its bytes are said to be."""

    kind: AttachmentKind
    url: str | None = None
    thumbnail_url: str | None = None
    name: str | None = None
    mime_hint: str | None = None
    size: int | None = None
    md5: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    title: str | None = None
    phone: str | None = None


@dataclass(frozen=True)
class InboundMessage:
    """Something a citizen said on a channel; `edits`: it is the new wording of the message with this external id.

    `is_tap`: it was not typed, a button of the quoted message was pressed. `entered_how`: an official, `entered_by`,
    wrote it down for them: "desk" when they came in person, "phone" when they called.
    """

    external_id: str
    urn: str
    occurred_at: datetime
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    quoted_external_id: str | None = None
    edits: str | None = None
    is_tap: bool = False
    entered_by: int | None = None
    entered_how: str | None = None

    @property
    def is_withheld(self) -> bool:
        """Whether something was said of which nothing can be read."""
        return not self.text and any(sent.kind is AttachmentKind.WITHHELD for sent in self.attachments)

    @property
    def has_pin(self) -> bool:
        """Whether a place on the map came with it."""
        return any(sent.latitude is not None for sent in self.attachments)


@dataclass(frozen=True)
class MessagePart:
    """A piece of a citizen's long message that the channel hands over piece by piece; `number` counts from 1.

    Pieces of one message have `urn`, `destination`, `reference` and `total` in common.
    """

    external_id: str
    urn: str
    occurred_at: datetime
    destination: str
    reference: str
    total: int
    number: int
    text: str


@dataclass(frozen=True)
class Echo:
    """Something our own account said, told back by the channel; `by_person` if typed in the channel's own app.

    `author`: who typed it there, by the channel's own name for them.
    """

    external_id: str
    urn: str
    occurred_at: datetime
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    by_person: bool = False
    author: str = ""


class ReceiptStatus(StrEnum):
    """How far a message of ours came."""

    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True)
class Receipt:
    """The channel's later word on messages we sent; `urn` is the citizen who received them.

    `reason`: a Vietnamese sentence for officials, when it failed. `part` of `parts`: it speaks of one piece only.
    """

    external_ids: tuple[str, ...]
    status: ReceiptStatus
    occurred_at: datetime
    urn: str | None = None
    reason: str = ""
    part: int = 0
    parts: int = 0


@dataclass(frozen=True)
class Following:
    """A citizen began or ended to follow the account; `is_start`: by a button that is pressed to be greeted."""

    urn: str
    is_following: bool
    occurred_at: datetime
    is_start: bool = False


@dataclass(frozen=True)
class Interaction:
    """A citizen did something that lets us write to them without saying a word (opened the chat, a widget)."""

    urn: str
    what: str
    occurred_at: datetime


@dataclass(frozen=True)
class ProfileShared:
    """A citizen filled in the channel's own contact form; `has_consented`: and agreed that we keep it."""

    urn: str
    occurred_at: datetime
    name: str | None = None
    phone: str | None = None
    address: str | None = None
    has_consented: bool = False


@dataclass(frozen=True)
class Reaction:
    """A citizen put an icon on a message."""

    urn: str
    external_id: str
    icon: str
    occurred_at: datetime


@dataclass(frozen=True)
class Withdrawal:
    """A citizen withdrew their data from the channel: what identifies them must be deleted."""

    urn: str
    occurred_at: datetime


@dataclass(frozen=True)
class AccountNotice:
    """The channel speaks about our account itself: permission revoked, quota or template changed."""

    what: str
    occurred_at: datetime
    is_alarm: bool = False
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ignored:
    """An event that is kept and acknowledged, and on which nothing is done.

    `reason` is "unsupported" (known, not for us), "unknown" (a name we have never seen), "probe" (the
    console testing the address) or "unreadable" (the name is known, the shape is not).
    """

    reason: str
    what: str
    occurred_at: datetime | None = None


Event = (
    InboundMessage
    | MessagePart
    | Echo
    | Receipt
    | Following
    | Interaction
    | ProfileShared
    | Reaction
    | Withdrawal
    | AccountNotice
    | Ignored
)


@dataclass(frozen=True)
class OutboundImage:
    """A picture to send: its bytes, a file name with a true extension, its MIME type.

    `upload_id`: the channel has it already, under this id.
    """

    data: bytes
    name: str
    mime: str
    upload_id: str = ""


@dataclass(frozen=True)
class Approved:
    """A message the channel approved beforehand: which one, and what stands in its places.

    `phone`: send it to whoever has this number, +84…, instead of to the account that wrote to us.
    """

    id: str
    values: Mapping[str, str]
    phone: str = ""


@dataclass(frozen=True)
class OutboundMessage:
    """One part of something we say; `text` already fits the channel's limit. `choices`: answers to show as buttons.

    `template`: it goes out as this approved message, and `text` is only how it reads.

    `id`: our own name of it, the same at each try; `is_repeat`: an earlier try may have reached the channel.
    `callback_url`: the channel's address at our door, for channels that are told with each message where to report.
    `asks`: "location" or "contact": the first choice hands it over; "done": what was asked for is not needed any more.
    """

    urn: str
    text: str = ""
    image: OutboundImage | None = None
    quoted_external_id: str | None = None
    choices: tuple[str, ...] = ()
    id: str = ""
    is_repeat: bool = False
    callback_url: str = ""
    template: Approved | None = None
    asks: str = ""


@dataclass(frozen=True)
class SendResult:
    """The channel took the message; `external_id` joins later receipts and echoes to it.

    `upload_id`: under which the channel knows the picture that went with it.
    """

    external_id: str
    sent_at: datetime | None = None
    quota: Mapping[str, str] = field(default_factory=dict)
    upload_id: str = ""


@dataclass(frozen=True)
class Tokens:
    """A pair of fresh tokens; the refresh token can be spent once only."""

    access: str
    refresh: str
    expires_at: datetime
