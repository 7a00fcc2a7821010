"""Which texts of a prediction's output are files.

Replicate keeps files that a model writes on hosts of its own (`replicate.delivery`, its documentation). What else
looks like an address is one that the model's own schema calls a file, or a text.
"""

from collections.abc import Callable

from genpulse.domain.json.value import JsonValue
from genpulse.provider.passthrough import IsFile, PossibleFile, but_not, candidates_in, is_on
from genpulse.provider.passthrough.files import found_files
from genpulse.providers.replicate.output_schema import OutputSchema

HOSTS = frozenset({"replicate.delivery"})
_on_own_host = is_on(HOSTS)


class FileRule:
    """The rule for an output. `serves` tells of the account's own results, `inputs` may be repeated in it."""

    def __init__(self, serves: Callable[[str], bool], *inputs: JsonValue) -> None:
        self._serves = serves
        self._repeated = frozenset[str]().union(*map(candidates_in, inputs))

    def without_schema(self) -> IsFile:
        """What is on a host that files are delivered from, and no part of the input."""
        return but_not(self._is_delivered, self._repeated)

    def with_schema(self, schema: OutputSchema) -> IsFile:
        """What the schema calls a file, and what is delivered as one."""
        is_delivered = self.without_schema()
        return lambda candidate: schema.is_file(candidate) or is_delivered(candidate)

    def is_open(self, output: JsonValue) -> bool:
        """Whether the output holds an address that only the model's schema can tell from a text."""
        is_file = self.without_schema()
        undecided = found_files(
            output, lambda candidate: not is_file(candidate) and not self._is_repeated(candidate)
        )
        return any(isinstance(file, str) for file in undecided.files)

    def _is_repeated(self, candidate: PossibleFile) -> bool:
        return candidate.text.strip() in self._repeated

    def _is_delivered(self, candidate: PossibleFile) -> bool:
        return candidate.is_content or _on_own_host(candidate) or self._serves(candidate.text)
