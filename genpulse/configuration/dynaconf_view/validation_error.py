"""The configuration's faults as Dynaconf's own error, for programs that expect that."""

from dynaconf import ValidationError

from genpulse.configuration.errors import ConfigurationError


class InvalidConfiguration(ConfigurationError, ValidationError):  # type: ignore[misc]
    """Everything that is wrong with the values of the configuration, a line each."""
