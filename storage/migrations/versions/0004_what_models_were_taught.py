"""A model says which messages it was taught, to be let go of when one is erased, and when it was rolled back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of models made before it stays unknown (null).
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("models", sa.Column("taught", json, nullable=True))
    op.add_column("models", sa.Column("rolled_back_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("models", "rolled_back_at")
    op.drop_column("models", "taught")
