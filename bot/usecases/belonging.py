"""Belonging: a citizen joins or leaves one of the commune's groups by a word, on any channel."""

from __future__ import annotations

import re

import sqlalchemy as sa

from bot.rules.commands import Command
from bot.usecases.citizens import opt
from bot.usecases.filing import Filed
from bot.usecases.turns import Turn
from bot.usecases.work import Citizen, Work
from nlp.normalise import fold
from storage.groups import Group, Membership, groups_of, joined
from storage.subscriptions import GROUPS_ONLY, Subscription

_NOTHING = Filed(None)
_LISTED = 5
_NAME_AT_MOST = 4  # words, of a group that we do not know


def join(turn: Turn, command: Command) -> Filed | None:
    """Into the group that was named; their word is the consent to its announcements, and to no others.

    None when so many words name no group: somebody speaks of one that is not ours.
    """
    work, person = turn.work, turn.person
    group = _named(turn, command)
    if group is None:
        return None if _is_a_sentence(command) else _tell_groups(turn, command)
    has_news = person.urn.opted_out_at is None and person.urn.is_following
    if not opt(work, person, out=False, at=turn.message.occurred_at):
        return _NOTHING
    limits = work.runtime.adapters[work.channel.type].limits
    if limits.is_sms or not limits.tells_followers:
        person.urn.is_following = True  # as when news are asked for: nobody can be seen to follow there
    held = _membership(work, person, group)
    if held is None:
        held = Membership(commune_id=work.book.id, group_id=group.id, urn_id=person.urn.id, since=work.now)
        work.session.add(held)
    if held.left_at is not None:
        held.since, held.joined_by_id, held.reason, held.left_at, held.left_by_id = work.now, None, "", None, None
    if not has_news and GROUPS_ONLY not in _topics(work, person):
        work.session.add(Subscription(commune_id=work.book.id, urn_id=person.urn.id, topic=GROUPS_ONLY, since=work.now))
    work.session.flush()
    turn.tell("group_joined", nhom=group.name, so=str(group.number))
    return _NOTHING


def leave(turn: Turn, command: Command) -> Filed | None:
    """Out of the group that was named; who came for groups only and is in none any more hears nothing further.

    None like joining.
    """
    work, person = turn.work, turn.person
    mine = [group for _, group in joined(work.session, [person.urn.id])]
    group = _named(turn, command) or (mine[0] if len(mine) == 1 and not command.rest else None)
    if group is None:
        return None if _is_a_sentence(command) else _tell_groups(turn, command)
    held = _membership(work, person, group)
    if held is None:  # so that nobody puts them in later, either
        held = Membership(commune_id=work.book.id, group_id=group.id, urn_id=person.urn.id, since=work.now)
        work.session.add(held)
    held.left_at, held.left_by_id = work.now, None
    work.session.flush()
    if len([one for one in mine if one.id != group.id]) == 0:
        _end_groups_only(work, person)
    turn.tell("group_left", nhom=group.name, so=str(group.number))
    return _NOTHING


def tell_groups(turn: Turn, command: Command) -> Filed:
    """Which groups there are, and how they are joined."""
    return _tell_groups(turn, command)


def groups_in_words(work: Work, person: Citizen) -> str:
    """The groups somebody belongs to, by name."""
    return ", ".join(group.name for _, group in joined(work.session, [person.urn.id]))


def _end_groups_only(work: Work, person: Citizen) -> None:
    topics = _topics(work, person)
    if GROUPS_ONLY not in topics:
        return
    gone = sa.delete(Subscription).where(Subscription.urn_id == person.urn.id, Subscription.topic == GROUPS_ONLY)
    if len(topics) > 1:
        work.session.execute(gone)
        return
    if opt(work, person, out=True, at=work.row.occurred_at):
        work.session.execute(gone)


def _topics(work: Work, person: Citizen) -> list[str]:
    return list(work.session.scalars(sa.select(Subscription.topic).where(Subscription.urn_id == person.urn.id)))


def _tell_groups(turn: Turn, command: Command) -> Filed:
    groups = groups_of(turn.work.session, turn.work.book.id)
    if not groups:
        turn.tell("group_none")
        return _NOTHING
    listed = "; ".join(f"{one.number}. {one.name}" for one in groups[:_LISTED]) + ("…" if groups[_LISTED:] else "")
    turn.tell("group_unknown" if command.rest else "group_list", danhsach=listed, gi=command.rest[:40])
    return _NOTHING


def _is_a_sentence(command: Command) -> bool:
    return len(command.rest.split()) > _NAME_AT_MOST


def _named(turn: Turn, command: Command) -> Group | None:
    """The group of this number or name; the longest name that stands in the words."""
    said = fold(command.rest).strip()
    if not said:
        return None
    groups = groups_of(turn.work.session, turn.work.book.id)
    if number := re.fullmatch(r"(?:so )?(\d{1,4})", said):
        return next((one for one in groups if one.number == int(number[1])), None)
    fitting = [one for one in groups if re.search(rf"\b{re.escape(one.name_folded)}\b", said)]
    parts = [one for one in groups if len(said) > 3 and said in one.name_folded]
    found = sorted(fitting, key=lambda one: -len(one.name_folded)) or (parts if len(parts) == 1 else [])
    return found[0] if found else None


def _membership(work: Work, person: Citizen, group: Group) -> Membership | None:
    query = sa.select(Membership).where(Membership.group_id == group.id, Membership.urn_id == person.urn.id)
    return work.session.scalar(query)
