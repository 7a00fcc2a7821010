"""Numbers in bodies."""

from pydantic_core import PydanticCustomError


def whole_number(value: object) -> object:
    """JSON has one kind of number: 5.0 is 5, and "5" and true are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("int_type", "Input should be a whole number")
    return value
