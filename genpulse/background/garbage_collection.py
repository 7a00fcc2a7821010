"""Tuning of Python's cyclic garbage collector."""

import gc

_YOUNG, _MIDDLE, _OLD = 50_000, 20, 50
"""CPython's own are 700, 10, 10, for programs that hold little: thousands of tasks are much to look at."""


def tune_garbage_collection() -> None:
    """Leave out of every later search what is there now, such as imported modules, and search less often.

    To be called once a process has what it lives with. Objects without cycles are freed at once as ever.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
