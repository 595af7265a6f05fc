"""What a channel is asked to tell again after an outage; messages that cost money, articles."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "catch_ups",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("channel_id", NUMBER, sa.ForeignKey("channels.id"), nullable=False),
        sa.Column("asked_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=True),
        sa.Column("since", AT, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("offset", sa.Integer(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("looked_at", JSON, nullable=False),
        sa.Column("said", sa.Integer(), nullable=False),
        sa.Column("echoes", sa.Integer(), nullable=False),
        sa.Column("unshown", JSON, nullable=False),
        sa.Column("first_at", AT, nullable=True),
        sa.Column("last_at", AT, nullable=True),
        sa.Column("error", sa.String(60), nullable=True),
        sa.Column("reason", sa.String(400), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", AT, nullable=False),
        sa.Column("lease_id", sa.String(40), nullable=True),
        sa.Column("lease_until", AT, nullable=True),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("finished_at", AT, nullable=True),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "uq_catch_ups_waiting", "catch_ups", ["channel_id"], unique=True, sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_index("ix_catch_ups_channel", "catch_ups", ["channel_id", "id"])
    op.create_table(
        "articles",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("channel_id", NUMBER, sa.ForeignKey("channels.id"), nullable=False, index=True),
        sa.Column("announcement_id", NUMBER, sa.ForeignKey("announcements.id"), nullable=False, unique=True),
        sa.Column("asked_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("approved_hash", sa.String(64), nullable=False),
        sa.Column("handle", sa.String(400), nullable=True),
        sa.Column("article_id", sa.String(120), nullable=True),
        sa.Column("external_id", sa.String(160), nullable=True),
        sa.Column("code", sa.String(60), nullable=True),
        sa.Column("reason", sa.String(400), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", AT, nullable=False),
        sa.Column("lease_id", sa.String(40), nullable=True),
        sa.Column("lease_until", AT, nullable=True),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("sent_at", AT, nullable=True),
    )
    op.create_table(
        "uploads",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("channel_id", NUMBER, sa.ForeignKey("channels.id"), nullable=False),
        sa.Column("blob", sa.String(80), nullable=False),
        sa.Column("handle", sa.String(500), nullable=False),
        sa.Column("uploaded_at", AT, nullable=False),
        sa.UniqueConstraint("channel_id", "blob"),
    )
    op.add_column("inbound_events", sa.Column("catch_up_id", sa.BigInteger(), nullable=True))
    for table in ("deliveries", "announcements"):
        op.add_column(table, sa.Column("pays", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("deliveries", sa.Column("template", JSON, nullable=True))
    op.add_column("urns", sa.Column("window_asked_at", AT, nullable=True))


def downgrade() -> None:
    op.drop_column("urns", "window_asked_at")
    op.drop_column("deliveries", "template")
    for table in ("announcements", "deliveries"):
        op.drop_column(table, "pays")
    op.drop_column("inbound_events", "catch_up_id")
    op.drop_table("uploads")
    op.drop_table("articles")
    op.drop_table("catch_ups")
