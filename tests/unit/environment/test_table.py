"""The environments table, cell by cell as the specification has it."""

import pytest

from genpulse.environment.table import BY_DYNACONF, BY_NAME, DEVELOPMENT, ENVIRONMENTS, PRODUCTION, TESTING


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        (
            DEVELOPMENT,
            ("dev", "development", "dev", "dev:", "gp_dev_", "local", "auto-spawn", "Development / Sandbox"),
        ),
        (TESTING, ("test", "testing", "test", "test:", "gp_test_", "shared", "dedicated-service", "Testing / QA")),
        (
            PRODUCTION,
            ("main", "production", "main", "prod:", "gp_live_", "cluster", "dedicated-cluster", "Production"),
        ),
    ],
)
def test_every_cell(row, cells):
    assert (
        row.name,
        row.dynaconf,
        row.branch,
        row.key_prefix,
        row.api_key_prefix,
        row.db_mode,
        row.services,
        row.target,
    ) == cells


def test_the_table_is_closed_and_nothing_in_it_is_shared():
    assert set(BY_NAME) == {"dev", "test", "main"}
    assert set(BY_DYNACONF) == {"development", "testing", "production"}
    for column in ("name", "dynaconf", "branch", "key_prefix", "api_key_prefix", "target"):
        assert len({getattr(row, column) for row in ENVIRONMENTS}) == 3
