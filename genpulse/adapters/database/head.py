"""Which revision of the tables this version needs, known without loading what applies migrations."""

from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"


def head() -> str:
    """The number of the newest migration."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
