"""The question of an audience in forms: what was ticked, and what can be."""

from __future__ import annotations

from typing import Any

from flask import request

from bot.usecases import groups
from bot.usecases.announcements import villages_for
from bot.usecases.announcing import LONGEST_DAYS
from bot.web.audience_words import LANGUAGE_WORDS, dong
from bot.web.shell import current_official, row_number, runtime
from bot.web.words import topic_word
from nlp.topics import TOPICS
from storage.audiences import About, Narrowing

ROWS_AT_MOST = 500
CHANNELS_AT_MOST = 50


def typed_about() -> About:
    """Whom the form that was sent asks for."""
    said = request.form
    return About(
        said.get("topic", ""),
        tuple(sorted({row_number(number) or 0 for number in said.getlist("place")[:ROWS_AT_MOST]})),
        Narrowing(
            tuple(sorted(set(said.getlist("also_topic")[:ROWS_AT_MOST]))),
            tuple(sorted({row_number(number) or 0 for number in said.getlist("group")[:ROWS_AT_MOST]})),
            tuple(sorted(set(said.getlist("language")[: len(LANGUAGE_WORDS) + 1]))),
            _days(said.get("seen_within", "")),
            _days(said.get("unseen_for", "")),
        ),
    )


def typed_channels() -> tuple[int, ...]:
    """The channels that were ticked."""
    return tuple(row_number(number) or 0 for number in request.form.getlist("channel")[:CHANNELS_AT_MOST])


def choices() -> dict[str, Any]:
    """What the fields of the question offer."""
    return {
        "topics": [(slug, topic_word(slug)) for slug in TOPICS],
        "villages": villages_for(runtime(), current_official()),
        "groups": groups.open_groups(runtime(), current_official()),
        "languages": list(LANGUAGE_WORDS.items()),
        "longest_days": LONGEST_DAYS,
        "dong": dong,
    }


def _days(words: str) -> int:
    number = row_number(words)
    return 0 if number is None else number or -1
