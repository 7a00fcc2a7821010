"""The one way from a command to the terminal: nothing that a stranger wrote moves it.

Strangers are whoever wrote a prompt, a commit, a branch's name, a log line or a vendor's answer.
"""

import json

import click

from genpulse.domain.text.storable import showable


def say(text: str, *, err: bool = False, nl: bool = True, fg: str | None = None, bold: bool | None = None) -> None:
    """Lines for people, or a document for programs; on standard error with `err`. Colours for terminals alone."""
    plain = showable(text)
    click.secho(plain, err=err, nl=nl, fg=fg, bold=bold) if fg or bold else click.echo(plain, err=err, nl=nl)


def say_json(document: object) -> None:
    """Print a JSON document on standard output, for programs that read all of it."""
    say(json.dumps(document, indent=2))


def say_json_line(document: object) -> None:
    """Print a JSON document as one line of standard output, for programs that read line by line."""
    say(json.dumps(document))


def say_drawn(text: str) -> None:
    """Print what a `console` has drawn, with its colours."""
    click.echo(text, nl=False)


def agreed(question: str) -> bool:
    """Ask a person on standard error, yes or no. Raises `click.Abort`."""
    return click.confirm(showable(question), err=True)
