"""Whom sealed words seem to accuse does not read them; what accuses the leaders nobody of the commune opens."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.access import NotFound, reads_sealed
from bot.rules.lifecycle import NotAllowed
from bot.rules.retention import LIMITS_OF_LEADERS, Kind
from bot.usecases import alerts, chain
from bot.usecases.accusing import PROPOSED, accuse
from bot.usecases.commune_settings import change
from bot.usecases.erased import EXPIRED, EXPIRY
from bot.usecases.retention import begin_due, dry_run, keep_rules, runs
from bot.usecases.ticket_list import listing
from bot.usecases.ticket_page import open_page
from bot.usecases.tickets import assign, seal, unseal
from storage.audit import AuditEntry
from storage.communes import Commune
from storage.enums import Role, TicketState
from storage.messages import InboundEvent, Message
from storage.officials import Official
from storage.tickets import Ticket, View
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import BRIBE, LIGHT, OTHER, said_to_citizens, take_in, texts_of, the_ticket, tickets
from tests.usecases.test_retention import everything_said
from tests.usecases.test_sealing import a_reader, agency, reads

OF_THE_CHAIR = "Tôi tố cáo chủ tịch xã nhận hối lộ năm mươi triệu của nhà thầu ngosauzxq"
OF_KIN = "Tôi tố cáo con trai chủ tịch xã bảo kê sòng bạc ở chợ Đình"
OF_RECEPTION = "Tôi tố cáo cán bộ tiếp công dân nhận phong bì hai triệu của dân"
TO_THE_CHAIR = "Kính gửi chủ tịch xã, tôi tố cáo cán bộ địa chính nhận hối lộ của dân"


def says(world: World, words: str) -> Ticket:
    world.says(words)
    take_in(world)
    return tickets(world)[-1]


def proposed(world: World) -> list[str]:
    (commune,) = all_rows(world.runtime, Commune)
    return open_page(world.runtime, world.official("mai"), commune, tickets(world)[-1].id).proposed


def listed(world: World, who: str) -> tuple[list[str], int]:
    (commune,) = all_rows(world.runtime, Commune)
    found = listing(world.runtime, world.official(who), commune, View.ALL)
    return [row.ticket.code for row in found.rows], found.for_the_province


# ---- a unit ---------------------------------------------------------------------------------------------------------


def test_a_named_unit_is_proposed_and_shut_out_until_a_reader_decides(morning: World) -> None:
    a_reader(morning, "dao", "tiep-cong-dan")
    ticket = says(morning, OF_RECEPTION)
    with pytest.raises(NotFound):
        reads(morning, "dao", ticket)
    assert listed(morning, "dao") == ([], 0)
    assert OF_RECEPTION in reads(morning, "mai", ticket)
    assert proposed(morning) == ["Bộ phận tiếp công dân"]
    assert (ticket.accused_agency_id, ticket.agency_id) == (None, agency(morning, "lanh-dao").id)
    assert said_to_citizens(morning) == ["denunciation_guide"]
    ticket = the_ticket(morning)
    with pytest.raises(NotAllowed):
        assign(
            morning.runtime, morning.official("mai"), ticket.id, version=ticket.version,
            agency_id=agency(morning, "tiep-cong-dan").id, official_id=None,
        )  # fmt: skip
    accuse(morning.runtime, morning.official("mai"), ticket.id, version=ticket.version, agency_id=None)
    assert OF_RECEPTION in reads(morning, "dao", ticket)
    assert proposed(morning) == []


def test_what_a_reader_decided_stands_until_something_else_is_said(morning: World, clock: Clock) -> None:
    a_reader(morning, "dao", "tiep-cong-dan")
    ticket = says(morning, OF_RECEPTION)
    accuse(morning.runtime, morning.official("mai"), ticket.id, version=ticket.version, agency_id=None)
    clock.move(minutes=10)
    says(morning, "tôi có giấy tờ chứng minh việc đó")
    assert OF_RECEPTION in reads(morning, "dao", ticket)
    clock.move(minutes=10)
    says(morning, "bổ sung tố cáo lúc nãy: người bên tiếp công dân đòi thêm năm triệu")
    with pytest.raises(NotFound):
        reads(morning, "dao", ticket)


def test_who_is_only_spoken_to_is_not_shut_out(morning: World) -> None:
    ticket = says(morning, TO_THE_CHAIR)
    assert TO_THE_CHAIR in reads(morning, "mai", ticket)
    assert proposed(morning) == ["Phòng Kinh tế"]
    assert said_to_citizens(morning) == ["denunciation_guide"]


def test_what_is_proposed_stands_in_the_audit_without_words(morning: World) -> None:
    ticket = says(morning, OF_RECEPTION)
    (entry,) = [e for e in all_rows(morning.runtime, AuditEntry) if e.action == PROPOSED]
    assert entry.target == f"ticket:{ticket.id}"
    assert entry.data == {"agencies": [agency(morning, "tiep-cong-dan").id], "leaders": False}


def test_what_is_not_sealed_accuses_nobody(morning: World) -> None:
    ticket = says(morning, LIGHT)
    assert (ticket.shut_out, ticket.accuses_leaders) == (set(), False)
    seal(morning.runtime, morning.official("lan"), ticket.id, version=ticket.version, reason="Sợ lộ người báo tin")
    ticket = the_ticket(morning)
    unseal(morning.runtime, morning.official("mai"), ticket.id, version=ticket.version, reason="Không phải tố cáo")
    assert the_ticket(morning).shut_out == set()


# ---- the leadership -------------------------------------------------------------------------------------------------


def test_leaders_named_otherwise_are_shut_out_like_a_unit(morning: World) -> None:
    a_reader(morning, "dao", "tiep-cong-dan")
    ticket = says(morning, OF_KIN)
    assert not ticket.accuses_leaders
    with pytest.raises(NotFound):
        reads(morning, "mai", ticket)
    assert OF_KIN in reads(morning, "dao", ticket)
    assert ticket.agency_id == agency(morning, "tiep-cong-dan").id


def test_who_leads_is_shut_out_of_whatever_unit_they_are(morning: World) -> None:
    ticket = says(morning, OF_KIN)
    with morning.runtime.database.transaction() as session:
        mai = session.get_one(Official, morning.officials["mai"])
        mai.agency_id = None
    assert Role.LEADER in {Role(role) for role in morning.official("mai").roles}
    with pytest.raises(NotFound):
        reads(morning, "mai", ticket)
    assert not reads_sealed(morning.official("mai"), the_ticket(morning))


def test_where_nobody_is_left_the_citizen_is_told_of_the_province(morning: World) -> None:
    """Without a promise that nobody ever will: the commune may name another reader."""
    says(morning, OF_KIN)
    assert said_to_citizens(morning) == ["denunciation_nobody"]


def test_what_accuses_the_leaders_nobody_of_the_commune_opens(morning: World) -> None:
    a_reader(morning, "dao", "tiep-cong-dan")
    change(morning.runtime, "duc-hue", {"province_inspectorate": "Thanh tra tỉnh, 61 Trương Định"})
    ticket = says(morning, OF_THE_CHAIR)
    assert ticket.accuses_leaders
    for who in ("mai", "dao", "lan"):
        with pytest.raises(NotFound):
            reads(morning, who, ticket)
    assert {who: listed(morning, who) for who in ("mai", "dao", "lan")} == {
        "mai": ([], 0), "dao": ([], 1), "lan": ([], 0),
    }  # fmt: skip
    (told,) = texts_of(morning, "denunciation_leaders")
    assert "Thanh tra tỉnh, 61 Trương Định hoặc Công an tỉnh" in told
    assert "hối lộ" not in told
    assert (ticket.agency_id, ticket.official_id) == (None, None)


def test_what_follows_stays_with_it_and_a_later_word_may_say_it(morning: World, clock: Clock) -> None:
    ticket = says(morning, BRIBE)
    assert BRIBE in reads(morning, "mai", ticket)
    clock.move(minutes=10)
    says(morning, "tố cáo thêm: chủ tịch xã cũng nhận tiền chia chác vụ này")
    ticket = the_ticket(morning)
    assert ticket.accuses_leaders
    assert said_to_citizens(morning) == ["denunciation_guide", "denunciation_leaders"]
    clock.move(minutes=10)
    says(morning, "tôi có giấy tờ chứng minh việc đó")
    assert {m.ticket_id for m in all_rows(morning.runtime, Message)} == {ticket.id}


def test_to_take_it_back_is_answered_with_the_truth(morning: World, clock: Clock) -> None:
    ticket = says(morning, OF_THE_CHAIR)
    clock.move(minutes=10)
    says(morning, f"rút {ticket.code}")
    assert said_to_citizens(morning) == ["denunciation_leaders"] * 2


def test_danger_comes_first(morning: World) -> None:
    ticket = says(morning, "Cứu với, chủ tịch xã đang cầm dao đánh vợ con chảy máu nhiều lắm ở xóm 5")
    assert not ticket.accuses_leaders


@pytest.mark.parametrize(
    "words",
    [
        "Chủ tịch xã ơi chồng em cầm dao đòi giết em, cứu em với, em ở xóm 5",
        "Cứu với, chủ tịch xã đang cầm dao đánh vợ con chảy máu nhiều lắm ở xóm 5",
    ],
)
def test_danger_always_reaches_somebody(morning: World, words: str) -> None:
    """Where a leader is the only one who is named, a leader is called."""
    ticket = says(morning, words)
    assert not ticket.accuses_leaders
    called = [call.ticket.id for call in alerts.unseen(morning.runtime, morning.official("mai")) if call.ticket]
    assert called == [ticket.id]
    assert open_page(morning.runtime, morning.official("mai"), all_rows(morning.runtime, Commune)[0], ticket.id)


def test_what_is_said_months_later_lets_nobody_in(morning: World, clock: Clock) -> None:
    a_reader(morning, "dao", "tiep-cong-dan")
    ticket = says(morning, OF_RECEPTION)
    clock.move(days=61)
    says(morning, "Tôi bổ sung thêm là vụ này có nhiều người biết")
    for one in tickets(morning):
        assert not reads_sealed(morning.official("dao"), one) or one.id != ticket.id
    assert reads_sealed(morning.official("mai"), tickets(morning)[0])


def test_what_is_said_months_later_does_not_open_what_accuses_the_leaders(morning: World, clock: Clock) -> None:
    ticket = says(morning, OF_THE_CHAIR)
    clock.move(days=61)
    says(morning, "Tôi bổ sung thêm là vụ này có nhiều người biết")
    (first, *_) = tickets(morning)
    assert (first.id, first.is_sealed, first.accuses_leaders) == (ticket.id, True, True)


def test_who_leads_stays_out_when_a_reader_names_the_leadership(morning: World) -> None:
    a_reader(morning, "dao", "tiep-cong-dan")
    ticket = says(morning, OF_KIN)
    with pytest.raises(NotFound):
        reads(morning, "mai", ticket)
    leaders = agency(morning, "lanh-dao").id
    ticket = the_ticket(morning)
    accuse(morning.runtime, morning.official("dao"), ticket.id, version=ticket.version, agency_id=leaders)
    with pytest.raises(NotFound):
        reads(morning, "mai", ticket)


def test_to_decide_about_one_of_two_units_lets_the_other_not_in(morning: World) -> None:
    a_reader(morning, "dao", "tiep-cong-dan")
    ticket = says(morning, "Tôi tố cáo cán bộ tiếp công dân và công an xã nhận phong bì của dân")
    police = agency(morning, "cong-an").id
    assert {police, agency(morning, "tiep-cong-dan").id} <= ticket.shut_out
    accuse(morning.runtime, morning.official("mai"), ticket.id, version=ticket.version, agency_id=police)
    with pytest.raises(NotFound):
        reads(morning, "dao", ticket)


def test_an_official_who_seals_by_hand_shuts_nobody_out_for_good(morning: World) -> None:
    a_reader(morning, "dao", "tiep-cong-dan")
    ticket = says(morning, "Đèn đường xóm 5 hỏng, chủ tịch xã không cho sửa")
    assert not ticket.is_sealed
    seal(morning.runtime, morning.official("lan"), ticket.id, version=ticket.version, reason="Sợ lộ người báo tin")
    ticket = the_ticket(morning)
    assert not ticket.accuses_leaders
    with pytest.raises(NotFound):
        reads(morning, "mai", ticket)
    assert "hỏng" in reads(morning, "dao", ticket)


# ---- its end --------------------------------------------------------------------------------------------------------


def test_it_expires_by_itself_with_proof(morning: World, clock: Clock) -> None:
    ticket = says(morning, OF_THE_CHAIR)
    morning.says(BRIBE, user=OTHER)
    take_in(morning)
    clock.move(minutes=5)
    while chain.extend(morning.runtime):
        pass
    clock.move(days=LIMITS_OF_LEADERS.usual - 1)
    assert begin_due(morning.runtime) > 0
    keep_rules(morning.runtime, budget_seconds=5)
    assert OF_THE_CHAIR in [m.text for m in all_rows(morning.runtime, Message)]
    clock.move(days=2)
    begin_due(morning.runtime)
    assert keep_rules(morning.runtime, budget_seconds=5) == 1
    gone, stays = tickets(morning)
    assert (gone.summary, gone.state, gone.is_open) == (EXPIRED, TicketState.DECLINED, False)
    assert (stays.is_open, stays.words_gone_at) == (True, None)
    assert "ngosauzxq" not in everything_said(morning)
    assert OF_THE_CHAIR not in [m.text for m in all_rows(morning.runtime, Message)]
    (event, _) = all_rows(morning.runtime, InboundEvent)
    assert event.body == b"{}"
    (entry,) = [e for e in all_rows(morning.runtime, AuditEntry) if e.action == EXPIRY]
    assert (entry.data["kind"], entry.data["tickets"]) == ("sealed_leaders", [ticket.id])
    assert runs(morning.runtime, morning.official("mai")) == []
    clock.move(minutes=5)
    while chain.extend(morning.runtime):
        pass
    assert chain.verify(morning.runtime).problems == []


def test_the_number_of_days_is_the_operators(morning: World, clock: Clock) -> None:
    says(morning, OF_THE_CHAIR)
    change(morning.runtime, "duc-hue", {"leaders_days": "30"})
    clock.move(days=31)
    begin_due(morning.runtime)
    assert keep_rules(morning.runtime, budget_seconds=5) == 1
    assert the_ticket(morning).words_gone_at is not None


def test_nobody_here_counts_them_in_a_trial(morning: World, clock: Clock) -> None:
    says(morning, OF_THE_CHAIR)
    clock.move(days=4_000)
    lines = dry_run(morning.runtime, morning.official("mai"), {Kind.SEALED: 365})
    assert [(line.kind, line.count) for line in lines if line.kind is not Kind.SEALED_LOOSE] == [(Kind.SEALED, 0)]
    with morning.runtime.database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Ticket)) == 1
