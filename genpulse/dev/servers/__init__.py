"""The servers of a local stack: PostgreSQL, Valkey and ComfyUI, from wheels, PATH or Docker."""
