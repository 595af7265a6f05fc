"""Alembic's environment: the connection comes from `storage.upgrade`."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from storage.base import Instant
from storage.models import Base


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our column types as plain ones, so that a migration never depends on today's code."""
    if kind != "type":
        return False
    if isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, sa.Enum):
        return f"sa.String(length={item.length})"
    if isinstance(item, sa.BigInteger) and item._variant_mapping:  # noqa: SLF001 - there is no public way to ask
        return 'sa.BigInteger().with_variant(sa.Integer(), "sqlite")'
    if isinstance(item, sa.JSON) and item._variant_mapping:  # noqa: SLF001 - there is no public way to ask
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_item=render_item,
    render_as_batch=True,
    compare_type=False,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
