"""This door alone: `python -m tests.clients.official.replicate --python-1 <python> --python-2 <python> …`."""

import argparse
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.dev_stack import Dev
from tests.clients.official.replicate import driver
from tests.clients.official.replicate.lossy_proxy import LossyProxy, certificate_for_loopback


@dataclass(frozen=True, slots=True)
class TlsStack:
    """A stack behind a proxy that speaks TLS."""

    dev: Dev
    https_url: str
    authority: Path

    @property
    def url(self) -> str:
        return self.dev.url

    def genpulse(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.dev.genpulse(*arguments)


def main() -> int:
    """0 when all was seen."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients.official.replicate", description=__doc__)
    parser.add_argument("--python-1", type=Path, help="the interpreter with replicate 1.x")
    parser.add_argument("--python-2", type=Path, help="the interpreter with replicate 2")
    parser.add_argument("--node", type=Path, help="the program `node`")
    parser.add_argument("--packages", type=Path, help="where npm has installed replicate")
    asked = parser.parse_args()
    environments = {
        name: driver.Program(program.absolute())
        for name, program in (("replicate-1", asked.python_1), ("replicate-2", asked.python_2))
        if program
    }
    if asked.node and asked.packages:
        modules = asked.packages.absolute() / "node_modules"
        environments["replicate-js"] = driver.Program(asked.node.absolute(), modules)
    with tempfile.TemporaryDirectory(prefix="genpulse-replicate-") as name:
        folder = Path(name)
        driver.prepare(folder)
        authority = certificate_for_loopback(folder)
        with LossyProxy("http://127.0.0.1:1", authority) as tls:
            dev = Dev(folder, "--no-reload", **driver.ENVIRONMENT, GENPULSE_API__PUBLIC_URL=tls.url)
            tls.passes_to(dev.url)
            try:
                dev.start()
                shown = driver.run(TlsStack(dev, tls.url, authority), environments)
            finally:
                dev.ended()
    for one in shown:
        print(f"{'✓' if one.seen else '✗'} {one.client} {one.version}: {one.call} {one.note}", flush=True)
    return 0 if all(one.seen for one in shown) else 1


if __name__ == "__main__":
    os.environ.pop("SSL_CERT_FILE", None)
    raise SystemExit(main())
