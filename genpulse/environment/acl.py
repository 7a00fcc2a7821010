"""A Redis user that can reach one environment alone."""

from genpulse.environment.table import Environment

PLACEHOLDER = "PASSWORD"
_HARMFUL = ("@admin", "@dangerous", "randomkey", "scan", "dbsize", "function", "script|flush", "pubsub")
"""`@dangerous` holds KEYS, FLUSHALL and the like. SCAN and DBSIZE tell about others' keys, PUBSUB about others'
channels; SCRIPT FLUSH and FUNCTION take scripts away from everybody.
"""


def acl_rule(environment: Environment, namespace: str = "", user: str | None = None) -> str:
    """The command that makes the user; its password has to be put in.

    With a namespace the user reaches that part of the environment alone.
    """
    prefix = f"{environment.key_prefix}{namespace}:" if namespace else environment.key_prefix
    name = user or f"genpulse_{environment.name}"
    rules = (
        "on",
        f">{PLACEHOLDER}",
        "resetkeys",
        f"~{prefix}*",
        "resetchannels",
        f"&{prefix}*",
        "+@all",
        *(f"-{harmful}" for harmful in _HARMFUL),
    )
    return f"ACL SETUSER {name} {' '.join(rules)}"
