"""Where the client finds GenPulse, and what it sends of it."""

import subprocess
import sys

import pytest

from genpulse_client import AsyncGenPulse, GenPulse
from genpulse_client.address import address_of

FOUND = """
from genpulse_client.address import address_of
found = address_of(None, None)
print(found.url, found.api_key)
"""


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({}, "http://127.0.0.1:8000 None"),
        ({"GENPULSE_URL": "https://media.example/base/", "GENPULSE_API_KEY": "gp_live_1\n"},
         "https://media.example/base gp_live_1"),
        ({"GENPULSE_URL": "", "GENPULSE_API_KEY": ""}, "http://127.0.0.1:8000 None"),
    ],
)  # fmt: skip
def test_variables_say_where_and_who(variables, found):
    path = {"PYTHONPATH": "packages/genpulse-client"}
    done = subprocess.run(
        [sys.executable, "-c", FOUND], env=path | variables, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == found


def test_what_is_given_goes_before():
    assert address_of("http://a", "").headers == {}
    assert address_of("http://a", "key").headers == {"Authorization": "Bearer key"}
    assert "key" not in repr(address_of("http://a", "gp_dev_key"))


@pytest.mark.parametrize("kind", [GenPulse, AsyncGenPulse])
@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://x", "http://", "http://x:99999", "http://x:0", "x"])
def test_what_is_no_address_is_told(kind, url):
    with pytest.raises(ValueError, match="is no address of GenPulse: give one such as"):
        kind(url)


@pytest.mark.parametrize("url", ["http://user:secret@x", "http://x?a=b", "http://x/#y"])
def test_an_address_is_no_more_than_that(url):
    with pytest.raises(ValueError, match="no user, query or fragment") as error:
        GenPulse(url)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("key", ["two words", "line\nend", "ключ"])
def test_a_key_that_is_none_is_told_without_its_text(key):
    with pytest.raises(ValueError, match="API key has characters") as error:
        GenPulse(api_key=key)
    assert key not in str(error.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://localhost", "http://[::1]:5"])
def test_this_machine_is_reached_by_no_proxy(url):
    assert address_of(url, None).is_local
    assert not address_of("http://media.example", None).is_local
