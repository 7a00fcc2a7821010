from uuid import UUID

import pytest

from genpulse.adapters.redis.keys import Keyspace

TASK = UUID("0192d3a4-0000-7000-8000-000000000001")


@pytest.mark.parametrize("prefix", ["dev:", "dev:alice:", "main:"])
def test_every_key_begins_with_the_prefix(prefix: str) -> None:
    keys = Keyspace(prefix)
    assert keys.events(TASK) == f"{prefix}events:{TASK}"
    assert keys.workers == f"{prefix}{{workers}}"
    assert keys.worker("w-1") == f"{prefix}{{workers}}:w-1"


@pytest.mark.parametrize("prefix", ["", "dev", ":"])
def test_a_prefix_that_would_mix_environments_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="must be a name that ends with ':'"):
        Keyspace(prefix)
