"""Which environment is meant, and who said so."""

import pytest

from genpulse.environment.errors import EnvironmentConflict, NamelessSecrets, NoEnvironment, UnknownEnvironment
from genpulse.environment.resolve import resolve
from genpulse.environment.table import DEVELOPMENT, ENVIRONMENTS, PRODUCTION, TESTING


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
        ("ENV", "prod", "Allowed: dev, test, main. Did you mean main?"),
        ("ENV", "production", "Did you mean main?"),
        ("ENV", "development", "Did you mean dev?"),
        ("ENV", "mian", "Did you mean main?"),
        ("ENV_FOR_DYNACONF", "main", "Did you mean production?"),
        ("ENV_FOR_DYNACONF", "prod", "Did you mean production?"),
        ("ENV_FOR_DYNACONF", "develpment", "Did you mean development?"),
        ("ENV", "tset", "Did you mean test?"),
        ("ENV_FOR_DYNACONF", "staging", "production"),
    ],
)
def test_unknown_values_are_refused_with_everything_one_needs(variable, value, hint):
    with pytest.raises(UnknownEnvironment) as caught:
        resolved({variable: value})
    for word in (variable, value, "the process environment", hint):
        assert word in str(caught.value)


@pytest.mark.parametrize("variable", ["ENV", "ENV_FOR_DYNACONF"])
@pytest.mark.parametrize("value", ["staging", "stage", "qa", "local", "master", "preview", "mars"])
def test_nothing_is_suggested_for_what_names_no_environment(variable, value):
    with pytest.raises(UnknownEnvironment) as caught:
        resolved({variable: value})
    assert "Did you mean" not in str(caught.value)


def test_the_start_up_file_of_a_shell_is_explained():
    with pytest.raises(UnknownEnvironment, match="POSIX shell"):
        resolved({"ENV": "/root/.ashrc"})


def test_the_start_up_file_of_a_shell_is_ignored_when_the_other_variable_decides():
    found = resolved({"ENV": "$HOME/.ashrc", "ENV_FOR_DYNACONF": "testing"})
    assert found.environment is TESTING
    assert "ENV='$HOME/.ashrc'" in found.warning


@pytest.mark.parametrize("place", ["process", "dotenv"])
def test_two_variables_of_one_place_that_disagree_are_refused(place):
    with pytest.raises(EnvironmentConflict) as caught:
        resolved(**{place: {"ENV": "main", "ENV_FOR_DYNACONF": "testing"}})
    source = {"process": "the process environment", "dotenv": "/app/.env"}[place]
    assert str(caught.value) == (
        f"ENV='main' (from {source}) means production;"
        f" ENV_FOR_DYNACONF='testing' (from {source}) means testing. Unset one of them."
    )


def test_two_variables_that_agree_are_fine():
    assert resolved({"ENV": "main", "ENV_FOR_DYNACONF": "production"}).environment is PRODUCTION


WORDS = {row: ({"ENV": row.name}, {"ENV_FOR_DYNACONF": row.dynaconf}) for row in ENVIRONMENTS}
PAIRS = [
    (own, said, theirs, written)
    for own in ENVIRONMENTS
    for said in WORDS[own]
    for theirs in ENVIRONMENTS
    for written in WORDS[theirs]
]


@pytest.mark.parametrize(("own", "said", "theirs", "written"), PAIRS)
def test_a_dotenv_of_another_environment_is_skipped_whole_with_a_warning(own, said, theirs, written):
    found = resolved(said, {**written, "GENPULSE_API_KEY": "x"})
    assert found.environment is own
    assert found.skips_dotenv == (own is not theirs)
    if own is theirs:
        assert not found.warning
        return
    for word in (own.dynaconf, theirs.dynaconf, "the process environment", "/app/.env"):
        assert word in found.warning


@pytest.mark.parametrize("row", ENVIRONMENTS)
def test_a_dotenv_that_does_not_say_whose_it_is_counts_in_development_alone(row):
    for said in WORDS[row]:
        if row is DEVELOPMENT:
            assert not resolved(said, {"GENPULSE_API_KEY": "x"}).skips_dotenv
        else:
            with pytest.raises(NamelessSecrets, match=rf"/app/.env names no .*Add the line ENV={row.name}"):
                resolved(said, {"GENPULSE_API_KEY": "x"})
        assert resolved(said, {}).environment is row


def test_a_branch_of_a_topic_is_named_as_what_it_runs_as():
    with pytest.raises(UnknownEnvironment, match=r"Branches feature/\* run as ENV=dev") as caught:
        resolved({"ENV": "feature/x"})
    assert "shell" not in str(caught.value)
