"""A point tells its commune: inside the country surely, at the edge by nearness, abroad not at all."""

from __future__ import annotations

import csv

import pytest

from storage.boundaries import boundaries
from storage.seeding import SEEDS


def points() -> list[tuple[str, float, float]]:
    with (SEEDS / "communes.csv").open(encoding="utf-8", newline="") as file:
        return [(row["code"], float(row["lat"]), float(row["lon"])) for row in csv.DictReader(file)]


def test_a_point_inside_each_commune_gives_that_commune() -> None:
    rows = points()
    right = [boundaries().commune_at(lat, lon) == code for code, lat, lon in rows]
    assert len(rows) == 3321
    assert sum(right) / len(right) >= 0.995


@pytest.mark.parametrize(("lat", "lon"), [(48.85, 2.35), (0, 0), (91, 10), (10, 181), (13.75, 100.5)])
def test_a_point_abroad_or_nowhere_gives_none(lat: float, lon: float) -> None:
    assert boundaries().commune_at(lat, lon) is None


def test_not_a_number_gives_none() -> None:
    assert boundaries().commune_at(float("nan"), 105.8) is None


@pytest.mark.parametrize("name", ["Hoàng Sa", "Trường Sa"])
def test_both_archipelagos_are_inside(name: str) -> None:
    with (SEEDS / "communes.csv").open(encoding="utf-8", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["name"] == name)
    assert boundaries().commune_at(float(row["lat"]), float(row["lon"])) == row["code"]
