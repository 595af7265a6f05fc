"""A small country and one commune in it, for tests of the reader."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

from nlp.evaluation import Gold, read_gold
from nlp.home_places import read_places
from nlp.reader import Reader
from nlp.reading import Home, KnownPlace, Reading
from nlp.units import FormerUnit, Gazetteer, OlderName
from storage.seed_rows import centres, former_names, former_units

HERE = Path(__file__).parent
ROWS = [
    ("01", "thành phố", "Hà Nội", ""),
    ("79", "thành phố", "Hồ Chí Minh", ""),
    ("80", "tỉnh", "Tây Ninh", ""),
    ("82", "tỉnh", "Đồng Tháp", ""),
    ("00004", "phường", "Ba Đình", "01"),
    ("25942", "phường", "Dĩ An", "79"),
    ("27925", "xã", "Đức Huệ", "80"),
    ("30001", "xã", "Tân Hiệp", "82"),
    ("30002", "xã", "Tân Hiệp", "79"),
    ("30003", "xã", "Tân Thạnh", "82"),
    ("30004", "xã", "Tân Thạnh", "79"),
    ("30005", "phường", "Bình Minh", "01"),
]
HOME = Home(
    "27925",
    "Đức Huệ",
    "80",
    (
        KnownPlace("1", "Xóm 5", "xóm", ("thôn 5",)),
        KnownPlace("2", "Xóm 7", "xóm", ("xóm bảy",)),
        KnownPlace("3", "Chợ Đình", "chợ"),
        KnownPlace("4", "Trường Tiểu học Lê Lợi", "trường"),
        KnownPlace("5", "Xóm Chùa", "xóm"),
        KnownPlace("6", "Khu phố 3", "khu phố"),
        KnownPlace("7", "Đường Trần Phú", "đường"),
    ),
)


class Labelled(NamedTuple):
    """A message and what is to be understood of it."""

    text: str
    topic: str
    intent: str
    urgency: str
    sealed: bool


def labelled(file_name: str) -> list[Labelled]:
    """The rows of a labelled table."""
    with (HERE / file_name).open(encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    return [Labelled(text, topic, intent, urgency, seal == "sealed") for text, topic, intent, urgency, seal in lines]


@cache
def reader() -> Reader:
    """A reader with the small country."""
    return Reader(Gazetteer(ROWS))


def read(text: str, home: Home = HOME) -> Reading:
    """What is understood of a message to the commune."""
    return reader().read(text, home)


def seeded_rows() -> list[tuple[str, str, str, str]]:
    """All units of the country, from the seed data."""
    rows = []
    for name in ("provinces.csv", "communes.csv"):
        with (HERE.parents[1] / "storage" / "seeds" / name).open(encoding="utf-8") as file:
            rows += [(r["code"], r["type"], r["name"], r.get("province_code", "")) for r in csv.DictReader(file)]
    return rows


@cache
def whole_country() -> Gazetteer:
    """All units of the country, of today and before."""
    return build_country(seeded_rows())


def build_country(rows: list[tuple[str, str, str, str]]) -> Gazetteer:
    """The same, built anew."""
    former = [FormerUnit(*fields, tuple(codes.split())) for *fields, codes in former_units()]
    return Gazetteer(rows, former, [OlderName(*fields) for fields in former_names()], centres())


REGIONS = ("north", "central", "south")
DEVELOPMENT, SECOND, THIRD, UNSEEN = (HERE / name for name in ("development", "second", "third", "unseen"))


@cache
def development() -> tuple[Gold, ...]:
    """Messages by people who never saw the ones to learn from; thresholds are set with them."""
    return tuple(gold for region in REGIONS for gold in read_gold(DEVELOPMENT / f"{region}.jsonl"))


@cache
def second() -> tuple[Gold, ...]:
    """Messages by other people, who never saw how ours are labelled; looked at only after they were measured."""
    return tuple(gold for region in REGIONS for gold in read_gold(SECOND / f"{region}.jsonl"))


@cache
def third() -> tuple[Gold, ...]:
    """The same by three more, when the second had been looked at."""
    return tuple(gold for region in REGIONS for gold in read_gold(THIRD / f"{region}.jsonl"))


@cache
def unseen() -> tuple[Gold, ...]:
    """Messages by other people again, never looked at while building; only measured with."""
    return tuple(gold for region in REGIONS for gold in read_gold(UNSEEN / f"{region}.jsonl"))


@cache
def _places_files() -> dict[str, Path]:
    return {
        read_gold(folder / f"{region}.jsonl")[0].home: folder / f"{region}_places.csv"
        for folder in (DEVELOPMENT, SECOND, THIRD, UNSEEN)
        for region in REGIONS
    }


@cache
def _home(code: str) -> Home:
    name, province = next((name, parent) for own, _, name, parent in seeded_rows() if own == code)
    return Home(code, name, province, read_places(_places_files()[code]))


def home_of(gold: Gold) -> Home:
    """The invented commune a message is written to, in a real commune's place."""
    return _home(gold.home)
