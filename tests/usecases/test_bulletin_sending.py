"""Classes, hours, caps, validity and following up: who is told what, when, and who is not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.errors import ContactUnreachable, OutcomeUnknown
from bot.rules.deadlines import VIETNAM
from bot.usecases import announcements, articles, broadcast, bulletin_following, bulletin_results, bulletins
from bot.usecases.announcements import AnnouncementError
from bot.usecases.deliveries import PRIORITY_REPLY, claim, owe
from bot.usecases.ledger import balance
from bot.usecases.sending import MANY, PERSONAL, channels_with_due, send_due
from bot.usecases.sweep import waiting_jobs
from storage.announcements import miscounted
from storage.articles import Article
from storage.audiences import About
from storage.channels import Channel
from storage.communes import Place
from storage.contacts import Urn
from storage.deliveries import Delivery, DeliveryCount
from storage.enums import AnnouncementState, ArticleState, BulletinKind, BulletinState, DeliveryKind, Importance
from storage.subscriptions import Subscription
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.bulletins import (
    a_bulletin,
    approve,
    approved,
    bulletin,
    legs,
    on,
    second_channel,
    submit,
    submitted,
    tried,
    written,
)
from tests.usecases.telling import Phone, counts, followers, phone, run, wishes

__all__ = ["phone"]


def told(world: World, phone: Phone, **changes: Any) -> tuple[int, list[str]]:
    """A bulletin goes out; gives its number and who read it."""
    number = approved(world, **changes)
    return number, sent_by(phone, lambda: run(world))


def sent_by(phone: Phone, act: Callable[[], object]) -> list[str]:
    """Who was written to by what was done."""
    phone.sent.clear()
    act()
    return phone.readers


def at_night(clock: Clock) -> None:
    clock.now = datetime(2026, 10, 7, 23, 30, tzinfo=VIETNAM)


# ---- hours ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("importance", [Importance.ROUTINE, Importance.PRIORITY])
def test_at_night_what_may_wait_waits_for_the_morning(
    world: World, phone: Phone, clock: Clock, importance: Importance
) -> None:
    followers(world, 2)
    at_night(clock)
    number, readers = told(world, phone, importance=importance)
    assert readers == []
    clock.now = datetime(2026, 10, 8, 6, 31, tzinfo=VIETNAM)
    assert len(sent_by(phone, lambda: run(world))) == 2
    assert legs(world, number)[0].state is AnnouncementState.SENT


def test_an_emergency_goes_out_at_night(world: World, phone: Phone, clock: Clock) -> None:
    followers(world, 2)
    at_night(clock)
    _, readers = told(world, phone, importance=Importance.EMERGENCY)
    assert len(readers) == 2


def test_an_emergency_at_night_takes_nothing_along_that_may_wait(world: World, phone: Phone, clock: Clock) -> None:
    followers(world, 2)
    routine = approved(world, title="Tin thường")
    announcements.expand_due(world.runtime)
    at_night(clock)
    _, readers = told(world, phone, importance=Importance.EMERGENCY, title="Lũ lên nhanh")
    assert len(readers) == 2
    assert {text.split("\n")[0] for _, text in phone.sent} == {"Lũ lên nhanh"}
    assert counts(world, legs(world, routine)[0].id) == {"waiting": 2}


def test_an_emergency_overtakes_what_was_approved_before(world: World, phone: Phone) -> None:
    followers(world, 3)
    classes = (Importance.ROUTINE, Importance.PRIORITY, Importance.EMERGENCY)
    numbers = [approved(world, importance=importance) for importance in classes]
    announcements.expand_due(world.runtime)
    taken = []
    for _ in numbers:
        with world.runtime.database.transaction() as session:
            taken.append({one.announcement_id for one in claim(session, world.channel, MANY, 3, "a", world.clock())})
    assert taken == [{legs(world, number)[0].id} for number in reversed(numbers)]


# ---- a million ------------------------------------------------------------------------------------------------------


def test_what_is_on_hold_holds_up_nothing_else_on_its_channel(world: World, phone: Phone) -> None:
    followers(world, 3)
    held = approved(world, importance=Importance.PRIORITY)
    routine, urgent = approved(world), approved(world, importance=Importance.PRIORITY, title="Nước lên")
    announcements.expand_due(world.runtime)
    bulletins.pause(world.runtime, world.official("hoa"), held)
    taken = []
    for _ in range(3):
        with world.runtime.database.transaction() as session:
            taken.append([one.announcement_id for one in claim(session, world.channel, MANY, 4, "a", world.clock())])
    first, second = (legs(world, number)[0].id for number in (urgent, routine))
    assert taken == [[first] * 3 + [second], [second] * 2, []]
    bulletins.resume(world.runtime, world.official("hoa"), held)
    with world.runtime.database.transaction() as session:
        assert len(claim(session, world.channel, MANY, 4, "a", world.clock())) == 3


def test_two_at_once_do_not_bring_anybody_more_than_they_get(world: World, phone: Phone) -> None:
    followers(world, 6)
    told(world, phone, importance=Importance.PRIORITY, title="Lần đầu")
    numbers = [approved(world, importance=Importance.PRIORITY, title=f"Lần {n}") for n in (2, 3)]
    start = threading.Barrier(2)

    def work(number: int) -> int:
        start.wait()
        return announcements.expand(world.runtime, legs(world, number)[0].id)

    with ThreadPoolExecutor(2) as pool:
        owed = list(pool.map(work, numbers))
    assert sum(owed) == 6


def test_whoever_is_still_to_be_written_down_waits(world: World, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    followers(world, 5)
    number = approved(world)
    reader = world.official("mai")
    before = bulletin_results.look_at(world.runtime, reader, number)
    assert (before.done, before.total) == (0, 5)
    monkeypatch.setattr(broadcast, "CHUNK", 2)
    announcements.expand(world.runtime, legs(world, number)[0].id, budget_seconds=0)
    part = bulletin_results.look_at(world.runtime, reader, number)
    assert (part.counts["waiting"], part.total) == (5, 5)
    assert counts(world, legs(world, number)[0].id) == {"waiting": 2}


def test_counts_follow_every_way_a_delivery_takes(world: World, phone: Phone) -> None:
    values = followers(world, 4)
    phone.failures = {values[0]: [OutcomeUnknown("timeout")], values[1]: [ContactUnreachable("blocked", "Đã chặn.")]}
    number = approved(world)
    announcements.expand_due(world.runtime)
    wishes(world, values[2], out=True)
    run(world)
    of = legs(world, number)[0].id
    assert counts(world, of) == {"unknown": 1, "refused": 1, "cancelled": 1, "sent": 1}
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Delivery).where(Delivery.announcement_id == of).values(state="read"))
        assert miscounted(session) == []
    assert counts(world, of) == {"read": 4}


def test_a_count_that_is_wrong_is_found(world: World, phone: Phone) -> None:
    followers(world, 2)
    number, _ = told(world, phone)
    of = legs(world, number)[0].id
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(DeliveryCount).values(number=7))
    assert any(f"[{of}]" in problem for problem in balance(world.runtime).problems)


def test_a_reply_is_claimed_past_announcements_that_wait(world: World, phone: Phone) -> None:
    followers(world, 3)
    approved(world)
    announcements.expand_due(world.runtime)
    with world.runtime.database.transaction() as session:
        urn = session.scalars(sa.select(Urn).order_by(Urn.id).limit(1)).one()
        owe(session, world.runtime, channel=world.channel, urn=urn, text="Chào bà", kind=DeliveryKind.REPLY,
            key="reply:1", priority=PRIORITY_REPLY)  # fmt: skip
    assert set(waiting_jobs(world.runtime)) >= {"replies", "broadcast"}
    assert channels_with_due(world.runtime, PERSONAL) == [world.channel_id]
    with world.runtime.database.transaction() as session:
        assert [one.text for one in claim(session, world.channel, PERSONAL, 8, "a", world.clock())] == ["Chào bà"]
        assert claim(session, world.channel, PERSONAL, 8, "a", world.clock()) == []
    assert "replies" not in waiting_jobs(world.runtime)


# ---- who may not be disturbed ---------------------------------------------------------------------------------------


def test_an_emergency_reaches_who_stopped_announcements_and_nobody_who_left(world: World, phone: Phone) -> None:
    [stays] = followers(world, 1)
    [stopped] = followers(world, 1, opted_out_at=world.clock())
    followers(world, 1, is_following=False)
    _, readers = told(world, phone, importance=Importance.EMERGENCY)
    assert readers == sorted([stays, stopped])
    assert told(world, phone)[1] == [stays]


def test_a_stop_word_in_the_middle_stops_all_but_an_emergency(world: World, phone: Phone) -> None:
    [value] = followers(world, 1)
    routine, alarm = approved(world), approved(world, importance=Importance.EMERGENCY)
    announcements.expand_due(world.runtime)
    wishes(world, value, out=True)
    assert sent_by(phone, lambda: run(world)) == [value]
    assert counts(world, legs(world, routine)[0].id) == {"cancelled": 1}
    assert counts(world, legs(world, alarm)[0].id) == {"sent": 1}


def test_a_chosen_subject_does_not_keep_an_emergency_away_but_another_village_does(world: World, phone: Phone) -> None:
    with world.runtime.database.reading() as session:
        five, seven = session.scalars(
            sa.select(Place.id).where(Place.name.in_(["Xóm 5", "Xóm 7"])).order_by(Place.name)
        ).all()
    wants = {"health": ("y-te", 0), "there": ("", five), "elsewhere": ("", seven)}
    values = {name: followers(world, 1)[0] for name in wants}
    with world.runtime.database.transaction() as session:
        for name, (topic, place_id) in wants.items():
            urn = session.scalars(sa.select(Urn).where(Urn.value == values[name])).one()
            session.add(
                Subscription(
                    commune_id=world.commune_id, urn_id=urn.id, topic=topic, place_id=place_id, since=world.clock()
                )
            )
    about = About("dien", (five,))
    _, readers = told(world, phone, importance=Importance.EMERGENCY, about=about)
    assert readers == sorted([values["health"], values["there"]])


# ---- enough ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("importance", "most", "later"),
    [(Importance.ROUTINE, 3, timedelta(days=7, hours=1)), (Importance.PRIORITY, 2, timedelta(hours=25))],
)
def test_who_had_enough_of_a_class_is_left_out_and_counted(
    world: World, phone: Phone, clock: Clock, importance: Importance, most: int, later: timedelta
) -> None:
    [regular] = followers(world, 1)
    for _ in range(most):
        assert told(world, phone, importance=importance)[1] == [regular]
    [newcomer] = followers(world, 1)
    number, readers = told(world, phone, importance=importance)
    assert readers == [newcomer]
    assert [leg.left_out for leg in legs(world, number)] == [1]
    look = bulletin_results.look_at(world.runtime, world.official("mai"), number)
    assert (look.total, look.done, look.left_out, look.standing) == (1, 1, 1, "sent")
    clock.move(seconds=later.total_seconds())
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Urn).values(last_interaction_at=clock()))
    assert told(world, phone, importance=importance)[1] == sorted([regular, newcomer])


def test_what_was_refused_was_not_had(world: World, phone: Phone) -> None:
    [value] = followers(world, 1)
    for _ in range(2):
        told(world, phone)
    phone.failures[value] = [ContactUnreachable("blocked", "Đã chặn.")]
    number = approved(world)
    run(world)
    assert counts(world, legs(world, number)[0].id) == {"refused": 1}
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Urn).values(unreachable_at=None))
    assert told(world, phone)[1] == [value]


def test_the_preview_tells_how_many_will_be_left_out(world: World, phone: Phone) -> None:
    followers(world, 2)
    for _ in range(3):
        told(world, phone)
    followers(world, 1)
    look = bulletin_results.look_at(world.runtime, world.official("tuan"), a_bulletin(world))
    assert look.preview is not None
    assert (look.preview.count, look.preview.left_out) == (1, 2)


def test_there_is_never_enough_of_emergencies(world: World, phone: Phone) -> None:
    [value] = followers(world, 1)
    for _ in range(5):
        assert told(world, phone, importance=Importance.EMERGENCY)[1] == [value]


# ---- an emergency is looked at afterwards ---------------------------------------------------------------------------


def test_an_emergency_says_why_and_is_looked_at_by_a_third_person(world: World, phone: Phone) -> None:
    followers(world, 1)
    number = submitted(world, importance=Importance.EMERGENCY)
    seen = bulletins.plan_of(bulletin(world, number)).digest
    with pytest.raises(AnnouncementError, match="lý do"):
        bulletins.approve(world.runtime, world.official("mai"), number, seen_hash=seen)
    approve(world, number, "mai", reason="Đê vỡ ở xóm 5.")
    with pytest.raises(AnnouncementError, match="người thứ ba"):
        bulletins.review(world.runtime, world.official("mai"), number)
    bulletins.review(world.runtime, world.official("hoa"), number)
    row = bulletin(world, number)
    assert (row.approval_reason, row.reviewed_by_id) == ("Đê vỡ ở xóm 5.", world.officials["hoa"])


def test_what_is_no_emergency_is_not_looked_at_again(world: World, phone: Phone) -> None:
    followers(world, 1)
    number = approved(world)
    with pytest.raises(AnnouncementError, match="không chờ xem lại"):
        bulletins.review(world.runtime, world.official("mai"), number)


# ---- schedule and validity ------------------------------------------------------------------------------------------


def test_what_is_for_later_begins_then(world: World, phone: Phone, clock: Clock) -> None:
    followers(world, 2)
    number, readers = told(world, phone, send_at=clock() + timedelta(hours=3))
    assert readers == []
    assert "broadcast" not in waiting_jobs(world.runtime)
    look = bulletin_results.look_at(world.runtime, world.official("mai"), number)
    assert (look.standing, look.counts["waiting"]) == ("scheduled", 2)
    clock.move(hours=3)
    assert "broadcast" in waiting_jobs(world.runtime)
    assert len(sent_by(phone, lambda: run(world))) == 2


def test_nothing_is_written_down_after_the_end_of_validity(world: World, phone: Phone, clock: Clock) -> None:
    followers(world, 2)
    number = approved(world, valid_until=clock() + timedelta(hours=1))
    clock.move(hours=1)
    assert sent_by(phone, lambda: run(world)) == []
    assert [leg.state for leg in legs(world, number)] == [AnnouncementState.SENT]
    assert counts(world, legs(world, number)[0].id) == {}


def test_what_still_waits_at_the_end_of_validity_is_called_off(world: World, phone: Phone, clock: Clock) -> None:
    followers(world, 2)
    number = approved(world, valid_until=clock() + timedelta(hours=1))
    announcements.expand_due(world.runtime)
    clock.move(hours=2)
    assert sent_by(phone, lambda: run(world)) == []
    assert counts(world, legs(world, number)[0].id) == {"cancelled": 2}
    assert {d.code for d in all_rows(world.runtime, Delivery) if d.announcement_id} == {"expired"}


def test_what_is_claimed_right_after_the_end_is_not_handed_over(world: World, phone: Phone, clock: Clock) -> None:
    followers(world, 2)
    number = approved(world, valid_until=clock() + timedelta(hours=1))
    announcements.expand_due(world.runtime)
    clock.move(hours=2)
    sent = sent_by(phone, lambda: send_due(world.runtime, MANY))
    assert sent == []
    assert counts(world, legs(world, number)[0].id) == {"cancelled": 2}


def test_what_is_on_hold_ends_with_its_validity(world: World, phone: Phone, clock: Clock) -> None:
    followers(world, 1)
    number = approved(world, valid_until=clock() + timedelta(hours=1))
    bulletins.pause(world.runtime, world.official("hoa"), number)
    clock.move(hours=2)
    run(world)
    assert bulletin_results.look_at(world.runtime, world.official("mai"), number).standing == "sent"


def test_what_is_over_is_sent_to_nobody_again(world: World, phone: Phone, clock: Clock) -> None:
    [value] = followers(world, 1)
    phone.failures[value] = [OutcomeUnknown("timeout", "Không rõ.")]
    number = approved(world, valid_until=clock() + timedelta(hours=1))
    run(world)
    [leg] = legs(world, number)
    [delivery] = [d for d in all_rows(world.runtime, Delivery) if d.announcement_id == leg.id]
    clock.move(hours=2)
    with pytest.raises(AnnouncementError, match="hết hiệu lực"):
        announcements.resend(world.runtime, world.official("hoa"), leg.id, delivery.id)


# ---- following up ---------------------------------------------------------------------------------------------------


def follow(world: World, first: int, kind: BulletinKind, **changes: Any) -> int:
    """A correction or recall is begun, written, tried and approved."""
    number = bulletin_following.follow_up(world.runtime, world.official("tuan"), first, kind)
    row = bulletin(world, number)
    text = replace(bulletins.written_in(row), **{"valid_until": world.clock() + timedelta(days=1), **changes})
    bulletins.edit(world.runtime, world.official("tuan"), number, version=1, written=text)
    tried(world, number)
    submit(world, number)
    approve(world, number)
    return number


def test_a_correction_goes_to_exactly_those_who_got_the_first(world: World, phone: Phone) -> None:
    other = second_channel(world)
    [got, refused, unclear] = followers(world, 3)
    [elsewhere] = followers(on(world, other), 1)
    phone.failures[refused] = [ContactUnreachable("blocked", "Đã chặn.")]
    phone.failures[unclear] = [OutcomeUnknown("timeout", "Không rõ.")]
    first = approved(world, [world.channel_id, other], title="Cắt điện ngày 09/10")
    run(world)
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Urn).values(unreachable_at=None))
    followers(world, 2)
    number = follow(world, first, BulletinKind.CORRECTION, body="Đúng là ngày 10/10.")
    assert sent_by(phone, lambda: run(world)) == sorted([got, unclear, elsewhere])
    assert {text.split("\n")[0] for _, text in phone.sent} == {"ĐÍNH CHÍNH: Cắt điện ngày 09/10"}
    assert sum(leg.audience_count or 0 for leg in legs(world, number)) == 3


def test_a_recall_stops_what_it_takes_back(world: World, phone: Phone) -> None:
    followers(world, 5)
    first = approved(world)
    announcements.expand_due(world.runtime)
    phone.sent.clear()
    with world.runtime.database.transaction() as session:
        session.execute(sa.text("UPDATE channels SET rate_per_second = 4"))  # one at a time
    from bot.usecases.sending import send_batch

    send_batch(world.runtime, world.channel_id, MANY)
    had = phone.readers
    assert 0 < len(had) < 5
    follow(world, first, BulletinKind.RECALL)
    assert sent_by(phone, lambda: run(world)) == had
    assert all(text.startswith("THU HỒI: ") for _, text in phone.sent)
    assert bulletin(world, first).state is BulletinState.STOPPED
    assert counts(world, legs(world, first)[0].id) == {"sent": len(had), "cancelled": 5 - len(had)}


def test_what_puts_right_may_come_however_much_somebody_had(world: World, phone: Phone) -> None:
    [value] = followers(world, 1)
    numbers = [told(world, phone)[0] for _ in range(3)]
    follow(world, numbers[-1], BulletinKind.CORRECTION)
    assert sent_by(phone, lambda: run(world)) == [value]


def test_a_second_correction_is_for_the_people_of_the_first_bulletin(world: World, phone: Phone) -> None:
    values = followers(world, 2)
    first = approved(world)
    run(world)
    once = follow(world, first, BulletinKind.CORRECTION)
    twice = follow(world, once, BulletinKind.CORRECTION, body="Lần hai.")
    assert sent_by(phone, lambda: run(world)) == sorted(values)
    assert bulletin(world, twice).corrects_id == first
    assert bulletin(world, once).state is BulletinState.STOPPED


def test_its_author_cannot_choose_other_people_for_a_correction(world: World, phone: Phone) -> None:
    other = second_channel(world)
    followers(world, 1)
    first = approved(world)
    run(world)
    number = bulletin_following.follow_up(world.runtime, world.official("tuan"), first, BulletinKind.CORRECTION)
    anew = written(world, [other], about=About("dien"))
    bulletins.edit(world.runtime, world.official("tuan"), number, version=1, written=anew)
    row = bulletin(world, number)
    assert (row.channel_ids, row.topic) == ([world.channel_id], "")


def test_what_was_never_sent_needs_no_correction(world: World, phone: Phone) -> None:
    followers(world, 1)
    number = a_bulletin(world)
    with pytest.raises(AnnouncementError, match="đã duyệt gửi"):
        bulletin_following.follow_up(world.runtime, world.official("tuan"), number, BulletinKind.CORRECTION)


# ---- articles -------------------------------------------------------------------------------------------------------


def article_of(world: World, number: int) -> ArticleState:
    """An article of a bulletin's part is asked for and brought one step forward."""
    articles.ask(world.runtime, world.official("hoa"), legs(world, number)[0].id)
    articles.run_due(world.runtime)
    return all_rows(world.runtime, Article)[-1].state


@pytest.fixture
def publisher(world: World, phone: Phone) -> Phone:
    """A Zalo that has room for articles and takes them as they come."""
    with world.runtime.database.transaction() as session:
        channel = session.get_one(Channel, world.channel_id)
        channel.settings = {**channel.settings, "broadcasts_a_month": 4, "article_cover": "https://xa.example/a.jpg"}
    phone.create_story = lambda *_: "handle"  # type: ignore[method-assign]
    return phone


def test_what_is_over_is_published_to_nobody(world: World, publisher: Phone, clock: Clock) -> None:
    followers(world, 1)
    number = approved(world, valid_until=clock() + timedelta(hours=1))
    clock.move(hours=2)
    assert article_of(world, number) is ArticleState.STOPPED


def test_a_correction_is_published_only_where_the_first_one_was(world: World, publisher: Phone) -> None:
    followers(world, 1)
    first = approved(world)
    run(world)
    number = follow(world, first, BulletinKind.CORRECTION)
    with pytest.raises(AnnouncementError, match="dành cho cả địa phương"):
        article_of(world, number)
