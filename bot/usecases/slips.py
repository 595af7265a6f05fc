"""Slips: what of a ticket a body outside may read, with what is personal masked, gathered for a phiếu chuyển."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.papers.letterhead import Letterhead, Signature
from bot.papers.transfer_slip import Slip
from bot.rules.deadlines import VIETNAM
from bot.rules.dialogue import Question
from bot.usecases.desk import Desk
from bot.usecases.telling import label
from nlp.personal_data import find_personal_data, mask
from storage.agencies import Agency
from storage.communes import Commune, Locality, Place
from storage.contacts import Contact
from storage.enums import AttachmentState, Direction, Origin
from storage.messages import Attachment, Message
from storage.papers import Paper

MOST_PHOTOS, MOST_SAID, LONGEST_SAID = 6, 20, 3_000
USUAL_OFFICE = "TM. ỦY BAN NHÂN DÂN\nCHỦ TỊCH"
OFFICE, SIGNER = "signer_office", "signer_name"  # settings of a commune
# What a citizen answered to these tells of the matter; the rest tells who they are, or how they find us.
_OF_THE_MATTER = (Question.WHERE.value, "add", "edit")
_HIDDEN_NAME = "[họ tên]"
_OTHER_KINDS = {"audio": "đoạn ghi âm", "video": "video", "file": "tệp", "gif": "ảnh động", "location": "vị trí"}


@dataclass(frozen=True)
class Asked:
    """What an official decides for a slip: to whom, until when, in which words, and what goes with it."""

    to: str
    expected: date
    summary: str = ""
    request: str = ""
    has_identity: bool = False
    has_photos: bool = True


def gather(desk: Desk, paper: Paper, asked: Asked) -> Slip:
    """The slip for the ticket on the desk, under the number of the paper."""
    ticket, session = desk.ticket, desk.session
    commune = session.get_one(Commune, ticket.commune_id)
    attachments = _attachments(desk)
    photos = [a.id for a in attachments if _is_photo(a)][:MOST_PHOTOS] if asked.has_photos else []
    pin = f"{ticket.latitude:.5f}, {ticket.longitude:.5f}" if ticket.latitude and ticket.longitude else ""
    return Slip(
        letterhead=Letterhead(issuer_of(commune), seat_of(session, commune), _day(desk), paper.sign),
        signature=Signature(*office_of(commune), ("Như trên", f"Lưu: VT, hồ sơ {ticket.code}")),
        sender=f"Ủy ban nhân dân {_unit(commune)}",
        to=asked.to,
        code=ticket.code,
        topic=label(ticket.topic),
        place=_place(desk),
        pin=pin,
        received=ticket.opened_at.astimezone(VIETNAM).date(),
        summary=" ".join(asked.summary.split()) or masked(ticket.summary),
        said=_said(desk, has_names=asked.has_identity),
        reporter=_reporter(desk) if asked.has_identity else (),
        photos=tuple(photos),
        more=_more(attachments, len(photos), f"UBND {_unit(commune)}"),
        request=asked.request.strip(),
        expected=asked.expected,
        contact=_contact(desk),
    )


def masked(text: str, *, has_names: bool = False) -> str:
    """Words for strangers: numbers masked as officials see them, names of people left out unless they may be known."""
    spans = find_personal_data(text)
    shown = mask(text, spans)
    for span in sorted(spans, key=lambda one: -one.start):
        if span.kind == "name" and not has_names:
            shown = shown[: span.start] + _HIDDEN_NAME + shown[span.end :]
    return shown


def _unit(commune: Commune) -> str:
    return commune.name.removeprefix("UBND ").strip()


def issuer_of(commune: Commune) -> tuple[str, ...]:
    """Who issues a commune's papers, in lines."""
    return ("ỦY BAN NHÂN DÂN", _unit(commune).upper())


def seat_of(session: Session, commune: Commune) -> str:
    """The name of the unit without its kind, as it stands before the date."""
    locality = session.get_one(Locality, commune.locality_code)
    unit = _unit(commune)
    return unit[len(locality.type) :].strip() if unit.lower().startswith(locality.type.lower()) else locality.name


def office_of(commune: Commune) -> tuple[tuple[str, ...], str]:
    """Which office signs, in lines, and the name under it, "" when it is written by hand."""
    settings = dict(commune.settings)
    office = str(settings.get(OFFICE) or USUAL_OFFICE).replace(";", "\n")
    return tuple(line.strip() for line in office.splitlines() if line.strip()), str(settings.get(SIGNER) or "")


def _day(desk: Desk) -> date:
    return desk.now.astimezone(VIETNAM).date()


def _place(desk: Desk) -> str:
    ticket = desk.ticket
    known = desk.session.get(Place, ticket.place_id) if ticket.place_id is not None else None
    words = [masked(ticket.place_text)] if ticket.place_text else []
    if known is not None and known.name not in "".join(words):
        words.append(known.name)
    return ", ".join(words)


def _said(desk: Desk, *, has_names: bool) -> tuple[tuple[str, str], ...]:
    query = (
        sa.select(Message)
        .where(
            Message.ticket_id == desk.ticket.id,
            Message.direction == Direction.IN,
            Message.origin == Origin.CITIZEN,
            Message.is_sealed.is_(False),
            Message.text != "",
            sa.or_(Message.answers.is_(None), Message.answers.in_(_OF_THE_MATTER)),
        )
        .order_by(Message.occurred_at, Message.id)
        .limit(MOST_SAID)
    )
    return tuple(
        (
            f"{message.occurred_at.astimezone(VIETNAM):%d/%m/%Y}",
            masked(message.text[:LONGEST_SAID], has_names=has_names),
        )
        for message in desk.session.scalars(query)
    )


def _attachments(desk: Desk) -> list[Attachment]:
    query = (
        sa.select(Attachment)
        .join(Message, Message.id == Attachment.message_id)
        .where(Message.ticket_id == desk.ticket.id, Message.direction == Direction.IN, Message.is_sealed.is_(False))
        .order_by(Message.occurred_at, Message.id, Attachment.position, Attachment.id)
    )
    return list(desk.session.scalars(query))


def _is_photo(attachment: Attachment) -> bool:
    is_image = attachment.kind == "image" and (attachment.mime or "").startswith("image/")
    return is_image and attachment.state is AttachmentState.STORED


def _more(attachments: list[Attachment], shown: int, keeper: str) -> str:
    """What else the citizen sent, which does not go with the paper."""
    counted = Counter(a.kind for a in attachments if a.kind in _OTHER_KINDS and a.kind != "location")
    left = sum(_is_photo(a) for a in attachments) - shown
    parts = [f"{left} ảnh"] if left else []
    parts += [f"{n} {_OTHER_KINDS[kind]}" for kind, n in counted.items()]
    return f"Người dân còn gửi {', '.join(parts)}, lưu tại {keeper}." if parts else ""


def _reporter(desk: Desk) -> tuple[str, ...]:
    contact: Contact = desk.person.contact
    phone = contact.phone.replace(" ", "\u00a0") if contact.phone else None
    return tuple(filter(None, (contact.name, contact.address, f"Điện thoại: {phone}" if phone else None)))


def _contact(desk: Desk) -> tuple[str, ...]:
    """Whom the body answers: the unit of whoever sends it, by its telephone or that of the commune's duty."""
    unit = desk.session.get(Agency, desk.official.agency_id) if desk.official.agency_id else None
    phone = (unit.phone if unit else None) or desk.official.phone or desk.book.duty_phone
    where = f"{unit.name}, {desk.book.name}" if unit else desk.book.name
    return (where, "điện thoại " + phone.replace(" ", "\u00a0"))
