"""The last metre: who is on the list and who is not, by village, closed tick by tick, numbers shown for a reason."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.usecases import last_metre
from bot.usecases.announcing import NoSuchAnnouncement
from bot.usecases.last_metre import of_audience
from storage.audiences import About
from storage.audit import AuditEntry
from storage.bulletins import Telling
from storage.communes import Place
from storage.contacts import Contact, Urn
from storage.enums import Importance
from storage.subscriptions import Subscription
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.usecases.bulletins import a_bulletin, approved
from tests.usecases.conftest import morning
from tests.usecases.looking import take_in
from tests.usecases.telling import Phone, followers, phone, run
from tests.web.test_announcements import Browser
from tests.web.test_audiences import saved

__all__ = ["morning", "phone"]


def villages(world: World) -> tuple[int, int]:
    """Two villages, and a market in the first one."""
    with world.runtime.database.transaction() as session:
        made = [Place(commune_id=world.commune_id, name=f"Thôn {n}", kind="thôn") for n in (93, 95)]
        made.append(Place(commune_id=world.commune_id, name="Chợ Mới", kind="chợ", parent="Thôn 93"))
        session.add_all(made)
        session.flush()
        return made[0].id, made[1].id


def lives(world: World, value: str, place: int, **person: Any) -> int:
    """Where somebody said they live, and who they are; gives the contact's id."""
    with world.runtime.database.transaction() as session:
        urn = session.scalars(sa.select(Urn).where(Urn.value == value)).one()
        session.add(
            Subscription(commune_id=world.commune_id, urn_id=urn.id, topic="", place_id=place, since=world.clock())
        )
        for name, told in person.items():
            setattr(session.get_one(Contact, urn.contact_id), name, told)
        return urn.contact_id


def reporter(world: World, words: str, user: str, place: int | None = None) -> int:
    """A citizen who follows nothing and reported something there; gives the contact's id."""
    world.says(words, user=user)
    take_in(world)
    with world.runtime.database.transaction() as session:
        urn = session.scalars(sa.select(Urn).where(Urn.value == f"zalo:{user}" if ":" not in user else user)).first()
        urn = urn or session.scalars(sa.select(Urn).where(Urn.value.endswith(user))).one()
        urn.is_following = False
        ticket = session.scalars(sa.select(Ticket).where(Ticket.contact_id == urn.contact_id)).first()
        if ticket is not None and place is not None:
            ticket.place_id = place
        return urn.contact_id


def listed(world: World, number: int) -> dict[str, tuple[int, int]]:
    found = last_metre.overview(world.runtime, world.official("tuan"), number)
    return {one.name: (one.count, one.left) for one in found.villages}


def ids(world: World, number: int, place: int) -> list[int]:
    found = last_metre.sheet(world.runtime, world.official("tuan"), number, place)
    return [one.row.contact_id for one in found.people]


def refused() -> Exception:
    from adapters.errors import ContactUnreachable

    return ContactUnreachable("blocked", "Người dân đã chặn kênh.")


def test_who_got_it_is_not_there_and_who_did_not_is_under_their_village(morning: World, phone: Phone) -> None:
    three, five = villages(morning)
    got, blocked, mute = followers(morning, 3)
    [gone] = followers(morning, 1, unreachable_at=morning.clock())
    [quiet] = followers(morning, 1, opted_out_at=morning.clock())
    who = {value: lives(morning, value, three) for value in (got, blocked, gone, quiet)}
    lives(morning, mute, five)
    number = approved(morning)
    phone.failures = {blocked: [refused()], mute: [refused()]}
    run(morning)
    assert listed(morning, number) == {"Thôn 93": (2, 2), "Thôn 95": (1, 1)}
    assert ids(morning, number, three) == sorted([who[blocked], who[gone]])


def test_somebody_known_by_a_report_who_follows_nothing_is_there(morning: World, phone: Phone) -> None:
    three, _ = villages(morning)
    followers(morning, 1)
    known = reporter(morning, "Đèn đường hỏng ở xóm 5", "3000000000000000007", three)
    number = approved(morning)
    run(morning)
    assert ids(morning, number, three) == [known]
    page = Browser(morning, "hoa").get(f"/announcements/bulletins/{number}/last-metre/{three}").text
    assert "Không theo dõi kênh nào" in page


@pytest.mark.parametrize("mark", ["is_sealed", "is_restricted", "is_anonymous", "accuses_leaders", "is_spam"])
def test_whom_only_a_kept_report_tells_of_is_not_there(morning: World, phone: Phone, mark: str) -> None:
    three, _ = villages(morning)
    followers(morning, 1)
    reporter(morning, "Đèn đường hỏng ở xóm 5", "3000000000000000007", three)
    with morning.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).values(**{mark: True}))
    number = approved(morning)
    run(morning)
    assert listed(morning, number) == {}


def test_a_bulletin_for_one_village_lists_only_its_own_people(morning: World, phone: Phone) -> None:
    three, five = villages(morning)
    blocked, elsewhere = followers(morning, 2, unreachable_at=morning.clock())
    [well] = followers(morning, 1)
    here = lives(morning, blocked, three)
    lives(morning, elsewhere, five)
    lives(morning, well, three)
    reporter(morning, "Đèn đường hỏng ở xóm 5", "3000000000000000007", five)
    market = [one.id for one in all_rows(morning.runtime, Place) if one.name == "Chợ Mới"]
    nearby = reporter(morning, "Rác ở chợ đầy", "3000000000000000008", market[0])
    number = approved(morning, about=About("", (three,)))
    run(morning)
    assert listed(morning, number) == {"Thôn 93": (2, 2)}
    assert ids(morning, number, three) == sorted([here, nearby])


def test_an_emergency_lists_those_who_said_stop_as_well(morning: World, phone: Phone) -> None:
    three, _ = villages(morning)
    [quiet] = followers(morning, 1, opted_out_at=morning.clock(), unreachable_at=morning.clock())
    followers(morning, 1)
    lives(morning, quiet, three)
    number = approved(morning, importance=Importance.EMERGENCY)
    run(morning)
    assert listed(morning, number) == {"Thôn 93": (1, 1)}


def test_ticks_close_the_list_and_can_be_taken_back(morning: World, phone: Phone) -> None:
    three, _ = villages(morning)
    first, second = followers(morning, 2, unreachable_at=morning.clock())
    followers(morning, 1)
    one, other = lives(morning, first, three), lives(morning, second, three)
    number = approved(morning)
    run(morning)
    tuan, hoa = Browser(morning, "tuan"), Browser(morning, "hoa")
    where = f"/announcements/bulletins/{number}/last-metre"
    assert "còn 2 người chưa được báo" in tuan.get(where).text
    for _ in range(2):  # twice is once
        assert tuan.post(f"{where}/{three}/tellings", contact=str(one)).status_code == 303
    assert hoa.post(f"{where}/{three}/tellings", contact=str(other)).status_code == 303
    assert len(all_rows(morning.runtime, Telling)) == 2
    page = tuan.get(where).text
    assert "còn 0 người chưa được báo" in page
    assert "Đã báo đủ" in page
    assert morning.official("tuan").name in tuan.get(f"{where}/{three}").text
    assert tuan.post(f"{where}/{three}/tellings", contact=str(one), undo="1").status_code == 303
    assert "còn 1 người chưa được báo" in tuan.get(where).text
    assert tuan.post(f"{where}/{three}/tellings", contact="987654").status_code == 404


def test_numbers_are_masked_until_there_is_a_reason(morning: World, phone: Phone) -> None:
    three, _ = villages(morning)
    [gone] = followers(morning, 1, unreachable_at=morning.clock())
    followers(morning, 1)
    contact = lives(morning, gone, three, name="Trần Thị Bưởi", phone="0900000001")
    number = approved(morning)
    run(morning)
    tuan = Browser(morning, "tuan")
    where = f"/announcements/bulletins/{number}/last-metre/{three}"
    for path in (where, f"{where}/sheet"):
        page = tuan.get(path).text
        assert "Trần Thị Bưởi" in page
        assert "0900000001" not in page
    assert "0900000001" not in tuan.post(f"{where}/revealing", why="").text
    page = tuan.post(f"{where}/revealing", why="goi_lai").text
    assert "0900000001" in page
    [look] = [row for row in all_rows(morning.runtime, AuditEntry) if row.action == "contact.revealed"]
    assert look.target == f"contact:{contact}"
    assert look.data["why"] == "goi_lai"


def test_a_long_list_comes_in_pages(morning: World, phone: Phone) -> None:
    three, _ = villages(morning)
    followers(morning, 1)
    gone = followers(morning, 3, unreachable_at=morning.clock())
    contacts = [lives(morning, value, three) for value in gone]
    number = approved(morning)
    run(morning)
    tuan = morning.official("tuan")
    first = last_metre.sheet(morning.runtime, tuan, number, three, limit=2)
    assert [one.row.contact_id for one in first.people] == contacts[:2]
    assert first.next is not None
    second = last_metre.sheet(morning.runtime, tuan, number, three, after=first.next, limit=2)
    assert [one.row.contact_id for one in second.people] == contacts[2:]
    assert second.next is None


def test_of_a_saved_audience_those_are_listed_whom_no_channel_could_reach_now(morning: World) -> None:
    three, _ = villages(morning)
    [old] = followers(morning, 1, last_interaction_at=morning.clock() - timedelta(days=30))
    [well] = followers(morning, 1)
    late = lives(morning, old, three)
    lives(morning, well, three)
    number = saved(morning, About("", (three,)))
    tuan = morning.official("tuan")
    found = last_metre.sheet(morning.runtime, tuan, number, three, finding=of_audience)
    assert [one.row.contact_id for one in found.people] == [late]
    page = Browser(morning, "tuan").get(f"/announcements/audiences/{number}/last-metre/{three}").text
    assert "Lâu chưa liên hệ" in page
    assert "/tellings" not in page


@pytest.mark.parametrize(("who", "status"), [("tuan", 200), ("hoa", 200), ("mai", 200), ("an", 403), ("lan", 403)])
def test_who_may_look(morning: World, phone: Phone, who: str, status: int) -> None:
    followers(morning, 1)
    number = approved(morning)
    assert Browser(morning, who).get(f"/announcements/bulletins/{number}/last-metre").status_code == status


def test_nothing_is_there_before_the_approval_or_of_another_commune(morning: World) -> None:
    number = a_bulletin(morning)
    tuan = Browser(morning, "tuan")
    assert tuan.get(f"/announcements/bulletins/{number}/last-metre").status_code == 303
    assert tuan.get("/announcements/bulletins/999/last-metre").status_code == 404
    assert tuan.get("/announcements/audiences/999/last-metre").status_code == 404
    with pytest.raises(NoSuchAnnouncement):
        last_metre.overview(morning.runtime, morning.official("tuan"), 999)
    assert not re.search("last-metre", tuan.get(f"/announcements/bulletins/{number}").text)
