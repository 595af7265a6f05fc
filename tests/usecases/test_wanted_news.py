"""Announcements about something: who chose that kind of news gets them, and whoever chose nothing."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.usecases import announcements
from bot.usecases.announcements import AnnouncementError
from bot.usecases.broadcast import expand
from storage.announcements import About
from storage.communes import Place
from storage.contacts import Urn
from storage.deliveries import Delivery
from storage.subscriptions import Subscription
from tests.builders import World
from tests.usecases.telling import approved, followers, the

NAMES = ("tất cả", "điện", "y tế", "xóm 5", "điện ở xóm 5", "xóm 7")


def places(world: World) -> tuple[int, int]:
    with world.runtime.database.transaction() as session:
        made = [Place(commune_id=world.commune_id, name=f"Xóm {n}", kind="xóm") for n in (95, 97)]
        made.append(Place(commune_id=world.commune_id, name="Cầu Mới", kind="cầu"))
        session.add_all(made)
        session.flush()
        return made[0].id, made[1].id


def choosing(world: World, five: int, seven: int) -> dict[str, str]:
    """A follower for each kind of choice; gives who is who by address."""
    chosen = ([], [("dien", 0)], [("y-te", 0)], [("", five)], [("dien", five)], [("", seven)])
    urns = followers(world, len(chosen))
    with world.runtime.database.transaction() as session:
        for value, wishes in zip(urns, chosen, strict=True):
            urn_id = session.scalars(sa.select(Urn.id).where(Urn.value == value)).one()
            session.add_all(
                Subscription(
                    commune_id=world.commune_id, urn_id=urn_id, topic=topic, place_id=place, since=world.clock()
                )
                for topic, place in wishes
            )
    return dict(zip(urns, NAMES, strict=True))


def told(world: World, who: dict[str, str], number: int) -> set[str]:
    expand(world.runtime, number)
    with world.runtime.database.reading() as session:
        query = sa.select(Urn.value).join(Delivery, Delivery.urn_id == Urn.id)
        return {who[value] for value in session.scalars(query.where(Delivery.announcement_id == number))}


@pytest.mark.parametrize(
    ("topic", "villages", "expected"),
    [
        ("", (), set(NAMES)),
        ("dien", (), {"tất cả", "điện", "xóm 5", "điện ở xóm 5", "xóm 7"}),
        ("y-te", (), {"tất cả", "y tế", "xóm 5", "xóm 7"}),
        ("dien", (0,), {"tất cả", "điện", "xóm 5", "điện ở xóm 5"}),
        ("", (0,), {"tất cả", "xóm 5"}),
        ("", (0, 1), {"tất cả", "xóm 5", "xóm 7"}),
        ("rac-thai", (1,), {"tất cả", "xóm 7"}),
    ],
)
def test_who_gets_it(world: World, topic: str, villages: tuple[int, ...], expected: set[str]) -> None:
    both = places(world)
    who = choosing(world, *both)
    about = About(topic, tuple(both[n] for n in villages))
    number = approved(world, about=about)
    assert told(world, who, number) == expected
    assert the(world, number).audience_count == len(expected)


def test_an_audience_changed_after_the_approval_is_not_sent_to(world: World) -> None:
    five, seven = places(world)
    who = choosing(world, five, seven)
    number = approved(world)
    with world.runtime.database.transaction() as session:
        session.execute(sa.text("UPDATE announcements SET topic = 'dien'"))
    assert told(world, who, number) == set()
    assert the(world, number).state == "stopped"


def test_a_topic_nobody_wants_is_refused_before_it_is_submitted(world: World) -> None:
    five, seven = places(world)
    choosing(world, five, seven)
    with world.runtime.database.transaction() as session:
        others = Urn.id.not_in(sa.select(Subscription.urn_id))
        session.execute(sa.update(Urn).where(others).values(opted_out_at=world.clock()))
        session.execute(sa.update(Subscription).values(topic="y-te"))
    with pytest.raises(AnnouncementError, match="chưa có ai"):
        approved(world, about=About("dien"))


@pytest.mark.parametrize("about", [About("khong-co"), About("", (987_654,))])
def test_what_does_not_exist_cannot_be_chosen(world: World, about: About) -> None:
    with pytest.raises(AnnouncementError, match="chọn"):
        approved(world, about=about)


def test_only_places_where_people_live_are_offered(world: World) -> None:
    places(world)
    offered = [place.name for place in announcements.villages_for(world.runtime, world.official("tuan"))]
    assert {"Xóm 95", "Xóm 97"} <= set(offered)
    assert "Cầu Mới" not in offered
