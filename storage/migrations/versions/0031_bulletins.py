"""Bulletins: one text for all channels, over the announcements of each; officials' own addresses for trying them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    _make_bulletins()
    _make_tests()
    if op.get_bind().dialect.name == "sqlite":  # Alembic adds no foreign key there; SQLite itself does
        op.execute("ALTER TABLE announcements ADD COLUMN bulletin_id INTEGER REFERENCES bulletins (id)")
    else:
        key = sa.ForeignKey("bulletins.id", name="fk_announcements_bulletin_id")
        op.add_column("announcements", sa.Column("bulletin_id", NUMBER, key, nullable=True))
    op.create_index("ix_announcements_bulletin_id", "announcements", ["bulletin_id"])
    for column in (
        sa.Column("importance", sa.String(32), nullable=False, server_default="thong_thuong"),
        sa.Column("send_at", MOMENT, nullable=True),
        sa.Column("valid_until", MOMENT, nullable=True),
        sa.Column("follows_id", NUMBER, nullable=True),
        sa.Column("paused_at", MOMENT, nullable=True),
        sa.Column("left_out", sa.Integer(), nullable=False, server_default="0"),
    ):
        op.add_column("announcements", column)


def _make_bulletins() -> None:
    op.create_table(
        "bulletins",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("texts", JSON, nullable=False, server_default="{}"),
        sa.Column("importance", sa.String(32), nullable=False),
        sa.Column("send_at", MOMENT, nullable=True),
        sa.Column("valid_until", MOMENT, nullable=True),
        sa.Column("topic", sa.String(40), nullable=False, server_default=""),
        sa.Column("place_ids", JSON, nullable=False, server_default="[]"),
        sa.Column("channel_ids", JSON, nullable=False, server_default="[]"),
        sa.Column("aloud", JSON, nullable=False, server_default="{}"),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("corrects_id", NUMBER, nullable=True, index=True),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("author_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.Column("approver_id", NUMBER, sa.ForeignKey("officials.id"), nullable=True),
        sa.Column("approved_hash", sa.String(64), nullable=True),
        sa.Column("approval_reason", sa.Text(), nullable=True),
        sa.Column("reviewed_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=True),
        sa.Column("reviewed_at", MOMENT, nullable=True),
        sa.Column("returned_note", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("submitted_at", MOMENT, nullable=True),
        sa.Column("approved_at", MOMENT, nullable=True),
        sa.Column("paused_at", MOMENT, nullable=True),
        sa.Column("stopped_at", MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("approver_id IS NULL OR approver_id <> author_id", name="two_people"),
        sa.CheckConstraint(
            "reviewed_by_id IS NULL OR (reviewed_by_id <> approver_id AND reviewed_by_id <> author_id)",
            name="reviewed_by_a_third",
        ),
    )
    op.create_index("ix_bulletins_list", "bulletins", ["commune_id", "created_at"])


def _make_tests() -> None:
    op.create_table(
        "testers",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("official_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False, index=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("channel_id", NUMBER, sa.ForeignKey("channels.id"), nullable=True),
        sa.Column("urn_id", NUMBER, sa.ForeignKey("urns.id"), nullable=True),
        sa.Column("agreed_at", MOMENT, nullable=True),
    )
    op.create_index("ix_testers_digest", "testers", ["commune_id", "digest"])
    op.create_table(
        "bulletin_tests",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("bulletin_id", NUMBER, sa.ForeignKey("bulletins.id"), nullable=False, index=True),
        sa.Column("official_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.Column("channel_id", NUMBER, sa.ForeignKey("channels.id"), nullable=False),
        sa.Column("delivery_id", NUMBER, sa.ForeignKey("deliveries.id"), nullable=False),
        sa.Column("words_hash", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )


def downgrade() -> None:
    for name in ("left_out", "paused_at", "follows_id", "valid_until", "send_at", "importance"):
        op.drop_column("announcements", name)
    op.drop_index("ix_announcements_bulletin_id", "announcements")
    op.drop_column("announcements", "bulletin_id")
    op.drop_table("bulletin_tests")
    op.drop_table("testers")
    op.drop_table("bulletins")
