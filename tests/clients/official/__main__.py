"""The official clients of others, unmodified, against `genpulse dev`; writes what they have shown.

python -m tests.clients.official --environments .venv/official --node <node> [--write docs/reference/dialects.md]
"""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

import yaml

from genpulse.dev.processes.ports import free_port
from tests.acceptance.dev_stack import Dev
from tests.clients.official.report import TITLES, Shown, page
from tests.clients.official.stack import Environments, Stack

ROOT, CONFIGURATION = Path(__file__).parents[3], "config/config.yaml"
ALIASES = {"fal-ai/flux/dev": "sandbox/image"}
"""Names of models as clients of others know them."""


def main() -> int:
    """0 when every client did everything that it can."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients.official", description=__doc__)
    parser.add_argument("--environments", type=Path, required=True, help="where the clients are installed")
    parser.add_argument("--node", type=Path, required=True, help="the program `node`")
    parser.add_argument("--write", type=Path, help="the page that tells what was shown")
    parser.add_argument("--door", action="append", choices=list(TITLES), help="of which vendors; all of them")
    asked = parser.parse_args()
    environments = Environments(asked.environments.absolute(), asked.node.absolute())
    with tempfile.TemporaryDirectory(prefix="genpulse-official-") as name:
        tls = ("--tls", "--tls-port", str(free_port()))  # one client of fal's speaks https alone
        _configure(Path(name))
        dev = Dev(Path(name), "--no-reload", *tls)
        try:
            dev.start()
            shown = [one for door in asked.door or TITLES for one in _shown(door, Stack(dev), environments)]
        finally:
            dev.ended()
    if asked.write:
        asked.write.write_text(page(shown))
    for one in shown:
        if one.seen is False:
            print(f"{one.client} {one.version}: {one.call}: {one.note}", file=sys.stderr)
    print(f"{sum(one.seen is True for one in shown)} calls of official clients were seen to work")
    return 0 if all(one.seen is not False for one in shown) else 1


def _configure(folder: Path) -> None:
    """The configuration of this project, with aliases."""
    document = yaml.safe_load((ROOT / CONFIGURATION).read_text())
    document["default"]["doors"] = {"aliases": dict(ALIASES)}
    (folder / CONFIGURATION).parent.mkdir()
    (folder / CONFIGURATION).write_text(yaml.safe_dump(document))


def _shown(door: str, stack: Stack, environments: Environments) -> list[Shown]:
    shown: list[Shown] = importlib.import_module(f"tests.clients.official.{door}.driver").run(stack, environments)
    return shown


if __name__ == "__main__":
    sys.exit(main())
