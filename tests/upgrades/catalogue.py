"""What PostgreSQL knows of the tables: looked at before a change and after it."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

_TABLES = """
SELECT oid::bigint, relname AS name, relfilenode::bigint AS file FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
"""
_COLUMNS = """
SELECT attrelid::bigint AS oid, attname AS name, attnum AS number, format_type(atttypid, atttypmod) AS type,
       attnotnull AS required, atthasdef OR attidentity <> '' AS filled
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
"""
_INDEXES = """
SELECT indexrelid::regclass::text AS name, indrelid::bigint AS oid
FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
WHERE relnamespace = current_schema()::regnamespace
"""
_CONDITIONS = """
SELECT conname AS name, conrelid::bigint AS oid, convalidated AS checked FROM pg_constraint
WHERE connamespace = current_schema()::regnamespace AND contype IN ('c', 'f')
"""
_OPEN_TO = "SELECT works_with_revision FROM schema_compatibility"


@dataclass(frozen=True, slots=True)
class Column:
    """`number` stays when it is renamed."""

    name: str
    number: int
    type: str
    required: bool
    filled: bool


@dataclass(frozen=True, slots=True)
class TableState:
    """One table, by all that an upgrade may do to it. `conditions` says which are checked."""

    name: str
    file: int
    columns: dict[int, Column]
    indexes: frozenset[str]
    conditions: dict[str, bool]


@dataclass(frozen=True, slots=True)
class SchemaState:
    """All tables by their number, and the oldest revision whose versions may work with them."""

    tables: dict[int, TableState]
    works_with: str | None


def look(connection: Connection) -> SchemaState:
    """What is there now, also within a transaction."""

    def rows(statement):
        return connection.execute(text(statement)).mappings().all()

    columns, indexes, conditions = rows(_COLUMNS), rows(_INDEXES), rows(_CONDITIONS)
    tables = {
        table["oid"]: TableState(
            table["name"],
            table["file"],
            {
                each["number"]: Column(
                    each["name"], each["number"], each["type"], each["required"], each["filled"]
                )
                for each in columns
                if each["oid"] == table["oid"]
            },
            frozenset(each["name"] for each in indexes if each["oid"] == table["oid"]),
            {each["name"]: each["checked"] for each in conditions if each["oid"] == table["oid"]},
        )
        for table in rows(_TABLES)
    }
    knows = connection.execute(text("SELECT to_regclass('schema_compatibility') IS NOT NULL")).scalar()
    return SchemaState(tables, connection.execute(text(_OPEN_TO)).scalar() if knows else None)
