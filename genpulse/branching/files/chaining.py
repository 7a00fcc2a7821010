"""Hooks that run other hooks: a block in a shell script, and files that do nothing else."""

import re
from importlib.resources import files

_BEGIN, _END = "# >>> genpulse flow", "# <<< genpulse flow"
_BLOCK = f"""\
{_BEGIN}: written by `genpulse flow install`, taken out by `genpulse flow uninstall`
flow_refs=$(cat)
printf '%s\\n' "$flow_refs" | FLOW_CHAINED=1 "$(git rev-parse --show-toplevel)/@HOOK@" "$@" || exit 1
if [ -n "$flow_refs" ]; then
  exec <<FLOW_REFS
$flow_refs
FLOW_REFS
else
  exec </dev/null
fi
{_END}
"""
_WHOLE = re.compile(rf"^{re.escape(_BEGIN)}.*?^{re.escape(_END)}\n", re.MULTILINE | re.DOTALL)
_SHELL = re.compile(rb"#!\s*(?:\S*/env\s+)?(?:\S*/)?(?:ba|da|z|k|a)?sh(?:\s|$)")
_ALONE = "#!/bin/sh\n"


def is_shell(content: bytes) -> bool:
    """Whether a hook is a script for a shell; husky's have no first line of their own."""
    return not content.startswith(b"#!") or _SHELL.match(content) is not None


def with_call(content: bytes, hook: str) -> bytes:
    """A shell script that first runs ours with what git said, and then goes on with the same."""
    bare = without_call(content).decode(errors="surrogateescape")
    first, newline, rest = bare.partition("\n") if bare.startswith("#!") else ("", "", bare)
    block = _BLOCK.replace("@HOOK@", hook)
    return f"{first}{newline or (chr(10) if first else '')}{block}{rest}".encode(errors="surrogateescape")


def without_call(content: bytes) -> bytes:
    """The script as it was."""
    return _WHOLE.sub("", content.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def caller(hook: str) -> bytes:
    """A hook that runs ours and nothing else."""
    return with_call(_ALONE.encode(), hook)


def is_nothing(content: bytes) -> bool:
    """Whether nothing is left of a hook without our call."""
    return content.decode(errors="replace").strip() in {"", _ALONE.strip()}


def runner(name: str) -> bytes:
    """A hook that runs the one of the same name that lies in this clone alone."""
    text = files(__package__).joinpath("templates", "hook").read_text(encoding="utf-8")
    return text.replace("@NAME@", name).encode()
