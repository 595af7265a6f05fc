"""Crowd: a commune with many followers on Zalo, Telegram and by SMS, put in by a few statements, and what they got.

The pretend networks know the same people, and their ledger is the judge of what arrived. It is read from the sandbox's
own file, so that asking does not cost the sandbox any time.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from bot.rules.bulletins import FULL_CHECKLIST
from bot.usecases.bulletins import approve, draft, plan_of, submit
from bot.web.sandbox.store import Store, now_ms
from storage.channels import Channel
from storage.deliveries import Delivery
from storage.enums import DeliveryState
from tests.adapters.sms import SETTINGS
from tests.bots import BOT, a_bot
from tests.builders import OA, World
from tests.gateway import PretendZalo
from tests.sandbox.networks import NUMBER
from tests.sms import an_sms_channel
from tests.usecases.bulletins import bulletin, tried, written

TITLE, BODY = "Lich cat dien", "Mai cat dien xom 5 tu 8 gio."
SHARES = (0.5, 0.3, 0.2)  # of followers, and of the rate: Zalo, Telegram, SMS
FIRST = (5_000_000_000_000_000_000, 6_000_000_000, 84_900_000_000)
SCHEMES = ("zalo:", "telegram:", "tel:+")
SPARE = 80  # who follow nothing: the author's own phone, and those whose reports are answered

PEOPLE = """INSERT INTO contacts (id, commune_id, created_at)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
    SELECT :after + i, :commune, :now FROM n"""
ADDRESSES = """INSERT INTO urns (commune_id, channel_id, contact_id, value, is_following, last_interaction_at)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
    SELECT :commune, :channel, :after + i, :scheme || CAST(:first + i AS TEXT), :yes, :now FROM n ORDER BY i"""
TALKS = """INSERT INTO conversations (commune_id, channel_id, contact_id, urn_id, created_at)
    SELECT commune_id, channel_id, contact_id, id, :now FROM urns WHERE channel_id = :channel"""
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
AT_NETWORKS = (
    f"""INSERT OR IGNORE INTO citizens (user_id, oa_id, user_id_by_app, name, follows, last_interaction_ms, created_ms)
    {NUMBERS} SELECT CAST(:first + i AS TEXT), '{OA}', 'a' || i, 'Bà con', 1, :now, :now FROM n""",
    f"INSERT OR IGNORE INTO bot_people (chat_id, bot_id, name) {NUMBERS} SELECT :first + i, '{BOT}', 'Bà con' FROM n",
    f"INSERT OR IGNORE INTO sms_phones (number, name) {NUMBERS} SELECT CAST(:first + i AS TEXT), 'Bà con' FROM n",
)
LEDGER = """SELECT 'zalo:' || user_id AS who, at_ms, text FROM messages WHERE from_oa = 1
    UNION ALL SELECT 'telegram:' || chat_id, at_ms, text FROM bot_messages WHERE from_bot = 1
    UNION ALL SELECT 'tel:+' || phone, at_ms, text FROM sms_messages WHERE from_phone = 0"""


@dataclass(frozen=True)
class Books:
    """The sandbox's ledger of all networks."""

    file: Path

    def arrivals(self, words: str = TITLE) -> list[float]:
        """When each message with these words was accepted, in seconds of the epoch, the first one first."""
        return [row[0] / 1000 for row in self._ask(f"SELECT at_ms FROM ({LEDGER}) WHERE text LIKE ? ORDER BY 1", words)]

    def times(self, words: str = TITLE) -> Counter[str]:
        """How often each address was sent these words."""
        asked = f"SELECT who, count(*) FROM ({LEDGER}) WHERE text LIKE ? GROUP BY who"
        return Counter(dict(self._ask(asked, words)))

    def texts(self, words: str) -> list[tuple[float, str]]:
        """When each message with these words was accepted, and what it said."""
        return [
            (row[0] / 1000, row[1]) for row in self._ask(f"SELECT at_ms, text FROM ({LEDGER}) WHERE text LIKE ?", words)
        ]

    def _ask(self, question: str, words: str) -> list[tuple]:
        with closing(sqlite3.connect(self.file, timeout=30)) as db:
            return db.execute(question, (f"%{words}%",)).fetchall()


@dataclass
class Crowd:
    """The commune and its channels, how many follow each, and what the networks wrote down."""

    world: World
    channels: list[int]
    counts: list[int]
    books: Books
    rates: list[float] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many follow the commune."""
        return sum(self.counts)

    def ready(self, rate: float) -> int:
        """A bulletin for all channels, tried and submitted; sets the pace of each to its share of `rate`."""
        world, runtime = self.world, self.world.runtime
        number = draft(runtime, world.official("tuan"), written(world, self.channels, title=TITLE, body=BODY))
        tried(world, number)
        version = bulletin(world, number).version
        submit(runtime, world.official("tuan"), number, version=version, confirmed=FULL_CHECKLIST)
        self.rates = [rate * share for share in SHARES]
        with runtime.database.transaction() as session:
            for channel, pace in zip(self.channels, self.rates, strict=True):
                values = {"rate_per_second": pace, "slots": []}
                session.execute(sa.update(Channel).where(Channel.id == channel).values(**values))
        return number

    def approve(self, number: int) -> None:
        """Let it out."""
        world = self.world
        approve(world.runtime, world.official("hoa"), number, seen_hash=plan_of(bulletin(world, number)).digest)

    def states(self) -> dict[DeliveryState, int]:
        """How many deliveries of it stand where, by the rows themselves."""
        with self.world.runtime.database.reading() as session:
            query = sa.select(Delivery.state, sa.func.count()).where(Delivery.announcement_id.is_not(None))
            return dict(session.execute(query.group_by(Delivery.state)).all())


def make_networks(file: Path, counts: list[int]) -> Books:
    """Let the sandbox's file know the people before it is served: followers of each channel, and some on Zalo more."""
    store, total = Store(file), sum(counts)
    with store.writing(quietly=True) as db:
        for statement, first, count in zip(AT_NETWORKS, FIRST, counts, strict=True):
            db.execute(statement, {"first": first, "count": count, "now": now_ms()})
        db.execute(AT_NETWORKS[0], {"first": FIRST[0] + total - 1, "count": SPARE, "now": now_ms()})
    store.close()
    return Books(file)


def make_crowd(world: World, zalo: PretendZalo, books: Books, counts: list[int], gateway_url: str) -> Crowd:
    """Connect the other channels and put the followers in."""
    bot = a_bot(world, api_base=zalo.url, receive="webhook")
    address = f"{zalo.url}/cgi-bin/sendsms"
    sms = an_sms_channel(world, "kannel", **{**SETTINGS["kannel"], "number": NUMBER, "send_url": address})
    channels, after = [world.channel_id, bot.channel_id, sms], 0
    database, now = world.runtime.database, world.clock()
    for channel, scheme, first, count in zip(channels, SCHEMES, FIRST, counts, strict=True):
        values = {"commune": world.commune_id, "channel": channel, "scheme": scheme, "first": first, "count": count,
                  "after": after, "now": now, "yes": True}  # fmt: skip
        with database.transaction() as session:
            if not database.is_sqlite:  # the rows point at each other rightly; asking for each would take minutes
                session.execute(sa.text("SET LOCAL session_replication_role = replica"))
            for statement in (PEOPLE, ADDRESSES, TALKS):
                session.execute(_typed(statement), values)
        after += count
    _learn(world)
    return Crowd(world, channels, counts, books)


def split(total: int) -> list[int]:
    """How many of so many follow each channel."""
    others = [round(total * share) for share in SHARES[1:]]
    return [total - sum(others), *others]


def _typed(statement: str) -> sa.TextClause:
    from storage.base import Instant

    numbers = [sa.bindparam(name, type_=sa.BigInteger) for name in ("count", "after", "first", "commune", "channel")]
    words = [
        sa.bindparam("scheme", type_=sa.Text),
        sa.bindparam("now", type_=Instant),
        sa.bindparam("yes", type_=sa.Boolean),
    ]
    asked = [one for one in [*numbers, *words] if f":{one.key}" in statement]
    return sa.text(statement).bindparams(*asked)


def _learn(world: World) -> None:
    """Go on numbering after those people, and let the database look at what it holds."""
    with world.runtime.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not world.runtime.database.is_sqlite:
            connection.execute(sa.text("SELECT setval('contacts_id_seq', (SELECT max(id) FROM contacts))"))
            connection.execute(sa.text("VACUUM ANALYZE contacts, urns, conversations"))
        else:
            connection.execute(sa.text("ANALYZE"))
