"""Retention: which kinds of data a commune keeps for how long, within which limits, and why (domain §12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.rules.lifecycle import NotAllowed

# A citizen who was not content may complain within 90 days of knowing; what they may point to stays for a year.
DISPUTED_DAYS = 365


class Kind(StrEnum):
    """A kind of data that has an end. What stands for a part of another kind goes by that one's rule (`RULE_OF`)."""

    WORDS = "words"
    FILES = "files"
    LOOSE = "loose"
    SEALED = "sealed"
    SEALED_LOOSE = "sealed_loose"
    LEADERS = "sealed_leaders"
    CONTACTS = "contacts"
    EVENTS = "events"
    EXCHANGES = "exchanges"
    RECEIPTS = "receipts"
    SIGN_INS = "sign_ins"
    SESSIONS = "sessions"
    PLAYED = "played"
    SPOKEN = "spoken"
    ABOVE = "above"
    CLUSTERS = "clusters"
    FEEDBACK = "feedback"
    HANDED_IN = "handed_in"


@dataclass(frozen=True)
class Limits:
    """Days that are usual, the least and the most that may be set."""

    usual: int
    least: int
    most: int


OF_LOUDSPEAKERS = (Kind.SPOKEN, Kind.ABOVE, Kind.CLUSTERS, Kind.FEEDBACK, Kind.HANDED_IN)
RULE_OF = {
    Kind.SEALED_LOOSE: Kind.SEALED,
    Kind.SESSIONS: Kind.SIGN_INS,
    **dict.fromkeys(OF_LOUDSPEAKERS, Kind.PLAYED),
}
OF_SEALED = (Kind.SEALED, Kind.SEALED_LOOSE, Kind.LEADERS)
# What goes though nobody has decided: what accuses the commune's leaders nobody there opens, so nobody can answer it,
# and those who decide about the rest are the accused (domain §8.2, 5). Nobody in the commune changes or counts them.
BY_ITSELF = (Kind.LEADERS,)
LEADERS_DAYS = "leaders_days"  # of the commune's settings, which the operator of the server keeps
LIMITS: Mapping[Kind, Limits] = {
    Kind.WORDS: Limits(1826, 365, 3653),
    Kind.FILES: Limits(730, 90, 3653),
    Kind.LOOSE: Limits(730, 90, 1826),
    Kind.SEALED: Limits(1826, 365, 3653),
    Kind.CONTACTS: Limits(730, 180, 3653),
    Kind.EVENTS: Limits(90, 30, 365),
    Kind.EXCHANGES: Limits(90, 30, 365),
    Kind.RECEIPTS: Limits(180, 30, 730),
    Kind.SIGN_INS: Limits(30, 30, 365),
    Kind.PLAYED: Limits(1826, 365, 3653),
}
LIMITS_OF_LEADERS = Limits(90, 30, 365)


def rule_of(kind: Kind) -> Kind:
    """The kind by whose rule this one goes."""
    return RULE_OF.get(kind, kind)


def check(days: Mapping[Kind, int]) -> None:
    """Refuse what is outside the limits, or would keep a copy longer than what it is a copy of. NotAllowed."""
    for kind, given in days.items():
        limits = LIMITS[kind]
        if not limits.least <= given <= limits.most:
            raise NotAllowed(
                f"days:{kind.value}",
                "Số ngày phải từ %(least)s đến %(most)s.",
                least=limits.least,
                most=limits.most,
            )
    of = {kind: days.get(kind, LIMITS[kind].usual) for kind in LIMITS}
    if of[Kind.FILES] > of[Kind.WORDS]:
        raise NotAllowed("days:files", "Tệp không thể giữ lâu hơn lời trong phản ánh: xóa lời thì xóa cả tệp.")
    shortest = min(of[kind] for kind in (Kind.WORDS, Kind.LOOSE, Kind.SEALED))
    if of[Kind.EVENTS] > shortest:
        raise NotAllowed(
            "days:events",
            "Bản gốc từ kênh chứa cùng những lời ấy nên không thể giữ lâu hơn %(most)s ngày.",
            most=shortest,
        )
