"""A pretend Zalo, Telegram and mobile network, for rehearsal and tests: the real wire format, and citizens' phones."""

from bot.web.sandbox.app import create_sandbox
from bot.web.sandbox.sandbox import Sandbox
from bot.web.sandbox.serving import sandbox_server
from bot.web.sandbox.settings import Place, SandboxAccount, SandboxBot, SandboxSettings, SandboxSms

__all__ = [
    "Place",
    "Sandbox",
    "SandboxAccount",
    "SandboxBot",
    "SandboxSettings",
    "SandboxSms",
    "create_sandbox",
    "sandbox_server",
]
