"""The merge check and what a deployment asks, by git and the standard library alone.

`genpulse flow install` packs it, with what it imports, into one file that CI runs: `python -I -S flow.pyz check`.
The same code answers as in `genpulse flow`, with the same options, documents and exit codes.
"""

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn, TypeAlias

from genpulse.branching.documents import (
    annotation,
    deployable_document,
    deployable_sentence,
    merge_sentence,
    refused_document,
    verdict_document,
    verified_document,
    verified_sentence,
)
from genpulse.branching.errors import FlowError, Refusal
from genpulse.branching.git.repository import Repository
from genpulse.branching.merge_check import ProposedMerge, check_merge
from genpulse.branching.releases.build_info import build_of, write_build_file
from genpulse.branching.releases.deployment import is_job, judged
from genpulse.branching.releases.verification import Verifier
from genpulse.domain.text.storable import showable
from genpulse.environment.table import BY_NAME

_Verb: TypeAlias = Callable[[Repository, argparse.Namespace], int]


def main(arguments: Sequence[str], version: str = "") -> int:
    """Do what is asked in the current folder and return the exit code: 0 done, 1 refused, 2 wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        options = _parser(version).parse_args(arguments)
        repository = Repository(Path.cwd(), os.environ, offline=options.offline, trunk=options.trunk)
        verb: _Verb = options.verb
        return verb(repository, options)
    except _Misuse as error:
        return _misused(error, as_json="--json" in arguments)
    except FlowError as error:
        _refuse([error.refusal], as_json=options.json)
        if options.json:
            _document(refused_document([error.refusal]))
        return 1


def _check(repository: Repository, options: argparse.Namespace) -> int:
    if not options.base and not options.names_only:
        options.parser.error("--base is needed, except with --names-only")
    merge = ProposedMerge(
        options.head,
        options.base,
        options.head_repo,
        options.base_repo,
        options.head_sha,
        options.arrived,
        options.before,
    )
    verdict = check_merge(merge, repository, history=not options.names_only)
    _refuse(verdict.refusals, as_json=options.json)
    for warning in verdict.warnings:
        _annotate("warning", warning, as_json=options.json)
        _err(f"warning: {warning}")
    if options.json:
        _document(verdict_document(merge, verdict))
    elif verdict:
        _out(merge_sentence(merge, verdict))
    return 0 if verdict else 1


def _verify(repository: Repository, options: argparse.Namespace) -> int:
    verifier = Verifier(repository, signed=options.signed)
    repository.fetch()
    release = verifier.verify(options.tag)
    _say(verified_document(release), verified_sentence(release), as_json=options.json)
    return 0


def _deployable(repository: Repository, options: argparse.Namespace) -> int:
    environment, job = BY_NAME[options.env], is_job(os.environ)
    target, remark = judged(
        repository, options.ref, environment, commit=options.commit, job=job, signed=options.signed
    )
    if remark:
        _err(remark)
    _say(deployable_document(target, remark), deployable_sentence(target), as_json=options.json)
    return 0


def _build_info(repository: Repository, options: argparse.Namespace) -> int:
    build = build_of(repository, signed=options.signed)
    write_build_file(build, options.output)
    _say(asdict(build), f"Stamped: {build}.", as_json=options.json)
    return 0


class _Misuse(Exception):
    """The line is not understood by this parser."""

    def __init__(self, parser: argparse.ArgumentParser, message: str) -> None:
        super().__init__(message)
        self.parser = parser


class _Parser(argparse.ArgumentParser):
    """Leaves it to `main` to say what is not understood."""

    def error(self, message: str) -> NoReturn:
        """Raises `_Misuse`."""
        raise _Misuse(self, message)


def _misused(error: _Misuse, *, as_json: bool) -> int:
    """Say how it is used, and in JSON as well to whoever asked for that."""
    if as_json:
        rule, mend = "A command is used as its help says.", f"{error.parser.prog} --help"
        _document(refused_document([Refusal("usage_wrong", rule, str(error), (mend,))]))
    _err(f"{error.parser.format_usage()}{error.parser.prog}: error: {error}")
    return 2


def _parser(version: str) -> argparse.ArgumentParser:
    parser = _Parser(prog="flow", description="The gate of the branching model.")
    parser.add_argument("--version", action="version", version=f"genpulse flow {version}".strip())
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    check = _verb(verbs, "check", _check, "May head be merged into base?")
    check.add_argument("--head", required=True)
    check.add_argument("--base", default="")
    for option in ("--head-repo", "--base-repo", "--head-sha", "--arrived", "--before"):
        check.add_argument(option, default="")
    check.add_argument("--names-only", action="store_true")
    verify = _verb(verbs, "verify", _verify, "Is TAG a verified release?")
    verify.add_argument("tag", nargs="?")
    where = _verb(verbs, "deployable", _deployable, "May REF be deployed there?")
    where.add_argument("--ref", required=True)
    where.add_argument("--env", required=True, choices=list(BY_NAME))
    where.add_argument("--commit", default="")
    build_info = _verb(verbs, "stamp", _build_info, "Write the stamp of the build that is under way.")
    build_info.add_argument("--output", required=True, type=Path)
    return parser


def _verb(
    verbs: "argparse._SubParsersAction[_Parser]", name: str, verb: _Verb, text: str
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text, description=text)
    parser.set_defaults(verb=verb, parser=parser)
    parser.add_argument("--json", action="store_true", help="For programs.")
    parser.add_argument("--trunk", default="", help="What dev is called here.")
    parser.add_argument("--offline", action="store_true", help="Ask no remote; go by what was fetched last.")
    parser.add_argument("--signed", action="store_true", help="Demand a good signature.")
    return parser


def _refuse(refusals: Sequence[Refusal], *, as_json: bool) -> None:
    for refusal in refusals:
        _annotate("error", refusal, as_json=as_json)
        _err(str(refusal))


def _annotate(level: str, refusal: Refusal, *, as_json: bool) -> None:
    if os.environ.get("GITHUB_ACTIONS") == "true" and not as_json:
        _out(annotation(level, refusal))


def _say(document: Mapping[str, object], sentence: str, *, as_json: bool) -> None:
    if as_json:
        _document(document)
    else:
        _out(sentence)


def _document(document: Mapping[str, object]) -> None:
    _out(json.dumps(document, indent=2))


def _out(text: str) -> None:
    sys.stdout.write(f"{showable(text)}\n")


def _err(text: str) -> None:
    sys.stderr.write(f"{showable(text)}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
