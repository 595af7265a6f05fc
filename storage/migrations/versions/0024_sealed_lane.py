"""Pictures of transfers are locked with their ticket; whom a sealed report seems to accuse does not see it."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("is_file_sealed", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("transfer_lines", column)
    unsettled = sa.text("image_blob IS NOT NULL AND (sealed IS NOT NULL) <> is_file_sealed")
    op.create_index(
        "ix_transfer_lines_file_unsettled", "transfer_lines", ["id"],
        sqlite_where=unsettled, postgresql_where=unsettled,
    )  # fmt: skip
    op.add_column("tickets", sa.Column("proposed_agencies", sa.String(400), nullable=False, server_default=""))
    op.add_column("tickets", sa.Column("accusation_decided_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tickets", sa.Column("accuses_leaders", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        "ix_tickets_of_leaders", "tickets", ["commune_id", "last_in_at"],
        sqlite_where=sa.text("accuses_leaders = 1"), postgresql_where=sa.text("accuses_leaders"),
    )  # fmt: skip


def downgrade() -> None:
    locked = sa.text("SELECT 1 FROM transfer_lines WHERE is_file_sealed LIMIT 1")
    if op.get_bind().execute(locked).first():
        raise RuntimeError("transfer_lines names locked pictures, which an earlier release cannot read")
    shut = sa.text("SELECT 1 FROM tickets WHERE accuses_leaders OR proposed_agencies <> '' LIMIT 1")
    if op.get_bind().execute(shut).first():
        raise RuntimeError("tickets are shut to whom they seem to accuse, which an earlier release would not heed")
    op.drop_index("ix_tickets_of_leaders", "tickets")
    for column in ("accuses_leaders", "accusation_decided_at", "proposed_agencies"):
        op.drop_column("tickets", column)
    op.drop_index("ix_transfer_lines_file_unsettled", "transfer_lines")
    op.drop_column("transfer_lines", "is_file_sealed")
