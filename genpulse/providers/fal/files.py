"""Which texts of fal's results are files.

fal describes a file by an object with `url`, and perhaps `content_type`, `file_name` and `file_size` (fal's
documentation). What an app names otherwise lies on a host of fal's, such as `v3.fal.media` (the package
`fal-client` 1.0.3).
"""

from genpulse.domain.json.value import JsonValue
from genpulse.provider.passthrough import IsFile, PossibleFile, but_not, candidates_in, is_file_object, is_on

HOSTS = frozenset({"fal.media"})
_on_own_host = is_on(HOSTS)


def rule_for(input_: JsonValue) -> IsFile:
    """The rule for results of this input, whose own addresses may be repeated in them."""
    return but_not(_is_file, candidates_in(input_))


def _is_file(candidate: PossibleFile) -> bool:
    return candidate.is_content or is_file_object(candidate) or _on_own_host(candidate)
