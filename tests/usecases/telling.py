"""Words for tests about announcements: followers, a phone that notes what it is told, and the steps to an approval."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.http import Http
from adapters.messages import OutboundImage, OutboundMessage, SendResult
from adapters.secret import Secret
from adapters.zalo import Zalo
from bot.runtime import Runtime
from bot.usecases import announcements, bulletins
from bot.usecases.announcements import EVERYBODY
from bot.usecases.citizens import Citizen, opt
from bot.usecases.sending import MANY, send_due
from storage.announcements import Announcement, counts_by_state
from storage.audiences import About
from storage.bulletins import Bulletin, legs_of
from storage.contacts import Contact, Conversation, Urn
from storage.enums import BulletinState
from tests.builders import World

TITLE, BODY = "Cắt điện để sửa chữa", "Ngày 09/10, từ 7 giờ đến 11 giờ, Xóm 5 và Xóm 7 cắt điện."


class Phone(Zalo):
    """A Zalo that only notes what it is told to send, and fails as it was asked to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.failures: dict[str, list[Exception]] = {}
        self.before_each: Any = lambda: None

    def send(self, http: Http, config: Any, token: Secret, message: OutboundMessage) -> SendResult:
        self.before_each()
        for failure in self.failures.get(message.urn, [])[:1]:
            self.failures[message.urn].pop(0)
            raise failure
        self.sent.append((message.urn, message.text))
        return SendResult(external_id=f"sent-{len(self.sent)}-{message.urn}")

    def upload(self, http: Http, config: Any, token: Secret, image: OutboundImage) -> str:
        return f"picture-of-{len(image.data)}-bytes"

    @property
    def readers(self) -> list[str]:
        return sorted(urn for urn, _ in self.sent)


@pytest.fixture
def phone(runtime: Runtime) -> Phone:
    phone = Phone()
    runtime.adapters = {"zalo": phone}
    return phone


def followers(world: World, count: int, *, values: list[str] | None = None, **changes: Any) -> list[str]:
    """Neighbours who follow the channel and chatted today; `values` are their addresses, made up if not given."""
    runtime, now = world.runtime, world.clock()
    with runtime.database.transaction() as session:
        begun = session.scalar(sa.select(sa.func.count(Urn.id))) or 0
        contacts = [Contact(commune_id=world.commune_id, created_at=now) for _ in range(count)]
        session.add_all(contacts)
        session.flush()
        urns = [
            Urn(
                commune_id=world.commune_id,
                channel_id=world.channel_id,
                contact_id=contact.id,
                value=values[n] if values else f"zalo:5{begun + n:018d}",
                **{"is_following": True, "last_interaction_at": now, **changes},
            )
            for n, contact in enumerate(contacts)
        ]
        session.add_all(urns)
        session.flush()
        session.add_all(
            Conversation(
                commune_id=world.commune_id,
                channel_id=world.channel_id,
                contact_id=urn.contact_id,
                urn_id=urn.id,
                created_at=now,
            )
            for urn in urns
        )
        return [urn.value for urn in urns]


def approved(
    world: World, title: str = TITLE, body: str = BODY, about: About = EVERYBODY, *, pays: bool = False
) -> int:
    """A bulletin on this channel that two people agreed on; gives the announcement that carries it there."""
    runtime, until = world.runtime, world.clock() + timedelta(days=3)
    written = bulletins.Written(title, body, (world.channel_id,), until, about)
    number = bulletins.draft(runtime, world.official("tuan"), written)
    with runtime.database.transaction() as session:  # as if its author had tried it on their own phone
        row = session.get_one(Bulletin, number)
        row.state, row.submitted_at = BulletinState.SUBMITTED, world.clock()
        seen = bulletins.plan_of(row).digest
    bulletins.approve(runtime, world.official("hoa"), number, seen_hash=seen, pays=pays)
    with runtime.database.reading() as session:
        [leg] = legs_of(session, [number])[number]
        return leg.id


def the(world: World, number: int) -> Announcement:
    with world.runtime.database.reading() as session:
        return session.get_one(Announcement, number)


def counts(world: World, number: int) -> dict[str, int]:
    with world.runtime.database.reading() as session:
        return counts_by_state(session, [number])[number]


def run(world: World, rounds: int = 20) -> None:
    """What the broadcast job does, until there is nothing to do; slots are not waited for."""
    with world.runtime.database.transaction() as session:
        session.execute(sa.text("UPDATE channels SET rate_per_second = 5000"))
    for _ in range(rounds):
        if not announcements.expand_due(world.runtime) + send_due(world.runtime, MANY):
            break
    announcements.expand_due(world.runtime)


@contextmanager
def counting(runtime: Runtime) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    sa.event.listen(runtime.database.engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(runtime.database.engine, "before_cursor_execute", note)


class Wish:
    """What citizens.opt needs to know of an event."""

    def __init__(self, world: World, session: Any) -> None:
        self.session, self.now, self.runtime = session, world.clock(), world.runtime


def wishes(world: World, value: str, *, out: bool) -> None:
    with world.runtime.database.transaction() as session:
        urn = session.scalars(sa.select(Urn).where(Urn.value == value)).one()
        conversation = session.scalars(sa.select(Conversation).where(Conversation.urn_id == urn.id)).one()
        person = Citizen(session.get_one(Contact, urn.contact_id), urn, conversation)
        assert opt(Wish(world, session), person, out=out, at=world.clock())  # type: ignore[arg-type]
