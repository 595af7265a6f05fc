"""Forgetting: no model keeps what a citizen took back, and only the latest models are kept at all."""

from __future__ import annotations

import sqlalchemy as sa

from bot.runtime import Runtime
from bot.usecases.lessons import standing
from storage.audit import AuditEntry
from storage.trained import TrainedModel, activate, let_go, take_turns

# A file is about 5 MB; nobody goes back further.
MOST_KEPT = 5


def forget(runtime: Runtime, *, has_lessons: bool) -> bool:
    """Let go of each model that was taught a message since erased or sealed, and of all but the latest.

    True when that was the model in use, or when nothing it learned from stands any more: what ships reads again.
    """
    columns = (TrainedModel.id, TrainedModel.version, TrainedModel.is_active, TrainedModel.taught)
    with runtime.database.transaction() as session:
        take_turns(session)
        query = sa.select(*columns).where(TrainedModel.content.is_not(None)).order_by(TrainedModel.id.desc())
        models = session.execute(query).all()
        learned = {number: _messages(taught) for number, _, _, taught in models}
        stands = standing(session, set().union(*learned.values()))
        old = {number for number, _, is_active, _ in models[MOST_KEPT:] if not is_active}
        gone = {number for number, _, _, taught in models if taught is None or learned[number] - stands}
        let_go(session, old | gone)
        used = next((one for one in models if one.is_active), None)
        if used is None or (used.id not in gone and (has_lessons or not used.taught)):
            return False
        activate(session, None)
        session.add(AuditEntry(at=runtime.now(), action="model.forgotten", target=f"model:{used.version}", data={}))
        return True


def _messages(taught: dict[str, list[int]] | None) -> set[int]:
    return {number for messages in (taught or {}).values() for number in messages}
