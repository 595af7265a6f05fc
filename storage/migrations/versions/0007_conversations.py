"""Conversations that go on: questions, consent, who handles them, ratings, subscriptions, alerts, own texts."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")
AT = sa.DateTime(timezone=True)

COLUMNS = {
    "conversations": (
        ("asked_data", JSON, None),
        ("asked_count", sa.Integer(), "0"),
        ("held_by_id", NUMBER, None),
        ("held_since", AT, None),
        ("held_until", AT, None),
        ("language", sa.String(8), "vi"),
    ),
    "contacts": (
        ("consent", sa.String(10), None),
        ("consent_at", AT, None),
        ("consent_asked_at", AT, None),
        ("identity_asked_at", AT, None),
    ),
    "tickets": (
        ("is_anonymous", sa.Boolean(), "0"),
        ("rating", sa.Integer(), None),
        ("rated_at", AT, None),
        ("reopened_count", sa.Integer(), "0"),
    ),
    "messages": (("part_of_id", NUMBER, None),),
    "deliveries": (("choices", JSON, None),),
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for name, kind, default in columns:
            if default == "0" and isinstance(kind, sa.Boolean):
                op.add_column(table, sa.Column(name, kind, nullable=False, server_default=sa.false()))
            else:
                op.add_column(table, sa.Column(name, kind, nullable=default is None, server_default=default))
    op.create_index(
        "ix_conversations_held",
        "conversations",
        ["held_until"],
        sqlite_where=sa.text("held_until IS NOT NULL"),
        postgresql_where=sa.text("held_until IS NOT NULL"),
    )
    op.create_table(
        "alerts",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("key", sa.String(120), nullable=False, unique=True),
        sa.Column("ticket_id", NUMBER, sa.ForeignKey("tickets.id"), nullable=True, index=True),
        sa.Column("data", JSON, nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("seen_at", AT, nullable=True),
        sa.Column("seen_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=True),
    )
    op.create_index(
        "ix_alerts_unseen",
        "alerts",
        ["commune_id", "id"],
        sqlite_where=sa.text("seen_at IS NULL"),
        postgresql_where=sa.text("seen_at IS NULL"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("urn_id", NUMBER, sa.ForeignKey("urns.id"), nullable=False),
        sa.Column("topic", sa.String(40), nullable=False, server_default=""),
        sa.Column("place_id", NUMBER, nullable=False, server_default="0"),
        sa.Column("since", AT, nullable=False),
        sa.UniqueConstraint("urn_id", "topic", "place_id"),
    )
    op.create_table(
        "commune_texts",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("key", sa.String(60), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False, server_default=""),
        sa.Column("sms", sa.Text(), nullable=False, server_default=""),
        sa.Column("official_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.UniqueConstraint("commune_id", "key", "language", "version"),
    )


def downgrade() -> None:
    for table in ("commune_texts", "subscriptions", "alerts"):
        op.drop_table(table)
    op.drop_index("ix_conversations_held", "conversations")
    for table, columns in COLUMNS.items():
        for name, _, _ in reversed(columns):
            op.drop_column(table, name)
