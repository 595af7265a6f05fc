"""Administering: what the pages of a commune's administrator share."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import Forbidden
from bot.usecases.problems import Problem
from storage.communes import Commune
from storage.enums import Role
from storage.officials import Official

KEEPERS = (Role.ADMIN,)


class AdminProblem(Problem):
    """What an administrator asked for cannot be done; nothing was changed."""


def must_administer(official: Official) -> None:
    """Forbidden for whoever is no administrator."""
    if not official.is_active or not official.has(*KEEPERS):
        raise Forbidden


def commune_for_change(session: Session, official: Official) -> Commune:
    """The official's commune, until the transaction ends changed by nobody else."""
    query = sa.select(Commune).where(Commune.id == official.commune_id)
    return session.scalars(query.with_for_update(key_share=True).execution_options(populate_existing=True)).one()
