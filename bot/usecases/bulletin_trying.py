"""Trying: an author has a bulletin sent to their own telephone before anybody else reads it.

Nothing says whose telephone an address is, so a code of the author's page, said from that telephone, proves that it is
theirs and that they agree.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
import structlog

from bot.queue import REPLIES
from bot.rules.bulletins import medium_of
from bot.rules.commands import Command
from bot.runtime import Runtime
from bot.usecases.announcing import AnnouncementError, must
from bot.usecases.broadcast import carries_pictures, said
from bot.usecases.bulletins import audit, own_draft, words_of
from bot.usecases.deliveries import PRIORITY_ACK, owe
from bot.usecases.filing import Filed
from bot.usecases.linking import count_wrong, guesses_too_often
from bot.usecases.turns import Turn
from storage.bulletins import BulletinTest, Tester, tester_by, testers_of, tests_of
from storage.channels import Channel
from storage.communes import Commune
from storage.contacts import Urn
from storage.enums import DeliveryKind, DeliveryState, Role
from storage.officials import Official

log = structlog.get_logger()

CODE_TIME = timedelta(minutes=15)
_DIGITS = 8


@dataclass(frozen=True)
class Trial:
    """One test of a bulletin; `is_current`: it was of the words that stand there now."""

    channel_id: int
    state: DeliveryState
    is_current: bool


def new_code(runtime: Runtime, official: Official) -> str:
    """A code that the author says from their own telephone, on whichever channel they want tests; good once."""
    must(official, Role.AUTHOR)
    digits = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
    now = runtime.now()
    with runtime.database.transaction() as session:
        waiting = sa.delete(Tester).where(Tester.official_id == official.id, Tester.agreed_at.is_(None))
        session.execute(waiting)  # one code at a time
        session.add(
            Tester(
                commune_id=official.commune_id,
                official_id=official.id,
                digest=_digest(runtime, official.commune_id, digits),
                expires_at=now + CODE_TIME,
            )
        )
    return f"{digits[: _DIGITS // 2]} {digits[_DIGITS // 2 :]}"


def take_code(turn: Turn, command: Command) -> Filed:
    """Somebody says a code: from now on their official's tests come here."""
    work, urn = turn.work, turn.person.urn
    if guesses_too_often(turn):
        turn.tell("link_too_often")
        return Filed(None)
    digits = re.sub(r"\D", "", command.rest)
    tester = tester_by(work.session, urn.commune_id, _digest(work.runtime, urn.commune_id, digits), work.now)
    if tester is None:
        count_wrong(turn)
        turn.tell("try_wrong")
        return Filed(None)
    here = (Tester.official_id == tester.official_id, Tester.channel_id == urn.channel_id)
    work.session.execute(sa.delete(Tester).where(*here))
    tester.channel_id, tester.urn_id, tester.agreed_at = urn.channel_id, urn.id, work.now
    official = work.session.get_one(Official, tester.official_id)
    log.info("tester.agreed", official_id=official.id, channel_id=urn.channel_id)
    turn.tell("try_agreed", ten=official.name)
    return Filed(None)


def addresses(runtime: Runtime, official: Official) -> list[Tester]:
    """Where the official gets tests, by channel."""
    with runtime.database.reading() as session:
        return testers_of(session, official.id)


def forget(runtime: Runtime, official: Official, channel_id: int) -> None:
    """The official gets no tests on this channel any more."""
    with runtime.database.transaction() as session:
        mine = (Tester.official_id == official.id, Tester.channel_id == channel_id)
        session.execute(sa.delete(Tester).where(*mine))


def send(runtime: Runtime, official: Official, bulletin_id: int, *, version: int, channel_id: int) -> None:
    """Owe the author their own bulletin on one of its channels, exactly as followers will read it."""
    with runtime.database.transaction() as session:
        bulletin = own_draft(session, official, bulletin_id, version)
        tester = next((one for one in testers_of(session, official.id) if one.channel_id == channel_id), None)
        if tester is None or channel_id not in bulletin.channel_ids:
            raise AnnouncementError("Chưa có địa chỉ nhận tin thử trên kênh này. Vui lòng lấy mã và nhắn từ máy mình.")
        channel = session.get_one(Channel, channel_id)
        commune = session.get_one(Commune, bulletin.commune_id)
        words = words_of(bulletin)
        body = words.on(medium_of(channel.type))
        if not words.title.strip() or not body.strip():
            raise AnnouncementError("Chưa đủ tiêu đề và nội dung để gửi thử. Vui lòng soạn xong rồi gửi thử.")
        test_number = len(tests_of(session, bulletin.id)) + 1
        owed = owe(
            session,
            runtime,
            channel=channel,
            urn=session.get_one(Urn, tester.urn_id),
            text=said(commune.name, words.headline, body),
            image_blob=bulletin.picture if carries_pictures(runtime, channel) else None,
            kind=DeliveryKind.ACK,
            key=f"try:{bulletin.id}:{test_number}",
            priority=PRIORITY_ACK,
        )
        session.add(
            BulletinTest(
                commune_id=bulletin.commune_id,
                bulletin_id=bulletin.id,
                official_id=official.id,
                channel_id=channel.id,
                delivery_id=owed[0].id,
                words_hash=words.digest,
                created_at=runtime.now(),
            )
        )
        audit(session, runtime, official, bulletin, "tried", channel_id=channel.id, words=words.digest)
    runtime.nudge(REPLIES)


def trials(runtime: Runtime, bulletin_id: int, digest: str) -> list[Trial]:
    """The latest test on each channel; `digest`: of the words that stand there now."""
    with runtime.database.reading() as session:
        found = tests_of(session, bulletin_id)
    latest = {test.channel_id: Trial(test.channel_id, state, test.words_hash == digest) for test, state in found[::-1]}
    return list(latest.values())


def _digest(runtime: Runtime, commune_id: int, digits: str) -> str:
    return runtime.digest("testers", f"{commune_id}:{digits}")
