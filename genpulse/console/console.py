"""What all calls of the console share."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from genpulse.console.live import LiveFragments
from genpulse.console.options import ConsoleOptions
from genpulse.console.views.throughput import Throughput
from genpulse.domain.keys.api_key import Scope


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """A page that the head of each page leads to: `letter` after `g` goes there, too.

    It is shown to keys of its scope.
    """

    path: str
    title: str
    letter: str
    scope: Scope = Scope.READ


@dataclass(frozen=True, slots=True)
class Console:
    """Its options, the pages that there are, and what is rendered for many at once."""

    options: ConsoleOptions
    navigation: tuple[NavigationEntry, ...]
    live: LiveFragments = field(default_factory=LiveFragments)
    throughput: Throughput = field(default_factory=Throughput)

    def other_urls(self, environment: str) -> Mapping[str, str]:
        """The consoles of the other environments."""
        return {name: url for name, url in self.options.urls.items() if name != environment}
