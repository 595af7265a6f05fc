"""Editions of the week's questions and answers; a picture in a bulletin."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
PICTURES = (("bulletins", "picture"), ("announcements", "image_blob"))


def upgrade() -> None:
    op.create_table(
        "editions",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("proposed_at", AT, nullable=False),
        sa.Column("bulletin_id", NUMBER, sa.ForeignKey("bulletins.id"), nullable=True, index=True),
        sa.Column("edited_by_id", NUMBER, sa.ForeignKey("officials.id"), nullable=True),
        sa.Column("edited_at", AT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.UniqueConstraint("commune_id", "week"),
    )
    op.create_index("ix_editions_proposed", "editions", ["proposed_at"])
    op.create_table(
        "edition_items",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("edition_id", NUMBER, sa.ForeignKey("editions.id"), nullable=False),
        sa.Column("publication_id", NUMBER, sa.ForeignKey("publications.id"), nullable=False, index=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(300), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("is_dropped", sa.Boolean(), nullable=False),
        sa.Column("taken_out_at", AT, nullable=True),
        sa.UniqueConstraint("edition_id", "publication_id"),
    )
    op.add_column("bulletins", sa.Column("picture", sa.String(80), nullable=True))
    op.add_column("bulletins", sa.Column("picture_words", sa.String(200), nullable=False, server_default=""))
    op.add_column("announcements", sa.Column("image_blob", sa.String(80), nullable=True))
    for table, column in PICTURES:
        has_one = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_{table}_{column}", table, [column], sqlite_where=has_one, postgresql_where=has_one)


def downgrade() -> None:
    for table, column in PICTURES:
        op.drop_index(f"ix_{table}_{column}", table)
    op.drop_column("announcements", "image_blob")
    op.drop_column("bulletins", "picture_words")
    op.drop_column("bulletins", "picture")
    op.drop_table("edition_items")
    op.drop_table("editions")
