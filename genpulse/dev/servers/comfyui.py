"""A ComfyUI that lies in a folder of this machine: which Python runs it, and where it answers.

`main.py --listen ADDRESS --port PORT --disable-auto-launch` (source: ComfyUI's `comfy/cli_args.py`, 0.3.64).
"""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genpulse.dev.errors import FolderRefused
from genpulse.dev.plan import ComfyUIPlan
from genpulse.dev.processes.child import Command
from genpulse.dev.processes.ports import LOOPBACK, free_port
from genpulse.dev.servers.health_checks import answers_ok

NAME = "comfyui"
PORT = 8188
"""Where ComfyUI answers when nobody says otherwise."""
START_S = 600.0
"""It imports PyTorch and every custom node before it answers."""
_PYTHONS = (".venv/bin/python", "venv/bin/python", "../python_embeded/python.exe", "../venv/bin/python")


@dataclass(frozen=True, slots=True)
class ComfyUI:
    """A ComfyUI that can be started."""

    plan: ComfyUIPlan
    python: Path
    port: int

    @classmethod
    def lay_out(cls, plan: ComfyUIPlan) -> "ComfyUI":
        """Find its Python and a port: 8188 when it is free. Raises `FolderRefused`."""
        if not (plan.folder / "main.py").is_file():
            raise FolderRefused(
                f"There is no ComfyUI in {plan.folder}: main.py is missing. Name the folder that holds it in"
                " providers.comfyui.options.folder, or name a server that runs in providers.comfyui.base_url."
            )
        return cls(plan, _python_of(plan), free_port(PORT))

    @property
    def url(self) -> str:
        """How to reach it."""
        return f"http://{LOOPBACK}:{self.port}"

    async def is_ready(self) -> bool:
        """Whether it answers."""
        return await answers_ok(f"{self.url}/queue")

    def command(self, environment: Mapping[str, str]) -> Command:
        """How to start it. Its nodes are other people's code: they get none of our settings, keys among them."""
        variables = {name: value for name, value in environment.items() if not name.startswith("GENPULSE_")}
        arguments = [
            *(str(self.python), "-u", "main.py", "--listen", LOOPBACK, "--port", str(self.port)),
            *("--disable-auto-launch", *shlex.split(self.plan.arguments)),
        ]
        return Command(NAME, arguments, variables, self.plan.folder)


def _python_of(plan: ComfyUIPlan) -> Path:
    """The one that is named, else that of a virtual environment in the folder, else ours."""
    if plan.python is not None:
        if not plan.python.is_file():
            raise FolderRefused(f"There is no Python at {plan.python}; see providers.comfyui.options.python.")
        return plan.python
    programs = (plan.folder / name for name in _PYTHONS)
    return next((path for path in programs if path.is_file()), Path(sys.executable))
