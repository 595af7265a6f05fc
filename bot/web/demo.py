"""The rehearsal commune: made once, with officials, places, pretend channels of every kind, and neighbours."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from adapters.messages import Tokens
from bot.runtime import Runtime
from bot.usecases import groups, prices
from bot.usecases.officials import add_official
from bot.usecases.setup import PlaceRow, add_channel, add_commune
from bot.web.serve import (
    DEMO_APP,
    DEMO_BOTS,
    DEMO_CHANNEL,
    DEMO_LOUDSPEAKERS,
    DEMO_NUMBER,
    DEMO_OA,
    DEMO_SMS_CHANNEL,
    SANDBOX_PREFIX,
    DemoBot,
    demo_bot_token,
    demo_secrets,
    local_url,
    sandbox_settings,
)
from storage.channels import Channel
from storage.communes import Commune
from storage.enums import Role
from storage.officials import Official

SLUG = "xa-tap-duot"
CODE = "27925"
FOLLOWERS = 8
BOT_USERS = 3
PHONES = 3

PLACES = (
    *(PlaceRow(f"Xóm {n}", "xóm", (f"thôn {n}",)) for n in range(1, 9)),
    PlaceRow("Ấp Tân Hòa", "ấp"),
    PlaceRow("Chợ Đình", "chợ", ("chợ xã",)),
    PlaceRow("Cầu Kênh Ngang", "cầu", ("cầu kênh",)),
    PlaceRow("Trường Tiểu học Lê Lợi", "trường", ("tiểu học Lê Lợi",)),
    PlaceRow("Trạm Y tế", "trạm", ("trạm xá",)),
    PlaceRow("Nhà văn hóa xã", "nhà văn hóa", ("nhà văn hóa",)),
    PlaceRow("Đường Bờ Kênh", "đường"),
)


GROUPS = ("Hộ nuôi lợn", "Phụ huynh học sinh")
DONG_A_PART, DONG_A_MESSAGE = 350, 55  # of the order networks and platforms ask for


@dataclass(frozen=True)
class Person:
    """An official of the rehearsal commune and what they may do."""

    username: str
    name: str
    roles: tuple[Role, ...]
    agency: str
    does: str


PEOPLE = (
    Person("lan", "Nguyễn Thị Lan (tập dượt)", (Role.RECEIVER, Role.AUTHOR), "van-phong", "tiếp nhận, soạn thông báo"),
    Person("hung", "Trần Văn Hùng (tập dượt)", (Role.HANDLER,), "kinh-te", "xử lý"),
    Person(
        "mai",
        "Lê Thị Mai (tập dượt)",
        (Role.LEADER, Role.APPROVER, Role.ADMIN, Role.SEALED_READER),
        "lanh-dao",
        "lãnh đạo, duyệt, được giao mật",
    ),
    Person("dao", "Bùi Văn Đạo (tập dượt)", (Role.SEALED_READER,), "tiep-cong-dan", "được giao mật"),
)


DEMO_PAGE = "tap-duot"


@dataclass(frozen=True)
class Demo:
    """What a newcomer needs to begin: who may sign in and with which password."""

    password: str
    people: tuple[Person, ...] = PEOPLE
    page: str = f"/phan-anh/{DEMO_PAGE}"


def prepare_demo(runtime: Runtime) -> Demo:
    """Make the rehearsal commune if it is not there; safe to run at every start."""
    password = _password(runtime.settings.data_dir / "demo-password")
    with runtime.database.reading() as session:
        commune = session.scalar(sa.select(Commune).where(Commune.slug == SLUG))
        known = set(session.scalars(sa.select(Official.username)))
        channel = session.scalar(sa.select(Channel).where(Channel.slug == DEMO_CHANNEL))
        bots = [(bot, session.scalar(sa.select(Channel).where(Channel.slug == bot.channel))) for bot in DEMO_BOTS]
        number = session.scalar(sa.select(Channel).where(Channel.slug == DEMO_SMS_CHANNEL))
        loudspeakers = session.scalar(sa.select(Channel).where(Channel.slug == DEMO_LOUDSPEAKERS))
    if commune is None:
        add_commune(
            runtime,
            code=CODE,
            slug=SLUG,
            name="UBND xã Tập Dượt",
            settings={
                "duty_phone": "0900 000 000",
                "reception": "trụ sở UBND xã, sáng thứ Năm hằng tuần",
                "quiet_hours": None,
            },
            places=PLACES,
            is_demo=True,
        )
    for person in PEOPLE:
        if person.username not in known:
            add_official(
                runtime,
                commune=SLUG,
                username=person.username,
                name=person.name,
                password=password,
                roles=list(person.roles),
                agency=person.agency,
            )
    _connect(runtime, channel)
    _open_page(runtime)
    for bot, found in bots:
        _connect_bot(runtime, bot, found)
    _connect_number(runtime, number)
    _connect_loudspeakers(runtime, loudspeakers)
    _neighbours(runtime)
    _lay_out_groups(runtime)
    return Demo(password)


def _lay_out_groups(runtime: Runtime) -> None:
    """Two groups to join and prices to count with, as long as there are none; whoever rehearses changes them."""
    with runtime.database.reading() as session:
        here = Official.commune_id == sa.select(Commune.id).where(Commune.slug == SLUG).scalar_subquery()
        people = list(session.scalars(sa.select(Official).where(here).order_by(Official.id)))
    author, leader = (next(one for one in people if one.has(role)) for role in (Role.AUTHOR, Role.LEADER))
    if not groups.listing(runtime, author):
        for name in GROUPS:
            groups.add(runtime, author, name)
    channels = prices.listing(runtime, leader)
    if all(one.dong is None for one in channels):
        for one in channels:
            prices.set_price(runtime, leader, one.channel.id, DONG_A_PART if one.by_part else DONG_A_MESSAGE)


def connect_practice(runtime: Runtime, commune: str) -> None:
    """Give a commune the pretend Zalo to practise with, and neighbours who write on it; safe to repeat."""
    with runtime.database.reading() as session:
        channel = session.scalar(sa.select(Channel).where(Channel.slug == DEMO_CHANNEL))
    _connect(runtime, channel, commune)
    _neighbours(runtime)


def _connect(runtime: Runtime, channel: Channel | None, commune: str = SLUG) -> None:
    base = local_url(runtime.settings) + SANDBOX_PREFIX
    if channel is not None:
        _move(runtime, channel, {"api_base": base, "oauth_base": base, "extra_media_hosts": [_host(base)]})
        return
    shared = demo_secrets(runtime.settings)
    add_channel(
        runtime,
        commune=commune,
        type="zalo",
        slug=DEMO_CHANNEL,
        name="Zalo tập dượt",
        settings={
            "app_id": DEMO_APP,
            "oa_id": DEMO_OA,
            "is_sandbox": True,
            "api_base": base,
            "oauth_base": base,
            "extra_media_hosts": [_host(base)],
        },
        secrets={"app_secret": shared["app_secret"], "oa_secret": shared["oa_secret"]},
        tokens=Tokens(
            shared["access_token"], shared["refresh_token"], datetime.now(UTC) + timedelta(seconds=90_000 - 600)
        ),
        rate_per_second=50.0,
    )


def _connect_bot(runtime: Runtime, bot: DemoBot, channel: Channel | None) -> None:
    """A rehearsal bot, which is asked for its messages as it would be in an office behind a router."""
    sandbox = local_url(runtime.settings) + SANDBOX_PREFIX
    addresses: dict[str, Any] = {"api_base": sandbox + bot.api_path}
    if bot.fetches_by_address:
        addresses["extra_media_hosts"] = [_host(sandbox)]
    if channel is not None:
        _move(runtime, channel, addresses)
        return
    add_channel(
        runtime,
        commune=SLUG,
        type=bot.type,
        slug=bot.channel,
        name=bot.name,
        settings={"is_sandbox": True, "receive": "polling", "username": "tap_duot_bot", **addresses},
        secrets={
            "token": demo_bot_token(runtime.settings, bot),
            "webhook_secret": demo_secrets(runtime.settings)["webhook_secret"],
        },
    )


def _connect_number(runtime: Runtime, channel: Channel | None) -> None:
    """The rehearsal number at a pretend Kannel."""
    send_url = f"{local_url(runtime.settings)}{SANDBOX_PREFIX}/cgi-bin/sendsms"
    if channel is not None:
        _move(runtime, channel, {"send_url": send_url})
        return
    shared = demo_secrets(runtime.settings)
    add_channel(
        runtime,
        commune=SLUG,
        type="sms",
        slug=DEMO_SMS_CHANNEL,
        name="SMS tập dượt",
        settings={"is_sandbox": True, "profile": "kannel", "number": DEMO_NUMBER, "send_url": send_url},
        secrets={
            "api_key": shared["sms_key"],
            "api_secret": shared["sms_secret"],
            "callback_token": shared["sms_callback"],
        },
    )


def _connect_loudspeakers(runtime: Runtime, channel: Channel | None) -> None:
    """The rehearsal village's loudspeakers on a pretend source information system."""
    base_url = f"{local_url(runtime.settings)}{SANDBOX_PREFIX}/httttn/{DEMO_LOUDSPEAKERS}"
    if channel is not None:
        _move(runtime, channel, {"base_url": base_url})
        return
    add_channel(
        runtime,
        commune=SLUG,
        type="source_system",
        slug=DEMO_LOUDSPEAKERS,
        name="Loa truyền thanh tập dượt",
        settings={
            "is_sandbox": True,
            "base_url": base_url,
            "username": DEMO_LOUDSPEAKERS,
            "profile": "epoch",
            "source_id": "TD.01",
            "source_name": "UBND xã Tập Dượt",
            "area_id": CODE,
            "area_name": "Xã Tập Dượt",
        },
        secrets={"password": demo_secrets(runtime.settings)["loudspeakers"]},
    )


def _move(runtime: Runtime, channel: Channel, addresses: dict[str, Any]) -> None:
    """The sandbox is on another port this time."""
    fresh = {**channel.settings, **addresses}
    if fresh != channel.settings:
        with runtime.database.transaction() as session:
            session.execute(sa.update(Channel).where(Channel.id == channel.id).values(settings=fresh))


def _open_page(runtime: Runtime) -> None:
    with runtime.database.reading() as session:
        if session.scalar(sa.select(Channel.id).where(Channel.slug == DEMO_PAGE)) is not None:
            return
    add_channel(runtime, commune=SLUG, type="web_form", slug=DEMO_PAGE, name="Trang phản ánh", settings={}, secrets={})


def _host(base: str) -> str:
    return base.split("//", 1)[1].split("/", 1)[0]


def _neighbours(runtime: Runtime) -> None:
    from bot.web.sandbox import people, tokens
    from bot.web.sandbox.bots import memory
    from bot.web.sandbox.platforms import PLATFORMS
    from bot.web.sandbox.sms import memory as telephones
    from bot.web.sandbox.store import Store

    settings = sandbox_settings(runtime.settings)
    store = Store(settings.db_path)
    try:
        with store.writing() as db:
            tokens.seed(db, settings)
            if not db.execute("SELECT count(*) FROM citizens").fetchone()[0]:
                people.create(db, settings.accounts[0], people.invented_names(FOLLOWERS, 0))
            for turn, bot in enumerate(settings.bots):
                if not memory.people_of(db, bot.bot_id):
                    for name in people.invented_names(BOT_USERS, FOLLOWERS + turn * BOT_USERS):
                        memory.add_person(db, PLATFORMS[bot.platform], bot.bot_id, name)
            if not db.execute("SELECT count(*) FROM sms_phones").fetchone()[0]:
                for name in people.invented_names(PHONES, FOLLOWERS + len(settings.bots) * BOT_USERS):
                    telephones.add_phone(db, name)
    finally:
        store.close()


def _password(path: Path) -> str:
    """The common password of the rehearsal officials: made at the first start, shown in the terminal."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        password = f"tap-duot-{secrets.randbelow(9000) + 1000}-{secrets.randbelow(9000) + 1000}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(password)
    return password
