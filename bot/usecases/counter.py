"""The counter: what somebody says in person or on the phone, written down for them by an official and read at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from adapters.web_form import WebForm, visitor_of
from bot import texts
from bot.papers import receipt
from bot.papers.receipt import Receipt
from bot.runtime import Runtime
from bot.usecases import intake
from bot.usecases.communes import commune_book, hours_in_words
from bot.usecases.setup import add_channel
from bot.usecases.web_form import CLOSED, Entering, FormProblem, Page, Written, new_link, page_of, write
from storage.channels import Channel
from storage.communes import Commune
from storage.contacts import Conversation, Urn
from storage.officials import Official
from storage.tickets import Ticket

READ_WITHIN_SECONDS = 3.0


@dataclass(frozen=True)
class Entered:
    """What became of an entry: its ticket, if it has been read by now, and the address of the citizen's page."""

    ticket: Ticket | None
    address: str

    @property
    def is_open_to_all(self) -> bool:
        """Whether whoever entered it may see the ticket: what is sealed is for others."""
        return self.ticket is not None and not self.ticket.is_sealed


def counter_page(runtime: Runtime, commune: Commune) -> Page:
    """The page on which people at the counter or on the phone find answers: the commune's, or one only we write on."""
    query = sa.select(Channel.slug).where(
        Channel.commune_id == commune.id, Channel.type == WebForm.type, Channel.is_active
    )
    with runtime.database.reading() as session:
        slug = session.scalar(query.order_by(Channel.id).limit(1))
    if slug is None:
        slug = f"{commune.slug[:54]}-quay"
        add_channel(
            runtime,
            commune=commune.slug,
            type=WebForm.type,
            slug=slug,
            name="Nhập tại quầy",
            settings={CLOSED: True},
            secrets={},
        )
    page = page_of(runtime, slug)
    if page is None:
        raise FormProblem("Chưa mở được trang theo dõi. Vui lòng báo người vận hành máy chủ.")
    return page


def enter(runtime: Runtime, official: Official, commune: Commune, written: Written, how: str) -> Entered:
    """Write down what somebody says at the counter or on the phone, and have it read at once. FormProblem."""
    page, link = counter_page(runtime, commune), new_link()
    write(runtime, page, link, written, by=Entering(official.id, how))
    intake.drain(runtime, budget_seconds=READ_WITHIN_SECONDS)
    query = (
        sa.select(Ticket)
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .join(Urn, Urn.id == Conversation.urn_id)
        .where(Urn.channel_id == page.channel.id, Urn.value == f"web:{visitor_of(link)}")
    )
    with runtime.database.reading() as session:
        ticket = session.scalar(query.order_by(Ticket.id).limit(1))
    return Entered(ticket, f"{runtime.settings.base_url}/phan-anh/{page.channel.slug}/{link}")


def slip(runtime: Runtime, commune: Commune, *, code: str, due_at: datetime | None, address: str) -> bytes:
    """The printed slip by which somebody without a telephone finds their report again, as PDF."""
    with runtime.database.reading() as session:
        book = commune_book(session, commune.id)
    return receipt.draw(
        Receipt(
            issuer=commune.name,
            code=code,
            given_on=texts.moment(runtime.now()),
            due=texts.moment(due_at) if due_at is not None else "",
            address=address,
            hours=hours_in_words(book.hours),
            reception=book.reception,
            duty_phone=book.duty_phone,
        )
    )
