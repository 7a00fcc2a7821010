"""A Redis user that can reach one environment alone."""

import pytest

from genpulse import config
from genpulse.environment.acl import acl_rule
from genpulse.environment.namespace import is_namespace
from genpulse.environment.table import DEVELOPMENT, ENVIRONMENTS, PRODUCTION


def test_the_rule_of_development():
    assert acl_rule(DEVELOPMENT) == (
        "ACL SETUSER genpulse_dev on >PASSWORD resetkeys ~dev:* resetchannels &dev:* +@all"
        " -@admin -@dangerous -randomkey -scan -dbsize -function -script|flush -pubsub"
    )


def test_a_namespace_narrows_it_and_the_user_may_be_named():
    rule = acl_rule(PRODUCTION, "eu", "ada")
    assert rule.startswith("ACL SETUSER ada on ")
    assert "~prod:eu:* resetchannels &prod:eu:*" in rule


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda row: row.name)
def test_no_environment_reaches_another(environment):
    others = [row.key_prefix for row in ENVIRONMENTS if row is not environment]
    assert not any(prefix in acl_rule(environment) for prefix in others)


def test_it_needs_the_environment_and_the_namespace_whatever_else_is_missing(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text("production:\n  redis: {namespace: eu}\n")
    assert config.find_namespace(tmp_path, {"ENV": "main"}) == (PRODUCTION, "eu")
    other = {"ENV": "main", "GENPULSE_REDIS__NAMESPACE": "us", "GENPULSE_API__PORT": "nonsense"}
    assert config.find_namespace(tmp_path, other) == (PRODUCTION, "us")
    assert config.find_namespace(tmp_path, {"ENV": "dev"}) == (DEVELOPMENT, "")


@pytest.mark.parametrize("text", ["a:b", "a b", "ä", "a*", "a\n"])
def test_a_namespace_that_would_reach_others_is_none(text):
    assert not is_namespace(text)
    assert is_namespace("eu-1_b.c")
