"""Papers: what is printed, drawn from plain values; the same values give the same bytes."""

from pathlib import Path

FONTS = Path(__file__).parent / "fonts"  # copied here at set-up by bot.web.assets
