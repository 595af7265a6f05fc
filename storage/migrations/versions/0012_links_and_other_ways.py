"""Channels of one citizen that belong together, and messages that go another way when the first one fails."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")
OPEN = sa.text("state = 'refused' AND kind = 'reply' AND rerouted_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "link_codes",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("urn_id", NUMBER, sa.ForeignKey("urns.id"), nullable=False, index=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.Column("used_at", AT, nullable=True),
        sa.Index("ix_link_codes_digest", "commune_id", "digest"),
    )
    op.create_table(
        "links",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("urn_id", NUMBER, sa.ForeignKey("urns.id"), nullable=False, index=True),
        sa.Column("from_contact_id", NUMBER, sa.ForeignKey("contacts.id"), nullable=False, index=True),
        sa.Column("to_contact_id", NUMBER, sa.ForeignKey("contacts.id"), nullable=False, index=True),
        sa.Column("code_id", NUMBER, sa.ForeignKey("link_codes.id"), nullable=False),
        sa.Column("filled", JSON, nullable=False),
        sa.Column("linked_at", AT, nullable=False),
        sa.Column("undone_at", AT, nullable=True),
        sa.Column("undone_by", sa.String(20), nullable=True),
    )
    op.add_column("deliveries", sa.Column("instead_of_id", NUMBER, nullable=True))
    op.add_column("deliveries", sa.Column("rerouted_at", AT, nullable=True))
    op.create_index("ix_deliveries_other_way", "deliveries", ["id"], sqlite_where=OPEN, postgresql_where=OPEN)
    # What was refused before there was another way stays as officials have seen it.
    op.execute("UPDATE deliveries SET rerouted_at = created_at WHERE state = 'refused' AND kind = 'reply'")


def downgrade() -> None:
    op.drop_index("ix_deliveries_other_way", "deliveries")
    op.drop_column("deliveries", "rerouted_at")
    op.drop_column("deliveries", "instead_of_id")
    op.drop_table("links")
    op.drop_table("link_codes")
