"""What must hold of the files."""

import subprocess

import pytest

from genpulse.configuration.documents.example import example_text
from genpulse.configuration.rules.lint import lint
from genpulse.configuration.sources.project import find_project


@pytest.fixture
def tidy(project):
    """A repository in which everything is as it must be."""
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    (project / ".gitignore").write_text(".env\n")
    (project / ".env").write_text("GENPULSE_LOG__LEVEL=info\n")
    (project / ".env.example").write_text(example_text())
    return project


def said(folder):
    return "\n".join(map(str, lint(find_project(folder))))


def test_nothing_is_wrong(tidy):
    assert said(tidy) == ""


def test_a_dotenv_that_is_not_ignored_or_even_committed(tidy):
    (tidy / ".gitignore").unlink()
    assert ".env is not ignored" in said(tidy)
    subprocess.run(["git", "add", ".env"], cwd=tidy, check=True)
    assert "it is committed: git rm --cached .env" in said(tidy)


FOREIGN = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_CEILING_DIRECTORIES", "GIT_PREFIX"]


@pytest.mark.parametrize("names", [*([name] for name in FOREIGN), FOREIGN], ids="+".join)
@pytest.mark.parametrize("tracks", [True, False])
def test_a_hook_of_another_repository_blinds_nobody(tidy, tmp_path_factory, monkeypatch, names, tracks):
    """What git tells its hooks about their own repository, and what it is told by them."""
    foreign = tmp_path_factory.mktemp("foreign")
    subprocess.run(["git", "init", "--quiet"], cwd=foreign, check=True)
    (foreign / ".env").write_text("")
    if not tracks:
        subprocess.run(["git", "add", ".env"], cwd=foreign, check=True)
    else:
        (tidy / ".gitignore").unlink()
        subprocess.run(["git", "add", ".env"], cwd=tidy, check=True)
    places = {"GIT_WORK_TREE": foreign, "GIT_INDEX_FILE": foreign / ".git/index", "GIT_PREFIX": "config/"}
    for name in names:
        monkeypatch.setenv(name, str(places.get(name, tidy.parent if "CEILING" in name else foreign / ".git")))
    assert ("it is committed" in said(tidy), ".env is not ignored" in said(tidy)) == (tracks, tracks)


@pytest.mark.parametrize(
    ("dotenv", "words"),
    [
        ("AWS_SECRET=x\n", "AWS_SECRET does not begin with GENPULSE_"),
        ("GENPULSE_LOG__LEVEL=a\nGENPULSE_LOG__LEVEL=b\n", "GENPULSE_LOG__LEVEL is set 2 times"),
        ("GENPULSE_LOGS__LEVEL=a\n", "Did you mean GENPULSE_LOG__LEVEL?"),
    ],
)
def test_what_does_not_belong_into_a_dotenv(tidy, dotenv, words):
    (tidy / ".env").write_text(dotenv)
    assert words in said(tidy)


def test_an_example_that_is_missing_incomplete_or_secret(tidy):
    example = tidy / ".env.example"
    example.write_text(example_text().replace("#GENPULSE_API__PORT=8000\n", "") + "GENPULSE_OLD=1\n")
    assert "GENPULSE_API__PORT is missing" in said(tidy)
    assert "GENPULSE_OLD is not a setting" in said(tidy)
    example.write_text(
        example_text().replace("GENPULSE_WEBHOOKS__SECRET=", "GENPULSE_WEBHOOKS__SECRET=sk_live_0123456789ab")
    )
    assert "looks like a secret" in said(tidy)
    example.unlink()
    assert "it is missing: genpulse config example" in said(tidy)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (
            "default: {webhooks: {secret: hunter2}}\n",
            "webhooks.secret (config/config.yaml [default] line 1): this is a secret in a committed file",
        ),
        (
            "production:\n  providers: {art: {options: {api_token: x}}}\n",
            "move it to GENPULSE_PROVIDERS__ART__OPTIONS__API_TOKEN",
        ),
        ("testing: {log: {levl: info}}\n", "Did you mean log.level?"),
        ("default: {storage: {endpoint: 'https://ada:hunter2@s3'}}\n", "looks like a secret"),
    ],
)
def test_what_does_not_belong_into_the_committed_file(tidy, document, words):
    (tidy / "config/config.yaml").write_text(document)
    assert words in said(tidy)


def test_outside_of_a_repository_the_rest_is_looked_at(project):
    assert "it is missing: genpulse config example" in said(project)
    assert "ignored" not in said(project)
