"""Why something cannot be done, as a sentence that any language of the inbox can say."""

from __future__ import annotations


class Problem(Exception):
    """What was asked cannot be done; `sentence` with its `values` says why and what to do, in Vietnamese."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence % values if values else sentence)
        self.sentence = sentence
        self.values = values
