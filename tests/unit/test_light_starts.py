"""Servers load nothing at their start that only few requests, few commands or nobody needs."""

import json
import subprocess
import sys

import pytest

from genpulse.unneeded_packages import without

LOADED = "import sys, json, {module}; print(json.dumps(sorted(sys.modules)))"
HEAVY = {
    "aiohttp": "vendors, and files behind URLs",
    "alembic": "upgrades",
    "av": "thumbnails",
    "cryptography": "secrets that are sealed, and notices of vendors",
    "greenlet": "SQLAlchemy",
    "numpy": "the sandbox's sounds",
    "opentelemetry.sdk": "traces",
    "PIL": "thumbnails",
    "psutil": "the development stack",
    "pygments": "the terminal",
    "rich": "the terminal",
    "sentry_sdk": "reports of errors",
    "sqlalchemy": "upgrades",
    "watchfiles": "the development stack",
}


def modules_after(module: str) -> set[str]:
    """What a fresh process has loaded when it has imported this."""
    words = [sys.executable, "-c", LOADED.format(module=module)]
    return set(json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout))


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """By what is imported."""
    return {
        "api": modules_after("genpulse.cli.api, genpulse.asgi"),
        "worker": modules_after("genpulse.cli.worker.process"),
    }


@pytest.mark.parametrize("process", ["api", "worker"])
@pytest.mark.parametrize("package", HEAVY)
def test_a_server_starts_without(process: str, package: str, loaded: dict[str, set[str]]) -> None:
    assert package not in loaded[process], f"it is for {HEAVY[package]} alone"


def test_the_package_itself_loads_nothing() -> None:
    ours = {name for name in modules_after("genpulse") if name.partition(".")[0] == "genpulse"}
    assert ours == {"genpulse"}


def test_what_is_hidden_is_found_again() -> None:
    sys.modules.pop("colorsys", None)
    with without("colorsys", "json"):
        with pytest.raises(ModuleNotFoundError):
            import colorsys
        import json as still_there
    import colorsys

    assert colorsys.rgb_to_hsv
    assert still_there is json


def test_what_is_hidden_is_found_again_after_an_error() -> None:
    with pytest.raises(KeyError), without("colorsys"):
        raise KeyError
    import colorsys

    assert colorsys.rgb_to_hsv
