"""What loudspeakers played, what came from above and what was told go by one rule, when they are over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.rules.retention import LIMITS, Kind
from bot.usecases.retention import dry_run, keep, run_all, seal_of
from bot.usecases.setup import add_channel
from storage.bulletins import Bulletin
from storage.enums import BulletinKind, BulletinState, Importance, ReportState, SourceState
from storage.exchange import SourceFeedback, SourceReport
from storage.loudspeakers import LoudspeakerCluster, PlayLog, SourceBulletin
from storage.notices import SourceNotice
from tests.builders import World, all_rows

DAYS = {kind: limits.usual for kind, limits in LIMITS.items() if kind is not Kind.SEALED} | {Kind.PLAYED: 365}


@pytest.fixture
def channel_id(world: World) -> int:
    """Loudspeakers of the commune; nobody asks them."""
    return add_channel(
        world.runtime, commune="duc-hue", type="source_system", slug="loa", name="Loa",
        settings={"base_url": "https://httttn.example.vn", "username": "xa", "profile": "epoch", "source_id": "H24",
                  "source_name": "UBND xã", "area_id": "27925", "area_name": "Xã"},
        secrets={"password": "example-mat-khau"},
    )  # fmt: skip


def fill(world: World, channel_id: int, at: datetime, number: int) -> None:
    """One row of each kind, as it stands when it is settled, made at this moment."""
    own: dict[str, Any] = {"commune_id": world.commune_id, "channel_id": channel_id}
    notice = SourceNotice(
        **own, ref=f"T.{number}", revision=1, urgency=Importance.ROUTINE, title="Tin", body="Lời", source="Tỉnh",
        received_at=at, raw="{}",
    )  # fmt: skip
    rows: list[Any] = [
        PlayLog(**own, bulletin_key=f"HC.{number}.r1", cluster="1", kind="played", is_success=True, at=at),
        SourceBulletin(
            **own, ref=str(number), urgency="thong_thuong", title="Tin", script="Lời đọc", seconds=5, valid_until=at,
            state=SourceState.SENT, next_try_at=at, created_at=at,
        ),
        notice,
        LoudspeakerCluster(
            **own, external_id=str(number), name="Cụm", state="idle", is_connected=True, heard_at=at
        ),
        SourceFeedback(**own, ref=f"PA.{number}", told="answered", told_at=at, next_try_at=at, created_at=at),
        SourceReport(
            **own, first_on=at.date(), last_on=at.date(), as_of=at, figures={}, state=ReportState.SENT,
            next_try_at=at, created_at=at,
        ),
    ]  # fmt: skip
    with world.runtime.database.transaction() as session:
        session.add_all(rows)
        session.flush()
        session.add(
            Bulletin(
                commune_id=world.commune_id, notice_id=notice.id, title="Tin", body="Lời", kind=BulletinKind.FIRST,
                state=BulletinState.APPROVED, created_at=at,
            )
        )  # fmt: skip


def test_all_of_it_goes_by_one_rule_when_it_is_old(world: World, channel_id: int) -> None:
    now = world.clock()
    fill(world, channel_id, now - timedelta(days=400), 1)
    fill(world, channel_id, now - timedelta(days=300), 2)
    lines = dry_run(world.runtime, world.official("mai"), DAYS)
    would = {line.kind: line.count for line in lines}
    kinds = (Kind.PLAYED, Kind.SPOKEN, Kind.ABOVE, Kind.CLUSTERS, Kind.FEEDBACK, Kind.HANDED_IN)
    assert [would[kind] for kind in kinds] == [1] * 6
    keep(world.runtime, world.official("an"), DAYS, seal_of(world.runtime, DAYS))
    run_all(world.runtime, world.commune_id)
    for table in (PlayLog, LoudspeakerCluster, SourceFeedback, SourceReport):
        assert len(all_rows(world.runtime, table)) == 1, table
    assert [row.script for row in all_rows(world.runtime, SourceBulletin)] == ["", "Lời đọc"]
    assert [(row.raw, row.body, row.title) for row in all_rows(world.runtime, SourceNotice)] == [
        ("", "", "Tin"), ("{}", "Lời", "Tin"),
    ]  # fmt: skip


def test_what_is_not_settled_stays(world: World, channel_id: int) -> None:
    long_ago = world.clock() - timedelta(days=400)
    fill(world, channel_id, long_ago, 1)
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(SourceReport).values(state=ReportState.WAITING))
        session.execute(sa.update(SourceFeedback).values(told="accepted"))
        session.execute(sa.update(SourceNotice).values(valid_until=world.clock()))
        session.execute(sa.update(SourceBulletin).values(state=SourceState.WAITING))
    would = {line.kind: line.count for line in dry_run(world.runtime, world.official("mai"), DAYS)}
    assert [would[one] for one in (Kind.SPOKEN, Kind.ABOVE, Kind.FEEDBACK, Kind.HANDED_IN)] == [0] * 4
