"""One form for announcements: drafts on one channel become drafts of bulletins."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
AT = sa.DateTime(timezone=True)

SHARED = ("commune_id", "title", "body", "topic", "author_id", "version")
announcements = sa.table(
    "announcements",
    *(sa.column(name) for name in ("id", "channel_id", "state", "returned_note", *SHARED)),
    sa.column("place_ids", JSON),
    sa.column("created_at", AT),
)
bulletins = sa.table(
    "bulletins",
    *(sa.column(name) for name in ("importance", "kind", "state", "returned_note", *SHARED)),
    *(sa.column(name, JSON) for name in ("place_ids", "channel_ids", "texts", "aloud")),
    sa.column("created_at", AT),
)
IS_WRITTEN = announcements.c.state.in_(["draft", "submitted"])


def upgrade() -> None:
    connection = op.get_bind()
    for row in connection.execute(sa.select(announcements).where(IS_WRITTEN).order_by(announcements.c.id)).mappings():
        kept = {name: row[name] for name in (*SHARED, "place_ids", "returned_note", "created_at")}
        fixed = {"importance": "thong_thuong", "kind": "first", "state": "draft", "texts": {}, "aloud": {}}
        connection.execute(sa.insert(bulletins).values(channel_ids=[row["channel_id"]], **kept, **fixed))
    connection.execute(sa.delete(announcements).where(IS_WRITTEN))
    op.drop_column("announcements", "returned_note")


def downgrade() -> None:
    op.add_column("announcements", sa.Column("returned_note", sa.Text(), nullable=True))
