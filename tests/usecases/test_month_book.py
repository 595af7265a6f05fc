"""The month's book: what stands in it, what is late, and what it never tells."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.rules.deadlines import VIETNAM
from bot.rules.spreadsheet import MARK
from bot.usecases import month_book
from bot.usecases.month_book import export
from storage.agencies import Agency
from storage.audit import AuditEntry
from storage.contacts import Contact, Conversation, Urn
from storage.enums import EventKind, TicketState
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows
from tests.papers.looking import pages_of, words_of

S = TicketState
OPENED = datetime(2026, 10, 5, 8, 0, tzinfo=VIETNAM)  # a Monday
DUE = datetime(2026, 10, 6, 8, 0, tzinfo=VIETNAM)
SECRET = "Tố cáo cán bộ nhận tiền"


def a_ticket(world: World, **changes: Any) -> int:
    """A report of rubbish, taken in on Monday at eight, due on Tuesday at eight."""
    code = f"PA26-{len(all_rows(world.runtime, Ticket)) + 1:04}"
    values: dict[str, Any] = {
        "commune_id": world.commune_id, "code": code, "state": S.RECEIVED, "topic": "rac-thai", "place_text": "Xóm 5",
        "summary": "Rác chưa thu gom, gọi 0912345678", "opened_at": OPENED, "last_in_at": OPENED, "due_at": DUE,
    } | changes  # fmt: skip
    values["is_open"] = values["state"].is_open
    with world.runtime.database.transaction() as session:
        contact = Contact(commune_id=world.commune_id, created_at=OPENED)
        session.add(contact)
        session.flush()
        urn = Urn(commune_id=world.commune_id, channel_id=world.channel_id, contact_id=contact.id, value=f"zalo:{code}")
        session.add(urn)
        session.flush()
        talk = Conversation(
            commune_id=world.commune_id, channel_id=world.channel_id, contact_id=contact.id, urn_id=urn.id,
            created_at=OPENED,
        )  # fmt: skip
        session.add(talk)
        session.flush()
        ticket = Ticket(conversation_id=talk.id, contact_id=contact.id, **values)
        session.add(ticket)
        session.flush()
        return ticket.id


def book(world: World, who: str = "lan", month: int = 10) -> month_book.Book:
    return month_book.month_book(world.runtime, world.official(who), 2026, month)


@pytest.mark.parametrize(
    ("changes", "timing", "result"),
    [
        ({"state": S.ANSWERED, "answered_at": DUE - timedelta(minutes=1)}, "Đúng hạn", "Đã trả lời"),
        ({"state": S.ANSWERED, "answered_at": DUE}, "Đúng hạn", "Đã trả lời"),
        ({"state": S.CLOSED, "answered_at": DUE + timedelta(hours=2)}, "Quá hạn 2 giờ", "Đã kết thúc"),
        # From Friday 16:00 to Monday 08:00 the office worked an hour and a half.
        ({"state": S.ANSWERED, "due_at": datetime(2026, 10, 9, 16, tzinfo=VIETNAM),
          "answered_at": datetime(2026, 10, 12, 8, tzinfo=VIETNAM)}, "Quá hạn 1 giờ", "Đã trả lời"),
        ({"state": S.DECLINED, "closed_at": DUE - timedelta(hours=1)}, "Đúng hạn", "Không tiếp nhận"),
        ({"state": S.IN_PROGRESS}, "Quá hạn 1 ngày 3 giờ", "Đang xử lý"),  # now: Wednesday noon
        ({"state": S.IN_PROGRESS, "due_at": DUE + timedelta(days=9)}, "Trong hạn", "Đang xử lý"),
        ({"state": S.WAITING_CITIZEN, "paused_at": OPENED}, "Trong hạn", "Chờ bổ sung"),
        ({"state": S.MERGED, "closed_at": OPENED}, "", "Đã ghép"),
        ({"state": S.WITHDRAWN, "closed_at": OPENED}, "", "Người dân rút"),
        ({"state": S.REOPENED, "answered_at": OPENED, "due_at": DUE + timedelta(days=9)}, "Trong hạn", "Mở lại"),
    ],
)  # fmt: skip
def test_late_is_what_is_late_in_working_time(world: World, changes: dict[str, Any], timing: str, result: str) -> None:
    a_ticket(world, **changes)
    (line,) = book(world).lines
    assert (line.timing, line.result) == (timing, result)


def test_a_line_tells_the_matter_and_masks_the_person(world: World) -> None:
    with world.runtime.database.reading() as session:
        agency = session.scalars(sa.select(Agency.id).where(Agency.slug == "kinh-te")).one()
    a_ticket(world, agency_id=agency, state=S.ANSWERED, answered_at=DUE, rating=3)
    (line,) = book(world).lines
    assert (line.number, line.code, line.channel, line.agency) == (1, "PA26-0001", "Zalo OA Đức Huệ", "Phòng Kinh tế")
    assert (line.topic, line.place, line.rating) == ("Rác thải, vệ sinh môi trường", "Xóm 5", "hài lòng")
    assert line.summary.startswith("Rác chưa thu gom")
    assert "0912345678" not in line.summary


def test_a_month_is_vietnams(world: World) -> None:
    begins, ends = datetime(2026, 10, 1, tzinfo=VIETNAM), datetime(2026, 11, 1, tzinfo=VIETNAM)
    for at in (begins - timedelta(seconds=1), begins, ends - timedelta(seconds=1), ends):
        a_ticket(world, opened_at=at)
    assert [line.code for line in book(world).lines] == ["PA26-0002", "PA26-0003"]


def test_what_is_sealed_is_a_number_and_nothing_else(world: World) -> None:
    a_ticket(world)
    a_ticket(world, is_sealed=True, topic="to-cao", summary=SECRET, place_text="Xóm 99", due_at=None)
    found = book(world, "mai")
    assert (len(found.lines), found.total.received, found.sealed) == (1, 1, 1)
    for kind in ("pdf", "csv", "xlsx"):
        data = export(world.runtime, world.official("mai"), 2026, 10, kind, "")
        words = words_of(data) if kind == "pdf" else data.decode() if kind == "csv" else sheets(data)
        for part in (SECRET, "Xóm 99", "PA26-0002"):
            assert part not in words, (kind, part)
        assert "PA26-0001" in words


def test_spam_is_in_no_book(world: World) -> None:
    a_ticket(world, is_spam=True)
    assert book(world).total.received == 0


def test_sums_are_by_topic_and_agency(world: World) -> None:
    a_ticket(world, state=S.ANSWERED, answered_at=DUE)
    a_ticket(world, state=S.ANSWERED, answered_at=DUE + timedelta(days=1))
    a_ticket(world, topic="chieu-sang", due_at=DUE + timedelta(days=9))
    a_ticket(world, state=S.WITHDRAWN, closed_at=OPENED)
    found = book(world)
    assert found.total.figures == (4, 1, 1, 1, 1)
    assert (found.topics[0].name, found.topics[0].received) == ("Rác thải, vệ sinh môi trường", 3)
    assert [one.figures for one in found.agencies] == [(4, 1, 1, 1, 1)]
    assert found.share_in_time == 0.5


def test_what_waits_from_before_is_counted(world: World) -> None:
    before = OPENED - timedelta(days=20)
    a_ticket(world, opened_at=before)
    a_ticket(world, opened_at=before, state=S.ANSWERED, answered_at=OPENED)
    a_ticket(world, opened_at=before, state=S.ANSWERED, answered_at=before)
    a_ticket(world, opened_at=before, state=S.REOPENED, answered_at=before)
    a_ticket(world, opened_at=before, is_sealed=True)
    assert (book(world).carried, book(world).total.received) == (3, 0)


def test_what_was_handed_on_more_than_twice_is_listed(world: World) -> None:
    often, twice = a_ticket(world), a_ticket(world)
    moves = [
        (often, EventKind.ASSIGNED, {"agency": "Phòng Kinh tế"}),
        (often, EventKind.STATE_CHANGED, {"agency": "Phòng Kinh tế", "to": "da_chuyen"}),
        (often, EventKind.ASSIGNED, {"agency": "Công an xã"}),
        (often, EventKind.TRANSFER_SENT, {"body": "Điện lực"}),
        (often, EventKind.STATE_CHANGED, {"body": "Điện lực", "to": "chuyen_cap_tren"}),
        (twice, EventKind.ASSIGNED, {"agency": "Phòng Kinh tế"}),
        (twice, EventKind.ASSIGNED, {"agency": "Công an xã"}),
    ]
    with world.runtime.database.transaction() as session:
        session.add_all(
            TicketEvent(commune_id=world.commune_id, ticket_id=ticket, kind=kind, at=OPENED, data=data)
            for ticket, kind, data in moves
        )
    assert book(world).handed == (("PA26-0001", "Phòng Kinh tế → Công an xã → Điện lực"),)


def test_who_administers_gets_sums_only(world: World) -> None:
    a_ticket(world)
    found = book(world, "an")
    assert (found.lines, found.handed, found.total.received) == ((), (), 1)
    assert "Rác chưa thu gom" not in words_of(export(world.runtime, world.official("an"), 2026, 10, "pdf", ""))


def test_whoever_takes_a_book_away_is_written_down(world: World) -> None:
    a_ticket(world)
    export(world.runtime, world.official("lan"), 2026, 10, "xlsx", "203.0.113.5")
    (entry,) = [e for e in all_rows(world.runtime, AuditEntry) if e.action == "book.exported"]
    assert (entry.official_id, entry.target, entry.address) == (world.officials["lan"], "book:2026-10", "203.0.113.5")
    assert entry.data == {"kind": "xlsx", "lines": 1}


def test_the_paper_has_every_line_and_the_head_on_each_page(world: World) -> None:
    for number in range(60):
        a_ticket(world, summary=f"Việc thứ {number} " + "rất dài " * 12)
    pages = pages_of(export(world.runtime, world.official("lan"), 2026, 10, "pdf", ""))
    assert len(pages) > 4
    words = " ".join(pages)
    assert "SỔ THEO DÕI TIẾP NHẬN, XỬ LÝ PHẢN ÁNH, KIẾN NGHỊ" in pages[0]
    assert "Tháng 10 năm 2026" in pages[0]
    assert all(f"PA26-{n:04}" in words for n in range(1, 61))
    assert all("Ngày nhận" in page for page in pages[:-1])
    assert "Tổng cộng" in pages[-1]
    assert "Tỷ lệ đúng hạn: 0,0 %" in pages[-1]


def test_words_are_no_formulas_in_a_spreadsheet(world: World) -> None:
    a_ticket(world, summary="=1+1", place_text="@SUM(A1)")
    data = export(world.runtime, world.official("lan"), 2026, 10, "csv", "").decode()
    (_, row) = list(csv.reader(io.StringIO(data.removeprefix(MARK))))
    assert (row[5], row[6]) == ("'=1+1", "'@SUM(A1)")
    assert "<f>" not in sheets(export(world.runtime, world.official("lan"), 2026, 10, "xlsx", ""))


def test_an_empty_month_is_a_book_too(world: World) -> None:
    assert "Không có phản ánh nào" in words_of(export(world.runtime, world.official("lan"), 2026, 9, "pdf", ""))
    assert book(world, month=9).share_in_time is None


def sheets(data: bytes) -> str:
    """All that stands in a workbook."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return " ".join(archive.read(name).decode() for name in archive.namelist())
