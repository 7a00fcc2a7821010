"""The section of the console."""

from pydantic import Field

from genpulse.configuration.settings.values import Optional, Section


class ConsoleSection(Section):
    """The pages at `/console`, for people who look after an installation."""

    enabled: bool | None = Field(None, description="Whether they are served; empty: in development alone.")
    hide_content: bool = Field(
        default=False,
        description=(
            "Whether inputs and outputs are shown to those alone whose tasks they are, and to keys with the scope"
            " admin."
        ),
    )
    dev_url: Optional = Field(None, description="Where the console of development is; others lead there.")
    test_url: Optional = Field(None, description="Where the console of testing is; others lead there.")
    main_url: Optional = Field(None, description="Where the console of production is; others lead there.")

    @property
    def urls(self) -> dict[str, str]:
        """The consoles of the environments, as far as they are named."""
        named = {"dev": self.dev_url, "test": self.test_url, "main": self.main_url}
        return {name: url for name, url in named.items() if url}
