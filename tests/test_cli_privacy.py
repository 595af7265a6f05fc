"""Personal data from the command line: rules shown, tried and kept."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.channels import Channel
from storage.contacts import Contact, Conversation, Urn
from storage.enums import Direction, Origin
from storage.messages import Message
from storage.tickets import Ticket
from tests.operators import Operator


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    person = Operator(tmp_path)
    person.gets("db", "upgrade")
    person.gets("commune", "add", "27925", "--slug", "duc-hue")
    return person


def test_rules_are_shown_with_whether_anybody_decided_them(operator: Operator) -> None:
    told = operator.gets("retention", "show", "duc-hue")
    assert "words\t1826\tnot decided: nothing goes\t(365-3653)" in told
    assert "sealed\t1826" in told


def test_a_dry_run_counts_and_tells_nothing_of_what_is_sealed(operator: Operator) -> None:
    told = operator.gets("retention", "dry-run", "duc-hue")
    assert "words\t1826\t0\t-\tnot decided: stays" in told
    assert "sealed" not in told


def test_running_asks_first(operator: Operator) -> None:
    refused = operator.types("retention", "run", "duc-hue", typed="n\n")
    assert refused.exit_code == 1
    assert "done" not in refused.output
    assert operator.gets("retention", "run", "duc-hue", "--yes") == "done\n"


@pytest.mark.parametrize("command", ["show", "dry-run"])
def test_a_commune_that_is_not_there_is_said(operator: Operator, command: str) -> None:
    result = operator.types("retention", command, "nowhere")
    assert result.exit_code == 1
    assert "no commune 'nowhere' is in service" in result.output


def test_a_contact_is_exported_and_erased_in_somebodys_name(operator: Operator, tmp_path: Path) -> None:
    contact_id = a_report(operator)
    out = tmp_path / "ho-so.zip"
    told = operator.gets("contact", "export", str(contact_id), "--as", "mai", "--out", str(out))
    assert "readable by you alone" in told
    assert out.stat().st_mode & 0o077 == 0
    assert "Ổ gà ở Xóm 5" in zipfile.ZipFile(out).read("du-lieu.json").decode()
    words = ("contact", "erase", str(contact_id), "--as", "mai", "--asked-on", "2026-01-05")
    refused = operator.types(*words, typed="n\n")
    assert "goes: 1 messages in, 0 out, 0 files, words of 1 tickets" in refused.output
    assert "erased" not in refused.output
    assert operator.gets(*words, "--yes").endswith("erased\n")
    operator.gets("contact", "export", str(contact_id), "--as", "mai", "--out", str(out))
    assert "Ổ gà" not in zipfile.ZipFile(out).read("du-lieu.json").decode()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("export", "99", "--as", "mai", "--out", "x.zip"), "has no such contact"),
        (("export", "1", "--as", "nobody", "--out", "x.zip"), "no official 'nobody' is active"),
        (("erase", "1", "--as", "mai", "--asked-on", "hom-qua"), "Cần ghi ngày người dân yêu cầu"),
    ],
)
def test_what_is_refused_is_said_in_a_line(operator: Operator, words: tuple[str, ...], told: str) -> None:
    a_report(operator)
    result = operator.types("contact", *words)
    assert result.exit_code == 1
    assert told in result.output
    assert "Traceback" not in result.output


def a_report(operator: Operator) -> int:
    """A leader, and a report as intake leaves it; gives the number of who wrote it."""
    operator.gets("official", "add", "duc-hue", "mai", "--name", "Lê Thị Mai", "--role", "lanh_dao",
                  "--password-stdin", typed="mat-khau-thu-nghiem-dai\n")  # fmt: skip
    operator.gets("channel", "add", "web_form", "trang", "--commune", "duc-hue", "--name", "Trang phản ánh")
    runtime = operator.runtime()
    now = runtime.now()
    with runtime.database.transaction() as session:
        channel = session.scalars(sa.select(Channel)).one()
        of = {"commune_id": channel.commune_id, "created_at": now}
        person = Contact(name="Trần Thị Bưởi", **of)
        session.add(person)
        session.flush()
        urn = Urn(commune_id=channel.commune_id, channel_id=channel.id, contact_id=person.id, value="web:1")
        session.add(urn)
        session.flush()
        talk = Conversation(channel_id=channel.id, contact_id=person.id, urn_id=urn.id, **of)
        session.add(talk)
        session.flush()
        ticket = Ticket(
            commune_id=channel.commune_id, code="PA26-0001", conversation_id=talk.id, contact_id=person.id,
            summary="Ổ gà ở Xóm 5", opened_at=now, last_in_at=now,
        )  # fmt: skip
        session.add(ticket)
        session.flush()
        session.add(
            Message(
                channel_id=channel.id, conversation_id=talk.id, ticket_id=ticket.id, direction=Direction.IN,
                origin=Origin.CITIZEN, text="Ổ gà ở Xóm 5", occurred_at=now, **of,
            )
        )  # fmt: skip
        number = person.id
    runtime.database.close()
    return number
