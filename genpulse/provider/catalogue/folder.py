"""A folder of files of models."""

from pathlib import Path

from genpulse.provider.catalogue.faults import ModelFault, ModelFilesInvalid
from genpulse.provider.catalogue.model_file import ModelFile

MOST_FILES = 1000
_SUFFIXES = frozenset({".yaml", ".yml"})


def files_in(folder: Path) -> tuple[ModelFile, ...]:
    """All `*.yaml` and `*.yml` of a folder, by name. Raises `ModelFilesInvalid` with the faults of all of them."""
    faults: list[ModelFault] = []
    files: list[ModelFile] = []
    for path in _paths(folder):
        try:
            files.append(ModelFile(path))
        except ModelFilesInvalid as error:
            faults += error.faults
    if faults:
        raise ModelFilesInvalid(faults)
    return tuple(files)


def _paths(folder: Path) -> list[Path]:
    name = str(folder)
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    except FileNotFoundError:
        raise ModelFilesInvalid([ModelFault(name, "there is no such folder")]) from None
    except NotADirectoryError:
        raise ModelFilesInvalid([ModelFault(name, "it is no folder; expected one with files of models")]) from None
    except OSError as error:
        raise ModelFilesInvalid([ModelFault(name, f"it cannot be read: {error.strerror}")]) from error
    if len(paths) > MOST_FILES:
        raise ModelFilesInvalid(
            [ModelFault(name, f"it has {len(paths):,} files of models; {MOST_FILES:,} are the most")]
        )
    return paths
