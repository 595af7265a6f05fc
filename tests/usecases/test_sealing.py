"""Sealed words: locked as soon as they are known to be, opened for whom the commune named, and never guessed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.access import Forbidden, NotFound
from bot.rules.lifecycle import NotAllowed
from bot.usecases import sealed_files, sealed_rows
from bot.usecases.accusing import accuse
from bot.usecases.officials import OfficialError, add_official
from bot.usecases.sealed_readers import list_readers, name_reader, withdraw_reader
from bot.usecases.ticket_page import open_page
from bot.usecases.tickets import assign, seal, unseal
from storage.agencies import Agency
from storage.audit import AuditEntry
from storage.communes import Commune
from storage.enums import InboundState, Role
from storage.messages import Message
from storage.sealing import KeyLost, Look, SealedKey, Seals, open_words
from storage.tickets import Ticket
from tests.builders import PASSWORD, World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import BRIBE, LIGHT, OTHER, event, take_in, the_ticket, tickets

MORE = "tôi có giấy tờ chứng minh việc đó"
REASON = "Có thể lộ người báo tin"


def stored(world: World, table: str) -> list[dict[str, object]]:
    """The rows of a table as they stand in the database."""
    with world.runtime.database.engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(f"SELECT * FROM {table} ORDER BY id")).mappings()]


def other_keys(world: World, *more: str) -> Seals:
    """This installation with another key for sealed words, and perhaps earlier ones."""
    keys = ["another-key-" + "z" * 30, *more]
    return Seals(lambda: keys, world.runtime.vault.derived("door"))


def key_of(world: World) -> str:
    return (world.runtime.settings.data_dir / "sealed.key").read_text()


def agency(world: World, slug: str) -> Agency:
    return next(a for a in all_rows(world.runtime, Agency) if a.slug == slug)


def a_reader(world: World, username: str, unit: str) -> None:
    add_official(
        world.runtime, commune="duc-hue", username=username, name=f"Cán bộ {username}", password=PASSWORD,
        roles=[Role.SEALED_READER], agency=unit,
    )  # fmt: skip
    world.officials[username] = next(o.id for o in _officials(world) if o.username == username)


def _officials(world: World) -> list:
    return list_readers(world.runtime, "duc-hue")


def reads(world: World, who: str, ticket: Ticket) -> str:
    """All that an official reads on the page of a ticket."""
    (commune,) = all_rows(world.runtime, Commune)
    page = open_page(world.runtime, world.official(who), commune, ticket.id)
    return " ".join(said.message.text for said in page.talk)


# ---- what stands in the database -----------------------------------------------------------------------------------


def test_what_arrives_is_locked_before_anybody_has_read_it(morning: World) -> None:
    number = morning.says(LIGHT)
    (row,) = stored(morning, "inbound_events")
    assert LIGHT.encode() not in bytes(row["body"])  # type: ignore[arg-type]
    assert row["sealed"] is None
    assert LIGHT in event(morning, number).body.decode()


def test_bodies_that_are_locked_together_are_each_locked_for_themselves(morning: World) -> None:
    seals = Seals(list, morning.runtime.vault.derived("door"))
    locked = seals.lock_bodies([LIGHT.encode(), b"", LIGHT.encode(), BRIBE.encode()])
    assert len(set(locked)) == len(locked)
    assert [seals.open_body(body) for body in locked] == [LIGHT.encode(), b"", LIGHT.encode(), BRIBE.encode()]


def test_a_secret_and_what_follows_it_are_locked_with_the_communes_key(morning: World, clock: Clock) -> None:
    morning.says(BRIBE)
    take_in(morning)
    clock.move(minutes=10)
    morning.says(MORE)
    take_in(morning)
    with morning.runtime.database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SealedKey)) == 1
    said = [row for row in stored(morning, "messages") if row["direction"] == "in"]
    assert [(row["text"], row["text_folded"], row["sealed"] is not None) for row in said] == [("", "", True)] * 2
    assert [row["body"] for row in stored(morning, "inbound_events")] == [b"", b""]
    (ticket,) = stored(morning, "tickets")
    assert ticket["summary"] == ""
    assert BRIBE in reads(morning, "mai", the_ticket(morning))


def test_who_forgets_to_open_sees_nothing_and_cannot_write_over_it(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    database = morning.runtime.database
    with database.reading() as session:
        message = session.scalars(sa.select(Message).where(Message.is_sealed)).first()
        assert message is not None
        assert (message.text, message.reading, message.look) == ("", None, Look.SHUT)
    with pytest.raises(RuntimeError, match="unseen"), database.transaction() as session:
        session.get_one(Message, message.id).text = "khác"
    assert BRIBE in reads(morning, "mai", the_ticket(morning))


def test_what_is_not_sealed_stands_as_it_was_said(morning: World) -> None:
    morning.says(LIGHT)
    take_in(morning)
    (row,) = [row for row in stored(morning, "messages") if row["direction"] == "in"]
    assert (row["text"], row["sealed"]) == (LIGHT, None)


def test_sealing_by_hand_and_back_is_the_same_words(morning: World) -> None:
    morning.says(LIGHT)
    take_in(morning)
    plain = [row["text"] for row in stored(morning, "messages")]
    ticket = the_ticket(morning)
    seal(morning.runtime, morning.official("lan"), ticket.id, version=ticket.version, reason=REASON)
    assert {row["text"] for row in stored(morning, "messages") if row["ticket_id"]} == {""}
    with pytest.raises(NotFound):
        reads(morning, "lan", ticket)
    ticket = the_ticket(morning)
    unseal(morning.runtime, morning.official("mai"), ticket.id, version=ticket.version, reason=REASON)
    assert [row["text"] for row in stored(morning, "messages")] == plain
    assert the_ticket(morning).summary == LIGHT
    assert LIGHT in reads(morning, "lan", ticket)


def test_a_talk_with_a_secret_is_filed_as_before(morning: World, clock: Clock) -> None:
    """Filing places all of a talk's messages again, so it must read those that are locked."""
    morning.says(BRIBE)
    take_in(morning)
    clock.move(hours=2)
    morning.says(LIGHT)
    take_in(morning)
    late = clock.now
    clock.move(minutes=1)
    morning.says(MORE, at=late.replace(hour=late.hour - 2, minute=late.minute + 1))
    take_in(morning)
    assert [t.is_sealed for t in tickets(morning)] == [True, False]
    assert {m.text for m in all_rows(morning.runtime, Message) if m.is_sealed} >= {BRIBE}


def test_what_an_earlier_release_sealed_is_locked_at_the_upgrade(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    with morning.runtime.database.transaction() as session:  # as it stood before
        said = {row.id: row.text for row in all_rows(morning.runtime, Message)}
        for number, text in said.items():
            session.execute(
                sa.text("UPDATE messages SET text = :t, sealed = NULL WHERE id = :n"), {"t": text, "n": number}
            )
        session.execute(sa.text("UPDATE tickets SET summary = :t, sealed = NULL"), {"t": BRIBE})
    assert sealed_rows.lock_old_rows(morning.runtime) > 0
    assert sealed_rows.lock_old_rows(morning.runtime) == 0
    assert all(row["text"] == "" for row in stored(morning, "messages") if row["is_sealed"])
    assert the_ticket(morning).summary == BRIBE


# ---- keys ----------------------------------------------------------------------------------------------------------


def test_the_key_is_a_file_of_its_own_that_only_its_owner_reads(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    path = morning.runtime.settings.data_dir / "sealed.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text()) >= 32


def test_keys_are_changed_by_naming_the_earlier_one_until_they_are_wrapped_anew(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    former = key_of(morning)
    morning.runtime.database.seals = other_keys(morning, former)
    assert BRIBE in reads(morning, "mai", the_ticket(morning))
    assert sealed_rows.rewrap_keys(morning.runtime) == (1, 0)
    morning.runtime.database.seals = other_keys(morning)
    assert BRIBE in reads(morning, "mai", the_ticket(morning))


def test_without_the_key_new_secrets_are_taken_in_and_old_talks_wait(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    former = morning.runtime.database.seals
    morning.runtime.database.seals = other_keys(morning)
    waits = morning.says(MORE)
    morning.says(BRIBE, user=OTHER)
    take_in(morning)
    assert event(morning, waits).state is InboundState.WAITING
    first, second = tickets(morning)
    assert reads(morning, "mai", first).strip() == ""
    assert BRIBE in reads(morning, "mai", second)
    with morning.runtime.database.reading() as session:
        open_words(session, strictly=True)
        with pytest.raises(KeyLost):
            session.get_one(Ticket, first.id)
    morning.runtime.database.seals = former
    assert BRIBE in reads(morning, "mai", first)


def test_a_file_says_nothing_without_the_key(morning: World) -> None:
    name = sealed_files.keep(morning.runtime, morning.commune_id, b"%PDF-1.4 bang chung")
    kept = morning.runtime.blobs.read(name)
    assert kept is not None
    assert b"bang chung" not in kept
    assert sealed_files.read(morning.runtime, name) == b"%PDF-1.4 bang chung"
    morning.runtime.database.seals = other_keys(morning)
    with pytest.raises(KeyLost):
        sealed_files.read(morning.runtime, name)


# ---- two named readers ---------------------------------------------------------------------------------------------


def test_a_commune_names_two_readers_and_no_more(morning: World) -> None:
    a_reader(morning, "dao", "tiep-cong-dan")
    with pytest.raises(OfficialError, match="đủ 2"):
        name_reader(morning.runtime, "lan")
    with pytest.raises(OfficialError, match="đủ 2"):
        a_reader(morning, "binh", "van-phong")
    withdraw_reader(morning.runtime, "mai")
    name_reader(morning.runtime, "lan")
    assert [one.username for one in list_readers(morning.runtime, "duc-hue")] == ["lan", "dao"]
    told = [e.action for e in all_rows(morning.runtime, AuditEntry) if e.action.startswith("official.")]
    assert told[-2:] == ["official.withdrawn_reader", "official.named_reader"]


def test_a_leader_who_is_not_named_does_not_see_it(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    withdraw_reader(morning.runtime, "mai")
    with pytest.raises(NotFound):
        reads(morning, "mai", the_ticket(morning))


def test_the_accused_unit_does_not_see_it_and_does_not_get_it(morning: World) -> None:
    a_reader(morning, "dao", "tiep-cong-dan")
    morning.says(BRIBE)
    take_in(morning)
    ticket = the_ticket(morning)
    leaders, reception = agency(morning, "lanh-dao"), agency(morning, "tiep-cong-dan")
    left = accuse(morning.runtime, morning.official("mai"), ticket.id, version=ticket.version, agency_id=leaders.id)
    assert left == 1
    with pytest.raises(NotFound):
        reads(morning, "mai", ticket)
    assert BRIBE in reads(morning, "dao", ticket)
    ticket = the_ticket(morning)
    assert ticket.agency_id == reception.id
    left = accuse(morning.runtime, morning.official("dao"), ticket.id, version=ticket.version, agency_id=None)
    assert left == 2
    assert BRIBE in reads(morning, "mai", ticket)


def test_nothing_is_given_to_the_unit_it_accuses(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    mai, unit = morning.official("mai"), agency(morning, "kinh-te")
    accuse(morning.runtime, mai, the_ticket(morning).id, version=the_ticket(morning).version, agency_id=unit.id)
    ticket = the_ticket(morning)
    with pytest.raises(NotAllowed):
        assign(morning.runtime, mai, ticket.id, version=ticket.version, agency_id=unit.id, official_id=None)
    assert the_ticket(morning).agency_id != unit.id


def test_only_a_sealed_report_accuses_a_unit(morning: World) -> None:
    morning.says(LIGHT)
    take_in(morning)
    ticket = the_ticket(morning)
    with pytest.raises(Forbidden):
        accuse(morning.runtime, morning.official("mai"), ticket.id, version=ticket.version, agency_id=None)


def test_where_every_reader_is_of_the_accused_unit_nobody_is_left(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    ticket, leaders = the_ticket(morning), agency(morning, "lanh-dao")
    (commune,) = all_rows(morning.runtime, Commune)
    assert open_page(morning.runtime, morning.official("mai"), commune, ticket.id).leaves_nobody == {leaders.id}
    ticket = the_ticket(morning)
    assert (
        accuse(morning.runtime, morning.official("mai"), ticket.id, version=ticket.version, agency_id=leaders.id) == 0
    )
