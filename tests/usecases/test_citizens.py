"""Who is speaking, whether we may write to them, and what is left when they withdraw."""

from __future__ import annotations

import json

import sqlalchemy as sa

from bot.usecases import tickets
from bot.usecases.citizens import stop_announcements
from bot.usecases.deliveries import owe
from bot.usecases.erasing import erase_let_go
from bot.usecases.setup import add_channel, add_commune
from bot.usecases.work import Work
from storage.audit import AuditEntry
from storage.channels import Channel, ChannelToken
from storage.communes import Locality
from storage.contacts import Contact, Conversation, Urn
from storage.deliveries import Delivery
from storage.enums import AttachmentState, DeliveryKind, DeliveryState, TicketState, TokenState
from storage.messages import Attachment, InboundEvent, Message
from storage.tickets import Ticket, TicketEvent
from tests.builders import OA, World, all_rows, text_event
from tests.conftest import Clock
from tests.usecases.looking import LIGHT, OTHER, RUBBISH, outcomes, owed, said_to_citizens, take_in, the_ticket

USER = "3000000000000000003"
KEPT = (InboundEvent, Message, Delivery, Ticket, TicketEvent, Contact, Conversation, Attachment, AuditEntry)


def follows(world: World, what: str = "follow", **more: object) -> None:
    world.event({"event_name": what, "oa_id": OA, "follower": {"id": USER}, "user_id_by_app": "4"}, **more)  # type: ignore[arg-type]


def does(world: World, what: str, **more: object) -> None:
    world.event({"event_name": what, "oa_id": OA, "user_id": USER, "user_id_by_app": "4"}, **more)  # type: ignore[arg-type]


def shares(world: World, **info: object) -> None:
    payload = text_event("")
    del payload["message"]
    world.event({**payload, "event_name": "user_submit_info", "info": info})


def the_urn(world: World) -> Urn:
    (urn,) = all_rows(world.runtime, Urn)
    return urn


def announce(world: World, key: str = "news:1") -> None:
    """Owe an announcement to the only citizen."""
    with world.runtime.database.transaction() as session:
        channel = session.get_one(Channel, world.channel_id)
        urn = session.scalars(sa.select(Urn).where(Urn.value == f"zalo:{USER}")).one()
        kind = DeliveryKind.ANNOUNCEMENT
        owe(session, world.runtime, channel=channel, urn=urn, text="Lịch tiêm phòng", kind=kind, key=key, priority=8)


# --- following --------------------------------------------------------------------------------------------------------


def test_a_new_follower_is_welcomed_once(morning: World, clock: Clock) -> None:
    follows(morning)
    take_in(morning)
    clock.move(hours=1)
    follows(morning, "unfollow")
    clock.move(hours=1)
    follows(morning)
    take_in(morning)
    assert said_to_citizens(morning) == ["welcome"]
    assert the_urn(morning).is_following


def test_following_opens_the_window(morning: World, clock: Clock) -> None:
    follows(morning)
    take_in(morning)
    assert the_urn(morning).last_interaction_at == clock.now


def test_the_later_word_wins_however_they_arrive(morning: World, clock: Clock) -> None:
    begin = clock.now
    clock.move(hours=1)
    follows(morning, "unfollow")
    take_in(morning)
    follows(morning, at=begin)
    take_in(morning)
    assert not the_urn(morning).is_following
    assert outcomes(morning) == ["unfollowed", "following:older"]


def test_who_left_gets_no_announcement_that_still_waits(morning: World, clock: Clock) -> None:
    follows(morning)
    take_in(morning)
    announce(morning)
    clock.move(minutes=1)
    follows(morning, "unfollow")
    take_in(morning)
    delivery = owed(morning)[-1]
    assert (delivery.state, delivery.code) == (DeliveryState.CANCELLED, "unfollowed")
    assert owed(morning)[0].state is DeliveryState.WAITING


def test_opting_out_stops_announcements_but_not_answers(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    announce(morning)
    clock.move(minutes=5)
    morning.says("ngừng nhận tin")
    take_in(morning)
    kinds = {d.kind: d.state for d in owed(morning)}
    assert kinds == {DeliveryKind.ACK: DeliveryState.WAITING, DeliveryKind.ANNOUNCEMENT: DeliveryState.CANCELLED}


def test_one_citizens_wish_is_not_anothers(morning: World) -> None:
    morning.says(LIGHT)
    take_in(morning)
    announce(morning)
    morning.says("ngừng nhận tin", user=OTHER)
    take_in(morning)
    assert [d.state for d in owed(morning) if d.kind is DeliveryKind.ANNOUNCEMENT] == [DeliveryState.WAITING]


# --- interactions and profiles ----------------------------------------------------------------------------------------


def test_tapping_the_chat_button_opens_the_window(morning: World, clock: Clock) -> None:
    does(morning, "user_click_chatnow")
    take_in(morning)
    assert the_urn(morning).last_interaction_at == clock.now
    assert outcomes(morning) == ["interaction:user_click_chatnow"]


def test_an_interaction_heals_an_unreachable_address(morning: World, clock: Clock) -> None:
    does(morning, "user_click_chatnow")
    take_in(morning)
    with morning.runtime.database.transaction() as session:
        urn = session.get_one(Urn, the_urn(morning).id)
        urn.unreachable_at, urn.unreachable_code = clock.now, "zalo_-230"
    clock.move(seconds=1)
    morning.says("alo")
    take_in(morning)
    assert the_urn(morning).unreachable_at is None
    assert the_urn(morning).unreachable_code is None


def test_what_was_said_before_a_refusal_does_not_heal_it(morning: World, clock: Clock) -> None:
    does(morning, "user_click_chatnow")
    take_in(morning)
    begin = clock.now
    clock.move(minutes=10)
    with morning.runtime.database.transaction() as session:
        session.get_one(Urn, the_urn(morning).id).unreachable_at = clock.now
    morning.says("alo", at=begin)
    take_in(morning)
    assert the_urn(morning).unreachable_at is not None


def test_an_old_event_does_not_turn_back_the_window(morning: World, clock: Clock) -> None:
    begin = clock.now
    clock.move(minutes=10)
    morning.says("alo")
    take_in(morning)
    morning.says("alo", at=begin)
    take_in(morning)
    assert the_urn(morning).last_interaction_at == clock.now


def test_a_shared_profile_is_kept_and_missing_fields_stay(morning: World) -> None:
    shares(morning, name="Lê Văn Mẫu", phone="84100000002", address="Xóm 5")
    take_in(morning)
    shares(morning, name="Lê Văn Mẫu B", phone="0")
    take_in(morning)
    (contact,) = all_rows(morning.runtime, Contact)
    assert (contact.name, contact.phone, contact.address) == ("Lê Văn Mẫu B", "+84100000002", "Xóm 5")


def test_a_reaction_asks_for_nothing(morning: World) -> None:
    payload = text_event("")
    payload |= {"event_name": "user_reacted_message", "message": {"msg_id": "m1", "react_icon": "/-heart"}}
    morning.event(payload)
    take_in(morning)
    assert outcomes(morning) == ["reaction"]
    assert owed(morning) == []


def test_the_same_person_at_two_communes_is_two_contacts(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    with morning.runtime.database.reading() as session:
        other = session.scalars(
            sa.select(Locality.code).where(Locality.level == "commune", Locality.code != "27925").limit(1)
        ).one()
    commune = add_commune(morning.runtime, code=other, slug="xa-khac")
    base = "http://127.0.0.1:9"
    channel = add_channel(
        morning.runtime,
        commune="xa-khac",
        type="zalo",
        slug="zalo-xa-khac",
        name="Zalo",
        settings={"app_id": "5", "oa_id": "6", "is_sandbox": True, "api_base": base, "oauth_base": base},
        secrets={"app_secret": "example-app-secret", "oa_secret": "example-oa-secret"},
    )
    body = json.dumps({**text_event(LIGHT), "timestamp": str(int(clock.now.timestamp() * 1000))}).encode()
    with morning.runtime.database.transaction() as session:
        session.add(
            InboundEvent(
                commune_id=commune, channel_id=channel, key="k", event_name="user_send_text",
                conversation_key=f"zalo:{USER}", body=body,
                occurred_at=clock.now, received_at=clock.now, next_try_at=clock.now,
            )
        )  # fmt: skip
    take_in(morning)
    assert [(u.commune_id, u.value) for u in all_rows(morning.runtime, Urn)] == [
        (morning.commune_id, f"zalo:{USER}"),
        (commune, f"zalo:{USER}"),
    ]
    assert [t.code for t in all_rows(morning.runtime, Ticket)] == ["PA26-0001", "PA26-0001"]


# --- withdrawal -------------------------------------------------------------------------------------------------------


def everything(world: World) -> str:
    """All that the database holds of what was said, in one string."""
    rows = [vars(row) for model in KEPT for row in all_rows(world.runtime, model)]
    return str(rows) + str([r["body"].decode() for r in rows if isinstance(r.get("body"), bytes)])


def test_withdrawal_erases_words_names_and_files(morning: World, clock: Clock) -> None:
    shares(morning, name="Lê Văn Mẫu", phone="84100000002", address="Ngõ nhà ông Mẫu")
    image = {"type": "image", "payload": {"url": "https://f1.zdn.vn/bi-mat.jpg", "thumbnail": ""}}
    morning.event(text_event(LIGHT, attachments=[image]) | {"event_name": "user_send_image"})
    take_in(morning)
    blob = morning.runtime.blobs.keep(b"\xff\xd8\xff photo")
    with morning.runtime.database.transaction() as session:
        row = session.scalars(sa.select(Attachment)).one()
        row.blob, row.state = blob, AttachmentState.STORED
    clock.move(minutes=5)
    does(morning, "user_withdraw")
    take_in(morning)
    erase_let_go(morning.runtime)
    kept = everything(morning)
    for word in ("tối om", "Lê Văn Mẫu", "100000002", "Ngõ nhà", "bi-mat", "Xóm 5"):
        assert word not in kept, word
    assert morning.runtime.blobs.read(blob) is None


def test_withdrawal_erases_what_officials_wrote_of_it_in_the_history(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    lan, ticket = morning.official("lan"), the_ticket(morning)
    spot = "trước nhà bà Bảy Xoàn"
    for number, words in enumerate((spot, "ngõ khác"), ticket.version):
        tickets.set_place(morning.runtime, lan, ticket.id, version=number, place_id=None, words=words)
    tickets.add_note(morning.runtime, lan, ticket.id, version=the_ticket(morning).version, text=f"Đã tới {spot}.")
    clock.move(minutes=5)
    does(morning, "user_withdraw")
    take_in(morning)
    assert "Xoàn" not in everything(morning)
    done = [(e.kind.value, e.official_id) for e in all_rows(morning.runtime, TicketEvent)]
    assert done[1:4] == [("place_changed", lan.id), ("place_changed", lan.id), ("noted", lan.id)]


def test_words_and_their_withdrawal_in_one_batch_leave_nothing(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    clock.move(seconds=5)
    does(morning, "user_withdraw")
    clock.move(seconds=5)
    morning.says(RUBBISH)
    take_in(morning)
    kept = everything(morning)
    assert "tối om" not in kept
    assert RUBBISH in kept


def test_what_was_done_stays_countable_after_a_withdrawal(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    clock.move(minutes=5)
    does(morning, "user_withdraw")
    take_in(morning)
    ticket = the_ticket(morning)
    assert (ticket.state, ticket.is_open, ticket.topic) == (TicketState.WITHDRAWN, False, "chieu-sang")
    assert all_rows(morning.runtime, Contact)[0].erased_at is not None
    assert [a.action for a in all_rows(morning.runtime, AuditEntry)][-1] == "contact.erased"
    assert [e.kind.value for e in all_rows(morning.runtime, TicketEvent)] == ["opened", "withdrawn"]


def test_nothing_more_is_sent_after_a_withdrawal(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    announce(morning)
    clock.move(minutes=5)
    does(morning, "user_withdraw")
    take_in(morning)
    assert {d.state for d in owed(morning)} == {DeliveryState.CANCELLED}
    assert the_urn(morning).opted_out_at is not None


def test_a_withdrawal_touches_nobody_else(morning: World, clock: Clock) -> None:
    morning.says(RUBBISH, user=OTHER)
    morning.says(LIGHT)
    take_in(morning)
    clock.move(minutes=5)
    does(morning, "user_withdraw")
    take_in(morning)
    assert RUBBISH in everything(morning)
    assert [t.is_open for t in all_rows(morning.runtime, Ticket)] == [True, False]


def test_a_withdrawal_of_somebody_we_never_met_is_noted(morning: World) -> None:
    does(morning, "user_withdraw")
    take_in(morning)
    assert outcomes(morning) == ["withdrawal:nobody"]
    assert all_rows(morning.runtime, Urn) == []


def test_words_said_before_a_withdrawal_that_arrive_after_it_are_not_kept(morning: World, clock: Clock) -> None:
    morning.says("Xin chào")
    take_in(morning)
    begin = clock.now
    clock.move(minutes=5)
    does(morning, "user_withdraw")
    take_in(morning)
    clock.move(minutes=5)
    morning.says(LIGHT, at=begin + (clock.now - begin) / 10)
    take_in(morning)
    assert "tối om" not in everything(morning)
    assert outcomes(morning)[-1] == "withdrawn:message"


def test_who_comes_back_after_a_withdrawal_is_heard(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    clock.move(minutes=5)
    does(morning, "user_withdraw")
    take_in(morning)
    clock.move(minutes=5)
    morning.says(RUBBISH)
    take_in(morning)
    assert [t.is_open for t in all_rows(morning.runtime, Ticket)] == [False, True]


# --- the account ------------------------------------------------------------------------------------------------------


def test_a_revoked_permission_stops_sending_until_somebody_acts(morning: World) -> None:
    morning.event({"event_name": "permission_revoked", "oa_id": OA})
    take_in(morning)
    channel = morning.channel
    assert channel.paused_at is not None
    assert "thu hồi quyền" in channel.paused_reason
    (token,) = all_rows(morning.runtime, ChannelToken)
    assert token.state is TokenState.NEEDS_CONSENT


def test_a_notice_of_a_new_quota_stops_nothing(morning: World) -> None:
    morning.event({"event_name": "change_oa_daily_quota", "oaId": OA, "quota": {"prev_value": "1", "new_value": "2"}})
    take_in(morning)
    assert morning.channel.paused_at is None
    assert outcomes(morning) == ["notice:change_oa_daily_quota"]


def test_stopping_announcements_of_nobody_changes_nothing(morning: World) -> None:
    morning.says(LIGHT)
    take_in(morning)
    with morning.runtime.database.transaction() as session:
        work = Work(morning.runtime, session, None, None, None, morning.clock(), set())  # type: ignore[arg-type]
        stop_announcements(work, session.get_one(Urn, the_urn(morning).id), "unfollowed")
    assert owed(morning)[0].state is DeliveryState.WAITING
