"""Reports that may be one piece of work, which are not, and who was joined to whom."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")
WAITS = sa.text("compare_at IS NOT NULL")
JOINED = sa.text("merged_into_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("tickets", sa.Column("compare_at", AT, nullable=True))
    op.create_index("ix_tickets_compare", "tickets", ["compare_at"], sqlite_where=WAITS, postgresql_where=WAITS)
    op.create_index("ix_tickets_opened", "tickets", ["commune_id", "opened_at"])
    op.create_index("ix_tickets_merged", "tickets", ["merged_into_id"], sqlite_where=JOINED, postgresql_where=JOINED)
    op.add_column("messages", sa.Column("filled", JSON, nullable=True))
    op.create_table(
        "likenesses",
        *_own(),
        sa.Column("ticket_id", NUMBER, sa.ForeignKey("tickets.id"), nullable=False),
        sa.Column("lead_id", NUMBER, sa.ForeignKey("tickets.id"), nullable=False, index=True),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.UniqueConstraint("ticket_id"),
    )
    op.create_table(
        "differences",
        *_own(),
        sa.Column("first_id", NUMBER, sa.ForeignKey("tickets.id"), nullable=False),
        sa.Column("second_id", NUMBER, sa.ForeignKey("tickets.id"), nullable=False, index=True),
        sa.Column("official_id", NUMBER, sa.ForeignKey("officials.id"), nullable=True),
        sa.Column("at", AT, nullable=False),
        sa.UniqueConstraint("first_id", "second_id"),
    )
    op.create_table(
        "joinings",
        *_own(),
        sa.Column("ticket_id", NUMBER, sa.ForeignKey("tickets.id"), nullable=False, index=True),
        sa.Column("into_id", NUMBER, sa.ForeignKey("tickets.id"), nullable=False),
        sa.Column("before", JSON, nullable=False),
        sa.Column("lead_due_at", AT, nullable=True),
        sa.Column("at", AT, nullable=False),
        sa.Column("official_id", NUMBER, sa.ForeignKey("officials.id"), nullable=True),
        sa.Column("undone_at", AT, nullable=True),
        sa.Column("undone_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=True),
    )
    op.create_index("ix_joinings_into", "joinings", ["into_id", "id"])


def _own() -> list[sa.Column]:
    return [
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
    ]


def downgrade() -> None:
    for table in ("joinings", "differences", "likenesses"):
        op.drop_table(table)
    op.drop_column("messages", "filled")
    for index in ("ix_tickets_merged", "ix_tickets_opened", "ix_tickets_compare"):
        op.drop_index(index, "tickets")
    op.drop_column("tickets", "compare_at")
