"""Three clocks on a ticket, when they pause, and when they must next be heard; who an alert is for."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")
MOMENTS = (
    "accept_due_at", "accepted_at", "action_due_at", "acted_at", "paused_at", "paused_until", "promised_at",
    "noticed_at", "next_notice_at",
)  # fmt: skip
WAITS = sa.text("next_notice_at IS NOT NULL")


def upgrade() -> None:
    for name in MOMENTS:
        op.add_column("tickets", sa.Column(name, AT, nullable=True))
    op.add_column("tickets", sa.Column("extension", JSON, nullable=True))
    op.create_index("ix_tickets_notice", "tickets", ["next_notice_at"], sqlite_where=WAITS, postgresql_where=WAITS)
    op.add_column("alerts", sa.Column("audience", sa.String(20), nullable=True))
    # The clock looks at each open report once and plans what it has to say from now on.
    op.execute("UPDATE tickets SET next_notice_at = opened_at, noticed_at = CURRENT_TIMESTAMP WHERE is_open")


def downgrade() -> None:
    op.drop_column("alerts", "audience")
    op.drop_index("ix_tickets_notice", "tickets")
    op.drop_column("tickets", "extension")
    for name in reversed(MOMENTS):
        op.drop_column("tickets", name)
