"""Seed rows: the country's units as plain values from the CSV files, for those who have no database."""

from __future__ import annotations

import csv
from pathlib import Path

SEEDS = Path(__file__).parent / "seeds"


def units_today() -> list[tuple[str, str, str, str]]:
    """Code, type, name and the province's code ("" for a province) of each of today's provinces and communes."""
    return [
        (row["code"], row["type"], row["name"], row.get("province_code", ""))
        for name in ("provinces.csv", "communes.csv")
        for row in seed_rows(name)
    ]


def former_units() -> list[list[str]]:
    """Code, type, name, district, province and today's codes of each unit as of 30 June 2025."""
    return _fields("former_units.csv")


def former_names() -> list[list[str]]:
    """Names gone before that: the name folded and without spaces, its type, and the code of the former unit."""
    return _fields("former_names.csv")


def seed_rows(name: str) -> list[dict[str, str]]:
    """The rows of one file by the names in its first line."""
    with (SEEDS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _fields(name: str) -> list[list[str]]:
    with (SEEDS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def centres() -> dict[str, tuple[float, float]]:
    """Latitude and longitude of today's communes by code."""
    return {row["code"]: (float(row["lat"]), float(row["lon"])) for row in seed_rows("communes.csv")}
