"""Words gone: the one way in which words, files, history and papers are emptied, at whoever's wish.

That something was said, done or issued, when and by whom, stays; what was said does not.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.base import HoldsFiles
from bot.queue import MEDIA
from bot.usecases.form_files import name_of
from bot.usecases.telling import Scene
from nlp.normalise import fold
from storage.blobs import let_go
from storage.deliveries import Attempt, Delivery
from storage.drafts import Draft
from storage.enums import AttachmentState, DeliveryState, EventKind, Playing, TransferState
from storage.messages import Attachment, InboundEvent, Message
from storage.papers import Paper, Transfer, TransferLine
from storage.sealing import Look, Sealable, open_words
from storage.search_index import note_messages
from storage.tickets import TicketEvent
from storage.undo import Undoable


def empty_messages(session: Session, message_ids: list[int], mark: str) -> None:
    """The mark stands where the words were; nothing that was understood of them stays."""
    session.execute(
        sa.update(Message)
        .where(Message.id.in_(message_ids))
        .values(text=mark, text_folded=fold(mark), reading=sa.null(), filled=sa.null(), sealed=sa.null())
    )
    note_messages(session, message_ids)


def empty_deliveries(session: Session, theirs: sa.ColumnElement[bool], mark: str) -> None:
    """What was sent to them loses its words, and what channels said about it; what waits is called off before."""
    ids = sa.select(Delivery.id).where(theirs)
    session.execute(sa.update(Attempt).where(Attempt.delivery_id.in_(ids)).values(exchange=[]))
    session.execute(
        sa.update(Delivery).where(theirs).values(text=mark, template=sa.null(), choices=sa.null(), sealed=sa.null())
    )


def call_off(session: Session, theirs: sa.ColumnElement[bool], code: str, reason: str) -> None:
    """What still waits is not sent any more."""
    session.execute(
        sa.update(Delivery)
        .where(theirs, Delivery.state == DeliveryState.WAITING)
        .values(state=DeliveryState.CANCELLED, code=code, reason=reason)
    )


def empty_files(scene: Scene, message_ids: list[int], sent: sa.ColumnElement[bool], code: str) -> None:
    """No row of theirs names a file any more; each goes unless somebody else's does."""
    session = scene.session
    empty_attachments(scene, sa.select(Attachment).where(Attachment.message_id.in_(message_ids)), code)
    theirs = (sent, Delivery.image_blob.is_not(None))
    gone = list(session.scalars(sa.select(Delivery.image_blob).where(*theirs)))
    session.execute(sa.update(Delivery).where(*theirs).values(image_blob=None))
    let_go(session, gone, scene.now)


def empty_attachments(scene: Scene, query: sa.Select[tuple[Attachment]], code: str) -> int:
    """These attachments hold nothing any more; gives how many there were."""
    session = scene.session
    gone: list[str | None] = []
    rows = list(session.scalars(query))
    for attachment in rows:
        let_key_go(attachment)
        gone += [attachment.blob or _not_fetched_yet(scene, attachment), attachment.sound_blob]
        attachment.url = attachment.name = attachment.title = attachment.phone = attachment.blob = None
        attachment.latitude = attachment.longitude = attachment.sound_blob = attachment.seconds = None
        attachment.locality_code = None
        attachment.state, attachment.missing_code, attachment.playing = AttachmentState.MISSING, code, Playing.NONE
    session.flush()
    let_go(session, gone, scene.now)
    scene.nudges.add(MEDIA)
    return len(rows)


def _not_fetched_yet(scene: Scene, attachment: Attachment) -> str | None:
    """The file of an attachment whose channel had put it into our store before the message was read."""
    adapter: object = scene.runtime.adapters[scene.channel.type]
    reference = adapter.kept_file(attachment.url or "") if isinstance(adapter, HoldsFiles) else None
    return name_of(scene.runtime, scene.channel, reference) if reference else None


def empty_history(session: Session, ticket_ids: list[int], mark: str) -> None:
    """That something was done, by whom and when stays; officials' own words may repeat the citizen's."""
    events = TicketEvent.ticket_id.in_(ticket_ids)
    open_words(session)  # of what is sealed it is seen only then whether there were any
    for event in session.scalars(sa.select(TicketEvent).where(events, TicketEvent.sealed.is_not(None))):
        is_lost = event.look is not Look.OPEN
        let_key_go(event)
        event.note = mark if is_lost or event.note is not None else None
        event.data = {"to": mark} if event.kind is EventKind.PLACE_CHANGED else event.data
    session.flush()
    session.execute(sa.update(TicketEvent).where(events, TicketEvent.note.is_not(None)).values(note=mark))
    session.execute(
        sa.update(TicketEvent).where(events, TicketEvent.kind == EventKind.PLACE_CHANGED).values(data={"to": mark})
    )


def empty_drafts(session: Session, ticket_ids: list[int]) -> None:
    """What officials are writing about them, and what they might have taken back, repeats the citizen's words."""
    for table in (Draft, Undoable):
        session.execute(sa.delete(table).where(table.ticket_id.in_(ticket_ids)))


def empty_papers(scene: Scene, ticket_ids: list[int], mark: str) -> None:
    """That a paper was issued, its number and digest stay; its file and what bodies answered may repeat the words."""
    session = scene.session
    gone: list[str | None] = []
    for paper in session.scalars(sa.select(Paper).where(Paper.ticket_id.in_(ticket_ids))):
        let_key_go(paper)
        gone.append(paper.blob)
        paper.facts, paper.blob = {}, None
    transfers = list(session.scalars(sa.select(Transfer).where(Transfer.ticket_id.in_(ticket_ids))))
    for transfer in transfers:
        transfer.link_digest = transfer.link_expires_at = transfer.remind_at = None
        if transfer.state.is_open:
            transfer.state, transfer.recalled_at = TransferState.RECALLED, scene.now
    theirs = TransferLine.transfer_id.in_([transfer.id for transfer in transfers])
    for line in session.scalars(sa.select(TransferLine).where(theirs)):
        let_key_go(line)
        gone.append(line.image_blob)
        line.text, line.author, line.image_blob = mark, "", None
    session.flush()
    let_go(session, gone, scene.now)
    scene.nudges.add(MEDIA)


def let_key_go(row: Sealable) -> None:
    """What was sealed is not opened first: it goes, whether its key is here or lost."""
    row.sealed = None


def empty_events(session: Session, message_ids: list[int]) -> None:
    """What the channel sent holds the same words; the rows stay as proof that each was taken in once."""
    of_messages = sa.select(Message.inbound_event_id).where(Message.id.in_(message_ids))
    session.execute(
        sa.update(InboundEvent).where(InboundEvent.id.in_(of_messages)).values(body=b"{}", sealed=sa.null())
    )
