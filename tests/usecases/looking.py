"""What tests look at after events were taken in."""

from __future__ import annotations

import sqlalchemy as sa

from bot.usecases import intake
from storage.deliveries import Delivery
from storage.messages import InboundEvent, Message
from storage.sealing import open_words
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows

LIGHT = "Đèn đường xóm 5 tối om mấy hôm nay, mong xã sửa giúp"
RUBBISH = "Rác ở chợ Đình không ai thu gom cả tuần nay, hôi thối lắm"
POTHOLE = "Đường xóm 7 có ổ gà to, xe máy ngã liên tục"
BRIBE = "Tôi tố cáo cán bộ địa chính nhận hối lộ hai mươi triệu đồng của dân để làm sổ đỏ"
FIRE = "Cháy nhà ở xóm 5 rồi, cứu với"
OTHER = "3000000000000000099"


def take_in(world: World) -> int:
    """Handle everything that waits and may be handled now."""
    return intake.drain(world.runtime)


def tickets(world: World) -> list[Ticket]:
    """All tickets in the order they were opened."""
    return all_rows(world.runtime, Ticket)


def the_ticket(world: World) -> Ticket:
    """The only ticket there is."""
    (ticket,) = tickets(world)
    return ticket


def said_to_citizens(world: World) -> list[str | None]:
    """The keys of the sentences the bot owes, in order; the question of consent, which goes with others, left out."""
    keys = [key for m in all_rows(world.runtime, Message) if m.template for key in m.template.split("+")]
    return [key for key in keys if key != "ask_consent"]


def owed(world: World) -> list[Delivery]:
    """All deliveries."""
    return all_rows(world.runtime, Delivery)


def texts_of(world: World, key: str) -> list[str]:
    """The words of all sentences of one kind."""
    return [m.text for m in all_rows(world.runtime, Message) if key in (m.template or "").split("+")]


def outcomes(world: World) -> list[str | None]:
    """What became of each event."""
    return [row.outcome for row in all_rows(world.runtime, InboundEvent)]


def event(world: World, number: int) -> InboundEvent:
    """One inbound event as it stands."""
    with world.runtime.database.reading() as session:
        open_words(session)
        return session.get_one(InboundEvent, number)


def messages_of(world: World, ticket: Ticket) -> list[str]:
    """What citizens said in a ticket, in the order they said it."""
    query = sa.select(Message).where(Message.ticket_id == ticket.id, Message.direction == "in")
    with world.runtime.database.reading() as session:
        open_words(session)
        return [m.text for m in session.scalars(query.order_by(Message.occurred_at, Message.id))]


def history(world: World, ticket: Ticket) -> list[str]:
    """The kinds of a ticket's events."""
    return [e.kind.value for e in all_rows(world.runtime, TicketEvent) if e.ticket_id == ticket.id]
