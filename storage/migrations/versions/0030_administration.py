"""One-time links for officials, agencies that close on a day, the first set-up, and practice shifts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("officials", sa.Column("invited_hash", sa.String(64), nullable=True))
    op.add_column("officials", sa.Column("invited_until", MOMENT, nullable=True))
    op.create_index("ix_officials_invited_hash", "officials", ["invited_hash"])
    op.add_column("agencies", sa.Column("closes_on", sa.Date(), nullable=True))
    op.add_column("agencies", sa.Column("successor_id", sa.BigInteger(), nullable=True))
    op.create_table(
        "setups",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("commune_id", sa.BigInteger(), nullable=True),
        sa.Column("official_id", sa.BigInteger(), nullable=True),
        sa.Column("done", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("finished_at", MOMENT, nullable=True),
    )
    op.create_table(
        "practices",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("official_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False, index=True),
        sa.Column("begun_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("links", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("practices")
    op.drop_table("setups")
    op.drop_column("agencies", "successor_id")
    op.drop_column("agencies", "closes_on")
    op.drop_index("ix_officials_invited_hash", "officials")
    op.drop_column("officials", "invited_until")
    op.drop_column("officials", "invited_hash")
