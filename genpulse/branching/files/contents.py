"""The files by their paths: hook, packed merge check, workflow, rules of the forge, settings."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Literal, TypeAlias

from genpulse.branching.files import rulesets
from genpulse.branching.files.check_file import digest, packed
from genpulse.branching.files.decided import with_decisions
from genpulse.branching.files.hooks import hook_path
from genpulse.branching.files.ownership import place
from genpulse.branching.rules.policy import LaneNames, Policy
from genpulse.branching.rules.table import DEV, QUEUE
from genpulse.branching.rules.versions import Version
from genpulse.branching.settings.file import FILE, parse
from genpulse.environment.build_info import product_version

Forge: TypeAlias = Literal["github", "gitlab"]
PIPELINE = ".gitlab-ci.yml"
CHECK_FILES = {"github": ".github/flow.pyz", "gitlab": ".gitlab/flow.pyz"}


def decided_policy(
    folder: Path, policy: Policy, baseline: Version | None, names: LaneNames | None
) -> tuple[Policy, str | None]:
    """The policy once the settings here are in dev, and the text of the file if it has to be written."""
    file = folder / FILE
    text = file.read_text(encoding="utf-8") if file.is_file() else None
    if baseline is None and names is None:
        return (policy if text is None else parse(text, "here")), None
    decided = with_decisions(text, baseline, names)
    return parse(decided, "here"), decided


def contents_by_path(
    folder: Path, forge: Forge, policy: Policy, decided: str | None
) -> Iterator[tuple[str, bytes]]:
    """Yield each file's path and content. A path is beside the usual one where another file is there."""
    yield hook_path(folder), _hook(policy)
    if decided is not None:
        yield FILE, decided.encode()
    check_file = "" if _is_product(folder) else CHECK_FILES[forge]
    content = packed(product_version()) if check_file else b""
    if check_file:
        yield check_file, content
    filled = _Filled(folder, policy, check_file, digest(content))
    for path, text in filled.gitlab() if forge == "gitlab" else filled.github():
        yield place(folder, path), text.encode()


def begun_pipeline() -> bytes:
    """The pipeline that is written where there is none; it is the team's from then on."""
    return _template("gitlab/gitlab-ci.yml").encode()


class _Filled:
    """Workflows and rules, with the names of here put in."""

    def __init__(self, folder: Path, policy: Policy, check_file: str, sum_: str) -> None:
        self._folder, self._policy = folder, policy
        self._check_file, self._sum = check_file, sum_

    @property
    def _asks_the_forge(self) -> bool:
        """Whether the merge check needs a token that reads statuses and checks."""
        return self._policy.approval is not None and self._policy.approval.by == "status"

    def github(self) -> Iterator[tuple[str, str]]:
        step = "      - name: Is the gate the one that was installed?\n        run: {0}\n"
        text = self._workflow("github/flow.yml", ", ", " " * 14 + "{0}) HEAD_REF={1} ;;", step)
        yield ".github/workflows/flow.yml", text
        for name, ruleset in rulesets.github_rulesets(self._policy).items():
            yield f".github/rulesets/{name}.json", _json(ruleset)
        yield ".github/environments.json", _json(rulesets.github_environments(self._policy))

    def gitlab(self) -> Iterator[tuple[str, str]]:
        if not (self._folder / PIPELINE).exists():
            yield PIPELINE, begun_pipeline().decode()
        text = self._workflow("gitlab/flow.yml", "|", " " * 10 + "{0}) head={1} ;;", "    - {0}\n")
        yield ".gitlab/flow.yml", text
        yield ".gitlab/protection.json", _json(rulesets.gitlab_protection(self._policy))

    def _workflow(self, template: str, between: str, case: str, step: str) -> str:
        lanes = [row for row in self._policy.lanes if row != DEV]
        version = product_version()
        unchanged = step.format(
            f"""'echo "{self._sum}  {self._check_file}" | sha256sum --check --strict --quiet -'"""
        )
        return _filled(
            template,
            LANES=between.join(row.pattern for row in lanes),
            CAME_FROM="\n".join(case.format(row.pattern, row.starts_from[0]) for row in lanes),
            QUEUE=QUEUE,
            UNCHANGED=unchanged if self._check_file else "",
            FLOW=f"python -I -S {self._check_file}"
            if self._check_file
            else "python -S -m genpulse.branching.standalone",
            CHECK_IS=f"{self._check_file} is that of genpulse {version}"
            if self._check_file
            else "it is part of this repository",
            READS="  checks: read\n  statuses: read\n" if self._asks_the_forge else "",
            KEEPS=" " * 10 + 'export GITHUB_TOKEN="$TOKEN"\n' if self._asks_the_forge else "",
            TRUNK=self._policy.row(DEV).pattern,
        )


def _hook(policy: Policy) -> bytes:
    refs = " | ".join(f"refs/heads/{row.pattern}" for row in policy.lanes)
    return _filled("pre-push", LANE_REFS=f"      {refs}", CHECK_FILES=" ".join(CHECK_FILES.values())).encode()


def _is_product(folder: Path) -> bool:
    """Whether it is GenPulse's own repository, which runs its own source as the merge check."""
    return (folder / "genpulse/branching/standalone.py").is_file()


def _filled(template: str, **values: str) -> str:
    text = _template(template)
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _template(name: str) -> str:
    return files(__package__).joinpath("templates", *name.split("/")).read_text(encoding="utf-8")


def _json(document: object) -> str:
    return json.dumps(document, indent=2) + "\n"
