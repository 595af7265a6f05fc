"""How long what is kept, what went when, and what must stay: rules, runs, holds."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
RUNS = sa.text("ended_at IS NULL")
STANDS = sa.text("released_at IS NULL")
LOOSE = sa.text("ticket_id IS NULL AND words_gone_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "retention_rules",
        *_own(),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("changed_at", AT, nullable=False),
        sa.Column("changed_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=True),
        sa.UniqueConstraint("commune_id", "kind"),
    )
    op.create_table(
        "retention_runs",
        *_own(),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("before", AT, nullable=False),
        sa.Column("began_at", AT, nullable=False),
        sa.Column("ended_at", AT, nullable=True),
        sa.Column("reached_id", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("oldest_at", AT, nullable=True),
        sa.Column("newest_at", AT, nullable=True),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_index(
        "uq_retention_runs_running", "retention_runs", ["commune_id", "kind"], unique=True, sqlite_where=RUNS,
        postgresql_where=RUNS,
    )  # fmt: skip
    op.create_table(
        "holds",
        *_own(),
        sa.Column("ticket_id", NUMBER, sa.ForeignKey("tickets.id"), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.Column("released_at", AT, nullable=True),
        sa.Column("released_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=True),
    )
    op.create_index(
        "uq_holds_standing", "holds", ["ticket_id"], unique=True, sqlite_where=STANDS, postgresql_where=STANDS
    )
    op.add_column("tickets", sa.Column("words_gone_at", AT, nullable=True))
    op.add_column("messages", sa.Column("words_gone_at", AT, nullable=True))
    op.create_index(
        "ix_messages_loose", "messages", ["commune_id", "occurred_at"], sqlite_where=LOOSE, postgresql_where=LOOSE
    )


def _own() -> list[sa.Column]:
    return [
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
    ]


def downgrade() -> None:
    op.drop_index("ix_messages_loose", "messages")
    op.drop_column("messages", "words_gone_at")
    op.drop_column("tickets", "words_gone_at")
    for table in ("holds", "retention_runs", "retention_rules"):
        op.drop_table(table)
