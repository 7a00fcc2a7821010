"""Types of single settings, and the base of each section."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr


def empty_is_unset(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def without_blanks(value: object) -> object:
    """Secrets and addresses come out of files and dialogs with blanks and line ends around them, and have none."""
    return (value.strip() or None) if isinstance(value, str) else value


def lists_as_text(options: object) -> object:
    """A list of texts is one text with commas, as a variable would say it."""
    if not isinstance(options, dict):
        return options
    return {name: list_as_text(value) for name, value in options.items()}


def list_as_text(value: object) -> object:
    """The same for one setting."""
    return ", ".join(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else value


Optional = Annotated[str | None, BeforeValidator(without_blanks)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(without_blanks)]
OptionalPath = Annotated[Path | None, BeforeValidator(empty_is_unset)]
OptionalDays = Annotated[int | None, BeforeValidator(empty_is_unset)]
OptionalDollars = Annotated[Decimal | None, Field(ge=0, le=10**9), BeforeValidator(empty_is_unset)]


class Section(BaseModel):
    """A group of settings: unknown names are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
