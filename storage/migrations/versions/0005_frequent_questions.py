"""Frequent questions of a commune, and which message was answered with one."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "faq_entries",
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("question", sa.String(length=300), nullable=False),
        sa.Column("variants", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("as_of", sa.String(length=40), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", number, nullable=True),
        sa.Column("commune_id", number, nullable=False),
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["officials.id"], name=op.f("fk_faq_entries_changed_by")),
        sa.ForeignKeyConstraint(["commune_id"], ["communes.id"], name=op.f("fk_faq_entries_commune_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_faq_entries")),
        sa.UniqueConstraint("commune_id", "key", name=op.f("uq_faq_entries_commune_id_key")),
    )
    with op.batch_alter_table("faq_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_faq_entries_commune_id"), ["commune_id"], unique=False)
    op.add_column("messages", sa.Column("faq_key", sa.String(length=60), nullable=True))


def downgrade() -> None:
    op.drop_column("messages", "faq_key")
    op.drop_table("faq_entries")
