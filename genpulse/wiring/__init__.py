"""Opens and closes everything that a process needs, from its settings; nothing below imports `Settings`.

`services` opens one of each port, `catalogue` loads providers, `database` does what `genpulse db`, `genpulse env`
and `genpulse keys` ask.
"""

from genpulse.adapters.database.schema.environment_stamp import StampedDatabase
from genpulse.adapters.storage.spool_folder import Waiting
from genpulse.wiring.catalogue import learn_provider, open_catalogue, probe_provider
from genpulse.wiring.database import (
    check_database,
    confirm_moved,
    database_revision,
    database_stamp,
    empty_copy,
    open_keys,
    stamp_database,
    upgrade_database,
)
from genpulse.wiring.services import environment_facts, open_services
from genpulse.wiring.storage import waiting_streams

__all__ = [
    "StampedDatabase",
    "Waiting",
    "check_database",
    "confirm_moved",
    "database_revision",
    "database_stamp",
    "empty_copy",
    "environment_facts",
    "learn_provider",
    "open_catalogue",
    "open_keys",
    "open_services",
    "probe_provider",
    "stamp_database",
    "upgrade_database",
    "waiting_streams",
]
