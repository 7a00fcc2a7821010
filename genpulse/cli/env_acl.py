"""`genpulse env acl`: a Redis user that can reach this environment alone."""

import click

from genpulse import config
from genpulse.environment.acl import PLACEHOLDER, acl_rule


@click.command("acl")
@click.option("--user", metavar="NAME", help="Name of the user. Default: genpulse_<environment>.")
@click.option("--namespace", metavar="NAME", help="Only this namespace. Default: redis.namespace.")
def command(user: str | None, namespace: str | None) -> None:
    """Print the Redis command that makes a user for this environment.

    The user reaches keys and channels with the environment's prefix and nothing else. Put a password in, run the
    command as an administrator of Redis, and name the user in redis.url. SCAN is taken away because it tells the
    names of all keys, whosever they are.
    """
    settings = config.load(require=())
    click.echo(acl_rule(settings.environment, settings.redis.namespace if namespace is None else namespace, user))
    click.echo(f"Put a password in the place of {PLACEHOLDER}.", err=True)
