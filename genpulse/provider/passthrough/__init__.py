"""Models whose input nobody but the vendor knows: it is passed on as it is.

For vendors with thousands of models. What an input refers to is replaced, and what an output consists of is found.
"""

from genpulse.provider.passthrough.file_rules import (
    IsFile,
    PossibleFile,
    but_not,
    candidates_in,
    is_file_in_place,
    is_file_object,
    is_on,
)
from genpulse.provider.passthrough.inputs import ASSET, KINDS, DeclaredInput, FreeInput, with_files
from genpulse.provider.passthrough.results import Fetch, outputs_of, result_of

__all__ = [
    "ASSET",
    "KINDS",
    "DeclaredInput",
    "Fetch",
    "FreeInput",
    "IsFile",
    "PossibleFile",
    "but_not",
    "candidates_in",
    "is_file_in_place",
    "is_file_object",
    "is_on",
    "outputs_of",
    "result_of",
    "with_files",
]
