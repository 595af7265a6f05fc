"""What tickets are found by: words without accents, on PostgreSQL as tsvector, on SQLite in an FTS5 table.

Tickets that are there already are put into the index by the sweep, so that upgrading does not have to wait for it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Private letters (Co) mark telephone numbers and places; marks within a word (M*) belong to it.
SQLITE = (
    """CREATE VIRTUAL TABLE search_words USING fts5(
        words, content='search_parts', content_rowid='id',
        tokenize="unicode61 remove_diacritics 0 categories 'L* N* Co M*'")""",
    """CREATE TRIGGER search_parts_added AFTER INSERT ON search_parts BEGIN
        INSERT INTO search_words (rowid, words) VALUES (new.id, new.words); END""",
    """CREATE TRIGGER search_parts_gone AFTER DELETE ON search_parts BEGIN
        INSERT INTO search_words (search_words, rowid, words) VALUES ('delete', old.id, old.words); END""",
    """CREATE TRIGGER search_parts_changed AFTER UPDATE ON search_parts BEGIN
        INSERT INTO search_words (search_words, rowid, words) VALUES ('delete', old.id, old.words);
        INSERT INTO search_words (rowid, words) VALUES (new.id, new.words); END""",
)


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "search_parts",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("ticket_id", NUMBER, sa.ForeignKey("tickets.id"), nullable=False, index=True),
        sa.Column("since", NUMBER, nullable=False),
        sa.Column("words", TSVECTOR().with_variant(sa.Text(), "sqlite"), nullable=False),
    )
    op.create_table(
        "search_backlog", sa.Column("id", NUMBER, primary_key=True), sa.Column("before", NUMBER, nullable=False)
    )
    if is_sqlite:
        for statement in SQLITE:
            op.execute(statement)
    else:
        op.create_index("search_words", "search_parts", ["words"], postgresql_using="gin")
    op.execute("INSERT INTO search_backlog (id, before) SELECT 1, max(id) + 1 FROM tickets HAVING max(id) IS NOT NULL")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_words")
    op.drop_table("search_backlog")
    op.drop_table("search_parts")
