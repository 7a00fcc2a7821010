"""Why a file is not written."""

from genpulse.branching.errors import FlowError


class FileInTheWay(FlowError):
    """What is there cannot be replaced by a file, or is not what was shown."""

    def __init__(self, found: str, mend: str) -> None:
        super().__init__("What is written was shown before, and lies inside the repository.", found, mend)
