"""`genpulse flow`: the branching model as a tool."""

import io
import signal
import sys
import threading
from typing import Any

import click

from genpulse.branching.errors import FlowError, Refusal
from genpulse.cli.flow.options import JSON, misuse, refuse, say_refusals, say_refused
from genpulse.cli.lazy_group import LazyCommand, LazyGroup
from genpulse.environment.errors import EnvironmentProblem

_COMMANDS = {
    "start": LazyCommand(
        "genpulse.cli.flow.branches:start_command", "Begin feature/<name> or fix/<name> from dev."
    ),
    "finish": LazyCommand(
        "genpulse.cli.flow.branches:finish_command", "Check and push the branch, open its pull request into dev."
    ),
    "promote": LazyCommand("genpulse.cli.flow.branches:promote_command", "Move dev to test, or test to main."),
    "backmerge": LazyCommand(
        "genpulse.cli.flow.backmerge:backmerge_command", "Bring what test or main has alone back into dev."
    ),
    "rc": LazyCommand(
        "genpulse.cli.flow.candidate:candidate_command", "Tag a release candidate on test, or approve one."
    ),
    "release": LazyCommand(
        "genpulse.cli.flow.releases:release_command", "Tag a release on main; --list shows where to roll back to."
    ),
    "verify": LazyCommand("genpulse.cli.flow.releases:verify_command", "Whether a tag is a verified release."),
    "deployable": LazyCommand(
        "genpulse.cli.flow.deployable:deployable_command", "Which environment a ref may be deployed to."
    ),
    "status": LazyCommand(
        "genpulse.cli.flow.status:status_command", "The lanes, what waits between them, what is wrong."
    ),
    "check": LazyCommand(
        "genpulse.cli.flow.check:check_command", "The gate for CI and hooks: may head be merged into base."
    ),
    "install": LazyCommand(
        "genpulse.cli.flow.install:install_command", "Write hooks, gate and rules, after showing them."
    ),
    "uninstall": LazyCommand("genpulse.cli.flow.install:uninstall_command", "Take back what install has written."),
    "graph": LazyCommand("genpulse.cli.flow.install:graph_command", "The model as a drawing for a document."),
    "stamp": LazyCommand(
        "genpulse.cli.flow.build_info:build_info_command", "Write the stamp of the build that is under way."
    ),
}


class _Commands(LazyGroup):
    """Prints a refusal of the flow, for people or as JSON, and ends with its exit code."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Whoever asked for JSON gets it as well where the rest of the line is not understood."""
        wants_json = "--json" in args
        try:
            ctx = super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            if wants_json:
                say_refused([misuse(error)])
            raise
        ctx.meta[JSON] = wants_json
        return ctx

    def invoke(self, ctx: click.Context) -> object:
        """Exit code 1 for what is refused, with the rule, what was found and what mends it."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            say_refusals(ctx, [misuse(error)])
            raise
        except FlowError as error:
            refuse(ctx, [error.refusal])
            ctx.exit(1)
        except EnvironmentProblem as error:
            say_refusals(ctx, [Refusal("environment_unknown", "An environment is named as it is.", str(error))])
            raise


@click.group("flow", cls=_Commands, lazy=_COMMANDS)
def command() -> None:
    """Move work from dev through test to main, and prove what runs where.

    feature/* and fix/* are cut from dev and merge into dev; dev merges into test, test into main. Candidates are
    tagged on test as vX.Y.Z-rc.N, releases on main as vX.Y.Z. Exit codes: 0 done, 1 refused, 2 wrong usage.
    """
