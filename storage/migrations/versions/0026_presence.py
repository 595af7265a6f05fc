"""Who has the page of a ticket open."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "presences",
        sa.Column("ticket_id", NUMBER, sa.ForeignKey("tickets.id"), primary_key=True),
        sa.Column("official_id", NUMBER, sa.ForeignKey("officials.id"), primary_key=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("presences")
