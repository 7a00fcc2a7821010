"""What `genpulse models` shows."""

from genpulse.cli.catalogue.show import _list


def test_a_model_that_is_not_set_up_says_so():
    common = {"title": "", "description": "Draws", "kinds": ["text-to-image"]}
    documents = [
        common | {"id": "art/bare", "configured": False},
        common | {"id": "art/ready", "configured": True},
        common | {"id": "art/older"},
    ]
    lines = _list(documents).laid_out(None).plain.splitlines()[1:]
    said = {line.split()[0]: "not set up" in line for line in lines}
    assert said == {"art/bare": True, "art/ready": False, "art/older": False}
