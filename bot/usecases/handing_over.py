"""Handing over: an official's words go out as the channel's window allows, or an approved message tells of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from adapters.base import ApprovedForm
from adapters.messages import Approved
from bot.rules.window import Way
from bot.usecases.communes import CommuneBook
from bot.usecases.desk import Desk
from bot.usecases.telling import label
from bot.usecases.windows import ways_for
from storage.channels import Channel
from storage.enums import DeliveryState
from storage.messages import Message
from storage.tickets import Ticket

FORM_TEMPLATE = "approved_form"
INSTEAD = "form_instead"
LONGEST_VALUE = 100
NO_PHONE_OF_ITS_OWN = "113"  # what a commune without a duty phone answers emergencies with


@dataclass(frozen=True)
class Consent:
    """What an official agreed that sending may cost: `pays` for their words, `form` for an approved message instead."""

    pays: bool = False
    form: bool = False


FREE_ONLY = Consent()


def hand_over(desk: Desk, message: Message, consent: Consent, *, image_blob: str | None) -> None:
    """Promise these words to the citizen; where their window has closed and the official agrees, promise an approved
    message that tells of them, and keep them until the citizen writes.
    """
    owed = desk.owe(message, image_blob=image_blob, pays=consent.pays)
    person = desk.person
    channel = desk.session.get_one(Channel, person.conversation.channel_id)
    ways = ways_for(desk.runtime, channel, person.urn, person.contact)
    if not consent.form or ways.plan.way is not Way.TEMPLATE or ways.form is None:
        return
    for delivery in owed:
        delivery.state, delivery.code = DeliveryState.CANCELLED, INSTEAD
        delivery.reason = "Đã quá thời hạn của kênh nên gửi tin mẫu thay. Khi người dân nhắn tin, có thể bấm Gửi lại."
    approved, words = filled(desk, ways.form)
    told = desk.write(words, template=FORM_TEMPLATE)
    desk.owe(told, template=asdict(approved), pays=True)


def filled(desk: Desk, form: ApprovedForm) -> tuple[Approved, str]:
    """The approved message for this ticket: what goes to the channel, and how the citizen reads it."""
    known = form_words(desk.book, desk.ticket)
    values = {name: known[word] for name, word in form.fields.items()}
    phone = (desk.person.contact.phone or "") if form.by_phone else ""
    return Approved(form.id, values, phone), form.text.format_map(known)


def form_words(book: CommuneBook, ticket: Ticket) -> dict[str, str]:
    """What may stand in an approved message about a ticket: nothing of what the citizen or the answer says."""
    where = book.duty_phone if book.duty_phone != NO_PHONE_OF_ITS_OWN else book.reception
    known = {"ma": ticket.code, "chude": label(ticket.topic), "xa": book.name, "lienhe": where}
    return {name: " ".join(value.split())[:LONGEST_VALUE] for name, value in known.items()}
