"""An operator may put a judge of their own in the model's place; it is checked first, and never stands in the way."""

from __future__ import annotations

import pytest

from bot.config import SettingsError
from bot.current_reader import CurrentReader, plugged_judge
from nlp.clues import Clues
from nlp.deciding import Verdict
from nlp.reader import shipped_judge
from nlp.reading import Home
from tests.builders import World
from tests.nlp.worlds import whole_country

HOME = Home("27925", "Đức Huệ", "80")
HERE = __name__


class Larger:
    """A judge as an operator might write it: it asks the one that ships, and fails when told to."""

    version = "larger-1"

    def judge(self, clues: Clues) -> Verdict:
        if "hỏng máy" in clues.text.original:
            raise TimeoutError("no graphics card")
        return shipped_judge().judge(clues)

    def ask(self, names: list[str]) -> Verdict:
        return shipped_judge().ask(names)


class Nameless(Larger):
    version = ""


class Narrow(Larger):
    """It knows of no secrets."""

    def judge(self, clues: Clues) -> Verdict:
        class Only:
            def probabilities(self, head: str) -> dict[str, float]:
                return {} if head == "seal" else shipped_judge().judge(clues).probabilities(head)

            def reasons(self, head: str, label: str, most: int = 8) -> list[tuple[str, float]]:
                return []

        return Only()


def test_a_judge_of_ones_own_reads_and_is_named_in_the_reading(world: World) -> None:
    reader = CurrentReader(world.runtime.database, whole_country(), plugged=plugged_judge(f"{HERE}:Larger"))
    reading = reader.read("Đèn đường tối om mấy hôm nay", HOME)
    assert (reading.topic, reading.version) == ("chieu-sang", "larger-1")
    assert reader.version == "larger-1"


def test_what_it_cannot_read_the_model_that_ships_reads(world: World) -> None:
    reader = CurrentReader(world.runtime.database, whole_country(), plugged=Larger())
    reading = reader.read("Đèn đường tối om vì hỏng máy", HOME)
    assert (reading.topic, reading.version) == ("chieu-sang", shipped_judge().version)


def test_without_an_address_nothing_is_plugged_in() -> None:
    assert plugged_judge("") is None


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("no.such.module:Judge", "No module named"),
        (f"{HERE}:Nothing", "has no attribute"),
        (HERE, "gives no judge"),
        (f"{HERE}:Nameless", "has no version"),
        (f"{HERE}:Narrow", "does not answer seal"),
    ],
)
def test_what_is_no_judge_is_said_at_the_start(address: str, words: str) -> None:
    with pytest.raises(SettingsError) as raised:
        plugged_judge(address)
    assert words in str(raised.value)
    assert "HAICHIEU_READER_JUDGE" in str(raised.value)
