"""Imports the product, for the process of which `tests.command` makes commands by a fork.

What draws and speaks stays out: its libraries begin threads, and few commands need them.
"""

import gc
import importlib
import pkgutil

import genpulse

_LEFT_OUT = ("genpulse.adapters.database.migrations.", "genpulse.providers.sandbox.", "genpulse.testing.")
_IMPORTED_LATE = (
    "alembic.command",
    "rich.progress",
    "rich.table",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.auto",
)

for _found in pkgutil.walk_packages(genpulse.__path__, "genpulse."):
    if not _found.name.startswith(_LEFT_OUT):
        importlib.import_module(_found.name)
for _name in _IMPORTED_LATE:
    importlib.import_module(_name)
gc.collect()
gc.freeze()
