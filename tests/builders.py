"""Builders: functions with speaking defaults that make the people and things tests talk about."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from argon2 import PasswordHasher

from adapters.messages import Tokens, WebhookRequest
from bot.runtime import Runtime
from bot.usecases.setup import PlaceRow, add_channel, add_commune
from storage.agencies import Agency
from storage.channels import Channel
from storage.enums import InboundState, Role
from storage.messages import InboundEvent
from storage.officials import Official
from storage.sealing import open_words

APP, OA = "1000000000000000001", "2000000000000000002"
OA_SECRET, APP_SECRET = "example-oa-secret-key-not-real", "example-app-secret-not-real"
COMMUNE_CODE = "27925"
PASSWORD = "mat-khau-thu-nghiem"
PLACES = (
    PlaceRow("Xóm 5", "xóm", ("thôn 5",)),
    PlaceRow("Xóm 7", "xóm", ("xóm bảy",)),
    PlaceRow("Chợ Đình", "chợ"),
    PlaceRow("Trường Tiểu học Lê Lợi", "trường"),
)
_numbers = itertools.count(1)


@dataclass
class World:
    """A commune with its channel and the officials tests remember by name."""

    runtime: Runtime
    clock: Callable[[], datetime]
    commune_id: int
    channel_id: int
    officials: dict[str, int] = field(default_factory=dict)

    @property
    def channel(self) -> Channel:
        """The commune's Zalo channel as it stands now."""
        with self.runtime.database.reading() as session:
            return session.get_one(Channel, self.channel_id)

    def official(self, name: str) -> Official:
        """One of the officials: lan (receives), hung (handles, kinh-te), mai (leads), tuan (writes and receives),
        hoa (approves announcements), an (administers)."""
        with self.runtime.database.reading() as session:
            return session.get_one(Official, self.officials[name])

    def event(self, payload: dict[str, object], *, at: datetime | None = None) -> int:
        """Put an event into the inbox as the door does; gives its id."""
        moment = at or self.clock()
        payload = {"timestamp": str(int(moment.timestamp() * 1000)), "app_id": APP, **payload}
        body = json.dumps(payload, ensure_ascii=False).encode()
        runtime = self.runtime
        channel = self.channel
        adapter = runtime.adapters["zalo"]
        config = adapter.config(dict(channel.settings), json.loads(runtime.vault.open(channel.secrets)))
        envelope = adapter.admit(signed(body), config)
        row = InboundEvent(
            commune_id=channel.commune_id,
            channel_id=channel.id,
            key=envelope.key,
            event_name=envelope.event_name,
            conversation_key=envelope.conversation,
            body=body,
            occurred_at=envelope.occurred_at,
            received_at=max(self.clock(), envelope.occurred_at),
            state=InboundState.WAITING,
            next_try_at=self.clock(),
        )
        with runtime.database.transaction() as session:
            session.add(row)
            session.flush()
            return row.id

    def says(
        self, text: str, *, user: str = "3000000000000000003", at: datetime | None = None, **message: object
    ) -> int:
        """A citizen writes a text on Zalo; gives the id of the waiting event."""
        return self.event(text_event(text, user=user, **message), at=at)


def text_event(text: str, *, user: str = "3000000000000000003", **message: object) -> dict[str, object]:
    """The payload of a citizen's text, without its timestamp."""
    number = next(_numbers)
    return {
        "user_id_by_app": "4000000000000000004",
        "event_name": "user_send_text",
        "sender": {"id": user},
        "recipient": {"id": OA},
        "message": {"msg_id": f"msg{number:08d}", "text": text, **message},
    }


def signed(body: bytes, *, secret: str = OA_SECRET, app_id: str = APP) -> WebhookRequest:
    """A webhook request with the signature Zalo would give it."""
    return WebhookRequest("POST", {"x-zevent-signature": signature(body, secret=secret, app_id=app_id)}, body)


def signature(body: bytes, *, secret: str = OA_SECRET, app_id: str = APP) -> str:
    """The signature header of a body; a body without a timestamp is signed as if it were empty."""
    try:
        found = json.loads(body).get("timestamp", "")
    except (ValueError, AttributeError):
        found = ""
    mac = hashlib.sha256(app_id.encode() + body + str(found).encode() + secret.encode()).hexdigest()
    return f"mac={mac}"


def a_world(runtime: Runtime, clock: Callable[[], datetime], *, api_base: str = "http://127.0.0.1:9") -> World:
    """Xã Đức Huệ with agencies, places, six officials and one sandbox Zalo channel with fresh tokens."""
    # Tests about results say themselves where they need a photo of afterwards, or time to take something back.
    settings = {"after_photo": False, "undo_seconds": 0}
    commune_id = add_commune(runtime, code=COMMUNE_CODE, slug="duc-hue", places=PLACES, settings=settings)
    channel_id = add_channel(
        runtime,
        commune="duc-hue",
        type="zalo",
        slug="zalo-duc-hue",
        name="Zalo OA Đức Huệ",
        settings={"app_id": APP, "oa_id": OA, "is_sandbox": True, "api_base": api_base, "oauth_base": api_base},
        secrets={"app_secret": APP_SECRET, "oa_secret": OA_SECRET},
        tokens=Tokens("an-access-token", "a-refresh-token", datetime.now(UTC) + timedelta(days=3650)),
    )
    world = World(runtime, clock, commune_id, channel_id)
    people: dict[str, tuple[str, list[Role], str | None]] = {
        "lan": ("Nguyễn Thị Lan", [Role.RECEIVER], "van-phong"),
        "hung": ("Trần Văn Hùng", [Role.HANDLER], "kinh-te"),
        "mai": ("Lê Thị Mai", [Role.LEADER, Role.SEALED_READER], "lanh-dao"),
        "tuan": ("Phạm Anh Tuấn", [Role.AUTHOR, Role.RECEIVER], "van-hoa-xa-hoi"),
        "hoa": ("Võ Thị Hoa", [Role.APPROVER], "lanh-dao"),
        "an": ("Đặng Văn An", [Role.ADMIN], None),
    }
    with runtime.database.transaction() as session:
        agencies = dict(session.execute(sa.select(Agency.slug, Agency.id).where(Agency.commune_id == commune_id)).all())
        for username, (name, roles, agency) in people.items():
            official = Official(
                commune_id=commune_id,
                agency_id=agencies.get(agency),
                username=username,
                name=name,
                password_hash=_password_hash(),
                roles=[role.value for role in roles],
                created_at=clock(),
            )
            session.add(official)
            session.flush()
            world.officials[username] = official.id
    return world


@functools.cache
def _password_hash() -> str:
    # What we hash with is slow on purpose; the hash says how it was made, and this one is quickly tried.
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def all_rows(runtime: Runtime, model: type) -> list:
    """Every row of a table in the order of its numbers, sealed words opened."""
    with runtime.database.reading() as session:
        open_words(session)
        return list(session.scalars(sa.select(model).order_by(model.id)))
