"""A pretend Zalo, Telegram, mobile network and source system: the real wire format, phones and loudspeakers."""

from bot.web.sandbox.app import create_sandbox
from bot.web.sandbox.sandbox import Sandbox
from bot.web.sandbox.serving import sandbox_server
from bot.web.sandbox.settings import Place, SandboxAccount, SandboxBot, SandboxSettings, SandboxSms, SandboxVillage

__all__ = [
    "Place",
    "Sandbox",
    "SandboxAccount",
    "SandboxBot",
    "SandboxSettings",
    "SandboxSms",
    "SandboxVillage",
    "create_sandbox",
    "sandbox_server",
]
