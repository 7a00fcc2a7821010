"""Models as data: a file `models.yaml` beside a provider's code, and files of a team's own.

`ModelBuilder(build, inputs=…).models_of(path)` makes the models of a file; `docs/how-to/add-a-model.md` has what
it may say.
"""

from genpulse.provider.catalogue.builder import ModelBuilder, applied
from genpulse.provider.catalogue.entry import ModelEntry
from genpulse.provider.catalogue.faults import ModelFault, ModelFilesInvalid
from genpulse.provider.catalogue.folder import files_in
from genpulse.provider.catalogue.model_file import InputNames, ModelFile

__all__ = [
    "InputNames",
    "ModelBuilder",
    "ModelEntry",
    "ModelFault",
    "ModelFile",
    "ModelFilesInvalid",
    "applied",
    "files_in",
]
