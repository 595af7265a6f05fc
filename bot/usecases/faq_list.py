"""The list of frequent questions as officials keep it: looked through, changed, added to, hidden, and tried."""

from __future__ import annotations

import re
from dataclasses import dataclass
from string import Formatter

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.access import Forbidden, NotFound, audit
from bot.runtime import Runtime
from bot.usecases.communes import answer_in_words, commune_book
from bot.usecases.faq import Answer, all_answers, match
from bot.usecases.problems import Problem
from nlp.normalise import fold
from nlp.topics import TOPICS
from storage.communes import one_change_at_a_time
from storage.enums import Role
from storage.faq import FaqRow
from storage.officials import Official

log = structlog.get_logger()

KEEPERS = (Role.ADMIN, Role.LEADER, Role.AUTHOR)
VARIABLES = ("xa", "noitiep", "gio", "sdttruc")
QUESTION_AT_MOST, ANSWER_AT_MOST, SOURCE_AT_MOST, AS_OF_AT_MOST = 300, 1_500, 300, 40
VARIANTS_AT_MOST, VARIANT_AT_MOST = 60, 300
# Of its own, beside those that ship.
ENTRIES_AT_MOST = 500


class FaqProblem(Problem):
    """What was asked of the list of frequent questions cannot be done."""


@dataclass(frozen=True)
class Written:
    """An entry as an official wrote it; `variants`: one a line."""

    topic: str
    question: str
    variants: str
    answer: str
    source: str
    as_of: str


@dataclass(frozen=True)
class Trial:
    """What a citizen who wrote this would get: the entry, at once or not, and its words; None for a person's answer."""

    answer: Answer | None
    is_sure: bool = False
    words: str = ""


def listing(runtime: Runtime, official: Official, *, search: str = "") -> list[Answer]:
    """The commune's entries that hold these words, with or without accents; hidden ones too."""
    _must(official)
    with runtime.database.reading() as session:
        answers = all_answers(session, official.commune_id)
    words = fold(search).split()
    return [a for a in answers.values() if all(word in _searchable(a) for word in words)]


def find(runtime: Runtime, official: Official, key: str) -> Answer:
    """One entry; NotFound when there is none with this key."""
    _must(official)
    with runtime.database.reading() as session:
        answer = all_answers(session, official.commune_id).get(key)
    if answer is None:
        raise NotFound
    return answer


def save(runtime: Runtime, official: Official, written: Written, *, key: str | None = None, version: int = 0) -> str:
    """Add an entry, or change the one with this key as it was at `version`; gives the key."""
    _must(official)
    written = _checked(written)
    with runtime.database.transaction() as session:
        one_change_at_a_time(session, official.commune_id)
        known = all_answers(session, official.commune_id)
        if key is None:
            if sum(answer.is_own for answer in known.values()) >= ENTRIES_AT_MOST:
                raise FaqProblem("Danh sách đã có %(n)s câu của địa phương, không thêm được nữa.", n=ENTRIES_AT_MOST)
            key = _new_key(written.question, known)
        elif key not in known:
            raise NotFound
        elif known[key].version != version:
            raise FaqProblem(
                "Câu hỏi này vừa được người khác sửa nên chưa lưu. Vui lòng mở lại, xem bản mới rồi sửa tiếp."
            )
        row = _row(session, official, key) or FaqRow(commune_id=official.commune_id, key=key, version=0)
        row.topic, row.question, row.variants = written.topic, written.question, written.variants
        row.answer, row.source, row.as_of = written.answer, written.source, written.as_of
        row.is_active = known[key].is_active if key in known else True
        _keep(session, runtime, official, row, "faq.saved")
        return key


def set_active(runtime: Runtime, official: Official, key: str, *, is_active: bool) -> None:
    """Answer nobody with an entry any more, or again."""
    _must(official)
    with runtime.database.transaction() as session:
        one_change_at_a_time(session, official.commune_id)
        answer = all_answers(session, official.commune_id).get(key)
        if answer is None:
            raise NotFound
        if answer.is_active is is_active:
            return
        row = _row(session, official, key) or _copy(official, answer)
        row.is_active = is_active
        _keep(session, runtime, official, row, "faq.shown" if is_active else "faq.hidden")


def restore(runtime: Runtime, official: Official, key: str) -> None:
    """Go back to the entry that ships; what the commune wrote under its key is gone."""
    _must(official)
    with runtime.database.transaction() as session:
        one_change_at_a_time(session, official.commune_id)
        row = _row(session, official, key)
        if row is None or not is_shipped(key):
            raise NotFound
        session.delete(row)
        audit(session, official, "faq.restored", f"faq:{key}", runtime.now())


def is_shipped(key: str) -> bool:
    """Whether an entry with this key ships, so that there is something to go back to."""
    from nlp.faq import shipped_faq

    return any(entry.key == key for entry in shipped_faq())


def try_out(runtime: Runtime, official: Official, text: str) -> Trial:
    """What a citizen who wrote this would get."""
    _must(official)
    with runtime.database.reading() as session:
        book = commune_book(session, official.commune_id)
    reading = runtime.reader.read(text, book.home)
    found = match(book.faq, text, reading)
    if found is None:
        return Trial(None)
    answer = book.faq.answers[found.key]
    return Trial(answer, found.is_sure, answer_in_words(book, answer))


def _checked(written: Written) -> Written:
    lines = [" ".join(line.split()) for line in written.variants.splitlines()]
    good = Written(
        written.topic,
        " ".join(written.question.split()),
        "\n".join(dict.fromkeys(filter(None, lines))),
        "\n".join(line.rstrip() for line in written.answer.strip().splitlines()),
        " ".join(written.source.split()),
        " ".join(written.as_of.split()),
    )
    if good.topic not in TOPICS:
        raise FaqProblem("Vui lòng chọn lĩnh vực.")
    if not (good.question and good.answer and good.source and good.as_of):
        raise FaqProblem("Vui lòng ghi đủ câu hỏi, câu trả lời, căn cứ và thời điểm cập nhật.")
    if max(len(good.question), len(good.source)) > QUESTION_AT_MOST or len(good.as_of) > AS_OF_AT_MOST:
        raise FaqProblem("Câu hỏi và căn cứ dài nhất %(n)s ký tự.", n=QUESTION_AT_MOST)
    if len(good.answer) > ANSWER_AT_MOST:
        raise FaqProblem("Câu trả lời dài nhất %(n)s ký tự; bây giờ là %(co)s.", n=ANSWER_AT_MOST, co=len(good.answer))
    variants = good.variants.splitlines()
    if len(variants) > VARIANTS_AT_MOST or any(len(line) > VARIANT_AT_MOST for line in variants):
        raise FaqProblem("Nhiều nhất %(n)s cách hỏi, mỗi cách một dòng ngắn.", n=VARIANTS_AT_MOST)
    if unknown := _unknown_variables(good.answer):
        known = ", ".join("{" + name + "}" for name in VARIABLES)
        raise FaqProblem("Không có chỗ điền %(sai)s. Các chỗ điền dùng được: %(dung)s.", sai=unknown, dung=known)
    return good


def _unknown_variables(answer: str) -> str:
    """The first thing in braces that nobody fills; a brace that is left open too."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(answer) if name is not None]
    except ValueError:
        return "{"
    return next(("{" + name + "}" for name in names if name not in VARIABLES), "")


def _new_key(question: str, known: dict[str, Answer]) -> str:
    key = "-".join(re.findall(r"[a-z0-9]+", fold(question)))[:50].strip("-") or "cau-hoi"
    number, free = 2, key
    while free in known:
        number, free = number + 1, f"{key}-{number}"
    return free


def _copy(official: Official, answer: Answer) -> FaqRow:
    return FaqRow(
        commune_id=official.commune_id,
        key=answer.key,
        topic=answer.topic,
        question=answer.question,
        variants="\n".join(answer.variants),
        answer=answer.answer,
        source=answer.source,
        as_of=answer.as_of,
        version=0,
    )


def _keep(session: Session, runtime: Runtime, official: Official, row: FaqRow, action: str) -> None:
    row.version += 1
    row.changed_at, row.changed_by = runtime.now(), official.id
    session.add(row)
    audit(session, official, action, f"faq:{row.key}", runtime.now(), version=row.version)
    log.info(action, commune_id=official.commune_id, official_id=official.id)


def _row(session: Session, official: Official, key: str) -> FaqRow | None:
    return session.scalar(sa.select(FaqRow).where(FaqRow.commune_id == official.commune_id, FaqRow.key == key))


def _searchable(answer: Answer) -> str:
    return fold(" ".join((answer.question, *answer.variants, answer.answer)))


def _must(official: Official) -> None:
    if not official.has(*KEEPERS):
        raise Forbidden
