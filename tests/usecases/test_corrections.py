"""What officials say of readings: each word is kept as a code, with the reading it is about; spam can be undone."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.access import Forbidden, NotFound
from bot.rules.lifecycle import Given, NotAllowed
from bot.usecases import tickets, triage
from bot.usecases.lessons import gather
from bot.usecases.replies import Written, reply
from storage.audit import AuditEntry
from storage.communes import Place
from storage.corrections import Correction
from storage.deliveries import Delivery
from storage.enums import CorrectionKind, DeliveryState, EventKind, Role, TicketState, Urgency
from storage.messages import Message
from storage.officials import Official
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import BRIBE, FIRE, OTHER, POTHOLE, take_in, the_ticket
from tests.usecases.looking import tickets as all_tickets
from tests.usecases.test_citizens import does


@pytest.fixture
def ticket(morning: World) -> Ticket:
    """A report of a pothole that nobody has looked at."""
    morning.says(POTHOLE)
    take_in(morning)
    return the_ticket(morning)


def topic(world: World, who: str, slug: str) -> None:
    now = all_tickets(world)[0]
    tickets.set_topic(world.runtime, world.official(who), now.id, version=now.version, topic=slug)


def urgency(world: World, who: str, code: str) -> None:
    now = all_tickets(world)[0]
    triage.set_urgency(world.runtime, world.official(who), now.id, version=now.version, urgency=code)


def kept(world: World, kind: CorrectionKind) -> list[Correction]:
    return [c for c in all_rows(world.runtime, Correction) if c.kind is kind]


def lessons(world: World) -> list[dict[str, str]]:
    return [{word.head: word.label for word in lesson.words} for lesson in gather(world.runtime.database)]


def keeper(world: World) -> Official:
    """The person entrusted with what is sealed."""
    row = Official(
        commune_id=world.commune_id,
        username="mat",
        name="Bùi Văn Mật",
        password_hash="-",
        roles=[Role.SEALED_READER.value],
        created_at=world.clock(),
    )
    with world.runtime.database.transaction() as session:
        session.add(row)
        session.flush()
    world.officials["mat"] = row.id
    return world.official("mat")


def test_a_corrected_topic_is_kept_with_the_reading_it_was_about(morning: World, ticket: Ticket) -> None:
    topic(morning, "lan", "cay-xanh")
    (found,) = kept(morning, CorrectionKind.TOPIC)
    (message,) = [m for m in all_rows(morning.runtime, Message) if m.reading]
    guess = message.reading["topics"][0]
    assert (found.before, found.after) == (guess["slug"], "cay-xanh")
    assert found.probability == guess["probability"]
    assert (found.reader_version, found.message_id) == (message.reading["version"], message.id)
    assert (found.official_id, found.at) == (morning.officials["lan"], morning.clock())


def test_agreeing_with_the_machine_counts_once(morning: World, ticket: Ticket) -> None:
    topic(morning, "lan", str(ticket.topic))
    topic(morning, "tuan", str(ticket.topic))
    (found,) = kept(morning, CorrectionKind.TOPIC)
    assert found.before == found.after == ticket.topic


def test_a_refused_change_leaves_no_correction(morning: World, ticket: Ticket) -> None:
    with pytest.raises(NotAllowed):
        topic(morning, "hung", "dien")
    assert all_rows(morning.runtime, Correction) == []


def test_a_corrected_place_is_kept_without_anybodys_words(morning: World, ticket: Ticket) -> None:
    with morning.runtime.database.reading() as session:
        market = session.scalars(sa.select(Place.id).where(Place.name == "Chợ Đình")).one()
    for place_id, words in ((market, ""), (None, "sau nhà bà Tư")):
        now = the_ticket(morning)
        tickets.set_place(
            morning.runtime, morning.official("lan"), now.id, version=now.version, place_id=place_id, words=words
        )
    first, second = kept(morning, CorrectionKind.PLACE)
    assert (first.before, first.after) == (str(ticket.place_id), str(market))
    assert first.probability is not None
    assert (second.before, second.after) == (str(market), "words")


def test_an_urgency_an_official_set_is_not_raised_again_by_what_they_saw(morning: World, clock: Clock) -> None:
    morning.says(FIRE)
    take_in(morning)
    assert the_ticket(morning).urgency is Urgency.EMERGENCY
    clock.move(minutes=1)
    urgency(morning, "lan", "thuong")
    clock.move(minutes=1)
    morning.says("Xóm 5, gần nhà văn hóa")
    take_in(morning)
    assert the_ticket(morning).urgency is Urgency.NORMAL
    clock.move(minutes=1)
    morning.says("Cháy lan sang nhà bên cạnh rồi, cứu với")
    take_in(morning)
    assert max(all_tickets(morning), key=lambda t: t.last_in_at).urgency is Urgency.EMERGENCY


def test_the_deadline_follows_the_urgency(morning: World, ticket: Ticket) -> None:
    urgency(morning, "lan", "khan")
    now = the_ticket(morning)
    assert now.due_at is not None
    assert ticket.due_at is not None
    assert now.due_at < ticket.due_at
    (found,) = kept(morning, CorrectionKind.URGENCY)
    assert (found.before, found.after) == ("thuong", "khan")
    with pytest.raises(NotAllowed):
        urgency(morning, "lan", "rat_khan")
    with pytest.raises(NotAllowed):
        urgency(morning, "hung", "thuong")


def test_an_urgency_leaves_the_agency_as_it_is(morning: World, ticket: Ticket) -> None:
    with morning.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).values(agency_id=None))
    urgency(morning, "lan", "khan")
    assert the_ticket(morning).agency_id is None


def test_whom_the_leader_trusts_may_unseal(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    sealed = the_ticket(morning)
    for who in ("lan", "hung", "an"):
        with pytest.raises(NotFound):
            tickets.unseal(
                morning.runtime, morning.official(who), sealed.id, version=sealed.version, reason="không phải tố cáo"
            )
    tickets.unseal(morning.runtime, keeper(morning), sealed.id, version=sealed.version, reason="không phải tố cáo")
    assert not the_ticket(morning).is_sealed
    (entry,) = [a for a in all_rows(morning.runtime, AuditEntry) if a.action == "ticket.unsealed"]
    assert entry.official_id == morning.officials["mat"]
    (found,) = kept(morning, CorrectionKind.SEAL)
    assert (found.before, found.after) == ("sealed", "open")


def test_nothing_is_learned_of_what_is_sealed_but_that_it_was_unsealed(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    topic(morning, "mai", "dat-dai")
    assert lessons(morning) == []
    now = the_ticket(morning)
    mai = morning.official("mai")
    tickets.unseal(morning.runtime, mai, now.id, version=now.version, reason="không phải tố cáo")
    assert lessons(morning) == [{"topic": "dat-dai", "seal": "open"}]
    now = the_ticket(morning)
    tickets.seal(morning.runtime, mai, now.id, version=now.version, reason="đúng là tố cáo thật")
    assert lessons(morning) == []


def test_corrections_of_one_message_are_one_lesson_with_the_last_word(morning: World, ticket: Ticket) -> None:
    topic(morning, "lan", "cay-xanh")
    topic(morning, "tuan", "dien")
    urgency(morning, "lan", "khan")
    assert lessons(morning) == [{"topic": "dien", "urgency": "khan"}]


def test_a_lesson_holds_no_personal_data(morning: World) -> None:
    morning.says(POTHOLE + ", tôi tên là Nguyễn Thị Hồng Nhung, gọi 0912345678")
    take_in(morning)
    topic(morning, "lan", "cay-xanh")
    (lesson,) = gather(morning.runtime.database)
    assert "0912345678" not in lesson.text
    assert "Nhung" not in lesson.text
    assert not any("nhung" in feature or "0912" in feature for feature in lesson.features)


def test_erasing_a_citizens_data_leaves_nothing_to_learn(morning: World, ticket: Ticket, clock: Clock) -> None:
    topic(morning, "lan", "cay-xanh")
    assert lessons(morning)
    clock.move(minutes=5)
    does(morning, "user_withdraw")
    take_in(morning)
    assert lessons(morning) == []
    assert [(c.before, c.after) for c in all_rows(morning.runtime, Correction)] == [(ticket.topic, "cay-xanh")]


def spam(world: World, who: str) -> None:
    now = all_tickets(world)[0]
    triage.mark_spam(world.runtime, world.official(who), now.id, version=now.version)


def test_spam_is_closed_without_a_word(morning: World, ticket: Ticket) -> None:
    with morning.runtime.database.transaction() as session:
        session.execute(sa.update(Delivery).values(state=DeliveryState.SENT))
    before = len(all_rows(morning.runtime, Delivery))
    spam(morning, "lan")
    now = the_ticket(morning)
    assert (now.is_spam, now.is_open, now.state) == (True, False, TicketState.CLOSED)
    assert len(all_rows(morning.runtime, Delivery)) == before
    assert any(m.text == POTHOLE for m in all_rows(morning.runtime, Message))
    assert lessons(morning) == [{"intent": "spam"}]


def test_what_still_waits_for_a_spammer_is_not_sent(morning: World, ticket: Ticket) -> None:
    spam(morning, "lan")
    assert {d.state for d in all_rows(morning.runtime, Delivery)} == {DeliveryState.CANCELLED}


def test_spam_is_restored_to_where_it_stood(morning: World, ticket: Ticket) -> None:
    lan = morning.official("lan")
    tickets.receive(morning.runtime, lan, ticket.id, version=ticket.version)
    spam(morning, "lan")
    now = the_ticket(morning)
    triage.restore(morning.runtime, lan, ticket.id, version=now.version)
    after = the_ticket(morning)
    assert (after.is_spam, after.is_open, after.state, after.closed_at) == (False, True, TicketState.RECEIVED, None)
    assert (after.topic, after.due_at) == (ticket.topic, ticket.due_at)
    assert lessons(morning) == []
    with pytest.raises(NotAllowed):
        triage.restore(morning.runtime, lan, ticket.id, version=after.version)
    assert [e.kind for e in all_rows(morning.runtime, TicketEvent)][-2:] == [EventKind.MARKED_SPAM, EventKind.RESTORED]


def test_spam_of_a_citizen_who_withdrew_their_data_stays_ended(morning: World, ticket: Ticket, clock: Clock) -> None:
    spam(morning, "lan")
    clock.move(minutes=5)
    does(morning, "user_withdraw")
    take_in(morning)
    now = the_ticket(morning)
    assert (now.state, now.is_open) == (TicketState.WITHDRAWN, False)
    with pytest.raises(NotAllowed, match="erased"):
        triage.restore(morning.runtime, morning.official("lan"), ticket.id, version=now.version)
    assert not the_ticket(morning).is_open


def test_nothing_is_done_with_spam_but_restoring_it(morning: World, ticket: Ticket) -> None:
    spam(morning, "lan")
    now = the_ticket(morning)
    mai = morning.official("mai")
    with pytest.raises(NotAllowed):
        tickets.change_state(
            morning.runtime,
            mai,
            ticket.id,
            version=now.version,
            target=TicketState.REOPENED,
            given=Given(words="người dân yêu cầu mở lại"),
        )
    with pytest.raises(NotAllowed):
        tickets.seal(morning.runtime, mai, ticket.id, version=now.version, reason="có thể là tố cáo")
    with pytest.raises(Forbidden):
        reply(morning.runtime, mai, ticket.id, version=now.version, token="t" * 32, written=Written("Xin chào"))


def test_spam_is_given_to_nobody_so_its_sender_is_told_nothing(morning: World, ticket: Ticket) -> None:
    hung = morning.official("hung")
    spam(morning, "lan")
    before = len(all_rows(morning.runtime, Delivery))
    for who, official_id in (("lan", None), ("hung", hung.id)):
        with pytest.raises(NotAllowed, match="is_spam"):
            tickets.assign(
                morning.runtime,
                morning.official(who),
                ticket.id,
                version=the_ticket(morning).version,
                agency_id=hung.agency_id or 0,
                official_id=official_id,
                tell_citizen=True,
            )
    assert len(all_rows(morning.runtime, Delivery)) == before


def test_no_report_is_merged_into_spam(morning: World, ticket: Ticket) -> None:
    spam(morning, "lan")
    morning.says(POTHOLE, user=OTHER)
    take_in(morning)
    other = all_tickets(morning)[1]
    with pytest.raises(NotAllowed, match="target_is_spam"):
        tickets.change_state(
            morning.runtime,
            morning.official("lan"),
            other.id,
            version=other.version,
            target=TicketState.MERGED,
            given=Given(target_code=ticket.code),
        )
    assert all_tickets(morning)[1].is_open


def test_a_sealed_report_is_not_put_aside_as_spam(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    with pytest.raises(NotAllowed):
        spam(morning, "mai")
    assert not the_ticket(morning).is_spam


def test_who_was_put_aside_and_writes_again_is_heard(morning: World, ticket: Ticket, clock: Clock) -> None:
    spam(morning, "lan")
    clock.move(minutes=10)
    morning.says("Rác ở chợ Đình không ai thu gom cả tuần nay")
    take_in(morning)
    assert [t.is_spam for t in all_tickets(morning)] == [True, False]
