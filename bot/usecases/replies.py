"""Replies: what an official says to a citizen, in words and with a picture; sent once however often one clicks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from bot.access import Forbidden, may_reply, roles_on, ticket_for
from bot.queue import REPLIES
from bot.rules.deadlines import VIETNAM
from bot.rules.history import deed_of
from bot.rules.lifecycle import Given, NotAllowed, check, result_path
from bot.rules.results import AFTER_PHOTO, Result, check_result
from bot.runtime import Runtime
from bot.usecases import clocks, drafts, undoing
from bot.usecases.answered import after_result, tell_joined
from bot.usecases.desk import Changed, Desk, at_desk, form_mark, written_by_form
from bot.usecases.handing_over import FREE_ONLY, Consent, hand_over
from bot.usecases.holding import hold
from bot.usecases.photos import fit
from bot.usecases.pictures import STORE_AWAY, give_up, keep_picture
from nlp.normalise import fold
from storage.blobs import take_hold
from storage.channels import Channel
from storage.communes import Commune
from storage.contacts import Conversation
from storage.drafts import DraftKind
from storage.enums import EventKind, Role, TicketState
from storage.messages import Attachment, Message
from storage.officials import Official
from storage.tickets import Ticket, TicketEvent

LONGEST_REPLY = 6_000
PROOF_BYTES = 1_000_000
_UNFILLED = re.compile(r"\{[^{}\n]{0,40}\}")


@dataclass(frozen=True)
class Written:
    """What the official wrote: the words, whether they are the result, and what belongs to a result.

    `exemption`: why there is no photo of afterwards. `consent`: to what sending it may cost. `is_for_all`: news of the
    work for everybody who joined the report; a result is so anyway.
    """

    text: str
    is_result: bool = False
    next_step: str = ""
    checked_on: date | None = None
    image: bytes | None = None
    exemption: str = ""
    consent: Consent = FREE_ONLY
    is_for_all: bool = False


def reply(runtime: Runtime, official: Official, ticket_id: int, *, version: int, token: str, written: Written) -> bool:
    """Answer the citizen; True when the answer left our hands, False when it waits for a leader.

    `token` is the form's own: a second click sends nothing. Raises NotAllowed, EmptyVariable, Changed, NotFound.
    """
    words = _checked(written)
    mark = form_mark(official.id, token)
    with runtime.database.reading() as session:
        ticket = ticket_for(session, official, ticket_id)
        if written_by_form(session, ticket_id, mark):
            return ticket.state is not TicketState.WAITING_APPROVAL
        limit = _image_limit(runtime, list(session.scalars(_channel_types(ticket_id))))
    if written.image and limit == 0 and not written.is_result:
        raise NotAllowed("no_images", "Kênh này không gửi được ảnh. Anh/Chị vui lòng bỏ ảnh rồi gửi lại lời.")
    # What cannot be sent is kept as proof of the result.
    picture = fit(written.image, limit or PROOF_BYTES) if written.image else None
    blob = keep_picture(runtime, picture) if picture is not None else None
    try:
        is_sent = _say(runtime, official, ticket_id, version, mark, written, words, blob, len(picture or b""))
    except BaseException as error:
        give_up(runtime, blob)
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
    with at_desk(runtime, official, ticket_id, version) as desk, undoing.undoable(desk) as chance:
        if not may_reply(official, desk.ticket):
            raise Forbidden
        if written.is_result:
            _check_result(desk, written, words, has_photo=blob is not None)
        filled = _filling(desk, written, words) if written.is_result else None
        is_news = filled is None and written.is_for_all
        text = desk.say("result", **filled) if filled else desk.say("progress", noidung=words) if is_news else None
        is_held = _pass_on(desk) if filled else False
        if filled is None and desk.ticket.state is TicketState.NEW:
            desk.move(TicketState.RECEIVED)
        if text is None:
            hold(desk)  # the citizen hears who speaks before they do
        template = "result_draft" if is_held else text.key if text else None
        message = desk.write(text.words if text else words, template=template, token=mark, filled=filled)
        chance.keep(message, _fields(written, words))
        drafts.forget(desk.session, official, ticket_id, DraftKind.REPLY)
        if blob is not None:
            if not take_hold(desk.session, blob):  # the same picture is being erased elsewhere at this very moment
                raise NotAllowed("store_away", STORE_AWAY)
            desk.show_picture(message, blob, size)
        if not is_held:
            hand_over(desk, message, written.consent, image_blob=_sendable(desk, blob))
            clocks.acted(desk.ticket, desk.book, desk.now)
        if filled and not is_held:
            after_result(desk, message, pays=written.consent.pays)
        if is_news:
            tell_joined(desk, "progress", {"noidung": words}, picture=message if blob else None)
        desk.event(
            EventKind.REPLIED,
            {"message_id": message.id, "is_result": written.is_result, "is_held": is_held, "image": blob is not None},
            " ".join(written.exemption.split()) or None if written.is_result and blob is None else None,
        )
    return not is_held


def approve(
    runtime: Runtime, official: Official, ticket_id: int, *, version: int, consent: Consent = FREE_ONLY
) -> None:
    """A leader lets the result go out as it was written."""
    with at_desk(runtime, official, ticket_id, version) as desk, undoing.undoable(desk) as chance:
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
        chance.keep(draft, was_draft=True)
        blob = desk.session.scalar(
            sa.select(Attachment.blob).where(Attachment.message_id == draft.id, Attachment.blob.is_not(None)).limit(1)
        )
        if blob is not None and not take_hold(desk.session, blob):
            blob = None
        _must_be_another(desk)
        hand_over(desk, draft, consent, image_blob=_sendable(desk, blob))
        desk.move(TicketState.ANSWERED, {"approved": draft.id})
        after_result(desk, draft, pays=consent.pays)
    runtime.nudge(REPLIES)


def _check_result(desk: Desk, written: Written, words: str, *, has_photo: bool) -> None:
    """Nothing counts as done that the citizen cannot see to be done."""
    commune = desk.session.get_one(Commune, desk.ticket.commune_id)
    today = desk.now.astimezone(VIETNAM).date()
    check_result(
        Result(
            topic=None if desk.ticket.is_sealed else desk.ticket.topic,
            owner=desk.agency.name if desk.agency else "",
            folded=fold(words),
            next_step=written.next_step,
            checked_on=written.checked_on or today,
            opened_on=desk.ticket.opened_at.astimezone(VIETNAM).date(),
            today=today,
            has_photo=has_photo,
            exemption=written.exemption,
        ),
        asks_for_photo=bool(commune.settings.get(AFTER_PHOTO, True)),
    )


def _must_be_another(desk: Desk) -> None:
    """What was not over is judged by another leader the next time, where there is one."""
    if not desk.ticket.reopened_count:
        return
    answered = desk.session.scalars(
        sa.select(TicketEvent)
        .where(TicketEvent.ticket_id == desk.ticket.id, TicketEvent.kind == EventKind.STATE_CHANGED)
        .order_by(TicketEvent.id.desc())
    )
    undone = undoing.undone_deeds(desk.session, desk.ticket.id)
    before = next(
        (
            e.official_id
            for e in answered
            if e.data.get("to") == TicketState.ANSWERED.value and deed_of(e.data) not in undone
        ),
        None,
    )
    if before != desk.official.id:
        return
    others = desk.session.scalars(
        sa.select(Official).where(
            Official.commune_id == desk.ticket.commune_id, Official.is_active.is_(True), Official.id != before
        )
    )
    if any(other.has(Role.LEADER) for other in others):
        raise NotAllowed(
            "same_approver", "Kết quả trước do Anh/Chị duyệt và người dân chưa đồng ý. Cần lãnh đạo khác duyệt."
        )


def _sendable(desk: Desk, blob: str | None) -> str | None:
    """A picture, where the channel takes pictures."""
    channel = desk.session.get_one(Channel, desk.person.conversation.channel_id)
    return blob if desk.runtime.adapters[channel.type].limits.image_bytes else None


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


def _filling(desk: Desk, written: Written, words: str) -> dict[str, str]:
    """What a result is filled with; everybody who joined gets the same under their own code."""
    checked_on = written.checked_on or desk.now.astimezone(VIETNAM).date()
    return {
        "donvi": desk.agency.name if desk.agency else "",
        "ngay": f"{checked_on:%d/%m/%Y}",
        "ketqua": words,
        "tieptheo": " ".join(written.next_step.split()),
    }


def _fields(written: Written, words: str) -> dict[str, str]:
    """The form as it was filled in, but for files, which are chosen again."""
    found = {
        "text": words,
        "result": "1" if written.is_result else "",
        "everyone": "1" if written.is_for_all else "",
        "exemption": written.exemption,
    }
    if written.is_result:
        found["next_step"] = written.next_step
        found["checked_on"] = written.checked_on.isoformat() if written.checked_on else ""
    return {name: value for name, value in found.items() if value}


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


def _channel_types(ticket_id: int) -> sa.Select[tuple[str]]:
    """On which channels the answer goes out: the writer's first, then those of who joined."""
    return (
        sa.select(Channel.type)
        .join(Conversation, Conversation.channel_id == Channel.id)
        .join(Ticket, Ticket.conversation_id == Conversation.id)
        .where(sa.or_(Ticket.id == ticket_id, Ticket.merged_into_id == ticket_id))
        .order_by(Ticket.id != ticket_id, Ticket.id)
    )


def _image_limit(runtime: Runtime, kinds: list[str]) -> int:
    """How large a picture may be so that all who can get one do; 0 when the writer's channel carries none."""
    adapters = [runtime.adapters.get(kind) for kind in kinds]
    limits = [adapter.limits.image_bytes if adapter else 1_000_000 for adapter in adapters]
    return min(filter(None, limits)) if limits and limits[0] else 0
