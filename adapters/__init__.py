"""Adapters speak: one file per channel, wire format on one side, our words on the other."""

from __future__ import annotations

from adapters.base import Adapter
from adapters.smpp import Smpp
from adapters.sms import Sms
from adapters.source_system import SourceSystem
from adapters.telegram import Telegram
from adapters.viber import Viber
from adapters.web_form import WebForm
from adapters.zalo import Zalo
from adapters.zalo_bot import ZaloBot

ADAPTERS: dict[str, Adapter] = {
    "zalo": Zalo(),
    "zalo_bot": ZaloBot(),
    "sms": Sms(),
    "smpp": Smpp(),
    "telegram": Telegram(),
    "viber": Viber(),
    "web_form": WebForm(),
    "source_system": SourceSystem(),
}
