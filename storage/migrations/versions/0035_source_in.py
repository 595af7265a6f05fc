"""What a source system hands down and is told: bulletins from above, feedback, months; tickets of broken clusters."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _make_notices()
    _make_exchange()
    _refer("bulletins", "notice_id", "source_notices")
    op.create_index("ix_bulletins_notice_id", "bulletins", ["notice_id"])
    _refer("loudspeaker_clusters", "ticket_id", "tickets")
    op.add_column("loudspeaker_clusters", sa.Column("reported_for", AT, nullable=True))
    for name in ("notices_after", "feedback_after"):
        op.add_column("source_links", sa.Column(name, sa.String(120), nullable=False, server_default=""))
    op.add_column("source_links", sa.Column("heard_at", AT, nullable=True))
    for table in ("bulletins", "announcements"):  # what is pushed at once has no author here
        _allow_none(table, "author_id")


def _refer(table: str, column: str, to: str) -> None:
    if op.get_bind().dialect.name == "sqlite":  # Alembic adds no foreign key there; SQLite itself does
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} INTEGER REFERENCES {to} (id)")
        return
    key = sa.ForeignKey(f"{to}.id", name=f"fk_{table}_{column}")
    op.add_column(table, sa.Column(column, NUMBER, key, nullable=True))


def _allow_none(table: str, column: str) -> None:
    """On SQLite the table cannot be made anew, as others refer to it: its own words are changed."""
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column(table, column, nullable=True)
        return
    connection = op.get_bind()
    named = {"name": table}
    sql = connection.execute(sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name"), named)
    before = str(sql.scalar_one())
    after = re.sub(rf'("?{column}"?\s+\w+)\s+NOT NULL', r"\1", before)
    version = int(connection.exec_driver_sql("PRAGMA schema_version").scalar_one())
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.execute(
        sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :name"), {**named, "sql": after}
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _make_notices() -> None:
    op.create_table(
        "source_notices",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("channel_id", NUMBER, sa.ForeignKey("channels.id"), nullable=False),
        sa.Column("ref", sa.String(120), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("urgency", sa.String(32), nullable=False),
        sa.Column("title", sa.String(250), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("source", sa.String(120), nullable=False),
        sa.Column("is_cancelled", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("made_at", AT, nullable=True),
        sa.Column("valid_until", AT, nullable=True),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.UniqueConstraint("channel_id", "ref", "revision"),
    )
    op.create_index("ix_source_notices_list", "source_notices", ["commune_id", "id"])


def _make_exchange() -> None:
    op.create_table(
        "source_feedback",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("channel_id", NUMBER, sa.ForeignKey("channels.id"), nullable=False),
        sa.Column("ref", sa.String(80), nullable=False),
        sa.Column("told", sa.String(20), nullable=False),
        sa.Column("told_at", AT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", AT, nullable=False),
        sa.Column("code", sa.String(60), nullable=True),
        sa.Column("created_at", AT, nullable=False),
        sa.UniqueConstraint("channel_id", "ref"),
    )
    op.create_index("ix_source_feedback_due", "source_feedback", ["channel_id", "next_try_at"])
    op.create_table(
        "source_reports",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("channel_id", NUMBER, sa.ForeignKey("channels.id"), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("as_of", AT, nullable=False),
        sa.Column("figures", JSON, nullable=False),
        sa.Column("official_id", NUMBER, sa.ForeignKey("officials.id"), nullable=True),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("answer", sa.String(200), nullable=False),
        sa.Column("code", sa.String(60), nullable=True),
        sa.Column("reason", sa.String(400), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", AT, nullable=False),
        sa.Column("lease_until", AT, nullable=True),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("sent_at", AT, nullable=True),
        sa.UniqueConstraint("channel_id", "first_on", "revision"),
    )
    op.create_index("ix_source_reports_due", "source_reports", ["state", "next_try_at"])


def downgrade() -> None:
    """Authors may stay missing: the release before reads such rows as well."""
    for name in ("heard_at", "feedback_after", "notices_after"):
        op.drop_column("source_links", name)
    op.drop_column("loudspeaker_clusters", "reported_for")
    _forget("loudspeaker_clusters", "ticket_id")
    op.drop_index("ix_bulletins_notice_id", "bulletins")
    _forget("bulletins", "notice_id")
    for table in ("source_reports", "source_feedback", "source_notices"):
        op.drop_table(table)


def _forget(table: str, column: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    else:
        op.drop_column(table, column)
