"""Every follower who wants an announcement gets it once, whatever breaks meanwhile."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.errors import ContactUnreachable, OutcomeUnknown, TemporarilyRefused
from adapters.messages import Tokens
from adapters.zalo import Zalo
from bot.usecases import announcements, broadcast
from bot.usecases.announcements import AnnouncementError
from bot.usecases.sending import MANY, send_due
from bot.usecases.tokens import keep_first_tokens
from storage.announcements import Announcement, recipients
from storage.channels import Channel
from storage.contacts import Contact, Urn
from storage.deliveries import Delivery
from storage.enums import AnnouncementState
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.sandbox.running import ACCESS, REFRESH, running
from tests.usecases.telling import TITLE, Phone, approved, counting, counts, followers, phone, run, the

__all__ = ["phone"]

# ---- expanding ------------------------------------------------------------------------------------------------------


def test_every_consenting_follower_is_owed_the_announcement_once(world: World) -> None:
    wanted = followers(world, 3)
    followers(world, 1, is_following=False)
    followers(world, 1, opted_out_at=world.clock())
    followers(world, 1, unreachable_at=world.clock())
    [gone] = followers(world, 1)
    with world.runtime.database.transaction() as session:
        contact = session.scalar(sa.select(Urn.contact_id).where(Urn.value == gone))
        session.get_one(Contact, contact).erased_at = world.clock()
    number = approved(world)
    announcements.expand_due(world.runtime)
    with world.runtime.database.reading() as session:
        owed = [r.urn for r in recipients(session, number)]
    assert owed == wanted
    assert the(world, number).state is AnnouncementState.SENDING


def test_expanding_again_owes_nothing_more(world: World) -> None:
    followers(world, 3)
    number = approved(world)
    assert announcements.expand(world.runtime, number) == 3
    assert announcements.expand(world.runtime, number) == 0
    with world.runtime.database.transaction() as session:  # even a cursor that was lost repeats nothing
        session.execute(sa.update(Announcement).values(expanded_to_urn_id=0))
    assert announcements.expand(world.runtime, number) == 0
    assert len(all_rows(world.runtime, Delivery)) == 3


def test_who_comes_after_the_approval_gets_the_next_one(world: World) -> None:
    followers(world, 2)
    number = approved(world)
    followers(world, 1)
    announcements.expand_due(world.runtime)
    assert counts(world, number) == {"waiting": 2}


@pytest.mark.parametrize("call", ["insert_chunk", "log"])
def test_a_crash_between_chunks_skips_nobody_and_repeats_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    everybody = followers(world, 7)
    monkeypatch.setattr(broadcast, "CHUNK", 3)
    monkeypatch.setattr(broadcast, "LARGEST_CHUNK", 3)
    number = approved(world)
    done = {"chunks": 0}

    class Crash(Exception):
        pass

    real = broadcast.insert_chunk

    def dies_in_the_second(*args: Any, **kwargs: Any) -> int:
        inserted = real(*args, **kwargs)
        done["chunks"] += 1
        if done["chunks"] == 2:
            raise Crash
        return inserted

    def dies_after_the_second(event: str, **_: Any) -> None:
        done["chunks"] += event == "announcement.expanded"
        if done["chunks"] == 2:
            raise Crash

    with monkeypatch.context() as broken:
        if call == "insert_chunk":
            broken.setattr(broadcast, "insert_chunk", dies_in_the_second)
        else:
            broken.setattr(broadcast.log, "info", dies_after_the_second, raising=False)
        with pytest.raises(Crash):
            announcements.expand(world.runtime, number)
    assert counts(world, number) == {"waiting": 3 if call == "insert_chunk" else 6}
    announcements.expand_due(world.runtime)
    with world.runtime.database.reading() as session:
        assert [r.urn for r in recipients(session, number)] == everybody


def test_two_that_expand_at_once_owe_it_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    followers(world, 40)
    monkeypatch.setattr(broadcast, "CHUNK", 4)
    monkeypatch.setattr(broadcast, "LARGEST_CHUNK", 4)
    number = approved(world)
    owed: list[int] = []
    start = threading.Barrier(2)

    def work() -> None:
        start.wait()
        owed.append(announcements.expand(world.runtime, number))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(owed) == 40
    assert counts(world, number) == {"waiting": 40}


def test_five_thousand_followers_take_a_few_dozen_statements(world: World) -> None:
    followers(world, 5_000)
    number = approved(world)
    with counting(world.runtime) as statements:
        announcements.expand_due(world.runtime, budget_seconds=60)
    assert counts(world, number) == {"waiting": 5_000}
    assert len(statements) < 120


def test_a_short_budget_is_continued_the_next_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    followers(world, 5)
    monkeypatch.setattr(broadcast, "CHUNK", 2)
    monkeypatch.setattr(broadcast, "LARGEST_CHUNK", 2)
    number = approved(world)
    assert [announcements.expand_due(world.runtime, budget_seconds=0) for _ in range(4)] == [2, 2, 1, 0]
    assert counts(world, number) == {"waiting": 5}


def test_a_text_longer_than_the_channel_takes_goes_in_parts(world: World, phone: Phone) -> None:
    phone.limits = replace(Zalo.limits, text=100)  # type: ignore[misc]
    followers(world, 2)
    number = approved(world)
    run(world)
    rows = all_rows(world.runtime, Delivery)
    assert {(r.part, r.parts) for r in rows} == {(n, rows[0].parts) for n in range(1, rows[0].parts + 1)}
    assert rows[0].parts > 1
    assert counts(world, number) == {"sent": 2}
    for urn in set(phone.readers):
        assert "".join(t for u, t in phone.sent if u == urn).startswith(TITLE)


def test_a_part_that_was_refused_makes_its_reader_count_as_refused(world: World, phone: Phone) -> None:
    phone.limits = replace(Zalo.limits, text=100)  # type: ignore[misc]
    [first, _] = followers(world, 2)
    phone.failures[first] = [ContactUnreachable("blocked", "Người dân đã chặn kênh.")]
    number = approved(world)
    run(world)
    assert counts(world, number) == {"refused": 1, "sent": 1}


def test_one_that_cannot_be_expanded_does_not_hold_up_the_others(world: World) -> None:
    followers(world, 2)
    broken, fine = approved(world), approved(world, "Tin thứ hai")
    real = broadcast.insert_chunk

    def fails_for_one(session: Any, announcement: Announcement, *args: Any, **kwargs: Any) -> int:
        if announcement.id == broken:
            raise RuntimeError("boom")
        return real(session, announcement, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(broadcast, "insert_chunk", fails_for_one)
        announcements.expand_due(world.runtime)
    assert (counts(world, broken), counts(world, fine)) == ({}, {"waiting": 2})


def test_words_changed_behind_our_back_are_not_sent(world: World, phone: Phone) -> None:
    followers(world, 2)
    number = approved(world)
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Announcement).values(body="Chuyển tiền vào số tài khoản này."))
    run(world)
    assert phone.sent == []
    assert the(world, number).state is AnnouncementState.STOPPED


# ---- sending --------------------------------------------------------------------------------------------------------


def test_an_announcement_reaches_everybody_once_and_is_then_sent(world: World, phone: Phone) -> None:
    everybody = followers(world, 12)
    number = approved(world)
    run(world)
    assert phone.readers == everybody
    row = the(world, number)
    assert (row.state, row.finished_at) == (AnnouncementState.SENT, world.clock())
    run(world)
    assert phone.readers == everybody


def test_a_refused_follower_does_not_keep_it_from_being_finished(world: World, phone: Phone) -> None:
    [first, second] = followers(world, 2)
    phone.failures = {
        first: [ContactUnreachable("blocked", "Người dân đã chặn kênh.")],
        second: [OutcomeUnknown("timeout", "Không rõ.")],
    }
    number = approved(world)
    run(world)
    assert counts(world, number) == {"refused": 1, "unknown": 1}
    assert the(world, number).state is AnnouncementState.SENT


def test_it_is_not_finished_while_one_waits_for_another_try(world: World, phone: Phone, clock: Clock) -> None:
    [first] = followers(world, 1)
    phone.failures[first] = [TemporarilyRefused("busy")]
    number = approved(world)
    run(world)
    assert the(world, number).state is AnnouncementState.SENDING
    clock.move(hours=1)
    run(world)
    assert phone.readers == [first]
    assert the(world, number).state is AnnouncementState.SENT


def test_an_unknown_outcome_is_sent_again_only_when_a_person_says_so(world: World, phone: Phone, clock: Clock) -> None:
    [first] = followers(world, 1)
    phone.failures[first] = [OutcomeUnknown("timeout", "Không rõ.")]
    number = approved(world)
    run(world)
    clock.move(hours=3)
    run(world)
    assert phone.sent == []
    [row] = all_rows(world.runtime, Delivery)
    announcements.resend(world.runtime, world.official("hoa"), number, row.id)
    assert the(world, number).state is AnnouncementState.SENDING
    run(world)
    assert phone.readers == [first]
    assert the(world, number).state is AnnouncementState.SENT


def test_what_was_sent_cannot_be_sent_again(world: World, phone: Phone) -> None:
    followers(world, 1)
    number = approved(world)
    run(world)
    [row] = all_rows(world.runtime, Delivery)
    with pytest.raises(AnnouncementError, match="Chỉ gửi lại được"):
        announcements.resend(world.runtime, world.official("hoa"), number, row.id)


def test_two_senders_together_reach_each_follower_once_at_the_channel(world: World, tmp_path: Path) -> None:
    with running(tmp_path, deliver_webhooks=False) as zalo:
        people = [zalo.citizen(follow=True) for _ in range(24)]
        settings = {**world.channel.settings, "api_base": zalo.url, "oauth_base": zalo.url}
        with world.runtime.database.transaction() as session:
            session.execute(sa.update(Channel).values(settings=settings, rate_per_second=200))
        keep_first_tokens(world.runtime, world.channel, Tokens(ACCESS, REFRESH, datetime.now(UTC) + timedelta(days=1)))
        followers(world, 24, values=[f"zalo:{user}" for user in people])
        number = approved(world)

        def work() -> None:
            for _ in range(30):
                announcements.expand_due(world.runtime)
                send_due(world.runtime, MANY)

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        told = Counter(row["user_id"] for row in zalo.ledger())
    assert told == dict.fromkeys(people, 1)
    assert counts(world, number) == {"sent": 24}
    assert the(world, number).state is AnnouncementState.SENT


# ---- stopping -------------------------------------------------------------------------------------------------------


def test_a_stop_cancels_what_is_waiting(world: World, phone: Phone) -> None:
    followers(world, 5)
    number = approved(world)
    announcements.expand_due(world.runtime)
    announcements.stop(world.runtime, world.official("hoa"), number)
    run(world)
    assert phone.sent == []
    assert counts(world, number) == {"cancelled": 5}
    assert the(world, number).stopped_at == world.clock()


def test_a_stop_while_sending_lets_out_no_more_than_the_batch_in_hand(world: World, phone: Phone) -> None:
    followers(world, 60)
    number = approved(world)
    done = threading.Event()
    lock = threading.Lock()

    def stop_once() -> None:
        with lock:
            if not done.is_set():
                done.set()
                announcements.stop(world.runtime, world.official("hoa"), number)

    phone.before_each = stop_once
    run(world)
    assert 1 <= len(phone.sent) <= 8
    assert counts(world, number) == {"sent": len(phone.sent), "cancelled": 60 - len(phone.sent)}


def test_a_stop_before_expanding_owes_nobody_anything(world: World, phone: Phone) -> None:
    followers(world, 3)
    number = approved(world)
    announcements.stop(world.runtime, world.official("tuan"), number)
    run(world)
    assert counts(world, number) == {}


def test_a_stop_between_chunks_is_respected(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    followers(world, 6)
    monkeypatch.setattr(broadcast, "CHUNK", 2)
    monkeypatch.setattr(broadcast, "LARGEST_CHUNK", 2)
    number = approved(world)
    announcements.expand(world.runtime, number, 0)
    announcements.stop(world.runtime, world.official("hoa"), number)
    assert announcements.expand(world.runtime, number) == 0
    assert counts(world, number) == {"cancelled": 2}


def test_a_delivery_that_comes_back_after_the_stop_is_not_tried_again(world: World, phone: Phone, clock: Clock) -> None:
    [first] = followers(world, 1)
    phone.failures[first] = [TemporarilyRefused("busy")]
    number = approved(world)
    phone.before_each = lambda: (
        the(world, number).state is AnnouncementState.SENDING
        and announcements.stop(world.runtime, world.official("hoa"), number)
    )
    run(world)
    clock.move(hours=1)
    run(world)
    assert phone.sent == []
    assert counts(world, number) == {"cancelled": 1}


def test_a_stop_is_final(world: World) -> None:
    followers(world, 1)
    number = approved(world)
    announcements.stop(world.runtime, world.official("hoa"), number)
    with pytest.raises(AnnouncementError, match="đã kết thúc"):
        announcements.stop(world.runtime, world.official("hoa"), number)
