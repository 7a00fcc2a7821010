"""What the console refuses by itself.

Refused
├── ForgedForm          a form that does not come from a page of the console
├── EnvironmentNotNamed what needs the environment's name typed, and has another one
└── UnreadableForm      a body that is no form
"""

from genpulse.domain.errors import Refused


class ForgedForm(Refused):
    """The form does not come from a page that this console has shown to this person."""

    code = "forged_form"

    def __init__(self) -> None:
        super().__init__(
            "This form does not come from a page of this console, or from one that was shown before you logged in."
            " Nothing was done. Go back, load the page again, and send it from there."
        )


class EnvironmentNotNamed(Refused):
    """What costs money or cannot be undone needs the environment's name."""

    code = "environment_not_named"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Nothing was done. This costs money or cannot be undone, and this is {name!r}: type that name into"
            " the form to do it."
        )


class UnreadableForm(Refused):
    """The body is no form."""

    code = "invalid_form"

    def __init__(self, why: str) -> None:
        super().__init__(f"The form cannot be read: {why}. Load the page again, and send it from there.")
