"""Seeds: the country's units and public holidays, read from CSV files keyed by official codes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.communes import Holiday, Locality
from storage.database import insert_ignore
from storage.seed_rows import SEEDS, former_names, former_units, seed_rows

__all__ = ["SEEDS", "VALID_FROM", "former_names", "former_units", "seed_holidays", "seed_localities"]

VALID_FROM = date(2025, 7, 1)


def seed_localities(session: Session, fold: Callable[[str], str]) -> int:
    """Write down provinces and communes that are missing; gives how many were new. Safe to run again."""
    provinces = [_locality(r, "province", None, fold) for r in seed_rows("provinces.csv")]
    communes = [_locality(r, "commune", r["province_code"], fold) for r in seed_rows("communes.csv")]
    return insert_ignore(session, Locality, provinces) + insert_ignore(session, Locality, communes)


def seed_holidays(session: Session) -> int:
    """Write down public holidays that nobody has entered yet; an operator's own row for a day is left alone."""
    known = set(session.scalars(sa.select(Holiday.day).where(Holiday.commune_id.is_(None))))
    rows = [
        Holiday(day=date.fromisoformat(r["day"]), name=r["name"], is_worked=r["is_worked"] == "1")
        for r in seed_rows("holidays.csv")
    ]
    new = [row for row in rows if row.day not in known]
    session.add_all(new)
    return len(new)


def _locality(
    row: dict[str, str], level: str, parent: str | None, fold: Callable[[str], str]
) -> dict[str, str | float | date | None]:
    return {
        "code": row["code"],
        "level": level,
        "type": row["type"],
        "name": row["name"],
        "name_folded": fold(row["name"]),
        "parent_code": parent,
        "latitude": float(row["lat"]),
        "longitude": float(row["lon"]),
        "valid_from": VALID_FROM,
        "valid_to": None,
    }
