"""Reading aloud: an announcement as the commune's loudspeakers say it and as its boards show it (domain §13)."""

from bot.rules.read_aloud.board import board_lines
from bot.rules.read_aloud.script import Script, Seconds, Unsure, read_aloud, reading_time, script_of

__all__ = ["Script", "Seconds", "Unsure", "board_lines", "read_aloud", "reading_time", "script_of"]
