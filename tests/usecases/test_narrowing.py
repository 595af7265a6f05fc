"""For whom only: language, last contact and further topics, in counts and in what is owed alike."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.usecases.broadcast import expand
from storage.announcements import Announcement
from storage.audiences import About, Narrowing, Whom, audience_of
from storage.contacts import Conversation, Urn
from storage.deliveries import Delivery
from storage.subscriptions import Subscription
from tests.builders import World, all_rows
from tests.usecases.bulletins import approved, bulletin, legs
from tests.usecases.telling import Phone, followers, phone

__all__ = ["phone"]


def neighbours(world: World) -> dict[str, str]:
    """Four followers; gives who is who by address."""
    now = world.clock()
    values = {
        "nói tiếng Anh": followers(world, 1)[0],
        "mới liên hệ": followers(world, 1)[0],
        "lâu chưa liên hệ": followers(world, 1, last_interaction_at=now - timedelta(days=100))[0],
        "chưa từng liên hệ": followers(world, 1, last_interaction_at=None)[0],
    }
    with world.runtime.database.transaction() as session:
        english = sa.select(Urn.id).where(Urn.value == values["nói tiếng Anh"]).scalar_subquery()
        session.execute(sa.update(Conversation).where(Conversation.urn_id == english).values(language="en"))
        of_water = session.scalars(sa.select(Urn.id).where(Urn.value == values["mới liên hệ"])).one()
        session.add(
            Subscription(commune_id=world.commune_id, urn_id=of_water, topic="nuoc-sach", place_id=0, since=now)
        )
    return {value: name for name, value in values.items()}


ALL = {"nói tiếng Anh", "mới liên hệ", "lâu chưa liên hệ", "chưa từng liên hệ"}


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        (About(), ALL),
        (About("", (), Narrowing(languages=("en",))), {"nói tiếng Anh"}),
        (About("", (), Narrowing(languages=("vi",))), ALL - {"nói tiếng Anh"}),
        (About("", (), Narrowing(languages=("en", "vi"))), ALL),
        (About("", (), Narrowing(seen_within=90)), {"nói tiếng Anh", "mới liên hệ"}),
        (About("", (), Narrowing(unseen_for=90)), {"lâu chưa liên hệ", "chưa từng liên hệ"}),
        (About("", (), Narrowing(seen_within=200, unseen_for=90)), {"lâu chưa liên hệ"}),
        (About("dien", (), Narrowing()), ALL - {"mới liên hệ"}),
        (About("dien", (), Narrowing(topics=("nuoc-sach",))), ALL),
        (About("dien", (), Narrowing(languages=("en",), seen_within=90)), {"nói tiếng Anh"}),
    ],
)
def test_who_is_told(world: World, about: About, expected: set[str]) -> None:
    neighbours(world)
    with world.runtime.database.reading() as session:
        counted = audience_of(session, world.channel_id, Whom(about, at=world.clock()), None)
    assert counted.count == len(expected)


def test_what_is_owed_is_what_was_approved(world: World, phone: Phone) -> None:
    who = neighbours(world)
    number = approved(world, about=About("", (), Narrowing(languages=("en",), seen_within=90)))
    [leg] = legs(world, number)
    assert leg.narrowing == bulletin(world, number).narrowing == {"languages": ["en"], "seen_within": 90}
    expand(world.runtime, leg.id)
    with world.runtime.database.reading() as session:
        query = sa.select(Urn.value).join(Delivery, Delivery.urn_id == Urn.id)
        told = {who[value] for value in session.scalars(query.where(Delivery.announcement_id == leg.id))}
    assert told == {"nói tiếng Anh"}


def test_an_audience_widened_past_the_approval_goes_to_nobody(world: World, phone: Phone) -> None:
    neighbours(world)
    number = approved(world, about=About("", (), Narrowing(languages=("en",))))
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Announcement).values(narrowing={}))
    [leg] = legs(world, number)
    expand(world.runtime, leg.id)
    assert [row for row in all_rows(world.runtime, Delivery) if row.announcement_id == leg.id] == []
    assert legs(world, number)[0].state.value == "stopped"
