"""Results on the public list, and what their citizens said to that."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
STANDS = sa.text("withdrawn_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "publicities",
        *_own(),
        sa.Column("answer", sa.String(32), nullable=False),
        sa.Column("how", sa.String(20), nullable=False),
        sa.Column("official_id", NUMBER, sa.ForeignKey("officials.id"), nullable=True),
        sa.Column("at", AT, nullable=False),
        sa.UniqueConstraint("ticket_id"),
    )
    op.create_table(
        "publications",
        *_own(),
        sa.Column("summary", sa.String(300), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("place_id", NUMBER, sa.ForeignKey("places.id"), nullable=True),
        sa.Column("attachment_id", NUMBER, sa.ForeignKey("attachments.id"), nullable=True),
        sa.Column("published_at", AT, nullable=False),
        sa.Column("published_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.Column("withdrawn_at", AT, nullable=True),
        sa.Column("withdrawn_by", sa.String(20), nullable=True),
        sa.UniqueConstraint("ticket_id"),
    )
    op.create_index(
        "ix_publications_list", "publications", ["commune_id", "id"], sqlite_where=STANDS, postgresql_where=STANDS
    )


def _own() -> list[sa.Column]:
    return [
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("ticket_id", NUMBER, sa.ForeignKey("tickets.id"), nullable=False),
    ]


def downgrade() -> None:
    op.drop_table("publications")
    op.drop_table("publicities")
