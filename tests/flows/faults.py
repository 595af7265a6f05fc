"""What must be true after each fault, taken from what the platforms say of themselves, not from what our code does.

Sources, by section of the notes on each protocol:
- Zalo OA: 1.5 (delivered at least once, in any order), 7 (numbers; "HTTP 5xx, 429, timeout: for sends ambiguous, again
  only if no bytes were sent or 429"), 10 requirement 9 ("`unknown` resolved by echo, or by a human").
- Telegram: 3 (duplicates, order), 6 ("a read timeout or 5xx may have been delivered"; "unknown: leave it, show it to
  the officer"; 401 and 404 are the channel's; 429 with retry_after).
- Zalo Bot: its six codes (401 unauthorised, 403 internal server error, 429 quota); neither receipts nor echoes.
- SMPP 3.4 (sms.md 6, 7): a submit_sm_resp with a status other than 0 says surely that the message was not taken
  (0x58 throttled: held and sent once more by the link; 0x08 system error); no answer is `unknown`, and stays so: its
  receipt names an id that only the lost answer told. A bind that is refused (0x0e) leaves no session: nothing goes out.
- Kannel: sendsms ("403 bad login; 503 temporal failure: safe to retry; an answer lost after the request was sent is
  unknown"), receipts by the id that we put into their address.
"""

from __future__ import annotations

from dataclasses import dataclass

SENT, UNKNOWN, WAITING, PAUSED, DOWN = "sent", "unknown", "waiting", "paused", "down"
OF_ALL = frozenset({WAITING, PAUSED, DOWN})  # what is so for one message is so for its neighbour
TELLS_LATER = ("zalo", "sms")  # our own words come back, or a receipt by our own id: either settles what was unknown
BOTS = ("telegram", "zalo_bot")
ALL = (*TELLS_LATER, *BOTS)
LINK = ("smpp",)
PATHS = ("message in", "reply", "announcement")


@dataclass(frozen=True)
class Expected:
    """`shown`: what the screen says of the message once the gateway rests; `accepted`: how often the platform has it.

    `later`: what it says when the channel's own events have come, time has passed, or an administrator has mended what
    only a person can; a message that was accepted before is not sent once more for it.

    `beside`: what is said of a message that waited behind this one, when it did not simply go out after it.
    """

    shown: str
    accepted: int
    later: str = ""
    beside: str = ""


@dataclass(frozen=True)
class Row:
    """A fault with what must become of the message it befalls, on these channels."""

    fault: str
    channels: tuple[str, ...]
    expected: Expected


ROWS = (
    # An answer within our patience is an answer.
    Row("slow", (*ALL, *LINK), Expected(SENT, 1)),
    # Nobody knows; nothing is sent again by itself.
    Row("server error", ALL, Expected(UNKNOWN, 0)),
    Row("own server error", ("zalo_bot",), Expected(UNKNOWN, 0)),
    # Accepted, and the answer is lost; bots are told nothing later.
    Row("late answer", TELLS_LATER, Expected(UNKNOWN, 1, later=SENT)),
    Row("late answer", BOTS, Expected(UNKNOWN, 1)),
    Row("lost answer", TELLS_LATER, Expected(UNKNOWN, 1, later=SENT)),
    Row("lost answer", BOTS, Expected(UNKNOWN, 1)),
    Row("malformed", TELLS_LATER, Expected(UNKNOWN, 1, later=SENT)),
    Row("malformed", BOTS, Expected(UNKNOWN, 1)),
    # The session is gone with the answer; what had not been written to it (window 1) surely was not sent, and waits.
    Row("lost answer", LINK, Expected(UNKNOWN, 1, beside=WAITING)),
    Row("malformed", LINK, Expected(UNKNOWN, 1, beside=WAITING)),
    Row("mute", LINK, Expected(UNKNOWN, 1, beside=WAITING)),
    Row("session lost", LINK, Expected(UNKNOWN, 0, beside=WAITING)),
    # Surely not taken: it waits as long as it was told to, and then goes once.
    Row("throttled", ALL, Expected(WAITING, 0, later=SENT)),
    Row("throttled", LINK, Expected(SENT, 1)),
    Row("system error", LINK, Expected(WAITING, 0, later=SENT)),
    Row("throttled by http", ("zalo",), Expected(WAITING, 0, later=SENT)),
    # Zalo's token is renewed on the way; a bot's token stands until somebody makes another.
    Row("token expired", ("zalo",), Expected(SENT, 1)),
    Row("token expired", BOTS, Expected(PAUSED, 0, later=SENT)),
    Row("key refused", ("sms",), Expected(PAUSED, 0, later=SENT)),
    # No session: nothing can have gone out, and it goes by itself when there is one.
    Row("key refused", LINK, Expected(DOWN, 0, later=SENT)),
    Row("network away", LINK, Expected(DOWN, 0, later=SENT)),
    Row("consent lost", ("zalo",), Expected(PAUSED, 0, later=SENT)),
    # Events, not sends: whatever comes twice or in the wrong order changes nothing of what was sent.
    Row("duplicate", (*ALL, *LINK), Expected(SENT, 1)),
    Row("reordered", (*ALL, *LINK), Expected(SENT, 1)),
)
CASES = [(row.fault, channel, path, row.expected) for row in ROWS for channel in row.channels for path in PATHS]

# Asking for updates: whatever befalls a question, the updates are there for the next one. What is shown is of the
# channel's page: whether it says that asking fails.
ASKING_FAILS = ("server error", "late answer", "lost answer", "malformed", "throttled", "token expired")
ASKING_WORKS = ("slow", "duplicate", "reordered")
