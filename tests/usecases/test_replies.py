"""Replies: sent once however often one clicks, whole or not at all, and looked at first where a commune wants it."""

from __future__ import annotations

import io
import secrets
import threading

import pytest
import sqlalchemy as sa
from PIL import Image

from bot.access import NotFound
from bot.queue import REPLIES
from bot.rules.lifecycle import Given, NotAllowed
from bot.usecases import replies, tickets
from bot.usecases.desk import Changed
from bot.usecases.erasing import erase_let_go
from bot.usecases.photos import fit, thumbnail
from bot.usecases.replies import Written
from storage.communes import Commune
from storage.deliveries import Delivery
from storage.enums import DeliveryKind, Origin, TicketState
from storage.messages import Attachment, Message
from storage.officials import Official
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import BRIBE, POTHOLE, take_in, the_ticket

S = TicketState


@pytest.fixture
def ticket(morning: World) -> Ticket:
    """A report of a pothole that nobody has looked at."""
    morning.says(POTHOLE)
    take_in(morning)
    return the_ticket(morning)


def say(world: World, who: str, text: str = "Xã sẽ sửa trong tuần này.", **written: object) -> bool:
    """Answer with the version that is there now and a fresh form."""
    now = the_ticket(world)
    return replies.reply(
        world.runtime,
        world.official(who),
        now.id,
        version=int(written.pop("version", now.version)),  # type: ignore[call-overload]
        token=str(written.pop("token", secrets.token_hex(16))),
        written=Written(text, **written),  # type: ignore[arg-type]
    )


def answers(world: World) -> list[Delivery]:
    return [d for d in all_rows(world.runtime, Delivery) if d.kind is DeliveryKind.REPLY]


def written_by_officials(world: World) -> list[Message]:
    return [m for m in all_rows(world.runtime, Message) if m.origin is Origin.OFFICIAL]


def a_photo(size: tuple[int, int] = (64, 48), kind: str = "JPEG", mode: str = "RGB", exif: bytes = b"") -> bytes:
    out = io.BytesIO()
    extra = {"exif": exif} if exif else {}
    Image.new(mode, size, 120).save(out, kind, **extra)
    return out.getvalue()


def test_a_reply_is_owed_in_the_officials_own_words(morning: World, ticket: Ticket) -> None:
    assert say(morning, "lan")
    (delivery,) = answers(morning)
    (message,) = written_by_officials(morning)
    assert delivery.text == message.text == "Xã sẽ sửa trong tuần này."
    assert (delivery.key, delivery.message_id) == (f"reply:{message.id}", message.id)
    assert (message.author_id, message.ticket_id) == (morning.officials["lan"], ticket.id)
    assert message.text_folded == "xa se sua trong tuan nay."
    assert morning.runtime.nudge.jobs[-1] == REPLIES  # type: ignore[attr-defined]


def test_the_first_reply_receives_the_report(morning: World, ticket: Ticket) -> None:
    say(morning, "lan")
    now = the_ticket(morning)
    assert (now.state, now.is_touched) == (S.RECEIVED, True)


def test_a_double_click_sends_one_reply(morning: World, ticket: Ticket) -> None:
    for _ in range(2):
        assert say(morning, "lan", token="the-same-form", version=ticket.version)
    assert len(answers(morning)) == 1


def test_two_clicks_at_the_same_moment_send_one_reply(morning: World, ticket: Ticket) -> None:
    met: list[BaseException] = []

    def click() -> None:
        try:
            say(morning, "lan", token="the-same-form", version=ticket.version)
        except Changed as error:
            met.append(error)

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers(morning)) == 1
    assert met == []


def test_a_reply_to_a_changed_ticket_is_not_sent(morning: World, ticket: Ticket) -> None:
    tickets.add_note(morning.runtime, morning.official("tuan"), ticket.id, version=ticket.version, text="Tôi xử lý.")
    with pytest.raises(Changed):
        say(morning, "lan", version=ticket.version)
    assert answers(morning) == []


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 6_001, "Kính gửi ông/bà {ten}, việc đã xong."])
def test_an_empty_overlong_or_unfilled_reply_is_not_sent(morning: World, ticket: Ticket, text: str) -> None:
    with pytest.raises(NotAllowed):
        say(morning, "lan", text)
    assert answers(morning) == []
    assert the_ticket(morning).version == ticket.version


def test_a_result_says_who_looked_when_and_what_comes_next(morning: World, ticket: Ticket) -> None:
    say(morning, "lan", "Đã vá mặt đường.", is_result=True, next_step="theo dõi sau mưa.")
    (delivery,) = answers(morning)
    for words in (ticket.code, "Phòng Kinh tế", "07/10/2026", "Đã vá mặt đường.", "theo dõi sau mưa."):
        assert words in delivery.text
    now = the_ticket(morning)
    assert (now.state, now.is_open, now.answered_at) == (S.ANSWERED, False, morning.clock())


def test_a_result_without_a_next_step_is_not_sent(morning: World, ticket: Ticket) -> None:
    with pytest.raises(NotAllowed, match="no_next_step"):
        say(morning, "lan", "Đã vá mặt đường.", is_result=True, next_step="  ")
    assert answers(morning) == []
    assert the_ticket(morning).state is S.NEW


def test_a_result_without_an_owner_is_not_sent(morning: World, ticket: Ticket) -> None:
    with morning.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).values(agency_id=None))
    with pytest.raises(NotAllowed, match="no_owner"):
        say(morning, "lan", "Đã xong.", is_result=True, next_step="không")


def test_work_on_site_is_proved_by_a_photo_or_a_reason(morning: World, ticket: Ticket) -> None:
    with morning.runtime.database.transaction() as session:
        session.execute(sa.update(Commune).values(settings={}))
    done = {"is_result": True, "next_step": "không còn việc gì"}
    with pytest.raises(NotAllowed, match="needs_photo"):
        say(morning, "lan", "Đã vá mặt đường.", **done)
    assert say(morning, "lan", "Đã vá mặt đường.", **done, exemption="Vá lúc trời tối, mai chụp bổ sung.")
    event = next(e for e in all_rows(morning.runtime, TicketEvent) if e.data.get("is_result"))
    assert event.note == "Vá lúc trời tối, mai chụp bổ sung."


def test_what_was_not_over_is_approved_by_another_leader(morning: World, ticket: Ticket, clock: Clock) -> None:
    with morning.runtime.database.transaction() as session:
        session.execute(
            sa.update(Commune).values(settings={"needs_approval": True, "after_photo": False, "undo_seconds": 0})
        )
        session.get_one(Official, morning.officials["hoa"]).roles = ["lanh_dao"]
    done = {"is_result": True, "next_step": "không còn việc gì"}
    say(morning, "lan", "Đã vá mặt đường.", **done)
    approve(morning, "mai")
    clock.move(hours=1)
    morning.says("chưa xong, vẫn còn ổ gà", at=clock())
    take_in(morning)
    say(morning, "lan", "Đã vá lại.", **done)
    with pytest.raises(NotAllowed, match="same_approver"):
        approve(morning, "mai")
    approve(morning, "hoa")
    assert the_ticket(morning).state is S.ANSWERED


def test_there_is_no_second_result(morning: World, ticket: Ticket) -> None:
    say(morning, "lan", "Đã xong.", is_result=True, next_step="không")
    with pytest.raises(NotAllowed):
        say(morning, "lan", "Đã xong lần nữa.", is_result=True, next_step="không")
    assert say(morning, "lan", "Cảm ơn ông/bà.")
    assert the_ticket(morning).state is S.ANSWERED


def test_a_handler_answers_for_the_own_agency(morning: World, ticket: Ticket) -> None:
    assert say(morning, "hung", "Đã vá.", is_result=True, next_step="không")
    with pytest.raises(NotFound):
        say(morning, "an")


def approving(world: World) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(
            sa.update(Commune).values(settings={"needs_approval": True, "after_photo": False, "undo_seconds": 0})
        )


def approve(world: World, who: str) -> None:
    now = the_ticket(world)
    replies.approve(world.runtime, world.official(who), now.id, version=now.version)


def test_where_a_leader_must_look_the_result_waits(morning: World, ticket: Ticket) -> None:
    approving(morning)
    assert not say(morning, "lan", "Đã vá.", is_result=True, next_step="không", image=a_photo())
    assert answers(morning) == []
    assert the_ticket(morning).state is S.WAITING_APPROVAL
    with pytest.raises(NotAllowed):
        approve(morning, "lan")
    approve(morning, "mai")
    (delivery,) = answers(morning)
    assert "Đã vá." in delivery.text
    assert delivery.image_blob
    assert the_ticket(morning).state is S.ANSWERED
    with pytest.raises(NotAllowed):
        approve(morning, "mai")
    assert len(answers(morning)) == 1


def test_a_returned_result_is_never_sent(morning: World, ticket: Ticket) -> None:
    approving(morning)
    say(morning, "lan", "Bản thứ nhất.", is_result=True, next_step="không")
    now = the_ticket(morning)
    tickets.change_state(
        morning.runtime,
        morning.official("mai"),
        now.id,
        version=now.version,
        target=S.IN_PROGRESS,
        given=Given(words="Cần nêu rõ ngày sửa xong."),
    )
    say(morning, "lan", "Bản thứ hai.", is_result=True, next_step="không")
    approve(morning, "mai")
    (delivery,) = answers(morning)
    assert "Bản thứ hai." in delivery.text


def test_a_leaders_own_result_needs_nobody_else(morning: World, ticket: Ticket) -> None:
    approving(morning)
    assert say(morning, "mai", "Đã vá.", is_result=True, next_step="không")
    assert the_ticket(morning).state is S.ANSWERED


def test_an_answer_to_a_sealed_report_stays_sealed(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    assert say(morning, "mai", "Mời ông/bà đến phòng tiếp công dân.")
    assert all(m.is_sealed for m in written_by_officials(morning))


def test_a_picture_goes_out_made_anew_without_what_was_hidden_in_it(morning: World, ticket: Ticket) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    say(morning, "lan", "Ảnh sau xử lý.", image=a_photo((2400, 1800), exif=exif.tobytes()))
    (delivery,) = answers(morning)
    data = morning.runtime.blobs.read(delivery.image_blob or "")
    assert data is not None
    assert b"secret place" not in data
    assert len(data) <= morning.runtime.adapters["zalo"].limits.image_bytes
    (attachment,) = all_rows(morning.runtime, Attachment)
    assert (attachment.blob, attachment.mime) == (delivery.image_blob, "image/jpeg")


def test_a_picture_alone_is_a_reply(morning: World, ticket: Ticket) -> None:
    say(morning, "lan", "", image=a_photo())
    (delivery,) = answers(morning)
    assert delivery.image_blob


@pytest.mark.parametrize(
    "data", [b"not a picture", a_photo(kind="GIF", mode="P"), b"\xff\xd8\xff" + b"x" * 50, b"x" * 8_000_001]
)
def test_what_is_no_photo_is_not_sent(morning: World, ticket: Ticket, data: bytes) -> None:
    with pytest.raises(NotAllowed):
        say(morning, "lan", "Ảnh đây.", image=data)
    assert answers(morning) == []


def test_a_picture_of_a_refused_reply_is_not_kept(morning: World, ticket: Ticket, clock: Clock) -> None:
    with pytest.raises(Changed):
        say(morning, "lan", "Ảnh đây.", image=a_photo(), version=ticket.version - 1)
    clock.move(minutes=2)
    erase_let_go(morning.runtime)
    assert [p for p in morning.runtime.blobs.store.root.rglob("*") if p.is_file()] == []


def test_a_large_noisy_picture_is_made_small_enough() -> None:
    noise = Image.effect_noise((1500, 1500), 120).convert("RGB")
    out = io.BytesIO()
    noise.save(out, "PNG")
    made = fit(out.getvalue(), 1_000_000)
    assert len(made) <= 1_000_000
    small = thumbnail(out.getvalue())
    assert small is not None
    assert len(small) < 60_000


def test_a_clear_ground_becomes_white() -> None:
    made = fit(a_photo(mode="LA", kind="PNG", size=(8, 8)), 1_000_000)
    with Image.open(io.BytesIO(made)) as picture:
        assert picture.mode == "RGB"
    assert thumbnail(b"nothing") is None


def test_each_reply_leaves_one_event(morning: World, ticket: Ticket) -> None:
    say(morning, "lan")
    kinds = [e.kind.value for e in all_rows(morning.runtime, TicketEvent) if e.official_id]
    assert kinds == ["state_changed", "held", "replied"]
