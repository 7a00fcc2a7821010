"""The environments table, cell by cell as the specification has it."""

import pytest

from genpulse import config
from genpulse.environment.table import BY_DYNACONF, BY_NAME, DEVELOPMENT, ENVIRONMENTS, PRODUCTION, TESTING
from genpulse.wiring.services import environment_facts


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


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda one: one.name)
def test_tasks_tell_what_a_plug_in_raised_where_its_author_works_alone(environment, tmp_path):
    variables = {
        "ENV": environment.name,
        "GENPULSE_WEBHOOKS__SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "GENPULSE_RELEASE__REQUIRE_TAG": "false",
        "GENPULSE_STORAGE__URL": "s3://bucket/prefix",
    }
    facts = environment_facts(config.load(tmp_path, process=variables, require=()))
    assert facts.shows_provider_errors is (environment.name == "dev")
