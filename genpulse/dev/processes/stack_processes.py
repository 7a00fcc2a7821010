"""The processes of a running stack, as the system lists them."""

from dataclasses import dataclass

import psutil

_PROGRAMS = {"postgres": "postgres", "valkey-server": "redis", "redis-server": "redis"}
_VERB = 3
_TLS = "--certificate"
_COMFYUI = "main.py"


@dataclass(frozen=True, slots=True)
class Member:
    """A process: its part in the stack, and its number."""

    name: str
    pid: int


def members(supervisor: int) -> tuple[Member, ...]:
    """The children of a supervisor that are parts of its stack, by name."""
    try:
        children = psutil.Process(supervisor).children()
    except psutil.Error:
        return ()
    parts = [Member(name, child.pid) for child in children if (name := _part(child)) is not None]
    return tuple(sorted(parts, key=lambda member: member.name))


def _part(process: psutil.Process) -> str | None:
    try:
        words, program = process.cmdline(), process.name()
    except psutil.Error:
        return None
    if words[1:_VERB] == ["-m", "genpulse"] and len(words) > _VERB:
        return f"{words[_VERB]}-tls" if _TLS in words else words[_VERB]
    return _PROGRAMS.get(program) or ("comfyui" if _COMFYUI in words else None)
