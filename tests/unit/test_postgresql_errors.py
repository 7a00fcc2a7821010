"""Every error that the driver knows is of one of two kinds: a mistake, or PostgreSQL is away."""

import asyncio
import inspect
import ssl

import asyncpg
import pytest

from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.errors import DatabaseUnavailable, LeaseLost

ERRORS = {
    name: found
    for name, found in vars(asyncpg.exceptions).items()
    if inspect.isclass(found) and issubclass(found, Exception) and not issubclass(found, Warning)
}
MISTAKES = ("21", "22", "23", "3F", "42", "44", "54", "P0")
AWAY_THOUGH_OF_THAT_CLASS = {"InsufficientPrivilegeError", "DuplicatePreparedStatementError"}


def raised(error):
    with pytest.raises(Exception) as caught, outages():
        raise error
    return caught.value


def made(kind):
    return kind("some words")


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_every_error_of_the_driver_has_its_kind(name):
    error = made(ERRORS[name])
    state = getattr(error, "sqlstate", None) or ""
    if state.startswith(MISTAKES) and name not in AWAY_THOUGH_OF_THAT_CLASS:
        assert raised(error) is error
    else:
        away = raised(error)
        assert type(away) is DatabaseUnavailable
        assert away.__cause__ is error


@pytest.mark.parametrize(
    "name",
    [
        "ReadOnlySQLTransactionError",
        "InFailedSQLTransactionError",
        "IdleInTransactionSessionTimeoutError",
        "InvalidPasswordError",
        "InvalidAuthorizationSpecificationError",
        "InvalidCatalogNameError",
        "ObjectNotInPrerequisiteStateError",
        "FeatureNotSupportedError",
        "LockNotAvailableError",
        "DeadlockDetectedError",
        "QueryCanceledError",
        "PostgresIOError",
        "PostgresSystemError",
        "InternalServerError",
        "InvalidCachedStatementError",
        "OutdatedSchemaCacheError",
        "ConnectionDoesNotExistError",
        "InsufficientPrivilegeError",
        "InvalidSQLStatementNameError",
        "TargetServerAttributeNotMatched",
        "UnknownPostgresError",
    ],
)
def test_what_failovers_poolers_and_operators_cause_is_away(name):
    assert type(raised(made(ERRORS[name]))) is DatabaseUnavailable


@pytest.mark.parametrize(
    "name",
    [
        "DataError",
        "UntranslatableCharacterError",
        "UniqueViolationError",
        "CheckViolationError",
        "UndefinedTableError",
        "UndefinedColumnError",
        "PostgresSyntaxError",
        "ProgramLimitExceededError",
        "StatementTooComplexError",
        "RaiseError",
    ],
)
def test_what_would_fail_again_in_the_same_way_is_a_mistake(name):
    error = made(ERRORS[name])
    assert raised(error) is error


@pytest.mark.parametrize(
    "error",
    [
        OSError(104, "reset"),
        ConnectionRefusedError(),
        TimeoutError(),
        asyncio.IncompleteReadError(b"", 5),
        ssl.SSLError("certificate"),
    ],
    ids=repr,
)
def test_what_the_network_says_is_away(error):
    assert type(raised(error)) is DatabaseUnavailable


@pytest.mark.parametrize("error", [LeaseLost("gone"), KeyError("ours"), asyncio.CancelledError()], ids=repr)
def test_what_is_not_the_drivers_passes(error):
    with pytest.raises(type(error)) as caught, outages():
        raise error
    assert caught.value is error


def test_a_code_that_nobody_has_seen_yet_is_away():
    error = asyncpg.PostgresError.new({"C": "ZX999", "M": "new in PostgreSQL 31", "S": "ERROR"})
    assert "new in PostgreSQL 31" in str(raised(error))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("DiskFullError", "disk is full"),
        ("ReadOnlySQLTransactionError", "takes no writes"),
        ("InsufficientPrivilegeError", "Grant it"),
        ("DuplicatePreparedStatementError", "database.pooler: transaction"),
        ("InvalidCachedStatementError", "were changed a moment ago"),
        ("AdminShutdownError", "does not answer"),
    ],
)
def test_the_message_says_what_is_to_be_done(name, words):
    assert words in str(raised(made(ERRORS[name])))
