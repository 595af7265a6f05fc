"""Files that are kept once however many rows name them, sounds that play, where photos are from, keys that share."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
NAMES = (("attachments", "blob"), ("attachments", "sound_blob"), ("deliveries", "image_blob"))


def upgrade() -> None:
    op.create_table(
        "blobs",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("kept_at", AT, nullable=False),
        sa.Column("let_go_at", AT, nullable=True),
        sa.Column("is_going", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.UniqueConstraint("name"),
    )
    op.create_index("ix_blobs_let_go", "blobs", ["let_go_at"], **_where("let_go_at IS NOT NULL"))
    op.add_column("attachments", sa.Column("sound_blob", sa.String(80), nullable=True))
    op.add_column("attachments", sa.Column("locality_code", sa.String(8), nullable=True))
    op.add_column("attachments", sa.Column("seconds", sa.Integer(), nullable=True))
    op.add_column("attachments", sa.Column("playing", sa.String(32), nullable=False, server_default="none"))
    op.add_column("deliveries", sa.Column("asks", sa.String(12), nullable=True))
    for table, column in NAMES:
        op.create_index(f"ix_{table}_{column}", table, [column], **_where(f"{column} IS NOT NULL"))
    op.create_index("ix_attachments_playing", "attachments", ["next_try_at"], **_where("playing = 'waiting'"))
    op.create_index("ix_inbound_events_parked", "inbound_events", ["id"], **_where("state = 'parked'"))
    for column, table in (("blob", "attachments"), ("image_blob", "deliveries")):
        op.execute(
            f"INSERT INTO blobs (name, size, kept_at, is_going) SELECT DISTINCT {column}, 0, CURRENT_TIMESTAMP, "  # noqa: S608
            f"{_false()} FROM {table} WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT name FROM blobs)"
        )
    # Recordings that were kept before can be heard too, once a worker has looked at them.
    op.execute(
        "UPDATE attachments SET playing = 'waiting', tries = 0, next_try_at = CURRENT_TIMESTAMP, lease_until = NULL "
        "WHERE state = 'stored' AND kind IN ('audio', 'video')"
    )


def downgrade() -> None:
    op.drop_index("ix_inbound_events_parked", "inbound_events")
    op.drop_index("ix_attachments_playing", "attachments")
    for table, column in NAMES:
        op.drop_index(f"ix_{table}_{column}", table)
    op.drop_column("deliveries", "asks")
    for column in ("playing", "seconds", "locality_code", "sound_blob"):
        op.drop_column("attachments", column)
    op.drop_table("blobs")


def _where(words: str) -> dict:
    return {"sqlite_where": sa.text(words), "postgresql_where": sa.text(words)}


def _false() -> str:
    return "false" if op.get_bind().dialect.name == "postgresql" else "0"
