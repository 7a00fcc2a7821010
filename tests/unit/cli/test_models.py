"""What `genpulse models` shows."""

from rich.console import Console

from genpulse.cli.models import _list


def test_a_model_that_is_not_set_up_says_so():
    common = {"title": "", "description": "Draws", "kinds": ["text-to-image"]}
    documents = [
        common | {"id": "art/bare", "configured": False},
        common | {"id": "art/ready", "configured": True},
        common | {"id": "art/older"},
    ]
    console = Console(width=120)
    with console.capture() as shown:
        console.print(_list(documents))
    said = {line.split()[0]: "not set up" in line for line in shown.get().splitlines()[1:]}
    assert said == {"art/bare": True, "art/ready": False, "art/older": False}
