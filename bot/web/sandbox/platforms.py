"""The platforms of bots that this sandbox pretends to be."""

from __future__ import annotations

from bot.web.sandbox.telegram.people import TELEGRAM
from bot.web.sandbox.zalo_bot.people import ZALO_BOT

PLATFORMS = {platform.name: platform for platform in (TELEGRAM, ZALO_BOT)}
