"""A pretend Zalo for rehearsal and for tests: the real wire format over HTTP, and a citizen's phone to chat from."""

from bot.web.sandbox.app import create_sandbox
from bot.web.sandbox.sandbox import Sandbox
from bot.web.sandbox.serving import sandbox_server
from bot.web.sandbox.settings import Place, SandboxAccount, SandboxSettings

__all__ = ["Place", "Sandbox", "SandboxAccount", "SandboxSettings", "create_sandbox", "sandbox_server"]
