"""The pages of frequent questions, as a browser without JavaScript sees them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.usecases import intake
from storage.audit import AuditEntry
from storage.faq import FaqRow
from storage.messages import Message
from tests.builders import World, all_rows
from tests.web.pages import Browser

Open = Callable[[str], Browser]
BIRTH = "Đăng ký khai sinh cho con cần giấy tờ gì, nộp ở đâu?"
NIGHT_MARKET = {
    "question": "Chợ đêm họp mấy giờ?",
    "topic": "van-hoa-the-thao",
    "variants": "cho dem mo cua luc nao\n\nchợ đêm tối nào họp",
    "answer": "Chợ đêm họp tối thứ bảy, từ 18:00, tại {noitiep}.",
    "source": "Thông báo của UBND",
    "as_of": "2026-10",
}


def answers(world: World, text: str) -> list[str]:
    """What the bot answers a citizen who asks."""
    before = len(all_rows(world.runtime, Message))
    world.says(text, user=f"30000000000000{before:05d}")
    intake.drain(world.runtime)
    return [m.text for m in all_rows(world.runtime, Message)[before:] if m.template == "faq"]


@pytest.mark.parametrize(
    ("who", "status"), [("an", 200), ("mai", 200), ("tuan", 200), ("lan", 403), ("hung", 403), ("hoa", 403)]
)
@pytest.mark.parametrize("path", ["/faq", "/faq/new", "/faq/khai-sinh/edit"])
def test_only_those_who_keep_the_list_see_it(browser: Open, path: str, who: str, status: int) -> None:
    assert browser(who).client.get(path).status_code == status


def test_the_way_there_is_shown_to_those_who_may_go(browser: Open) -> None:
    assert "/faq" in browser("an").open("/administration").links
    assert "/faq" not in browser("lan").open("/tickets").links


def test_nobody_changes_the_list_by_hand(world: World, browser: Open) -> None:
    lan = browser("lan")
    token = lan.open("/tickets").form("/sign-out").fields["csrf_token"]
    for path in ("/faq", "/faq/khai-sinh", "/faq/khai-sinh/hiding", "/faq/khai-sinh/restoration"):
        assert lan.client.post(path, data={"csrf_token": token, **NIGHT_MARKET}).status_code == 403
    assert all_rows(world.runtime, FaqRow) == []


@pytest.mark.parametrize(
    "path", ["/faq/khong-co/edit", "/faq/KHAI-SINH/edit", "/faq/..%2Fx/edit", f"/faq/{'a' * 99}/edit"]
)
def test_what_is_not_there_is_not_found(browser: Open, path: str) -> None:
    assert browser("an").client.get(path).status_code == 404


def test_an_entry_is_added_and_citizens_are_answered_with_it(world: World, browser: Open) -> None:
    an = browser("an")
    an.open("/faq/new")
    page = an.send(an.page.form("/faq"), **NIGHT_MARKET)
    assert "Đã thêm câu hỏi." in page.text
    assert "của địa phương" in page.text
    (row,) = all_rows(world.runtime, FaqRow)
    assert (row.key, row.version, row.variants) == (
        "cho-dem-hop-may-gio",
        1,
        "cho dem mo cua luc nao\nchợ đêm tối nào họp",
    )
    (words,) = answers(world, "chợ đêm họp mấy giờ vậy ạ?")
    assert words.startswith("Chợ đêm họp tối thứ bảy, từ 18:00, tại trụ sở UBND xã Đức Huệ.")
    assert [e.action for e in all_rows(world.runtime, AuditEntry)].count("faq.saved") == 1


def test_an_entry_that_ships_is_changed_hidden_shown_and_restored(world: World, browser: Open) -> None:
    an = browser("an")
    an.open("/faq/khai-sinh/edit")
    an.send(an.page.form("/faq/khai-sinh"), answer="Mời ông/bà ra {noitiep}.")
    assert answers(world, BIRTH)[0].startswith("Mời ông/bà ra trụ sở UBND xã Đức Huệ.")
    an.open("/faq")
    assert "không trả lời tự động" in an.send(an.page.form("/faq/khai-sinh/hiding")).text
    assert answers(world, BIRTH) == []
    an.send(an.page.form("/faq/khai-sinh/showing"))
    assert answers(world, BIRTH)[0].startswith("Mời ông/bà ra trụ sở")
    an.open("/faq/khai-sinh/edit")
    an.send(an.page.form("/faq/khai-sinh/restoration"))
    assert "giấy chứng sinh" in answers(world, BIRTH)[0]
    assert all_rows(world.runtime, FaqRow) == []


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("question", " ", "Vui lòng ghi đủ câu hỏi"),
        ("source", "", "Vui lòng ghi đủ câu hỏi"),
        ("topic", "mua-xuan", "Vui lòng chọn lĩnh vực"),
        ("answer", "Mời ông/bà gặp {ten}.", "Không có chỗ điền {ten}"),
        ("answer", "Mời ông/bà ra {", "Không có chỗ điền {"),
        ("answer", "dài " * 500, "dài nhất 1500 ký tự"),
        ("variants", "\n".join(f"cách {n}" for n in range(99)), "Nhiều nhất 60 cách hỏi"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(
    world: World, browser: Open, field: str, value: str, words: str
) -> None:
    an = browser("an")
    an.open("/faq/new")
    page = an.send(an.page.form("/faq"), status=422, **{**NIGHT_MARKET, field: value})
    assert words in page.text
    kept = page.form("/faq").fields
    assert (
        kept["source" if field != "source" else "question"]
        == NIGHT_MARKET["source" if field != "source" else "question"]
    )
    assert all_rows(world.runtime, FaqRow) == []


def test_of_two_who_change_an_entry_the_second_is_asked_to_look_again(world: World, browser: Open) -> None:
    an, mai = browser("an"), browser("mai")
    for one in (an, mai):
        one.open("/faq/khai-sinh/edit")
    an.send(an.page.form("/faq/khai-sinh"), answer="Bản của An.")
    page = mai.send(mai.page.form("/faq/khai-sinh"), status=422, answer="Bản của Mai.")
    assert "vừa được người khác sửa" in page.text
    assert [row.answer for row in all_rows(world.runtime, FaqRow)] == ["Bản của An."]


def test_a_question_is_tried_before_citizens_ask_it(browser: Open) -> None:
    an = browser("an")
    assert "Hệ thống sẽ trả lời ngay bằng câu:" in an.open("/faq?try=khai sinh cho con can giay to gi").text
    assert "nên chuyển cán bộ" in an.open("/faq?try=Cháy nhà ở xóm 5 rồi, cứu với").text


def test_the_list_is_searched_without_regard_to_accents(browser: Open) -> None:
    page = browser("an").open("/faq?search=khai tu")
    assert "khai tử" in page.text.lower()
    assert "câu hỏi." in page.text
    assert "Tìm thấy 0 câu hỏi." in browser("an").open("/faq?search=khong-co-dau").text


def test_another_communes_entries_are_its_own(world: World, browser: Open) -> None:
    from bot.usecases.setup import add_commune

    other = add_commune(world.runtime, code="25942", slug="di-an")
    with world.runtime.database.transaction() as session:
        session.add(FaqRow(commune_id=other, key="cho-dem", changed_at=world.clock(), **NIGHT_MARKET))
    assert browser("an").client.get("/faq/cho-dem/edit").status_code == 404
    assert answers(world, "chợ đêm họp mấy giờ vậy ạ?") == []
