"""The past of a ticket: its page as it stood at the end of a minute, by today's rights, told by its history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.rules.history import Past, past_at
from bot.runtime import Runtime
from bot.usecases.edits import EDIT
from bot.usecases.ticket_page import LONG_PART, Said, TicketPage, open_page
from storage.agencies import Agency
from storage.communes import Commune, Place
from storage.officials import Official
from storage.tickets import TicketEvent


@dataclass(frozen=True)
class PastPage:
    """A ticket as it stood at a moment. `past`: None when there was none yet; `was_amended`: a message was put right,
    and is shown as it reads now."""

    page: TicketPage
    until: datetime
    past: Past | None
    agency: str | None
    official: str | None
    place: str | None
    talk: list[Said]
    events: list[tuple[TicketEvent, str | None]]
    was_amended: bool


def past_page(
    runtime: Runtime, official: Official, commune: Commune, ticket_id: int, until: datetime, *, address: str = ""
) -> PastPage:  # fmt: skip
    """How the ticket stood at this moment. NotFound when it is not for them today; a sealed one is written down."""
    page = open_page(runtime, official, commune, ticket_id, address=address, part=LONG_PART)
    past = past_at(((event.at, event.kind, event.data) for event, _ in page.events), until)
    with runtime.database.reading() as session:
        agency = session.get(Agency, past.agency_id) if past and past.agency_id else None
        person = session.get(Official, past.official_id) if past and past.official_id else None
        place = session.get(Place, past.place_id) if past and past.place_id else None
        # What stands there without an event of its own is shown only where it belonged to the ticket then as well.
        talk = [one for one in page.talk if one.message.created_at <= until and one.message.ticket_id is not None]
    return PastPage(
        page=page,
        until=until,
        past=past,
        agency=agency.name if agency else past.agency_name if past else None,
        official=person.name if person else None,
        place=place.name if place else None,
        talk=talk if past else [],
        events=[(event, name) for event, name in page.events if event.at <= until],
        was_amended=any(one.message.answers == EDIT for one in talk),
    )
