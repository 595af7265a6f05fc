"""The words for what else a source system exchanges: bulletins from above, feedback of its app, and figures of ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol, runtime_checkable

from adapters.http import Http
from adapters.messages import Envelope
from adapters.secret import Secret

NOTICES, FEEDBACK, ANSWERS, STATES, STATISTICS = "notices", "feedback", "answers", "states", "statistics"
EXCHANGES = (NOTICES, FEEDBACK, ANSWERS, STATES, STATISTICS)
ACCEPTED, REFUSED, ANSWERED = "accepted", "refused", "answered"
FEEDBACK_STATES = (ACCEPTED, REFUSED, ANSWERED)
FEEDBACK_SCHEME = "httttn"


@dataclass(frozen=True)
class Notice:
    """One revision of a bulletin of the province or the centre.

    `urgency`: one of `loudspeakers.CLASSES`; `source`: whose it is; `is_ours`: it is meant for this commune too.
    `is_cancelled`: this revision takes the bulletin back, `reason` says why. `raw`: as it came.
    """

    ref: str
    revision: int
    urgency: str
    title: str
    text: str
    source: str
    made_at: datetime | None
    valid_until: datetime | None
    is_ours: bool
    is_cancelled: bool = False
    reason: str = ""
    raw: str = ""


@dataclass(frozen=True)
class Notices:
    """Some of them; asking again with `after` gives what follows, `is_all`: there was nothing more just now."""

    notices: tuple[Notice, ...]
    after: str
    is_all: bool = True
    unread: int = 0


@dataclass(frozen=True)
class Feedbacks:
    """What citizens wrote in the system's app, each as the event the door would keep."""

    events: tuple[Envelope, ...]
    after: str
    is_all: bool = True
    unread: int = 0


@dataclass(frozen=True)
class Figures:
    """The reports that came within a time and how they stand, without anything about a person.

    `rated`, `content`: how many were judged, and how many of them were content.
    """

    received: int
    in_time: int
    late: int
    running: int
    declined: int = 0
    forwarded: int = 0
    rated: int = 0
    content: int = 0


@dataclass(frozen=True)
class Statistics:
    """What a commune reports of a month. `key`: by which the other side knows this report again.

    `topics` and `channels`: by slug or type, each with the words for it. `sealed`: how many are told as a number only.
    """

    key: str
    first: date
    last: date
    as_of: datetime
    total: Figures
    topics: tuple[tuple[str, str, Figures], ...]
    channels: tuple[tuple[str, str, Figures], ...]
    sealed: int
    replaces: str = ""


@runtime_checkable
class Exchanging(Protocol):
    """An adapter whose channel hands down bulletins, brings feedback of its own app, and takes our figures.

    Each question raises SendError, as those of `Loudspeaking` do.
    """

    def offers(self, config: Any, what: str) -> bool:
        """Whether this system does that, one of EXCHANGES, at all."""

    def notices(self, http: Http, config: Any, token: Secret, after: str) -> Notices:
        """Bulletins from above since."""

    def feedback(self, http: Http, config: Any, token: Secret, after: str) -> Feedbacks:
        """What citizens wrote since."""

    def tell_state(self, http: Http, config: Any, token: Secret, ref: str, state: str, code: str) -> None:
        """Say how a feedback stands, one of FEEDBACK_STATES, and our code of it; again is no harm."""

    def hand_in(self, http: Http, config: Any, token: Secret, statistics: Statistics) -> str:
        """Hand a report in; gives the other side's own words about it. Again under the same key is no harm."""
