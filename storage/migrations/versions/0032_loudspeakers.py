"""Bulletins for loudspeakers and boards, what was played, clusters, and our side of a source system."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "source_bulletins",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("channel_id", NUMBER, sa.ForeignKey("channels.id"), nullable=False, index=True),
        sa.Column("bulletin_id", NUMBER, sa.ForeignKey("bulletins.id"), nullable=True, index=True),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("replaces_id", NUMBER, sa.ForeignKey("source_bulletins.id"), nullable=True),
        sa.Column("urgency", sa.String(20), nullable=False),
        sa.Column("title", sa.String(250), nullable=False),
        sa.Column("script", sa.Text(), nullable=False),
        sa.Column("summary", sa.String(500), nullable=False),
        sa.Column("lines", JSON, nullable=False),
        sa.Column("topic", sa.String(60), nullable=False),
        sa.Column("author", sa.String(120), nullable=False),
        sa.Column("approver", sa.String(120), nullable=False),
        sa.Column("audio_url", sa.String(500), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("clusters", JSON, nullable=False),
        sa.Column("days", JSON, nullable=False),
        sa.Column("slots", JSON, nullable=False),
        sa.Column("valid_until", AT, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("code", sa.String(60), nullable=True),
        sa.Column("reason", sa.String(400), nullable=True),
        sa.Column("attempts", JSON, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", AT, nullable=False),
        sa.Column("lease_id", sa.String(40), nullable=True),
        sa.Column("lease_until", AT, nullable=True),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("sent_at", AT, nullable=True),
        sa.Column("recall_asked_at", AT, nullable=True),
        sa.Column("recall_reason", sa.String(300), nullable=True),
        sa.Column("recalled_at", AT, nullable=True),
        sa.UniqueConstraint("channel_id", "ref", "revision"),
    )
    op.create_index("ix_source_bulletins_due", "source_bulletins", ["state", "next_try_at"])
    op.create_table(
        "source_links",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("channel_id", NUMBER, sa.ForeignKey("channels.id"), nullable=False, unique=True),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("token_until", AT, nullable=True),
        sa.Column("log_after", sa.String(120), nullable=False),
        sa.Column("asked_at", AT, nullable=True),
        sa.Column("next_ask_at", AT, nullable=False),
        sa.Column("lease_until", AT, nullable=True),
        sa.Column("failed_at", AT, nullable=True),
        sa.Column("error", sa.String(60), nullable=True),
    )
    _add_devices()


def _add_devices() -> None:
    op.create_table(
        "loudspeaker_clusters",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("channel_id", NUMBER, sa.ForeignKey("channels.id"), nullable=False),
        sa.Column("external_id", sa.String(120), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("area", sa.String(120), nullable=False),
        sa.Column("volume", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("is_connected", sa.Boolean(), nullable=False),
        sa.Column("playing", sa.String(250), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("heard_at", AT, nullable=False),
        sa.Column("out_since", AT, nullable=True),
        sa.Column("told_at", AT, nullable=True),
        sa.UniqueConstraint("channel_id", "external_id"),
    )
    op.create_table(
        "play_logs",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("channel_id", NUMBER, sa.ForeignKey("channels.id"), nullable=False),
        sa.Column("bulletin_id", NUMBER, sa.ForeignKey("source_bulletins.id"), nullable=True, index=True),
        sa.Column("bulletin_key", sa.String(120), nullable=False),
        sa.Column("cluster", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("is_success", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.UniqueConstraint("channel_id", "bulletin_key", "cluster", "kind", "at", "is_success"),
    )


def downgrade() -> None:
    for table in ("play_logs", "loudspeaker_clusters", "source_links", "source_bulletins"):
        op.drop_table(table)
