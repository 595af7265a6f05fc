"""Chances: the probabilities of a question's answers, read by answer or all at once; quicker to make than a dict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


class Chances(Mapping[str, float]):
    """The probability of each answer; `labels` and `figures` give them in the order of the question's answers."""

    __slots__ = ("_places", "figures")

    def __init__(self, places: Mapping[str, int], figures: Sequence[float]) -> None:
        """`places`: where the figure of each answer stands."""
        self._places, self.figures = places, figures

    def __getitem__(self, label: str) -> float:
        return self.figures[self._places[label]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def labels(self) -> list[str]:
        """The answers."""
        return list(self._places)


def in_columns(chances: Mapping[str, float]) -> tuple[list[str], list[float]]:
    """The answers and their probabilities."""
    if isinstance(chances, Chances):
        return chances.labels, list(chances.figures)
    return list(chances), list(chances.values())
