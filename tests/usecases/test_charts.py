"""Charts: every number opens exactly its reports, agrees with the month's book, and tells nothing of what is sealed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.rules.deadlines import VIETNAM
from bot.rules.periods import Closing, month_of
from bot.usecases.charts import By, Charts, Line, Number, charts
from bot.usecases.month_book import month_book
from bot.usecases.ticket_list import listing
from storage.agencies import Agency
from storage.communes import Commune, Place
from storage.enums import TicketState
from storage.figures import Figure, Timing
from storage.tickets import Ticket, View
from tests.builders import World, all_rows
from tests.web.test_inbox import many

S = TicketState
OCTOBER = month_of(2026, 10)


def at(day: int, hour: int = 8, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=VIETNAM)


def a_busy_commune(world: World) -> None:
    """Reports of September and October in every state, by a die that always falls alike; sealed and spam among them."""
    die = random.Random(7)
    places = [None, *(place.id for place in all_rows(world.runtime, Place))]
    agencies = [None, *(one.id for one in all_rows(world.runtime, Agency) if one.commune_id == world.commune_id)][:5]
    numbers = many(world, 160)
    with world.runtime.database.transaction() as session:
        for ticket in session.scalars(sa.select(Ticket).where(Ticket.id.in_(numbers))):
            opened = at(1, 0, 9) + timedelta(minutes=die.randrange(37 * 24 * 60))
            state = die.choice(list(S))
            ended = opened + timedelta(hours=die.randrange(1, 200))
            values: dict[str, Any] = {
                "opened_at": opened, "due_at": opened + timedelta(hours=die.choice([24, 72, 120])), "state": state,
                "is_open": state.is_open, "topic": die.choice([None, "dien", "rac-thai", "giao-thong"]),
                "place_id": die.choice(places), "agency_id": die.choice(agencies),
                "answered_at": ended if state in {S.ANSWERED, S.CLOSED, S.REOPENED} else None,
                "closed_at": ended if state in {S.DECLINED, S.MERGED, S.WITHDRAWN, S.CLOSED} else None,
                "paused_at": opened if state is S.WAITING_CITIZEN else None,
                "reopened_count": int(state is S.REOPENED), "is_spam": die.random() < 0.05,
                "rating": die.choice([None, 1, 2, 3]) if state in {S.ANSWERED, S.CLOSED} else None,
                "is_sealed": die.random() < 0.1,
            }  # fmt: skip
            for name, value in values.items():
                setattr(ticket, name, value)


def numbers_of(found: Charts) -> Iterator[Number]:
    """Each number the page shows."""
    yield from (found.carried, found.taken, *found.figures.values())
    for part in found.parts:
        yield from (part.received, part.answered, part.late)
    for line in [found.total, *(line for lines in found.lines.values() for line in lines)]:
        yield from (line.received, *line.timings.values())


def listed(world: World, number: Number, who: str = "lan") -> int | None:
    """How many the list of a number's reports says it holds."""
    official = world.official(who)
    with world.runtime.database.reading() as session:
        commune = session.get_one(Commune, world.commune_id)
    return listing(world.runtime, official, commune, View.ALL, filters=number.of, holidays={}).many


def test_every_number_is_the_length_of_its_list_and_agrees_with_the_months_book(world: World) -> None:
    a_busy_commune(world)
    lan = world.official("lan")
    found = charts(world.runtime, lan, OCTOBER)
    shown = {number.of: number.many for number in numbers_of(found) if number.many}
    assert len(shown) > 60
    assert {of: listed(world, Number(0, of)) for of in shown} == shown
    assert listed(world, found.taken, "mai") == found.taken.many  # who reads what is sealed counts no more
    book = month_book(world.runtime, lan, 2026, 10)
    assert found.carried.many == book.carried > 0
    assert [found.total.received.many, *(found.total.timings[one].many for one in Timing)] == list(book.total.figures)
    assert found.total.share_in_time == book.share_in_time
    assert sorted(line.received.many for line in found.lines[By.AGENCY]) == sorted(s.received for s in book.agencies)
    for lines in found.lines.values():
        assert sum(line.received.many for line in lines) == found.total.received.many
    assert sum(part.received.many for part in found.parts) == found.total.received.many


def test_a_province_may_close_its_books_at_noon_of_the_25th(world: World) -> None:
    for hour in (at(25, 11, 9), at(25, 12, 9), at(30, 8, 9)):
        many(world, 1, opened_at=hour)
    found = charts(world.runtime, world.official("lan"), month_of(2026, 10, Closing.NOON_OF_25TH))
    assert (found.total.received.many, found.carried.many) == (2, 1)
    assert [part.received.many for part in found.parts[:7]] == [1, 0, 0, 0, 0, 1, 0]
    assert listed(world, found.parts[0].received) == 1


def test_rates_say_of_what_they_are(world: World) -> None:
    answered = {"state": S.ANSWERED, "is_open": False, "opened_at": at(5), "due_at": at(6)}
    many(world, 2, **answered, answered_at=at(5, 10), rating=3)
    many(world, 1, **answered, answered_at=at(6, 10), rating=1)  # a working day and two hours
    many(world, 1, **{**answered, "state": S.REOPENED, "is_open": True}, reopened_count=1)
    many(world, 1, **{**answered, "state": S.DECLINED}, closed_at=at(5, 9))
    found = charts(world.runtime, world.official("lan"), OCTOBER)
    assert found.total.share_in_time == pytest.approx(3 / 5)  # reopened and over its deadline is late
    assert found.minutes_to_answer == 120  # of 60, 120, 120 and 570
    figures = {one: number.many for one, number in found.figures.items()}
    assert (figures[Figure.CONTENT], figures[Figure.RATED]) == (2, 3)
    assert (figures[Figure.HAD_RESULT], figures[Figure.DECLINED], figures[Figure.REOPENED]) == (4, 1, 1)


def ranks(world: World) -> dict[str, int | None]:
    lines: list[Line] = charts(world.runtime, world.official("lan"), OCTOBER).lines[By.AGENCY]
    return {line.name: line.rank for line in lines}


def test_units_are_ranked_from_twenty_answers_on(world: World) -> None:
    by_slug = {one.slug: one for one in all_rows(world.runtime, Agency) if one.commune_id == world.commune_id}
    in_time = {"state": S.ANSWERED, "is_open": False, "opened_at": at(5), "due_at": at(6), "answered_at": at(5, 9)}
    late = {**in_time, "answered_at": at(6, 9)}
    many(world, 19, agency_id=by_slug["van-phong"].id, **in_time)
    many(world, 20, agency_id=by_slug["kinh-te"].id, **in_time)
    many(world, 19, agency_id=by_slug["van-hoa-xa-hoi"].id, **in_time)
    many(world, 1, agency_id=by_slug["van-hoa-xa-hoi"].id, **late)
    many(world, 25, agency_id=None, **in_time)
    assert ranks(world) == {
        by_slug["van-phong"].name: None, by_slug["kinh-te"].name: 1, by_slug["van-hoa-xa-hoi"].name: 2, "": None,
    }  # fmt: skip


def test_who_administers_sees_sums_only(world: World) -> None:
    assert charts(world.runtime, world.official("an"), OCTOBER).has_lines is False
