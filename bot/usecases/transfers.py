"""Transfers: a ticket handed to a body outside with a phiếu chuyển. Sent, acknowledged and answered are three facts.

The ticket stays ours until an official has passed the body's answer on to the citizen.
"""

from __future__ import annotations

import secrets as random_secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, aliased

from bot import texts
from bot.access import NotFound, audit, may_direct, roles_on, sees_names
from bot.papers.typeset import FontsMissing
from bot.queue import REPLIES
from bot.rules.deadlines import VIETNAM
from bot.rules.lifecycle import LONGEST_WORDS, Given, NotAllowed, check
from bot.runtime import Runtime
from bot.usecases import papers
from bot.usecases.answered import tell_joined
from bot.usecases.clocks import calendar_of
from bot.usecases.communes import CommuneBook
from bot.usecases.desk import Desk, at_desk
from bot.usecases.slips import Asked, gather
from storage.agencies import Agency
from storage.communes import Commune
from storage.enums import EventKind, TicketState, TransferLineKind, TransferState
from storage.officials import Official
from storage.papers import Paper, Transfer, TransferLine
from storage.tickets import Ticket, TicketEvent

log = structlog.get_logger()

FURTHEST_DAYS = 180
LINK_DAYS, USUAL_LINK_DAYS = "transfer_link_days", 30  # a setting of a commune
_NEAR = 0.75


@dataclass(frozen=True)
class Wish:
    """What an official wants to hand over: to a body of the list, a commune served here or one in words; with what.

    `has_consent`: the citizen told the official that another commune may have it.
    """

    agency_id: int | None = None
    commune_id: int | None = None
    body: str = ""
    by_date: date | None = None
    summary: str = ""
    request: str = ""
    has_identity: bool = False
    has_photos: bool = True
    has_link: bool = False
    has_consent: bool = False


@dataclass(frozen=True)
class Receiver:
    """Who may get a ticket: an agency outside, or a commune."""

    kind: str
    id: int
    name: str


@dataclass(frozen=True)
class Sent:
    """A transfer that was made; `address`: its link, which nobody can be shown again."""

    transfer_id: int
    sign: str
    address: str = ""


@dataclass(frozen=True)
class Handed:
    """A transfer as the ticket's page shows it. `is_late`: the day it was expected on is over.

    `there`: the ticket it became in a commune served here.
    """

    transfer: Transfer
    paper: Paper
    is_late: bool
    has_link: bool
    may_open: bool
    there: Ticket | None = None
    lines: list[tuple[TransferLine, str | None]] = field(default_factory=list)

    @property
    def answer(self) -> TransferLine | None:
        """The body's latest answer."""
        return next((one for one, _ in reversed(self.lines) if one.kind is TransferLineKind.ANSWER), None)


def receivers(runtime: Runtime, official: Official) -> tuple[list[Receiver], list[Receiver]]:
    """The bodies outside that the commune has written down, and the other communes served here, each by name.

    A rehearsal has only rehearsals for neighbours.
    """
    bodies = sa.select(sa.literal("agency").label("kind"), Agency.id, Agency.name).where(
        Agency.commune_id == official.commune_id, Agency.is_external.is_(True), Agency.is_active.is_(True)
    )
    others = _neighbours(official.commune_id).with_only_columns(sa.literal("commune"), Commune.id, Commune.name)
    with runtime.database.reading() as session:
        found = [Receiver(*row) for row in session.execute(sa.union_all(bodies, others).order_by("name"))]
    return [one for one in found if one.kind == "agency"], [one for one in found if one.kind == "commune"]


def _neighbours(commune_id: int) -> sa.Select[tuple[Commune]]:
    own = sa.select(Commune.is_demo).where(Commune.id == commune_id).scalar_subquery()
    return sa.select(Commune).where(Commune.id != commune_id, Commune.is_demo == own)


def agreed_to(session: Session, ticket_id: int, locality_code: str) -> bool:
    """Whether the citizen said in the chat that this commune may have the report; the latest word counts."""
    query = sa.select(TicketEvent.data).where(TicketEvent.ticket_id == ticket_id, TicketEvent.kind == EventKind.NOTED)
    for data in session.scalars(query.order_by(TicketEvent.id.desc())):
        if data.get("forward_to") == locality_code:
            return bool(data.get("agreed"))
    return False


def handed(runtime: Runtime, official: Official, ticket: Ticket) -> list[Handed]:
    """The transfers of a ticket the official sees, the latest first."""
    now = runtime.now()
    elsewhere = aliased(Ticket)
    with runtime.database.reading() as session:
        found = session.execute(
            sa.select(Transfer, Paper, elsewhere)
            .join(Paper, Paper.id == Transfer.paper_id)
            .outerjoin(elsewhere, elsewhere.id == Transfer.to_ticket_id)
            .where(Transfer.ticket_id == ticket.id)
            .order_by(Transfer.id.desc())
        ).all()
        lines = _lines(session, [transfer.id for transfer, _, _ in found])
    today = now.astimezone(VIETNAM).date()
    return [
        Handed(
            transfer,
            paper,
            is_late=transfer.state.is_open and transfer.expected_on < today,
            has_link=transfer.link_digest is not None and transfer.link_expires_at is not None
            and transfer.link_expires_at > now,
            may_open=bool(paper.facts) and (not paper.facts.get("reporter") or sees_names(official, ticket)),
            there=there,
            lines=lines.get(transfer.id, []),
        )
        for transfer, paper, there in found
    ]  # fmt: skip


def _lines(session: Session, ids: list[int]) -> dict[int, list[tuple[TransferLine, str | None]]]:
    rows = session.execute(
        sa.select(TransferLine, Official.name)
        .outerjoin(Official, Official.id == TransferLine.official_id)
        .where(TransferLine.transfer_id.in_(ids))
        .order_by(TransferLine.id)
    )
    found: dict[int, list[tuple[TransferLine, str | None]]] = {}
    for line, name in rows:
        found.setdefault(line.transfer_id, []).append((line, name))
    return found


def may_send(official: Official, ticket: Ticket) -> bool:
    """Whether the official may hand this ticket to a body outside now; what is sealed never leaves."""
    if ticket.is_sealed or ticket.is_spam or not may_direct(official):
        return False
    return ticket.state in {TicketState.RECEIVED, TicketState.IN_PROGRESS, TicketState.FORWARDED}


def may_name(official: Official, ticket: Ticket) -> bool:
    """Whether the citizen's name and telephone may go with it: never when they asked to stay unknown."""
    return sees_names(official, ticket) and not ticket.is_anonymous


# ---- what officials do ----------------------------------------------------------------------------------------------


def send(runtime: Runtime, official: Official, ticket_id: int, *, version: int, wish: Wish) -> Sent:
    """Issue the phiếu chuyển, hand the ticket over and tell the citizen; raises NotAllowed, Changed, EmptyVariable."""
    token = random_secrets.token_urlsafe(24) if wish.has_link else ""
    with at_desk(runtime, official, ticket_id, version) as desk:
        _must_be_sendable(desk, wish)
        agency, commune, body = _receiver(desk, wish)
        expected = _expected(desk, wish, body)
        paper = papers.issue(desk.session, official, ticket_id, papers.TRANSFER_SLIP, desk.now)
        asked = Asked(body, expected, wish.summary, wish.request, wish.has_identity, wish.has_photos)
        paper.facts = gather(desk, paper, asked).to_json()
        transfer = Transfer(
            commune_id=desk.ticket.commune_id,
            ticket_id=ticket_id,
            agency_id=agency.id if agency else None,
            to_commune_id=commune.id if commune else None,
            body=body,
            paper_id=paper.id,
            expected_on=expected,
            sent_at=desk.now,
            sent_by_id=official.id,
            remind_at=_reminder(desk.book, desk.now, expected),
        )
        desk.session.add(transfer)
        desk.session.flush()
        if token:
            _open_link(desk, transfer, token)
        _tell_and_move(desk, transfer, paper)
        audit(desk.session, official, "transfer.sent", f"transfer:{transfer.id}", desk.now, paper=paper.sign,
              has_identity=wish.has_identity)  # fmt: skip
        if commune is not None and wish.has_consent:
            words = f"Người dân đồng ý chuyển nội dung đến {commune.name}."
            desk.event(EventKind.NOTED, {"forward_to": commune.locality_code, "agreed": True}, words)
    runtime.nudge(REPLIES)
    _make_file(runtime, paper)
    return Sent(transfer.id, paper.sign, link_address(runtime, token) if token else "")


def _must_be_sendable(desk: Desk, wish: Wish) -> None:
    ticket = desk.ticket
    if ticket.is_sealed:
        raise NotAllowed("sealed", "Phản ánh niêm phong không chuyển ra ngoài bằng phiếu chuyển.")
    if ticket.is_spam:
        raise NotAllowed("is_spam", "Phản ánh đang trong tin rác. Anh/Chị khôi phục trước rồi làm tiếp.")
    if not may_direct(desk.official):
        raise NotAllowed("not_yours", "Tài khoản của Anh/Chị không được phép thực hiện bước này.")
    if wish.has_identity and not may_name(desk.official, ticket):
        raise NotAllowed(
            "anonymous",
            "Người dân xin ẩn danh nên không gửi kèm họ tên, số điện thoại. Anh/Chị bỏ dấu chọn rồi gửi lại.",
        )
    if max(len(wish.summary), len(wish.request)) > LONGEST_WORDS:
        raise NotAllowed("too_long", "Mỗi ô dài tối đa %(most)s ký tự. Anh/Chị vui lòng rút ngắn.", most=LONGEST_WORDS)


def _receiver(desk: Desk, wish: Wish) -> tuple[Agency | None, Commune | None, str]:
    agency = None
    if wish.commune_id is not None:
        commune = desk.session.scalar(_neighbours(desk.ticket.commune_id).where(Commune.id == wish.commune_id))
        if commune is None:
            raise NotAllowed("no_such_commune", "Không có địa phương này trong hệ thống.")
        if not (wish.has_consent or agreed_to(desk.session, desk.ticket.id, commune.locality_code)):
            raise NotAllowed(
                "needs_consent",
                "Người dân chưa đồng ý chuyển sang địa phương khác. Anh/Chị hỏi người dân rồi đánh dấu đã đồng ý.",
            )
        return None, commune, commune.name
    if wish.agency_id is not None:
        agency = desk.session.scalar(
            sa.select(Agency).where(
                Agency.id == wish.agency_id,
                Agency.commune_id == desk.ticket.commune_id,
                Agency.is_external.is_(True),
                Agency.is_active.is_(True),
            )
        )
        if agency is None:
            raise NotAllowed("no_such_agency", "Không có cơ quan này trong danh sách ngoài địa phương.")
    return agency, None, agency.name if agency else " ".join(wish.body.split())[:200]


def _expected(desk: Desk, wish: Wish, body: str) -> date:
    """The day its answer is expected by, after everything the step needs was looked at."""
    roles = roles_on(desk.official, desk.ticket)
    # A second body may be needed while the first one has it: that is no step of the lifecycle.
    source = desk.ticket.state if desk.ticket.state is not TicketState.FORWARDED else TicketState.IN_PROGRESS
    check(source, TicketState.FORWARDED, roles, Given(body=body, by_date=wish.by_date))
    today = desk.now.astimezone(VIETNAM).date()
    if wish.by_date is None or not today < wish.by_date <= today + timedelta(days=FURTHEST_DAYS):
        raise NotAllowed(
            "wrong_date", "Ngày dự kiến có kết quả phải sau hôm nay và trong vòng %(n)s ngày.", n=FURTHEST_DAYS
        )
    return wish.by_date


def _reminder(book: CommuneBook, now: datetime, expected: date) -> datetime:
    """Three quarters of the working time until the answer is expected."""
    calendar = calendar_of(book)
    return calendar.plus(now, int(calendar.between(now, _end_of(expected)) * _NEAR))


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(17), VIETNAM)


def _tell_and_move(desk: Desk, transfer: Transfer, paper: Paper) -> None:
    ticket = desk.ticket
    by_date = transfer.expected_on.isoformat()
    desk.event(EventKind.TRANSFER_SENT, {"transfer": transfer.id, "body": transfer.body, "sign": paper.sign,
                                         "by_date": by_date})  # fmt: skip
    if ticket.state is not TicketState.FORWARDED:
        desk.move(TicketState.FORWARDED, {"body": transfer.body, "by_date": by_date})
    told = {"coquan": transfer.body, "ngay": texts.day(desk.now), "han": f"{transfer.expected_on:%d/%m/%Y}"}
    text = desk.say("forwarded", **told)
    desk.owe(desk.write(text.words, template=text.key))
    tell_joined(desk, "forwarded", told)


def _make_file(runtime: Runtime, paper: Paper) -> None:
    try:
        papers.file_of(runtime, paper)
    except FontsMissing:  # the row is the promise: the file is made when somebody opens it
        log.exception("paper.not_made", paper_id=paper.id)


def renew_link(runtime: Runtime, official: Official, ticket_id: int, transfer_id: int, *, version: int) -> str:
    """A new one-time link for a body; the one before opens nothing any more. Gives its address, this once."""
    token = random_secrets.token_urlsafe(24)
    with at_transfer(runtime, official, ticket_id, transfer_id, version) as (desk, transfer):
        if transfer.state is TransferState.RECALLED or desk.ticket.is_sealed or desk.ticket.is_spam:
            raise NotAllowed("is_over", "Lần chuyển này đã thu hồi hoặc phản ánh đã niêm phong nên không mở đường dẫn.")
        _open_link(desk, transfer, token)
    return link_address(runtime, token)


def close_link(runtime: Runtime, official: Official, ticket_id: int, transfer_id: int, *, version: int) -> None:
    """The body's link opens nothing any more."""
    with at_transfer(runtime, official, ticket_id, transfer_id, version) as (desk, transfer):
        transfer.link_digest = transfer.link_expires_at = None
        audit(desk.session, official, "transfer.link_closed", f"transfer:{transfer.id}", desk.now)


@contextmanager
def at_transfer(
    runtime: Runtime, official: Official, ticket_id: int, transfer_id: int, version: int
) -> Iterator[tuple[Desk, Transfer]]:
    """One official at work on a transfer of the ticket on their desk. NotFound, NotAllowed, Changed."""
    with at_desk(runtime, official, ticket_id, version) as desk:
        if not may_direct(official):
            raise NotAllowed("not_yours", "Tài khoản của Anh/Chị không được phép thực hiện bước này.")
        query = sa.select(Transfer).where(Transfer.id == transfer_id, Transfer.ticket_id == ticket_id)
        transfer = desk.session.scalar(query)
        if transfer is None:
            raise NotFound
        yield desk, transfer


def link_address(runtime: Runtime, token: str) -> str:
    """Where a link leads."""
    return f"{runtime.settings.base_url}/chuyen/{token}"


def link_digest(runtime: Runtime, token: str) -> str:
    """What a link is recognised by."""
    return runtime.digest("transfer-link", token)


def _open_link(desk: Desk, transfer: Transfer, token: str) -> None:
    commune = desk.session.get_one(Commune, desk.ticket.commune_id)
    days = int(commune.settings.get(LINK_DAYS) or USUAL_LINK_DAYS)
    transfer.link_digest = link_digest(desk.runtime, token)
    transfer.link_expires_at = desk.now + timedelta(days=days)
    audit(desk.session, desk.official, "transfer.link_opened", f"transfer:{transfer.id}", desk.now, days=days)
