"""`genpulse flow`: the branching model as a tool."""

import importlib
import io
import signal
import sys
import threading
from typing import Any

import click

from genpulse.branching.errors import FlowError, Refusal
from genpulse.cli.flow.options import JSON, misuse, refuse, say_refusals, say_refused
from genpulse.environment.errors import EnvironmentProblem

_VERBS = {
    "start": ("genpulse.cli.flow.branches:start", "Begin feature/<name> or fix/<name> from dev."),
    "finish": ("genpulse.cli.flow.branches:finish", "Check and push the branch, open its pull request into dev."),
    "promote": ("genpulse.cli.flow.branches:promote", "Move dev to test, or test to main."),
    "backmerge": ("genpulse.cli.flow.backmerge:backmerge", "Bring what test or main has alone back into dev."),
    "rc": ("genpulse.cli.flow.candidate:rc", "Tag a release candidate on test, or approve one."),
    "release": (
        "genpulse.cli.flow.releases:release",
        "Tag a release on main; --list shows where to roll back to.",
    ),
    "verify": ("genpulse.cli.flow.releases:verify", "Whether a tag is a verified release."),
    "deployable": ("genpulse.cli.flow.deployable:command", "Which environment a ref may be deployed to."),
    "status": ("genpulse.cli.flow.status:status", "The lanes, what waits between them, what is wrong."),
    "check": ("genpulse.cli.flow.check:check", "The gate for CI and hooks: may head be merged into base."),
    "install": ("genpulse.cli.flow.install:install", "Write hooks, gate and rules, after showing them."),
    "uninstall": ("genpulse.cli.flow.install:uninstall", "Take back what install has written."),
    "graph": ("genpulse.cli.flow.install:graph", "The model as a drawing for a document."),
    "stamp": ("genpulse.cli.flow.stamp:command", "Write the stamp of the build that is under way."),
}


class _Verbs(click.Group):
    """Loads a verb when it is called, and says what is refused."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order of the work."""
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the verb's module."""
        if cmd_name not in _VERBS:
            return None
        module, _, name = _VERBS[cmd_name][0].partition(":")
        found: click.Command = getattr(importlib.import_module(module), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """From the table, so that nothing is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(verb, text) for verb, (_, text) in _VERBS.items()])

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


@click.group("flow", cls=_Verbs)
def command() -> None:
    """Move work from dev through test to main, and prove what runs where.

    feature/* and fix/* are cut from dev and merge into dev; dev merges into test, test into main. Candidates are
    tagged on test as vX.Y.Z-rc.N, releases on main as vX.Y.Z. Exit codes: 0 done, 1 refused, 2 wrong usage.
    """
