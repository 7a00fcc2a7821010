"""How tests empty tables."""

from collections.abc import Iterable


def emptied(tables: Iterable[str]) -> str:
    """A statement that empties them, whatever refers to what."""
    return _emptied(f"'{{{', '.join(tables)}}}'::regclass[]")


def emptied_but(tables: Iterable[str]) -> str:
    """A statement that empties all tables but these."""
    names = ", ".join(f"'{name}'" for name in tables)
    return _emptied(
        "ARRAY(SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        f" AND relname NOT IN ({names}))"
    )


def _emptied(tables: str) -> str:
    """Few rows are deleted at a hundredth of what it costs to truncate their table, since that makes new files."""
    return f"""
    DO $$
    DECLARE name regclass;
    BEGIN
        PERFORM set_config('session_replication_role', 'replica', true);
        FOREACH name IN ARRAY {tables} LOOP
            IF pg_relation_size(name) > 262144 THEN
                EXECUTE format('TRUNCATE %s CASCADE', name);
            ELSE
                EXECUTE format('DELETE FROM %s', name);
            END IF;
        END LOOP;
    END $$
    """
