"""Two places of one name and kind may belong to two others: tổ 3 of khu phố 1, and of khu phố 2."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LONGEST = 160
# SQLite changes a constraint by building the table anew, and drops none that other rows point at.
LET_GO = (
    "CREATE TEMPORARY TABLE held_rules AS SELECT id, place_id FROM routing_rules WHERE place_id IS NOT NULL",
    "CREATE TEMPORARY TABLE held_tickets AS SELECT id, place_id FROM tickets WHERE place_id IS NOT NULL",
    "UPDATE routing_rules SET place_id = NULL WHERE place_id IS NOT NULL",
    "UPDATE tickets SET place_id = NULL WHERE place_id IS NOT NULL",
)
TAKE_BACK = (
    (
        "UPDATE routing_rules SET place_id = (SELECT h.place_id FROM held_rules h WHERE h.id = routing_rules.id) "
        "WHERE id IN (SELECT id FROM held_rules)"
    ),
    (
        "UPDATE tickets SET place_id = (SELECT h.place_id FROM held_tickets h WHERE h.id = tickets.id) "
        "WHERE id IN (SELECT id FROM held_tickets)"
    ),
    "DROP TABLE held_rules",
    "DROP TABLE held_tickets",
)


def upgrade() -> None:
    op.execute("UPDATE places SET parent = '' WHERE parent IS NULL")
    _only_on_sqlite(LET_GO)
    with op.batch_alter_table("places", schema=None) as batch_op:
        batch_op.alter_column("parent", existing_type=sa.String(length=160), nullable=False)
        batch_op.drop_constraint(batch_op.f("uq_places_commune_id_name_kind"), type_="unique")
        batch_op.create_unique_constraint(
            batch_op.f("uq_places_commune_id_name_kind_parent"), ["commune_id", "name", "kind", "parent"]
        )
    _only_on_sqlite(TAKE_BACK)


def downgrade() -> None:
    _name_apart()
    _only_on_sqlite(LET_GO)
    with op.batch_alter_table("places", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_places_commune_id_name_kind_parent"), type_="unique")
        batch_op.create_unique_constraint(batch_op.f("uq_places_commune_id_name_kind"), ["commune_id", "name", "kind"])
        batch_op.alter_column("parent", existing_type=sa.String(length=160), nullable=True)
    _only_on_sqlite(TAKE_BACK)


def _name_apart() -> None:
    """Of places that the earlier table cannot tell apart name the later ones with their parent, or with a number."""
    places = op.get_bind().execute(sa.text("SELECT id, commune_id, kind, name, parent FROM places ORDER BY id")).all()
    taken = {(commune, kind, name) for _, commune, kind, name, _ in places}
    seen = set()
    for number, commune, kind, name, parent in places:
        if (commune, kind, name) in seen:
            numbered = f" ({number})"
            joined = f"{name} {parent}"[:LONGEST].strip()
            found = (joined, joined[: LONGEST - len(numbered)] + numbered)
            free = next(one for one in found if (commune, kind, one) not in taken)
            op.execute(sa.text("UPDATE places SET name = :name WHERE id = :id").bindparams(name=free, id=number))
            taken.add((commune, kind, free))
        seen.add((commune, kind, name))


def _only_on_sqlite(statements: tuple[str, ...]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in statements:
            op.execute(statement)
