"""The values of the chart are settings that there are, and none is a secret."""

import json
import re
from pathlib import Path

import pytest
import yaml

from genpulse.configuration.schema import ANY_PROVIDER, is_open, keys

ROOT = Path(__file__).parents[3]
CHART = ROOT / "deploy/helm/genpulse"
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = sorted(CHART.glob("values*.yaml"))


def setting_pattern():
    """An expression for the keys of all settings that are no secrets, as the chart may set them."""
    parts = []
    for known in keys():
        if not known.secret:
            name = re.escape(known.key.replace(ANY_PROVIDER, "NAME")).replace("NAME", "[a-z0-9_]+")
            parts.append(f"{name}(\\.[^.]+)+" if is_open(known.key) else name)
    return f"^({'|'.join(parts)})$"


def test_the_schema_has_every_setting_that_is_no_secret():
    assert SCHEMA["properties"]["config"]["propertyNames"]["pattern"] == setting_pattern()


@pytest.mark.parametrize("path", VALUES, ids=lambda path: path.name)
def test_the_committed_values_name_settings_that_there_are(path):
    values = yaml.safe_load(path.read_text())
    assert all(re.fullmatch(setting_pattern(), key) for key in values.get("config", {}))
    assert not values.get("secret", {}).get("values")


def test_each_environment_has_its_values():
    named = {yaml.safe_load(path.read_text())["environment"]: path.stem for path in VALUES}
    assert named == {"": "values", "dev": "values-dev", "test": "values-test", "main": "values-main"}
