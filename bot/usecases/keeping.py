"""Keeping: a citizen's message becomes a row, with its attachments, before anything is decided about it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

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
    keep_attachments(work, message, word.attachments)
    return message


def keep_attachments(work: Work, message: Message, sent: Sequence[SentAttachment]) -> None:
    """Write down what came with a message; its bytes are fetched soon."""
    work.session.flush()
    if sent:
        work.session.add_all(_attachment(work, message, n, one) for n, one in enumerate(sent))
        work.session.flush()


def is_kept(work: Work, person: Citizen, external_id: str) -> bool:
    """Whether this message stands in the conversation already: told when it was asked for, and brought under another
    name.
    """
    query = sa.select(Message.id).where(
        Message.channel_id == work.channel.id,
        Message.external_id == external_id[:160],
        Message.conversation_id == person.conversation.id,
    )
    return work.session.scalar(query.limit(1)) is not None


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
