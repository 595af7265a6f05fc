"""Publishing: an official puts a result on the commune's public list, after a preview and with the citizen's yes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.access import Forbidden, audit, may_direct, may_reply, ticket_for
from bot.queue import REPLIES
from bot.rules.lifecycle import NotAllowed
from bot.rules.place_list import in_order
from bot.rules.publishing import Standing, check_standing, check_words, may_be_named, too_near
from bot.runtime import Runtime
from bot.usecases.desk import Desk, at_desk
from bot.usecases.slips import masked
from bot.usecases.taking_out import take_out
from bot.usecases.telling import label
from nlp.personal_data import find_personal_data
from storage.communes import Commune, Place
from storage.contacts import Contact
from storage.enums import AttachmentState, Direction, EventKind
from storage.messages import Attachment, Message
from storage.officials import Official
from storage.publications import PublicAnswer, Publication, Publicity, is_open
from storage.tickets import Ticket, TicketEvent

log = structlog.get_logger()

HEARD_HOW = ("desk", "phone", "chat")  # how an official heard a citizen's yes or no


@dataclass(frozen=True)
class Edited:
    """What shall stand on the list, in an official's words. `place_id`: the village or street that may be named."""

    summary: str
    result: str
    place_id: int | None = None
    has_photo: bool = False


@dataclass(frozen=True)
class Desktop:
    """All that the page of publishing shows. `refusal`: why such a report may not be published, if so."""

    ticket: Ticket
    is_open: bool
    refusal: NotAllowed | None
    publicity: Publicity | None
    publication: Publication | None
    places: list[Place]
    photo_id: int | None
    draft: Edited
    history: list[tuple[TicketEvent, str | None]]


def may_publish(official: Official, ticket: Ticket) -> bool:
    """Whether the official decides what of this report is public."""
    return may_direct(official) and not ticket.is_sealed


def desktop(runtime: Runtime, official: Official, ticket_id: int) -> Desktop:
    """What an official needs to decide about publishing. NotFound, Forbidden."""
    with runtime.database.reading() as session:
        ticket = ticket_for(session, official, ticket_id)
        _must(official, ticket)
        publication = _of(session, Publication, ticket_id)
        places = _places(session, ticket)
        draft = _draft(session, ticket, publication, places)
        kinds = (EventKind.PUBLICITY, EventKind.PUBLISHED, EventKind.UNPUBLISHED)
        rows = session.execute(
            sa.select(TicketEvent, Official.name)
            .outerjoin(Official, Official.id == TicketEvent.official_id)
            .where(TicketEvent.ticket_id == ticket_id, TicketEvent.kind.in_(kinds))
            .order_by(TicketEvent.id)
        )
        return Desktop(
            ticket=ticket,
            is_open=is_open(session.get_one(Commune, ticket.commune_id)),
            refusal=_refusal(session, ticket),
            publicity=_of(session, Publicity, ticket_id),
            publication=publication,
            places=places,
            photo_id=_photo(session, ticket_id),
            draft=draft,
            history=[(event, name) for event, name in rows],
        )


def preview(runtime: Runtime, official: Official, ticket_id: int, edited: Edited) -> tuple[Edited, str, str | None]:
    """What would be shown, a sign that it was looked at, and the name of its place. NotAllowed, NotFound, Forbidden."""
    edited = _tidy(edited)
    with runtime.database.reading() as session:
        ticket = ticket_for(session, official, ticket_id)
        _must(official, ticket)
        place = _check(session, ticket, edited)
    return edited, _sign(runtime, ticket_id, edited), place.name if place else None


def publish(
    runtime: Runtime, official: Official, ticket_id: int, *, version: int, edited: Edited, sign: str
) -> None:  # fmt: skip
    """Put on the list exactly what was previewed. NotAllowed, Changed, NotFound, Forbidden."""
    edited = _tidy(edited)
    with at_desk(runtime, official, ticket_id, version) as desk:
        _must(official, desk.ticket)
        _check(desk.session, desk.ticket, edited)
        if sign != _sign(runtime, ticket_id, edited):
            raise NotAllowed("preview_first", "Nội dung đã khác bản xem trước. Anh/Chị xem trước lại rồi công khai.")
        _has_agreed(desk)
        row = _of(desk.session, Publication, ticket_id)
        values: dict[str, Any] = {
            "summary": edited.summary,
            "result": edited.result,
            "place_id": edited.place_id,
            "attachment_id": _photo(desk.session, ticket_id) if edited.has_photo else None,
            "published_at": desk.now,
            "published_by_id": official.id,
            "withdrawn_at": None,
            "withdrawn_by": None,
        }
        if row is None:
            row = Publication(commune_id=desk.ticket.commune_id, ticket_id=ticket_id, **values)
            desk.session.add(row)
        for name, value in values.items():
            setattr(row, name, value)
        desk.event(EventKind.PUBLISHED, {"photo": row.attachment_id is not None})
        audit(desk.session, official, "publication.published", f"ticket:{ticket_id}", desk.now)
    log.info("publication.published", ticket_id=ticket_id)


def withdraw(runtime: Runtime, official: Official, ticket_id: int, *, version: int) -> None:
    """Take it from the list; it is gone with the next look. NotAllowed when it does not stand there."""
    with at_desk(runtime, official, ticket_id, version) as desk:
        _must(official, desk.ticket)
        row = _of(desk.session, Publication, ticket_id)
        if row is None or row.withdrawn_at is not None:
            raise NotAllowed("not_published", "Phản ánh này không có trong danh sách công khai.")
        row.withdrawn_at, row.withdrawn_by = desk.now, "official"
        take_out(desk.session, runtime, [ticket_id])
        desk.event(EventKind.UNPUBLISHED)
        audit(desk.session, official, "publication.withdrawn", f"ticket:{ticket_id}", desk.now)


def note_answer(
    runtime: Runtime, official: Official, ticket_id: int, *, version: int, has_agreed: bool, how: str
) -> None:  # fmt: skip
    """An official writes down what the citizen said to them about publishing. NotAllowed."""
    if how not in HEARD_HOW:
        raise NotAllowed("how", "Anh/Chị chọn cách người dân đã trả lời: tại quầy, qua điện thoại hoặc trong trao đổi.")
    with at_desk(runtime, official, ticket_id, version) as desk:
        _must(official, desk.ticket)
        answer = PublicAnswer.AGREED if has_agreed else PublicAnswer.REFUSED
        keep_answer(runtime, desk.session, desk.ticket, answer, how, desk.now, official.id)
        desk.event(EventKind.PUBLICITY, {"answer": answer.value, "how": how})


def ask(runtime: Runtime, official: Official, ticket_id: int, *, version: int, edited: Edited) -> None:
    """Ask the citizen on their channel whether these words may be public. NotAllowed, Changed."""
    edited = _tidy(edited)
    with at_desk(runtime, official, ticket_id, version) as desk:
        _must(official, desk.ticket)
        if not may_reply(official, desk.ticket):
            raise Forbidden
        _check(desk.session, desk.ticket, edited)
        text = desk.say("publish_ask", tomtat=edited.summary)
        desk.owe(desk.write(text.words, template=text.key))
        keep_answer(runtime, desk.session, desk.ticket, PublicAnswer.ASKED, "chat", desk.now, official.id)
        desk.event(EventKind.PUBLICITY, {"answer": PublicAnswer.ASKED.value})
    runtime.nudge(REPLIES)


def keep_answer(
    runtime: Runtime,
    session: Session,
    ticket: Ticket,
    answer: PublicAnswer,
    how: str,
    at: datetime,
    official_id: int | None = None,
) -> bool:
    """Keep what the citizen said, or that they were asked; a no takes it from the list and from what is not sent yet.

    False when it was said before. Being asked again takes nothing back that was said.
    """
    row = _of(session, Publicity, ticket.id)
    if row is not None and (row.answer is answer or answer is PublicAnswer.ASKED):
        return False
    if row is None:
        row = Publicity(commune_id=ticket.commune_id, ticket_id=ticket.id, answer=answer, how=how, at=at)
        session.add(row)
    row.answer, row.how, row.at, row.official_id = answer, how, at, official_id
    published = _of(session, Publication, ticket.id)
    if answer is PublicAnswer.REFUSED and published is not None and published.withdrawn_at is None:
        published.withdrawn_at, published.withdrawn_by = at, "citizen"
    session.flush()
    if answer is PublicAnswer.REFUSED:
        take_out(session, runtime, [ticket.id])
    return True


# ---- what is asked of it --------------------------------------------------------------------------------------------


def _must(official: Official, ticket: Ticket) -> None:
    if not may_publish(official, ticket):
        raise Forbidden


def _check(session: Session, ticket: Ticket, edited: Edited) -> Place | None:
    """The place that may be named. NotAllowed for what must not be public."""
    if not is_open(session.get_one(Commune, ticket.commune_id)):
        raise NotAllowed("list_is_off", "Địa phương chưa mở danh sách công khai. Người quản trị mở trong phần cài đặt.")
    refusal = _refusal(session, ticket)
    if refusal is not None:
        raise refusal
    said = session.scalars(
        sa.select(Message.text).where(Message.ticket_id == ticket.id, Message.direction == Direction.IN)
    )
    check_words(edited.summary, edited.result, [*said, ticket.summary])
    for text in (edited.summary, edited.result):
        found = [text[span.start : span.end] for span in find_personal_data(text)] + too_near(text)
        if found:
            raise NotAllowed(
                "personal",
                "Chỗ “%(cho)s” chỉ đến một người hoặc một nhà. Anh/Chị bỏ chỗ ấy rồi xem trước lại.",
                cho=found[0],
            )
    place = next((one for one in _places(session, ticket) if one.id == edited.place_id), None)
    if edited.place_id is not None and place is None:
        raise NotAllowed("place", "Chỉ nêu được thôn, tổ hoặc tên đường trong danh sách của địa phương.")
    if edited.has_photo and _photo(session, ticket.id) is None:
        raise NotAllowed("no_photo", "Kết quả này không có ảnh sau xử lý để công khai.")
    return place


def _refusal(session: Session, ticket: Ticket) -> NotAllowed | None:
    sealing = sa.select(TicketEvent.id).where(
        TicketEvent.ticket_id == ticket.id, TicketEvent.kind.in_([EventKind.SEALED, EventKind.UNSEALED])
    )
    contact = session.get_one(Contact, ticket.contact_id)
    standing = Standing(
        state=ticket.state,
        topic=ticket.topic,
        is_sealed=ticket.is_sealed,
        is_restricted=ticket.is_restricted,
        is_spam=ticket.is_spam,
        was_sealed=session.scalar(sealing.limit(1)) is not None,
        was_erased=contact.erased_at is not None,
        is_joined=ticket.merged_into_id is not None,
    )
    try:
        check_standing(standing)
    except NotAllowed as refusal:
        return refusal
    return None


def _has_agreed(desk: Desk) -> None:
    answer = _of(desk.session, Publicity, desk.ticket.id)
    if answer is None or answer.answer is not PublicAnswer.AGREED:
        raise NotAllowed(
            "no_consent", "Người dân chưa đồng ý công khai; im lặng không phải là đồng ý. Anh/Chị hỏi ý kiến trước."
        )


def _of(session: Session, table: Any, ticket_id: int) -> Any:
    return session.scalar(sa.select(table).where(table.ticket_id == ticket_id))


def _places(session: Session, ticket: Ticket) -> list[Place]:
    query = sa.select(Place).where(Place.commune_id == ticket.commune_id, Place.is_active.is_(True))
    found = [one for one in session.scalars(query) if may_be_named(one.kind, ticket.topic)]
    return sorted(found, key=lambda one: in_order(one.name))


def _photo(session: Session, ticket_id: int) -> int | None:
    """The photo that went with the latest result."""
    return session.scalar(
        sa.select(Attachment.id)
        .join(Message, Message.id == Attachment.message_id)
        .where(
            Message.ticket_id == ticket_id,
            Message.direction == Direction.OUT,
            Message.template == "result",
            Attachment.kind == "image",
            Attachment.state == AttachmentState.STORED,
            Attachment.blob.is_not(None),
        )
        .order_by(Message.id.desc(), Attachment.id)
        .limit(1)
    )


def _draft(session: Session, ticket: Ticket, published: Publication | None, places: Sequence[Place]) -> Edited:
    """What the form begins with: what is published, or the subject and the official's own words of the result."""
    if published is not None and published.summary:
        has_photo = published.attachment_id is not None
        return Edited(published.summary, published.result, published.place_id, has_photo)
    here = session.get(Place, ticket.place_id) if ticket.place_id is not None else None
    names = {one.name: one for one in places}
    place = names.get(here.name) or names.get(here.parent) if here else None
    query = sa.select(Message).where(Message.ticket_id == ticket.id, Message.template == "result")
    result = session.scalar(query.order_by(Message.id.desc()).limit(1))
    words = masked(str((result.filled or {}).get("ketqua", ""))) if result is not None else ""
    summary = f"{label(ticket.topic)}: phản ánh tại {place.name}." if place else f"Phản ánh về {label(ticket.topic)}."
    return Edited(summary, words, place.id if place else None)


def _tidy(edited: Edited) -> Edited:
    result = "\n".join(" ".join(line.split()) for line in edited.result.replace("\0", "").splitlines()).strip()
    return Edited(" ".join(edited.summary.replace("\0", "").split()), result, edited.place_id, edited.has_photo)


def _sign(runtime: Runtime, ticket_id: int, edited: Edited) -> str:
    return runtime.digest("publication", json.dumps([ticket_id, asdict(edited)], ensure_ascii=False, sort_keys=True))
