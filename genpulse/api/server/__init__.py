"""uvicorn as the API runs it: connections, draining and shutdown."""

from genpulse.unneeded_packages import without

with without("watchfiles"):  # 1 MB, for its own reload
    import uvicorn as uvicorn
