"""Costs: what an official's answer becomes on a channel that is paid by the part, before it is sent."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from adapters.base import Cost, Paid
from bot.access import ticket_for
from bot.rules.deadlines import VIETNAM
from bot.runtime import Runtime
from bot.texts import EmptyVariable
from bot.usecases.communes import commune_book
from bot.usecases.replies import LONGEST_REPLY, Written
from bot.usecases.telling import usual, voice_for
from storage.agencies import Agency
from storage.channels import Channel
from storage.contacts import Conversation
from storage.officials import Official

NARROW_PART, WIDE_PART = 160, 70


@dataclass(frozen=True)
class Priced:
    """An answer as the citizen will read it and what it costs; `missing`: a blank of a result that is still empty."""

    cost: Cost
    missing: str = ""

    @property
    def is_dear(self) -> bool:
        """Whether more than one message is paid for."""
        return self.cost.parts > 1

    @property
    def left(self) -> int:
        """How many units still fit the single part; 0 when there are more."""
        room = WIDE_PART if self.cost.is_unicode else NARROW_PART
        return max(0, room - self.cost.units) if not self.is_dear else 0


def reply_cost(runtime: Runtime, official: Official, ticket_id: int, written: Written) -> Priced | None:
    """What this answer would cost; None where answers are free. NotFound if the ticket is not for them."""
    with runtime.database.reading() as session:
        ticket = ticket_for(session, official, ticket_id)
        query = sa.select(Conversation, Channel).join(Channel, Channel.id == Conversation.channel_id)
        conversation, channel = session.execute(query.where(Conversation.id == ticket.conversation_id)).one()
        adapter = runtime.adapters[channel.type]
        if not isinstance(adapter, Paid):
            return None
        words, missing = written.text.replace("\r\n", "\n").strip()[:LONGEST_REPLY], ""
        if written.is_result:
            book = commune_book(session, ticket.commune_id)
            agency = session.get(Agency, ticket.agency_id) if ticket.agency_id else None
            checked_on = written.checked_on or runtime.now().astimezone(VIETNAM).date()
            known = usual(book, ticket) | {
                "donvi": agency.name if agency else "",
                "ngay": f"{checked_on:%d/%m/%Y}",
                "ketqua": words,
                "tieptheo": " ".join(written.next_step.split()),
            }
            try:
                words = voice_for(adapter.limits, book, conversation).say("result", **known).words
            except EmptyVariable as empty:
                missing = empty.variable
        return Priced(adapter.cost(channel.settings, words), missing)


def is_paid(runtime: Runtime, channel: Channel) -> bool:
    """Whether each message on this channel is paid for."""
    return isinstance(runtime.adapters.get(channel.type), Paid)


def takes_images(runtime: Runtime, channel: Channel) -> bool:
    """Whether a picture can go out on this channel."""
    adapter = runtime.adapters.get(channel.type)
    return adapter is None or adapter.limits.image_bytes > 0
