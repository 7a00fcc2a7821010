"""What clients have to be told to call here."""

from genpulse.cli.doors.client_settings import NAMES, Place, door_settings

CA = "/home/me/app/.genpulse/tls/bundle.pem"


def settings(place):
    return {door.name: door for door in door_settings(place)}


def test_of_a_stack_that_speaks_both():
    doors = settings(Place("http://127.0.0.1:8000", "https://localhost:8443", CA))
    assert tuple(doors) == NAMES
    assert doors["replicate"].environment == {
        "REPLICATE_BASE_URL": "https://localhost:8443/replicate",
        "SSL_CERT_FILE": CA,
    }
    assert doors["fal"].environment == {
        "FAL_RUN_HOST": "localhost:8443/fal/run",
        "FAL_QUEUE_RUN_HOST": "localhost:8443/fal/queue",
        "SSL_CERT_FILE": CA,
    }
    assert doors["openai"].environment == {"OPENAI_BASE_URL": "http://127.0.0.1:8000/openai/v1"}
    assert [client.lacks for door in doors.values() for client in door.clients if client.lacks] == []
    script = doors["fal"].clients[1]
    assert 'url: "http://127.0.0.1:8000/fal/proxy", when: "always"' in script.code
    assert script.environment == {}
    assert doors["replicate"].clients[2].environment == {"NODE_EXTRA_CA_CERTS": CA}


def test_without_https_it_says_what_does_not_work():
    doors = settings(Place("http://127.0.0.1:8000", None))
    lacking = {(door.name, client.name) for door in doors.values() for client in door.clients if client.lacks}
    assert lacking == {
        ("fal", "Python"),
        ("replicate", "Python, replicate 1"),
        ("replicate", "Python, replicate 2"),
    }
    assert "genpulse dev --tls" in doors["fal"].clients[0].lacks


def test_of_a_deployed_one_that_lies_below_a_path():
    doors = settings(Place(None, "https://api.example.org/media"))
    assert doors["fal"].environment == {
        "FAL_RUN_HOST": "api.example.org/media/fal/run",
        "FAL_QUEUE_RUN_HOST": "api.example.org/media/fal/queue",
    }
    assert doors["openai"].environment == {"OPENAI_BASE_URL": "https://api.example.org/media/openai/v1"}
    assert doors["replicate"].clients[1].environment == {
        "REPLICATE_BASE_URL": "https://api.example.org/media/replicate/v1"
    }


def test_no_setting_holds_a_key():
    for door in door_settings(Place("http://127.0.0.1:8000", "https://localhost:8443", CA)):
        assert not any(door.key_variable in client.environment for client in door.clients)
