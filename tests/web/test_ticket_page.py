"""One ticket, as a browser sees it: what was said, what became of it, and what may be done."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from werkzeug.datastructures import FileStorage

from bot.usecases import intake
from bot.usecases.tickets import add_note
from storage.agencies import Agency
from storage.channels import Channel
from storage.communes import Commune, Place
from storage.contacts import Contact, Urn
from storage.deliveries import Delivery
from storage.enums import AttachmentState, DeliveryKind, DeliveryState, TicketState
from storage.messages import Attachment, Message
from storage.tickets import Ticket
from tests.builders import OA, World, all_rows
from tests.conftest import Clock
from tests.usecases.test_replies import a_photo
from tests.web.pages import Browser, Page
from tests.web.test_inbox import counted

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]
SIGN_OF_PRESENCE = 3  # that it need not be durable, an update, and the first time an insert
POTHOLE = "Đường Xóm 7 có ổ gà to, xe máy ngã liên tục, gọi 0912345678"


@pytest.fixture
def ticket(reported: Reported) -> Ticket:
    """A report of a pothole that nobody has looked at."""
    return reported(POTHOLE)


def reply(one: Browser, ticket: Ticket, status: int = 200, **fields: object) -> Page:
    """Send the reply form as it stands on the page."""
    return one.send(one.page.form(f"/tickets/{ticket.id}/replies"), status, **fields)


def answers(world: World) -> list[Delivery]:
    return [d for d in all_rows(world.runtime, Delivery) if d.kind is DeliveryKind.REPLY]


def now(world: World, ticket: Ticket) -> Ticket:
    with world.runtime.database.reading() as session:
        return session.get_one(Ticket, ticket.id)


def a_place(world: World, name: str, parent: str, kind: str = "tổ", *, is_active: bool = True) -> int:
    row = Place(commune_id=world.commune_id, name=name, kind=kind, parent=parent, aliases=[], is_active=is_active)
    with world.runtime.database.transaction() as session:
        session.add(row)
        session.flush()
        return row.id


def options(page: Page, field: str) -> dict[str, str]:
    """The words of a select's options by value."""
    (inside,) = re.findall(rf'<select id="{field}".*?</select>', page.html, re.DOTALL)
    return dict(re.findall(r'<option value="(\d+)"[^>]*>(.*?)</option>', inside))


def test_two_places_of_one_name_are_told_apart(world: World, browser: Open, ticket: Ticket) -> None:
    numbers = [
        a_place(world, "Tổ 3", "Khu phố 1"),
        a_place(world, "Tổ 3", "Khu phố 2"),
        a_place(world, "Chợ Mới", "", "chợ"),
        a_place(world, "Chợ Mới", "", "thôn"),
    ]
    one = browser("lan")
    shown = options(one.open(f"/tickets/{ticket.id}"), "f-place")
    names = [shown[str(number)] for number in numbers]
    assert names == ["Tổ 3 – Khu phố 1", "Tổ 3 – Khu phố 2", "Chợ Mới (chợ)", "Chợ Mới (thôn)"]
    form = one.page.form(f"/tickets/{ticket.id}/place")
    page = one.send(form, place=str(numbers[1]), words="")
    assert "Ghi địa điểm: Tổ 3 – Khu phố 2." in page.text
    page = one.send(page.form(f"/tickets/{ticket.id}/place"), words="trước cổng")
    assert "trước cổng Trong danh sách: Tổ 3 – Khu phố 2" in page.text


def test_a_report_keeps_its_place_when_that_is_retired(world: World, browser: Open, ticket: Ticket) -> None:
    retired = a_place(world, "Thôn Cũ", "", is_active=False)
    with world.runtime.database.transaction() as session:
        number = ticket.place_id
        session.execute(sa.update(Place).where(Place.id == number).values(is_active=False))
    page = browser("lan").open(f"/tickets/{ticket.id}")
    assert str(retired) not in options(page, "f-place")
    assert page.form(f"/tickets/{ticket.id}/place").fields["place"] == str(number)


def test_the_page_shows_what_was_said_and_what_was_understood(world: World, browser: Open, ticket: Ticket) -> None:
    page = browser("lan").open(f"/tickets/{ticket.id}")
    assert "ổ gà" in page.text
    assert "<mark" in page.html
    assert "Đường sá, cầu cống, vỉa hè" in page.text
    assert "máy đoán" in page.text
    assert "Trả lời tự động" in page.text
    assert "Xóm 7" in page.text
    assert "0912345678" not in page.html


def test_the_citizen_gets_what_the_official_writes(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("lan")
    one.open(f"/tickets/{ticket.id}")
    page = reply(one, ticket, text="Xã sẽ sửa trong tuần này.\r\nXin cảm ơn ông/bà.")
    (delivery,) = answers(world)
    assert delivery.text == "Xã sẽ sửa trong tuần này.\nXin cảm ơn ông/bà."
    assert "Nguyễn Thị Lan" in page.text
    assert "Đang chờ gửi" in page.text
    assert now(world, ticket).state is TicketState.RECEIVED


def test_a_form_sent_twice_is_one_reply(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("lan")
    form = one.open(f"/tickets/{ticket.id}").form(f"/tickets/{ticket.id}/replies")
    one.send(form, text="Một lần thôi.")
    one.send(form, text="Một lần thôi.")
    assert len(answers(world)) == 1


def test_a_stale_form_shows_what_changed_and_keeps_what_was_typed(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("lan")
    one.open(f"/tickets/{ticket.id}")
    add_note(world.runtime, world.official("tuan"), ticket.id, version=ticket.version, text="Tôi đang xử lý việc này.")
    page = reply(one, ticket, 409, text="Xã sẽ sửa trong tuần này.")
    assert "Phạm Anh Tuấn" in page.text
    assert "Tôi đang xử lý việc này." in page.text
    assert answers(world) == []
    form = page.form(f"/tickets/{ticket.id}/replies")
    assert form.fields["text"] == "Xã sẽ sửa trong tuần này."
    one.send(form)
    assert [d.text for d in answers(world)] == ["Xã sẽ sửa trong tuần này."]


def test_the_second_sender_reads_the_first_answer_and_must_say_that_they_mean_it(
    world: World, browser: Open, ticket: Ticket
) -> None:
    one, other = browser("lan"), browser("mai")
    one.open(f"/tickets/{ticket.id}")
    other.open(f"/tickets/{ticket.id}")
    reply(other, ticket, text="Mai xã cho người xuống, gọi 0912345678.")
    page = reply(one, ticket, 409, text="Xã sẽ sửa trong tuần này.")
    assert "Mai xã cho người xuống, gọi" in page.text
    assert "0912345678" not in page.html.split("answers-title")[1].split("</section>")[0]
    assert "Đã giao cho kênh" in page.text or "Đang chờ gửi" in page.text
    for _ in range(2):  # nobody sends by pressing again
        page = one.send(page.form(f"/tickets/{ticket.id}/replies"), 409)
        assert "đánh dấu xác nhận" in page.alerts[0]
        assert "Mai xã cho người xuống" in page.text
    form = page.form(f"/tickets/{ticket.id}/replies")
    assert form.fields["text"] == "Xã sẽ sửa trong tuần này."
    assert len(answers(world)) == 1
    one.send(form, confirmed="1")
    assert [d.text for d in answers(world)][1:] == ["Xã sẽ sửa trong tuần này."]


def test_a_third_answer_is_shown_to_who_has_confirmed_the_second(world: World, browser: Open, ticket: Ticket) -> None:
    one, other = browser("lan"), browser("mai")
    one.open(f"/tickets/{ticket.id}")
    other.open(f"/tickets/{ticket.id}")
    reply(other, ticket, text="Trả lời thứ nhất.")
    page = reply(one, ticket, 409, text="Của tôi.")
    reply(other, ticket, text="Trả lời thứ hai.")
    page = one.send(page.form(f"/tickets/{ticket.id}/replies"), 409, confirmed="1")
    assert "Trả lời thứ hai." in page.text
    assert "answered" in page.form(f"/tickets/{ticket.id}/replies").fields
    assert len(answers(world)) == 2


def test_what_was_taken_back_meanwhile_is_no_answer(world: World, browser: Open, ticket: Ticket) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Commune).values(settings={"after_photo": False}))
    one, other = browser("lan"), browser("mai")
    one.open(f"/tickets/{ticket.id}")
    other.open(f"/tickets/{ticket.id}")
    page = reply(other, ticket, text="Gửi nhầm.")
    other.send(next(form for form in page.forms if "/sends/" in form.action))
    page = reply(one, ticket, 409, text="Xã sẽ sửa trong tuần này.")
    assert "Gửi nhầm." not in page.text
    one.send(page.form(f"/tickets/{ticket.id}/replies"))
    assert answers(world)[-1].text == "Xã sẽ sửa trong tuần này."


@pytest.mark.parametrize("noun", ["notes", "topic", "place", "assignment", "state", "sealing"])
def test_every_deed_with_a_stale_form_is_refused(world: World, browser: Open, ticket: Ticket, noun: str) -> None:
    one = browser("mai")
    form = one.open(f"/tickets/{ticket.id}").form(f"/tickets/{ticket.id}/{noun}")
    add_note(world.runtime, world.official("tuan"), ticket.id, version=ticket.version, text="Tôi đang xử lý.")
    before = now(world, ticket).version
    one.send(form, 409, words="một lý do đủ dài để đọc", text="ghi chú")
    assert now(world, ticket).version == before


def test_a_result_without_a_next_step_is_kept_and_named(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("lan")
    one.open(f"/tickets/{ticket.id}")
    page = reply(one, ticket, 422, text="Đã vá mặt đường.", result="1", next_step=" ")
    assert "việc tiếp theo" in page.alerts[0]
    form = page.form(f"/tickets/{ticket.id}/replies")
    assert form.fields["text"] == "Đã vá mặt đường."
    assert form.fields["result"] == "1"
    one.send(form, next_step="theo dõi thêm.")
    assert now(world, ticket).state is TicketState.ANSWERED


def test_a_picture_is_sent_and_shown(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("lan")
    one.open(f"/tickets/{ticket.id}")
    photo = FileStorage(_stream(a_photo((800, 600))), filename="sau khi sửa.jpg")
    page = reply(one, ticket, text="Ảnh sau xử lý.", image=photo)
    (picture,) = [a for a in all_rows(world.runtime, Attachment) if a.blob]
    assert f"/files/{picture.id}/thumbnail" in page.html
    assert one.client.get(f"/files/{picture.id}").mimetype == "image/jpeg"
    page = reply(one, ticket, 422, text="Không phải ảnh.", image=FileStorage(_stream(b"<svg>"), filename="x.jpg"))
    assert "JPG, PNG, WEBP hoặc HEIC" in page.alerts[0]
    assert page.form(f"/tickets/{ticket.id}/replies").fields["text"] == "Không phải ảnh."


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (DeliveryState.WAITING, "Đang chờ gửi"),
        (DeliveryState.SENDING, "Đang gửi"),
        (DeliveryState.SENT, "Đã giao cho kênh"),
        (DeliveryState.DELIVERED, "Người dân đã nhận"),
        (DeliveryState.READ, "Người dân đã xem"),
        (DeliveryState.REFUSED, "Không gửi được: Người dân đã chặn kênh."),
        (DeliveryState.UNKNOWN, "Không rõ đã gửi được chưa"),
        (DeliveryState.CANCELLED, "Đã hủy, không gửi"),
    ],
)
def test_the_truth_about_a_delivery_is_said_in_words(
    world: World, browser: Open, ticket: Ticket, state: DeliveryState, words: str
) -> None:
    reason = "Người dân đã chặn kênh." if state is DeliveryState.REFUSED else None
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Delivery).values(state=state, reason=reason))
    page = browser("lan").open(f"/tickets/{ticket.id}")
    assert words in page.text
    can_be_sent_again = state in {DeliveryState.REFUSED, DeliveryState.UNKNOWN, DeliveryState.CANCELLED}
    assert any("/resending" in form.action for form in page.forms) is can_be_sent_again


def test_what_did_not_arrive_is_sent_again(world: World, browser: Open, ticket: Ticket) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Delivery).values(state=DeliveryState.REFUSED))
    one = browser("lan")
    page = one.open(f"/tickets/{ticket.id}")
    again = next(form for form in page.forms if "/resending" in form.action)
    assert "Đã xếp hàng gửi lại" in one.send(again).text
    assert DeliveryState.WAITING in {d.state for d in all_rows(world.runtime, Delivery)}


def test_the_window_of_the_channel_is_shown(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("lan")
    assert "giờ · miễn phí" in one.open(f"/tickets/{ticket.id}").text
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Urn).values(last_interaction_at=None))
    page = one.open(f"/tickets/{ticket.id}")
    assert "Người dân chưa nhắn trong thời gian kênh cho phép trả lời" in page.text
    assert page.has_form(f"/tickets/{ticket.id}/replies")


def test_missing_files_say_why(world: World, browser: Open, ticket: Ticket) -> None:
    codes = ("too_large", "wrong_type", "unreachable", "not_allowed", "empty", "checksum", "too_many_pixels",
             "no_address", "erased", "something_new")  # fmt: skip
    with world.runtime.database.transaction() as session:
        message = session.scalars(sa.select(Message).where(Message.direction == "in")).one()
        for code in codes:
            session.add(
                Attachment(
                    commune_id=world.commune_id,
                    message_id=message.id,
                    kind="image",
                    state=AttachmentState.MISSING,
                    missing_code=code,
                )
            )
    page = browser("lan").open(f"/tickets/{ticket.id}")
    said = re.findall(r'class="lost">([^<]+)<', page.html)
    assert len(said) == len(codes)
    assert not any(code in text for code in codes for text in said)
    assert len(set(said)) >= len(codes) - 1


def test_a_location_can_be_opened_on_a_map(world: World, browser: Open, ticket: Ticket) -> None:
    with world.runtime.database.transaction() as session:
        message = session.scalars(sa.select(Message).where(Message.direction == "in")).one()
        session.add(
            Attachment(
                commune_id=world.commune_id, message_id=message.id, kind="location", latitude=10.9123, longitude=106.51
            )
        )
    assert "geo:10.912300,106.510000" in browser("lan").open(f"/tickets/{ticket.id}").links


def test_hidden_characters_are_visible_and_links_are_only_text(world: World, browser: Open, reported: Reported) -> None:
    ticket = reported("Rác ở Chợ Đình\u200b xem \u202ehttps://evil.example/\u202c giúp")
    page = browser("lan").open(f"/tickets/{ticket.id}")
    assert "U+200B" in page.text
    assert "U+202E" in page.text
    assert "\u202e" not in page.html
    assert not any("evil" in link for link in page.links)


@pytest.mark.parametrize(
    ("sender", "words"),
    [
        ({"admin_id": "700000000000001234"}, "đồng nghiệp (quản trị viên số …1234) gửi từ ứng dụng Zalo OA"),
        ({}, "gửi ngoài hệ thống này"),
    ],
)
def test_what_was_answered_in_zalos_app_says_where_and_by_whom(
    world: World, browser: Open, ticket: Ticket, clock: Clock, sender: dict[str, str], words: str
) -> None:
    clock.move(minutes=1)
    picture = {"type": "image", "payload": {"url": "https://photo.zdn.vn/a.jpg", "thumbnail": ""}}
    world.event(
        {
            "event_name": "oa_send_image",
            "sender": {"id": OA, **sender},
            "recipient": {"id": "3000000000000000003"},
            "message": {"msg_id": "of-the-app", "text": "Chào bà, thợ điện đang ra", "attachments": [picture]},
        }
    )
    intake.drain(world.runtime)
    page = browser("lan").open(f"/tickets/{ticket.id}").text
    assert "Chào bà, thợ điện đang ra" in page
    assert "Tài khoản của địa phương" in page
    assert words in page
    assert "Ảnh" in page


def test_only_allowed_steps_are_offered(world: World, browser: Open, ticket: Ticket) -> None:
    def offered(who: str) -> set[str]:
        page = browser(who).open(f"/tickets/{ticket.id}")
        return {form.fields["state"] for form in page.forms if form.action.endswith("/state")}

    assert offered("lan") == {"trung_lap", "cho_bo_sung"}  # who asks about a new report takes it in by that
    assert offered("mai") == {"trung_lap", "cho_bo_sung", "khong_tiep_nhan"}


def test_a_step_needs_its_reason(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("mai")
    form = one.open(f"/tickets/{ticket.id}").form(f"/tickets/{ticket.id}/state", state="khong_tiep_nhan")
    page = one.send(form, 422, words="ngắn")
    assert "từ 10 đến 2000 ký tự" in page.alerts[0]
    assert page.form(form.action, state="khong_tiep_nhan").fields["words"] == "ngắn"
    one.send(form, words="Sự việc nằm ngoài địa bàn của xã.")
    assert now(world, ticket).state is TicketState.DECLINED
    assert "ngoài địa bàn" in answers(world)[0].text


def test_a_day_at_the_desk(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("lan")
    where = f"/tickets/{ticket.id}"
    page = one.open(where)
    page = one.send(page.form(f"{where}/reception"))
    page = one.send(page.form(f"{where}/topic"), topic="giao-thong-duong-sa")
    page = one.send(page.form(f"{where}/place"), place="", words="trước nhà văn hóa Xóm 7")
    with world.runtime.database.reading() as session:
        kinh_te = session.scalar(sa.select(Agency.id).where(Agency.slug == "kinh-te"))
    page = one.send(page.form(f"{where}/assignment"), agency=str(kinh_te), official=str(world.officials["hung"]))
    page = one.send(page.form(f"{where}/notes"), text="Gọi trước khi đến.")
    for words in ("đã xác nhận", "trước nhà văn hóa Xóm 7", "Trần Văn Hùng", "Gọi trước khi đến."):
        assert words in page.text
    hung = browser("hung")
    page = hung.open(where)
    page = hung.send(page.form(f"{where}/state", state="dang_xu_ly"))
    page = hung.send(page.form(f"{where}/replies"), text="Đã vá xong.", result="1", next_step="không có.")
    assert now(world, ticket).state is TicketState.ANSWERED
    assert [form.action for form in page.forms if form.action.endswith("/state")] == []


def test_an_agency_without_a_phone_is_not_told_to_the_citizen(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("lan")
    form = one.open(f"/tickets/{ticket.id}").form(f"/tickets/{ticket.id}/assignment")
    page = one.send(form, 422, tell="1")
    assert "người phụ trách của đơn vị" in page.alerts[0]
    assert answers(world) == []


def test_a_leader_approves_what_was_submitted(world: World, browser: Open, ticket: Ticket) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(
            sa.update(Commune).values(settings={"needs_approval": True, "after_photo": False, "undo_seconds": 0})
        )
    one = browser("lan")
    one.open(f"/tickets/{ticket.id}")
    page = reply(one, ticket, text="Đã vá.", result="1")
    assert "Chờ duyệt, chưa gửi" in page.text
    assert not page.has_form(f"/tickets/{ticket.id}/approval")
    leader = browser("mai")
    page = leader.open(f"/tickets/{ticket.id}")
    leader.send(page.form(f"/tickets/{ticket.id}/approval"))
    assert len(answers(world)) == 1


def test_an_unseal_button_is_for_leaders(world: World, browser: Open, reported: Reported) -> None:
    ticket = reported("Tôi tố cáo cán bộ địa chính nhận hối lộ mười triệu đồng")
    one = browser("mai")
    page = one.open(f"/tickets/{ticket.id}")
    assert "hx-get" not in page.html  # a page that refreshes itself would count as looking again and again
    page = one.send(page.form(f"/tickets/{ticket.id}/unsealing"), words="Không phải tố cáo, chỉ là góp ý.")
    assert not now(world, ticket).is_sealed
    browser("lan").open(f"/tickets/{ticket.id}")


def test_the_live_part_carries_the_new_version_only_while_no_colleague_interfered(
    world: World, browser: Open, reported: Reported, ticket: Ticket
) -> None:
    one = browser("lan")
    one.open(f"/tickets/{ticket.id}")
    path = f"/tickets/{ticket.id}?poll=1&seen=0"
    reported("Thêm nữa: chỗ đó không có đèn", user="3000000000000000003")
    part = one.fragment(path, "live").text
    assert f'name="version" value="{now(world, ticket).version}"' in part
    assert "outerHTML:.version" in part
    add_note(world.runtime, world.official("tuan"), ticket.id, version=now(world, ticket).version, text="Tôi làm.")
    part = one.fragment(path, "live").text
    assert "outerHTML:.version" not in part
    assert "Có cán bộ vừa cập nhật" in part


def test_the_page_asks_few_questions(world: World, browser: Open, ticket: Ticket) -> None:
    """The list beside it asks three of them."""
    one = browser("lan")
    with counted(world.runtime) as asked:
        one.open(f"/tickets/{ticket.id}")
    assert len(asked) <= 9 + SIGN_OF_PRESENCE, asked


def test_english_pages_have_english_words(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("lan")
    one.send(one.page.form("/language"), locale="en")
    page = one.open(f"/tickets/{ticket.id}")
    for words in ("Reply to the citizen", "Roads", "Automatic reply", "hours left"):
        assert words.lower() in page.text.lower()
    assert "lĩnh vực" not in page.text.replace("Lĩnh vực: ", "")


def _stream(data: bytes) -> object:
    import io

    return io.BytesIO(data)


def last_there(world: World, hours: float, **settings: object) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Urn).values(last_interaction_at=world.clock() - timedelta(hours=hours)))
        channel = session.get_one(Channel, world.channel_id)
        channel.settings = {**channel.settings, **settings}
        channel.quota = {"quota_type": "sub_quota", "remain": "41", "total": "500"}


FORM = {
    "template_id": "400001",
    "template_text": "Phản ánh {ma} đã có trả lời của {xa}.",
    "template_fields": {"ma": "ma", "xa": "xa"},
}


@pytest.mark.parametrize(
    ("hours", "settings", "words"),
    [
        (2, {}, ["Trả lời miễn phí đến 09:00 09/10/2026.", "được đến 08:00 14/10/2026"]),
        (2, {"paid_replies": "never"}, ["Trả lời miễn phí đến 09:00 09/10/2026."]),
        (50, {}, ["Trả lời được đến 08:00 12/10/2026.", "41 / 500", "Đồng ý trả phí cho tin này"]),
        (50, {"paid_replies": "never"}, ["kênh này không gửi tin mất phí", "bấm Gửi lại"]),
        (200, {}, ["người dân đã hơn 7 ngày không liên hệ", "bấm Gửi lại"]),
        (200, FORM, ["Chỉ gửi được tin mẫu", "đã có trả lời của UBND xã Đức Huệ.", "Gửi tin mẫu này"]),
    ],
)
def test_before_writing_an_official_reads_what_is_possible(
    world: World, browser: Open, ticket: Ticket, hours: float, settings: dict[str, object], words: list[str]
) -> None:
    last_there(world, hours, **settings)
    page = browser("lan").open(f"/tickets/{ticket.id}")
    for one in words:
        assert one in page.text
    assert "Hỏi Zalo" in page.text
    assert ('name="pays"' in page.html) == ("Đồng ý trả phí cho tin này" in words)
    assert ('name="as_form"' in page.html) == ("Gửi tin mẫu này" in words)


def test_who_cannot_be_written_to_can_be_called_where_they_gave_a_number(
    world: World, browser: Open, ticket: Ticket
) -> None:
    last_there(world, 200)
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Contact).values(phone="+84900000005"))
    assert "gọi điện hoặc nhắn SMS theo số trong hồ sơ" in browser("lan").open(f"/tickets/{ticket.id}").text


def test_a_citizen_who_blocked_the_account_is_not_offered_a_form(world: World, browser: Open, ticket: Ticket) -> None:
    last_there(world, 2, **FORM)
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Urn).values(unreachable_at=world.clock(), unreachable_code="zalo_-217"))
    page = browser("lan").open(f"/tickets/{ticket.id}").text
    assert "đã chặn hoặc hạn chế tin của kênh" in page
    assert "Gửi tin mẫu này" not in page


def test_asking_zalo_without_an_answer_says_so_and_keeps_what_was_typed(
    world: World, browser: Open, ticket: Ticket
) -> None:
    who = browser("lan")
    page = who.open(f"/tickets/{ticket.id}")
    fields = {**page.form(f"/tickets/{ticket.id}/replies").fields, "text": "đang soạn dở"}
    whole = who.client.post(f"/tickets/{ticket.id}/window?of=reply", data=fields)
    assert whole.status_code == 200
    assert "Kênh chưa trả lời" in whole.text
    assert "đang soạn dở" in whole.text
    part = who.client.post(f"/tickets/{ticket.id}/window?of=reply", data=fields, headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "Kênh chưa trả lời" in part.text


def test_a_message_that_waits_for_consent_offers_to_give_it(world: World, browser: Open, ticket: Ticket) -> None:
    with world.runtime.database.transaction() as session:
        row = session.scalars(sa.select(Delivery).order_by(Delivery.id)).first()
        assert row is not None
        row.state, row.code, number = DeliveryState.REFUSED, "window_paid", row.id
    who = browser("lan")
    page = who.open(f"/tickets/{ticket.id}")
    assert "Đồng ý trả phí và gửi lại" in page.text
    who.client.post(f"/deliveries/{number}/resending", data=page.form(f"/deliveries/{number}/resending").fields)
    with world.runtime.database.reading() as session:
        assert session.get_one(Delivery, number).pays
