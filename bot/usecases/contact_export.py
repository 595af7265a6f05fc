"""Export of a contact: everything held on a person, as a ZIP that people and machines read; written down.

What officials wrote for each other, or have not sent, is not in it: it may speak of others.
"""

from __future__ import annotations

import json
import mimetypes
import tempfile
import zipfile
from contextlib import suppress
from datetime import datetime
from html import escape
from typing import IO, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot import texts
from bot.access import audit, sees_sealed
from bot.rules import spreadsheet
from bot.rules.revealing import TO_EXPORT, reason_given
from bot.runtime import Runtime
from bot.usecases import sealed_files
from bot.usecases.contact_files import contact_for, said_by, tickets_of, urns_of
from bot.usecases.looks import EXPORTED, REVEALED, without_personal_data
from bot.usecases.telling import label
from storage.audit import AuditEntry
from storage.bulletins import Telling
from storage.communes import Commune
from storage.contacts import Contact
from storage.enums import AttachmentState, Direction
from storage.groups import Group, Membership
from storage.messages import Attachment
from storage.officials import Official
from storage.safety import SafetyAnswer
from storage.sealing import KeyLost, open_words
from storage.subscriptions import Subscription
from storage.tickets import Ticket, TicketEvent

IN_MEMORY = 8_000_000


def export(runtime: Runtime, official: Official, contact_id: int, *, why: str, words: str, address: str) -> IO[bytes]:
    """The ZIP, ready to be read; who has it made, when and for what is written down before. NotFound, NotAllowed."""
    chosen, said = reason_given(why, words, TO_EXPORT)
    now = runtime.now()
    with runtime.database.transaction() as session:
        contact_for(session, official, contact_id)
        more = {"words": without_personal_data(said)} if said else {}
        audit(session, official, EXPORTED, f"contact:{contact_id}", now, address, why=chosen.value, **more)
        for ticket in (one for one in tickets_of(session, official, contact_id) if one.is_sealed):
            audit(session, official, "ticket.sealed_viewed", f"ticket:{ticket.id}", now, address)
    with runtime.database.reading() as session:
        contact = contact_for(session, official, contact_id)
        if sees_sealed(official):
            open_words(session)
        found = _gathered(session, official, contact, now)
        files = _files(session, official, contact_id)
    archive: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - whoever reads it closes it
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("du-lieu.json", json.dumps(found, ensure_ascii=False, indent=1))
        made.writestr("doc.html", _page(found))
        made.writestr("tin-nhan.csv", _table(found["messages"]))
        made.writestr("phan-anh.csv", _table(found["tickets"]))
        for number, name in files:
            with suppress(KeyLost):
                if (data := sealed_files.read(runtime, number)) is not None:
                    made.writestr(name, data)
    archive.seek(0)
    return archive


def _gathered(session: Session, official: Official, contact: Contact, now: datetime) -> dict[str, Any]:
    met = urns_of(session, contact.id)
    names = {channel.id: channel.name for _, channel in met}
    tickets = tickets_of(session, official, contact.id)
    codes = {ticket.id: ticket.code for ticket in tickets}
    said = session.execute(said_by(official, contact.id)).all()
    wishes = session.scalars(sa.select(Subscription).where(Subscription.urn_id.in_([urn.id for urn, _ in met])))
    safe = session.scalars(sa.select(SafetyAnswer).where(SafetyAnswer.urn_id.in_([urn.id for urn, _ in met])))
    return {
        "commune": session.get_one(Commune, contact.commune_id).name,
        "made_at": _at(now),
        "person": {
            "name": contact.name, "phone": contact.phone, "address": contact.address, "consent": contact.consent,
            "consent_at": _at(contact.consent_at), "known_since": _at(contact.created_at),
            "erased_at": _at(contact.erased_at),
        },
        "channels": [
            {
                "channel": channel.name, "address": urn.value, "follows": urn.is_following,
                "no_announcements_since": _at(urn.opted_out_at), "last_seen": _at(urn.last_interaction_at),
            }
            for urn, channel in met
        ],
        "wishes": [{"topic": one.topic, "since": _at(one.since)} for one in wishes],
        "safety": [{"answer": one.answer.value, "at": _at(one.at)} for one in safe],
        "groups": _groups(session, [urn.id for urn, _ in met]),
        "told_in_person": [{"at": _at(at)} for at in session.scalars(_told(contact.id))],
        "tickets": [_ticket(session, ticket) for ticket in tickets],
        "messages": [
            {
                "at": _at(message.occurred_at), "channel": names.get(talk.channel_id, ""),
                "who": "người dân" if message.direction is Direction.IN else "địa phương",
                "ticket": codes.get(message.ticket_id or 0, ""), "text": message.text,
            }
            for message, talk in sorted(said, key=lambda row: (row[0].occurred_at, row[0].id))
        ],
        "files": [{"file": name} for _, name in _files(session, official, contact.id)],
        "looks": _looks(session, contact.id, list(codes)),
    }  # fmt: skip


def _groups(session: Session, urn_ids: list[int]) -> list[dict[str, Any]]:
    """The groups they are in or were in, and whose word put them there."""
    query = (
        sa.select(Membership, Group.name)
        .join(Group, Group.id == Membership.group_id)
        .where(Membership.urn_id.in_(urn_ids))
        .order_by(Membership.id)
    )
    return [
        {
            "group": name, "since": _at(one.since), "left": _at(one.left_at),
            "by": "cán bộ" if one.joined_by_id else "người dân", "why": one.reason,
        }
        for one, name in session.execute(query)
    ]  # fmt: skip


def _told(contact_id: int) -> sa.Select[tuple[datetime]]:
    return sa.select(Telling.at).where(Telling.contact_id == contact_id).order_by(Telling.id)


def _ticket(session: Session, ticket: Ticket) -> dict[str, Any]:
    events = session.execute(
        sa.select(TicketEvent.kind, TicketEvent.at).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id)
    )
    return {
        "code": ticket.code, "topic": label(ticket.topic) if ticket.topic else "", "state": ticket.state.value,
        "place": ticket.place_text or "", "latitude": ticket.latitude, "longitude": ticket.longitude,
        "opened_at": _at(ticket.opened_at), "due_at": _at(ticket.due_at), "answered_at": _at(ticket.answered_at),
        "closed_at": _at(ticket.closed_at), "rating": ticket.rating, "anonymous": ticket.is_anonymous,
        "history": [f"{_at(at)} {kind.value}" for kind, at in events],
    }  # fmt: skip


def _files(session: Session, official: Official, contact_id: int) -> list[tuple[str, str]]:
    """The files of a person: the name in our store, and in the archive; nothing a stranger chose is in a name."""
    mine = said_by(official, contact_id).subquery()
    rows = session.scalars(
        sa.select(Attachment)
        .where(Attachment.message_id.in_(sa.select(mine.c.id)), Attachment.state == AttachmentState.STORED)
        .order_by(Attachment.id)
    )
    return [
        (row.blob, f"tep/{row.id}{mimetypes.guess_extension(row.mime or '') or '.bin'}") for row in rows if row.blob
    ]


def _looks(session: Session, contact_id: int, ticket_ids: list[int]) -> list[dict[str, Any]]:
    """When and for what their personal data was shown or exported."""
    targets = [f"contact:{contact_id}", *(f"ticket:{number}" for number in ticket_ids)]
    rows = session.scalars(
        sa.select(AuditEntry)
        .where(AuditEntry.target.in_(targets), AuditEntry.action.in_([REVEALED, EXPORTED]))
        .order_by(AuditEntry.id)
    )
    return [{"at": _at(row.at), "what": row.action, "why": row.data.get("why", "")} for row in rows]


def _table(rows: list[dict[str, Any]]) -> str:
    heads = list(rows[0]) if rows else []
    cells = [[_plain(row[name]) for name in heads] for row in rows]
    return spreadsheet.table([heads, *cells])


def _plain(value: Any) -> Any:
    return "; ".join(value) if isinstance(value, list) else value


def _page(found: dict[str, Any]) -> str:
    """The same to read: every word is text, whatever it looks like."""
    heads = {"person": "Người dân", "channels": "Kênh", "wishes": "Tin muốn nhận", "groups": "Nhóm",
             "told_in_person": "Được báo trực tiếp", "tickets": "Phản ánh",
             "messages": "Tin nhắn", "files": "Tệp", "looks": "Lượt xem dữ liệu"}  # fmt: skip
    parts = []
    for key, title in heads.items():
        rows = [found[key]] if isinstance(found[key], dict) else found[key]
        parts.append(f"<h2>{title}</h2>" + ("".join(_list(row) for row in rows) or "<p>Không có.</p>"))
    title = f"Dữ liệu {escape(found['commune'])} giữ về ông/bà, {escape(found['made_at'])}"
    return (
        f'<!doctype html><html lang="vi"><meta charset="utf-8"><title>{title}</title>'
        f"<style>body{{font:16px/1.5 sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}}"
        f"dl{{border-top:1px solid #ccc;padding:.5rem 0;margin:0}}dt{{color:#555}}dd{{margin:0 0 .25rem 1rem;"
        f"white-space:pre-wrap}}</style><h1>{title}</h1>{''.join(parts)}</html>"
    )


def _list(row: dict[str, Any]) -> str:
    shown = {name: _plain(value) for name, value in row.items() if value not in (None, "", [])}
    return "<dl>" + "".join(f"<dt>{_WORDS.get(n, n)}</dt><dd>{escape(str(v))}</dd>" for n, v in shown.items()) + "</dl>"


def _at(moment: datetime | None) -> str:
    return texts.moment(moment) if moment is not None else ""


_WORDS = {
    "name": "Họ tên", "phone": "Số điện thoại", "address": "Địa chỉ", "consent": "Đồng ý lưu", "consent_at": "Từ lúc",
    "known_since": "Biết từ", "erased_at": "Đã xóa lúc", "channel": "Kênh", "follows": "Đang quan tâm",
    "no_announcements_since": "Ngừng nhận thông báo từ", "last_seen": "Lần cuối", "topic": "Lĩnh vực", "since": "Từ",
    "code": "Mã", "state": "Trạng thái", "place": "Địa điểm", "latitude": "Vĩ độ", "longitude": "Kinh độ",
    "opened_at": "Nhận lúc", "due_at": "Hạn", "answered_at": "Trả lời lúc", "closed_at": "Kết thúc lúc",
    "rating": "Đánh giá", "anonymous": "Ẩn danh", "history": "Lịch sử", "at": "Lúc", "who": "Ai", "ticket": "Phản ánh",
    "text": "Lời", "file": "Tệp", "what": "Việc", "why": "Lý do",
    "group": "Nhóm", "left": "Rời nhóm lúc", "by": "Ai ghi",
}  # fmt: skip
