"""Erasure of a contact by an official, at the citizen's wish: looked at first, then done on all their channels.

The citizen hears of it once, where they can be met: the message is promised in the same transaction.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date

from sqlalchemy.orm import Session

from adapters.messages import Withdrawal
from bot.access import Forbidden, audit
from bot.rules.deadlines import VIETNAM
from bot.rules.fallback import OtherWay, best_way
from bot.rules.lifecycle import NotAllowed
from bot.rules.revealing import TO_EXPORT, reason_given
from bot.runtime import Runtime
from bot.texts import day as in_words
from bot.usecases.citizens import citizen, take_withdrawal
from bot.usecases.communes import commune_book
from bot.usecases.contact_files import ContactFile, contact_for, open_file, urns_of
from bot.usecases.fallback import ways_of
from bot.usecases.looks import ERASED, without_personal_data
from bot.usecases.telling import tell
from bot.usecases.work import Work
from storage.database import advisory_lock
from storage.enums import InboundState, Role
from storage.messages import InboundEvent
from storage.officials import Official
from storage.sealing import open_words


def may_erase(official: Official) -> bool:
    """Whether the official carries erasures out: they cannot be undone and may touch what others do not see."""
    return official.has(Role.LEADER)


def seal_of(runtime: Runtime, found: ContactFile) -> str:
    """What proves that exactly this was looked at."""
    last = max((ticket.version for ticket in found.tickets), default=0)
    return runtime.digest("erasure", json.dumps([found.contact.id, asdict(found.held), len(found.stays), last]))


def asked_on(runtime: Runtime, written: str) -> date:
    """The day on which the citizen asked. NotAllowed when it is none, or yet to come."""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise NotAllowed("needs_day", "Cần ghi ngày người dân yêu cầu.") from None
    if day > runtime.now().astimezone(VIETNAM).date():
        raise NotAllowed("not_yet", "Ngày người dân yêu cầu không thể ở tương lai.")
    return day


def way_to_tell(session: Session, runtime: Runtime, contact_id: int) -> OtherWay | None:
    """Where the citizen is told that it was done; a page that does not ring is better than nothing."""
    ways = ways_of(session, runtime, contact_id)
    return best_way(ways, set()) or next((way for way in ways if way.is_open), None)


def tells_by(runtime: Runtime, contact_id: int) -> str:
    """The channel on which the citizen would be told, by name; nothing when there is none."""
    with runtime.database.reading() as session:
        way = way_to_tell(session, runtime, contact_id)
    return way.name if way else ""


def erase_contact(
    runtime: Runtime, official: Official, contact_id: int, *, why: str, words: str, day: date, seal: str, address: str
) -> None:
    """Erase what is held on a person, but what must stay. Forbidden, NotFound; NotAllowed when it changed since."""
    if not may_erase(official):
        raise Forbidden
    chosen, said = reason_given(why, words, TO_EXPORT)
    found = open_file(runtime, official, contact_id)
    if seal != seal_of(runtime, found):
        raise NotAllowed("changed", "Hồ sơ vừa thay đổi nên chưa xóa gì. Anh/Chị xem lại rồi xác nhận.")
    nudges: set[str] = set()
    with runtime.database.transaction() as session:
        contact_for(session, official, contact_id, locked=True)
        open_words(session)
        now = runtime.now()
        met = urns_of(session, contact_id)
        for key in sorted(f"{channel.id}:{urn.value}" for urn, channel in met):
            advisory_lock(session, key)  # as intake does: nobody speaks meanwhile
        book = commune_book(session, official.commune_id)
        way, key = way_to_tell(session, runtime, contact_id), f"erased-told:{contact_id}:{now.timestamp():.6f}"
        told = None
        for urn, channel in met:
            row = InboundEvent(
                commune_id=urn.commune_id, channel_id=channel.id, key=f"erased:{urn.id}:{now.timestamp():.6f}",
                event_name="erased_by_official", conversation_key=urn.value, body=b"{}", occurred_at=now,
                received_at=now, state=InboundState.DONE, outcome="erased", next_try_at=now, done_at=now,
            )  # fmt: skip
            session.add(row)
            session.flush()
            work = Work(runtime, session, channel, book, row, now, nudges)
            take_withdrawal(work, Withdrawal(urn.value, now))
            session.flush()
            if way is not None and way.urn_id == urn.id:
                person = citizen(work, urn.value)
                is_told = tell(work, person, key, "data_erased", ngay=in_words(now))
                told = {"key": key, "channel": channel.name} if is_told else None
        went = {**asdict(found.held), "tickets": len(found.tickets), "stays": len(found.stays), "channels": len(met)}
        more = {"words": without_personal_data(said)} if said else {}
        audit(
            session, official, ERASED, f"contact:{contact_id}", now, address,
            why=chosen.value, asked_on=day.isoformat(), went=went, told=told, **more,
        )  # fmt: skip
    for job in nudges:
        runtime.nudge(job)
    runtime.database.forget_log()
