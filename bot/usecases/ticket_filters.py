"""What the list can be narrowed to: the commune's places, agencies and channels by name."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.runtime import Runtime
from storage.agencies import Agency
from storage.channels import Channel
from storage.communes import Place
from storage.figures import Filters
from storage.officials import Official


@dataclass(frozen=True)
class Names:
    """Numbers and names of what tickets belong to."""

    places: dict[int, str] = field(default_factory=dict)
    agencies: dict[int, str] = field(default_factory=dict)
    channels: dict[int, str] = field(default_factory=dict)


def names_of(runtime: Runtime, official: Official, filters: Filters) -> Names:
    """The names of what these filters speak of; what is not this commune's has none."""
    wanted = (filters.place, filters.agency, filters.channel)
    if not any(wanted):
        return Names()
    with runtime.database.reading() as session:
        return Names(
            _named(session, Place, official.commune_id, filters.place),
            _named(session, Agency, official.commune_id, filters.agency),
            _named(session, Channel, official.commune_id, filters.channel),
        )


def _named(
    session: Session, kind: type[Place | Agency | Channel], commune_id: int, number: int | None
) -> dict[int, str]:
    if not number:
        return {}
    rows = session.execute(sa.select(kind.id, kind.name).where(kind.commune_id == commune_id, kind.id == number))
    return dict(rows.tuples().all())


def choices(runtime: Runtime, official: Official) -> Names:
    """All places and agencies that are in use, by name; a name that stands for two says which."""
    with runtime.database.reading() as session:
        places = session.execute(
            sa.select(Place.id, Place.name, Place.parent)
            .where(Place.commune_id == official.commune_id, Place.is_active)
            .order_by(Place.name, Place.parent)
        ).all()
        agencies = session.execute(
            sa.select(Agency.id, Agency.name)
            .where(Agency.commune_id == official.commune_id, Agency.is_active)
            .order_by(Agency.name)
        ).all()
    return Names(
        {number: f"{name} ({parent})" if parent else name for number, name, parent in places},
        {number: name for number, name in agencies},  # noqa: C416 - rows are not plain tuples
    )
