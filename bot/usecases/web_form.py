"""The web form: what a citizen writes on the commune's own page, and what stands on the page that their link opens.

The link is the only key: whoever holds it reads the talk, and rows know it by its digest alone. A message goes the way
of every channel's events, so that nothing is said here that is not durable first.
"""

from __future__ import annotations

import json
import secrets as random_secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.messages import WebhookRequest
from adapters.web_form import LONGEST_TEXT, SIGNATURE_HEADER, WebForm, WebFormConfig, signature, visitor_of
from bot.queue import INBOX, MEDIA
from bot.runtime import Runtime
from bot.stores import StoreAway
from bot.usecases import sealed_files
from bot.usecases.form_files import reference_to
from bot.usecases.media import NotWhatItSays, check
from bot.usecases.problems import Problem
from bot.usecases.tokens import channel_config
from storage.blobs import let_go
from storage.channels import Channel
from storage.communes import Commune
from storage.contacts import Conversation, Urn
from storage.deliveries import Delivery
from storage.enums import DeliveryKind, DeliveryState, Direction, InboundState
from storage.ingest import Ingest, NewEvent
from storage.intake import next_number
from storage.messages import Attachment, InboundEvent, Message
from storage.sealing import open_words

log = structlog.get_logger()

MOST_FILES, LARGEST_FILE = 4, 8_000_000
MOST_BYTES = 25_000_000  # of one form altogether
A_NAME, A_PHONE = 120, 20
# A village may share one address of its operator; a machine that writes without an end must not.
MOST_AN_HOUR = 60
CLOSED = "is_closed"  # a page on which only officials write
SHOWN = 200


class FormProblem(Problem):
    """What was written cannot be taken in as it is; nothing of it is lost, it stands in the form."""


@dataclass(frozen=True)
class Page:
    """A commune's page: its channel, and whose it is."""

    channel: Channel
    commune: Commune


@dataclass(frozen=True)
class SentFile:
    """A file that came with the form."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Written:
    """What was filled in. `once`: made with the form, so that sending it twice says it once."""

    once: str
    text: str
    files: Sequence[SentFile] = ()
    pin: tuple[float, float] | None = None
    name: str = ""
    phone: str = ""
    has_consented: bool = False


@dataclass(frozen=True)
class Entering:
    """An official who writes down what a citizen says: who, and whether they came ("desk") or called ("phone")."""

    official_id: int
    how: str


@dataclass(frozen=True)
class Line:
    """One thing said, as the citizen's page shows it: by us or by them, when, and which files came with it."""

    is_ours: bool
    text: str
    at: datetime
    images: int = 0
    others: int = 0
    image: int | None = None


@dataclass
class Talk:
    """All that the page of a link shows; `is_waiting`: something of it has not been read by the gateway yet."""

    page: Page
    lines: list[Line] = field(default_factory=list)
    choices: tuple[str, ...] = ()
    is_waiting: bool = False


def page_of(runtime: Runtime, slug: str) -> Page | None:
    """The page with this name in its address, if its channel is open."""
    query = (
        sa.select(Channel, Commune)
        .join(Commune, Commune.id == Channel.commune_id)
        .where(Channel.slug == slug, Channel.type == WebForm.type, Channel.is_active)
    )
    with runtime.database.reading() as session:
        found = session.execute(query).first()
    return Page(found[0], found[1]) if found else None


def new_link() -> str:
    """A secret that nobody guesses; it stands in one citizen's address bar and nowhere here."""
    return random_secrets.token_urlsafe(24)


def write(
    runtime: Runtime, page: Page, link: str, written: Written, *, address: str = "", by: Entering | None = None
) -> None:
    """Keep what a citizen wrote, once, and see to it soon. FormProblem says in words what must be changed.

    `address`: where the browser is, to stop a machine. `by`: the official who writes it down for them.
    """
    _check(written)
    if by is None:
        _not_too_often(runtime, page, address)
    config: WebFormConfig = channel_config(runtime, page.channel)
    kept = _kept(runtime, written.files)
    try:
        said = _body(runtime, page, link, written, kept)
        is_new = _store(runtime, page, config, said | _entering(by))
    except BaseException:
        _let_go(runtime, kept)
        raise
    if not is_new:  # the first one may have come with other photos: nobody would ever erase these
        _let_go(runtime, kept)
    runtime.nudge(INBOX)


def read(runtime: Runtime, page: Page, link: str) -> Talk | None:
    """What was said under this link so far, and that it was seen; None when nobody has written under it."""
    talk = Talk(page)
    address = f"web:{visitor_of(link)}"
    with runtime.database.reading() as session:
        waiting = sa.select(InboundEvent.id).where(
            InboundEvent.channel_id == page.channel.id,
            InboundEvent.conversation_key == address,
            InboundEvent.state == InboundState.WAITING,
        )
        talk.is_waiting = session.scalar(waiting.limit(1)) is not None
        conversation = session.scalar(
            sa.select(Conversation)
            .join(Urn, Urn.id == Conversation.urn_id)
            .where(Urn.channel_id == page.channel.id, Urn.value == address)
        )
        if conversation is None:
            return talk if talk.is_waiting else None
        talk.lines, talk.choices = _lines(session, conversation)
    _seen(runtime, conversation.id)
    return talk


def picture(runtime: Runtime, page: Page, link: str, message_id: int) -> bytes | None:
    """The photo of an answer, for whoever holds the link of its talk."""
    query = (
        sa.select(Delivery.image_blob)
        .join(Conversation, Conversation.id == Delivery.conversation_id)
        .join(Urn, Urn.id == Conversation.urn_id)
        .where(
            Delivery.message_id == message_id,
            Urn.channel_id == page.channel.id,
            Urn.value == f"web:{visitor_of(link)}",
            Delivery.image_blob.is_not(None),
            Delivery.state.in_(_ON_THE_PAGE),
        )
    )
    with runtime.database.reading() as session:
        blob = session.scalar(query.limit(1))
    return sealed_files.read(runtime, blob) if blob else None


SEALED_LINE = "Nội dung ông/bà gửi đã được niêm phong nên không hiện lại ở đây."
_ON_THE_PAGE = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ)


def _check(written: Written) -> None:
    if not written.text.strip() and not written.files:
        raise FormProblem("Chưa có nội dung. Ông/bà vui lòng viết sự việc, hoặc gửi kèm ảnh.")
    if len(written.text) > LONGEST_TEXT:
        raise FormProblem("Nội dung dài hơn %(most)s ký tự. Ông/bà vui lòng viết ngắn hơn.", most=LONGEST_TEXT)
    if (written.name or written.phone) and not written.has_consented:
        raise FormProblem(
            "Ông/bà chưa đánh dấu đồng ý cho lưu họ tên, số điện thoại. Vui lòng đánh dấu, hoặc để trống hai ô ấy; "
            "phản ánh vẫn được xử lý."
        )
    digits = "".join(c for c in written.phone if c.isdecimal())
    if written.phone and not 9 <= len(digits) <= 12:
        raise FormProblem("Số điện thoại chưa đúng. Ông/bà vui lòng xem lại, ví dụ 0912 345 678.")
    if len(written.files) > MOST_FILES:
        raise FormProblem("Mỗi lần gửi được %(most)s ảnh. Ông/bà vui lòng gửi thêm ở lần sau.", most=MOST_FILES)
    for one in written.files:
        if len(one.data) > LARGEST_FILE:
            raise FormProblem("Ảnh “%(ten)s” lớn hơn 8 MB. Ông/bà vui lòng chọn ảnh nhỏ hơn.", ten=one.name[:60])
        try:
            check(one.data, "image", None)
        except NotWhatItSays:
            raise FormProblem(
                "Tệp “%(ten)s” không phải ảnh đọc được. Ông/bà vui lòng chọn ảnh khác.", ten=one.name[:60]
            ) from None


def _not_too_often(runtime: Runtime, page: Page, address: str) -> None:
    now = runtime.now()
    # The address itself is nobody's business: a digest that changes with the day is enough to count.
    who = sha256(f"{address}|{now:%Y%m%d}|{page.channel.slug}".encode()).hexdigest()[:16]
    with runtime.database.transaction() as session:
        count = next_number(session, f"form:{page.channel.id}", f"{who}:{now:%H}", f"{now:%Y-%m-%d}")
    if count > MOST_AN_HOUR:
        raise FormProblem(
            "Từ mạng này đã gửi nhiều phản ánh trong một giờ. Ông/bà vui lòng thử lại sau, hoặc gọi %(dt)s.",
            dt=str(dict(page.commune.settings).get("duty_phone") or "113 / 114 / 115 / 112"),
        )


def _entering(by: Entering | None) -> dict[str, object]:
    return {"by": by.official_id, "how": by.how} if by else {}


def _body(
    runtime: Runtime, page: Page, link: str, written: Written, kept: list[tuple[SentFile, str]]
) -> dict[str, object]:
    return {
        "event": "message",
        "account": page.channel.account,
        "id": f"{visitor_of(link)[:8]}-{written.once}"[:80],
        "visitor": visitor_of(link),
        "at": int(runtime.now().timestamp() * 1000),
        "text": written.text.strip(),
        "files": [
            {"kind": "image", "blob": reference_to(runtime, page.channel, blob), "name": one.name[:200]}
            for one, blob in kept
        ],
        "pin": list(written.pin) if written.pin else None,
        "name": written.name.strip()[:A_NAME],
        "phone": written.phone.strip()[:A_PHONE],
        "consent": written.has_consented,
    }


def _kept(runtime: Runtime, files: Sequence[SentFile]) -> list[tuple[SentFile, str]]:
    """The files with the names they are kept under; all of them or none."""
    kept: list[tuple[SentFile, str]] = []
    try:
        for one in files:
            kept.append((one, runtime.blobs.keep(one.data)))  # noqa: PERF401 - what was kept before a failure is let go
        if not all(runtime.blobs.confirm(blob) for _, blob in kept):
            raise StoreAway("erased_meanwhile")
    except StoreAway as error:
        log.error("form.store_away", code=error.code)
        _let_go(runtime, kept)
        raise FormProblem(
            "Hiện chưa nhận được ảnh. Ông/bà vui lòng gửi lại sau ít phút, hoặc gửi ngay bằng lời, không kèm ảnh."
        ) from None
    return kept


def _let_go(runtime: Runtime, kept: list[tuple[SentFile, str]]) -> None:
    if kept:
        with runtime.database.transaction() as session:
            let_go(session, [blob for _, blob in kept], runtime.now())
        runtime.nudge(MEDIA)


def _store(runtime: Runtime, page: Page, config: WebFormConfig, said: dict[str, object]) -> bool:
    """Make it durable; False when it is already."""
    body = json.dumps(said, ensure_ascii=False).encode()
    request = WebhookRequest("POST", {SIGNATURE_HEADER: signature(body, config.signing_key)}, body)
    envelope = WebForm().admit(request, config)
    event = NewEvent(
        commune_id=page.channel.commune_id,
        channel_id=page.channel.id,
        key=envelope.key,
        event_name=envelope.event_name,
        conversation_key=envelope.conversation,
        body=body,
        occurred_at=envelope.occurred_at,
        received_at=runtime.now(),
    )
    ingest = Ingest(runtime.database)
    try:
        is_new = sum(ingest.write([event], {}).values()) > 0
    finally:
        ingest.close()
    log.info("form.written", channel=page.channel.slug, is_new=is_new)
    return is_new


def _lines(session: Session, conversation: Conversation) -> tuple[list[Line], tuple[str, ...]]:
    open_words(session)  # what was answered in secret is theirs to read
    query = (
        sa.select(Message)
        .where(Message.conversation_id == conversation.id, Message.part_of_id.is_(None))
        .order_by(Message.occurred_at.desc(), Message.id.desc())
        .limit(SHOWN)
    )
    messages = list(session.scalars(query))[::-1]
    ids = [message.id for message in messages]
    sent = {
        row.message_id: row
        for row in session.scalars(
            sa.select(Delivery).where(
                Delivery.message_id.in_(ids), Delivery.urn_id == conversation.urn_id, Delivery.state.in_(_ON_THE_PAGE)
            )
        )
    }
    files: dict[int, list[str]] = {}
    for message_id, kind in session.execute(
        sa.select(Attachment.message_id, Attachment.kind).where(Attachment.message_id.in_(ids))
    ):
        files.setdefault(message_id, []).append(kind)
    lines = []
    for message in messages:
        is_ours = message.direction is Direction.OUT
        if is_ours and message.id not in sent:
            continue  # written, but not handed over yet, or never
        kinds = files.get(message.id, [])
        photo = message.id if is_ours and sent[message.id].image_blob else None
        images = kinds.count("image")
        # Who finds the link must not learn from it what was told in secret.
        text = message.text if is_ours or message.sealed is None else SEALED_LINE
        lines.append(Line(is_ours, text, message.occurred_at, images, len(kinds) - images, photo))
    lines = sorted([*lines, *_announced(session, conversation)], key=lambda line: line.at)
    return lines[-SHOWN:], _choices(messages, sent)


def _announced(session: Session, conversation: Conversation) -> list[Line]:
    """What was announced to them; it is nobody's message in the talk."""
    query = sa.select(Delivery.text, Delivery.sent_at).where(
        Delivery.conversation_id == conversation.id,
        Delivery.kind == DeliveryKind.ANNOUNCEMENT,
        Delivery.state.in_(_ON_THE_PAGE),
        Delivery.sent_at.is_not(None),
    )
    return [Line(True, text, at) for text, at in session.execute(query.order_by(Delivery.id.desc()).limit(SHOWN))][::-1]


def _choices(messages: Sequence[Message], sent: dict[int | None, Delivery]) -> tuple[str, ...]:
    """The answers to the latest question, if nothing has been said to it yet."""
    for message in reversed(messages):
        if message.direction is not Direction.OUT:
            return ()
        if message.id in sent and sent[message.id].choices:
            return tuple(sent[message.id].choices or ())
    return ()


def _seen(runtime: Runtime, conversation_id: int) -> None:
    """The page is open: what stands on it has been read."""
    unread = (Delivery.conversation_id == conversation_id, Delivery.state == DeliveryState.SENT)
    with runtime.database.reading() as session:
        if session.scalar(sa.select(Delivery.id).where(*unread).limit(1)) is None:
            return
    with runtime.database.transaction() as session:
        now = runtime.now()
        session.execute(
            sa.update(Delivery).where(*unread).values(state=DeliveryState.READ, delivered_at=now, read_at=now)
        )
