"""Words of sealed tickets stand locked in a column of their own, under a key of the commune."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
LOCKED = (
    "inbound_events", "messages", "attachments", "tickets", "ticket_events", "deliveries", "papers", "transfer_lines",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "sealed_keys",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", AT, nullable=False),
    )
    for table in LOCKED:
        op.add_column(table, sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.add_column("attachments", sa.Column("is_file_sealed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("tickets", sa.Column("accused_agency_id", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_messages_not_yet_sealed",
        "messages",
        ["id"],
        sqlite_where=sa.text("is_sealed = 1 AND sealed IS NULL"),
        postgresql_where=sa.text("is_sealed AND sealed IS NULL"),
    )
    unsettled = sa.text("blob IS NOT NULL AND (sealed IS NOT NULL) <> is_file_sealed")
    op.create_index(
        "ix_attachments_file_unsettled", "attachments", ["id"], sqlite_where=unsettled, postgresql_where=unsettled
    )


def downgrade() -> None:
    for table in LOCKED:
        if op.get_bind().execute(sa.text(f"SELECT 1 FROM {table} WHERE sealed IS NOT NULL LIMIT 1")).first():  # noqa: S608
            raise RuntimeError(f"{table} holds sealed words, which an earlier release cannot read: they would be lost")
    op.drop_column("tickets", "accused_agency_id")
    op.drop_index("ix_attachments_file_unsettled", "attachments")
    op.drop_index("ix_messages_not_yet_sealed", "messages")
    op.drop_column("attachments", "is_file_sealed")
    for table in LOCKED:
        op.drop_column(table, "sealed")
    op.drop_table("sealed_keys")
