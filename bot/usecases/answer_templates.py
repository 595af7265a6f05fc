"""Answer templates: kept by those who keep the texts, filled with a ticket's facts for whoever answers it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot import texts
from bot.access import Forbidden, NotFound, audit, may_reply, ticket_for
from bot.rules.blanks import BLANK_AT_MOST, VARIABLES, BracesDoNotMatch, added_to, fill, names_in
from bot.rules.lifecycle import NotAllowed
from bot.rules.reply_checks import Concern, Draft, concerns
from bot.runtime import Runtime
from bot.usecases.communes import commune_book
from bot.usecases.problems import Problem
from bot.usecases.reply_concerns import numbers_of_commune
from bot.usecases.telling import label, usual
from bot.usecases.wordings import KEEPERS, SAMPLES
from nlp.normalise import fold
from nlp.topics import TOPICS
from storage.agencies import Agency
from storage.answers import AnswerTemplate, AnswerVersion
from storage.communes import Place, one_change_at_a_time
from storage.officials import Official
from storage.sealing import open_words
from storage.tickets import Ticket

log = structlog.get_logger()

__all__ = ["KEEPERS"]

NAME_AT_MOST, WORDS_AT_MOST, TEMPLATES_AT_MOST = 120, 3_000, 300
SHIPPED = Path(__file__).parent.parent / "catalogue" / "answer_templates.toml"


class AnswerProblem(Problem):
    """A template that cannot be kept as it is written."""


@dataclass(frozen=True)
class Written:
    """A template as it stands in the form; `topic` "" for all."""

    name: str
    topic: str
    words: str


@dataclass(frozen=True)
class Change:
    """A version somebody left."""

    version: int
    author: str
    at: datetime
    words: str
    is_archived: bool


def listing(
    runtime: Runtime, official: Official, *, search: str = "", is_archived: bool = False
) -> list[AnswerTemplate]:
    """The commune's templates that hold these words, with or without accents, by their names."""
    _must(official)
    with runtime.database.reading() as session:
        found = _all(session, official.commune_id)
    words = fold(search).split()
    return [
        one
        for one in found
        if one.is_archived is is_archived and all(word in fold(f"{one.name} {one.words}") for word in words)
    ]


def find(runtime: Runtime, official: Official, number: int) -> AnswerTemplate:
    """One template; NotFound when there is none such."""
    _must(official)
    with runtime.database.reading() as session:
        return _one(session, official, number)


def changes(runtime: Runtime, official: Official, number: int) -> list[Change]:
    """Who left which version, the latest first."""
    _must(official)
    query = (
        sa.select(AnswerVersion, Official.name)
        .join(Official, Official.id == AnswerVersion.official_id)
        .where(AnswerVersion.template_id == number, AnswerVersion.commune_id == official.commune_id)
        .order_by(AnswerVersion.version.desc())
    )
    with runtime.database.reading() as session:
        return [Change(v.version, name, v.at, v.words, v.is_archived) for v, name in session.execute(query)]


def preview(runtime: Runtime, official: Official, written: Written) -> str:
    """How it would stand in the field, with invented particulars. Raises AnswerProblem."""
    _must(official)
    with runtime.database.reading() as session:
        written = _checked(session, official, written)
        known = SAMPLES | usual(commune_book(session, official.commune_id))
    return fill(written.words, {"ma": SAMPLES["ma"], **known})


def save(runtime: Runtime, official: Official, written: Written, *, number: int | None = None, version: int = 0) -> int:
    """Add a template, or change one as it was at `version`; gives its number. Raises AnswerProblem, NotFound."""
    _must(official)
    with runtime.database.transaction() as session:
        one_change_at_a_time(session, official.commune_id)
        written = _checked(session, official, written)
        known = _all(session, official.commune_id)
        _must_be_new(written.name, known, number)
        if number is None:
            if len(known) >= TEMPLATES_AT_MOST:
                raise AnswerProblem("Đã có %(n)s mẫu trả lời, không thêm được nữa.", n=TEMPLATES_AT_MOST)
            row = AnswerTemplate(commune_id=official.commune_id, version=0, is_archived=False)
        else:
            row = _one(session, official, number)
            if row.version != version:
                raise AnswerProblem("Mẫu này vừa được người khác sửa nên chưa lưu. Vui lòng mở lại, xem bản mới.")
        row.name, row.topic, row.words = written.name, written.topic or None, written.words
        return _keep(session, runtime, official, row, "answer_template.saved")


def set_archived(runtime: Runtime, official: Official, number: int, *, is_archived: bool) -> None:
    """Offer it to nobody any more, or again; nothing is deleted."""
    _must(official)
    with runtime.database.transaction() as session:
        one_change_at_a_time(session, official.commune_id)
        row = _one(session, official, number)
        if row.is_archived is not is_archived:
            row.is_archived = is_archived
            action = "answer_template.archived" if is_archived else "answer_template.restored"
            _keep(session, runtime, official, row, action)


def add_shipped(runtime: Runtime, official: Official) -> int:
    """Take those that ship into the commune's list, but for names it has already; gives how many."""
    _must(official)
    shipped = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))["template"]
    with runtime.database.transaction() as session:
        one_change_at_a_time(session, official.commune_id)
        names = {fold(one.name) for one in _all(session, official.commune_id)}
        new = [one for one in shipped if fold(one["name"]) not in names]
        for one in new:
            written = _checked(session, official, Written(one["name"], one.get("topic", ""), one["words"]))
            row = AnswerTemplate(commune_id=official.commune_id, version=0, is_archived=False)
            row.name, row.topic, row.words = written.name, written.topic or None, written.words
            _keep(session, runtime, official, row, "answer_template.saved")
    return len(new)


def fill_for(runtime: Runtime, official: Official, ticket_id: int, template: int | None, typed: str) -> str:
    """What stands in the field when a template is filled for this ticket behind what was typed.

    Raises NotFound, Forbidden, NotAllowed when none was chosen.
    """
    with runtime.database.reading() as session:
        ticket = ticket_for(session, official, ticket_id)
        if not may_reply(official, ticket):
            raise Forbidden
        if ticket.is_sealed:
            open_words(session)
        row = session.get(AnswerTemplate, template) if template else None
        if row is None or row.commune_id != official.commune_id or row.is_archived:
            raise NotAllowed("no_template", "Anh/Chị chưa chọn mẫu trả lời.")
        return added_to(typed, fill(row.words, _known(session, runtime, ticket)))


def _known(session: Session, runtime: Runtime, ticket: Ticket) -> dict[str, str]:
    """What the ticket and its commune know."""
    agency = session.get(Agency, ticket.agency_id) if ticket.agency_id else None
    person = session.get(Official, ticket.official_id) if ticket.official_id else None
    place = session.get(Place, ticket.place_id) if ticket.place_id else None
    return usual(commune_book(session, ticket.commune_id), ticket) | {
        "linhvuc": label(ticket.topic) if ticket.topic else "",
        "diadiem": ticket.place_text or (place.name if place else ""),
        "donvi": agency.name if agency else "",
        "nguoi": (person.name if person else None) or (agency.contact_name if agency else None) or "",
        "dt": (agency.phone if agency else None) or "",
        "han": texts.moment(ticket.due_at) if ticket.due_at else "",
        "ngay": texts.day(runtime.now()),
    }


def _checked(session: Session, official: Official, written: Written) -> Written:
    name = " ".join(written.name.replace("\0", "").split())
    words = "\n".join(
        line.rstrip() for line in written.words.replace("\r\n", "\n").replace("\0", "").strip().splitlines()
    )
    if not name or not words:
        raise AnswerProblem("Tên mẫu và nội dung không được để trống.")
    if len(name) > NAME_AT_MOST or len(words) > WORDS_AT_MOST:
        raise AnswerProblem("Tên mẫu dài nhất %(n)s ký tự, nội dung dài nhất %(m)s.", n=NAME_AT_MOST, m=WORDS_AT_MOST)
    if written.topic and written.topic not in TOPICS:
        raise AnswerProblem("Lĩnh vực này không có trong danh sách.")
    try:
        unknown = [one for one in names_in(words) if one not in VARIABLES]
    except BracesDoNotMatch:
        raise AnswerProblem("Dấu ngoặc { } chưa khớp. Mỗi chỗ điền viết như {ma}.") from None
    if unknown:
        known = ", ".join("{" + one + "}" for one in VARIABLES)
        raise AnswerProblem("Không có chỗ điền %(sai)s. Dùng được: %(dung)s.", sai="{" + unknown[0] + "}", dung=known)
    if any(len(one) > BLANK_AT_MOST for one in re.findall(r"\[([^\[\]]*)\]", words)):
        raise AnswerProblem("Chỗ tự điền trong [ ] dài nhất %(n)s ký tự, trên một dòng.", n=BLANK_AT_MOST)
    ours = frozenset(numbers_of_commune(session, official.commune_id))
    if Concern.OTHERS_DATA in concerns(Draft(words, known=ours)):
        raise AnswerProblem(
            "Mẫu có số điện thoại, số giấy tờ hoặc biển số không phải của cơ quan. Anh/Chị vui lòng bỏ ra, "
            "vì mẫu được dùng cho nhiều người."
        )
    return Written(name, written.topic, words)


def _must_be_new(name: str, known: Iterable[AnswerTemplate], number: int | None) -> None:
    if any(fold(one.name) == fold(name) and one.id != number for one in known):
        raise AnswerProblem("Đã có mẫu tên “%(ten)s”. Anh/Chị vui lòng đặt tên khác.", ten=name)


def _keep(session: Session, runtime: Runtime, official: Official, row: AnswerTemplate, action: str) -> int:
    row.version += 1
    session.add(row)
    session.flush()
    session.add(
        AnswerVersion(
            commune_id=official.commune_id,
            template_id=row.id,
            version=row.version,
            name=row.name,
            topic=row.topic,
            words=row.words,
            is_archived=row.is_archived,
            official_id=official.id,
            at=runtime.now(),
        )
    )
    audit(session, official, action, f"answer_template:{row.id}", runtime.now(), version=row.version)
    log.info("answer_template.kept", commune_id=official.commune_id, official_id=official.id, template_id=row.id)
    return row.id


def _all(session: Session, commune_id: int) -> list[AnswerTemplate]:
    query = sa.select(AnswerTemplate).where(AnswerTemplate.commune_id == commune_id)
    return sorted(session.scalars(query), key=lambda one: (fold(one.name), one.id))


def _one(session: Session, official: Official, number: int) -> AnswerTemplate:
    row = session.get(AnswerTemplate, number)
    if row is None or row.commune_id != official.commune_id:
        raise NotFound
    return row


def _must(official: Official) -> None:
    if not official.has(*KEEPERS):
        raise Forbidden
