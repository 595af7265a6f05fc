"""Emergencies: answers of people who are safe or need help, repeats, an end; messages that answer an announcement."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
BULLETINS = ("repeat_times", "repeat_days", "is_for_silent", "repeats_id", "reminded_at", "ended_at", "asks_safety")


def upgrade() -> None:
    for column in (
        sa.Column("asks_safety", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("reminded_at", MOMENT, nullable=True),
        sa.Column("repeats_id", NUMBER, nullable=True),
        sa.Column("is_for_silent", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("repeat_days", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("repeat_times", sa.Integer(), nullable=False, server_default="1"),
    ):
        op.add_column("bulletins", column)
    op.create_index("ix_bulletins_repeats_id", "bulletins", ["repeats_id"])
    # What was sent before this is no emergency that somebody forgot to end.
    op.execute("UPDATE bulletins SET reminded_at = approved_at WHERE approved_at IS NOT NULL")
    for column in (
        sa.Column("asks_safety", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("repeats_id", NUMBER, nullable=True),
        sa.Column("silent_of", NUMBER, nullable=True),
    ):
        op.add_column("announcements", column)
    op.create_index("ix_announcements_repeats_id", "announcements", ["repeats_id"])
    op.add_column("messages", sa.Column("announcement_id", sa.BigInteger(), nullable=True))
    where = sa.text("announcement_id IS NOT NULL")
    op.create_index(
        "ix_messages_announcement", "messages", ["announcement_id"], sqlite_where=where, postgresql_where=where
    )
    _make_answers()


def _make_answers() -> None:
    op.create_table(
        "safety_answers",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("bulletin_id", NUMBER, sa.ForeignKey("bulletins.id"), nullable=False),
        sa.Column("urn_id", NUMBER, sa.ForeignKey("urns.id"), nullable=False, index=True),
        sa.Column("message_id", NUMBER, sa.ForeignKey("messages.id"), nullable=False, unique=True),
        sa.Column("answer", sa.String(32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("is_last", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_safety_answers_urn", "safety_answers", ["bulletin_id", "urn_id"])
    op.create_index(
        "ix_safety_answers_last",
        "safety_answers",
        ["bulletin_id", "urn_id"],
        unique=True,
        sqlite_where=sa.text("is_last = 1"),
        postgresql_where=sa.text("is_last"),
    )


def downgrade() -> None:
    op.drop_table("safety_answers")
    op.drop_index("ix_messages_announcement", "messages")
    op.drop_column("messages", "announcement_id")
    op.drop_index("ix_announcements_repeats_id", "announcements")
    for name in ("silent_of", "repeats_id", "asks_safety"):
        op.drop_column("announcements", name)
    op.drop_index("ix_bulletins_repeats_id", "bulletins")
    for name in BULLETINS:
        op.drop_column("bulletins", name)
