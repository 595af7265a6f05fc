"""A pretend Zalo and Telegram, for rehearsal and tests: the real wire format over HTTP, and citizens' phones."""

from bot.web.sandbox.app import create_sandbox
from bot.web.sandbox.sandbox import Sandbox
from bot.web.sandbox.serving import sandbox_server
from bot.web.sandbox.settings import Place, SandboxAccount, SandboxBot, SandboxSettings

__all__ = ["Place", "Sandbox", "SandboxAccount", "SandboxBot", "SandboxSettings", "create_sandbox", "sandbox_server"]
