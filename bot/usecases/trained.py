"""Trained models as operators see them: which there are, which is in use, and the way back to any of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.runtime import Runtime
from nlp.model import BadModel
from nlp.reader import judge_of, shipped_judge
from storage.audit import AuditEntry
from storage.trained import TrainedModel, activate, active_version, content_of, take_turns

MOST_LISTED = 200


class NoSuchModel(Exception):
    """There is no model of this version that could be used again; the message says why."""


@dataclass(frozen=True)
class Listed:
    """A model that may be used: made here, or the one that ships (`promoted_at` None)."""

    version: str
    promoted_at: datetime | None
    is_active: bool
    parent: str | None
    note: str


def list_models(runtime: Runtime) -> list[Listed]:
    """The models promoted here whose files are kept, newest first, and the one that ships."""
    columns = (TrainedModel.version, TrainedModel.promoted_at, TrainedModel.is_active, TrainedModel.parent_version)
    with runtime.database.reading() as session:
        rows = session.execute(
            sa.select(*columns, TrainedModel.note)
            .where(TrainedModel.promoted_at.is_not(None), TrainedModel.content.is_not(None))
            .order_by(TrainedModel.id.desc())
            .limit(MOST_LISTED)
        ).all()
    made = [Listed(version or "", at, is_active, parent, note) for version, at, is_active, parent, note in rows]
    shipped = shipped_judge().version
    return [*made, Listed(shipped, None, not any(one.is_active for one in made), None, "ships with the program")]


def rollback(runtime: Runtime, version: str) -> None:
    """Read with an earlier model again, exactly as it read then; raises NoSuchModel.

    The one in use until now is not promoted again from the same corrections, unless somebody asks for it.
    """
    is_shipped = version == shipped_judge().version
    with runtime.database.transaction() as session:
        take_turns(session)
        if not is_shipped:
            content = content_of(session, version)
            if content is None:
                raise NoSuchModel(f"no model {version} is kept here. Run: haichieu models list")
            try:
                judge_of(content)
            except BadModel as error:
                raise NoSuchModel(f"model {version} cannot be used ({error}); the model in use stays") from None
        before = active_version(session)
        in_use = sa.update(TrainedModel).where(TrainedModel.is_active.is_(True))
        session.execute(in_use.values(rolled_back_at=runtime.now()))
        activate(session, None if is_shipped else version)
        session.add(
            AuditEntry(
                at=runtime.now(), action="model.rolled_back", target=f"model:{version}", data={"from": before or ""}
            )
        )
