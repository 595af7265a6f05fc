"""Filling: years of a commune's history in a few minutes, the same every time.

Rows are made by chance from one seed and put in by large statements; the search index is written as the gateway would
write it, from the same functions. Every text is a labelled message of the language tests or an official's answer, with
a few words added so that rare ones exist. One talk is as long as none should be.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nlp.normalise import fold
from nlp.search_text import indexed, phone_words, place_word
from storage.agencies import Agency
from storage.communes import Place
from storage.contacts import Contact, Conversation, Urn
from storage.enums import Direction, EventKind, Origin, Role, TicketState, Urgency
from storage.messages import Message
from storage.officials import Official
from storage.search_index import FULL, GAP, PARTS, SearchPart, as_kept
from storage.tickets import Ticket, TicketEvent, facts_of
from tests.builders import World

SEED = 7
YEARS = 3
OPEN_SHARE = 0.03
AT_ONCE = 2_000  # tickets
ANSWERS = (
    "Chào ông/bà, xã đã nhận được phản ánh và giao đơn vị đi kiểm tra trong ngày mai.",
    "Đơn vị đã đến hiện trường, dự kiến sửa xong trong tuần này.",
    "Việc ông/bà phản ánh đã xử lý xong, cảm ơn ông/bà đã báo.",
    "Xin ông/bà cho biết thêm vị trí cụ thể, gần nhà ai hoặc mốc nào.",
)
RECEIPT = "Đã tiếp nhận phản ánh của ông/bà. Xã sẽ trả lời trước hạn."
NUMBERS = "tests/nlp/development/*.jsonl"


@dataclass
class Filling:
    """What is put in: so many tickets with ten messages each on average, and one talk of `long_talk` messages."""

    world: World
    tickets: int
    messages: int
    long_talk: int
    officials: int

    def __post_init__(self) -> None:
        self.chance = random.Random(SEED)
        self.now: datetime = self.world.runtime.now()
        self.next_message = 1

    def run(self) -> None:
        """Put it all in, and let the database learn what it holds."""
        database = self.world.runtime.database
        with database.transaction() as session:
            self._people(session)
        if not database.is_sqlite:
            self._alter("DROP INDEX search_words")
        for first in range(1, self.tickets + 1, AT_ONCE):
            with database.transaction() as session:
                self._batch(session, range(first, min(first + AT_ONCE, self.tickets + 1)))
        if not database.is_sqlite:
            self._alter("CREATE INDEX search_words ON search_parts USING gin (words)")
            for table in ("contacts", "urns", "conversations", "tickets", "messages"):
                self._alter(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        self._alter("ANALYZE" if database.is_sqlite else "VACUUM ANALYZE")

    def _alter(self, statement: str) -> None:
        with self.world.runtime.database.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT", writes=True
        ) as connection:
            connection.exec_driver_sql(statement)

    # ---- who and where ----------------------------------------------------------------------------------------------

    def _people(self, session: Session) -> None:
        """So many officials who may sign in: every other one a receiver, the others handlers of all agencies."""
        commune = self.world.commune_id
        self.agencies = list(session.scalars(sa.select(Agency.id).where(Agency.commune_id == commune)))
        self.places = [(p.id, p.name) for p in session.scalars(sa.select(Place).where(Place.commune_id == commune))]
        lan = session.get_one(Official, self.world.officials["lan"])
        for number in range(self.officials):
            is_receiver = number % 2 == 0
            row = Official(
                commune_id=commune,
                agency_id=lan.agency_id if is_receiver else self.agencies[number % len(self.agencies)],
                username=f"desk{number:02d}",
                name=f"Cán bộ {number}",
                password_hash=lan.password_hash,
                roles=[(Role.RECEIVER if is_receiver else Role.HANDLER).value],
                created_at=self.now,
            )
            session.add(row)
            session.flush()
            self.world.officials[row.username] = row.id

    @cached_property
    def texts(self) -> list[tuple[str, str, str]]:
        """What citizens say: as said, folded, and as the index keeps it."""
        said = [json.loads(line)["text"] for path in sorted(Path().glob(NUMBERS)) for line in path.open()]
        varied = []
        for number in range(4_000):
            text = self.chance.choice(said)
            text += f", nhà ông {self.chance.choice(_NAMES)} {self.chance.choice(_NAMES)}" if number % 3 == 0 else ""
            text += f" hẻm {number}" if number % 7 == 0 else ""
            text += f" gọi 09{self.chance.randrange(10**8):08d}" if number % 20 == 0 else ""
            varied.append((text, fold(text), indexed(text)))
        return varied

    @cached_property
    def answers(self) -> list[tuple[str, str, str]]:
        """What officials say."""
        return [(text, fold(text), indexed(text)) for text in ANSWERS]

    # ---- rows -------------------------------------------------------------------------------------------------------

    def _batch(self, session: Session, numbers: Iterable[int]) -> None:
        tables: dict[type[Any], list[dict[str, Any]]] = {
            table: [] for table in (Contact, Urn, Conversation, Ticket, Message, TicketEvent, SearchPart)
        }
        for number in numbers:
            for table, row in self._ticket(number):
                tables[table].append(row)
        for table, rows in tables.items():
            session.connection().execute(sa.insert(table), rows)

    def _ticket(self, number: int) -> Iterator[tuple[type[Any], dict[str, Any]]]:
        commune, channel = self.world.commune_id, self.world.channel_id
        opened = self.now - timedelta(days=365 * YEARS) * (1 - number / (self.tickets + 1))
        phone = f"09{self.chance.randrange(10**8):08d}" if number % 4 == 0 else None
        own = {"id": number, "commune_id": commune}
        yield Contact, {**own, "created_at": opened, "phone": phone}
        yield Urn, {**own, "channel_id": channel, "contact_id": number, "value": f"77{number:017d}"}
        talk = {**own, "channel_id": channel, "contact_id": number, "urn_id": number, "created_at": opened}
        yield Conversation, {**talk, "last_in_at": opened, "last_message_at": opened}
        count = self.long_talk if number == self.tickets else self._count()
        said = list(self._said(number, opened, count))
        ticket = self._row(number, opened, said)
        yield Ticket, ticket
        for row, _ in said:
            yield Message, row
        yield from ((TicketEvent, row) for row in self._events(ticket))
        yield from ((SearchPart, row) for row in self._parts(ticket, phone, said))

    def _count(self) -> int:
        mean = (self.messages - self.long_talk) / self.tickets
        return max(2, round(self.chance.gauss(mean, 2)))

    def _said(self, number: int, opened: datetime, count: int) -> Iterator[tuple[dict[str, Any], str]]:
        for at in range(count):
            kind = at % 3
            text, folded, words = self.chance.choice(self.answers if kind == 2 else self.texts)
            if kind == 1:
                text, folded, words = RECEIPT, fold(RECEIPT), ""
            origin = (Origin.CITIZEN, Origin.BOT, Origin.OFFICIAL)[kind]
            moment = opened + timedelta(minutes=7 * at)
            row = {
                "id": self.next_message,
                "commune_id": self.world.commune_id,
                "channel_id": self.world.channel_id,
                "conversation_id": number,
                "ticket_id": number,
                "direction": Direction.IN if kind == 0 else Direction.OUT,
                "origin": origin,
                "author_id": self.world.officials["lan"] if kind == 2 else None,
                "text": text,
                "text_folded": folded,
                "occurred_at": moment,
                "created_at": moment,
            }
            self.next_message += 1
            yield row, words

    def _row(self, number: int, opened: datetime, said: list[tuple[dict[str, Any], str]]) -> dict[str, Any]:
        is_open = self.chance.random() < OPEN_SHARE or number == self.tickets
        state = self.chance.choice((TicketState.NEW, TicketState.ASSIGNED, TicketState.IN_PROGRESS))
        place, name = self.chance.choice(self.places)
        has_place = self.chance.random() < 0.6
        due = self.now + timedelta(hours=self.chance.uniform(-200, 400)) if is_open else opened + timedelta(days=10)
        agency = self.chance.choice(self.agencies)
        official = self.world.officials[f"desk{self.chance.randrange(self.officials):02d}"]
        return {
            "id": number,
            "commune_id": self.world.commune_id,
            "code": f"PA{opened.year % 100}-{number:06d}",
            "conversation_id": number,
            "contact_id": number,
            "state": state if is_open else TicketState.CLOSED,
            "is_open": is_open,
            "is_spam": not is_open and number % 50 == 0,
            "topic": self.chance.choice(("giao-thong-duong-sa", "dien", "rac-thai-ve-sinh", None)),
            "urgency": Urgency.URGENT if number % 40 == 0 else Urgency.NORMAL,
            "place_id": place if has_place else None,
            "place_text": name if has_place else None,
            "agency_id": agency,
            "official_id": official if self.chance.random() < 0.5 else None,
            "summary": str(said[0][0]["text"])[:300],
            "opened_at": opened,
            "last_in_at": opened,
            "due_at": due,
            "closed_at": None if is_open else due,
        }

    def _events(self, ticket: dict[str, Any]) -> Iterator[dict[str, Any]]:
        facts = {"then": facts_of(Ticket(**{**ticket, "version": 1, "is_sealed": False}))}
        kinds = (EventKind.OPENED, EventKind.ROUTED, EventKind.REPLIED)
        for at, kind in enumerate(kinds):
            yield {
                "commune_id": self.world.commune_id,
                "ticket_id": ticket["id"],
                "kind": kind,
                "at": ticket["opened_at"] + timedelta(hours=at),
                "official_id": self.world.officials["lan"] if kind is EventKind.REPLIED else None,
                "data": facts,
            }

    def _parts(
        self, ticket: dict[str, Any], phone: str | None, said: list[tuple[dict[str, Any], str]]
    ) -> Iterator[dict[str, Any]]:
        head = [*ticket["code"].lower().split("-"), GAP, indexed(ticket["place_text"] or "")]
        head += [place_word(ticket["place_id"])] if ticket["place_id"] else []
        head += phone_words([phone])
        parts: list[tuple[int, list[str]]] = [(0, [])]
        for row, words in said:
            if sum(map(len, parts[-1][1])) > FULL:
                parts.append((row["id"], []))
            if words:
                parts[-1][1].append(words)
        is_postgres = not self.world.runtime.database.is_sqlite
        for at, (since, kept) in enumerate(parts):
            words = f" {GAP} ".join([" ".join(head), *kept])
            yield {
                "id": ticket["id"] * PARTS + at,
                "ticket_id": ticket["id"],
                "since": since,
                "words": as_kept(words, is_postgres=is_postgres),
            }


_NAMES = tuple(
    word
    for line in (
        "An Bình Chiến Dũng Em Giàu Hạnh Khoa Lành Mến Nghĩa Oanh Phú Quý Rạng Sáu Tám Út Vẹn Xuyến Yên Ấn Ổn Đậu",
        "Bưởi Cúc Diệu Hảo Kiệm Lụa Mận Nhàn Phát Sương Thắm Tuyền Vui",
    )
    for word in line.split()
)
