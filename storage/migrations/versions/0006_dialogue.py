"""What the bot has asked in a conversation, and which message is the answer."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("conversations", sa.Column("asked", sa.String(length=20), nullable=True))
    op.add_column("conversations", sa.Column("asked_ticket_id", number, nullable=True))
    op.add_column("conversations", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("messages", sa.Column("answers", sa.String(length=20), nullable=True))
    op.add_column("messages", sa.Column("answers_ticket_id", number, nullable=True))


def downgrade() -> None:
    for column in ("answers_ticket_id", "answers"):
        op.drop_column("messages", column)
    for column in ("asked_at", "asked_ticket_id", "asked"):
        op.drop_column("conversations", column)
