"""What officials do with tickets: each deed once, written down, and told to the citizen where it concerns them."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from bot.access import Forbidden, NotFound
from bot.queue import REPLIES
from bot.rules.lifecycle import Given, NotAllowed
from bot.texts import EmptyVariable
from bot.usecases import alerts, tickets, triage
from bot.usecases.desk import Changed
from bot.usecases.looks import reveal
from storage.agencies import Agency
from storage.audit import AuditEntry
from storage.communes import Place
from storage.deliveries import Delivery
from storage.enums import AlertKind, DeliveryState, EventKind, TicketState
from storage.messages import Message
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows
from tests.usecases.looking import BRIBE, LIGHT, POTHOLE, RUBBISH, take_in, texts_of, the_ticket
from tests.usecases.looking import tickets as all_tickets

S = TicketState


@pytest.fixture
def ticket(morning: World) -> Ticket:
    """A report of a pothole that nobody has looked at."""
    morning.says(POTHOLE)
    take_in(morning)
    return the_ticket(morning)


def move(world: World, who: str, target: TicketState, **given: object) -> None:
    """Take a step with the version that is there now."""
    now = all_tickets(world)[0]
    tickets.change_state(
        world.runtime,
        world.official(who),
        now.id,
        version=now.version,
        target=target,
        given=Given(**given),  # type: ignore[arg-type]
    )


def by_officials(world: World) -> list[EventKind]:
    return [e.kind for e in all_rows(world.runtime, TicketEvent) if e.official_id]


def agency(world: World, slug: str) -> Agency:
    with world.runtime.database.reading() as session:
        return session.scalars(
            sa.select(Agency).where(Agency.slug == slug, Agency.commune_id == world.commune_id)
        ).one()


def test_a_new_report_is_taken_into_the_book(morning: World, ticket: Ticket) -> None:
    assert tickets.receive(morning.runtime, morning.official("lan"), ticket.id, version=ticket.version)
    now = the_ticket(morning)
    assert (now.state, now.is_touched, now.version) == (S.RECEIVED, True, ticket.version + 1)
    assert by_officials(morning) == [EventKind.STATE_CHANGED]


def test_receiving_twice_is_one_reception(morning: World, ticket: Ticket) -> None:
    assert tickets.receive(morning.runtime, morning.official("lan"), ticket.id, version=ticket.version)
    assert not tickets.receive(morning.runtime, morning.official("tuan"), ticket.id, version=ticket.version)
    assert len(by_officials(morning)) == 1


def test_the_second_of_two_officials_changes_nothing(morning: World, ticket: Ticket) -> None:
    def confirm(who: str, topic: str) -> None:
        tickets.set_topic(morning.runtime, morning.official(who), ticket.id, version=ticket.version, topic=topic)

    confirm("lan", "rac-thai")
    with pytest.raises(Changed):
        confirm("tuan", "dien")
    assert the_ticket(morning).topic == "rac-thai"
    assert by_officials(morning) == [EventKind.TOPIC_CHANGED]


def test_a_refusal_needs_a_leader_and_a_reason_the_citizen_reads(morning: World, ticket: Ticket) -> None:
    reason = "Sự việc nằm ngoài địa bàn của xã."
    with pytest.raises(NotAllowed):
        move(morning, "lan", S.DECLINED, words=reason)
    with pytest.raises(NotAllowed):
        move(morning, "mai", S.DECLINED, words="ngắn")
    assert the_ticket(morning).version == ticket.version
    move(morning, "mai", S.DECLINED, words=reason)
    (told,) = texts_of(morning, "refused")
    assert reason in told
    now = the_ticket(morning)
    assert (now.is_open, now.closed_at) == (False, morning.clock())
    assert REPLIES in morning.runtime.nudge.jobs  # type: ignore[attr-defined]


def test_a_question_goes_to_the_citizen_in_the_words_of_the_official(morning: World, ticket: Ticket) -> None:
    tickets.receive(morning.runtime, morning.official("lan"), ticket.id, version=ticket.version)
    move(morning, "lan", S.WAITING_CITIZEN, words="ảnh chụp chỗ hỏng")
    (told,) = texts_of(morning, "need_more")
    assert "ảnh chụp chỗ hỏng" in told
    assert ticket.code in told


def test_another_body_gets_a_report_by_a_paper_only(morning: World, ticket: Ticket) -> None:
    tickets.receive(morning.runtime, morning.official("lan"), ticket.id, version=ticket.version)
    with pytest.raises(NotAllowed, match="by_transfer"):
        move(morning, "lan", S.FORWARDED, body="Sở Xây dựng", by_date=date(2026, 12, 1))
    assert the_ticket(morning).state is S.RECEIVED


def test_a_merged_report_leads_to_the_other_one(morning: World, ticket: Ticket) -> None:
    morning.says(RUBBISH, user="5")
    take_in(morning)
    other = all_tickets(morning)[1]
    with pytest.raises(NotAllowed):
        move(morning, "lan", S.MERGED, target_code="PA26-9999")
    with pytest.raises(NotAllowed):
        move(morning, "lan", S.MERGED, target_code=ticket.code)
    move(morning, "lan", S.MERGED, target_code=other.code.lower())
    now = all_tickets(morning)[0]
    assert (now.state, now.merged_into_id) == (S.MERGED, other.id)
    assert other.code in texts_of(morning, "merged")[0]


def test_a_result_is_not_reached_by_a_mere_change_of_state(morning: World, ticket: Ticket) -> None:
    tickets.receive(morning.runtime, morning.official("mai"), ticket.id, version=ticket.version)
    for target in (S.ANSWERED, S.WAITING_APPROVAL):
        with pytest.raises(NotAllowed):
            move(morning, "mai", target)


def test_an_assigned_report_has_one_owner(morning: World, ticket: Ticket) -> None:
    tickets.receive(morning.runtime, morning.official("lan"), ticket.id, version=ticket.version)
    hung = morning.official("hung")
    lan = morning.official("lan")
    version, police = the_ticket(morning).version, agency(morning, "cong-an").id
    with pytest.raises(NotAllowed):
        tickets.assign(morning.runtime, lan, ticket.id, version=version, agency_id=police, official_id=hung.id)
    tickets.assign(
        morning.runtime, lan, ticket.id, version=version, agency_id=agency(morning, "kinh-te").id, official_id=hung.id
    )
    now = the_ticket(morning)
    assert (now.state, now.official_id, now.agency_id) == (S.ASSIGNED, hung.id, hung.agency_id)
    tickets.assign(
        morning.runtime, lan, ticket.id, version=now.version, agency_id=agency(morning, "cong-an").id, official_id=None
    )
    assert the_ticket(morning).official_id is None


def test_a_handler_takes_work_only_for_themselves(morning: World, ticket: Ticket) -> None:
    hung = morning.official("hung")
    with pytest.raises(NotAllowed):
        tickets.assign(
            morning.runtime,
            hung,
            ticket.id,
            version=ticket.version,
            agency_id=agency(morning, "cong-an").id,
            official_id=None,
        )
    tickets.assign(
        morning.runtime,
        hung,
        ticket.id,
        version=ticket.version,
        agency_id=hung.agency_id or 0,
        official_id=hung.id,
    )
    assert the_ticket(morning).official_id == hung.id


def test_the_citizen_is_not_told_of_an_agency_without_a_phone(morning: World, ticket: Ticket) -> None:
    tickets.receive(morning.runtime, morning.official("lan"), ticket.id, version=ticket.version)
    kinh_te = agency(morning, "kinh-te")
    version = the_ticket(morning).version

    def tell() -> None:
        tickets.assign(
            morning.runtime,
            morning.official("lan"),
            ticket.id,
            version=version,
            agency_id=kinh_te.id,
            official_id=None,
            tell_citizen=True,
        )

    with pytest.raises(EmptyVariable):
        tell()
    assert the_ticket(morning).version == version
    with morning.runtime.database.transaction() as session:
        session.execute(
            sa.update(Agency).where(Agency.id == kinh_te.id).values(contact_name="Trần Văn Hùng", phone="0900 000 001")
        )
    tell()
    assert "0900 000 001" in texts_of(morning, "routed")[0]


def test_a_corrected_topic_moves_routing_and_deadline(morning: World, ticket: Ticket) -> None:
    lan = morning.official("lan")
    tickets.set_topic(morning.runtime, lan, ticket.id, version=ticket.version, topic="tieng-on")
    now = the_ticket(morning)
    assert (now.topic, now.topic_is_confirmed, now.agency_id) == ("tieng-on", True, agency(morning, "cong-an").id)
    assert now.due_at is not None
    assert ticket.due_at is not None
    assert now.due_at < ticket.due_at
    with pytest.raises(NotAllowed):
        tickets.set_topic(morning.runtime, lan, ticket.id, version=now.version, topic="no-such-topic")


def test_an_agency_a_person_chose_is_not_replaced_by_the_machine(morning: World, ticket: Ticket) -> None:
    lan, health = morning.official("lan"), agency(morning, "van-hoa-xa-hoi").id
    tickets.assign(morning.runtime, lan, ticket.id, version=ticket.version, agency_id=health, official_id=None)
    tickets.set_topic(morning.runtime, lan, ticket.id, version=the_ticket(morning).version, topic="tieng-on")
    triage.set_urgency(morning.runtime, lan, ticket.id, version=the_ticket(morning).version, urgency="khan")
    assert the_ticket(morning).agency_id == health


def test_what_an_agency_gave_back_is_routed_anew(morning: World, ticket: Ticket) -> None:
    lan, health = morning.official("lan"), agency(morning, "van-hoa-xa-hoi").id
    tickets.receive(morning.runtime, lan, ticket.id, version=ticket.version)
    version = the_ticket(morning).version
    tickets.assign(morning.runtime, lan, ticket.id, version=version, agency_id=health, official_id=None)
    move(morning, "lan", S.RECEIVED, words="không thuộc việc của phòng này")
    tickets.set_topic(morning.runtime, lan, ticket.id, version=the_ticket(morning).version, topic="tieng-on")
    assert the_ticket(morning).agency_id == agency(morning, "cong-an").id


def test_a_topic_about_officials_conduct_restricts_the_ticket(morning: World, ticket: Ticket) -> None:
    lan = morning.official("lan")
    tickets.set_topic(morning.runtime, lan, ticket.id, version=ticket.version, topic="thai-do-can-bo")
    assert the_ticket(morning).is_restricted


def test_a_place_is_chosen_or_said_in_words(morning: World, ticket: Ticket) -> None:
    lan = morning.official("lan")
    with morning.runtime.database.reading() as session:
        place = session.scalars(sa.select(Place).where(Place.name == "Chợ Đình")).one()

    def at(place_id: int | None, words: str) -> Ticket:
        version = the_ticket(morning).version
        tickets.set_place(morning.runtime, lan, ticket.id, version=version, place_id=place_id, words=words)
        return the_ticket(morning)

    assert at(place.id, "").place_text == "Chợ Đình"
    assert (at(None, "  gần   cây đa ").place_text, the_ticket(morning).place_id) == ("gần cây đa", None)
    for place_id, words in ((None, " "), (999_999, "x")):
        with pytest.raises(NotAllowed):
            at(place_id, words)


def test_what_a_handler_may_not_decide_is_refused(morning: World, ticket: Ticket) -> None:
    hung = morning.official("hung")
    with pytest.raises(NotAllowed):
        tickets.set_topic(morning.runtime, hung, ticket.id, version=ticket.version, topic="dien")
    with pytest.raises(NotAllowed):
        tickets.set_place(morning.runtime, hung, ticket.id, version=ticket.version, place_id=None, words="đây")
    with pytest.raises(NotAllowed):
        tickets.seal(morning.runtime, hung, ticket.id, version=ticket.version, reason="một lý do đủ dài")
    assert the_ticket(morning).version == ticket.version


def test_a_note_is_for_colleagues_only(morning: World, ticket: Ticket) -> None:
    before = len(all_rows(morning.runtime, Delivery))
    tickets.add_note(morning.runtime, morning.official("lan"), ticket.id, version=ticket.version, text=" Đã gọi điện. ")
    note = all_rows(morning.runtime, TicketEvent)[-1]
    assert (note.kind, note.note) == (EventKind.NOTED, "Đã gọi điện.")
    assert len(all_rows(morning.runtime, Delivery)) == before
    for text in (" ", "x" * 5_001):
        with pytest.raises(NotAllowed):
            tickets.add_note(morning.runtime, morning.official("lan"), ticket.id, version=ticket.version + 1, text=text)


def test_a_leader_unseals_with_a_reason(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    ticket = the_ticket(morning)
    lan, mai = morning.official("lan"), morning.official("mai")
    with pytest.raises(NotFound):
        tickets.unseal(morning.runtime, lan, ticket.id, version=ticket.version, reason="không phải tố cáo")
    with pytest.raises(NotAllowed):
        tickets.unseal(morning.runtime, mai, ticket.id, version=ticket.version, reason="ngắn")
    tickets.unseal(morning.runtime, mai, ticket.id, version=ticket.version, reason="không phải tố cáo")
    now = the_ticket(morning)
    assert not now.is_sealed
    assert now.due_at is not None
    assert not any(m.is_sealed for m in all_rows(morning.runtime, Message))
    assert "ticket.unsealed" in {a.action for a in all_rows(morning.runtime, AuditEntry)}


def test_who_is_unsure_seals(morning: World, ticket: Ticket) -> None:
    lan = morning.official("lan")
    tickets.seal(morning.runtime, lan, ticket.id, version=ticket.version, reason="có thể là tố cáo")
    now = the_ticket(morning)
    assert (now.is_sealed, now.agency_id) == (True, agency(morning, "lanh-dao").id)
    with pytest.raises(NotFound):
        tickets.add_note(morning.runtime, lan, ticket.id, version=now.version, text="x")


def test_a_message_that_did_not_arrive_is_sent_again_by_a_person(morning: World, ticket: Ticket) -> None:
    delivery = all_rows(morning.runtime, Delivery)[0]
    with morning.runtime.database.transaction() as session:
        session.execute(sa.update(Delivery).values(state=DeliveryState.REFUSED, code="window_closed"))
    assert tickets.resend(morning.runtime, morning.official("lan"), delivery.id) == ticket.id
    assert all_rows(morning.runtime, Delivery)[0].state is DeliveryState.WAITING
    entry = all_rows(morning.runtime, AuditEntry)[-1]
    assert (entry.action, entry.data) == ("delivery.resent", {"was": "refused", "code": "window_closed"})
    with pytest.raises(NotFound):
        tickets.resend(morning.runtime, morning.official("an"), delivery.id)


def test_looking_at_masked_numbers_is_for_who_needs_them(morning: World, ticket: Ticket) -> None:
    with pytest.raises(Forbidden):
        reveal(morning.runtime, morning.official("hung"), ticket.id, why="goi_lai", words="", address="192.0.2.1")
    reveal(morning.runtime, morning.official("lan"), ticket.id, why="goi_lai", words="", address="192.0.2.1")
    entry = all_rows(morning.runtime, AuditEntry)[-1]
    assert (entry.action, entry.address, entry.data) == ("contact.revealed", "192.0.2.1", {"why": "goi_lai"})


def test_an_agency_gives_a_report_back_once_and_then_the_leaders_decide(morning: World) -> None:
    morning.says(LIGHT)
    take_in(morning)
    agencies = {a.id: a.slug for a in all_rows(morning.runtime, Agency)}
    works = next(number for number, slug in agencies.items() if slug == "kinh-te")

    def step(who: str, target: TicketState, **given: object) -> str:
        now = the_ticket(morning)
        official = morning.official(who)
        tickets.change_state(
            morning.runtime, official, now.id, version=now.version, target=target, given=Given(**given)  # type: ignore[arg-type]
        )  # fmt: skip
        return agencies[the_ticket(morning).agency_id or 0]

    step("lan", TicketState.RECEIVED)
    assert step("lan", TicketState.ASSIGNED, agency_id=works) == "kinh-te"
    assert step("hung", TicketState.RECEIVED, words="việc này của Điện lực") == "van-phong"
    assert step("lan", TicketState.ASSIGNED, agency_id=works) == "kinh-te"
    assert alerts.unseen(morning.runtime, morning.official("mai")) == []
    assert step("hung", TicketState.RECEIVED, words="vẫn là việc của Điện lực") == "lanh-dao"
    assert [c.alert.kind for c in alerts.unseen(morning.runtime, morning.official("mai"))] == [AlertKind.RETURNED]
    assert alerts.unseen(morning.runtime, morning.official("lan")) == []
