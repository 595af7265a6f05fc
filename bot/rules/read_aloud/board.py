"""Lines for a public board: at most two of sixty signs, the title first."""

from __future__ import annotations

import re

from bot.rules.read_aloud.script import sentences_of, worth_of
from bot.rules.read_aloud.shaping import lines_of

LINES, WIDTH = 2, 60
_SENTENCE_END = re.compile(r"(?<=[^\W_][^\W_][.!?])\s+|(?<=\s\d[.!?])\s+|(?<=[)][.!?])\s+")
_NUMBERED = re.compile(r"^\d{1,2}[.)/]\s")


def board_lines(title: str, body: str) -> tuple[str, ...]:
    """The title, and in what is left the first words of the body that say when and where, cut between words."""
    lines = _wrapped(" ".join(lines_of(title)), LINES)
    left = LINES - len(lines)
    if left:
        lines += _wrapped(_telling(body), left)
    return tuple(lines)


def _telling(body: str) -> str:
    """The sentence that says most of when and where, else the first one."""
    lines = (_NUMBERED.sub("", line) for line in lines_of(body))
    written = [one.strip() for line in lines for one in _SENTENCE_END.split(line)]
    return max(written, key=_worth, default="")


def _worth(written: str) -> int:
    return max(map(worth_of, sentences_of(written)), default=0)


def _wrapped(text: str, most: int) -> list[str]:
    """At most so many lines, cut between words; "…" where something is missing."""
    words = text.split()
    lines: list[str] = []
    while words and len(lines) < most:
        line, words = _line(words)
        lines.append(line)
    if words and lines:
        lines[-1] = _shortened(lines[-1])
    return lines


def _line(words: list[str]) -> tuple[str, list[str]]:
    if len(words[0]) > WIDTH:
        return words[0][:WIDTH], [words[0][WIDTH:], *words[1:]]
    taken = 1
    while taken < len(words) and len(" ".join(words[: taken + 1])) <= WIDTH:
        taken += 1
    return " ".join(words[:taken]), words[taken:]


def _shortened(line: str) -> str:
    kept = line
    while len(kept) >= WIDTH:
        kept = kept.rpartition(" ")[0] or kept[: WIDTH - 1]
    return kept.rstrip(" ,;:.-–") + "…"
