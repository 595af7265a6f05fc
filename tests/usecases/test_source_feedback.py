"""Feedback of the central app: a report like any other; its answer and its state go back through the system, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.runtime import utc_now
from bot.usecases import intake, media, source_feedback
from bot.usecases.replies import Written, reply
from bot.usecases.sending import PERSONAL, send_due
from storage.channels import Channel
from storage.contacts import Contact, Urn
from storage.deliveries import Delivery
from storage.enums import AttachmentState, DeliveryState, TicketState
from storage.exchange import SourceFeedback
from storage.messages import Attachment, Message
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.loudspeakers import connect, listen_again
from tests.sandbox.villages import Villages, villages

SAID = "Rác ở cầu Kênh Ngang xóm 5 ba ngày chưa ai lấy"


@pytest.fixture
def loa(tmp_path: Path) -> Iterator[Villages]:
    """A pretend source system."""
    with villages(tmp_path) as found:
        yield found


@pytest.fixture
def app(world: World, loa: Villages) -> World:
    """The commune, by the real clock, connected to the system."""
    connect(world, loa)
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Channel).values(rate_per_second=1000))
    return world


def heard(world: World) -> Ticket:
    """What was written has been asked for and read."""
    listen_again(world.runtime)
    intake.drain(world.runtime)
    return all_rows(world.runtime, Ticket)[-1]


def stands(world: World, **values: Any) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).values(**values))


def tell(world: World, rounds: int = 1) -> None:
    """Let what is owed to the system go out, and what waits for another try."""
    for _ in range(rounds):
        with world.runtime.database.transaction() as session:
            past = utc_now() - timedelta(days=1)
            session.execute(sa.update(SourceFeedback).values(next_try_at=past))
            waits = Delivery.state == DeliveryState.WAITING
            session.execute(sa.update(Delivery).where(waits).values(next_attempt_at=past))
        send_due(world.runtime, PERSONAL, budget_seconds=2)
        source_feedback.tell_due(world.runtime)


def test_feedback_is_a_report_of_that_channel(app: World, loa: Villages) -> None:
    loa.feedback(SAID, name="Cô Hoa", phone="0912345678")
    ticket = heard(app)
    assert (ticket.topic, ticket.state) == ("rac-thai", TicketState.NEW)
    [urn] = all_rows(app.runtime, Urn)
    assert (urn.value, urn.is_following) == ("httttn:PA.1", False)
    [contact] = all_rows(app.runtime, Contact)
    assert (contact.name, contact.consent) == ("Cô Hoa", "given")
    tell(app)
    assert loa.told("state") == [("PA.1", f"accepted {ticket.code}")]
    assert any(ticket.code in words for _, words in loa.told("answer"))


def test_told_twice_it_is_one_report(app: World, loa: Villages) -> None:
    loa.feedback(SAID)
    loa.fault("repeat", applies_to="feedback_told")
    heard(app)
    listen_again(app.runtime)
    intake.drain(app.runtime)
    assert len(all_rows(app.runtime, Ticket)) == 1
    assert len(all_rows(app.runtime, SourceFeedback)) == 1


@pytest.mark.parametrize(
    "fault",
    [{"kind": "drop", "when": "after"}, {"kind": "malformed"}, {"kind": "status", "status": 500}, {"kind": "expired"}],
    ids=str,
)
def test_the_answer_goes_back_once_whatever_breaks(app: World, loa: Villages, fault: dict[str, Any]) -> None:
    loa.feedback(SAID)
    heard(app)
    tell(app)
    before = len(loa.told("answer"))
    ticket = all_rows(app.runtime, Ticket)[-1]
    said = Written("Xã đã cho xe đến lấy rác sáng nay.")
    reply(app.runtime, app.official("lan"), ticket.id, version=ticket.version, token="mot", written=said)
    stands(app, state=TicketState.ANSWERED, is_open=False, answered_at=utc_now())
    for path in ("answers", "states"):
        loa.fault(applies_to=path, **fault)
    tell(app, 4)
    answers = [words for _, words in loa.told("answer")[before:] if "lấy rác sáng nay" in words]
    assert len(answers) == 1
    assert [words.split()[0] for _, words in loa.told("state")] == ["accepted", "answered"]


def test_a_refusal_is_told_and_nothing_after_it(app: World, loa: Villages) -> None:
    loa.feedback(SAID)
    heard(app)
    stands(app, state=TicketState.DECLINED, is_open=False)
    tell(app)
    stands(app, state=TicketState.REOPENED, is_open=True)
    tell(app)
    assert [words.split()[0] for _, words in loa.told("state")] == ["refused"]


def test_of_what_is_sealed_only_that_it_was_taken_is_told(app: World, loa: Villages) -> None:
    loa.feedback("Tôi tố cáo cán bộ địa chính xã nhận hối lộ khi làm sổ đỏ")
    ticket = heard(app)
    assert ticket.is_sealed
    stands(app, state=TicketState.ANSWERED, is_open=False, answered_at=utc_now())
    tell(app)
    assert loa.told("state") == [("PA.1", "accepted")]


def test_a_further_message_under_the_same_number_is_added(app: World, loa: Villages) -> None:
    loa.feedback(SAID)
    heard(app)
    loa.feedback("Thêm: rác ở cầu Kênh Ngang hôi lắm", said="2")
    heard(app)
    assert len(all_rows(app.runtime, Ticket)) == 1
    assert (
        len([row for row in all_rows(app.runtime, Message) if row.external_id and row.external_id.startswith("PA.1")])
        == 2
    )


def test_a_photo_from_elsewhere_is_not_fetched(app: World, loa: Villages) -> None:
    loa.feedback(SAID, photos=["http://169.254.169.254/latest/meta-data", "https://evil.example/1.jpg"])
    heard(app)
    media.fetch_due(app.runtime)
    found = all_rows(app.runtime, Attachment)
    assert [(row.state, row.missing_code) for row in found] == [(AttachmentState.MISSING, "not_allowed")] * 2


def test_nothing_is_owed_when_all_is_told(app: World, loa: Villages) -> None:
    loa.feedback(SAID)
    heard(app)
    tell(app)
    with app.runtime.database.reading() as session:
        assert not source_feedback.has_due(session, utc_now() + timedelta(days=2))
