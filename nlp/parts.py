"""Parts: two problems in one message, each with its topic and where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from nlp.chances import in_columns
from nlp.characters import fold
from nlp.clues import Clues
from nlp.deciding import NO_TOPIC, Verdict
from nlp.normalise import Normalised
from nlp.phrases import PhraseMatcher
from nlp.reading import Part

_LEAST_WORDS = 3
_PAUSES = frozenset(".;\n,:")
_MOST_CUTS = 8
_NUMBERED = re.compile(r"(?:^|\s)1[.)/][^\n]{10,}?\s2[.)/]")
# How sure both topics must be: where the writer announces two matters, or says that something else follows.
_ANNOUNCED, _JOINED = 0.25, 0.45
# After a pause a word of contrast may begin another matter, and without accents it may be a child.
_CONTRASTED, _CONTRASTED_BARE = 0.6, 0.75
_CONTRASTS = frozenset({"còn", "mà"})
_ANNOUNCES = (
    "hai việc", "2 việc", "hai chuyện", "2 chuyện", "hai vấn đề", "2 vấn đề", "hai điều", "2 điều", "hai vụ", "2 vụ",
    "hai thứ", "một là", "thứ nhất", "thứ nhứt", "cả hai", "hai cái", "vài việc", "mấy việc", "1 là", "=một lượt",
)  # fmt: skip
_JOINS = (
    "ngoài ra", "với lại", "với cả", "vả lại", "thêm nữa", "thêm cái", "thêm vụ", "thêm chuyện", "còn nữa", "còn cái",
    "còn vụ", "còn chuyện", "đồng thời", "bên cạnh đó", "à mà", "sẵn tiện", "sẵn coi", "tiện thể", "nhân tiện",
    "hai là", "thứ hai là", "thứ nhì", "việc thứ hai", "một việc nữa", "1 việc nữa", "chuyện nữa", "mặt khác",
    "luôn tiện", "nhân đây", "cho hỏi luôn", "còn bên kia", "còn mé", "mà ngoài", "chưa kể", "lại thêm",
    "còn việc", "lại còn có", "lại còn cái", "hỏi luôn", "xin luôn", "cũng xin luôn", "sẵn hỏi", "nhờ luôn", "cũng nhờ",
)  # fmt: skip
_BARE_CONTRASTS = frozenset(map(fold, _CONTRASTS))
_OF_CHILDREN = frozenset({"em", "toi", "tui", "chau", "minh", "be", "chi", "anh", "nit", "gai", "trai", "xin", "nho"})
# Another authority's or a protected matter is told in one piece, whatever it touches on the way.
_WHOLE = frozenset({"to-cao-tham-nhung", "khieu-nai", "thai-do-can-bo", "gop-y-chinh-quyen"})


class _Cut(NamedTuple):
    at: int
    needed: float


@cache
def _cues() -> PhraseMatcher[bool]:
    return PhraseMatcher([*((phrase, True) for phrase in _ANNOUNCES), *((phrase, False) for phrase in _JOINS)])


def find_parts(text: Normalised, clues: Clues, judge: Callable[[list[str]], Verdict]) -> tuple[Part, ...]:
    """The two parts where a message changes from one problem to another; () when it has one."""
    best: tuple[float, tuple[Part, ...]] = (0.0, ())
    for cut in _cuts(text)[:_MOST_CUTS]:
        before = _topic(judge(_names(clues, 0, cut.at)))
        after = _topic(judge(_names(clues, cut.at, len(text.words))))
        surer = min(before[1], after[1])
        if before[0] != after[0] and surer >= cut.needed and surer > best[0] and not _WHOLE & {before[0], after[0]}:
            ends = ((0, cut.at), (cut.at, len(text.words)))
            parts = tuple(
                Part(slug, round(min(p, 0.999), 3), *text.token_span(*end))
                for (slug, p), end in zip((before, after), ends, strict=True)
            )
            best = (surer, parts)
    return best[1]


def _cuts(text: Normalised) -> list[_Cut]:
    """Where another problem may begin, the likeliest first."""
    hits = _cues().find(text)
    needed = dict(_contrasts(text))
    needed.update({hit.first: _JOINED for hit in hits if not hit.value})
    if any(hit.value for hit in hits) or ("2" in text.original and _NUMBERED.search(text.original)):
        needed = dict.fromkeys((*needed, *_pauses(text)), _ANNOUNCED)
    last = len(text.words) - _LEAST_WORDS
    return [_Cut(at, needed[at]) for at in sorted(needed) if _LEAST_WORDS <= at <= last]


def _contrasts(text: Normalised) -> Iterator[tuple[int, float]]:
    words = text.words
    if _BARE_CONTRASTS.isdisjoint(words):
        return
    for at, word in enumerate(words):
        if word not in _BARE_CONTRASTS or not at or not _is_pause(text.gaps[at]):
            continue
        following = words[at + 1] if at + 1 < len(words) else ""
        if text.written[at] in _CONTRASTS:
            yield at, _CONTRASTED
        elif not text.is_accented and following not in _OF_CHILDREN:
            yield at, _CONTRASTED_BARE


def _pauses(text: Normalised) -> list[int]:
    return [at for at, gap in enumerate(text.gaps) if at and _is_pause(gap)]


def _is_pause(gap: str) -> bool:
    return gap != " " and not _PAUSES.isdisjoint(gap)


def _names(clues: Clues, first: int, last: int) -> list[str]:
    pairs = zip(clues.names, clues.spans, strict=True)
    return [name for name, (since, until) in pairs if first <= since < until <= last]


def _topic(verdict: Verdict) -> tuple[str, float]:
    slugs, chances = in_columns(verdict.probabilities("topic"))
    if NO_TOPIC in slugs:
        chances[slugs.index(NO_TOPIC)] = -1.0
    best = max(chances)
    return slugs[chances.index(best)], best
