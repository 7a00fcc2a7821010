"""The line of logs from which clients read a progress bar."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from genpulse.dialects.replicate.predictions.progress_line import progress_line

PYTHON = re.compile(r"^\s*(?P<percentage>\d+)%\s*\|.+?\|\s*(?P<current>\d+)\/(?P<total>\d+)")
"""As the Python client finds it."""


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (0.0, "  0%|          | 0/100"),
        (0.4, " 40%|████      | 40/100"),
        (1.0, "100%|██████████| 100/100"),
        (-0.5, "  0%|          | 0/100"),
        (7.0, "100%|██████████| 100/100"),
    ],
)
def test_it_is_drawn(progress, line):
    assert progress_line(progress) == line


@given(some.floats(0, 1))
def test_clients_find_it(progress):
    found = PYTHON.match(progress_line(progress))
    assert found
    assert int(found["percentage"]) == int(found["current"]) <= int(found["total"])
