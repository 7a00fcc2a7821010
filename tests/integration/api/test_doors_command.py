"""`genpulse doors` beside an API that runs."""

import json

import pytest

from genpulse.dialects.fal.door import fal_door
from genpulse.dialects.options import DialectOptions
from tests.api_keys import added


@pytest.fixture
async def api(serve):
    return await serve(doors=[fal_door(DialectOptions(frozenset({"fal"}), {"fal": 10}))])


async def facts(genpulse, api, **variables):
    code, out, err = await genpulse(api, "doors", "--json", **variables)
    assert code == 0, err
    return json.loads(out)


async def test_it_tells_which_doors_are_open_and_that_there_is_no_key(api, genpulse):
    document = await facts(genpulse, api)
    assert (document["http_url"], document["https_url"], document["ca_file"]) == (api.url, None, None)
    assert {name: door["open"] for name, door in document["doors"].items()} == {
        "replicate": False,
        "fal": True,
        "openai": False,
    }
    (missing,) = document["missing"]
    assert "No API key exists yet" in missing
    code, out, _ = await genpulse(api, "doors")
    assert (code, 'export FAL_KEY="$GENPULSE_API_KEY"' in out) == (0, True)
    assert "openai: closed there" in out


async def test_it_tells_of_a_key_that_is_not_taken(api, genpulse):
    _, headers = await added(api.services.keys)
    good = headers["Authorization"].removeprefix("Bearer ")
    assert (await facts(genpulse, api, GENPULSE_API_KEY=good))["missing"] == []
    (missing,) = (await facts(genpulse, api))["missing"]
    assert missing.startswith("Calls need an API key")
    (missing,) = (await facts(genpulse, api, GENPULSE_API_KEY="gp_dev_wrong"))["missing"]
    assert missing.startswith("The key in GENPULSE_API_KEY is not taken there")
    _, out, _ = await genpulse(api, "doors", GENPULSE_API_KEY=good)
    assert good not in out


async def test_where_nothing_answers_it_says_so(api, genpulse):
    api.url = "http://127.0.0.1:9"
    code, out, _ = await genpulse(api, "doors", "--json")
    document = json.loads(out)
    assert (code, document["answers"], len(document["doors"])) == (1, False, 3)
    assert "genpulse dev --tls" in document["missing"][0]
