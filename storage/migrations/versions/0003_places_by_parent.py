"""Two places of one name and kind may belong to two others: tổ 3 of khu phố 1, and of khu phố 2."""

import itertools

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

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
    """Of places that the earlier table cannot tell apart the later ones are named with their parent, or a number."""
    places = sa.table("places", *map(sa.column, ("id", "commune_id", "name", "kind", "parent")))
    connection = op.get_bind()
    rows = connection.execute(sa.select(places).order_by(places.c.id)).all()
    taken = {(row.commune_id, row.name, row.kind) for row in rows}
    seen: set[tuple[int, str, str]] = set()
    for row in rows:
        key = (row.commune_id, row.name, row.kind)
        if key not in seen:
            seen.add(key)
            continue
        joined = " ".join(filter(None, (row.name, row.parent)))
        endings = itertools.chain([""], (f" ({number})" for number in itertools.count(2)))
        names = (joined[: 160 - len(ending)] + ending for ending in endings)
        name = next(name for name in names if (row.commune_id, name, row.kind) not in taken)
        taken.add((row.commune_id, name, row.kind))
        connection.execute(sa.update(places).where(places.c.id == row.id).values(name=name))


def _only_on_sqlite(statements: tuple[str, ...]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in statements:
            op.execute(statement)
