"""Replies: what an official says to a citizen, in words and with a picture; sent once however often one clicks."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from bot import texts
from bot.access import Forbidden, may_reply, roles_on, ticket_for
from bot.queue import REPLIES
from bot.rules.deadlines import VIETNAM
from bot.rules.lifecycle import Given, NotAllowed, check, result_path
from bot.runtime import Runtime
from bot.usecases.answered import after_result
from bot.usecases.desk import Changed, Desk, at_desk, written_by_form
from bot.usecases.holding import hold
from bot.usecases.photos import fit
from storage.channels import Channel
from storage.communes import Commune
from storage.contacts import Conversation
from storage.enums import EventKind, TicketState
from storage.messages import Attachment, Message
from storage.officials import Official
from storage.tickets import Ticket

LONGEST_REPLY = 6_000
_UNFILLED = re.compile(r"\{[^{}\n]{0,40}\}")


@dataclass(frozen=True)
class Written:
    """What the official wrote: the words, whether they are the result, and what belongs to a result."""

    text: str
    is_result: bool = False
    next_step: str = ""
    checked_on: date | None = None
    image: bytes | None = None


def reply(runtime: Runtime, official: Official, ticket_id: int, *, version: int, token: str, written: Written) -> bool:
    """Answer the citizen; True when the answer left our hands, False when it waits for a leader.

    `token` is the form's own: a second click sends nothing. Raises NotAllowed, EmptyVariable, Changed, NotFound.
    """
    words = _checked(written)
    mark = f"form:{hashlib.sha256(f'{official.id}:{token}'.encode()).hexdigest()[:40]}"
    with runtime.database.reading() as session:
        ticket = ticket_for(session, official, ticket_id)
        if written_by_form(session, ticket_id, mark):
            return ticket.state is not TicketState.WAITING_APPROVAL
        limit = _image_limit(runtime, session.scalar(_channel_type(ticket_id)))
    if written.image and limit == 0:
        raise NotAllowed("no_images", "Kênh này không gửi được ảnh. Anh/Chị vui lòng bỏ ảnh rồi gửi lại lời.")
    picture = fit(written.image, limit) if written.image else None
    blob = runtime.blobs.keep(picture) if picture is not None else None
    try:
        is_sent = _say(runtime, official, ticket_id, version, mark, written, words, blob, len(picture or b""))
    except BaseException as error:
        if blob is not None:
            runtime.blobs.delete(blob)
        # The other click of a double click may have won in between: then what it changed is ours.
        is_ours = isinstance(error, Changed) and _is_written(runtime, ticket_id, mark)
        if is_ours:
            return True
        raise
    runtime.nudge(REPLIES)
    return is_sent


def _is_written(runtime: Runtime, ticket_id: int, mark: str) -> bool:
    with runtime.database.reading() as session:
        return written_by_form(session, ticket_id, mark)


def _say(
    runtime: Runtime,
    official: Official,
    ticket_id: int,
    version: int,
    mark: str,
    written: Written,
    words: str,
    blob: str | None,
    size: int,
) -> bool:
    with at_desk(runtime, official, ticket_id, version) as desk:
        if not may_reply(official, desk.ticket):
            raise Forbidden
        text = _result(desk, written, words) if written.is_result else None
        is_held = False
        if text is not None:
            is_held = _pass_on(desk)
        elif desk.ticket.state is TicketState.NEW:
            desk.move(TicketState.RECEIVED)
        if text is None:
            hold(desk)  # the citizen hears who speaks before they do
        template = "result_draft" if is_held else text.key if text else None
        message = desk.write(text.words if text else words, template=template, token=mark)
        if blob is not None:
            desk.show_picture(message, blob, size)
        if not is_held:
            desk.owe(message, image_blob=blob)
        if text is not None and not is_held:
            after_result(desk, message, image_blob=blob)
        desk.event(
            EventKind.REPLIED,
            {"message_id": message.id, "is_result": written.is_result, "is_held": is_held, "image": blob is not None},
        )
    return not is_held


def approve(runtime: Runtime, official: Official, ticket_id: int, *, version: int) -> None:
    """A leader lets the result go out as it was written."""
    with at_desk(runtime, official, ticket_id, version) as desk:
        check(desk.ticket.state, TicketState.ANSWERED, roles_on(official, desk.ticket), Given())
        draft = desk.session.scalar(
            sa.select(Message)
            .where(Message.ticket_id == ticket_id, Message.template == "result_draft")
            .order_by(Message.id.desc())
            .limit(1)
        )
        if draft is None:
            raise NotAllowed("no_draft", "Không có bản trả lời nào chờ duyệt. Anh/Chị vui lòng tải lại trang.")
        if draft.author_id == official.id:
            raise NotAllowed("own_draft", "Người soạn không tự duyệt được. Cần một lãnh đạo khác.")
        draft.template = "result"
        blob = desk.session.scalar(
            sa.select(Attachment.blob).where(Attachment.message_id == draft.id, Attachment.blob.is_not(None)).limit(1)
        )
        desk.owe(draft, image_blob=blob)
        desk.move(TicketState.ANSWERED, {"approved": draft.id})
        after_result(desk, draft, image_blob=blob)
    runtime.nudge(REPLIES)


def _pass_on(desk: Desk) -> bool:
    """Take the steps up to the answer; True when a leader must look first."""
    commune = desk.session.get_one(Commune, desk.ticket.commune_id)
    path = result_path(
        desk.ticket.state,
        roles_on(desk.official, desk.ticket),
        needs_approval=bool(commune.settings.get("needs_approval")),
    )
    for state in path:
        desk.move(state)
    return path[-1] is TicketState.WAITING_APPROVAL


def _result(desk: Desk, written: Written, words: str) -> texts.Text:
    checked_on = written.checked_on or desk.now.astimezone(VIETNAM).date()
    return desk.say(
        "result",
        ma=desk.ticket.code,
        xa=desk.book.name,
        donvi=desk.agency.name if desk.agency else "",
        ngay=f"{checked_on:%d/%m/%Y}",
        ketqua=words,
        tieptheo=" ".join(written.next_step.split()),
    )


def _checked(written: Written) -> str:
    words = written.text.replace("\r\n", "\n").replace("\0", "").strip()
    if not words and (written.is_result or not written.image):
        raise NotAllowed("empty", "Trả lời đang trống. Anh/Chị vui lòng nhập nội dung.")
    if len(words) > LONGEST_REPLY:
        raise NotAllowed("too_long", "Trả lời dài hơn %(most)s ký tự. Anh/Chị vui lòng rút ngắn.", most=LONGEST_REPLY)
    hole = _UNFILLED.search(words)
    if hole:
        raise NotAllowed(
            "unfilled", "Trả lời còn chỗ trống %(hole)s. Anh/Chị vui lòng điền đủ trước khi gửi.", hole=hole[0]
        )
    return words


def _channel_type(ticket_id: int) -> sa.Select[tuple[str]]:
    return (
        sa.select(Channel.type)
        .join(Conversation, Conversation.channel_id == Channel.id)
        .join(Ticket, Ticket.conversation_id == Conversation.id)
        .where(Ticket.id == ticket_id)
    )


def _image_limit(runtime: Runtime, kind: str | None) -> int:
    adapter = runtime.adapters.get(kind or "")
    return adapter.limits.image_bytes if adapter else 1_000_000
