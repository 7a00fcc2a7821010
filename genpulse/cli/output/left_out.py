"""What providers could not use of the operator's, such as a file of a model."""

from collections.abc import Iterable, Mapping
from typing import Any

from genpulse.cli.output.terminal import say
from genpulse.domain.text.storable import showable_line


def say_left_out(providers: Iterable[Mapping[str, Any]]) -> None:
    """A line on standard error for each thing that the documents of these providers name."""
    for provider in providers:
        # An API of an older version does not say.
        for sentence in provider.get("left_out", ()):
            say(showable_line(f"{provider['name']} leaves out {sentence}"), err=True)
