"""News: which of the commune's announcements a citizen wants, by topic and by village."""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlalchemy as sa

from bot.rules.commands import Command
from bot.usecases.citizens import opt
from bot.usecases.filing import Filed
from bot.usecases.telling import label, voice_of
from bot.usecases.turns import Turn
from bot.usecases.work import Citizen, Work
from nlp.normalise import fold, normalise
from nlp.topics import TOPICS, find_phrases
from storage.communes import Place
from storage.groups import joined
from storage.subscriptions import GROUPS_ONLY, Subscription

_NOTHING = Filed(None)
_ALL = re.compile(r"\b(?:tat ca|het|moi tin|everything|all)\b")
# What people call the subjects announcements are about, where a word is too short for the reader.
_NAMES = {
    "dien": "dien", "cup dien": "dien", "mat dien": "dien", "nuoc": "nuoc-sach", "cup nuoc": "nuoc-sach",
    "y te": "y-te",
    "tiem chung": "y-te", "dich benh": "y-te", "truong hoc": "giao-duc", "giao duc": "giao-duc", "rac": "rac-thai",
    "bao lu": "thien-tai", "thien tai": "thien-tai", "lu lut": "thien-tai", "thoi tiet": "thien-tai",
    "nong nghiep": "nong-nghiep", "mua vu": "nong-nghiep", "chan nuoi": "vat-nuoi", "an ninh": "an-ninh-trat-tu",
    "giao thong": "giao-thong-duong-sa", "thu tuc": "thu-tuc-hanh-chinh", "dat dai": "dat-dai",
    "van hoa": "van-hoa-the-thao",
    "power": "dien", "electricity": "dien", "water": "nuoc-sach", "health": "y-te", "school": "giao-duc",
    "schools": "giao-duc", "garbage": "rac-thai", "rubbish": "rac-thai", "storm": "thien-tai", "storms": "thien-tai",
    "flood": "thien-tai", "floods": "thien-tai", "weather": "thien-tai", "farming": "nong-nghiep",
    "security": "an-ninh-trat-tu", "traffic": "giao-thong-duong-sa", "roads": "giao-thong-duong-sa",
    "land": "dat-dai", "paperwork": "thu-tuc-hanh-chinh",
    "tro cap": "an-sinh-xa-hoi", "an sinh": "an-sinh-xa-hoi", "mat nuoc": "nuoc-sach",
}  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """What was named: topics, and places of the commune's list."""

    topics: tuple[str, ...] = ()
    place_ids: tuple[int, ...] = ()

    @property
    def pairs(self) -> list[tuple[str, int]]:
        """As rows: a topic and a place named together mean that topic there."""
        if self.topics and self.place_ids:
            return [(topic, place) for topic in self.topics for place in self.place_ids]
        return [(topic, 0) for topic in self.topics] + [("", place) for place in self.place_ids]


def subscribe(turn: Turn, command: Command) -> Filed:
    """News again, of all kinds or of those named."""
    work, person = turn.work, turn.person
    wanted = _named(turn, command)
    if command.rest and not wanted.pairs and not _ALL.search(command.rest):
        turn.tell("news_unknown", gi=command.rest[:60])
        return _NOTHING
    if not opt(work, person, out=False, at=turn.message.occurred_at):
        return _NOTHING
    limits = work.runtime.adapters[work.channel.type].limits
    if limits.is_sms or not limits.tells_followers:
        person.urn.is_following = True  # nobody can be seen to follow there: this wish is the consent
    if not wanted.pairs:
        work.session.execute(sa.delete(Subscription).where(Subscription.urn_id == person.urn.id))
        turn.tell("subscribed")
        return _NOTHING
    held = {(row.topic, row.place_id) for row in _rows(work, person)}
    work.session.add_all(
        Subscription(commune_id=work.book.id, urn_id=person.urn.id, topic=topic, place_id=place, since=work.now)
        for topic, place in wanted.pairs
        if (topic, place) not in held
    )
    work.session.flush()
    turn.tell("subscribed_to", gi=wanted_in_words(work, person))
    return _NOTHING


def unsubscribe(turn: Turn, command: Command) -> Filed:
    """No more news, or no more of those named."""
    work, person = turn.work, turn.person
    wanted = _named(turn, command)
    if command.rest and not (wanted.pairs and _rows(work, person)) and not _ALL.search(command.rest):
        turn.tell("news_some")  # who gets everything, or names what we do not know, loses nothing by it
        return _NOTHING
    kept = [row for row in _rows(work, person) if not _is_named(row, wanted)] if wanted.pairs else []
    if not wanted.pairs or not kept:
        if opt(work, person, out=True, at=turn.message.occurred_at):
            work.session.execute(sa.delete(Subscription).where(Subscription.urn_id == person.urn.id))
            turn.tell("unsubscribed")
        return _NOTHING
    gone = [row for row in _rows(work, person) if _is_named(row, wanted)]
    named = _in_words(work, person, [(row.topic, row.place_id) for row in gone] or wanted.pairs)
    for row in gone:
        work.session.delete(row)
    work.session.flush()
    turn.tell("unsubscribed_from", gi=named, con=wanted_in_words(work, person))
    return _NOTHING


def wanted_in_words(work: Work, person: Citizen) -> str:
    """What somebody gets, as one says it."""
    if person.urn.opted_out_at is not None:
        return voice_of(work, person).phrase("no_news")
    wanted = _in_words(work, person, [(row.topic, row.place_id) for row in _rows(work, person)])
    groups = [voice_of(work, person).phrase("group", ten=one.name) for _, one in joined(work.session, [person.urn.id])]
    return "; ".join([wanted, *groups])


def _rows(work: Work, person: Citizen) -> list[Subscription]:
    query = sa.select(Subscription).where(Subscription.urn_id == person.urn.id).order_by(Subscription.id)
    return list(work.session.scalars(query))


def _is_named(row: Subscription, wanted: Wanted) -> bool:
    return row.topic in wanted.topics or row.place_id in wanted.place_ids


def _in_words(work: Work, person: Citizen, pairs: list[tuple[str, int]]) -> str:
    names = {p.id: p.name for p in work.session.scalars(sa.select(Place).where(Place.id.in_([p for _, p in pairs])))}
    voice = voice_of(work, person)
    said = []
    for topic, place in pairs:
        what, where = label(topic, voice.language) if topic in TOPICS else "", names.get(place, "")
        said.append(voice.phrase("at", gi=what, noi=where) if what and where else what or where)
    if any(topic == GROUPS_ONLY for topic, _ in pairs):
        said.append(voice.phrase("group_news"))
    return "; ".join(filter(None, said)) or voice.phrase("all_news")


def _named(turn: Turn, command: Command) -> Wanted:
    """The topics and places in the wish."""
    folded = command.rest or fold(turn.message.text)
    if _ALL.search(folded):
        return Wanted()
    reading = turn.reading
    places = tuple(int(p.key) for p in reading.places if p.level == "place") if reading else ()
    named = {slug for name, slug in _NAMES.items() if re.search(rf"\b{name}\b", folded)}
    if command.rest and not named:
        named = {hit.value.slug for hit in find_phrases(normalise(command.rest))} - {"thong-tin-co-so"}
    return Wanted(tuple(sorted(named & TOPICS.keys())), places)
