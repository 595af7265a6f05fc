"""Replies: what an official says to a citizen, in words and with a picture; sent once however often one clicks."""

from __future__ import annotations

import hashlib
import io
import re

import sqlalchemy as sa
from PIL import Image, ImageOps, UnidentifiedImageError

from bot import texts
from bot.access import Viewer
from bot.queue import REPLIES
from bot.rules.lifecycle import NotAllowed, may_answer
from bot.runtime import Runtime
from bot.usecases.tickets import Desk, at_desk, say_to_citizen
from storage.channels import Channel
from storage.contacts import Conversation
from storage.deliveries import Delivery
from storage.enums import EventKind, TicketState

LONGEST_REPLY = 6_000
LARGEST_UPLOAD = 8_000_000
MOST_PIXELS = 40_000_000
_UNFILLED = re.compile(r"\{\s*\w*\s*\}")


def reply(
    runtime: Runtime,
    viewer: Viewer,
    ticket_id: int,
    *,
    version: int,
    text: str,
    token: str,
    is_result: bool = False,
    image: bytes | None = None,
) -> None:
    """Answer the citizen. `token`: of the form, so that a second click sends nothing. Raises NotAllowed, Changed."""
    words = _checked(text, has_image=image is not None)
    key = f"reply:{viewer.official_id}:{hashlib.sha256(token.encode()).hexdigest()[:32]}"
    with runtime.database.reading() as session:
        if session.scalar(sa.select(Delivery.id).where(Delivery.key == key)) is not None:
            return
    prepared = _fit(image, _image_limit(runtime, ticket_id)) if image is not None else None
    blob = runtime.blobs.keep(prepared) if prepared is not None else None
    with at_desk(runtime, viewer, ticket_id, version) as desk:
        if is_result and not may_answer(desk.ticket.state, viewer.roles):
            raise NotAllowed("not_answerable", "Phản ánh đã có kết quả hoặc đã kết thúc. Vui lòng tải lại trang.")
        said = texts.say("result", ma=desk.ticket.code, xa=desk.book().name, ketqua=words) if is_result else None
        say_to_citizen(
            desk, said.words if said else words, key=key, template=said.key if said else None, image_blob=blob
        )
        _advance(desk, is_result=is_result)
        desk.note(EventKind.REPLIED, {"is_result": is_result, "has_image": blob is not None})
    runtime.nudge(REPLIES)


def _advance(desk: Desk, *, is_result: bool) -> None:
    if is_result:
        desk.moved(TicketState.ANSWERED)
    elif desk.ticket.state is TicketState.NEW:
        desk.moved(TicketState.RECEIVED)


def _checked(text: str, *, has_image: bool) -> str:
    words = text.strip()
    if not words and not has_image:
        raise NotAllowed("empty", "Trả lời đang trống. Vui lòng nhập nội dung.")
    if len(words) > LONGEST_REPLY:
        raise NotAllowed("too_long", f"Trả lời dài hơn {LONGEST_REPLY} ký tự. Vui lòng rút ngắn.")
    if _UNFILLED.search(words):
        raise NotAllowed("unfilled", "Trả lời còn chỗ trống trong ngoặc {…}. Vui lòng điền đủ trước khi gửi.")
    return words


def _image_limit(runtime: Runtime, ticket_id: int) -> int:
    from storage.tickets import Ticket

    with runtime.database.reading() as session:
        kind = session.scalar(
            sa.select(Channel.type)
            .join(Conversation, Conversation.channel_id == Channel.id)
            .join(Ticket, Ticket.conversation_id == Conversation.id)
            .where(Ticket.id == ticket_id)
        )
    return runtime.adapters[kind].limits.image_bytes if kind else 1_000_000


def _fit(data: bytes, limit: int) -> bytes:
    """The picture made anew as a JPEG under the channel's limit: nothing hidden in the file leaves with it."""
    if len(data) > LARGEST_UPLOAD:
        raise NotAllowed("image_too_large", "Ảnh lớn hơn 8 MB. Vui lòng chọn ảnh nhỏ hơn.")
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise NotAllowed("image_too_large", "Ảnh có quá nhiều điểm ảnh. Vui lòng chọn ảnh nhỏ hơn.")
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        raise NotAllowed("image_type", "Chỉ gửi được ảnh JPG hoặc PNG. Vui lòng chọn ảnh khác.") from None
    for longest, quality in ((2048, 85), (1600, 80), (1280, 75), (1024, 70), (800, 60)):
        smaller = picture.copy()
        smaller.thumbnail((longest, longest))
        out = io.BytesIO()
        smaller.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= limit:
            return out.getvalue()
    raise NotAllowed("image_too_large", "Không thu nhỏ được ảnh tới mức kênh cho phép. Vui lòng chọn ảnh khác.")
