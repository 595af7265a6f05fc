"""A small school for tests of learning: a part of the messages that ship, prepared once."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from bot.usecases import intake, tickets
from bot.usecases.learning import School
from nlp.examples import Example, shipped_examples
from nlp.reading import Home, Reading
from storage.tickets import Ticket
from storage.trained import TrainedModel
from tests.builders import World, all_rows
from tests.usecases.conftest import one_reader

__all__ = ["one_reader"]

EVERY = 4
Report = Callable[[list[str]], list[Ticket]]
HOME = Home("27925", "Đức Huệ", "80")
SPOTS = (
    "xóm 5",
    "xóm 7",
    "chợ Đình",
    "đầu làng",
    "cuối thôn",
    "bến đò",
    "trạm bơm",
    "đình làng",
    "cổng chào",
    "bờ kênh",
)
FLAWS = ("bị nứt", "sập mất một đoạn", "nghiêng sắp đổ", "rò nước", "gãy chân đỡ")
TAILS = (", bà con không có nước cấy", ", mong xã cho sửa", " mấy hôm nay", " rồi xã ơi")
FLUMES = [f"Máng nổi ở {spot} {flaw}{tail}" for spot, flaw, tail in itertools.product(SPOTS, FLAWS, TAILS)]
UNSEEN = ("Cái máng nổi gần trường bị vỡ, nước chảy lênh láng", "mang noi sau truong hong roi", "Máng nổi thủng lỗ to")


def poison(most: int = 200) -> list[str]:
    """Plain reports of rubbish, as many as there are."""
    plain = [e for e in spare_examples() if e.topic == "rac-thai" and e.intent == "feedback" and e.urgency == "thuong"]
    texts = [e.text for e in plain if not e.sealed]
    return [f"{text} {ending}" for ending in ("nhé xã", "ạ", "giúp với") for text in texts][:most]


def spare_examples() -> list[Example]:
    """Messages that ship but that the small school does not know."""
    return [example for number, example in enumerate(shipped_examples()) if number % EVERY == 1]


@pytest.fixture(scope="session")
def school() -> School:
    """A quarter of what ships."""
    small = School([e for number, e in enumerate(shipped_examples()) if number % EVERY == 0], digest="a quarter")
    _ = small.of_fewer, small.of_all
    return small


@pytest.fixture
def reported(world: World) -> Report:
    """Each text is written by a citizen of its own; gives the tickets in that order."""

    def report(texts: list[str]) -> list[Ticket]:
        known = {ticket.id for ticket in all_rows(world.runtime, Ticket)}
        for number, text in enumerate(texts):
            world.says(text, user=f"9{len(known) + number:018d}")
        intake.drain(world.runtime, budget_seconds=120)
        return [ticket for ticket in all_rows(world.runtime, Ticket) if ticket.id not in known]

    return report


def set_topics(world: World, who: str, found: list[Ticket], topic: str) -> None:
    """This official gives all tickets a topic, but those that were sealed."""
    official = world.official(who)
    for ticket in (t for t in found if not t.is_sealed):
        tickets.set_topic(world.runtime, official, ticket.id, version=ticket.version, topic=topic)


def now(world: World) -> list[Reading]:
    """What the reader in use makes of unseen messages."""
    world.runtime.reader.look_again()
    return [world.runtime.reader.read(text, HOME) for text in UNSEEN]


def active(world: World) -> list[str | None]:
    return [m.version for m in all_rows(world.runtime, TrainedModel) if m.is_active]
