"""ASGI middleware, from the outermost inwards: `create_app` in `api/app.py` stacks it."""
