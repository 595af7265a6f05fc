"""The scanner: a line is read once from left to right, and the first rule that knows what stands there says it.

A rule is a pattern and a function. It sees a little of what stands before and behind, never the whole text, so that the
time a line takes grows with its length and with nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

_WINDOW = 60
_MARKS = frozenset(".,:;!?")
_STRENGTH = {mark: strength for strength, mark in enumerate(",;:.?!")}
_ENDS = frozenset(".!?")


@dataclass(frozen=True, slots=True)
class Token:
    """Words that are said, or a mark that stands for a pause; `unsure` holds what was written when it is a guess."""

    text: str
    is_time: bool = False
    unsure: str = ""

    @property
    def is_mark(self) -> bool:
        """A pause, not a word."""
        return self.text in _MARKS

    @property
    def ends(self) -> bool:
        """The end of a sentence."""
        return self.text in _ENDS


@dataclass
class Around:
    """What stands around a match, and what has been said so far on this line."""

    line: str
    start: int
    end: int
    said: Sequence[Token] = field(default_factory=list)
    is_shouted: bool = False

    @cached_property
    def before(self) -> str:
        """The last words before the match, in small letters."""
        return self.line[max(0, self.start - _WINDOW) : self.start].lower()

    @cached_property
    def after(self) -> str:
        """The next words behind the match."""
        return self.line[self.end : self.end + _WINDOW]

    def follows(self, *words: str) -> bool:
        """Do these words (as a pattern) stand directly before, whole?"""
        return _behind(words).search(self.before) is not None

    def leads(self, *words: str) -> bool:
        """Do these words (as a pattern) stand directly behind, whole?"""
        return _ahead(words).match(self.after) is not None


@cache
def _behind(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})[\s:]*$")


@cache
def _ahead(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\s*(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)


Said = str | Token | Sequence[Token] | None


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern and what is said where it matches; None means that the next rule is asked.

    `at`: what it may begin with, so that others need not be asked: digits, letters, signs.
    """

    pattern: re.Pattern[str]
    say: Callable[[re.Match[str], Around], Said]
    at: str = "dls"


def by_beginning(rules: Sequence[Rule]) -> Mapping[str, tuple[Rule, ...]]:
    """The rules to ask, in their order, by what stands there."""
    return {kind: tuple(rule for rule in rules if kind in rule.at) for kind in "dls"}


def _kind(sign: str) -> str:
    return "d" if sign.isdecimal() else "l" if sign.isalpha() else "s"


def scan(line: str, rules: Mapping[str, tuple[Rule, ...]], *, is_shouted: bool = False) -> list[Token]:
    """What is said for a line, from left to right."""
    said: list[Token] = []
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        for rule in rules[_kind(line[at])]:
            match = rule.pattern.match(line, at)
            if match is None or match.end() == at:
                continue
            tokens = rule.say(match, Around(line, at, match.end(), said, is_shouted))
            if tokens is not None:
                said.extend(as_tokens(tokens))
                at = match.end()
                break
        else:
            at += 1  # a sign nobody reads
    return said


def as_tokens(said: Said) -> list[Token]:
    """What a rule said, as tokens."""
    if said is None:
        return []
    if isinstance(said, Token):
        return [said]
    return [Token(said)] if isinstance(said, str) else list(said)


def tidy(tokens: Sequence[Token]) -> list[Token]:
    """Without empty words and without pauses beside each other: the stronger one stays."""
    kept: list[Token] = []
    for token in tokens:
        if not token.text:
            continue
        if not token.is_mark or (kept and not kept[-1].is_mark):
            kept.append(token)
        elif kept and _STRENGTH[token.text] > _STRENGTH[kept[-1].text]:
            kept[-1] = token
    return kept
