"""docs/how-to/adopt-the-branches.md, done as it is written, in repositories that have a history."""

import json
import re
from pathlib import Path

import pytest

from tests.integration.branching.fake_forge.company import founded, installed
from tests.integration.branching.fake_forge.people import ROOT

PAGE = (ROOT / "docs/how-to/adopt-the-branches.md").read_text()


def commands(heading):
    """The lines that a person types under a heading."""
    part = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\$ (.+)$", part, re.MULTILINE)


@pytest.fixture
def old_company(shelf, tmp_path: Path):
    """A repository with main and v1.2.3 alone, a hook of its own, and no rules yet."""
    with founded(shelf.bare(tmp_path), "github", documents=[]) as company:
        ann = company.ann
        for lane in ("test", "dev"):
            company.forge.git("update-ref", "-d", f"refs/heads/{lane}")
        ann.git("switch", "-q", "main")
        ann.git("branch", "-qD", "dev")
        ann.git("tag", "-am", "x", "v1.2.3")
        ann.git("push", "-q", "origin", "v1.2.3")
        hook = ann.folder / ".git" / "hooks" / "pre-push"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho pushed >>pushes.txt\n")
        hook.chmod(0o755)
        (ann.folder / ".git" / "info").mkdir(exist_ok=True)
        (ann.folder / ".git" / "info" / "exclude").write_text("pushes.txt\n")
        yield company


def typed(company, command, *, ok=(0,)):
    done = company.ann.shell(command)
    assert done.returncode in ok, f"$ {command}\n{done.stdout}{done.stderr}"
    return done


def pressed(company):
    """Every pull request that is open is merged."""
    for request in [one for one in company.forge.requests.values() if one.open]:
        company.forge.merge(request, "ann")


def test_a_repository_with_a_history_adopts_the_flow_and_leaves_it(old_company):
    company, ann = old_company, old_company.ann
    before = ann.git("config", "--get", "core.hooksPath", ok=(0, 1))
    (look,) = commands("1. Look")
    assert "has no branch" in typed(company, look, ok=(1,)).stderr
    for heading in ("2. Make the lanes that are missing", "3. Install"):
        for command in commands(heading):
            typed(company, command)
    pressed(company)
    company.forge.enforce(installed(ann.folder, "github"))
    assert json.loads(typed(company, "genpulse flow status --fetch --json").stdout)["violations"] == []
    assert "v1.2.3" in typed(company, "genpulse flow release --list").stdout
    typed(company, "genpulse flow deployable --ref v1.2.3 --env main")
    assert (ann.folder / "pushes.txt").exists()
    ann.fetch()
    ann.git("switch", "-q", "feature/adopt-the-flow")
    for command in commands("Take it back"):
        typed(company, command)
    assert ann.git("config", "--get", "core.hooksPath", ok=(0, 1)) == before
    assert ann.git("diff", "--name-only", "origin/main", "HEAD") in {"", ".flow.toml"}


@pytest.mark.parametrize("kind", ["github"])
@pytest.mark.parametrize("method", ["squash", pytest.param("rebase", marks=pytest.mark.slow)])
def test_years_of_squashes_come_to_an_end(company, method):
    rules = company.forge.documents
    company.forge.enforce([])
    for number in range(2):
        company.bob.fetch()
        company.bob.on(f"feature/y{number}", "origin/dev")
        company.bob.commit(f"y{number}.txt")
        company.bob.git("push", "-q", "origin", f"feature/y{number}")
        company.merge(f"feature/y{number}", "dev")
        company.merge("dev", "test", method=method)
        company.merge("test", "main", method=method)
    company.bob.fetch()
    company.bob.on("fix/gone", "origin/dev")
    company.bob.git("rm", "-q", "y0.txt")
    company.bob.git("commit", "-qm", "Take y0 out")
    company.bob.git("push", "-q", "origin", "fix/gone")
    company.merge("fix/gone", "dev")
    company.forge.enforce(rules)
    for command in commands("4. Bring old differences to an end"):
        done = typed(company, command, ok=(0, 1) if "backmerge" in command else (0,))
        assert done.returncode == 0 or "dev has everything that" in done.stderr
        pressed(company)
    assert json.loads(typed(company, "genpulse flow status --fetch --json").stdout)["violations"] == []
    typed(company, "genpulse flow verify")
    company.bob.fetch()
    assert company.bob.git("ls-tree", "--name-only", "origin/main").split() == ["readme.md", "y1.txt"]
