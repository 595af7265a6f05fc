"""Counts of an announcement's deliveries, kept by the database itself, and indexes that look past a million of them.

Each session of PostgreSQL adds to a row of its own, named by its process, so that workers do not wait for each other;
SQLite has one writer, 0. A message in parts is counted by its last part, as its reader counts it. Rows of `deliveries`
are never deleted, so nothing counts that. Whoever makes that table anew on SQLite must make the triggers anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

SEEN = """CASE {0}code WHEN 'earlier_part_refused' THEN 'refused' WHEN 'earlier_part_unknown' THEN 'unknown'
    ELSE {0}state END"""
ADD = """INSERT INTO delivery_counts (announcement_id, state, writer, number) VALUES ({0}, {1}, 0, 0)
    ON CONFLICT DO NOTHING;
    UPDATE delivery_counts SET number = number {2} 1 WHERE announcement_id = {0} AND state = {1} AND writer = 0;"""
NEW, OLD = SEEN.format("new."), SEEN.format("old.")
SQLITE = (
    f"""CREATE TRIGGER deliveries_added AFTER INSERT ON deliveries
    WHEN new.announcement_id IS NOT NULL AND new.part = new.parts BEGIN
    {ADD.format("new.announcement_id", NEW, "+")} END""",
    f"""CREATE TRIGGER deliveries_moved AFTER UPDATE OF state, code ON deliveries
    WHEN new.announcement_id IS NOT NULL AND new.part = new.parts AND {OLD} <> {NEW} BEGIN
    {ADD.format("new.announcement_id", OLD, "-")} {ADD.format("new.announcement_id", NEW, "+")} END""",
)
CHANGES = f"""INSERT INTO delivery_counts (announcement_id, state, writer, number)
    SELECT announcement_id, seen, pg_backend_pid(), sum(one) FROM (
        SELECT announcement_id, {SEEN.format("")} AS seen, 1 AS one FROM added
        WHERE announcement_id IS NOT NULL AND part = parts
        {{gone}}) AS changes
    GROUP BY announcement_id, seen HAVING sum(one) <> 0
    ON CONFLICT (announcement_id, state, writer) DO UPDATE SET number = delivery_counts.number + excluded.number;"""  # noqa: S608 - our own words
GONE = f"""UNION ALL SELECT announcement_id, {SEEN.format("")}, -1 FROM gone
    WHERE announcement_id IS NOT NULL AND part = parts"""  # noqa: S608 - our own words
POSTGRESQL = (
    f"""CREATE FUNCTION count_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'INSERT' THEN {CHANGES.format(gone="")} ELSE {CHANGES.format(gone=GONE)} END IF;
    RETURN NULL; END $$""",
    """CREATE TRIGGER deliveries_added AFTER INSERT ON deliveries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_deliveries()""",
    """CREATE TRIGGER deliveries_moved AFTER UPDATE ON deliveries
    REFERENCING OLD TABLE AS gone NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_deliveries()""",
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":  # what is written between counting and the triggers would be missed
        op.execute("LOCK TABLE deliveries IN SHARE ROW EXCLUSIVE MODE")
    op.create_table(
        "delivery_counts",
        sa.Column("announcement_id", NUMBER, sa.ForeignKey("announcements.id"), primary_key=True),
        sa.Column("state", sa.String(32), primary_key=True),
        sa.Column("writer", sa.Integer(), primary_key=True),
        sa.Column("number", NUMBER, nullable=False),
    )
    op.execute(
        f"""INSERT INTO delivery_counts (announcement_id, state, writer, number)
        SELECT announcement_id, {SEEN.format("")}, 0, count(*) FROM deliveries
        WHERE announcement_id IS NOT NULL AND part = parts GROUP BY 1, 2"""  # noqa: S608 - our own words
    )
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)
    waits = "state = 'waiting' AND announcement_id IS NOT NULL"
    _index("ix_deliveries_line", ["announcement_id", "next_attempt_at", "id"], waits)
    for name, columns, where in (
        ("ix_deliveries_external", ["channel_id", "external_id"], "external_id IS NOT NULL"),
        ("ix_deliveries_message_id", ["message_id"], "message_id IS NOT NULL"),
    ):
        op.drop_index(name, "deliveries")
        _index(name, columns, where)


def downgrade() -> None:
    for name, columns in (
        ("ix_deliveries_external", ["channel_id", "external_id"]),
        ("ix_deliveries_message_id", ["message_id"]),
    ):
        op.drop_index(name, "deliveries")
        op.create_index(name, "deliveries", columns)
    op.drop_index("ix_deliveries_line", "deliveries")
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for trigger in ("deliveries_added", "deliveries_moved"):
        op.execute(f"DROP TRIGGER {trigger}" + ("" if is_sqlite else " ON deliveries"))
    if not is_sqlite:
        op.execute("DROP FUNCTION count_deliveries()")
    op.drop_table("delivery_counts")


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "deliveries", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
