"""Probable readings: beside a message without diacritics, how it may read with them; never kept, never sent."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import structlog

from bot.usecases.ticket_page import Said
from bot.web import marked_text
from nlp.accents import Accents, BadAccents, shipped
from storage.enums import Direction

log = structlog.get_logger()

MOST = 12  # messages of a page: the page asks again every few seconds, and one takes about a millisecond


def probable(talk: Iterable[Said], *, is_revealed: bool) -> dict[int, str]:
    """How the latest messages of the citizen probably read, by their numbers; what is masked stays so."""
    accents = _accents()
    if accents is None:
        return {}
    bare = [said for said in talk if said.message.direction is Direction.IN and said.message.text]
    found = {
        said.message.id: accents.read("".join(_shown(piece) for piece in _pieces(said, is_revealed=is_revealed)))
        for said in bare[-MOST:]
    }
    return {number: words for number, words in found.items() if words}


def _pieces(said: Said, *, is_revealed: bool) -> list[marked_text.Piece]:
    return marked_text.marked(said.message.text, said.reading, is_revealed=is_revealed)


def _shown(piece: marked_text.Piece) -> str:
    return "" if piece.kind == "hidden" else piece.text


@cache
def _accents() -> Accents | None:
    try:
        return shipped()
    except (OSError, BadAccents) as error:
        log.error("accents.unreadable", code=type(error).__name__)
        return None
