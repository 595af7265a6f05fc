"""Every page, opened by every role: what is planted of a citizen's numbers is on none of them unmasked."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from bot.usecases import snoozing, tickets, transfers
from storage.agencies import Agency
from storage.bulk import BulkItem, BulkRun
from storage.contacts import Contact
from storage.deliveries import Delivery
from storage.enums import BulkDeed, EventKind, Role
from storage.messages import Attachment, Message
from storage.officials import Official
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows
from tests.papers.looking import words_of
from tests.web.pages import Browser

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]
PHONE, MAIL, CARD, OWN, STREET = (
    "0912345678",
    "buoi.tran@example.org",
    "079203001234",
    "0987654321",
    "12 ngõ 5 Chợ Đình",
)
SECRETS = (PHONE, MAIL, CARD, OWN, STREET)
SAID = f"Ổ gà to trên đường Xóm 5, gọi {PHONE}, thư {MAIL}, căn cước {CARD}"


@pytest.fixture
def planted(world: World, reported: Reported) -> Ticket:
    """A report full of numbers: in the words, the place, a note, a file's name, the contact, and a wish to add."""
    ticket = reported(SAID)
    reported(f"Ổ gà ở Xóm 5 vẫn còn, số tôi {PHONE}", user="3000000000000000077")
    lan = world.official("lan")
    tickets.set_place(
        world.runtime, lan, ticket.id, version=ticket.version, place_id=None, words=f"trước nhà số máy {PHONE}"
    )
    with world.runtime.database.transaction() as session:
        row = session.get_one(Ticket, ticket.id)
        version = row.version
        session.execute(sa.update(Contact).values(name="Trần Thị Bưởi", phone=OWN, address=STREET))
        session.add(
            TicketEvent(
                commune_id=row.commune_id, ticket_id=row.id, kind=EventKind.RATED, at=world.clock(),
                note=f"gọi lại\nsố {PHONE}", data={"rating": 1},
            )
        )  # fmt: skip
        message = session.scalars(sa.select(Message).where(Message.ticket_id == row.id).order_by(Message.id)).first()
        assert message is not None
        card = {"name": f"{PHONE} {MAIL}", "title": f"Danh thiếp {PHONE}", "phone": OWN, "kind": "contact"}
        session.add(Attachment(commune_id=row.commune_id, message_id=message.id, **card))
        link = {"url": f"https://example.org/?so={PHONE}", "title": f"thư {MAIL}", "kind": "link"}
        session.add(Attachment(commune_id=row.commune_id, message_id=message.id, position=1, **link))
        agency = session.scalar(sa.select(Agency.id).where(Agency.slug == "kinh-te"))
        row.agency_id, row.official_id = agency, world.officials["hung"]
    tickets.add_note(world.runtime, lan, ticket.id, version=version, text=f"Dân nhắn số {PHONE}, thư {MAIL}")
    snoozing.snooze(
        world.runtime, lan, ticket.id, version=version + 1, until="tomorrow", reason=f"Chờ gọi lại số {PHONE}"
    )
    with world.runtime.database.transaction() as session:
        hung, at = world.officials["hung"], world.clock()
        whose = {"commune_id": ticket.commune_id, "official_id": hung, "token": "a-form"}
        run = BulkRun(**whose, deed=BulkDeed.SNOOZE, given={}, created_at=at)
        session.add(run)
        session.flush()
        item = BulkItem(commune_id=run.commune_id, run_id=run.id, ticket_id=ticket.id, position=0, version=1)
        session.add(item)
    with world.runtime.database.reading() as session:
        return session.get_one(Ticket, ticket.id)


def every_role(world: World, browser: Open, role: Role) -> Browser:
    """An official of the agency that handles the report, with this role alone."""
    with world.runtime.database.transaction() as session:
        official = session.get_one(Official, world.officials["hung"])
        official.roles = [role.value]
    return browser("hung")


def pages_of(app: Flask, world: World) -> list[str]:
    """Each page there is, with the numbers of what was planted, and the list in each of its views."""
    numbers = {
        "tickets": [row.id for row in all_rows(world.runtime, Ticket)],
        "contacts": [row.id for row in all_rows(world.runtime, Contact)],
        "files": [row.id for row in all_rows(world.runtime, Attachment)],
        "bulk": [row.id for row in all_rows(world.runtime, BulkRun)],
        "deliveries": [row.id for row in all_rows(world.runtime, Delivery)],
    }
    views = ("new", "mine", "due", "urgent", "snoozed", "nobody", "all", "spam")
    found = [f"/tickets?view={view}" for view in views] + ["/tickets?view=all&q=o%20ga"]
    found += ["/map?view=all", "/map/tickets.json?view=all", "/tickets?view=all&figure=open&from=2026-10-01"]
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint == "static":
            continue
        nouns = [noun for noun in rule.rule.split("/") if noun in numbers]
        for number in numbers[nouns[-1]] if nouns else [1]:
            year = re.sub(r"<int:year>", "2026", re.sub(r"<int:month>", "10", rule.rule))
            found.append(re.sub(r"<[^>]+>", str(number), year))
    assert len(found) > 40
    return found


def readable(data: bytes) -> str:
    """What a reader finds in an answer, be it a page, a PDF or an archive."""
    if data.startswith(b"%PDF"):
        return words_of(data)
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "\n".join(readable(archive.read(name)) for name in archive.namelist())
    return data.decode("utf-8", errors="replace")


@pytest.mark.parametrize("role", [*Role])
def test_no_page_shows_a_citizens_numbers_to_any_role(
    world: World, app: Flask, browser: Open, planted: Ticket, role: Role
) -> None:
    one = every_role(world, browser, role)
    opened, leaks = 0, []
    for path in pages_of(app, world):
        answer = one.client.get(path)
        opened += answer.status_code == 200
        said = readable(answer.data)
        leaks += [(path, secret) for secret in SECRETS if secret in said]
    assert leaks == []
    assert opened > 1


@pytest.mark.parametrize("role", [Role.RECEIVER, Role.HANDLER, Role.LEADER])
def test_the_same_numbers_are_there_once_they_are_revealed(
    world: World, browser: Open, planted: Ticket, role: Role
) -> None:
    """So the test above looks for what is really on the page."""
    one = every_role(world, browser, role)
    page = one.open(f"/tickets/{planted.id}")
    page = one.send(page.form(f"/tickets/{planted.id}/revealing"), why="goi_lai")
    assert [secret for secret in (PHONE, MAIL, CARD, OWN) if secret not in page.text] == []


def test_a_place_that_holds_a_number_is_not_overwritten_by_its_mask(
    world: World, browser: Open, planted: Ticket
) -> None:
    one = browser("lan")
    page = one.open(f"/tickets/{planted.id}")
    assert page.form(f"/tickets/{planted.id}/place").fields["words"] == ""


def test_a_paper_for_others_carries_no_number(world: World, planted: Ticket) -> None:
    assert transfers.handed(world.runtime, world.official("lan"), planted) == []
    from bot.usecases.slips import masked

    assert not [secret for secret in SECRETS[:3] if secret in masked(SAID)]
