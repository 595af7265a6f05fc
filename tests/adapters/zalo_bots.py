"""A Zalo bot of nobody, what was recorded of others, and answers as the platform gives them."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from adapters.secret import Secret
from adapters.zalo_bot import ZaloBot, ZaloBotConfig

PAYLOADS = Path(__file__).parent / "payloads" / "zalo_bot"
CHAT = "b800000000000001"
CITIZEN = f"zalo_bot:{CHAT}"
TOKEN = "7000000001:AAExample-token-that-nobody-may-see"
SECRET = "example-webhook-secret-not-real"
WORDS = "Đã tiếp nhận phản ánh của Anh/Chị, mã PA26-0001."
CONFIG = ZaloBotConfig(Secret(TOKEN), Secret(SECRET))
GOOD = {"token": TOKEN, "webhook_secret": SECRET}
ANSWERS = json.loads((PAYLOADS / "_api_responses.json").read_text())

bot = ZaloBot()


def payload(name: str) -> bytes:
    """A recorded event."""
    return (PAYLOADS / f"{name}.json").read_bytes()


def url(method: str) -> str:
    """Where a method of the bot is called."""
    return f"https://bot-api.zaloplatforms.com/bot{TOKEN}/{method}"


def reply(body: object, status: int = 200, **headers: str) -> httpx.Response:
    """An answer of the platform."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, content=content, headers=headers)
