"""A Redis user that can reach one environment alone."""

import pytest

from genpulse.environment.acl import acl_rule
from genpulse.environment.table import DEVELOPMENT, ENVIRONMENTS, PRODUCTION


def test_the_rule_of_development():
    assert acl_rule(DEVELOPMENT) == (
        "ACL SETUSER genpulse_dev on >PASSWORD resetkeys ~dev:* resetchannels &dev:* +@all"
        " -@admin -@dangerous -randomkey -scan -dbsize"
    )


def test_a_namespace_narrows_it_and_the_user_may_be_named():
    rule = acl_rule(PRODUCTION, "eu", "ada")
    assert rule.startswith("ACL SETUSER ada on ")
    assert "~prod:eu:* resetchannels &prod:eu:*" in rule


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda row: row.name)
def test_no_environment_reaches_another(environment):
    others = [row.key_prefix for row in ENVIRONMENTS if row is not environment]
    assert not any(prefix in acl_rule(environment) for prefix in others)
