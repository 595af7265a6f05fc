"""One official writes, another approves, and every follower who wants it gets it once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.errors import ContactUnreachable, OutcomeUnknown, TemporarilyRefused
from adapters.http import Http
from adapters.messages import OutboundMessage, SendResult
from adapters.secret import Secret
from adapters.zalo import Zalo
from bot.queue import BROADCAST
from bot.rules.audience import CHECKLIST, text_hash
from bot.rules.deadlines import VIETNAM
from bot.runtime import Runtime
from bot.usecases import announcements, broadcast, intake
from bot.usecases.announcements import AnnouncementError, NoSuchAnnouncement
from bot.usecases.citizens import Citizen, opt, stop_announcements
from bot.usecases.sending import MANY, PERSONAL, send_due
from bot.usecases.setup import add_commune
from storage.announcements import Announcement, counts_by_state, recipients
from storage.audit import AuditEntry
from storage.communes import Commune
from storage.contacts import Contact, Conversation, Urn
from storage.deliveries import Delivery
from storage.enums import AnnouncementState, DeliveryState
from tests.builders import World, all_rows
from tests.conftest import Clock

TITLE, BODY = "Cắt điện để sửa chữa", "Ngày 09/10, từ 7 giờ đến 11 giờ, Xóm 5 và Xóm 7 cắt điện."


class Phone(Zalo):
    """A Zalo that only notes what it is told to send, and fails as it was asked to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.failures: dict[str, list[Exception]] = {}
        self.before_each: Any = lambda: None

    def send(self, http: Http, config: Any, token: Secret, message: OutboundMessage) -> SendResult:
        self.before_each()
        for failure in self.failures.get(message.urn, [])[:1]:
            self.failures[message.urn].pop(0)
            raise failure
        self.sent.append((message.urn, message.text))
        return SendResult(external_id=f"sent-{len(self.sent)}-{message.urn}")

    @property
    def readers(self) -> list[str]:
        return sorted(urn for urn, _ in self.sent)


@pytest.fixture
def phone(runtime: Runtime) -> Phone:
    phone = Phone()
    runtime.adapters = {"zalo": phone}
    return phone


def followers(world: World, count: int, **changes: Any) -> list[str]:
    """Neighbours who follow the channel and chatted today."""
    runtime, now = world.runtime, world.clock()
    with runtime.database.transaction() as session:
        begun = session.scalar(sa.select(sa.func.count(Urn.id))) or 0
        contacts = [Contact(commune_id=world.commune_id, created_at=now) for _ in range(count)]
        session.add_all(contacts)
        session.flush()
        urns = [
            Urn(
                commune_id=world.commune_id,
                channel_id=world.channel_id,
                contact_id=contact.id,
                value=f"zalo:5{begun + n:018d}",
                **{"is_following": True, "last_interaction_at": now, **changes},
            )
            for n, contact in enumerate(contacts)
        ]
        session.add_all(urns)
        session.flush()
        session.add_all(
            Conversation(
                commune_id=world.commune_id,
                channel_id=world.channel_id,
                contact_id=urn.contact_id,
                urn_id=urn.id,
                created_at=now,
            )
            for urn in urns
        )
        return [urn.value for urn in urns]


def a_draft(world: World, title: str = TITLE, body: str = BODY) -> int:
    return announcements.draft(
        world.runtime, world.official("tuan"), channel_id=world.channel_id, title=title, body=body
    )


def submitted(world: World, title: str = TITLE, body: str = BODY) -> int:
    number = a_draft(world, title, body)
    announcements.submit(world.runtime, world.official("tuan"), number, version=1, confirmed=CHECKLIST)
    return number


def approved(world: World, title: str = TITLE, body: str = BODY) -> int:
    number = submitted(world, title, body)
    approve(world, number)
    return number


def approve(world: World, number: int, who: str = "hoa") -> None:
    row = the(world, number)
    seen = text_hash(row.title, row.body, row.channel_id)
    announcements.approve(world.runtime, world.official(who), number, seen_hash=seen)


def the(world: World, number: int) -> Announcement:
    with world.runtime.database.reading() as session:
        return session.get_one(Announcement, number)


def counts(world: World, number: int) -> dict[str, int]:
    with world.runtime.database.reading() as session:
        return counts_by_state(session, [number])[number]


def run(world: World, rounds: int = 20) -> None:
    """What the broadcast job does, until there is nothing to do; slots are not waited for."""
    with world.runtime.database.transaction() as session:
        session.execute(sa.text("UPDATE channels SET rate_per_second = 5000"))
    for _ in range(rounds):
        if not announcements.expand_due(world.runtime) + send_due(world.runtime, MANY):
            break
    announcements.expand_due(world.runtime)


@contextmanager
def counting(runtime: Runtime) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    sa.event.listen(runtime.database.engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(runtime.database.engine, "before_cursor_execute", note)


# ---- writing --------------------------------------------------------------------------------------------------------


def test_a_draft_can_be_changed_by_its_author(world: World) -> None:
    number = a_draft(world)
    announcements.edit(
        world.runtime,
        world.official("tuan"),
        number,
        version=1,
        channel_id=world.channel_id,
        title="Mới",
        body="Nội dung",
    )
    row = the(world, number)
    assert (row.title, row.body, row.version) == ("Mới", "Nội dung", 2)


def test_a_change_made_in_another_window_is_not_overwritten(world: World) -> None:
    number = a_draft(world)
    change = {"channel_id": world.channel_id, "title": "Một", "body": BODY}
    announcements.edit(world.runtime, world.official("tuan"), number, version=1, **change)
    with pytest.raises(AnnouncementError, match="cửa sổ khác"):
        announcements.edit(world.runtime, world.official("tuan"), number, version=1, **change | {"title": "Hai"})
    assert the(world, number).title == "Một"


def test_somebody_without_the_right_cannot_write(world: World) -> None:
    with pytest.raises(AnnouncementError, match="không có quyền"):
        announcements.draft(world.runtime, world.official("lan"), channel_id=world.channel_id, title=TITLE, body=BODY)


def test_only_the_author_changes_a_draft(world: World) -> None:
    number = a_draft(world)
    with world.runtime.database.transaction() as session:
        session.execute(sa.text("UPDATE officials SET roles = '[\"soan_tin\"]' WHERE username = 'lan'"))
    with pytest.raises(AnnouncementError, match="Chỉ người soạn"):
        announcements.edit(
            world.runtime, world.official("lan"), number, version=1, channel_id=world.channel_id, title="x", body="y"
        )


def test_what_was_submitted_cannot_be_changed(world: World) -> None:
    followers(world, 1)
    number = submitted(world)
    with pytest.raises(AnnouncementError, match="không sửa được"):
        announcements.edit(
            world.runtime, world.official("tuan"), number, version=2, channel_id=world.channel_id, title="x", body="y"
        )


def test_the_checklist_must_be_ticked(world: World) -> None:
    followers(world, 1)
    number = a_draft(world)
    with pytest.raises(AnnouncementError, match="mục cần kiểm tra"):
        announcements.submit(world.runtime, world.official("tuan"), number, version=1, confirmed=CHECKLIST[:2])
    assert the(world, number).state is AnnouncementState.DRAFT


def test_the_ticked_checklist_is_kept_in_the_audit(world: World) -> None:
    followers(world, 1)
    number = submitted(world)
    entry = next(e for e in all_rows(world.runtime, AuditEntry) if e.action == "announcement.submitted")
    assert entry.target == f"announcement:{number}"
    assert entry.data["confirmed"] == list(CHECKLIST)


@pytest.mark.parametrize(("title", "body", "says"), [("Cắt điện", "  ", "nội dung"), (" ", "Mai cắt điện", "tiêu đề")])
def test_an_announcement_with_a_gap_is_not_submitted(world: World, title: str, body: str, says: str) -> None:
    followers(world, 1)
    number = a_draft(world, title, body)
    with pytest.raises(AnnouncementError, match=f"Chưa có {says}"):
        announcements.submit(world.runtime, world.official("tuan"), number, version=1, confirmed=CHECKLIST)


def test_the_whole_message_must_fit_into_a_thousand_characters(world: World) -> None:
    followers(world, 1)
    room = (
        1_000
        - announcements.preview(
            world.runtime, world.official("tuan"), channel_id=world.channel_id, title=TITLE, body="x"
        ).length
        + 1
    )
    fits, too_long = a_draft(world, TITLE, "x" * room), a_draft(world, TITLE, "x" * (room + 1))
    announcements.submit(world.runtime, world.official("tuan"), fits, version=1, confirmed=CHECKLIST)
    with pytest.raises(AnnouncementError, match="dài 1001 ký tự"):
        announcements.submit(world.runtime, world.official("tuan"), too_long, version=1, confirmed=CHECKLIST)


def test_a_title_of_more_than_eighty_characters_is_refused(world: World) -> None:
    a_draft(world, "x" * 80)
    with pytest.raises(AnnouncementError, match="80"):
        a_draft(world, "x" * 81)


def test_an_announcement_to_nobody_is_not_submitted(world: World) -> None:
    followers(world, 2, is_following=False)
    number = a_draft(world)
    with pytest.raises(AnnouncementError, match="chưa có ai"):
        announcements.submit(world.runtime, world.official("tuan"), number, version=1, confirmed=CHECKLIST)


def test_a_preview_shows_what_will_arrive_and_to_how_many(world: World) -> None:
    followers(world, 3)
    followers(world, 1, last_interaction_at=world.clock() - timedelta(days=9))
    seen = announcements.preview(
        world.runtime, world.official("tuan"), channel_id=world.channel_id, title=TITLE, body=BODY
    )
    assert seen.parts[0].startswith(f"{TITLE}\n\n{BODY}")
    assert "ngừng nhận tin" in seen.parts[0]
    assert (seen.audience.count, seen.audience.reachable, seen.problems) == (4, 3, [])


def test_a_preview_of_an_unfinished_text_says_what_is_missing(world: World) -> None:
    seen = announcements.preview(world.runtime, world.official("tuan"), channel_id=world.channel_id, title="", body="")
    assert [str(p)[:17] for p in seen.problems] == ["Chưa có tiêu đề. ", "Chưa có nội dung.", "Kênh này chưa có "]


def test_a_channel_of_another_commune_does_not_exist(world: World) -> None:
    with pytest.raises(AnnouncementError, match="Không có kênh"):
        announcements.draft(world.runtime, world.official("tuan"), channel_id=999, title=TITLE, body=BODY)


# ---- two people -----------------------------------------------------------------------------------------------------


def test_a_second_person_approves(world: World) -> None:
    followers(world, 3)
    number = approved(world)
    row = the(world, number)
    assert row.state is AnnouncementState.APPROVED
    assert (row.approver_id, row.audience_count) == (world.officials["hoa"], 3)
    assert row.approved_hash == text_hash(TITLE, BODY, world.channel_id)
    assert BROADCAST in world.runtime.nudge.jobs  # type: ignore[attr-defined]


def test_nobody_approves_their_own_words(world: World) -> None:
    followers(world, 1)
    with world.runtime.database.transaction() as session:
        session.execute(
            sa.text('UPDATE officials SET roles = \'["soan_tin", "duyet_tin", "lanh_dao"]\' WHERE username = \'tuan\'')
        )
    number = submitted(world)
    with pytest.raises(AnnouncementError, match="không được tự duyệt"):
        approve(world, number, "tuan")
    assert the(world, number).state is AnnouncementState.SUBMITTED


def test_even_the_database_refuses_one_person_for_both(world: World) -> None:
    number = a_draft(world)
    with pytest.raises(sa.exc.IntegrityError), world.runtime.database.transaction() as session:
        session.execute(
            sa.update(Announcement).where(Announcement.id == number).values(approver_id=Announcement.author_id)
        )


@pytest.mark.parametrize("who", ["lan", "an"])
def test_somebody_without_the_right_cannot_approve(world: World, who: str) -> None:
    followers(world, 1)
    number = submitted(world)
    with pytest.raises(AnnouncementError, match="không có quyền"):
        approve(world, number, who)


def test_a_leader_may_approve(world: World) -> None:
    followers(world, 1)
    number = submitted(world)
    approve(world, number, "mai")
    assert the(world, number).state is AnnouncementState.APPROVED


def test_words_that_changed_while_the_approver_read_are_not_approved(world: World) -> None:
    followers(world, 1)
    number = submitted(world)
    seen = text_hash(TITLE, BODY, world.channel_id)
    announcements.return_to_author(world.runtime, world.official("tuan"), number, note="")
    announcements.edit(
        world.runtime, world.official("tuan"), number, version=3, channel_id=world.channel_id, title=TITLE, body="Khác"
    )
    announcements.submit(world.runtime, world.official("tuan"), number, version=4, confirmed=CHECKLIST)
    with pytest.raises(AnnouncementError, match="đã thay đổi"):
        announcements.approve(world.runtime, world.official("hoa"), number, seen_hash=seen)
    assert the(world, number).state is AnnouncementState.SUBMITTED


def test_a_draft_cannot_be_approved(world: World) -> None:
    followers(world, 1)
    number = a_draft(world)
    with pytest.raises(AnnouncementError, match="không còn chờ duyệt"):
        approve(world, number)


def test_an_announcement_is_approved_once(world: World) -> None:
    followers(world, 1)
    number = approved(world)
    with pytest.raises(AnnouncementError, match="không còn chờ duyệt"):
        approve(world, number, "mai")


def test_a_returned_announcement_carries_the_reason(world: World) -> None:
    followers(world, 1)
    number = submitted(world)
    announcements.return_to_author(world.runtime, world.official("hoa"), number, note="Ghi rõ ngày.")
    row = the(world, number)
    assert (row.state, row.returned_note) == (AnnouncementState.DRAFT, "Ghi rõ ngày.")


def test_returning_needs_a_reason(world: World) -> None:
    followers(world, 1)
    number = submitted(world)
    with pytest.raises(AnnouncementError, match="lý do"):
        announcements.return_to_author(world.runtime, world.official("hoa"), number, note="  ")


def test_another_communes_announcement_does_not_exist(world: World) -> None:
    number = a_draft(world)
    add_commune(world.runtime, code="27931", slug="xa-khac")
    with world.runtime.database.transaction() as session:
        other = session.scalar(sa.select(Commune.id).where(Commune.slug == "xa-khac"))
        session.execute(sa.text("UPDATE officials SET commune_id = :c WHERE username = 'mai'"), {"c": other})
    with pytest.raises(NoSuchAnnouncement):
        announcements.stop(world.runtime, world.official("mai"), number)


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
    with pytest.raises(AnnouncementError, match="soạn thông báo mới"):
        announcements.resume(world.runtime, world.official("hoa"), number)
    with pytest.raises(AnnouncementError, match="đã kết thúc"):
        announcements.stop(world.runtime, world.official("hoa"), number)


def test_only_the_author_throws_a_draft_away(world: World) -> None:
    number = a_draft(world)
    with pytest.raises(AnnouncementError, match="Chỉ người soạn"):
        announcements.stop(world.runtime, world.official("hoa"), number)
    announcements.stop(world.runtime, world.official("tuan"), number)
    assert the(world, number).state is AnnouncementState.STOPPED


# ---- opting out -----------------------------------------------------------------------------------------------------


class Wish:
    """What citizens.opt needs to know of an event."""

    def __init__(self, world: World, session: Any) -> None:
        self.session, self.now, self.runtime = session, world.clock(), world.runtime


def wishes(world: World, value: str, *, out: bool) -> None:
    with world.runtime.database.transaction() as session:
        urn = session.scalars(sa.select(Urn).where(Urn.value == value)).one()
        conversation = session.scalars(sa.select(Conversation).where(Conversation.urn_id == urn.id)).one()
        person = Citizen(session.get_one(Contact, urn.contact_id), urn, conversation)
        assert opt(Wish(world, session), person, out=out, at=world.clock())  # type: ignore[arg-type]


def test_who_stops_between_expanding_and_sending_gets_nothing(world: World, phone: Phone) -> None:
    [stays, leaves] = followers(world, 2)
    number = approved(world)
    announcements.expand_due(world.runtime)
    wishes(world, leaves, out=True)
    run(world)
    assert phone.readers == [stays]
    assert counts(world, number) == {"cancelled": 1, "sent": 1}


def test_who_stops_between_approval_and_expanding_is_left_out(world: World, phone: Phone) -> None:
    [stays, leaves] = followers(world, 2)
    number = approved(world)
    wishes(world, leaves, out=True)
    run(world)
    assert phone.readers == [stays]
    assert counts(world, number) == {"sent": 1}


def test_who_asks_for_announcements_again_gets_the_next_one(world: World, phone: Phone, clock: Clock) -> None:
    [back] = followers(world, 1)
    followers(world, 1)
    wishes(world, back, out=True)
    approved(world)
    run(world)
    assert back not in phone.readers
    clock.move(minutes=5)
    wishes(world, back, out=False)
    approved(world, "Tin tiếp theo")
    run(world)
    assert [text.split("\n")[0] for urn, text in phone.sent if urn == back] == ["Tin tiếp theo"]


@pytest.mark.parametrize("words", ["DUNG", "ngừng nhận tin", "Dừng"])
def test_the_words_that_stop_announcements_stop_what_is_waiting(world: World, phone: Phone, words: str) -> None:
    [stays, leaves] = followers(world, 2)
    number = approved(world)
    announcements.expand_due(world.runtime)
    world.says(words, user=leaves.removeprefix("zalo:"))
    intake.drain(world.runtime)
    run(world)
    assert phone.readers == [stays]
    assert counts(world, number) == {"cancelled": 1, "sent": 1}


def test_the_words_that_bring_announcements_back_bring_the_next_one(world: World, phone: Phone, clock: Clock) -> None:
    [person] = followers(world, 1)
    for words in ("DUNG", "nhận tin"):
        world.says(words, user=person.removeprefix("zalo:"))
        intake.drain(world.runtime)
        send_due(world.runtime, PERSONAL)  # an announcement waits until the answer to their own words is out
        clock.move(minutes=5)
    approved(world)
    run(world)
    assert [text.startswith(TITLE) for urn, text in phone.sent if urn == person] == [False, False, True]


def test_who_stops_while_their_delivery_is_being_retried_gets_nothing(world: World, phone: Phone, clock: Clock) -> None:
    [first] = followers(world, 1)
    phone.failures[first] = [TemporarilyRefused("busy")]
    phone.before_each = lambda: clock.move(minutes=1) or (not phone.sent and wishes(world, first, out=True))
    number = approved(world)
    run(world)
    phone.before_each = lambda: None
    clock.move(hours=1)
    run(world)
    assert phone.sent == []
    assert counts(world, number) == {"cancelled": 1}


def test_who_stops_while_the_chunk_is_being_written_gets_nothing(
    world: World, phone: Phone, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine_name != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    [leaves] = followers(world, 1)
    number = approved(world)
    real = broadcast.insert_chunk

    def inserts_as_they_leave(*args: Any, **kwargs: Any) -> int:
        count = real(*args, **kwargs)
        leaving = threading.Thread(target=wishes, args=(world, leaves), kwargs={"out": True})
        leaving.start()
        leaving.join(5)
        assert not leaving.is_alive()  # nobody waits for a broadcast
        return count

    monkeypatch.setattr(broadcast, "insert_chunk", inserts_as_they_leave)
    announcements.expand(world.runtime, number)
    assert counts(world, number) == {"waiting": 1}
    run(world)
    assert phone.sent == []
    assert counts(world, number) == {"cancelled": 1}


def test_a_resend_to_somebody_who_stopped_is_refused(world: World, phone: Phone) -> None:
    [first] = followers(world, 1)
    phone.failures[first] = [OutcomeUnknown("timeout", "Không rõ.")]
    number = approved(world)
    run(world)
    wishes(world, first, out=True)
    [row] = all_rows(world.runtime, Delivery)
    with pytest.raises(AnnouncementError, match="ngừng nhận"):
        announcements.resend(world.runtime, world.official("hoa"), number, row.id)


# ---- quiet hours ----------------------------------------------------------------------------------------------------


def vietnam(hour: int, minute: int = 0, day: int = 7) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=VIETNAM).astimezone(UTC)


def test_what_is_approved_at_night_waits_for_the_morning(world: World, phone: Phone, clock: Clock) -> None:
    everybody = followers(world, 3)
    clock.now = vietnam(22)
    number = approved(world)
    run(world)
    assert phone.sent == []
    assert {r.next_attempt_at for r in all_rows(world.runtime, Delivery)} == {vietnam(6, 30, day=8)}
    clock.now = vietnam(6, 30, day=8)
    run(world)
    assert phone.readers == everybody
    assert the(world, number).state is AnnouncementState.SENT


def test_a_broadcast_that_is_running_at_nine_pauses_until_the_morning(world: World, phone: Phone, clock: Clock) -> None:
    followers(world, 3)
    clock.now = vietnam(20, 59)
    number = approved(world)
    announcements.expand_due(world.runtime)
    clock.now = vietnam(21)
    assert send_due(world.runtime, MANY) == 0
    announcements.expand_due(world.runtime)
    assert {r.next_attempt_at for r in all_rows(world.runtime, Delivery)} == {vietnam(6, 30, day=8)}
    clock.now = vietnam(6, 31, day=8)
    run(world)
    assert counts(world, number) == {"sent": 3}


def test_a_commune_without_quiet_hours_sends_at_night(world: World, phone: Phone, clock: Clock) -> None:
    everybody = followers(world, 2)
    with world.runtime.database.transaction() as session:
        session.get_one(Commune, world.commune_id).settings = {"quiet_hours": None}
    clock.now = vietnam(23)
    approved(world)
    run(world)
    assert phone.readers == everybody


def test_somebody_who_withdraws_during_the_night_gets_nothing_in_the_morning(
    world: World, phone: Phone, clock: Clock
) -> None:
    [first] = followers(world, 1)
    clock.now = vietnam(22)
    number = approved(world)
    run(world)
    with world.runtime.database.transaction() as session:
        urn = session.scalars(sa.select(Urn).where(Urn.value == first)).one()
        stop_announcements(Wish(world, session), urn, "withdrawn")  # type: ignore[arg-type]
    clock.now = vietnam(7, day=8)
    run(world)
    assert phone.sent == []
    assert the(world, number).state is AnnouncementState.SENT


def test_states_of_deliveries_are_told_by_person(world: World, phone: Phone) -> None:
    [first, second] = followers(world, 2)
    phone.failures[first] = [ContactUnreachable("blocked", "Người dân đã chặn kênh.")]
    number = approved(world)
    run(world)
    with world.runtime.database.reading() as session:
        seen = recipients(session, number)
        refused = recipients(session, number, states=["refused"])
        rest = recipients(session, number, after=seen[0].delivery_id)
    assert [(r.urn, r.state, r.reason) for r in seen] == [
        (first, DeliveryState.REFUSED, "Người dân đã chặn kênh."),
        (second, DeliveryState.SENT, None),
    ]
    assert [r.urn for r in refused] == [first]
    assert [r.urn for r in rest] == [second]
