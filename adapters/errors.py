"""What can go wrong at a channel.

    ChannelError
    ├── DoorError                 a webhook request is not let in
    │   ├── BadSignature          forged, unsigned or signed with another secret
    │   ├── UnreadablePayload     not JSON, not an object, or without what identifies an event
    │   └── ForeignPayload        well signed, but for another app or account
    ├── TokenRefreshFailed        no new tokens; `needs_consent` if only a person can help
    └── SendError                 a message was not (surely) sent
        ├── OutcomeUnknown        nobody knows whether the citizen got it: never re-send blindly
        ├── TokenRejected         refresh the token, then try once more
        ├── TemporarilyRefused    surely not sent; try again after `retry_after` seconds
        │   └── UploadExpired     the channel has forgotten a picture it was handed: hand it over again
        ├── NotNow                surely not sent; allowed again after `not_before` (night rule)
        ├── QuotaExhausted        surely not sent; quota or money is used up
        ├── WindowClosed          this citizen may not be written to now; opens with their next message
        ├── ContactUnreachable    this citizen blocked us or left
        ├── MessageRefused        this message will never be accepted as it is
        ├── ChannelRefused        the whole account cannot send until an operator acts: pause it
        │   └── PaymentRefused    it cannot pay: what is free may still go
        └── AskedElsewhere        of events, not of messages: another gateway fetches those of this account

Every error has a stable `code` for machines and logs, and `shown`, a Vietnamese sentence for officials:
what happened, what to do. Neither contains what a citizen wrote, nor a secret.
"""

from __future__ import annotations

from datetime import datetime


class ChannelError(Exception):
    """Anything a channel adapter raises."""

    def __init__(self, code: str, shown: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.shown = shown or code


class DoorError(ChannelError):
    """A webhook request that is not let in."""


class BadSignature(DoorError):
    """Forged, unsigned, or signed with a secret that is not ours."""


class UnreadablePayload(DoorError):
    """Not JSON, not an object, or without the fields that identify an event."""


class ForeignPayload(DoorError):
    """Well signed, but meant for another app or account."""


class TokenRefreshFailed(ChannelError):
    """No new tokens were obtained."""

    def __init__(self, code: str, shown: str = "", *, needs_consent: bool) -> None:
        super().__init__(code, shown)
        self.needs_consent = needs_consent


class SendError(ChannelError):
    """A message was not (surely) sent."""


class OutcomeUnknown(SendError):
    """The request left us and no clear answer came: the citizen may or may not have the message.

    `may_repeat`: the channel recognises the same message by its id, so that trying again cannot reach anybody twice.
    `external_id`: by which a receipt will speak of it, if it did arrive and that is known.
    """

    def __init__(self, code: str, shown: str = "", *, may_repeat: bool = False, external_id: str = "") -> None:
        super().__init__(code, shown)
        self.may_repeat = may_repeat
        self.external_id = external_id


class TokenRejected(SendError):
    """The access token is not accepted; a refresh may help."""


class TemporarilyRefused(SendError):
    """Surely not sent; worth another try after `retry_after` seconds. `whole_channel`: hold every send."""

    def __init__(
        self, code: str, shown: str = "", *, retry_after: float = 30.0, whole_channel: bool = False, tries: int = 8
    ) -> None:
        super().__init__(code, shown)
        self.retry_after = retry_after
        self.whole_channel = whole_channel
        self.tries = tries


class UploadExpired(TemporarilyRefused):
    """Surely not sent: the picture's id means nothing any more; hand it over again, then try at once."""


class NotNow(SendError):
    """Surely not sent; the channel allows it again at `not_before`."""

    def __init__(self, code: str, shown: str = "", *, not_before: datetime) -> None:
        super().__init__(code, shown)
        self.not_before = not_before


class QuotaExhausted(SendError):
    """Surely not sent; a quota or the wallet is used up. `for_contact`: only for this recipient."""

    def __init__(self, code: str, shown: str = "", *, for_contact: bool = False) -> None:
        super().__init__(code, shown)
        self.for_contact = for_contact


class WindowClosed(SendError):
    """This citizen may not be written to until their next interaction."""


class ContactUnreachable(SendError):
    """This citizen blocked the account, left it or does not exist."""


class MessageRefused(SendError):
    """This message will never be accepted as it is."""


class ChannelRefused(SendError):
    """The account itself cannot send until an operator acts."""


class PaymentRefused(ChannelRefused):
    """The account has no money, or no package, for a message that costs; what is free may still go."""


class AskedElsewhere(SendError):
    """Events cannot be fetched: another program asks for them, or the channel brings them somewhere."""
