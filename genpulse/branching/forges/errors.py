"""Errors of forges."""

from genpulse.branching.errors import FlowError


class ForgeError(FlowError):
    """The forge did not open a pull request."""

    def __init__(self, found: str, *mend: str, note: str = "") -> None:
        super().__init__("forge_refused", "A branch is merged by a pull request.", found, *mend, note=note)
