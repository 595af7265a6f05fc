"""A report can be put aside until a moment; many can be worked on in one go, each by itself, and taken back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0026"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("tickets", sa.Column("snoozed_until", AT, nullable=True))


def downgrade() -> None:
    op.drop_column("tickets", "snoozed_until")
