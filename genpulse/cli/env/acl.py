"""`genpulse env acl`: a Redis user that can reach this environment alone."""

import click

from genpulse import config
from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.terminal import say
from genpulse.environment.acl import PLACEHOLDER, acl_rule
from genpulse.environment.namespace import NAMESPACE_WORDS, is_namespace


@click.command("acl")
@click.option("--user", metavar="NAME", help="Name of the user. Default: genpulse_<environment>.")
@click.option("--namespace", metavar="NAME", help="Only this namespace. Default: redis.namespace.")
def command(user: str | None, namespace: str | None) -> None:
    """Print the Redis command that makes a user for this environment.

    The user reaches keys and channels with the environment's prefix and nothing else. Put a password in, run the
    command as an administrator of Redis, and name the user in redis.url. SCAN is taken away because it tells the
    names of all keys, whosever they are. This asks for nothing but the environment and the namespace, since the
    user has to be there before anything can start.
    """
    environment, configured = config.find_namespace()
    prefix = configured if namespace is None else namespace
    if not is_namespace(prefix):
        raise CommandRefused(f"{prefix!r} is no namespace; expected {NAMESPACE_WORDS}.")
    say(acl_rule(environment, prefix, user))
    say(f"Put a password in the place of {PLACEHOLDER}.", err=True)
