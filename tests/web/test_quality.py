"""The page of quality, and what officials correct on a ticket's page, as a browser sees them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from bot.usecases import tickets, triage
from bot.usecases.quality import Looked, quality
from storage.corrections import Correction
from storage.enums import CorrectionKind, Role
from storage.tickets import Ticket
from storage.trained import TrainedModel
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.web.pages import Browser
from tests.web.test_who_sees_what import DENUNCIATION, neighbour, official

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]
POTHOLE = "Đường Xóm 7 có ổ gà to, xe máy ngã liên tục"
RUBBISH = "Rác ở chợ Đình không ai thu gom cả tuần nay, hôi thối lắm"


def latest(world: World, number: int) -> Ticket:
    with world.runtime.database.reading() as session:
        return session.get_one(Ticket, number)


def a_training(world: World, *, is_promoted: bool = False, left_out: dict[str, object] | None = None) -> None:
    of_tuan = {"official_id": world.officials["tuan"], "commune_id": world.commune_id, "kind": "topic", "label": ""}
    batch = left_out or of_tuan
    difference = {"name": "as officials say", "before": 0.25, "after": 0.875, "low": 0.4, "high": 0.8, "of": 40}
    with world.runtime.database.transaction() as session:
        session.add(
            TrainedModel(
                version="0123456789ab" if is_promoted else None,
                created_at=world.clock(),
                promoted_at=world.clock() if is_promoted else None,
                is_active=is_promoted,
                content=b"-",
                figures={
                    "lessons": 40,
                    "batches": [] if is_promoted else [{**batch, "contradicting": 31, "of": 40}],
                    "lost": [],
                    "trials": [{"differences": [difference]}],
                },
            )
        )


def test_before_anything_was_read_the_page_says_what_will_be_there(browser: Open) -> None:
    page = browser("mai").open("/quality")
    assert "Chưa có tin nhắn nào" in page.text
    assert "Hệ thống chưa học lần nào" in page.text


def test_the_page_is_for_leaders_and_administrators(browser: Open) -> None:
    for who, status in (("mai", 200), ("an", 200), ("lan", 403), ("hung", 403), ("tuan", 403), ("hoa", 403)):
        one = browser(who)
        start = one.open("/administration") if who == "an" else one.page
        assert ("/quality" in start.links) is (status == 200), who
        one.open("/quality", status)


def test_the_share_that_had_to_be_corrected_counts_agreement_too(
    world: World, browser: Open, reported: Reported
) -> None:
    lan = browser("lan")
    for number, (text, topic) in enumerate([(RUBBISH, "rac-thai"), (RUBBISH, "o-nhiem"), (RUBBISH, "rac-thai")]):
        ticket = reported(text, user=str(number))
        page = lan.open(f"/tickets/{ticket.id}")
        lan.send(page.form(f"/tickets/{ticket.id}/topic"), topic=topic)
    reported(RUBBISH, user="9")
    page = browser("mai").open("/quality")
    assert "Đã đọc 4 tin" in page.text
    assert "Sửa 1 trong 3 lần xem (33,3%)" in page.text


def test_who_takes_a_correction_back_agreed_after_all(world: World, browser: Open, reported: Reported) -> None:
    ticket = reported(RUBBISH)
    one = browser("lan")
    for topic in ("o-nhiem", "rac-thai"):
        page = one.open(f"/tickets/{ticket.id}")
        one.send(page.form(f"/tickets/{ticket.id}/topic"), topic=topic)
    assert "Sửa 0 trong 1 lần xem (0,0%)" in browser("mai").open("/quality").text


def test_what_is_older_than_the_period_is_not_counted(
    world: World, browser: Open, reported: Reported, clock: Clock
) -> None:
    reported(RUBBISH)
    clock.move(days=40)
    one = browser("mai")
    assert "Chưa có tin nhắn nào" in one.open("/quality").text
    assert "Đã đọc 1 tin" in one.open("/quality?days=90").text
    assert "Chưa có tin nhắn nào" in one.open("/quality?days=7000").text


def test_what_is_sealed_is_in_no_topic(world: World, browser: Open, reported: Reported) -> None:
    ticket = reported(DENUNCIATION)
    tickets.set_topic(
        world.runtime, world.official("mai"), ticket.id, version=ticket.version, topic="to-cao-tham-nhung"
    )
    page = browser("an").open("/quality")
    assert "Chưa có tin nhắn nào" in page.text
    assert "Tố cáo" not in page.text


def test_an_urgency_corrected_on_what_is_sealed_is_not_counted(world: World, browser: Open, reported: Reported) -> None:
    sealed, report = reported(DENUNCIATION), reported(RUBBISH, user="9")
    for who, ticket in (("mai", sealed), ("lan", report)):
        one = browser(who)
        page = one.open(f"/tickets/{ticket.id}")
        one.send(page.form(f"/tickets/{ticket.id}/urgency"), urgency="khan")
    assert quality(world.runtime, world.official("an"), 30).urgency == Looked(1, 1)


def test_what_was_done_and_undone_is_counted_both_ways(world: World, browser: Open, reported: Reported) -> None:
    ticket, lan = reported(RUBBISH), world.official("lan")
    for act in (triage.mark_spam, triage.restore, triage.mark_spam):
        act(world.runtime, lan, ticket.id, version=latest(world, ticket.id).version)
    denounced, mai = reported(DENUNCIATION, user="9"), world.official("mai")
    tickets.unseal(world.runtime, mai, denounced.id, version=denounced.version, reason="không phải tố cáo")
    found = quality(world.runtime, world.official("an"), 30)
    assert (found.spam, found.restored, found.sealed, found.unsealed) == (2, 1, 0, 1)


def test_corrections_are_counted_where_they_are_kept(world: World, reported: Reported) -> None:
    ticket = reported(RUBBISH)
    with world.runtime.database.transaction() as session:
        session.execute(
            sa.insert(Correction),
            [
                {
                    "commune_id": world.commune_id,
                    "ticket_id": ticket.id,
                    "kind": kind,
                    "before": before,
                    "after": "dien",
                    "reader_version": "",
                    "official_id": world.officials["lan"],
                    "at": world.clock(),
                }
                for kind in (CorrectionKind.TOPIC, CorrectionKind.URGENCY)
                for before in ("dien", *["rac-thai"] * 500)
            ],
        )
    fetched: list[object] = []

    def note(row: object, _context: object) -> None:
        fetched.append(row)

    sa.event.listen(Correction, "load", note)
    found = quality(world.runtime, world.official("mai"), 30)
    sa.event.remove(Correction, "load", note)
    assert fetched == []
    assert (found.urgency, found.looked) == (Looked(1, 0), Looked(1, 0))


def test_another_communes_figures_are_not_shown(world: World, browser: Open, reported: Reported) -> None:
    reported(RUBBISH)
    a_training(world)
    neighbour(world, Role.LEADER)
    page = browser("ben").open("/quality")
    assert "Đã đọc" not in page.text
    assert "Phạm Anh Tuấn" not in page.text
    assert "cán bộ nơi khác" in page.text


@pytest.mark.parametrize(
    ("kind", "label", "words"),
    [
        (
            "topic",
            "rac-thai",
            "các lần sửa lĩnh vực thành “Rác thải, vệ sinh môi trường”; nhiều lần dùng nhãn này trái với dữ liệu mẫu",
        ),
        ("urgency", "khan_cap", "các lần sửa mức khẩn thành “KHẨN CẤP”; nhiều lần dùng nhãn này trái với dữ liệu mẫu"),
        ("spam", "spam", "các lần sửa tin rác; nhiều lần trái với dữ liệu mẫu"),
    ],
)
def test_of_a_label_given_anywhere_no_numbers_are_shown(
    world: World, browser: Open, kind: str, label: str, words: str
) -> None:
    a_training(world, left_out={"official_id": None, "commune_id": None, "kind": kind, "label": label})
    page = browser("mai").open("/quality")
    assert words in page.text
    assert "31" not in page.text.split("Các lần học gần đây")[1]


@pytest.mark.parametrize("is_promoted", [True, False])
def test_the_latest_trainings_are_shown_with_figures(world: World, browser: Open, is_promoted: bool) -> None:
    a_training(world, is_promoted=is_promoted)
    page = browser("mai").open("/quality")
    assert "25,0% → 87,5%" in page.text
    assert ("Đang dùng" in page.text) is is_promoted
    assert ("31 trong 40 lần sửa lĩnh vực của Phạm Anh Tuấn" in page.text) is not is_promoted


def test_the_page_is_said_in_english_too(world: World, browser: Open, reported: Reported) -> None:
    reported(RUBBISH)
    a_training(world)
    one = browser("mai")
    page = one.open("/quality")
    one.send(next(f for f in page.forms if f.action == "/language"), locale="en")
    page = one.open("/quality")
    assert "Reading quality" in page.text
    assert "1 messages read" in page.text
    assert "87.5%" in page.text


def test_an_urgency_is_corrected_on_the_page(world: World, browser: Open, reported: Reported) -> None:
    ticket = reported(POTHOLE)
    one = browser("lan")
    page = one.open(f"/tickets/{ticket.id}")
    page = one.send(page.form(f"/tickets/{ticket.id}/urgency"), urgency="khan")
    assert "Đổi mức khẩn thành: Khẩn." in page.text
    assert latest(world, ticket.id).urgency == "khan"
    assert [(c.kind, c.after) for c in all_rows(world.runtime, Correction)] == [(CorrectionKind.URGENCY, "khan")]


def test_spam_leaves_the_list_and_comes_back(world: World, browser: Open, reported: Reported) -> None:
    ticket = reported(POTHOLE)
    one = browser("lan")
    one.send(one.open(f"/tickets/{ticket.id}").form(f"/tickets/{ticket.id}/spam"))
    for view in ("new", "mine", "due", "urgent", "all"):
        assert ticket.code not in one.open(f"/tickets?view={view}").text
    assert ticket.code in one.open("/tickets?view=spam").text
    assert ticket.code in one.open("/tickets?view=all&q=o ga").text
    page = one.open(f"/tickets/{ticket.id}")
    assert not page.has_form(f"/tickets/{ticket.id}/replies")
    assert not page.has_form(f"/tickets/{ticket.id}/state")
    assert not page.has_form(f"/tickets/{ticket.id}/assignment")
    page = one.send(page.form(f"/tickets/{ticket.id}/restoration"))
    assert "Đã khôi phục phản ánh." in page.text
    assert ticket.code in one.open("/tickets?view=new").text


def test_a_handler_puts_nothing_aside(world: World, browser: Open, reported: Reported) -> None:
    ticket = reported(POTHOLE)
    page = browser("hung").open(f"/tickets/{ticket.id}")
    assert not page.has_form(f"/tickets/{ticket.id}/spam")
    assert not page.has_form(f"/tickets/{ticket.id}/urgency")


def test_who_unseals_without_seeing_open_reports_is_led_to_the_list(
    world: World, browser: Open, reported: Reported
) -> None:
    ticket = reported(DENUNCIATION)
    one = browser(official(world, "mat", world.commune_id, Role.SEALED_READER))
    page = one.open(f"/tickets/{ticket.id}")
    page = one.send(page.form(f"/tickets/{ticket.id}/unsealing"), words="Không phải tố cáo, chỉ là góp ý.")
    assert "Đã mở niêm phong" in page.text
    assert not latest(world, ticket.id).is_sealed
