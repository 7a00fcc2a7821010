"""The npm package, in an empty folder."""

import asyncio
import os
import subprocess
import tarfile

from packages import build
from tests.node import node, npm

PROGRAM = """
import { GenPulse } from "@genpulse/client";
const genpulse = new GenPulse(process.argv[2]);
const task = await genpulse.generate("art/easel", { prompt: "a fox" });
console.log(new TextDecoder().decode(await genpulse.bytes(task.outputs[0])));
"""
APART = ("--offline", "--silent", "--no-audit", "--no-fund", "--no-package-lock")


async def test_it_is_installed_without_a_network_and_runs_a_task(api, tmp_path):
    packed, project = tmp_path / "dist", tmp_path / "project"
    packed.mkdir()
    project.mkdir()
    build.build_npm(npm(), packed)
    (tarball,) = packed.iterdir()
    with tarfile.open(tarball) as archive:
        assert {name.split("/")[1] for name in archive.getnames()} == {"package.json", "README.md", "src"}
    subprocess.run([*npm(), "install", *APART, "--cache", tmp_path / "cache", tarball], cwd=project, check=True)
    (project / "use.mjs").write_text(PROGRAM)
    async with api.worker():
        process = await asyncio.create_subprocess_exec(
            *(node(), "use.mjs", api.url),
            cwd=project,
            env={"PATH": os.defpath},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    assert (process.returncode, said.decode()) == (0, "drawing of a fox\n")
