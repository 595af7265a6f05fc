"""Handing a ticket to a body outside: three facts, one paper, one link, and a citizen who hears the end of it."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.access import NotFound
from bot.rules.lifecycle import NotAllowed
from bot.stores import Disk
from bot.usecases import alerts, papers, sealed_files, tickets, transfer_links, transfer_progress, transfers
from bot.usecases.desk import Changed
from bot.usecases.erasing import erase_let_go
from bot.usecases.transfer_links import WRITTEN_AN_HOUR, WRONG_AN_HOUR, TooOften
from bot.usecases.transfer_progress import Line
from bot.usecases.transfers import Sent, Wish
from storage.agencies import Agency
from storage.alerts import Alert
from storage.audit import AuditEntry
from storage.contacts import Contact
from storage.enums import AlertKind, AttachmentState, EventKind, TicketState, TransferLineKind, TransferState
from storage.messages import Attachment, Message
from storage.papers import Paper, Transfer, TransferLine
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.papers.looking import words_of
from tests.usecases.looking import take_in, texts_of, the_ticket
from tests.usecases.test_citizens import does
from tests.usecases.test_replies import a_photo

WIRE = "Dây điện đứt ở xóm 5, nguy hiểm lắm, gọi tôi 0912345678, tôi là Trần Thị Bưởi"
BY = date(2026, 10, 20)
WISH = Wish(body="Điện lực Đức Huệ", by_date=BY, summary="Dây điện đứt", has_link=True)
HOME = "203.0.113.5"


@pytest.fixture
def ticket(morning: World) -> Ticket:
    """A report of a broken wire that is in the book."""
    morning.says(WIRE)
    take_in(morning)
    found = the_ticket(morning)
    tickets.receive(morning.runtime, morning.official("lan"), found.id, version=found.version)
    return the_ticket(morning)


def send(world: World, who: str = "lan", **changes: object) -> Sent:
    found = the_ticket(world)
    wish = replace(WISH, **changes)  # type: ignore[arg-type]
    return transfers.send(world.runtime, world.official(who), found.id, version=found.version, wish=wish)


def token_of(sent: Sent) -> str:
    return sent.address.rsplit("/", 1)[1]


def the_transfer(world: World) -> Transfer:
    (transfer,) = all_rows(world.runtime, Transfer)
    return transfer


def says(world: World, token: str, kind: TransferLineKind, text: str, once: str = "once-1234", **more: object) -> None:
    line = Line(kind, text, once, **more)  # type: ignore[arg-type]
    transfer_links.say(world.runtime, token, HOME, line)


def kinds(world: World) -> list[EventKind]:
    return [e.kind for e in all_rows(world.runtime, TicketEvent) if e.kind.value.startswith("transfer")]


def keep_photo(world: World, data: bytes) -> int:
    blob = world.runtime.blobs.keep(data)
    with world.runtime.database.transaction() as session:
        message = session.scalars(sa.select(Message).where(Message.direction == "in").order_by(Message.id)).first()
        assert message is not None
        row = Attachment(
            commune_id=world.commune_id, message_id=message.id, kind="image", mime="image/jpeg",
            state=AttachmentState.STORED, blob=blob,
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id


def files_of(world: World) -> list[Path]:
    """Every file that is kept."""
    store = world.runtime.blobs.store
    assert isinstance(store, Disk)
    return [path for path in store.root.rglob("*") if path.is_file()]


def edit(world: World, model: type, **values: object) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(model).values(**values))


# --- sending ----------------------------------------------------------------------------------------------------------


def test_what_is_handed_over_stays_ours_with_a_number_and_a_day(morning: World, ticket: Ticket) -> None:
    sent = send(morning)
    now = the_ticket(morning)
    assert (now.state, now.is_open) == (TicketState.FORWARDED, True)
    transfer = the_transfer(morning)
    assert (transfer.body, transfer.state, transfer.expected_on) == ("Điện lực Đức Huệ", TransferState.SENT, BY)
    assert sent.sign == "1/PC-UBND"
    (told,) = texts_of(morning, "forwarded")
    assert "Điện lực Đức Huệ" in told
    assert "20/10/2026" in told
    assert kinds(morning) == [EventKind.TRANSFER_SENT]


def test_the_paper_is_kept_as_it_was_issued(morning: World, ticket: Ticket) -> None:
    send(morning)
    (paper,) = all_rows(morning.runtime, Paper)
    data = morning.runtime.blobs.read(paper.blob)
    assert data is not None
    assert (paper.digest, paper.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert (paper.issued_by_id, paper.issued_at) == (morning.officials["lan"], morning.clock())
    morning.runtime.blobs.remove(paper.blob)
    assert papers.file_of(morning.runtime, paper) == data
    (again,) = all_rows(morning.runtime, Paper)
    assert again.digest == paper.digest
    assert morning.runtime.blobs.read(again.blob) == data


def test_numbers_run_by_commune_and_year(morning: World, clock: Clock, ticket: Ticket) -> None:
    signs = [send(morning, body=f"Cơ quan {n}").sign for n in range(2)]
    clock.move(days=90)
    signs.append(send(morning, body="Cơ quan khác", by_date=date(2027, 2, 1)).sign)
    assert signs == ["1/PC-UBND", "2/PC-UBND", "1/PC-UBND"]
    assert [(p.year, p.number) for p in all_rows(morning.runtime, Paper)] == [(2026, 1), (2026, 2), (2027, 1)]
    assert the_ticket(morning).state is TicketState.FORWARDED


def test_the_paper_masks_what_is_personal(morning: World, ticket: Ticket) -> None:
    edit(morning, Contact, name="Trần Thị Bưởi", phone="0912345678")
    send(morning)
    (paper,) = all_rows(morning.runtime, Paper)
    words = words_of(papers.file_of(morning.runtime, paper))
    assert "Dây điện đứt ở xóm 5" in words
    assert "0912345678" not in words
    assert "Bưởi" not in words
    assert "Bưởi" not in str(paper.facts)


def test_who_reported_goes_along_only_when_an_official_says_so(morning: World, ticket: Ticket) -> None:
    edit(morning, Contact, name="Trần Thị Bưởi", phone="0912345678")
    send(morning, has_identity=True)
    (paper,) = all_rows(morning.runtime, Paper)
    words = words_of(papers.file_of(morning.runtime, paper))
    assert "Trần Thị Bưởi" in words
    assert "0912345678" in words
    (entry,) = [e for e in all_rows(morning.runtime, AuditEntry) if e.action == "transfer.sent"]
    assert entry.data == {"paper": "1/PC-UBND", "has_identity": True}


def test_whoever_wants_to_stay_unknown_is_never_named(morning: World, ticket: Ticket) -> None:
    edit(morning, Ticket, is_anonymous=True)
    with pytest.raises(NotAllowed, match="anonymous"):
        send(morning, has_identity=True)
    assert all_rows(morning.runtime, Transfer) == []


def test_photos_go_along_made_anew(morning: World, ticket: Ticket) -> None:
    keep_photo(morning, a_photo((3000, 2000)) + b"<script>hidden</script>")
    send(morning)
    (paper,) = all_rows(morning.runtime, Paper)
    data = papers.file_of(morning.runtime, paper)
    assert "Tài liệu kèm theo: 1 ảnh" in words_of(data)
    assert b"hidden" not in data


def test_what_is_sealed_never_leaves(morning: World, ticket: Ticket) -> None:
    now = the_ticket(morning)
    reason = "Có dấu hiệu tố cáo cán bộ."
    tickets.seal(morning.runtime, morning.official("mai"), now.id, version=now.version, reason=reason)
    with pytest.raises(NotAllowed, match="sealed"):
        send(morning, "mai")
    with pytest.raises(NotFound):
        send(morning, "lan")
    assert all_rows(morning.runtime, Paper) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [({"body": " "}, "needs_body"), ({"by_date": None}, "needs_date"), ({"by_date": date(2026, 10, 7)}, "wrong_date"),
     ({"by_date": date(2027, 10, 7)}, "wrong_date"), ({"agency_id": 10**9}, "no_such_agency"),
     ({"request": "x" * 2001}, "too_long")],
)  # fmt: skip
def test_what_is_missing_is_said(morning: World, ticket: Ticket, change: dict[str, object], code: str) -> None:
    with pytest.raises(NotAllowed, match=code):
        send(morning, **change)
    assert all_rows(morning.runtime, Paper) == []
    assert the_ticket(morning).version == ticket.version


def test_a_body_of_the_list_goes_by_its_name(morning: World, ticket: Ticket) -> None:
    with morning.runtime.database.reading() as session:
        power, inside = (
            session.scalars(sa.select(Agency.id).where(Agency.slug == slug)).one() for slug in ("dien-luc", "kinh-te")
        )
    with pytest.raises(NotAllowed, match="no_such_agency"):
        send(morning, agency_id=inside)
    send(morning, agency_id=power, body="")
    assert (the_transfer(morning).body, the_transfer(morning).agency_id) == ("Điện lực", power)


def test_handlers_hand_nothing_over(morning: World, ticket: Ticket) -> None:
    edit(morning, Ticket, official_id=morning.officials["hung"])
    with pytest.raises(NotAllowed, match="not_yours"):
        send(morning, "hung")


def test_the_second_of_two_officials_issues_no_paper(morning: World, ticket: Ticket) -> None:
    send(morning)
    with pytest.raises(Changed):
        transfers.send(morning.runtime, morning.official("tuan"), ticket.id, version=ticket.version, wish=WISH)
    assert len(all_rows(morning.runtime, Paper)) == 1


# --- the link ---------------------------------------------------------------------------------------------------------


def test_the_link_is_kept_nowhere(morning: World, ticket: Ticket) -> None:
    token = token_of(send(morning))
    with morning.runtime.database.reading() as session:
        for model in (Transfer, Paper, AuditEntry, TicketEvent):
            assert token not in str(session.execute(sa.select(model.__table__)).all())


def test_a_body_accepts_asks_and_answers(morning: World, ticket: Ticket) -> None:
    token = token_of(send(morning))
    transfer_links.accept(morning.runtime, token, HOME)
    transfer_links.accept(morning.runtime, token, HOME)
    assert the_transfer(morning).state is TransferState.ACKNOWLEDGED
    says(morning, token, TransferLineKind.QUESTION, "Cột số mấy?", "once-ask")
    says(morning, token, TransferLineKind.ANSWER, "Đã nối dây xong.", "once-ans", author="Ông Sáu", image=a_photo())
    transfer = the_transfer(morning)
    assert (transfer.state, transfer.remind_at) == (TransferState.ANSWERED, None)
    assert kinds(morning) == [
        EventKind.TRANSFER_SENT, EventKind.TRANSFER_ACKNOWLEDGED, EventKind.TRANSFER_ASKED, EventKind.TRANSFER_ANSWERED,
    ]  # fmt: skip
    found = [a.data["what"] for a in all_rows(morning.runtime, Alert) if a.kind is AlertKind.TRANSFER]
    assert found == ["question", "answer"]
    calls = [c for c in alerts.unseen(morning.runtime, morning.official("lan")) if c.alert.kind is AlertKind.TRANSFER]
    assert len(calls) == 2
    assert the_ticket(morning).state is TicketState.FORWARDED


def test_the_citizen_hears_nothing_until_an_official_passes_it_on(morning: World, ticket: Ticket) -> None:
    token = token_of(send(morning))
    before = len(all_rows(morning.runtime, Message))
    says(morning, token, TransferLineKind.ANSWER, "Đã nối dây xong.")
    assert len(all_rows(morning.runtime, Message)) == before


def test_the_same_form_twice_is_one_line(morning: World, ticket: Ticket) -> None:
    token = token_of(send(morning))
    for _ in range(2):
        says(morning, token, TransferLineKind.ANSWER, "Đã nối dây xong.", image=a_photo())
    (line,) = all_rows(morning.runtime, TransferLine)
    kept = files_of(morning)
    (paper,) = all_rows(morning.runtime, Paper)
    assert {p.name for p in kept} == {line.image_blob, paper.blob}


def test_an_answer_says_that_it_was_taken_up(morning: World, ticket: Ticket) -> None:
    token = token_of(send(morning))
    says(morning, token, TransferLineKind.ANSWER, "Đã nối dây xong.")
    assert the_transfer(morning).acknowledged_at == morning.clock()


def test_a_link_ends_by_time(morning: World, clock: Clock, ticket: Ticket) -> None:
    token = token_of(send(morning))
    clock.move(days=29)
    transfer_links.open_link(morning.runtime, token, HOME)
    clock.move(days=2)
    with pytest.raises(NotFound):
        transfer_links.open_link(morning.runtime, token, HOME)
    with pytest.raises(NotFound):
        says(morning, token, TransferLineKind.ANSWER, "Đã xong.")


def test_a_new_link_closes_the_one_before(morning: World, ticket: Ticket) -> None:
    first = token_of(send(morning))
    number, transfer = the_ticket(morning).version, the_transfer(morning)
    address = transfers.renew_link(morning.runtime, morning.official("lan"), ticket.id, transfer.id, version=number)
    with pytest.raises(NotFound):
        transfer_links.open_link(morning.runtime, first, HOME)
    second = address.rsplit("/", 1)[1]
    assert transfer_links.open_link(morning.runtime, second, HOME).transfer.id == transfer.id
    number = the_ticket(morning).version
    transfers.close_link(morning.runtime, morning.official("lan"), ticket.id, transfer.id, version=number)
    with pytest.raises(NotFound):
        transfer_links.open_link(morning.runtime, second, HOME)


def test_sealing_closes_the_link(morning: World, ticket: Ticket) -> None:
    token = token_of(send(morning))
    now = the_ticket(morning)
    reason = "Có dấu hiệu tố cáo cán bộ."
    tickets.seal(morning.runtime, morning.official("lan"), now.id, version=now.version, reason=reason)
    for look in (transfer_links.open_link, transfer_links.paper_file, transfer_links.accept):
        with pytest.raises(NotFound):
            look(morning.runtime, token, HOME)
    with pytest.raises(NotFound):
        transfer_links.photo(morning.runtime, token, HOME, 0)
    now = the_ticket(morning)
    with pytest.raises(NotAllowed, match="is_over"):
        transfers.renew_link(
            morning.runtime, morning.official("mai"), now.id, the_transfer(morning).id, version=now.version
        )


def test_who_tries_links_out_must_wait_an_hour(morning: World, clock: Clock, ticket: Ticket) -> None:
    token = token_of(send(morning))
    for number in range(WRONG_AN_HOUR):
        with pytest.raises(NotFound):
            transfer_links.open_link(morning.runtime, f"wrong-{number:020}", "198.51.100.9")
    with pytest.raises(TooOften):
        transfer_links.open_link(morning.runtime, token, "198.51.100.9")
    assert transfer_links.open_link(morning.runtime, token, HOME).slip.code == ticket.code
    clock.move(hours=1)
    assert transfer_links.open_link(morning.runtime, token, "198.51.100.9").slip.code == ticket.code


def test_a_body_says_so_much_an_hour(morning: World, ticket: Ticket) -> None:
    token = token_of(send(morning))
    for number in range(WRITTEN_AN_HOUR):
        says(morning, token, TransferLineKind.QUESTION, "Ở đâu?", f"once-{number:04}")
    with pytest.raises(NotAllowed, match="too_often"):
        says(morning, token, TransferLineKind.QUESTION, "Ở đâu?", "once-more")


def test_the_link_shows_what_the_paper_shows(morning: World, ticket: Ticket) -> None:
    number = keep_photo(morning, a_photo())
    token = token_of(send(morning, has_photos=False))
    morning.says("Nhà tôi số 0987654321, đừng nói ai biết")
    take_in(morning)
    found = transfer_links.open_link(morning.runtime, token, HOME)
    assert (found.photos, found.slip.photos) == (0, ())
    assert len(found.slip.said) == 1
    with pytest.raises(NotFound):
        transfer_links.photo(morning.runtime, token, HOME, 0)
    assert number


# --- what officials write down ----------------------------------------------------------------------------------------


def test_an_official_writes_down_what_came_on_paper(morning: World, ticket: Ticket) -> None:
    send(morning, has_link=False)
    lan, transfer = morning.official("lan"), the_transfer(morning)
    transfer_progress.acknowledge(morning.runtime, lan, ticket.id, transfer.id, version=the_ticket(morning).version)
    line = Line(TransferLineKind.ANSWER, "Công văn 15: đã thay dây.", "once-1234")
    transfer_progress.write_down(
        morning.runtime, lan, ticket.id, transfer.id, version=the_ticket(morning).version, line=line
    )
    transfer = the_transfer(morning)
    assert (transfer.state, transfer.acknowledged_by_id) == (TransferState.ANSWERED, lan.id)
    assert [a for a in all_rows(morning.runtime, Alert) if a.kind is AlertKind.TRANSFER] == []


def test_what_was_taken_back_expects_nothing(morning: World, ticket: Ticket) -> None:
    token = token_of(send(morning))
    lan, transfer = morning.official("lan"), the_transfer(morning)

    def take_back(reason: str) -> None:
        transfer_progress.recall(
            morning.runtime, lan, ticket.id, transfer.id, version=the_ticket(morning).version, reason=reason
        )

    with pytest.raises(NotAllowed, match="needs_reason"):
        take_back("sai")
    take_back("Gửi nhầm cơ quan khác.")
    assert the_transfer(morning).state is TransferState.RECALLED
    with pytest.raises(NotFound):
        transfer_links.open_link(morning.runtime, token, HOME)
    with pytest.raises(NotAllowed, match="not_waiting"):
        take_back("Gửi nhầm cơ quan khác.")


def test_another_tickets_transfer_is_not_reached(morning: World, ticket: Ticket) -> None:
    send(morning)
    morning.says("Rác ở chợ Đình hôi thối lắm", user="77")
    take_in(morning)
    other = max(all_rows(morning.runtime, Ticket), key=lambda t: t.id)
    with pytest.raises(NotFound):
        transfer_progress.acknowledge(
            morning.runtime, morning.official("lan"), other.id, the_transfer(morning).id, version=other.version
        )


def test_a_body_and_an_official_write_at_once(morning: World, ticket: Ticket) -> None:
    token = token_of(send(morning))
    lan, transfer = morning.official("lan"), the_transfer(morning)

    def body() -> None:
        for number in range(8):
            says(morning, token, TransferLineKind.QUESTION, "Ở đâu?", f"body-{number:04}")

    def desk() -> None:
        for number in range(8):
            line = Line(TransferLineKind.TOLD, "Ở xóm 5.", f"desk-{number:04}")
            version = the_ticket(morning).version
            transfer_progress.write_down(morning.runtime, lan, ticket.id, transfer.id, version=version, line=line)

    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(body), threads.submit(desk)]:
            done.result(timeout=60)
    assert len(all_rows(morning.runtime, TransferLine)) == 16


def test_two_clicks_at_once_are_one_answer(morning: World, ticket: Ticket) -> None:
    token = token_of(send(morning))

    def answer(_: int) -> None:
        says(morning, token, TransferLineKind.ANSWER, "Đã nối dây xong.")

    with ThreadPoolExecutor() as threads:
        list(threads.map(answer, range(4)))
    assert len(all_rows(morning.runtime, TransferLine)) == 1


# --- in time ----------------------------------------------------------------------------------------------------------


def test_the_desk_is_reminded_once_before_the_day(morning: World, clock: Clock, ticket: Ticket) -> None:
    send(morning)
    assert transfer_progress.remind_due(morning.runtime) == 0
    at = the_transfer(morning).remind_at
    assert at is not None
    assert at.date() < BY
    clock.now = at
    assert transfer_progress.remind_due(morning.runtime) == 1
    clock.move(days=30)
    assert transfer_progress.remind_due(morning.runtime) == 0
    (call,) = [c for c in alerts.unseen(morning.runtime, morning.official("lan")) if c.alert.kind is AlertKind.TRANSFER]
    assert (call.alert.data["what"], call.alert.audience) == ("due", "desk")


def test_an_answer_ends_the_reminding(morning: World, clock: Clock, ticket: Ticket) -> None:
    token = token_of(send(morning))
    clock.now = the_transfer(morning).remind_at or clock.now
    transfer_progress.remind_due(morning.runtime)
    says(morning, token, TransferLineKind.ANSWER, "Đã nối dây xong.")
    calls = [c for c in alerts.unseen(morning.runtime, morning.official("lan")) if c.alert.kind is AlertKind.TRANSFER]
    assert [c.alert.data["what"] for c in calls] == ["answer"]


# --- sealing ----------------------------------------------------------------------------------------------------------


def test_a_picture_of_the_answer_is_locked_when_its_ticket_is_sealed_later(
    morning: World, clock: Clock, ticket: Ticket
) -> None:
    token, mai, lan = token_of(send(morning)), morning.official("mai"), morning.official("lan")
    says(morning, token, TransferLineKind.ANSWER, "Đã nối dây xong.", image=a_photo())
    (line,) = all_rows(morning.runtime, TransferLine)
    plain = transfer_progress.photo_of(morning.runtime, lan, ticket.id, line.id)
    tickets.seal(morning.runtime, lan, ticket.id, version=the_ticket(morning).version, reason="Có tên người bị tố cáo")
    assert sealed_files.settle_due(morning.runtime) == 1
    assert sealed_files.settle_due(morning.runtime) == 0
    clock.move(minutes=3)
    erase_let_go(morning.runtime)
    (kept,) = files_of(morning)
    assert plain[300:364] not in kept.read_bytes()
    assert transfer_progress.photo_of(morning.runtime, mai, ticket.id, line.id) == plain
    looks = [e.target for e in all_rows(morning.runtime, AuditEntry) if e.action == "file.sealed_viewed"]
    assert looks == [f"transfer_line:{line.id}"]
    for forbidden in (lambda: transfer_progress.photo_of(morning.runtime, lan, ticket.id, line.id),
                      lambda: transfer_links.answer_photo(morning.runtime, token, HOME, line.id)):  # fmt: skip
        with pytest.raises(NotFound):
            forbidden()
    tickets.unseal(morning.runtime, mai, ticket.id, version=the_ticket(morning).version, reason="Không phải tố cáo")
    assert sealed_files.settle_due(morning.runtime) == 1
    assert transfer_progress.photo_of(morning.runtime, lan, ticket.id, line.id) == plain
    (line,) = all_rows(morning.runtime, TransferLine)
    assert not line.is_file_sealed


# --- erasing ----------------------------------------------------------------------------------------------------------


def test_withdrawing_data_takes_the_paper_and_the_link(morning: World, clock: Clock, ticket: Ticket) -> None:
    token = token_of(send(morning))
    says(morning, token, TransferLineKind.ANSWER, "Đã gặp bà Bưởi.", image=a_photo())
    clock.move(minutes=5)
    does(morning, "user_withdraw")
    take_in(morning)
    (paper,), (line,) = all_rows(morning.runtime, Paper), all_rows(morning.runtime, TransferLine)
    assert (paper.facts, paper.blob, len(paper.digest or "")) == ({}, None, 64)
    assert "Bưởi" not in line.text
    clock.move(minutes=2)
    erase_let_go(morning.runtime)
    assert files_of(morning) == []
    with pytest.raises(NotFound):
        transfer_links.open_link(morning.runtime, token, HOME)
    with pytest.raises(NotFound):
        papers.open_paper(morning.runtime, morning.official("lan"), ticket.id, paper.id, HOME)
