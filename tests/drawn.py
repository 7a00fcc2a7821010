"""How much is drawn: a quarter in `make test`, from other seeds each time, and all in `make test-slow`."""

from hypothesis import settings

_ALL = 100

settings.register_profile("few", max_examples=_ALL // 4, deadline=None, derandomize=False, print_blob=True)
settings.register_profile("all", max_examples=_ALL, deadline=None, derandomize=False, print_blob=True)
settings.load_profile("all")


def examples(count: int) -> int:
    """So many of all, by the profile with which pytest was called."""
    return max(1, count * settings.default.max_examples // _ALL)
