"""Drafts of announcements on one channel are there as bulletins, with their words, their villages and their author."""

from __future__ import annotations

import json
from datetime import date

import sqlalchemy as sa
from alembic.script import ScriptDirectory

from bot.runtime import utc_now
from storage.bulletins import Bulletin
from storage.channels import Channel
from storage.communes import Commune, Locality
from storage.database import Database
from storage.enums import BulletinState, Importance
from storage.officials import Official
from storage.upgrade import MIGRATIONS, downgrade, upgrade
from tests.storage.test_places_migration import apart

__all__ = ["apart"]

DRAFT = sa.text(
    "INSERT INTO announcements (commune_id, channel_id, title, body, topic, place_ids, state, author_id, returned_note,"
    " expanded_to_urn_id, created_at, version) VALUES (:commune, :channel, :title, 'Mai cắt điện', 'dien',"
    " :places, :state, :author, :note, 0, :now, 3)"
).bindparams(sa.bindparam("now", type_=sa.DateTime(timezone=True)))


def test_what_was_being_written_is_not_lost(apart: Database) -> None:
    before = ScriptDirectory(str(MIGRATIONS)).get_revision("0037").down_revision
    assert isinstance(before, str)
    commune_id, channel_id, author_id = somebody(apart)
    downgrade(apart, before)
    with apart.transaction() as session:
        for title, state, note in (
            ("Nháp", "draft", "Ghi rõ ngày"),
            ("Chờ duyệt", "submitted", None),
            ("Đã gửi", "sent", None),
        ):
            values = {"title": title, "state": state, "note": note, "places": json.dumps([4, 7]), "now": utc_now()}
            session.execute(DRAFT, {"commune": commune_id, "channel": channel_id, "author": author_id, **values})
    upgrade(apart)
    with apart.reading() as session:
        draft, returned = session.scalars(sa.select(Bulletin).order_by(Bulletin.title)).all()
        left = list(session.scalars(sa.text("SELECT title FROM announcements")))
    assert left == ["Đã gửi"]
    assert (draft.title, returned.title, returned.returned_note) == ("Chờ duyệt", "Nháp", "Ghi rõ ngày")
    for one in (draft, returned):
        assert (one.state, one.importance, one.channel_ids) == (BulletinState.DRAFT, Importance.ROUTINE, [channel_id])
        assert (one.body, one.topic, one.place_ids) == ("Mai cắt điện", "dien", [4, 7])
        assert (one.author_id, one.version, one.texts) == (author_id, 3, {})


def somebody(database: Database) -> tuple[int, int, int]:
    """A commune, its channel and an official who writes."""
    with database.transaction() as session:
        if session.get(Locality, "27925") is None:
            born = date(2025, 7, 1)
            session.add(Locality(code="27925", level="commune", type="xã", name="A", name_folded="a", valid_from=born))
            session.flush()
        commune = Commune(locality_code="27925", slug="a", name="A")
        session.add(commune)
        session.flush()
        author = Official(
            commune_id=commune.id, username="tuan", name="Tuấn", password_hash="x", roles=[], created_at=utc_now()
        )
        channel = Channel(commune_id=commune.id, type="zalo", slug="z", name="Z", account="z", secrets=b"")
        session.add_all([author, channel])
        session.flush()
        return commune.id, channel.id, author.id
