"""What keepers and writers look at of loudspeakers: the clusters, and how far the latest bulletins are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.errors import ChannelRefused, SendError, TokenRejected
from adapters.loudspeakers import Cluster, Loudspeaking
from adapters.secret import Secret
from bot.access import NotFound
from bot.rules.loudspeakers import condition, is_out
from bot.runtime import Runtime, VaultError
from bot.usecases.findings import Report
from bot.usecases.loudspeakers import Progress, progress
from bot.usecases.source_sessions import in_session, loudspeaking
from bot.usecases.tokens import channel_config
from storage.channels import Channel
from storage.enums import Role, SourceState
from storage.loudspeakers import LoudspeakerCluster, SourceBulletin, SourceLink, clusters_of, link_row
from storage.officials import Official

MAY_LOOK = (Role.ADMIN, Role.LEADER, Role.AUTHOR, Role.APPROVER)
MOST_SHOWN = 20


@dataclass(frozen=True)
class Seen:
    """A cluster and how it is: a word of `rules.loudspeakers`."""

    cluster: LoudspeakerCluster
    how: str


@dataclass(frozen=True)
class Speakers:
    """What there is to know of a channel's loudspeakers, without asking anybody."""

    clusters: tuple[Seen, ...]
    waiting: int
    link: SourceLink | None

    @property
    def counts(self) -> dict[str, int]:
        """How many clusters are how."""
        return dict(Counter(one.how for one in self.clusters))

    @property
    def out(self) -> int:
        """How many clusters somebody must look after."""
        return sum(is_out(one.how) for one in self.clusters)


@dataclass(frozen=True)
class Page:
    """One channel's loudspeakers and its latest bulletins, the newest first."""

    channel: Channel
    speakers: Speakers
    bulletins: tuple[Progress, ...]


def speakers_of(session: Session, runtime: Runtime, channel: Channel, now: datetime) -> Speakers | None:
    """The loudspeakers of a channel; None where it has none."""
    if not isinstance(runtime.adapters.get(channel.type), Loudspeaking):
        return None
    seen = [
        Seen(row, condition(row.state, row.heard_at, now, is_connected=row.is_connected))
        for row in clusters_of(session, channel.id)
    ]
    is_open = SourceBulletin.state.in_([SourceState.WAITING, SourceState.SENDING])
    waiting = session.scalar(sa.select(sa.func.count()).where(SourceBulletin.channel_id == channel.id, is_open))
    return Speakers(tuple(seen), waiting or 0, link_row(session, channel.id))


def page(runtime: Runtime, official: Official, channel_id: int) -> Page:
    """All that is known of one channel's loudspeakers. NotFound when there are none in the official's commune."""
    with runtime.database.reading() as session:
        channel = session.get(Channel, channel_id)
        is_theirs = channel is not None and channel.commune_id == official.commune_id and official.has(*MAY_LOOK)
        speakers = speakers_of(session, runtime, channel, runtime.now()) if channel is not None and is_theirs else None
        if channel is None or speakers is None:
            raise NotFound
        query = sa.select(SourceBulletin.id).where(SourceBulletin.channel_id == channel.id)
        numbers = session.scalars(query.order_by(SourceBulletin.id.desc()).limit(MOST_SHOWN))
        return Page(channel, speakers, tuple(progress(session, number) for number in numbers))


def check_speakers(runtime: Runtime, channel: Channel, report: Report) -> None:
    """Note whether the source system lets us in, and what it says of the clusters. Whatever goes wrong is a finding."""
    try:
        clusters = _asked(runtime, channel)
    except SendError as error:
        is_account = isinstance(error, ChannelRefused | TokenRejected)
        report.add("FAIL", "account", error.code, REFUSED_SHOWN if is_account else SILENT_SHOWN)
        return
    except (ValueError, VaultError) as error:
        report.add("FAIL", "config", str(error), "Cấu hình kênh chưa đúng. Vui lòng báo người vận hành máy chủ.")
        return
    report.add("ok", "account", channel.account, "Hệ thống thông tin nguồn nhận tài khoản.")
    now = runtime.now()
    hows = [condition(one.state, one.heard_at or now, now, is_connected=one.is_connected) for one in clusters]
    out = sum(is_out(how) for how in hows)
    detail = f"{len(clusters)} clusters, {out} out"
    if not clusters:
        report.add("warn", "clusters", detail, "Hệ thống chưa có cụm loa nào của địa phương.")
    elif out:
        report.add(
            "warn", "clusters", detail, "%(hong)s trong %(tong)s cụm loa không hoạt động.", hong=out, tong=len(clusters)
        )
    else:
        report.add("ok", "clusters", detail, "Cả %(tong)s cụm loa hoạt động.", tong=len(clusters))


def _asked(runtime: Runtime, channel: Channel) -> tuple[Cluster, ...]:
    adapter, config = loudspeaking(runtime, channel), channel_config(runtime, channel)

    def question(token: Secret) -> tuple[Cluster, ...]:
        return adapter.clusters(runtime.http, config, token)

    return in_session(runtime, channel, question)


REFUSED_SHOWN = (
    "Hệ thống thông tin nguồn không nhận tên đăng nhập hoặc mật khẩu. Vui lòng báo người vận hành máy chủ đặt lại."
)
SILENT_SHOWN = "Hệ thống thông tin nguồn không trả lời. Hệ thống sẽ tự thử lại; vui lòng kiểm tra lại sau ít phút."
