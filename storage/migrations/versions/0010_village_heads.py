"""Village heads, who report by a personal link."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "village_heads",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("channel_id", NUMBER, sa.ForeignKey("channels.id"), nullable=False),
        sa.Column("visitor", sa.String(40), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("phone", sa.String(32), nullable=False, server_default=""),
        sa.Column("place_id", NUMBER, sa.ForeignKey("places.id"), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("created_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.Column("revoked_at", AT, nullable=True),
        sa.UniqueConstraint("channel_id", "visitor"),
    )


def downgrade() -> None:
    op.drop_table("village_heads")
