"""Linking: two channels of one citizen belong together once a code told on one was said on the other; it can be undone.

Nothing else links anybody: a telephone number or a name that two people share is no proof.
"""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

import sqlalchemy as sa
import structlog

from bot.rules.commands import Command
from bot.usecases.filing import Filed
from bot.usecases.parting import give, part_from_others, tell_there, urns_of, where
from bot.usecases.turns import Turn
from storage.channels import Channel
from storage.communes import Counter
from storage.contacts import Contact, Urn
from storage.enums import Consent
from storage.intake import next_number
from storage.links import Link, LinkCode

log = structlog.get_logger()

CODE_TIME = timedelta(minutes=15)
CODES_A_DAY = 5
WRONG_A_DAY = 5  # by one person
WRONG_AN_HOUR = 30  # in the whole commune: many people who guess are one
_DIGITS = 8
_NOTHING = Filed(None)


def take_link(turn: Turn, command: Command) -> Filed:
    """Tell a code, or, where one is said, link the two channels."""
    digits = re.sub(r"\D", "", command.rest)
    if digits:
        _use_code(turn, digits)
    else:
        _tell_code(turn)
    return _NOTHING


def take_unlink(turn: Turn, command: Command) -> Filed:  # noqa: ARG001 - one signature for all
    """Part this channel from the others, at once and without a question: it can be linked again."""
    parted = part_from_others(turn.work, turn.person.urn, "citizen")
    turn.tell("unlinked" if parted else "unlink_nothing")
    return _NOTHING


def _tell_code(turn: Turn) -> None:
    work, urn = turn.work, turn.person.urn
    if next_number(work.session, f"urn:{urn.id}", "link_code", f"{work.now:%Y%m%d}") > CODES_A_DAY:
        turn.tell("link_too_often")
        return
    work.session.execute(
        sa.update(LinkCode)
        .where(LinkCode.urn_id == urn.id, LinkCode.used_at.is_(None), LinkCode.expires_at > work.now)
        .values(expires_at=work.now)
    )
    digits = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
    work.session.add(
        LinkCode(
            commune_id=urn.commune_id,
            urn_id=urn.id,
            digest=work.runtime.digest("links", f"{urn.commune_id}:{digits}"),
            created_at=work.now,
            expires_at=work.now + CODE_TIME,
        )
    )
    half = _DIGITS // 2
    turn.tell("link_code", malk=f"{digits[:half]} {digits[half:]}")


def _use_code(turn: Turn, digits: str) -> None:
    work, urn = turn.work, turn.person.urn
    if guesses_too_often(turn):
        turn.tell("link_too_often")
        return
    code = work.session.scalar(
        sa.select(LinkCode)
        .where(
            LinkCode.commune_id == urn.commune_id,
            LinkCode.digest == work.runtime.digest("links", f"{urn.commune_id}:{digits}"),
            LinkCode.used_at.is_(None),
            LinkCode.expires_at > work.now,
        )
        .with_for_update()
    )
    giver = work.session.get(Urn, code.urn_id) if code is not None else None
    if code is None or giver is None:
        count_wrong(turn)
        turn.tell("link_wrong")
        return
    if giver.contact_id == urn.contact_id:
        turn.tell("link_same" if giver.id == urn.id else "link_already")
        return
    code.used_at = work.now
    _join(turn, giver, code)


def count_wrong(turn: Turn) -> None:
    """A code was said that is none."""
    work, urn = turn.work, turn.person.urn
    next_number(work.session, f"urn:{urn.id}", "wrong_link", f"{work.now:%Y%m%d}")
    next_number(work.session, f"commune:{urn.commune_id}", "wrong_link", f"{work.now:%Y%m%d%H}")


def guesses_too_often(turn: Turn) -> bool:
    """Whether so many wrong codes were said here that somebody may be guessing."""
    urn, now = turn.person.urn, turn.work.now
    limits = (
        (f"urn:{urn.id}", f"{now:%Y%m%d}", WRONG_A_DAY),
        (f"commune:{urn.commune_id}", f"{now:%Y%m%d%H}", WRONG_AN_HOUR),
    )
    for scope, period, most in limits:
        query = sa.select(Counter.value).where(
            Counter.scope == scope, Counter.name == "wrong_link", Counter.period == period
        )
        if (turn.work.session.scalar(query) or 0) >= most:
            return True
    return False


def _join(turn: Turn, giver: Urn, code: LinkCode) -> None:
    work, session = turn.work, turn.work.session
    mine, theirs = session.get_one(Contact, turn.person.urn.contact_id), session.get_one(Contact, giver.contact_id)
    before = urns_of(session, theirs.id)
    filled = _fill(theirs, mine)
    for urn in urns_of(session, mine.id):
        session.add(
            Link(
                commune_id=urn.commune_id,
                urn_id=urn.id,
                from_contact_id=mine.id,
                to_contact_id=theirs.id,
                code_id=code.id,
                filled=filled,
                linked_at=work.now,
            )
        )
        give(session, urn, theirs.id)
        work.people.pop((urn.channel_id, urn.value), None)
    session.flush()
    log.info("contact.linked", contact_id=theirs.id, code_id=code.id)
    channel = session.get_one(Channel, giver.channel_id)
    turn.tell("linked", kenh=where(channel, giver))
    here = where(work.channel, turn.person.urn)
    for other in before:
        tell_there(work, other, "linked_here", f"linked:{code.id}:{other.id}", kenh=here)


def _fill(theirs: Contact, mine: Contact) -> dict[str, str]:
    """What the one contact may keep and does not know, the other tells it."""
    if mine.consent != Consent.GIVEN.value or theirs.consent == Consent.REFUSED.value:
        return {}
    filled = {
        name: value
        for name in ("name", "phone", "address", "consent")
        if (value := getattr(mine, name)) and not getattr(theirs, name)
    }
    for name, value in filled.items():
        setattr(theirs, name, value)
    if "consent" in filled:
        theirs.consent_at = mine.consent_at
    return filled
