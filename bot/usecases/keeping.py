"""Keeping: a citizen's message becomes a row, with its attachments, before anything is decided about it."""

from __future__ import annotations

from adapters.messages import Attachment as SentAttachment
from adapters.messages import AttachmentKind, InboundMessage
from bot.queue import MEDIA
from bot.usecases.work import Citizen, Work
from nlp.normalise import fold
from nlp.reading import Reading
from storage.enums import AttachmentState, Direction, Origin
from storage.messages import Attachment, Message

WITH_BYTES = {
    AttachmentKind.IMAGE,
    AttachmentKind.GIF,
    AttachmentKind.AUDIO,
    AttachmentKind.VIDEO,
    AttachmentKind.FILE,
}


def keep(work: Work, person: Citizen, word: InboundMessage, reading: Reading | None) -> Message:
    """Write the message down, and what must be fetched for it."""
    message = Message(
        commune_id=work.channel.commune_id,
        channel_id=work.channel.id,
        conversation_id=person.conversation.id,
        inbound_event_id=work.row.id,
        direction=Direction.IN,
        origin=Origin.CITIZEN,
        external_id=word.external_id[:160],
        quoted_external_id=(word.quoted_external_id or "")[:160] or None,
        text=word.text,
        text_folded=fold(word.text),
        reading=reading.to_json() if reading else None,
        is_sealed=bool(reading and reading.sealed),
        # A clock that runs ahead must not push a message to the end of the conversation for hours.
        occurred_at=min(word.occurred_at, work.row.received_at),
        created_at=work.now,
    )
    work.session.add(message)
    work.session.flush()
    if word.attachments:
        work.session.add_all(_attachment(work, message, n, sent) for n, sent in enumerate(word.attachments))
        work.session.flush()
    return message


def _attachment(work: Work, message: Message, position: int, sent: SentAttachment) -> Attachment:
    row = Attachment(
        commune_id=message.commune_id,
        message_id=message.id,
        position=position,
        kind=sent.kind.value,
        url=sent.url,
        name=(sent.name or "")[:255] or None,
        title=sent.title,
        phone=(sent.phone or "")[:40] or None,
        latitude=sent.latitude,
        longitude=sent.longitude,
        declared_size=sent.size,
        declared_md5=(sent.md5 or "")[:32] or None,
        state=AttachmentState.NONE,
    )
    if sent.kind in WITH_BYTES:
        row.state = AttachmentState.WAITING if sent.url else AttachmentState.MISSING
        row.missing_code = None if sent.url else "no_address"
        row.next_try_at = work.now
        work.nudges.add(MEDIA)
    return row
