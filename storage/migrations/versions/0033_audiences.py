"""Audiences as saved questions, groups people belong to, prices of messages, and who was told on the last metre."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    for table in ("announcements", "bulletins"):
        op.add_column(table, sa.Column("narrowing", JSON, nullable=False, server_default="{}"))
    op.add_column("bulletins", sa.Column("prices", JSON, nullable=False, server_default="{}"))
    op.add_column("deliveries", sa.Column("was_paid", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "saved_audiences",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("channel_ids", JSON, nullable=False),
        sa.Column("topic", sa.String(40), nullable=False),
        sa.Column("place_ids", JSON, nullable=False),
        sa.Column("narrowing", JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.Column("changed_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.Column("changed_at", AT, nullable=False),
        sa.UniqueConstraint("commune_id", "name"),
    )
    _add_groups()
    op.create_table(
        "prices",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("channel_id", NUMBER, sa.ForeignKey("channels.id"), nullable=False, unique=True),
        sa.Column("dong", sa.Integer(), nullable=False),
        sa.Column("official_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.Column("set_at", AT, nullable=False),
    )
    op.create_table(
        "tellings",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("bulletin_id", NUMBER, sa.ForeignKey("bulletins.id"), nullable=False),
        sa.Column("contact_id", NUMBER, sa.ForeignKey("contacts.id"), nullable=False, index=True),
        sa.Column("official_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.UniqueConstraint("bulletin_id", "contact_id"),
    )


def _add_groups() -> None:
    op.create_table(
        "groups",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("name_folded", sa.String(60), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("made_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.Column("ended_at", AT, nullable=True),
        sa.UniqueConstraint("commune_id", "number"),
    )
    op.create_table(
        "memberships",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("group_id", NUMBER, sa.ForeignKey("groups.id"), nullable=False),
        sa.Column("urn_id", NUMBER, sa.ForeignKey("urns.id"), nullable=False, index=True),
        sa.Column("since", AT, nullable=False),
        sa.Column("joined_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=True),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("left_at", AT, nullable=True),
        sa.Column("left_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=True),
        sa.UniqueConstraint("group_id", "urn_id"),
    )


def downgrade() -> None:
    for table in ("tellings", "prices", "memberships", "groups", "saved_audiences"):
        op.drop_table(table)
    op.drop_column("deliveries", "was_paid")
    op.drop_column("bulletins", "prices")
    for table in ("bulletins", "announcements"):
        op.drop_column(table, "narrowing")
