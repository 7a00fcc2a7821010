"""Why a file is not written."""

from genpulse.branching.errors import FlowError


class FileInTheWay(FlowError):
    """A file that cannot be written, or that changed after its difference was shown."""

    def __init__(self, found: str, *mend: str, note: str = "") -> None:
        rule = "What is written was shown before, and lies inside the repository."
        super().__init__("file_in_the_way", rule, found, *mend, note=note)
