"""Pages of bulletins, as browsers of the author and of a second person see them."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.rules.bulletins import FULL_CHECKLIST
from bot.rules.deadlines import VIETNAM
from storage.announcements import Announcement
from storage.bulletins import Bulletin, BulletinTest
from storage.enums import BulletinState, Importance
from tests.builders import World, all_rows
from tests.sms import an_sms_channel
from tests.usecases.bulletins import a_bulletin, approved, bulletin, legs, on, second_channel, submitted, tried
from tests.usecases.looking import take_in
from tests.usecases.telling import BODY, TITLE, Phone, followers, phone, run
from tests.usecases.test_replies import a_photo
from tests.web.test_announcements import Browser

__all__ = ["phone"]
HERE = "/announcements/bulletins"


def fields(world: World, *channels: int, **changes: object) -> dict[str, object]:
    """What an author typed."""
    until = (world.clock() + timedelta(days=3)).astimezone(VIETNAM).strftime("%Y-%m-%dT%H:%M")
    return {
        "title": TITLE,
        "body": BODY,
        "channel": [str(number) for number in channels or (world.channel_id,)],
        "importance": "thong_thuong",
        "valid_until": until,
        **changes,
    }


def version_on(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found
    return found[1]


def test_one_text_is_written_tried_approved_and_seen_going_out_on_two_channels(world: World, phone: Phone) -> None:
    other = second_channel(world)
    followers(world, 2)
    followers(on(world, other), 1)
    tuan, hoa = Browser(world, "tuan"), Browser(world, "hoa")
    answer = tuan.post(HERE, **fields(world, world.channel_id, other))
    assert answer.status_code == 303
    where = answer.headers["Location"]
    page = tuan.get(where).text
    assert "Cộng: 3 lượt nhận" in page
    assert "Gửi thử nội dung hiện tại cho mình" in page
    tried(world, int(where.rsplit("/", 1)[1]))
    page = tuan.get(where).text
    assert "Gửi thử nội dung hiện tại cho mình" not in page
    tuan.post(f"{where}/submission", version=version_on(page), confirmed=list(FULL_CHECKLIST))
    page = hoa.get(where).text
    seen = re.search(r'name="seen_hash" value="([0-9a-f]{64})"', page)
    assert seen
    assert "Đúng nội dung sẽ gửi" in page
    assert hoa.post(f"{where}/approval", seen_hash=seen[1]).status_code == 303
    assert 'hx-trigger="every 1s"' in hoa.get(where).text
    run(world)
    page = tuan.get(where).text
    assert "Đã gửi xong" in page
    assert "3 / 3 người" in page
    assert "Zalo OA thứ hai" in page
    assert "every 1s" not in page


def test_the_list_shows_bulletins_beside_announcements_on_one_channel(world: World, phone: Phone) -> None:
    followers(world, 2)
    approved(world, title="Tin nhiều kênh")
    number = approved(world, title="Tin một kênh")
    [former] = legs(world, number)
    run(world)
    with world.runtime.database.transaction() as session:  # as it was before there were bulletins
        session.execute(sa.update(Announcement).where(Announcement.id == former.id).values(bulletin_id=None))
        session.execute(sa.delete(BulletinTest).where(BulletinTest.bulletin_id == number))
        session.execute(sa.delete(Bulletin).where(Bulletin.id == number))
    page = Browser(world, "mai").get("/announcements").text
    assert page.count('class="row"') == 2
    assert "Tin nhiều kênh" in page
    assert "Đã gửi 2 / 2" in page
    assert "Tin một kênh" in page
    assert f'href="/announcements/{former.id}"' in page


def test_previews_stand_side_by_side_with_lengths_and_parts_paid_for(world: World) -> None:
    sms = an_sms_channel(world)
    followers(world, 3)
    followers(on(world, sms), 2, values=["tel:+84912345678", "tel:+84912345679"])
    answer = Browser(world, "tuan").post(HERE, **fields(world, world.channel_id, sms), preview="1")
    assert answer.status_code == 200
    assert "/ 1000 ký tự" in answer.text
    assert "Cat dien de sua chua" in answer.text
    parts = re.search(r"(\d+) phần × 2 người = (\d+) phần tính tiền", answer.text)
    assert parts
    assert int(parts[2]) == 2 * int(parts[1]) > 0
    assert "Cộng: 5 lượt nhận" in answer.text
    assert "Loa truyền thanh" in answer.text
    assert "Bảng tin điện tử" in answer.text
    assert all_rows(world.runtime, Bulletin) == []


def test_words_of_ones_own_for_a_medium_are_seen_there_only(world: World) -> None:
    followers(world, 1)
    page = Browser(world, "tuan").post(HERE, **fields(world), text_zalo="Chỉ trên Zalo.", preview="1").text
    assert page.count("Chỉ trên Zalo.") == 2  # where it is written, and as it arrives


def test_a_board_of_three_lines_is_too_much(world: World) -> None:
    followers(world, 1)
    page = Browser(world, "tuan").post(HERE, **fields(world), text_board="Một\r\nHai\r\nBa", preview="1").text
    assert "Bảng tin chỉ có 2 dòng" in page


def test_while_somebody_types_only_the_previews_come(world: World) -> None:
    followers(world, 4)
    part = Browser(world, "tuan").typed(f"{HERE}/preview", "preview", **fields(world)).text
    assert "Cộng: 4 lượt nhận" in part
    assert "<html" not in part


def test_all_channels_are_ticked_in_an_empty_form(world: World) -> None:
    second_channel(world)
    page = Browser(world, "tuan").get(f"{HERE}/new").text
    assert len(re.findall(r'name="channel" type="checkbox" value="\d+" checked', page)) == 2


def test_a_draft_is_changed_in_the_form_it_was_written_in(world: World) -> None:
    number = a_bulletin(world)
    tuan = Browser(world, "tuan")
    page = tuan.get(f"{HERE}/{number}/edit").text
    answer = tuan.post(f"{HERE}/{number}", version=version_on(page), **fields(world, title="Đã sửa"))
    assert answer.status_code == 303
    assert bulletin(world, number).title == "Đã sửa"
    again = tuan.post(f"{HERE}/{number}", version=version_on(page), **fields(world, title="Cũ"))
    assert again.status_code == 422
    assert "cửa sổ khác" in again.text


@pytest.mark.parametrize(("who", "status"), [("tuan", 200), ("hoa", 200), ("mai", 200), ("an", 200), ("lan", 403)])
def test_who_may_see_bulletins(world: World, who: str, status: int) -> None:
    number = a_bulletin(world)
    assert Browser(world, who).get(f"{HERE}/{number}").status_code == status


@pytest.mark.parametrize("who", ["hoa", "an", "lan"])
def test_only_an_author_writes(world: World, who: str) -> None:
    browser = Browser(world, who)
    assert browser.get(f"{HERE}/new").status_code == 403
    assert browser.post(HERE, **fields(world)).status_code == 403
    assert all_rows(world.runtime, Bulletin) == []


def test_an_author_sees_no_button_to_approve(world: World, phone: Phone) -> None:
    followers(world, 1)
    number = submitted(world)
    assert "/approval" not in Browser(world, "tuan").get(f"{HERE}/{number}").text
    assert "/approval" in Browser(world, "hoa").get(f"{HERE}/{number}").text


def test_what_cannot_be_done_is_said_on_the_page(world: World) -> None:
    number = a_bulletin(world)
    answer = Browser(world, "tuan").post(f"{HERE}/{number}/submission", version=1, confirmed=list(FULL_CHECKLIST))
    assert answer.status_code == 422
    assert "chưa có ai nhận" in answer.text


def test_no_such_bulletin(world: World) -> None:
    tuan = Browser(world, "tuan")
    assert tuan.get(f"{HERE}/999").status_code == 404
    assert tuan.post(f"{HERE}/999/submission", version=1).status_code == 404


def test_a_moment_that_is_none_is_left_out(world: World) -> None:
    followers(world, 1)
    Browser(world, "tuan").post(HERE, **fields(world, valid_until="hôm nào đó", send_at="9999-12-31T23:59"))
    [row] = all_rows(world.runtime, Bulletin)
    assert row.valid_until is None


def test_what_is_put_on_hold_is_let_go_on(world: World, phone: Phone) -> None:
    followers(world, 2)
    number = approved(world)
    hoa = Browser(world, "hoa")
    assert hoa.post(f"{HERE}/{number}/pause").status_code == 303
    page = hoa.get(f"{HERE}/{number}").text
    assert "Đang tạm dừng" in page
    assert f"{HERE}/{number}/resumption" in page
    assert hoa.post(f"{HERE}/{number}/resumption").status_code == 303
    assert bulletin(world, number).paused_at is None
    assert hoa.post(f"{HERE}/{number}/stop").status_code == 303
    assert bulletin(world, number).state is BulletinState.STOPPED


def test_a_code_said_from_ones_own_phone_brings_tests_there(world: World, phone: Phone) -> None:
    tuan = Browser(world, "tuan")
    page = tuan.post(f"{HERE}/testers").text
    code = re.search(r"THU (\d{4} \d{4})", page)
    assert code
    assert "chưa có máy nhận tin thử" in page
    world.says(f"Thử {code[1]}")
    take_in(world)
    assert "đã có máy nhận tin thử" in tuan.get(f"{HERE}/testers").text
    followers(world, 1)
    number = a_bulletin(world)
    page = tuan.get(f"{HERE}/{number}").text
    answer = tuan.post(f"{HERE}/{number}/trials", version=version_on(page), channel_id=world.channel_id)
    assert answer.status_code == 303
    with world.runtime.database.transaction() as session:
        session.execute(sa.text("UPDATE channels SET rate_per_second = 5000"))
    from bot.usecases.sending import PERSONAL, send_due

    send_due(world.runtime, PERSONAL)
    assert any(text.startswith(TITLE) for _, text in phone.sent)
    assert "Gửi thử nội dung hiện tại cho mình" not in tuan.get(f"{HERE}/{number}").text


def test_a_wrong_code_brings_nothing(world: World, phone: Phone) -> None:
    tuan = Browser(world, "tuan")
    tuan.post(f"{HERE}/testers")
    world.says("Thử 0000 0000")
    take_in(world)
    assert "đã có máy nhận tin thử" not in tuan.get(f"{HERE}/testers").text


def test_a_phone_is_given_up_again(world: World, phone: Phone) -> None:
    followers(world, 1)
    tried(world, a_bulletin(world))
    tuan = Browser(world, "tuan")
    assert "đã có máy nhận tin thử" in tuan.get(f"{HERE}/testers").text
    tuan.post(f"{HERE}/testers/{world.channel_id}/removal")
    assert "đã có máy nhận tin thử" not in tuan.get(f"{HERE}/testers").text


def test_loudspeaker_and_board_show_what_is_made_of_the_text(world: World, phone: Phone) -> None:
    followers(world, 1)
    told = fields(world, body="Ngày 09/10 từ 7h30, XYZQ cắt điện xóm 5.")
    page = Browser(world, "tuan").post(HERE, **told, preview="1").text
    assert "mùng chín tháng mười" in page
    assert "bảy giờ ba mươi" in page
    assert "chưa chắc cách đọc: XYZQ" in page
    assert re.search(r"Đọc khoảng \d+ đến \d+ giây", page)
    assert re.search(r"\d+ / 60", page)


def test_an_emergency_is_looked_at_by_a_third_person_on_its_page(world: World, phone: Phone) -> None:
    followers(world, 1)
    number = submitted(world, importance=Importance.EMERGENCY)
    mai, hoa = Browser(world, "mai"), Browser(world, "hoa")
    seen = re.search(r'name="seen_hash" value="([0-9a-f]{64})"', mai.get(f"{HERE}/{number}").text)
    assert seen
    assert mai.post(f"{HERE}/{number}/approval", seen_hash=seen[1]).status_code == 422
    mai.post(f"{HERE}/{number}/approval", seen_hash=seen[1], reason="Lũ lên nhanh.")
    assert "/review" not in mai.get(f"{HERE}/{number}").text
    assert "chưa có người thứ ba xem lại" in hoa.get(f"{HERE}/{number}").text
    hoa.post(f"{HERE}/{number}/review")
    assert "chưa có người thứ ba xem lại" not in hoa.get(f"{HERE}/{number}").text


def test_the_menu_says_how_many_wait_for_whom(world: World, phone: Phone) -> None:
    followers(world, 1)
    submitted(world)
    approved(world, importance=Importance.EMERGENCY)  # by Hoa
    waits = {who: re.search(r'Thông báo <span class="count">(\d)', Browser(world, who).get("/announcements").text)
             for who in ("tuan", "hoa", "mai", "an")}  # fmt: skip
    assert {who: found[1] if found else "" for who, found in waits.items()} == {
        "tuan": "", "hoa": "1", "mai": "2", "an": "",
    }  # fmt: skip
    assert "Chờ người thứ ba xem lại" in Browser(world, "mai").get("/announcements").text


def test_a_correction_is_begun_on_the_page_of_what_was_sent(world: World, phone: Phone) -> None:
    followers(world, 1)
    number = approved(world)
    run(world)
    tuan = Browser(world, "tuan")
    answer = tuan.post(f"{HERE}/{number}/corrections")
    assert answer.status_code == 303
    page = tuan.get(answer.headers["Location"]).text
    assert "Gửi cho đúng những người đã nhận tin trước" in page
    assert 'name="channel"' not in page
    again = tuan.post(answer.headers["Location"].removesuffix("/edit"), version=1, **fields(world, body="Sửa lại."))
    assert again.status_code == 303
    page = tuan.get(again.headers["Location"]).text
    assert "ĐÍNH CHÍNH: Cắt điện để sửa chữa" in page
    assert f"{HERE}/{number}" in page
    assert tuan.post(f"{HERE}/{a_bulletin(world)}/recalls").status_code == 422


def test_a_part_leads_to_its_bulletin(world: World, phone: Phone) -> None:
    followers(world, 1)
    number = approved(world)
    [leg] = all_rows(world.runtime, Announcement)
    assert f'href="{HERE}/{number}"' in Browser(world, "mai").get(f"/announcements/{leg.id}").text


def test_a_picture_is_chosen_shown_and_said_where_it_does_not_go(world: World, phone: Phone) -> None:
    followers(world, 1)
    tuan, photo = Browser(world, "tuan"), a_photo()
    answer = tuan.post(HERE, **fields(world), picture=(io.BytesIO(photo), "anh.jpg"))
    assert answer.status_code == 422
    assert "mô tả ảnh" in answer.text
    assert "cần được chọn lại" in answer.text
    sent = {**fields(world), "picture_words": "Bản đồ cắt điện", "picture": (io.BytesIO(photo), "anh.jpg")}
    where = tuan.post(HERE, **sent).headers["Location"]
    page = tuan.get(where).text
    address = re.search(rf'src="({where}/picture\?of=\w+)" alt="Bản đồ cắt điện"', page)
    assert address
    assert "Ảnh và lời đi trong một tin." in page
    assert page.count("Không kèm ảnh.") == 2
    shown = tuan.get(address[1])
    assert shown.mimetype == "image/jpeg"
    assert shown.data.startswith(b"\xff\xd8\xff")
    assert 'name="picture_drop"' in tuan.get(f"{where}/edit").text
    assert Browser(world, "hung").get(f"{where}/picture").status_code == 403
    assert tuan.get(f"{HERE}/999/picture").status_code == 404
