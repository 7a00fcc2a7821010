"""What a task cost and whom it told, as people read it."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from genpulse.cli.output.terminal import say
from genpulse.domain.text.storable import showable_line


def print_ledger(entries: Sequence[Mapping[str, Any]]) -> None:
    """A line for each entry of the ledger: in which attempt, what was done with how much, and who says so."""
    for entry in entries:
        flag = f", {entry['flag']}" if entry["flag"] else ""
        words = f"attempt {entry['attempt']} {entry['kind']} {entry['amount_usd']} USD ({entry['source']}{flag})"
        say(f"{'money':<10}{showable_line(words)}")


def print_deliveries(deliveries: Sequence[Mapping[str, Any]]) -> None:
    """A line for each webhook message: how it stands, after how many tries, and what was said last."""
    for delivery in deliveries:
        tries = f"after {delivery['attempts']} {'try' if delivery['attempts'] == 1 else 'tries'}"
        said = delivery["error"] or delivery["status_code"]
        words = f"{delivery['type']} to {_without_password(delivery['url'])}: {delivery['state']} {tries}" + (
            f": {said}" if said else ""
        )
        say(f"{'webhook':<10}{showable_line(words)}")


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
