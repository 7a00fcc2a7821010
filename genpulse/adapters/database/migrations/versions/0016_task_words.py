"""The words of an input, by which tasks are found: as an index knows them, and as somebody asks for them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_APART = "/.-_@:<"
"""PostgreSQL would take what has these in it for paths, hosts, numbers and tags, and not for words."""
_PUNCTUATION = r"[\u00a0-\u00bf\u2000-\u206f\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+"
_WITHOUT_SPACES = r"([\u2e80-\u2fff\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f])"
"""Scripts that put nothing between words: there each letter is one."""
_KNOWS_LETTERS = """
SELECT collname FROM pg_collation
WHERE collname IN ('pg_c_utf8', 'und-x-icu') AND collnamespace = 'pg_catalog'::regnamespace
  AND collencoding IN (-1, pg_char_to_encoding(getdatabaseencoding()))
ORDER BY collname = 'pg_c_utf8' DESC LIMIT 1
"""
"""A database of the locale C knows the small letters of ASCII alone."""


def _words(collation: str | None) -> str:
    said = "left(string_agg(left(texts.text #>> '{}', 4000), ' '), 20000)"
    for character in _APART:
        said = f"replace({said}, '{character}', ' ')"
    small = f'lower(said COLLATE pg_catalog."{collation}")' if collation else "lower(said)"
    spaced = f"regexp_replace({small}, '{_PUNCTUATION}', ' ', 'g')"
    return rf"""
CREATE OR REPLACE FUNCTION task_words(input jsonb) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
SELECT to_tsvector('pg_catalog.simple', CASE WHEN octet_length(said) = char_length(said) THEN said
                                             ELSE regexp_replace({spaced}, '{_WITHOUT_SPACES}', ' \1 ', 'g') END)
FROM (SELECT {said} AS said
      FROM jsonb_path_query(input, 'strict $.** ? (@.type() == "string")') AS texts(text)
      WHERE NOT starts_with(texts.text #>> '{{}}', 'data:')) AS input
$$
"""  # noqa: S608 - our own words


_ASKED = """
CREATE OR REPLACE FUNCTION task_words_asked(asked text) RETURNS tsquery LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
SELECT string_agg(quote_literal(lexeme) || CASE WHEN char_length(lexeme) < 3 THEN '' ELSE ':*' END, ' & ')::tsquery
FROM unnest(task_words(jsonb_build_array(asked)))
$$
"""


def upgrade() -> None:
    op.execute(_words(op.get_bind().scalar(sa.text(_KNOWS_LETTERS))))
    op.execute(_ASKED)


def downgrade() -> None:
    for index in ("ix_tasks_words", "ix_tasks_metadata", "ix_tasks_model_id", "ix_tasks_ended_well"):
        op.drop_index(index, "tasks", if_exists=True)
    op.execute("DROP FUNCTION task_words_asked(text)")
    op.execute("DROP FUNCTION task_words(jsonb)")
