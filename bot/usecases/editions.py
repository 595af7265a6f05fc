"""Editions: each week some published results are proposed, an author makes them good, and a bulletin is made of them.

Nothing goes out by itself: what is proposed is a draft of the public list's own words, and its bulletin goes the way of
every bulletin (tried, submitted, approved by a second person).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.loudspeakers import village_types
from adapters.text import printable
from bot.access import audit
from bot.rules.deadlines import VIETNAM
from bot.rules.editions import A_WEEK, FILLED_FROM, LEAST, Candidate, choose, due_at, week_of
from bot.rules.publishing import LONGEST_RESULT, LONGEST_SUMMARY, SHORTEST, too_near
from bot.runtime import Runtime
from bot.usecases import bulletins, edition_words
from bot.usecases.announcing import AnnouncementError, NoSuchAnnouncement, must, normalised
from nlp.personal_data import find_personal_data
from storage.bulletins import Bulletin
from storage.channels import Channel
from storage.communes import Commune
from storage.contacts import Contact
from storage.database import insert_ignore
from storage.editions import Edition, EditionItem, newest_edition
from storage.enums import BulletinState, Role
from storage.officials import Official
from storage.publications import Publication, has_list
from storage.tickets import Ticket

log = structlog.get_logger()

OFFERED_AT_MOST = 500  # of the latest results, from which a week is chosen
USUAL_VALIDITY = timedelta(days=7)


@dataclass(frozen=True)
class Worded:
    """An item as its author wants it told. `position`: the lowest is told first; `is_kept`: told at all."""

    item_id: int
    question: str
    answer: str
    position: int
    is_kept: bool = True


# ---- proposing ------------------------------------------------------------------------------------------------------


def propose_due(runtime: Runtime) -> int:
    """Propose this week's edition in every commune whose hour has come, once; gives how many were proposed."""
    now = runtime.now()
    monday = week_of(now)
    made = sa.select(Edition.commune_id).where(Edition.week == monday)
    with runtime.database.reading() as session:
        waiting = sa.select(Commune).where(has_list(), Commune.id.not_in(made))
        due = [one.id for one in session.scalars(waiting) if _is_due(one, monday, now)]
    return sum(_propose(runtime, commune_id, monday) for commune_id in due)


def propose_anew(runtime: Runtime, official: Official, edition_id: int, *, version: int) -> None:
    """Choose again from what is public now; what was edited of this proposal is given up. AnnouncementError."""
    must(official, Role.AUTHOR)
    with runtime.database.transaction() as session:
        edition = _workable(session, official, edition_id, version)
        if edition.bulletin_id is not None and not _is_given_up(session, edition):
            raise AnnouncementError("Đã soạn bản tin từ đề xuất này. Vui lòng bỏ bản tin rồi đề xuất lại.")
        session.execute(sa.delete(EditionItem).where(EditionItem.edition_id == edition.id))
        _fill(session, edition, runtime.now())
        edition.edited_by_id = edition.edited_at = None
        edition.version += 1
        _audit(session, runtime, official, edition, "proposed_anew")


def _is_due(commune: Commune, monday: date, now: datetime) -> bool:
    at = due_at(commune.settings, monday)
    return at is not None and at <= now


def _propose(runtime: Runtime, commune_id: int, monday: date) -> bool:
    now = runtime.now()
    with runtime.database.transaction() as session:
        row = {"commune_id": commune_id, "week": monday, "proposed_at": now, "version": 1}
        if not insert_ignore(session, Edition, [row]):
            return False  # another process has
        mine = sa.select(Edition).where(Edition.commune_id == commune_id, Edition.week == monday)
        count = _fill(session, session.scalars(mine).one(), now)
    log.info("edition.proposed", commune_id=commune_id, items=count)
    return True


def _fill(session: Session, edition: Edition, now: datetime) -> int:
    """Put the chosen results into an empty edition, in the words of the list."""
    told = (
        sa.select(EditionItem.publication_id)
        .join(Edition, Edition.id == EditionItem.edition_id)
        .join(Bulletin, Bulletin.id == Edition.bulletin_id)
        .where(Edition.commune_id == edition.commune_id, Bulletin.state != BulletinState.STOPPED)
    )
    query = (
        sa.select(Publication, Ticket.topic, Ticket.rating)
        .join(Ticket, Ticket.id == Publication.ticket_id)
        .join(Contact, Contact.id == Ticket.contact_id)
        .where(
            Publication.commune_id == edition.commune_id,
            Publication.published_at > now - FILLED_FROM,
            Publication.id.not_in(told),
            *edition_words.may_be_told(),
        )
        .order_by(Publication.id.desc())
        .limit(OFFERED_AT_MOST)
    )
    found = {row[0].id: row for row in session.execute(query)}
    candidates = [
        Candidate(number, topic, one.place_id, rating, one.published_at, one.published_at > now - A_WEEK)
        for number, (one, topic, rating) in found.items()
    ]
    chosen = choose(candidates)
    session.add_all(
        EditionItem(
            commune_id=edition.commune_id,
            edition_id=edition.id,
            publication_id=number,
            position=position,
            question=found[number][0].summary,
            answer=found[number][0].result,
            is_dropped=False,
        )
        for position, number in enumerate(chosen, 1)
    )
    session.flush()
    return len(chosen)


# ---- making it good -------------------------------------------------------------------------------------------------


def edit(
    runtime: Runtime, official: Official, edition_id: int, *, version: int, worded: Sequence[Worded]
) -> None:  # fmt: skip
    """An author changes words and order, or leaves something out; the draft made of it follows. AnnouncementError."""
    must(official, Role.AUTHOR)
    with runtime.database.transaction() as session:
        edition = _workable(session, official, edition_id, version)
        bulletin = _own_draft_of(session, official, edition)
        items = {entry.item.id: entry.item for entry in _entries(session, edition)}
        for one in worded:
            if (item := items.get(one.item_id)) is not None:
                _word(item, one)
        for position, item in enumerate(sorted(items.values(), key=lambda item: (item.position, item.id)), 1):
            item.position = position
        edition.edited_by_id, edition.edited_at = official.id, runtime.now()
        edition.version += 1
        session.flush()
        if bulletin is not None:
            edition_words.put_into(session, runtime, bulletin, edition)
            bulletin.version += 1
        _audit(session, runtime, official, edition, "edited")


def make_bulletin(runtime: Runtime, official: Official, edition_id: int, *, version: int) -> int:
    """Make the draft of a bulletin for all channels of it; gives its id. AnnouncementError."""
    must(official, Role.AUTHOR)
    with runtime.database.transaction() as session:
        edition = _workable(session, official, edition_id, version)
        if edition.bulletin_id is not None and not _is_given_up(session, edition):
            raise AnnouncementError("Đã soạn bản tin từ đề xuất này. Vui lòng mở bản tin ấy.")
        kept = [entry.item for entry in _entries(session, edition) if not entry.item.is_dropped]
        if len(kept) < LEAST:
            raise AnnouncementError("Cần ít nhất %(least)s câu hỏi để soạn bản tin.", least=LEAST)
        for item in kept:
            check_words(item.question, item.answer)
        composed = edition_words.compose(session, runtime, edition)
        written = bulletins.Written(
            composed.title,
            composed.body,
            tuple(_followed_channels(session, runtime, edition.commune_id)),
            _usual_end(runtime.now()),
            texts=composed.texts,
        )
        bulletin = bulletins.draft_in(session, runtime, official, written)
        edition.bulletin_id = bulletin.id
        edition.version += 1
        session.flush()
        edition_words.put_into(session, runtime, bulletin, edition)
        _audit(session, runtime, official, edition, "made_bulletin", bulletin_id=bulletin.id)
        return bulletin.id


def check_words(question: str, answer: str) -> None:
    """AnnouncementError for too few or many words, and for what names or finds a person."""
    for words, most in ((question, LONGEST_SUMMARY), (answer, LONGEST_RESULT)):
        if not SHORTEST <= len(words) <= most:
            raise AnnouncementError(
                "Câu hỏi từ %(least)s đến %(question)s ký tự, câu trả lời từ %(least)s đến %(answer)s ký tự.",
                least=SHORTEST,
                question=LONGEST_SUMMARY,
                answer=LONGEST_RESULT,
            )
        found = [words[span.start : span.end] for span in find_personal_data(words)] + too_near(words)
        if found:
            raise AnnouncementError(
                "Chỗ “%(cho)s” chỉ đến một người hoặc một nhà. Vui lòng bỏ chỗ ấy rồi lưu lại.", cho=found[0]
            )


def found(session: Session, official: Official, edition_id: int, *, lock: bool = False) -> Edition:
    """The edition, for an official of its commune. NoSuchAnnouncement."""
    edition = session.get(Edition, edition_id, with_for_update=lock)
    if edition is None or edition.commune_id != official.commune_id:
        raise NoSuchAnnouncement
    return edition


def is_newest(session: Session, edition: Edition) -> bool:
    """Whether no later week has been proposed: only then can something be made of it."""
    newest = newest_edition(session, edition.commune_id)
    return newest is not None and newest.id == edition.id


def _workable(session: Session, official: Official, edition_id: int, version: int) -> Edition:
    edition = found(session, official, edition_id, lock=True)
    if edition.version != version:
        raise AnnouncementError("Bản này đã thay đổi sau khi Anh/Chị mở trang. Vui lòng tải lại trang rồi sửa tiếp.")
    if not is_newest(session, edition):
        raise AnnouncementError("Đã có đề xuất của tuần sau. Vui lòng làm trên bản mới nhất.")
    return edition


def _own_draft_of(session: Session, official: Official, edition: Edition) -> Bulletin | None:
    """The draft that follows what is edited, if there is one. AnnouncementError where it is no draft of theirs."""
    if edition.bulletin_id is None or _is_given_up(session, edition):
        return None
    bulletin = bulletins.found(session, official, edition.bulletin_id)
    if bulletin.state is not BulletinState.DRAFT:
        raise AnnouncementError("Bản tin đã trình duyệt nên không sửa được nữa. Có thể rút lại để sửa.")
    if bulletin.author_id != official.id:
        raise AnnouncementError("Người khác đã soạn bản tin từ đề xuất này. Chỉ người ấy sửa được.")
    return bulletin


def _is_given_up(session: Session, edition: Edition) -> bool:
    return session.get_one(Bulletin, edition.bulletin_id).state is BulletinState.STOPPED


def _entries(session: Session, edition: Edition) -> list[edition_words.Entry]:
    return edition_words.entries_of(session, [edition], dropped=True)[edition.id]


def _word(item: EditionItem, one: Worded) -> None:
    question = " ".join(normalised(one.question).split())
    answer = "\n".join(" ".join(line.split()) for line in normalised(one.answer).splitlines() if line.strip())
    if one.is_kept:
        check_words(question, answer)
    item.question, item.answer = printable(question, LONGEST_SUMMARY), printable(answer, LONGEST_RESULT)
    item.position, item.is_dropped = one.position, not one.is_kept


def _followed_channels(session: Session, runtime: Runtime, commune_id: int) -> list[int]:
    """The commune's channels that people follow."""
    query = sa.select(Channel.id).where(
        Channel.commune_id == commune_id,
        Channel.is_active.is_(True),
        Channel.type.not_in(village_types(runtime.adapters)),
    )
    return list(session.scalars(query.order_by(Channel.id)))


def _usual_end(now: datetime) -> datetime:
    return datetime.combine((now.astimezone(VIETNAM) + USUAL_VALIDITY).date(), time(17), VIETNAM).astimezone(UTC)


def _audit(
    session: Session, runtime: Runtime, official: Official, edition: Edition, action: str, **data: Any
) -> None:  # fmt: skip
    audit(session, official, f"edition.{action}", f"edition:{edition.id}", runtime.now(), **data)
