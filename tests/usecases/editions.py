"""Words for tests about editions: results on the public list, and the way from a proposal to its bulletin."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.usecases import editions
from storage.communes import Commune, Place
from storage.contacts import Contact, Conversation, Urn
from storage.editions import Edition, EditionItem
from storage.enums import TicketState
from storage.publications import PublicAnswer, Publication, Publicity
from storage.tickets import Ticket
from tests.builders import World, all_rows

_numbers = itertools.count(1)
ANSWERS = {
    "giao-thong-duong-sa": (
        "Ổ gà trên đường vào thôn bao giờ được vá?",
        "Đã vá xong bằng bê tông, xe đi lại bình thường.",
    ),
    "chieu-sang": ("Đèn đường không sáng, ai sửa?", "Điện lực đã thay hai bóng đèn và kiểm tra cả tuyến."),
    "rac-thai": ("Rác ở chợ ba ngày chưa ai lấy.", "Tổ vệ sinh đã dọn và lấy rác hai ngày một lần."),
    "nuoc-sach": ("Nước sinh hoạt yếu vào buổi tối.", "Trạm bơm đã thay máy mới, áp lực nước đã đủ."),
}


def has_list(world: World, *, on: bool = True, **settings: Any) -> None:
    """Whether the commune has a public list, and what else it has set."""
    with world.runtime.database.transaction() as session:
        commune = session.get_one(Commune, world.commune_id)
        commune.settings = {**commune.settings, "public_list": on, **settings}


def published(
    world: World, topic: str = "chieu-sang", *, place: str | None = None, rating: int | None = 3,
    at: datetime | None = None, words: tuple[str, str] | None = None, **ticket: Any,
) -> int:  # fmt: skip
    """A result on the public list with its citizen's yes; gives its report's id."""
    at, number = at or world.clock() - timedelta(hours=2), next(_numbers)
    ours = {"commune_id": world.commune_id}
    question, answer = words or ANSWERS[topic]
    with world.runtime.database.transaction() as session:
        contact = Contact(**ours, created_at=at)
        session.add(contact)
        session.flush()
        channel = {"channel_id": world.channel_id, "contact_id": contact.id}
        urn = Urn(**ours, **channel, value=f"zalo:8{number:018d}", is_following=False)
        session.add(urn)
        session.flush()
        talk = Conversation(**ours, **channel, urn_id=urn.id, created_at=at)
        session.add(talk)
        session.flush()
        values = {"state": TicketState.CLOSED, "is_open": False, "rating": rating, "answered_at": at, **ticket}
        made = Ticket(
            **ours, code=f"PA26-9{number:04d}", conversation_id=talk.id, contact_id=contact.id, topic=topic,
            opened_at=at, last_in_at=at, **values,
        )  # fmt: skip
        session.add(made)
        session.flush()
        spot = session.scalar(sa.select(Place.id).where(Place.name == place)) if place else None
        session.add(Publicity(**ours, ticket_id=made.id, answer=PublicAnswer.AGREED, how="page", at=at))
        session.add(
            Publication(
                **ours, ticket_id=made.id, summary=question, result=answer, place_id=spot, published_at=at,
                published_by_id=world.officials["lan"],
            )
        )  # fmt: skip
        return made.id


def proposed(world: World, *topics: str) -> Edition:
    """This week's proposal of results about these."""
    has_list(world)
    for topic in topics or ANSWERS:
        published(world, topic)
    editions.propose_due(world.runtime)
    return the_edition(world)


def the_edition(world: World) -> Edition:
    found: list[Edition] = all_rows(world.runtime, Edition)
    return max(found, key=lambda one: one.week)


def items(world: World) -> list[EditionItem]:
    found: list[EditionItem] = all_rows(world.runtime, EditionItem)
    return sorted(found, key=lambda one: one.position)


def made(world: World) -> int:
    """The bulletin of the latest proposal."""
    edition = the_edition(world)
    return editions.make_bulletin(world.runtime, world.official("tuan"), edition.id, version=edition.version)
