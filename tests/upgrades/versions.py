"""Versions of before, laid out beside this one with the libraries of this one."""

import os
import subprocess
import sys
import tarfile
import tomllib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parents[2]
_METADATA = "Metadata-Version: 2.1\nName: genpulse\nVersion: {version}\n"


@dataclass(frozen=True, slots=True)
class NamedVersion:
    """A commit, and the newest migration that it has."""

    commit: str
    head: str


BASES = (NamedVersion("90d678358d395f477dc2ec5756335c400620e3d2", "0012"), NamedVersion("5503d4f7", "0029"))
"""While there is no release: the oldest version that the newest tables let in, and one of shortly before."""


def previous_versions():
    """The last release, by its tag; while there is none, `BASES`. A test looks whether they are there."""
    described = _git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^")
    return (NamedVersion(described.stdout.decode().strip(), ""),) if described.returncode == 0 else BASES


def missing(version):
    """Why it cannot be had here, in words; None when it can be."""
    if _git("cat-file", "-e", f"{version.commit}^{{commit}}").returncode == 0:
        return None
    return f"The history here does not reach {version.commit}: fetch all of it (git fetch --unshallow)."


class OlderVersion:
    """The code of a commit in a folder, and its commands as processes of an interpreter of their own."""

    def __init__(self, commit, folder):
        self.folder = folder
        self._lay_out(commit)
        self._processes = []

    def _lay_out(self, commit):
        archive = _git("archive", "--format=tar", commit)
        archive.check_returncode()
        with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
            files.extractall(self.folder, filter="data")
        project = tomllib.loads((self.folder / "pyproject.toml").read_text())["project"]
        about = self.folder / f"genpulse-{project['version']}.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(_METADATA.format(version=project["version"]))
        (about / "entry_points.txt").write_text(_entry_points(project))

    def _environment(self, environment):
        path = [str(self.folder), str(self.folder / "packages/genpulse-client")]
        return {**environment, "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(path)}

    def run(self, *arguments, folder, environment):
        """A command to its end."""
        words = [sys.executable, "-m", "genpulse", *arguments]
        return subprocess.run(
            words, cwd=folder, env=self._environment(environment), capture_output=True, text=True, check=False
        )

    def start(self, *arguments, folder, environment, log):
        """A command that goes on, until `stop`."""
        words = [sys.executable, "-m", "genpulse", *arguments]
        process = subprocess.Popen(
            words, cwd=folder, env=self._environment(environment), stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        self._processes.append(process)
        return process

    def stop(self):
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _entry_points(project):
    lines = []
    for group, entries in project.get("entry-points", {}).items():
        lines += [f"[{group}]", *(f"{name} = {place}" for name, place in entries.items()), ""]
    return "\n".join(lines)


def _git(*arguments):
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)
