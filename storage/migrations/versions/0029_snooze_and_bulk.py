"""A report can be put aside until a moment; many can be worked on in one go, each by itself, and taken back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("tickets", sa.Column("snoozed_until", AT, nullable=True))
    op.create_table(
        "bulk_runs",
        sa.Column("official_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("deed", sa.String(32), nullable=False),
        sa.Column("given", JSON, nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("until", AT, nullable=True),
        sa.Column("undone_at", AT, nullable=True),
        *_common(),
        sa.UniqueConstraint("official_id", "token"),
    )
    op.create_index("ix_bulk_runs_created", "bulk_runs", ["created_at"])
    op.create_table(
        "bulk_items",
        sa.Column("run_id", NUMBER, sa.ForeignKey("bulk_runs.id"), nullable=False),
        sa.Column("ticket_id", NUMBER, sa.ForeignKey("tickets.id"), nullable=False, index=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("version_after", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("why", JSON, nullable=False),
        sa.Column("before", JSON, nullable=False),
        sa.Column("after", JSON, nullable=False),
        sa.Column("made", JSON, nullable=False),
        *_common(),
        sa.UniqueConstraint("run_id", "ticket_id"),
    )


def _common() -> tuple[sa.Column, ...]:
    return (
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
    )


def downgrade() -> None:
    op.drop_table("bulk_items")
    op.drop_table("bulk_runs")
    op.drop_column("tickets", "snoozed_until")
