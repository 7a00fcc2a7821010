"""The folder that is configured."""

import stat
from dataclasses import dataclass
from pathlib import Path

from genpulse.configuration.errors import ConfigurationError, Fault

COMMITTED = Path("config/config.yaml")
_PACKAGE = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Project:
    """`root` is where relative paths begin; `committed` is the file of defaults, `secrets` the `.env`.

    Messages name files as they are below `root`, wherever a command was typed.
    """

    root: Path
    committed: Path
    secrets: Path

    @property
    def shown(self) -> str:
        """The committed file as messages name it: its path below the project, or that it is the packaged one."""
        if self.committed.is_relative_to(self.root):
            return str(self.committed.relative_to(self.root))
        return "the packaged defaults"


def find_project(folder: Path | None = None) -> Project:
    """The nearest folder, upwards, that holds `config/config.yaml`.

    Without one it is the folder itself, with the defaults that are in the package. Raises `ConfigurationError`.
    """
    folder = (folder or Path.cwd()).absolute()
    for candidate in (folder, *folder.parents):
        if _is_there(candidate / COMMITTED):
            return Project(candidate, candidate / COMMITTED, candidate / ".env")
    return Project(folder, packaged_defaults(), folder / ".env")


def _is_there(file: Path) -> bool:
    """Raises `ConfigurationError` where nobody here may look: what is configured there would be passed over."""
    try:
        return file.exists()
    except OSError as error:
        detail = f"it cannot be looked into: {error.strerror}"
        raise ConfigurationError("", [Fault(str(file.parent), "", detail)]) from error


def packaged_defaults() -> Path:
    """The committed defaults that GenPulse was installed with. Raises `ConfigurationError`."""
    for candidate in (_PACKAGE / "defaults/config.yaml", _PACKAGE.parent / COMMITTED):
        if candidate.is_file():
            return candidate
    raise ConfigurationError("", [Fault("config.yaml", "", "it is missing from the package; install it again")])


def read_text(path: Path, label: str) -> str:
    """The text of a file. Raises `ConfigurationError` when it cannot be read; `label` is how messages name it."""
    try:
        if not stat.S_ISFIFO(path.stat().st_mode):
            return path.read_text(encoding="utf-8")
        detail = "this is a named pipe, and reading it would wait for a writer; expected a file"
    except IsADirectoryError:
        detail = "this is a directory, expected a file"
    except UnicodeDecodeError as error:
        detail = f"byte {error.start} is not UTF-8; save the file as UTF-8"
    except OSError as error:
        detail = f"it cannot be read: {error.strerror}"
    raise ConfigurationError("", [Fault(label, "", detail)])
