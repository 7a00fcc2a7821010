"""How schemathesis is started: with which configuration, and against what."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent


def command(url: str, *, examples: int, seed: int) -> list[str]:
    """Its command line, for the document of a running API."""
    script = Path(sys.executable).with_name("schemathesis")
    configuration = HERE / "schemathesis.toml"
    run = (str(script), "--config-file", str(configuration), "run", f"{url}/openapi.json")
    return [*run, "--max-examples", str(examples), "--seed", str(seed), "--no-color"]


def environment(api_key: str) -> dict[str, str]:
    """What its configuration names."""
    return {
        "PATH": os.defpath,
        "GENPULSE_API_KEY": api_key,
        "GENPULSE_DOCUMENT_HOOKS": str(HERE / "hooks.py"),
    }
