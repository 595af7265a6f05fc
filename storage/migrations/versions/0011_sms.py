"""Messages known by a name of their own when they are repeated, pieces reported one by one, two gateways."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("resends", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("deliveries", sa.Column("via", sa.String(20), nullable=True))
    op.add_column("deliveries", sa.Column("part_receipts", JSON, nullable=True))
    op.add_column("channels", sa.Column("gateway", JSON, nullable=True))


def downgrade() -> None:
    op.drop_column("channels", "gateway")
    for name in ("part_receipts", "via", "resends"):
        op.drop_column("deliveries", name)
