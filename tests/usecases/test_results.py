"""What became of an announcement, for whom."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
import sqlalchemy as sa

from adapters.errors import ContactUnreachable, OutcomeUnknown
from bot.rules.spreadsheet import MARK
from bot.usecases import announcements, results
from bot.usecases.announcements import AnnouncementError, NoSuchAnnouncement
from storage.announcements import Announcement
from storage.audit import AuditEntry
from storage.contacts import Contact
from storage.enums import DeliveryState
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.telling import Phone, approved, followers, phone, run

__all__ = ["phone"]


def test_results_count_people_by_what_became_of_it(world: World, phone: Phone) -> None:
    [blocked, unclear, *_] = followers(world, 5)
    phone.failures = {
        blocked: [ContactUnreachable("blocked", "Người dân đã chặn kênh.")],
        unclear: [OutcomeUnknown("timeout", "Không rõ.")],
    }
    number = approved(world)
    run(world)
    look = results.look_at(world.runtime, world.official("tuan"), number)
    assert look.counts == {"sent": 3, "refused": 1, "unknown": 1, "waiting": 0, "cancelled": 0}
    assert (look.total, look.done, look.is_running) == (5, 5, False)
    assert (look.author, look.approver) == ("Phạm Anh Tuấn", "Võ Thị Hoa")


def test_those_not_yet_written_down_wait_as_well(world: World) -> None:
    followers(world, 4)
    number = approved(world)
    look = results.look_at(world.runtime, world.official("hoa"), number)
    assert (look.counts["waiting"], look.done, look.is_running) == (4, 0, True)


def test_people_can_be_seen_by_outcome(world: World, phone: Phone) -> None:
    [blocked, _] = followers(world, 2)
    phone.failures[blocked] = [ContactUnreachable("blocked", "Người dân đã chặn kênh.")]
    number = approved(world)
    run(world)
    who = world.official("tuan")
    assert [p.urn for p in results.people(world.runtime, who, number, group="refused")] == [blocked]
    assert len(results.people(world.runtime, who, number)) == 2


def test_the_list_shows_the_newest_first(world: World) -> None:
    followers(world, 1)
    first, second = approved(world, "Một"), approved(world, "Hai")
    with world.runtime.database.transaction() as session:  # as they were before there were bulletins
        session.execute(sa.update(Announcement).values(bulletin_id=None))
    lines = results.listing(world.runtime, world.official("an"))
    assert [line.announcement.id for line in lines] == [second, first]
    assert [line.announcement.id for line in results.listing(world.runtime, world.official("an"), before=second)] == [
        first
    ]


def test_the_table_to_take_away_has_names_but_no_addresses(world: World, phone: Phone) -> None:
    [named, nameless] = followers(world, 2)
    with world.runtime.database.transaction() as session:
        first = session.scalar(sa.select(sa.func.min(Contact.id)))
        session.get_one(Contact, first).name = "=HYPERLINK(1)"
    phone.failures[nameless] = [ContactUnreachable("blocked", "Người dân đã chặn kênh.")]
    number = approved(world)
    run(world)
    made = results.export(world.runtime, world.official("tuan"), number)
    rows = list(csv.reader(io.StringIO(made.removeprefix(MARK), newline="")))
    assert rows[1][:4] == ["'=HYPERLINK(1)", "Đã gửi", "", "12:00 ngày 07/10/2026"]
    assert rows[2][:3] == ["zalo …0001", "Không gửi được", "Người dân đã chặn kênh."]
    assert named.partition(":")[2] not in made
    entry = all_rows(world.runtime, AuditEntry)[-1]
    assert (entry.action, entry.data) == ("announcement.exported", {"rows": 2})


@pytest.mark.parametrize("who", ["lan", "hung"])
def test_who_has_no_part_in_announcements_sees_none(world: World, who: str) -> None:
    followers(world, 1)
    number = approved(world)
    with pytest.raises(AnnouncementError, match="quyền xem"):
        results.listing(world.runtime, world.official(who))
    with pytest.raises(AnnouncementError, match="quyền xem"):
        results.look_at(world.runtime, world.official(who), number)


def test_another_communes_results_do_not_exist(world: World) -> None:
    followers(world, 1)
    number = approved(world)
    stranger = world.official("tuan")
    stranger.commune_id += 1
    for ask in (results.look_at, results.people, results.export):
        with pytest.raises(NoSuchAnnouncement):
            ask(world.runtime, stranger, number)


def test_an_announcement_that_is_waiting_for_the_morning_says_so(world: World, clock: Clock) -> None:
    followers(world, 1)
    clock.move(hours=10)  # ten in the evening
    number = approved(world)
    announcements.expand_due(world.runtime)
    look = results.look_at(world.runtime, world.official("tuan"), number)
    assert look.waits_until is not None
    assert look.waits_until - clock.now == timedelta(hours=8, minutes=30)


def test_every_state_of_a_delivery_has_words_and_a_group() -> None:
    assert set(results.WORDS) == set(DeliveryState)
    assert {state for members in results.GROUPS.values() for state in members} == set(DeliveryState)
