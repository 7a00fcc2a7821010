"""The root of the error tree."""


class GenPulseError(Exception):
    """Base of all errors raised on purpose."""
