"""GenPulse's own API on a store in memory: what HTTP costs without PostgreSQL."""

from contextlib import asynccontextmanager

import uvicorn

from genpulse.api.app import create_app
from genpulse.api.options import ApiOptions
from genpulse.providers.catalog import load
from genpulse.testing.rig import memory_services


@asynccontextmanager
async def services():
    async with memory_services(load({})) as found:
        yield found


uvicorn.run(create_app(services, ApiOptions()), port=0, access_log=False, server_header=False)
