"""uvicorn as the API runs it: connections, draining and shutdown."""
