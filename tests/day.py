"""A recorded day: mixed webhooks of many citizens, always the same for a seed; every word is invented."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.builders import APP, OA, signature

MORNING = datetime(2026, 10, 5, 0, 0, tzinfo=UTC)
TEXTS = (
    "đường vào xóm 5 ổ gà nhiều quá", "duong xom 7 ngap het roi", "đèn đường trước chợ Đình hỏng mấy hôm nay",
    "rac khong ai don 3 ngay roi", "karaoke ồn quá không ngủ được", "nước máy đục ngầu từ sáng", "mất điện cả xóm 5",
    "chó thả rông cắn trẻ con ở xóm 7", "cây đổ chắn đường", "trạm y tế mấy giờ mở cửa ạ", "chào xã", "cảm ơn ạ", "ok",
    "nhà tôi ở xóm 5, số 12", "làm khai sinh cần giấy tờ gì", "gặp cán bộ", "tra cứu", "vẫn chưa ai xử lý à", "👍",
    "tôi tố cáo cán bộ đòi hối lộ", "ngừng nhận tin", "nhận tin", "đổ rác trộm cạnh trường Lê Lợi",
)  # fmt: skip


def a_day(events: int, contacts: int, seed: int) -> list[bytes]:
    """The bodies of a day's webhooks in the order things happened."""
    chance = random.Random(seed)
    people = [str(3_000_000_000_000_000_000 + n) for n in range(contacts)]
    moments = sorted(chance.uniform(0, 86_400) for _ in range(events))
    bodies = []
    for number, seconds in enumerate(moments):
        # Milliseconds apart, so that "earlier" means the same to everybody.
        at = MORNING + timedelta(seconds=seconds, milliseconds=number % 7)
        make = chance.choices(_MAKERS, _WEIGHTS)[0]
        payload = make(chance, chance.choice(people), number)
        stamped = {"app_id": APP, **payload, "timestamp": str(int(at.timestamp() * 1000))}
        bodies.append(json.dumps(stamped, ensure_ascii=False, separators=(",", ":")).encode())
    return bodies


def headers(body: bytes) -> dict[str, str]:
    """What Zalo sends with a body."""
    return {"Content-Type": "application/json", "X-ZEvent-Signature": signature(body), "User-Agent": "ZaloWebhook"}


def _said(name: str, user: str, message: dict[str, Any]) -> dict[str, Any]:
    return {
        "user_id_by_app": f"4{user[1:]}",
        "event_name": name,
        "sender": {"id": user},
        "recipient": {"id": OA},
        "message": message,
    }


def _text(chance: random.Random, user: str, number: int) -> dict[str, Any]:
    return _said("user_send_text", user, {"msg_id": f"day{number:06d}", "text": chance.choice(TEXTS)})


def _attached(kind: str) -> Callable[[random.Random, str, int], dict[str, Any]]:
    def make(chance: random.Random, user: str, number: int) -> dict[str, Any]:
        payloads: dict[str, dict[str, Any]] = {
            "image": {"url": "https://photo.zdn.vn/a.jpg", "thumbnail": "https://photo.zdn.vn/t.jpg"},
            "location": {"coordinates": {"latitude": "10.80446", "longitude": "106.31723"}},
            "sticker": {"id": "123", "url": "https://sticker.zdn.vn/1.png"},
        }
        message: dict[str, Any] = {
            "msg_id": f"day{number:06d}",
            "attachments": [{"type": kind, "payload": payloads[kind]}],
        }
        if kind == "image" and chance.random() < 0.4:
            message["text"] = chance.choice(TEXTS)
        return _said(f"user_send_{kind}", user, message)

    return make


def _relation(name: str) -> Callable[[random.Random, str, int], dict[str, Any]]:
    def make(_chance: random.Random, user: str, _number: int) -> dict[str, Any]:
        return {"oa_id": OA, "follower": {"id": user}, "user_id_by_app": f"4{user[1:]}", "event_name": name}

    return make


def _receipt(name: str) -> Callable[[random.Random, str, int], dict[str, Any]]:
    def make(_chance: random.Random, user: str, number: int) -> dict[str, Any]:
        ids = [f"ours{number:06d}"]
        message = {"msg_ids": ids} if name == "user_seen_message" else {"msg_id": ids[0]}
        return {"event_name": name, "sender": {"id": OA}, "recipient": {"id": user}, "message": message}

    return make


def _chatnow(_chance: random.Random, user: str, _number: int) -> dict[str, Any]:
    return {"oa_id": OA, "user_id": user, "user_id_by_app": f"4{user[1:]}", "event_name": "user_click_chatnow"}


_KINDS: list[tuple[int, Callable[[random.Random, str, int], dict[str, Any]]]] = [
    (66, _text), (9, _attached("image")), (3, _attached("location")), (3, _attached("sticker")),
    (6, _relation("follow")), (2, _relation("unfollow")), (5, _receipt("user_received_message")),
    (4, _receipt("user_seen_message")), (2, _chatnow),
]  # fmt: skip
_WEIGHTS = [weight for weight, _ in _KINDS]
_MAKERS = [maker for _, maker in _KINDS]
