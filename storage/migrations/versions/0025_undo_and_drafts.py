"""What was sent waits a moment in the house and can be taken back; its words go back into a draft."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
LOCKED = ("drafts", "undoables")


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("held_until", AT, nullable=True))
    op.create_table(
        "undoables",
        sa.Column("ticket_id", NUMBER, sa.ForeignKey("tickets.id"), nullable=False),
        sa.Column("official_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.Column("message_id", NUMBER, sa.ForeignKey("messages.id"), nullable=False),
        sa.Column("message_ids", JSON, nullable=False),
        sa.Column("was_draft", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("before", JSON, nullable=False),
        sa.Column("after", JSON, nullable=False),
        sa.Column("written", JSON, nullable=False),
        sa.Column("sent_at", AT, nullable=False),
        sa.Column("until", AT, nullable=False),
        sa.Column("undone_at", AT, nullable=True),
        *_common(),
    )
    op.create_index("ix_undoables_ticket", "undoables", ["ticket_id", "official_id", "until"])
    op.create_index("ix_undoables_until", "undoables", ["until"])
    op.create_table(
        "drafts",
        sa.Column("ticket_id", NUMBER, sa.ForeignKey("tickets.id"), nullable=False),
        sa.Column("official_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("saved_at", AT, nullable=False),
        *_common(),
        sa.UniqueConstraint("ticket_id", "official_id", "kind"),
    )


def _common() -> tuple[sa.Column, ...]:
    return (
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
    )


def downgrade() -> None:
    for table in LOCKED:
        if op.get_bind().execute(sa.text(f"SELECT 1 FROM {table} WHERE sealed IS NOT NULL LIMIT 1")).first():  # noqa: S608
            raise RuntimeError(f"{table} holds sealed words, which an earlier release cannot read: they would be lost")
    op.drop_table("drafts")
    op.drop_table("undoables")
    op.drop_column("deliveries", "held_until")
