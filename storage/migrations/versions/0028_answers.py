"""Templates of answers with their versions; what was answered, and what waits for a leader, is found at once."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table("answer_templates", *_words(), *_common())
    op.create_table(
        "answer_versions",
        sa.Column("template_id", NUMBER, sa.ForeignKey("answer_templates.id"), nullable=False),
        *_words(),
        sa.Column("official_id", NUMBER, sa.ForeignKey("officials.id"), nullable=False),
        sa.Column("at", AT, nullable=False),
        *_common(),
        sa.UniqueConstraint("template_id", "version"),
    )
    answered = sa.text("answered_at IS NOT NULL")
    op.create_index(
        "ix_tickets_answered",
        "tickets",
        ["commune_id", "topic", "answered_at"],
        sqlite_where=answered,
        postgresql_where=answered,
    )
    waits = sa.text("state = 'cho_duyet'")
    op.create_index(
        "ix_tickets_waiting_approval", "tickets", ["commune_id", "due_at"], sqlite_where=waits, postgresql_where=waits
    )


def _words() -> tuple[sa.Column, ...]:
    return (
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("topic", sa.String(40), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("is_archived", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("version", sa.Integer(), nullable=False),
    )


def _common() -> tuple[sa.Column, ...]:
    return (
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
    )


def downgrade() -> None:
    op.drop_index("ix_tickets_waiting_approval", "tickets")
    op.drop_index("ix_tickets_answered", "tickets")
    op.drop_table("answer_versions")
    op.drop_table("answer_templates")
