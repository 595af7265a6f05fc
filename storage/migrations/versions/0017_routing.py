"""Rules of routing that begin and end on a day, and a province's own."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FIRST_DAY = "2025-07-01"


def upgrade() -> None:
    with op.batch_alter_table("routing_rules") as table:
        table.add_column(sa.Column("valid_from", sa.Date(), nullable=False, server_default=FIRST_DAY))
        table.add_column(sa.Column("valid_to", sa.Date(), nullable=True))
        table.drop_constraint("uq_routing_rules_commune_id_topic_place_id", type_="unique")
        table.create_unique_constraint(
            "uq_routing_rules_commune_id_topic_place_id_valid_from", ["commune_id", "topic", "place_id", "valid_from"]
        )
    op.create_table(
        "province_rules",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("province_code", sa.String(8), nullable=False),
        sa.Column("topic", sa.String(40), nullable=False),
        sa.Column("agency_slug", sa.String(60), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.UniqueConstraint("province_code", "topic", "valid_from"),
    )


def downgrade() -> None:
    op.drop_table("province_rules")
    with op.batch_alter_table("routing_rules") as table:
        table.drop_constraint("uq_routing_rules_commune_id_topic_place_id_valid_from", type_="unique")
        table.create_unique_constraint(
            "uq_routing_rules_commune_id_topic_place_id", ["commune_id", "topic", "place_id"]
        )
        table.drop_column("valid_to")
        table.drop_column("valid_from")
