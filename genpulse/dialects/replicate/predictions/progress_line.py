"""How far a task has come, as a line of logs that clients of Replicate read a progress bar from."""

from genpulse.domain.task import Task

_WIDTH = 10
_STEPS = 100


def progress_line(progress: float) -> str:
    """The line for a progress from 0.0 to 1.0: ` 40%|████      | 40/100`."""
    done = min(max(int(progress * _STEPS), 0), _STEPS)
    filled = done * _WIDTH // _STEPS
    return f"{done:3d}%|{'█' * filled}{' ' * (_WIDTH - filled)}| {done}/{_STEPS}"


def logs_of(task: Task) -> str:
    """All that is logged of a task: its last progress, empty where nothing is known of it."""
    return "" if task.progress is None else progress_line(task.progress)
