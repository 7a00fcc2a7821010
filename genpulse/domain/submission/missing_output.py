"""Outputs that a task does not have, and how they make uncertain which one is meant by a number."""

from genpulse.domain.submission.file_reference import TaskOutput
from genpulse.domain.task import Task
from genpulse.domain.warning import WarningCode


def confusion(task: Task, output: TaskOutput) -> str | None:
    """Why it is uncertain which file is meant, in words to be put behind the reference; None where it is certain.

    Whoever names an output before its task has ended counts what was to be made, and whoever does so afterwards
    what is there. The first one is the first that is there.
    """
    if output.index == 0:
        return None
    missing = [
        one.index for one in task.warnings if one.code is WarningCode.OUTPUT_MISSING and one.index is not None
    ]
    if all(place > output.index for place in missing):
        return None
    return (
        f"may be one of two files, since the output #{min(missing)} of that task is missing or was deleted;"
        " name it by asset:<id>"
    )
