"""`make clients`: clients compile, and run a task of `genpulse dev`.

Two are generated from its OpenAPI document, in Python and TypeScript; the third is our own for TypeScript, with
the page about it.

python -m tests.clients --node <node> --packages <folder with node_modules>
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from tests.acceptance.dev_stack import Dev
from tests.clients import python_client

ROOT = Path(__file__).parents[2]
TYPESCRIPT = Path(__file__).with_name("typescript")
OWN_TYPESCRIPT = Path(__file__).with_name("own_typescript")
OWN_PACKAGE = ROOT / "packages/client-typescript"
PAGE = ROOT / "docs/how-to/use-from-typescript.md"
MODEL = "sandbox/image"


def main() -> int:
    """0 when all compiled and ran."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__)
    parser.add_argument("--node", type=Path, required=True, help="the program `node`")
    parser.add_argument("--packages", type=Path, required=True, help="where npm has installed")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="genpulse-clients-") as name:
        folder = Path(name)
        dev = Dev(folder, "--no-reload")
        try:
            dev.start()
            made = dev.genpulse("keys", "create", "--name", "clients", "--json")
            key = json.loads(made.stdout)["key"]
            with urllib.request.urlopen(f"{dev.url}/openapi.json") as answer:
                document = answer.read().decode()
            _run_python(document, folder, dev.url, key)
            node, packages = asked.node.absolute(), asked.packages.absolute()
            _run_typescript(node, packages, folder, dev.url, key)
            _run_own_typescript(node, packages, folder, dev.url, key)
        finally:
            dev.ended()
    return 0


def _run_python(document: str, folder: Path, url: str, key: str) -> None:
    made = python_client.generated(document, folder)
    environment = python_client.environment(made)
    mypy = Path(sys.executable).with_name("mypy")
    checked = [mypy, "--strict", "--config-file=", "--cache-dir", folder / "mypy", str(python_client.USE)]
    subprocess.run(checked, cwd=folder, env=environment, check=True)
    subprocess.run(python_client.use(url, key, MODEL), cwd=folder, env=environment, check=True)


def _run_typescript(node: Path, packages: Path, folder: Path, url: str, key: str) -> None:
    work = folder / "typescript"
    shutil.copytree(TYPESCRIPT, work)
    modules = packages / "node_modules"
    (work / "node_modules").symlink_to(modules)
    for script in (
        [modules / "openapi-typescript/bin/cli.js", folder / "openapi.json", "-o", "api.d.ts"],
        [modules / "typescript/bin/tsc"],
        ["use.js", url, key, MODEL],
    ):
        subprocess.run([node, *script], cwd=work, check=True)


def _run_own_typescript(node: Path, packages: Path, folder: Path, url: str, key: str) -> None:
    work = folder / "own"
    shutil.copytree(OWN_TYPESCRIPT, work)
    blocks = re.findall(r"```javascript\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (work / "page.ts").write_text("\n".join(blocks))
    (work / "node_modules/@genpulse").mkdir(parents=True)
    (work / "node_modules/@genpulse/client").symlink_to(OWN_PACKAGE)
    (work / "node_modules/@types").symlink_to(packages / "node_modules/@types")
    account = {"GENPULSE_URL": url, "GENPULSE_API_KEY": key, "WEBHOOK_SECRET": "a secret"}
    for configuration in ("tsconfig.json", "tsconfig.browser.json"):
        tsc = packages / "node_modules/typescript/bin/tsc"
        subprocess.run([node, tsc, "-p", configuration], cwd=work, check=True)
    subprocess.run([node, "page.js"], cwd=work, env=account, check=True)
    tests = sorted(OWN_PACKAGE.glob("test/*.test.js"))
    subprocess.run([node, "--test", "--test-reporter=dot", *tests], cwd=work, env={}, check=True)


if __name__ == "__main__":
    sys.exit(main())
