import pytest

from genpulse.branching.errors import NameRefused, ReleaseRefused
from genpulse.branching.releases.deployment import deployable
from genpulse.environment.table import DEVELOPMENT, PRODUCTION, TESTING


@pytest.fixture
def done(done):
    done.topic("feature/open", "open.txt")
    return done


def refused(clone, ref, words, environment=None, error=ReleaseRefused):
    with pytest.raises(error, match=words) as caught:
        deployable(clone.repository(), ref, environment)
    return caught.value


@pytest.mark.parametrize(
    ("ref", "environment", "target"),
    [
        ("v0.1.0", PRODUCTION, "Production"),
        ("refs/tags/v0.1.0", PRODUCTION, "Production"),
        ("v0.1.0-rc.1", TESTING, "Testing / QA"),
        ("test", TESTING, "Testing / QA"),
        ("refs/heads/dev", DEVELOPMENT, "Development / Sandbox"),
    ],
)
def test_where_a_ref_belongs(done, ref, environment, target):
    found = deployable(done.repository(), ref, environment)
    assert (found.row.environment, found.row.target) == (environment, target)
    assert found == deployable(done.repository(), ref)


def test_a_commit_belongs_where_its_tag_or_lane_does(done):
    for ref, environment in {"origin/main": PRODUCTION, "origin/test": TESTING, "origin/dev": DEVELOPMENT}.items():
        commit = done.git("rev-parse", ref)
        assert deployable(done.repository(), commit).row.environment is environment
    refused(done, done.git("rev-parse", "feature/open"), "neither tagged nor on test or dev")


def test_production_runs_nothing_but_verified_final_tags(done):
    assert refused(done, "main", "main is a branch").mend == ("genpulse flow deployable --ref v0.1.0",)
    for ref in ("dev", "test", "v0.1.0-rc.1", "feature/open"):
        refused(done, ref, "runs verified final tags and nothing else", PRODUCTION)
    done.git("tag", "v0.2.0", "origin/main")
    refused(done, "v0.2.0", "a light tag", PRODUCTION)
    done.git("tag", "-am", "x", "v0.3.0", "origin/dev")
    done.push("v0.2.0", "v0.3.0")
    refused(done, "v0.3.0", "not on main")


def test_another_environment_than_the_refs_own(done):
    error = refused(done, "v0.1.0", "deployed to its own environment", TESTING)
    assert error.note == "Set ENV=main, or deploy test."


def test_a_candidate_that_is_not_on_test(done):
    done.git("tag", "-am", "x", "v0.9.0-rc.1", "feature/open")
    refused(done, "v0.9.0-rc.1", "not on test")


@pytest.mark.parametrize(
    "ref", ["nothing", "--all", "-h", "feature/none", "a b", "refs/tags/dev", "v9.9.9", "", "ü"]
)
def test_what_is_not_there(done, ref):
    refused(done, ref, "found: ", error=(NameRefused, ReleaseRefused))


def test_a_broken_tag_does_not_keep_a_commit_of_dev_from_dev(done):
    done.git("tag", "v8.0.0", "origin/dev")
    assert deployable(done.repository(), done.git("rev-parse", "origin/dev"), DEVELOPMENT).version is None


@pytest.mark.parametrize("ref", ["feature/open", "refs/heads/feature/open"])
@pytest.mark.parametrize("environment", [DEVELOPMENT, TESTING, PRODUCTION])
def test_a_topic_belongs_to_its_developers_machine_and_to_no_shared_target(done, ref, environment):
    assert deployable(done.repository(), ref).row.target == "Local Dev"
    refused(done, ref, "belongs to Local Dev|nothing else", environment)


def test_a_tag_that_others_do_not_see_is_not_deployed(done):
    done.git("push", "-q", "origin", ":refs/tags/v0.1.0")
    for ref in ("v0.1.0", done.git("rev-parse", "origin/main")):
        refused(done, ref, "does not have it")
    done.git("push", "-q", "origin", ":refs/tags/v0.1.0-rc.1")
    refused(done, "v0.1.0-rc.1", "does not have it")
    refused(done, "v0.1.0", "no candidate of v0.1.0 on test")
