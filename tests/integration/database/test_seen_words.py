"""An input that has words is never held for one that cannot have them, whatever stands beside these."""

import random
from collections.abc import Iterator

import pytest

from genpulse.adapters.database.statements.search.conditions import Values, contents
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.search.task_query import TaskFilter

PIECES = (
    *("a", "k", "fox", "FOX", "u00", "n", "e", "x1f", "1", "5", "8k", "1e5", "273", "data:"),
    *(" ", "\n", "\t", "\r", "\b", "\f", "\x01", "\x0b", "\x1b", "\x1f", "\x7f", "\x85", "\u00a0", "\u200b"),
    *("+", "-", "_", ".", ",", "/", "\\", '"', "'", "&", ";", "<", ">", "@", "#"),
    *("%", "(", "[", "{", "^", "$", "*"),
    *("é", "É", "ß", "ẞ", "Σ", "\u03c2", "İ", "\u0131", "\u212a", "ǅ"),
    *("e\u0301", "\u0301", "\u0307", "Ω", "ж", "Ж"),
    *("狐", "狸", "かな", "カ", "ｶ", "\uff21", "한", "\uf900", "\u2e80", "𠀀"),
    *("\U0001d4b3", "ب", "ش", "🦊", "\u202e", "\ue000", "\ufb01"),
)
_BOTH = """
SELECT input, asked, ({read}) IS TRUE AS is_read, ({seen}) IS TRUE AS is_seen
FROM unnest($1::jsonb[]) AS input, unnest($2::text[]) AS asked
WHERE (({read}) IS TRUE) <> (({seen}) IS TRUE)
"""


def text_of(chance: random.Random, most: int) -> str:
    return "".join(chance.choice(PIECES) for _ in range(chance.randint(1, most)))


def value_of(chance: random.Random, depth: int = 0) -> JsonValue:
    match chance.randrange(8 if depth < 3 else 5):
        case 0:
            return chance.choice((None, True, 5, 1.5))
        case 5:
            return [value_of(chance, depth + 1) for _ in range(chance.randrange(3))]
        case 6 | 7:
            return {text_of(chance, 2): value_of(chance, depth + 1) for _ in range(chance.randrange(3))}
        case _:
            return text_of(chance, 8)


def inputs_of(chance: random.Random, count: int) -> Iterator[JsonObject]:
    for number in range(count):
        file = {"image": f"data:,{chance.randbytes(20_000).hex()}"} if number % 50 == 0 else {}
        yield {"prompt": text_of(chance, 6), text_of(chance, 2): value_of(chance), **file}


def condition(*, is_planned: bool) -> str:
    (text,) = contents(TaskFilter(texts=("any",)), Values(), is_planned=is_planned)
    return text.replace("$1::text", "asked")


@pytest.mark.parametrize("seed", range(6))
async def test_what_has_the_words_is_taken_apart(migrated_url, pools, seed):
    chance = random.Random(seed)
    statement = _BOTH.format(read=condition(is_planned=True), seen=condition(is_planned=False))
    async with pools.lent(1) as pool:
        rows = await pool.fetch(statement, list(inputs_of(chance, 300)), [text_of(chance, 2) for _ in range(60)])
    assert [(row["input"], row["asked"], row["is_read"]) for row in rows[:20]] == []
