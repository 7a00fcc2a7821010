"""Which environment is meant, and who said so."""

import pytest

from genpulse.environment.errors import EnvironmentConflict, ForeignSecrets, NoEnvironment, UnknownEnvironment
from genpulse.environment.resolve import resolve
from genpulse.environment.table import DEVELOPMENT, PRODUCTION, TESTING


def resolved(process=None, dotenv=None, **options):
    return resolve(process or {}, dotenv or {}, "/app/.env", **options)


def test_nothing_set_is_development():
    found = resolved(required=False)
    assert found.environment is DEVELOPMENT
    assert "default" in found.decided_by


def test_nothing_set_is_refused_where_one_must_be_named():
    with pytest.raises(NoEnvironment, match=r"ENV=dev\|test\|main"):
        resolved(required=True)


@pytest.mark.parametrize("value", ["main", "MAIN", "  Main "])
def test_case_and_blanks_do_not_matter(value):
    assert resolved({"ENV": value}).environment is PRODUCTION


def test_the_option_of_dynaconf_means_the_same():
    assert resolved({"ENV_FOR_DYNACONF": "testing"}).environment is TESTING


def test_empty_is_unset():
    assert resolved({"ENV": " "}, {"ENV": "test"}).environment is TESTING


def test_the_process_comes_before_dotenv():
    found = resolved({"ENV": "test"}, {"ENV": "main"})
    assert found.environment is TESTING
    assert found.decided_by == "ENV in the process environment"


def test_dotenv_is_named_as_the_source():
    assert resolved({}, {"ENV": "test"}).decided_by == "ENV in /app/.env"


@pytest.mark.parametrize(
    ("variable", "value", "hint"),
    [
        ("ENV", "prod", "Allowed: dev, test, main"),
        ("ENV", "tset", "Did you mean test?"),
        ("ENV_FOR_DYNACONF", "staging", "production"),
    ],
)
def test_unknown_values_are_refused_with_everything_one_needs(variable, value, hint):
    with pytest.raises(UnknownEnvironment) as caught:
        resolved({variable: value})
    for word in (variable, value, "the process environment", hint):
        assert word in str(caught.value)


def test_the_start_up_file_of_a_shell_is_explained():
    with pytest.raises(UnknownEnvironment, match="POSIX shell"):
        resolved({"ENV": "/root/.ashrc"})


def test_the_start_up_file_of_a_shell_is_ignored_when_the_other_variable_decides():
    found = resolved({"ENV": "$HOME/.ashrc", "ENV_FOR_DYNACONF": "testing"})
    assert found.environment is TESTING
    assert "ENV='$HOME/.ashrc'" in found.warning


def test_two_variables_that_disagree_are_refused():
    with pytest.raises(EnvironmentConflict) as caught:
        resolved({"ENV": "main"}, {"ENV_FOR_DYNACONF": "testing"})
    assert str(caught.value) == (
        "ENV='main' (from the process environment) means production;"
        " ENV_FOR_DYNACONF='testing' (from /app/.env) means testing. Unset one of them."
    )


def test_two_variables_that_agree_are_fine():
    assert resolved({"ENV": "main", "ENV_FOR_DYNACONF": "production"}).environment is PRODUCTION


def test_a_dotenv_of_another_environment_does_not_get_into_production():
    with pytest.raises(ForeignSecrets, match=r"ENV='dev' \(from /app/.env\) means development.*production"):
        resolved({"ENV": "main"}, {"ENV": "dev"})
    assert resolved({"ENV": "main"}, {"ENV": "MAIN"}).environment is PRODUCTION
    assert resolved({"ENV": "test"}, {"ENV": "dev"}).environment is TESTING
