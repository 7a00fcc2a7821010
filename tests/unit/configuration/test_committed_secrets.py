"""Secrets in committed files stop a start, and not the linter alone."""

import subprocess

import pytest

from genpulse.config import ConfigurationError, check_committed, load
from genpulse.environment.table import DEVELOPMENT, PRODUCTION
from tests.unit.configuration.conftest import SERVERS

COMMITTED = {
    "a password in the address of the database": ("database_url: postgresql://a:topsecret@db/x", "database_url"),
    "a password in the query of one": ("database_url: postgresql://db/x?password=topsecret", "database_url"),
    "a password of redis": ("redis: {url: 'redis://:topsecret@r/0'}", "redis.url"),
    "the key of a provider": ("providers: {fal: {api_key: topsecret}}", "providers.fal.api_key"),
    "a secret of a provider's own": ("providers: {a: {options: {webhook_secret: topsecret}}}", "webhook_secret"),
    "a password in another address": ("storage: {endpoint: 'https://a:topsecret@s3'}", "storage.endpoint"),
    "a token as the user of a web address": (
        "providers: {a: {base_url: 'https://topsecret@v.example/'}}",
        "base_url",
    ),
    "a key in the query of a web address": (
        "providers: {a: {base_url: 'https://v.example/?api_key=topsecret'}}",
        "base_url",
    ),
    "a password with a sign that cuts an address": (
        "database_url: 'postgresql://a:top/secret#topsecret@db/x'",
        "data",
    ),
    "an address in a list": (
        "providers: {a: {options: {hosts: ['https://x', 'https://a:topsecret@y']}}}",
        "hosts",
    ),
    "a key in a list": ("providers: {a: {options: {api_keys: [topsecret, topsecret2]}}}", "api_keys"),
    "a header": ("providers: {a: {options: {authorization: 'Bearer topsecret'}}}", "authorization"),
    "a header by its value": ("providers: {a: {options: {header: 'Basic topsecrettopsecret=='}}}", "header"),
    "a password by its short name": ("providers: {a: {options: {passwd: topsecret}}}", "passwd"),
    "what looks like a vendor's key": ("providers: {a: {options: {note: sk-proj-topsecret-12345}}}", "note"),
    "the secret of webhooks": ("webhooks: {secret: topsecret}", "webhooks.secret"),
}


@pytest.mark.parametrize("section", ["default", "development"])
@pytest.mark.parametrize("case", sorted(COMMITTED))
def test_a_secret_in_the_committed_file_is_refused_at_the_start_and_by_the_check(project, case, section):
    line, key = COMMITTED[case]
    (project / "config/config.yaml").write_text(f"{section}:\n  {line}\n")
    for refused in (
        lambda: load(project, {"ENV": "dev"}, require=()),
        lambda: check_committed(DEVELOPMENT, project),
    ):
        with pytest.raises(ConfigurationError) as caught:
            refused()
        assert key in str(caught.value)
        assert f"config/config.yaml [{section}] line 2): this is a secret in a committed file" in str(caught.value)
        assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "redis: {url: 'redis://cache:6379/0'}",
        "database_url: postgresql://u@db/x?sslmode=verify-full&sslkey=/run/client.key&sslrootcert=system",
        "providers: {a: {base_url: 'https://v.example:8443/a@b?mode=x'}}",
        "providers: {a: {options: {hosts: ['task-something-quite-long', 'https://x:1/@y']}}}",
        "database_url: postgresql://genpulse@db:5432/x?sslmode=require",
    ],
)
def test_an_address_without_a_password_may_be_committed(project, line):
    (project / "config/config.yaml").write_text(f"production:\n  {line}\n")
    check_committed(PRODUCTION, project)


def test_a_secret_in_the_section_of_another_environment_is_committed_all_the_same(project):
    (project / "config/config.yaml").write_text("production:\n  webhooks: {secret: topsecret}\n")
    with pytest.raises(ConfigurationError, match=r"config.yaml \[production\] line 2\): this is a secret"):
        load(project, SERVERS)


def test_a_committed_dotenv_is_seen_from_below_in_a_work_tree_and_whoever_asks(project, monkeypatch, tmp_path):
    whole = tmp_path / "whole"
    inner = whole / "service"
    inner.mkdir(parents=True)
    (project / "config").rename(inner / "config")
    (inner / ".env").write_text("ENV=dev\n")
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    for command in (
        ["init", "-q"],
        ["add", "-f", "."],
        [*who, "commit", "-qm", "x"],
        ["worktree", "add", "../other"],
    ):
        subprocess.run(["git", *command], cwd=whole, check=True, capture_output=True)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    for folder in (inner, tmp_path / "other/service"):
        with pytest.raises(ConfigurationError, match=r"git rm --cached \.env"):
            load(folder, SERVERS)


def test_a_committed_dotenv_is_refused_at_the_start(project):
    (project / ".env").write_text("ENV=dev\n")
    load(project, SERVERS)
    for command in (["init", "-q"], ["add", "-f", ".env"]):
        subprocess.run(["git", *command], cwd=project, check=True, capture_output=True)
    with pytest.raises(ConfigurationError, match=r".env\): it is committed|it is committed: git rm --cached .env"):
        load(project, SERVERS)


def test_a_dotenv_that_leads_to_a_committed_file_is_refused(project):
    (project / "shared.env").write_text("ENV=dev\n")
    (project / ".env").symlink_to("shared.env")
    load(project, SERVERS)
    for command in (["init", "-q"], ["add", "shared.env"]):
        subprocess.run(["git", *command], cwd=project, check=True, capture_output=True)
    with pytest.raises(ConfigurationError, match="it is committed"):
        load(project, SERVERS)
