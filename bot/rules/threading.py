"""Which messages of a citizen belong to which ticket.

The answer depends on when things were said, not on when they reached us: a late message is put where it
belongs by placing all messages again, in the order they were said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

SURE = 0.7
SAME_REPORT = timedelta(hours=24)

OPENING = frozenset(
    {
        "feedback",
        "proposal",
        "emergency",
        "question",
        "denunciation",
        "complaint",
        "announcement_request",
        "human_handoff",
        "data_request",
        "out_of_area",
    }
)
ADDING = frozenset({"add_info", "rating", "withdraw"})
# What belongs to a report only while it is still being told, or when it follows on its words.
JOINING = frozenset({"chitchat", "out_of_scope", "praise"})
DATA_REQUEST = "data_request"
SECRET_TIME = timedelta(hours=1)


@dataclass(frozen=True)
class Said:
    """One inbound message as far as threading is concerned; `order` breaks ties of `at` the same way every time.

    `fixed_ticket`: people have worked on the ticket it is in, so it stays. `held_ticket`: where it is until now;
    it may move, but whoever quotes that ticket means the group it is in. `goes_on`: its words follow on what was said
    ("nó vẫn…", "tắt rồi"). `names_no_spot`: its subject is nothing that officials go and look at.
    """

    message_id: int
    at: datetime
    order: str
    intent: str
    topic: str | None = None
    is_sure: bool = False
    place: str | None = None
    is_sealed: bool = False
    has_evidence: bool = False
    quoted_ticket: int | None = None
    fixed_ticket: int | None = None
    held_ticket: int | None = None
    goes_on: bool = False
    names_no_spot: bool = False


@dataclass
class Group:
    """Messages that belong together: a ticket, or one to be opened.

    `is_put_aside`: an official called it spam, so whatever comes now, however long ago it was said, was not seen then.
    """

    ticket_id: int | None
    topics: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    last_at: datetime | None = None
    is_sealed: bool = False
    ended_at: datetime | None = None
    is_put_aside: bool = False
    message_ids: list[int] = field(default_factory=list)
    is_data_request: bool = False
    held_tickets: set[int] = field(default_factory=set)

    def add(self, said: Said) -> None:
        """Take the message in."""
        self.message_ids.append(said.message_id)
        if said.held_ticket is not None:
            self.held_tickets.add(said.held_ticket)
        if said.topic and said.is_sure:
            self.topics.add(said.topic)
        if said.place:
            self.places.add(said.place)
        self.is_sealed = self.is_sealed or said.is_sealed
        self.is_data_request = self.is_data_request or said.intent == DATA_REQUEST
        self.last_at = max(filter(None, (self.last_at, said.at)))

    def is_open_at(self, moment: datetime) -> bool:
        """Whether it could still take a message at that moment."""
        return self.ended_at is None or moment < self.ended_at


def place_one(said: Said, groups: list[Group], burst: timedelta) -> Group | None:
    """The group this message joins; a new one is appended to `groups`; None when it needs no ticket."""
    group = _group_for(said, groups, burst)
    if group is None and _opens(said):
        group = Group(ticket_id=said.fixed_ticket)
        groups.append(group)
    if group is not None:
        group.add(said)
    return group


def place_all(messages: Iterable[Said], known: Sequence[Group], burst: timedelta) -> list[Group]:
    """Place all messages in the order they were said. `known`: tickets people have worked on; they stay."""
    groups: list[Group] = list(known)
    loose: list[Said] = []
    for said in sorted(messages, key=lambda s: (s.at, s.order)):
        before = len(groups)
        group = place_one(said, groups, burst)
        if group is None:
            loose.append(said)
        elif len(groups) > before:
            _take_in_what_came_before(group, said, loose, burst)
    return groups


def _take_in_what_came_before(group: Group, said: Said, loose: list[Said], burst: timedelta) -> None:
    """A report told in pieces may begin with a piece that opens nothing: "đường xóm 7", then what is wrong there."""
    begun = said.at
    for piece in reversed(loose):
        if begun - piece.at > burst or piece.intent not in ADDING or piece.is_sealed != said.is_sealed:
            break
        group.message_ids.insert(0, piece.message_id)
        if piece.place:
            group.places.add(piece.place)
        begun = piece.at


def _group_for(said: Said, groups: list[Group], burst: timedelta) -> Group | None:
    for wanted in (said.fixed_ticket, said.quoted_ticket):
        if wanted is not None:
            found = next((g for g in groups if g.ticket_id == wanted or wanted in g.held_tickets), None)
            if found is not None and (wanted == said.fixed_ticket or _may_join(said, found)):
                return found
    if not (_opens(said) or said.intent in ADDING | JOINING):
        return None
    begun = [g for g in groups if g.last_at is not None and g.last_at <= said.at and _may_join(said, g)]
    begun.sort(key=lambda g: g.last_at or said.at, reverse=True)
    if not begun:
        return None
    if said.at - (begun[0].last_at or said.at) <= burst:
        return begun[0]
    if said.intent in JOINING and not said.goes_on:
        return None
    if said.goes_on and said.at - (begun[0].last_at or said.at) <= SAME_REPORT:
        return begun[0]
    return next((g for g in begun if not _is_clearly_another(said, g)), None)


def _may_join(said: Said, group: Group) -> bool:
    if said.intent == DATA_REQUEST and not group.is_data_request:
        return False  # it has a deadline of its own by law
    if group.is_put_aside or (group.ended_at is not None and said.intent == "emergency"):
        return False  # nobody looks there any more
    # A denunciation never lands in a ticket others may read.
    return group.is_open_at(said.at) and (group.is_sealed or not said.is_sealed)


def _is_clearly_another(said: Said, group: Group) -> bool:
    if group.is_sealed and not said.is_sealed:
        # What follows a secret at once belongs to it, unless it is plainly a report of something to be seen.
        is_soon = said.at - (group.last_at or said.at) <= SECRET_TIME
        if is_soon and said.names_no_spot and not said.place:
            return False
        if said.topic and said.is_sure:
            return True
    if said.topic and said.is_sure and group.topics and said.topic not in group.topics:
        return True
    elsewhere = bool(said.place and group.places and said.place not in group.places)
    return elsewhere and said.is_sure and said.at - (group.last_at or said.at) > SAME_REPORT


def _opens(said: Said) -> bool:
    return said.intent in OPENING or said.has_evidence or said.fixed_ticket is not None
