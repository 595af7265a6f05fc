"""The window: what would be refused is not knocked at, what costs needs somebody's consent, and Zalo's word counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.runtime import Runtime, utc_now
from bot.usecases import intake
from bot.usecases.announcements import expand_due
from bot.usecases.handing_over import FORM_TEMPLATE, Consent
from bot.usecases.replies import Written, approve, reply
from bot.usecases.sending import MANY, PERSONAL, send_due
from bot.usecases.ticket_page import ask_window, open_page
from bot.usecases.tickets import assign, resend
from storage.channels import Channel
from storage.communes import Commune
from storage.contacts import Contact, Urn
from storage.deliveries import Delivery
from storage.enums import DeliveryKind, DeliveryState
from storage.messages import Message
from storage.tickets import Ticket
from tests.builders import OA, World, all_rows
from tests.live import live_on
from tests.sandbox.running import Running, running
from tests.usecases.telling import approved as announced

LIGHT = "Đèn đường xóm 5 tối om mấy hôm nay, mong xã sửa giúp"
TEMPLATE = {
    "template_id": "400001",
    "template_text": "Phản ánh {ma} về {chude} đã có trả lời của {xa}. Vui lòng hỏi tại {lienhe}.",
    "template_fields": {"ma_phan_anh": "ma", "chu_de": "chude", "don_vi": "xa", "lien_he": "lienhe"},
}


@pytest.fixture
def zalo(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "sandbox", deliver_webhooks=False) as found:
        yield found


@pytest.fixture
def live(runtime: Runtime, zalo: Running) -> World:
    return live_on(runtime, zalo, duty_phone="0272 3000 000")


def change(world: World, model: type, **values: Any) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(model).values(**values))


def configure(world: World, **settings: Any) -> None:
    change(world, Channel, settings={**world.channel.settings, **settings})


def reported(world: World, zalo: Running, *, hours_ago: float = 0.0, zalo_says: float | None = None) -> str:
    """A citizen reported so long ago, by our record and by Zalo's; the acknowledgement is out of the way."""
    user = zalo.citizen()
    world.says(LIGHT, user=user)
    intake.drain(world.runtime)
    with world.runtime.database.transaction() as session:
        session.execute(sa.delete(Delivery))
    change(world, Urn, last_interaction_at=utc_now() - timedelta(hours=hours_ago))
    by_zalo = hours_ago if zalo_says is None else zalo_says
    zalo.control(f"citizens/{user}", idle_days=by_zalo / 24)
    return user


def answer(world: World, text: str = "Xã đã sửa đèn.", **consent: bool) -> None:
    [ticket] = all_rows(world.runtime, Ticket)
    written = Written(text, consent=Consent(**consent))
    reply(
        world.runtime, world.official("lan"), ticket.id, version=ticket.version, token=f"form-{text}", written=written
    )
    send_due(world.runtime, PERSONAL)


def replies(world: World) -> list[Delivery]:
    """What officials said; the bot's courtesies left out."""
    return [d for d in all_rows(world.runtime, Delivery) if d.kind is not DeliveryKind.ACK]


def the_reply(world: World) -> Delivery:
    return replies(world)[0]


def sent(zalo: Running) -> list[str]:
    return [row["text_head"] for row in zalo.ledger()]


# --- what costs -------------------------------------------------------------------------------------------------------


def test_within_48_hours_an_answer_goes_without_a_question(live: World, zalo: Running) -> None:
    reported(live, zalo, hours_ago=40)
    answer(live)
    assert the_reply(live).state is DeliveryState.SENT
    assert "Xã đã sửa đèn." in sent(zalo)


def test_after_48_hours_nobody_is_charged_without_consent(live: World, zalo: Running) -> None:
    reported(live, zalo, hours_ago=60)
    answer(live)
    delivery = the_reply(live)
    assert (delivery.state, delivery.code) == (DeliveryState.REFUSED, "window_paid")
    assert "trả phí" in (delivery.reason or "")
    assert sent(zalo) == []


def test_an_official_who_agrees_pays(live: World, zalo: Running) -> None:
    reported(live, zalo, hours_ago=60)
    answer(live, pays=True)
    assert the_reply(live).state is DeliveryState.SENT
    assert live.channel.quota["quota_type"] == "sub_quota"


def test_a_refused_one_can_be_agreed_to_afterwards(live: World, zalo: Running) -> None:
    reported(live, zalo, hours_ago=60)
    answer(live)
    resend(live.runtime, live.official("lan"), the_reply(live).id)
    send_due(live.runtime, PERSONAL)
    assert the_reply(live).code == "window_paid"
    resend(live.runtime, live.official("lan"), the_reply(live).id, pays=True)
    send_due(live.runtime, PERSONAL)
    assert the_reply(live).state is DeliveryState.SENT
    assert len(sent(zalo)) == 1


@pytest.mark.parametrize(
    ("setting", "pays", "state"),
    [("always", False, DeliveryState.SENT), ("never", True, DeliveryState.REFUSED), ("ask", True, DeliveryState.SENT)],
)
def test_a_commune_says_whether_it_pays(
    live: World, zalo: Running, setting: str, pays: bool, state: DeliveryState
) -> None:
    configure(live, paid_replies=setting)
    reported(live, zalo, hours_ago=60)
    answer(live, pays=pays)
    assert the_reply(live).state is state


@pytest.mark.parametrize("code", [-224, -320, -321])
def test_an_account_that_cannot_pay_goes_on_with_what_is_free(live: World, zalo: Running, code: int) -> None:
    reported(live, zalo, hours_ago=60)
    zalo.fault("error", code=code)
    answer(live, pays=True)
    delivery = the_reply(live)
    assert (delivery.state, delivery.code) == (DeliveryState.REFUSED, f"zalo_{code}")
    assert "oa.zalo.me" in (delivery.reason or "")
    assert live.channel.paused_at is None


def test_a_quota_that_is_used_up_waits(live: World, zalo: Running) -> None:
    reported(live, zalo, hours_ago=60)
    zalo.fault("error", code=-211)
    answer(live, pays=True)
    assert (the_reply(live).state, the_reply(live).code) == (DeliveryState.WAITING, "zalo_-211")


# --- Zalo's own clock -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ours", [60.0, 200.0, None])
def test_what_we_missed_zalo_knows(live: World, zalo: Running, ours: float | None) -> None:
    reported(live, zalo, hours_ago=ours or 0, zalo_says=3)
    if ours is None:
        change(live, Urn, last_interaction_at=None)
    answer(live)
    assert the_reply(live).state is DeliveryState.SENT
    [urn] = all_rows(live.runtime, Urn)
    assert urn.last_interaction_at is not None
    assert timedelta(hours=2.9) < utc_now() - urn.last_interaction_at < timedelta(hours=3.1)
    assert urn.window_asked_at is not None


def test_what_zalo_says_is_refused_all_the_same_when_it_is_late(live: World, zalo: Running) -> None:
    reported(live, zalo, hours_ago=170)
    answer(live, pays=True)
    assert (the_reply(live).state, the_reply(live).code) == (DeliveryState.REFUSED, "window_closed")
    assert sent(zalo) == []


def test_a_channel_that_does_not_answer_leaves_our_record(live: World, zalo: Running) -> None:
    reported(live, zalo, hours_ago=170, zalo_says=1)
    zalo.fault("status", applies_to="lookup", status=502)
    answer(live)
    assert the_reply(live).code == "window_closed"


def test_nobody_is_asked_where_the_answer_is_free(live: World, zalo: Running) -> None:
    reported(live, zalo, hours_ago=1)
    answer(live)
    assert all_rows(live.runtime, Urn)[0].window_asked_at is None


def test_followers_of_an_announcement_are_not_asked_about_one_by_one(live: World, zalo: Running) -> None:
    reported(live, zalo, hours_ago=60, zalo_says=1)
    change(live, Urn, is_following=True)
    announced(live)
    expand_due(live.runtime)
    send_due(live.runtime, MANY)
    assert (the_reply(live).state, the_reply(live).code) == (DeliveryState.REFUSED, "window_paid")
    assert all_rows(live.runtime, Urn)[0].window_asked_at is None


def test_an_approver_who_agrees_pays_for_all(live: World, zalo: Running) -> None:
    reported(live, zalo, hours_ago=60)
    change(live, Urn, is_following=True)
    announced(live, pays=True)
    expand_due(live.runtime)
    send_due(live.runtime, MANY)
    assert the_reply(live).state is DeliveryState.SENT


# --- approved messages ------------------------------------------------------------------------------------------------


def test_when_it_is_too_late_an_approved_message_tells_of_the_answer(live: World, zalo: Running) -> None:
    configure(live, **TEMPLATE)
    user = reported(live, zalo, hours_ago=200)
    answer(live, form=True)
    [ticket] = all_rows(live.runtime, Ticket)
    kept, told = replies(live)
    assert (kept.state, kept.code) == (DeliveryState.CANCELLED, "form_instead")
    assert told.state is DeliveryState.SENT
    [message] = [m for m in all_rows(live.runtime, Message) if m.template == FORM_TEMPLATE]
    assert message.text == told.text
    seen = zalo.client.get(f"/control/citizens/{user}/messages").json()["messages"][-1]["text"]
    assert (
        seen
        == told.text
        == (
            f"Phản ánh {ticket.code} về Chiếu sáng công cộng đã có trả lời của UBND xã Đức Huệ. "
            "Vui lòng hỏi tại 0272 3000 000."
        )
    )
    assert "sửa đèn" not in seen


def test_once_the_citizen_writes_the_kept_answer_can_be_sent(live: World, zalo: Running) -> None:
    configure(live, **TEMPLATE)
    user = reported(live, zalo, hours_ago=200)
    answer(live, form=True)
    zalo.control(f"citizens/{user}", idle_days=0)
    live.says("xã trả lời gì vậy", user=user)
    intake.drain(live.runtime)
    kept = the_reply(live)
    resend(live.runtime, live.official("lan"), kept.id)
    send_due(live.runtime, PERSONAL)
    assert the_reply(live).state is DeliveryState.SENT


def test_without_agreeing_to_it_no_approved_message_goes(live: World, zalo: Running) -> None:
    configure(live, **TEMPLATE)
    reported(live, zalo, hours_ago=200)
    answer(live)
    [only] = replies(live)
    assert (only.state, only.code) == (DeliveryState.REFUSED, "window_closed")


def test_where_the_answer_itself_can_go_no_approved_message_does(live: World, zalo: Running) -> None:
    configure(live, **TEMPLATE)
    reported(live, zalo, hours_ago=1)
    answer(live, form=True)
    [only] = replies(live)
    assert (only.state, only.template) == (DeliveryState.SENT, None)


def test_a_message_that_is_not_approved_for_accounts_says_so(live: World, zalo: Running) -> None:
    configure(live, **{**TEMPLATE, "template_id": "400002"})
    reported(live, zalo, hours_ago=200)
    answer(live, form=True)
    told = replies(live)[-1]
    assert (told.state, told.code) == (DeliveryState.REFUSED, "zalo_-249")
    assert "mẫu" in (told.reason or "")
    assert live.channel.paused_at is None


def test_a_number_is_used_only_where_the_citizen_agreed(live: World, zalo: Running) -> None:
    configure(live, **{**TEMPLATE, "template_id": "400002", "template_by": "phone"})
    user = reported(live, zalo, hours_ago=200)
    zalo.says(user, kind="submit_info", info={"name": "Cô Hoa", "phone": "84900000005"})
    zalo.control(f"citizens/{user}", idle_days=9)
    change(live, Contact, phone="+84900000005")
    answer(live, text="Lần một", form=True)
    [only] = replies(live)
    assert only.code == "window_closed"
    change(live, Contact, consent="given")
    answer(live, text="Lần hai", form=True)
    told = replies(live)[-1]
    assert (told.state, told.template["phone"]) == (DeliveryState.SENT, "+84900000005")
    assert len(sent(zalo)) == 1


def test_a_citizen_who_withdraws_takes_the_number_out_of_what_was_sent(live: World, zalo: Running) -> None:
    configure(live, **{**TEMPLATE, "template_by": "phone"})
    user = reported(live, zalo, hours_ago=200)
    change(live, Contact, phone="+84900000099", consent="given")
    answer(live, form=True)
    assert replies(live)[-1].template["phone"] == "+84900000099"
    live.event({"event_name": "user_withdraw", "oa_id": OA, "user_id": user})
    intake.drain(live.runtime)
    assert [row.template for row in all_rows(live.runtime, Delivery)] == [None] * len(all_rows(live.runtime, Delivery))


def test_a_number_without_an_account_is_told_in_words(live: World, zalo: Running) -> None:
    configure(live, **{**TEMPLATE, "template_by": "phone"})
    reported(live, zalo, hours_ago=200)
    change(live, Contact, phone="+84900000099", consent="given")
    answer(live, form=True)
    told = replies(live)[-1]
    assert (told.state, told.code) == (DeliveryState.REFUSED, "zalo_zbs_-118")
    assert "gọi điện" in (told.reason or "")
    assert all_rows(live.runtime, Urn)[0].unreachable_at is None


def test_a_leader_agrees_to_the_price_of_what_they_approve(live: World, zalo: Running) -> None:
    change(
        live, Commune, settings={"quiet_hours": None, "needs_approval": True, "after_photo": False, "undo_seconds": 0}
    )
    reported(live, zalo, hours_ago=60)
    [ticket] = all_rows(live.runtime, Ticket)
    hung = live.official("hung")
    assign(
        live.runtime,
        live.official("lan"),
        ticket.id,
        version=ticket.version,
        agency_id=hung.agency_id or 0,
        official_id=hung.id,
    )
    ticket = all_rows(live.runtime, Ticket)[0]
    written = Written("Đã thay bóng đèn mới.", is_result=True, next_step="Không")
    assert not reply(
        live.runtime, live.official("hung"), ticket.id, version=ticket.version, token="abcdefgh", written=written
    )
    with live.runtime.database.transaction() as session:
        session.execute(sa.delete(Delivery))
    ticket = all_rows(live.runtime, Ticket)[0]
    approve(live.runtime, live.official("mai"), ticket.id, version=ticket.version, consent=Consent(pays=True))
    send_due(live.runtime, PERSONAL)
    [result] = [d for d in all_rows(live.runtime, Delivery) if d.kind is DeliveryKind.REPLY]
    assert (result.state, result.pays) == (DeliveryState.SENT, True)


# --- what an official sees --------------------------------------------------------------------------------------------


def test_an_official_may_have_zalo_asked(live: World, zalo: Running) -> None:
    reported(live, zalo, hours_ago=200, zalo_says=5)
    [ticket] = all_rows(live.runtime, Ticket)
    assert ask_window(live.runtime, live.official("lan"), ticket.id)
    with live.runtime.database.reading() as session:
        commune = session.get_one(Commune, live.commune_id)
    page = open_page(live.runtime, live.official("lan"), commune, ticket.id)
    assert page.ways.plan.way == "free"
    assert page.ways.asked_at is not None
    zalo.fault("status", applies_to="lookup", status=502)
    assert not ask_window(live.runtime, live.official("lan"), ticket.id)
