"""Search over all history: what is found, by whom, and that the index follows whatever becomes of the words."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.access import Role
from bot.rules.lifecycle import NotAllowed
from bot.usecases import searching, sweep
from bot.usecases.replies import Written, reply
from bot.usecases.tickets import seal, set_place, unseal
from storage.contacts import Contact
from storage.database import Database
from storage.enums import TicketState
from storage.messages import Message
from storage.officials import Official
from storage.search_index import SearchBacklog, SearchPart, note_tickets
from storage.tickets import Ticket
from tests.builders import OA, World, all_rows
from tests.usecases.looking import take_in, tickets

HOA, BINH, CUC = "3000000000000000003", "3000000000000000004", "3000000000000000005"
REASON = "Có thể lộ người báo tin"


def found(world: World, text: str, who: str = "lan", before: int | None = None) -> searching.Findings:
    with world.runtime.database.reading() as session:
        return searching.search(session, world.runtime, world.official(who), text, before=before)


def codes(world: World, text: str, who: str = "lan") -> list[str]:
    return [hit.row.ticket.code for hit in found(world, text, who).hits]


def index(database: Database) -> dict[int, str]:
    with database.reading() as session:
        return {part.id: str(part.words) for part in session.scalars(sa.select(SearchPart))}


def raw_index(database: Database) -> bytes:
    """All that the index keeps, in its own pages, too."""
    kept = "\n".join(index(database).values()).encode()
    if database.is_sqlite:
        with database.engine.connect() as connection:
            kept += b"".join(connection.scalars(sa.text("SELECT block FROM search_words_data")))
    return kept


def the_index_is_true(world: World) -> None:
    """What the index holds is what it would hold if it were made from the rows now, and the engine's own check."""
    database = world.runtime.database
    before = index(database)
    with database.transaction() as session:
        session.execute(sa.delete(SearchPart))
        note_tickets(session, session.scalars(sa.select(Ticket.id)))
    assert index(database) == before
    if database.is_sqlite:
        with database.transaction() as session:
            session.execute(sa.text("INSERT INTO search_words (search_words, rank) VALUES ('integrity-check', 1)"))


@pytest.fixture
def told(morning: World) -> World:
    """Three reports of three people; the second one's number stands in the words."""
    morning.says("Ổ gà to giữa đường trước trạm y tế", user=HOA)
    take_in(morning)
    morning.says("Rác chất đống ở Chợ Đình, gọi tôi số 0912 345 678", user=BINH)
    take_in(morning)
    morning.says("O ga o dau Xom 5 gay nguy hiem", user=CUC)
    take_in(morning)
    assert [t.code for t in tickets(morning)] == ["PA26-0001", "PA26-0002", "PA26-0003"]
    return morning


# ---- what is found --------------------------------------------------------------------------------------------------


def test_all_words_must_stand_in_a_ticket_with_or_without_accents(told: World) -> None:
    for text, expected in {
        "o ga": ["PA26-0003", "PA26-0001"],
        "Ổ GÀ": ["PA26-0001", "PA26-0003"],  # as typed first
        "ổ gà xóm": ["PA26-0003"],
        "nguy hie": ["PA26-0003"],  # the last word may go on
        "ngu hiem": [],
        '"tram y te"': ["PA26-0001"],
        '"y tram te"': [],
        '"tram y t"': [],  # a phrase is whole
        "rac duong": [],
        "chợ đình": ["PA26-0002"],
        "khong-co-tu-nay": [],
        "' OR 1=1 --": [],
        "rac:* | ga": [],
        'NEAR("rac" "ga")': [],
    }.items():
        assert codes(told, text) == expected, text


def test_a_code_a_part_of_it_and_the_year(told: World) -> None:
    for text in ("PA26-0002", "pa26-2", "0002", "PA26-0002 rác", "rac 0002"):
        assert codes(told, text) == ["PA26-0002"], text
    assert codes(told, "PA26") == ["PA26-0003", "PA26-0002", "PA26-0001"]
    assert codes(told, "PA25-0002") == []


def test_days_are_those_of_vietnam_on_which_it_was_taken_in(told: World) -> None:
    told.clock.move(days=3)  # type: ignore[attr-defined]
    told.says("Đèn đường Xóm 5 không sáng", user="3000000000000000009")
    take_in(told)
    for text, expected in {
        "07/10/2026": 3,
        "10/10/2026": 1,
        "ngày 7/10 gà": 2,
        "từ 8/10 đến 12/10": 1,
        "tháng 10": 4,
        "9/2026": 0,
        "từ 7/10": 4,
        "hôm nay": 1,
    }.items():
        assert len(codes(told, text)) == expected, text


def test_a_place_of_the_list_finds_what_is_about_it_whatever_was_said(told: World) -> None:
    first = tickets(told)[0]
    lan = told.official("lan")
    with told.runtime.database.reading() as session:
        market = session.scalar(sa.text("SELECT id FROM places WHERE name LIKE '%Đình%'"))
    set_place(told.runtime, lan, first.id, version=first.version, place_id=market, words="")
    asked = found(told, "cho dinh ga")
    assert [hit.row.ticket.code for hit in asked.hits] == ["PA26-0001"]
    assert asked.places == ["Chợ Đình"] or "Đình" in asked.places[0]
    assert codes(told, "chợ đình") == ["PA26-0002", "PA26-0001"]
    the_index_is_true(told)


def test_an_empty_result_says_which_word_stands_nowhere(told: World) -> None:
    asked = found(told, "ổ gà khủnglong")
    assert (asked.hits, asked.nowhere) == ([], ["khủnglong"])
    assert asked.query.wider(asked.nowhere) == ["ổ gà", "ổ", "gà"]
    assert found(told, "rác gà").nowhere == []


def test_more_than_a_page_is_turned_by_the_last_number(told: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "ON_A_PAGE", 1)
    first = found(told, "o ga")
    second = found(told, "o ga", before=first.next)
    assert [h.row.ticket.code for h in (*first.hits, *second.hits)] == ["PA26-0003", "PA26-0001"]
    assert second.next is None


def test_what_is_closed_or_put_aside_is_found_too(told: World) -> None:
    with told.runtime.database.transaction() as session:
        for ticket, state in zip(
            session.scalars(sa.select(Ticket).order_by(Ticket.id)), (TicketState.CLOSED, None, None), strict=True
        ):
            if state:
                ticket.state, ticket.is_open = state, False
            else:
                ticket.is_spam = True
    assert len(codes(told, "o ga")) == 2


# ---- telephone numbers ----------------------------------------------------------------------------------------------


def test_the_end_of_a_number_is_for_those_who_may_see_it(told: World) -> None:
    second = tickets(told)[1]
    with told.runtime.database.transaction() as session:
        for contact in session.scalars(sa.select(Contact).where(Contact.id == tickets(told)[0].contact_id)):
            contact.phone = "+84 987.654.321"
        hung = session.get_one(Official, told.officials["hung"])
        for ticket in session.scalars(sa.select(Ticket)):
            ticket.agency_id = hung.agency_id
    for text, expected in {"5678": ["PA26-0002"], "0912345678": ["PA26-0002"], "+84 912 345 678": ["PA26-0002"],
                           "4321": ["PA26-0001"], "0987654321": ["PA26-0001"], "0912": []}.items():  # fmt: skip
        assert codes(told, text) == expected, text
        assert codes(told, text, "hung") == [], "not his to reveal"
    assert found(told, "5678", "hung").phones is searching.Phones.OWN
    with told.runtime.database.transaction() as session:
        session.get_one(Ticket, second.id).official_id = told.officials["hung"]
    assert codes(told, "5678", "hung") == ["PA26-0002"]
    assert codes(told, "4321", "hung") == []
    # Nobody finds a number by what stands for it in the index, or by the letters it is masked with.
    for text in ("\ue0008765", "8765", "0912 34", '"so 0912"', "**"):
        assert codes(told, text, "hung") == [], text
    with told.runtime.database.transaction() as session:
        session.get_one(Official, told.officials["mai"]).roles = [Role.SEALED_READER.value]
    assert found(told, "5678", "mai").phones is searching.Phones.NONE
    the_index_is_true(told)


def test_whoever_may_not_see_a_ticket_does_not_find_it(told: World) -> None:
    with told.runtime.database.transaction() as session:
        session.get_one(Official, told.officials["hung"]).agency_id = None
    for text in ("o ga", "PA26-0001", "0001", "rác", "07/10/2026"):
        assert codes(told, text, "hung") == []
    assert found(told, "gà", "hung").nowhere == ["gà"]


# ---- the index follows ----------------------------------------------------------------------------------------------


def test_answers_and_later_messages_are_found_and_what_the_machine_says_is_not(told: World) -> None:
    second = tickets(told)[1]
    told.says("thêm một xe cháy trụi nằm đó", user=BINH)
    take_in(told)
    reply(
        told.runtime, told.official("lan"), second.id, version=tickets(told)[1].version, token="t" * 32,
        written=Written("Chào ông/bà, tổ vệ sinh đang dọn."),
    )  # fmt: skip
    assert codes(told, "tổ vệ sinh") == ["PA26-0002"]
    assert codes(told, "chay trui rac") == ["PA26-0002"], "words of two messages"
    assert codes(told, '"678 them"') == []
    said = [m.text for m in all_rows(told.runtime, Message) if m.origin == "bot"]
    assert any("PA26-0001" in text for text in said)
    the_index_is_true(told)


def test_sealed_words_leave_the_index_and_its_pages_and_come_back(told: World) -> None:
    database = told.runtime.database
    third = tickets(told)[2]
    told.says("zvukcanary ở đó", user=CUC)
    take_in(told)
    assert b"vukcanary" in raw_index(database)
    seal(told.runtime, told.official("lan"), third.id, version=tickets(told)[2].version, reason=REASON)
    kept = raw_index(database)
    assert b"vukcanary" not in kept
    assert b"hiem" not in kept
    for who in ("lan", "mai"):
        assert codes(told, "zvukcanary", who) == []
        assert codes(told, "nguy hiem", who) == []
    assert codes(told, "PA26-0003") == codes(told, "0003") == codes(told, "07/10/2026 hiem") == []
    assert codes(told, "PA26-0003", "mai") == codes(told, "0003", "mai") == ["PA26-0003"]
    told.says("và còn vukcanary2 nữa", user=CUC)
    take_in(told)
    assert b"vukcanary" not in raw_index(database)
    the_index_is_true(told)
    unseal(told.runtime, told.official("mai"), third.id, version=tickets(told)[2].version, reason=REASON)
    assert codes(told, "zvukcanary") == ["PA26-0003"]
    the_index_is_true(told)


def test_a_denunciation_never_gets_there(told: World) -> None:
    told.says("Tôi tố cáo ông Lân zvukcanary cán bộ địa chính nhận hối lộ của dân", user="3000000000000000010")
    take_in(told)
    assert tickets(told)[-1].is_sealed
    assert b"vukcanary" not in raw_index(told.runtime.database)
    assert codes(told, "zvukcanary", "mai") == []


def test_what_a_citizen_withdraws_leaves_the_index_with_their_number(told: World) -> None:
    database = told.runtime.database
    assert b"8765432190" in raw_index(database)
    told.event({"event_name": "user_withdraw", "oa_id": OA, "user_id": BINH})
    take_in(told)
    kept = raw_index(database)
    assert b"8765432190" not in kept
    assert b"dinh" not in kept
    assert codes(told, "rác chợ") == codes(told, "5678") == []
    assert codes(told, "ga") == ["PA26-0003", "PA26-0001"]
    the_index_is_true(told)


def test_words_that_move_to_another_ticket_are_found_there_and_nowhere_else(told: World) -> None:
    first, _, third = tickets(told)
    with told.runtime.database.transaction() as session:
        for message in session.scalars(sa.select(Message).where(Message.ticket_id == third.id)):
            message.ticket_id = first.id
        session.get_one(Ticket, third.id).summary = ""
    assert codes(told, "nguy hiem") == ["PA26-0001"]
    the_index_is_true(told)


def test_nothing_is_indexed_by_a_transaction_that_fails(told: World) -> None:
    before = index(told.runtime.database)

    def change_and_fail() -> None:
        with told.runtime.database.transaction() as session:
            for message in session.scalars(sa.select(Message)):
                message.text = "zvukcanary"
            session.flush()
            raise NotAllowed("no", "Không.")

    with pytest.raises(NotAllowed):
        change_and_fail()
    assert index(told.runtime.database) == before


def test_a_long_talk_has_several_parts_and_grows_at_its_end(told: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.search_index.FULL", 40)
    first = tickets(told)[0]
    for words in ("cây bàng đổ xuống sân trường học", "nước ngập tới đầu gối người lớn", "zcuoi cùng là trời nắng"):
        told.says(words, user=HOA)
        take_in(told)
    with told.runtime.database.reading() as session:
        parts = list(session.scalars(sa.select(SearchPart).where(SearchPart.ticket_id == first.id)))
    assert len(parts) >= 2
    for text in ("cay bang", "dau goi", "zcuoi", "tram y te"):
        assert codes(told, text) == ["PA26-0001"], text
    the_index_is_true(told)
    with told.runtime.database.transaction() as session:
        message = session.scalar(sa.select(Message).where(Message.text.like("cây bàng%")))
        assert message is not None
        message.text, message.text_folded = "cây xoài", "cay xoai"
    assert codes(told, "cay bang") == []
    assert codes(told, "cay xoai") == codes(told, "zcuoi") == ["PA26-0001"]
    the_index_is_true(told)


def test_what_an_earlier_release_left_is_indexed_by_the_sweep(told: World) -> None:
    database = told.runtime.database
    before = index(database)
    with database.transaction() as session:
        session.execute(sa.delete(SearchPart))
        session.add(SearchBacklog(id=1, before=tickets(told)[-1].id + 1))
    assert codes(told, "rác") == []
    for _ in range(3):
        sweep.sweep(told.runtime)
    assert index(database) == before
    assert all_rows(told.runtime, SearchBacklog) == []
