"""The pretend Bot API of Telegram: its methods, and what citizens do there, with buttons."""
