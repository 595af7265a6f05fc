"""Issued papers, transfers to bodies outside, and what is said about them."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "papers",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ticket_id", NUMBER, sa.ForeignKey("tickets.id"), nullable=False, index=True),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("blob", sa.String(80), nullable=True),
        sa.Column("digest", sa.String(64), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("issued_at", AT, nullable=False),
        sa.Column("issued_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.UniqueConstraint("commune_id", "kind", "year", "number"),
    )
    op.create_table(
        "transfers",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("ticket_id", NUMBER, sa.ForeignKey("tickets.id"), nullable=False, index=True),
        sa.Column("agency_id", NUMBER, sa.ForeignKey("agencies.id"), nullable=True),
        sa.Column("to_commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=True, index=True),
        sa.Column("to_ticket_id", NUMBER, sa.ForeignKey("tickets.id"), nullable=True),
        sa.Column("body", sa.String(200), nullable=False),
        sa.Column("paper_id", NUMBER, sa.ForeignKey("papers.id"), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=False),
        sa.Column("sent_at", AT, nullable=False),
        sa.Column("sent_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.Column("acknowledged_at", AT, nullable=True),
        sa.Column("acknowledged_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=True),
        sa.Column("answered_at", AT, nullable=True),
        sa.Column("recalled_at", AT, nullable=True),
        sa.Column("remind_at", AT, nullable=True),
        sa.Column("link_digest", sa.String(64), nullable=True, unique=True),
        sa.Column("link_expires_at", AT, nullable=True),
    )
    is_due = sa.text("remind_at IS NOT NULL")
    op.create_index("ix_transfers_remind", "transfers", ["remind_at"], sqlite_where=is_due, postgresql_where=is_due)
    op.create_table(
        "transfer_lines",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("transfer_id", NUMBER, sa.ForeignKey("transfers.id"), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.String(120), nullable=False),
        sa.Column("image_blob", sa.String(80), nullable=True),
        sa.Column("at", AT, nullable=False),
        sa.Column("official_id", NUMBER, sa.ForeignKey("officials.id"), nullable=True),
        sa.Column("once", sa.String(40), nullable=False),
        sa.UniqueConstraint("transfer_id", "once"),
    )


def downgrade() -> None:
    op.drop_table("transfer_lines")
    op.drop_table("transfers")
    op.drop_table("papers")
