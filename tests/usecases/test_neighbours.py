"""Two communes on one installation: a report handed over becomes a ticket there, and its answer comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.rules.lifecycle import NotAllowed
from bot.usecases import intake, neighbours, replies, tickets, transfers
from bot.usecases.replies import Written
from bot.usecases.setup import add_commune
from storage.agencies import Agency
from storage.alerts import Alert
from storage.communes import Commune, Locality
from storage.contacts import Contact
from storage.enums import AlertKind, AttachmentState, EventKind, Role, TicketState, TransferState
from storage.messages import Attachment, InboundEvent
from storage.officials import Official
from storage.papers import Transfer, TransferLine
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import take_in
from tests.usecases.test_citizens import does
from tests.usecases.test_replies import a_photo
from tests.usecases.test_transfers import WISH, edit, files_of, keep_photo

RUBBISH = "Rác đổ tràn ra bờ kênh, hôi thối cả tuần nay, gọi tôi 0912345678, tôi là Trần Thị Bưởi"


@pytest.fixture
def elsewhere(morning: World) -> Official:
    """A second commune, and who leads it."""
    runtime = morning.runtime
    with runtime.database.reading() as session:
        code = session.scalars(
            sa.select(Locality.code).where(Locality.level == "commune", Locality.parent_code == "80",
                                           Locality.code != "27925").limit(1)
        ).one()  # fmt: skip
    commune_id = add_commune(runtime, code=code, slug="xa-ben", settings={"undo_seconds": 0})
    official = Official(
        commune_id=commune_id, username="ben", name="Người xã bên", password_hash="x", created_at=morning.clock(),
        roles=[Role.RECEIVER.value, Role.LEADER.value, Role.SEALED_READER.value],
    )  # fmt: skip
    with runtime.database.transaction() as session:
        official.agency_id = session.scalars(
            sa.select(Agency.id).where(Agency.commune_id == commune_id, Agency.slug == "kinh-te")
        ).one()
        session.add(official)
    return official


@pytest.fixture
def ticket(morning: World, elsewhere: Official) -> Ticket:
    """A report that is in our book."""
    morning.says(RUBBISH)
    take_in(morning)
    found = ours(morning)
    tickets.receive(morning.runtime, morning.official("lan"), found.id, version=found.version)
    return ours(morning)


def ours(world: World) -> Ticket:
    (ticket,) = [t for t in all_rows(world.runtime, Ticket) if t.commune_id == world.commune_id]
    return ticket


def theirs(world: World) -> list[Ticket]:
    return [t for t in all_rows(world.runtime, Ticket) if t.commune_id != world.commune_id]


def send(world: World, elsewhere: Official, **changes: object) -> Transfer:
    now = ours(world)
    wish = replace(WISH, commune_id=elsewhere.commune_id, body="", has_link=False, has_consent=True)
    wish = replace(wish, **changes)  # type: ignore[arg-type]
    transfers.send(world.runtime, world.official("lan"), now.id, version=now.version, wish=wish)
    return the_transfer(world)


def the_transfer(world: World) -> Transfer:
    (transfer,) = all_rows(world.runtime, Transfer)
    return transfer


def carried(world: World) -> Ticket:
    """The transfer is carried over and read there; gives the ticket it became."""
    neighbours.carry(world.runtime)
    intake.drain(world.runtime)
    neighbours.carry(world.runtime)
    (found,) = theirs(world)
    return found


def receive_there(world: World, elsewhere: Official) -> None:
    (found,) = theirs(world)
    tickets.receive(world.runtime, elsewhere, found.id, version=found.version)


def answer_there(world: World, elsewhere: Official, text: str, image: bytes | None = None) -> None:
    (found,) = theirs(world)
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).where(Ticket.id == found.id).values(agency_id=elsewhere.agency_id))
    written = Written(text, is_result=True, next_step="theo dõi tiếp.", image=image)
    replies.reply(world.runtime, elsewhere, found.id, version=found.version, token="token-123", written=written)


def test_it_becomes_a_ticket_there_linked_both_ways(morning: World, ticket: Ticket, elsewhere: Official) -> None:
    send(morning, elsewhere)
    there = carried(morning)
    assert the_transfer(morning).to_ticket_id == there.id
    assert there.commune_id == elsewhere.commune_id
    assert there.summary.startswith("Rác đổ tràn ra bờ kênh")
    notes = [e for e in all_rows(morning.runtime, TicketEvent) if "handed_from" in e.data]
    assert [(e.ticket_id, e.data["handed_from"], ticket.code in (e.note or "")) for e in notes] == [
        (there.id, "1/PC-UBND", True)
    ]
    (handed,) = transfers.handed(morning.runtime, morning.official("lan"), ticket)
    assert handed.there is not None
    assert handed.there.code == there.code


def test_who_reported_does_not_go_along_by_itself(morning: World, ticket: Ticket, elsewhere: Official) -> None:
    edit(morning, Contact, name="Trần Thị Bưởi", phone="0912345678")
    send(morning, elsewhere)
    there = carried(morning)
    with morning.runtime.database.reading() as session:
        contact = session.get_one(Contact, there.contact_id)
        told = session.scalars(sa.select(InboundEvent).where(InboundEvent.commune_id == elsewhere.commune_id)).one()
    assert (contact.name, contact.phone) == (None, None)
    assert "Bưởi" not in told.body.decode()
    assert "0912345678" not in told.body.decode()
    assert all("Bưởi" not in (e.note or "") for e in all_rows(morning.runtime, TicketEvent) if e.ticket_id == there.id)


def test_the_name_stands_in_their_history_when_an_official_says_so(
    morning: World, ticket: Ticket, elsewhere: Official
) -> None:
    edit(morning, Contact, name="Trần Thị Bưởi", phone="0912345678")
    send(morning, elsewhere, has_identity=True)
    there = carried(morning)
    (note,) = [e.note for e in all_rows(morning.runtime, TicketEvent) if e.data.get("handed_from")]
    assert "Trần Thị Bưởi" in (note or "")
    assert there.id


def test_photos_go_along_clean(morning: World, ticket: Ticket, elsewhere: Official) -> None:
    keep_photo(morning, a_photo() + b"<script>hidden</script>")
    send(morning, elsewhere)
    carried(morning)
    (photo,) = [a for a in all_rows(morning.runtime, Attachment) if a.commune_id == elsewhere.commune_id]
    assert photo.state in {AttachmentState.WAITING, AttachmentState.STORED}
    kept = [path.read_bytes() for path in files_of(morning)]
    assert sum(b"hidden" in data for data in kept) == 1  # the citizen's own file, with us


def test_their_answer_comes_back_when_nobody_can_take_it_back_any_more(
    morning: World, ticket: Ticket, elsewhere: Official, clock: Clock
) -> None:
    send(morning, elsewhere)
    carried(morning)
    receive_there(morning, elsewhere)
    with morning.runtime.database.transaction() as session:
        session.get_one(Commune, elsewhere.commune_id).settings = {"after_photo": False}
    answer_there(morning, elsewhere, "Đã dọn sạch bờ kênh.")
    neighbours.carry(morning.runtime)
    assert the_transfer(morning).answered_at is None
    # Nor by a sweep whose list was made before they did it.
    assert not neighbours._bring_back(morning.runtime, the_transfer(morning).id)
    assert the_transfer(morning).answered_at is None
    clock.move(seconds=10)
    neighbours.carry(morning.runtime)
    assert the_transfer(morning).answered_at is not None


def test_however_often_it_is_carried_it_is_one_ticket(morning: World, ticket: Ticket, elsewhere: Official) -> None:
    send(morning, elsewhere)
    for _ in range(3):
        neighbours.carry(morning.runtime)
    assert len([e for e in all_rows(morning.runtime, InboundEvent) if e.commune_id == elsewhere.commune_id]) == 1
    carried(morning)
    for _ in range(2):
        assert neighbours.carry(morning.runtime) == 0
    assert len(theirs(morning)) == 1


def test_nobody_is_handed_over_without_consent(morning: World, ticket: Ticket, elsewhere: Official) -> None:
    with pytest.raises(NotAllowed, match="needs_consent"):
        send(morning, elsewhere, has_consent=False)
    assert all_rows(morning.runtime, Transfer) == []


@pytest.mark.parametrize("agreed", [True, False])
def test_what_the_citizen_said_in_the_chat_counts(
    morning: World, ticket: Ticket, elsewhere: Official, *, agreed: bool
) -> None:
    with morning.runtime.database.transaction() as session:
        code = session.get_one(Commune, elsewhere.commune_id).locality_code
        session.add(
            TicketEvent(
                commune_id=morning.commune_id, ticket_id=ticket.id, kind=EventKind.NOTED, at=morning.clock(),
                data={"forward_to": code, "agreed": agreed},
            )
        )  # fmt: skip
    if agreed:
        assert send(morning, elsewhere, has_consent=False).to_commune_id == elsewhere.commune_id
    else:
        with pytest.raises(NotAllowed, match="needs_consent"):
            send(morning, elsewhere, has_consent=False)


def test_a_commune_is_no_neighbour_of_itself(morning: World, ticket: Ticket, elsewhere: Official) -> None:
    with pytest.raises(NotAllowed, match="no_such_commune"):
        send(morning, elsewhere, commune_id=morning.commune_id)
    names = [one.id for one in transfers.receivers(morning.runtime, morning.official("lan"))[1]]
    assert names == [elsewhere.commune_id]


def test_what_they_do_comes_back_by_itself(morning: World, clock: Clock, ticket: Ticket, elsewhere: Official) -> None:
    send(morning, elsewhere)
    carried(morning)
    receive_there(morning, elsewhere)
    neighbours.carry(morning.runtime)
    assert the_transfer(morning).state is TransferState.ACKNOWLEDGED
    answer_there(morning, elsewhere, "Đã dọn sạch bờ kênh.", a_photo())
    neighbours.carry(morning.runtime)
    neighbours.carry(morning.runtime)
    assert the_transfer(morning).state is TransferState.ANSWERED
    (line,) = all_rows(morning.runtime, TransferLine)
    assert "Đã dọn sạch bờ kênh." in line.text
    assert line.image_blob
    assert ours(morning).state is TicketState.FORWARDED
    called = [a for a in all_rows(morning.runtime, Alert) if a.kind is AlertKind.TRANSFER]
    assert [(a.commune_id, a.data["what"]) for a in called] == [(morning.commune_id, "answer")]


def test_what_they_refuse_comes_back_too(morning: World, ticket: Ticket, elsewhere: Official) -> None:
    send(morning, elsewhere)
    found = carried(morning)
    tickets.change_state(
        morning.runtime, elsewhere, found.id, version=found.version, target=TicketState.DECLINED,
        given=tickets.Given(words="Bờ kênh này do công ty thủy lợi quản lý."),
    )  # fmt: skip
    neighbours.carry(morning.runtime)
    (line,) = all_rows(morning.runtime, TransferLine)
    assert "công ty thủy lợi" in line.text


def test_what_they_seal_tells_us_nothing(morning: World, ticket: Ticket, elsewhere: Official) -> None:
    send(morning, elsewhere)
    found = carried(morning)
    reason = "Có dấu hiệu tố cáo cán bộ."
    tickets.seal(morning.runtime, elsewhere, found.id, version=found.version, reason=reason)
    answer_there(morning, elsewhere, "Nội dung mật.")
    neighbours.carry(morning.runtime)
    assert all_rows(morning.runtime, TransferLine) == []


def test_data_that_was_withdrawn_meanwhile_goes_nowhere(
    morning: World, clock: Clock, ticket: Ticket, elsewhere: Official
) -> None:
    send(morning, elsewhere)
    clock.move(minutes=1)
    does(morning, "user_withdraw")
    take_in(morning)
    assert neighbours.carry(morning.runtime) == 0
    assert the_transfer(morning).state is TransferState.RECALLED
    assert theirs(morning) == []
